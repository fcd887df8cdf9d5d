import ChargingProfiles
import Control
import Documents
import GridLimits
import Glibc
import Loop
import Quantities
import Record
import Site
import SiteFiles
import WebLink
import Window
import Threads

/// The hub as flexibility provider of OSCP 2.0: what a capacity provider posts becomes limits, heartbeats and measurements go back.
///
/// Its state is in `oscp.json` before anything is answered: a registration that a crash cuts short goes on where it was.
final class GridOperatorLink: @unchecked Sendable {
  static let owner = "oscp"
  private let hub: LiveHub.WeakBox
  private let hubLoop: EventLoop
  private let client: WebClient
  private let settings: SiteFile.OSCP
  private let path: String
  private let dialogue: Locked<OSCPDialogue>
  /// What `oscp.json` has; on the desk's loop.
  private var kept: OSCPDialogue.State
  /// There was an `oscp.json` that could not be read.
  private let hasLost: Bool
  private let log: @Sendable (String, [String: String]) -> Void
  private let clock: HubClock
  private let meter: Locked<Metered>
  private var timer: LoopTimer?
  /// On the client's loop.
  private var nextBeat: MonotonicTime?

  /// The register of the group's meter.
  private struct Metered {
    var first: (energy: Energy, at: Instant)?
    var last: (energy: Energy, at: Instant)?
  }

  init(
    _ settings: SiteFile.OSCP, token: String, trust: ClientTrust, hub: LiveHub.WeakBox, loop: EventLoop, state folder: String,
    voltage: Voltage, clock: HubClock, log: @escaping @Sendable (String, [String: String]) -> Void
  ) throws {
    (self.settings, self.hub, hubLoop, self.clock, self.log) = (settings, hub, loop, clock, log)
    path = folder + "/oscp.json"
    meter = Locked(Metered())
    let found = Self.read(path, log)
    let known = found ?? .init()
    (kept, hasLost) = (known, found == nil)
    dialogue = Locked(
      OSCPDialogue(
        .init(
          group: settings.group, baseURL: settings.baseURL, firstToken: token, interval: settings.interval,
          voltage: voltage.scaled(11, over: 10), fallback: settings.fallback), state: known))
    client = try WebClient(trust: trust)
    timer = client.loop.every(.seconds(1)) { [weak self] in self?.tick() }
  }

  /// - Returns: nil: it cannot be read. It is set aside then, and the capacity provider has to register again.
  private static func read(_ path: String, _ log: (String, [String: String]) -> Void) -> OSCPDialogue.State? {
    guard access(path, F_OK) == 0 else { return .init() }
    do {
      return try OSCPDialogue.State(json: try ProfileFolder.read(path), name: path)
    } catch {
      let aside = path + ".unreadable"
      let isMoved = rename(path, aside) == 0
      log("oscp_set_aside", ["why": "\(error)", "now": isMoved ? aside : path])
      return nil
    }
  }

  /// Holds in place of what was lost, until the capacity provider sends a forecast; nil: nothing was lost.
  func substitute(_ circuit: Int, _ relaxing: LimitSeries.Relaxing) -> LimitSeries? {
    guard hasLost else { return nil }
    let always = [LimitSeries.Block(from: Instant(milliseconds: 0), until: nil, amount: settings.fallback)]
    return series(always, .init(after: settings.interval, fallback: always, needsFreshLimit: true), circuit, relaxing)
  }

  func stop() {
    timer?.cancel()
    client.stop()
  }

  // MARK: In

  /// A request below `/oscp/2.0`. On the desk's loop, whatever door it came in at: states are kept in the order in which they came to be.
  func take(_ request: WebRequest, _ asker: WebDoor.Asker) {
    var random = SystemRandomNumberGenerator()
    let fresh = Tokens.text(of: (0..<32).map { _ in UInt8.random(in: 0...255, using: &random) })
    let path = request.path.dropFirst(2).joined(separator: "/")
    let now = clock.utc()
    let (answer, actions, state) = dialogue.with { dialogue in
      let (answer, actions) = dialogue.receive(
        request.method.rawValue, path: path, authorization: request["authorization"], requestID: request["x-request-id"],
        body: request.body, now: now, freshToken: fresh)
      return (answer, actions, dialogue.state)
    }
    guard answer.status == 204 else {
      log("oscp_refused", ["path": path, "status": "\(answer.status)", "why": answer.detail ?? "", "remote": request.remote])
      return asker.answer(.problem(Problem(answer.status, "Refused", answer.detail ?? "")))
    }
    // A heartbeat changes nothing.
    if state != kept {
      do { try StateFile.replace(self.path, with: Array(state.json.utf8)) } catch {
        log("oscp_not_kept", ["why": "\(error)"])
        return asker.answer(.problem(Problem(503, "Not kept", "What this asks cannot be kept now.")))
      }
      kept = state
    }
    log("oscp", ["path": path])
    act(actions, state) { asker.answer(WebResponse(204, type: "")) }
  }

  private func act(_ actions: [OSCPDialogue.Action], _ state: OSCPDialogue.State, _ done: @escaping @Sendable () -> Void) {
    for action in actions { if case .post = action { post(action, state) } }
    guard actions.contains(where: { if case .post = $0 { false } else { true } }) else { return done() }
    let (hub, me) = (hub, self)
    hubLoop.run {
      guard let hub = hub.hub, let circuit = hub.plan.site.oscp?.circuit else { return }
      let relaxing = hub.drawnRelaxing()
      hub.order(actions.flatMap { me.orders($0, circuit, relaxing) }, by: Self.owner, done)
    }
  }

  private func orders(_ action: OSCPDialogue.Action, _ circuit: Int, _ relaxing: LimitSeries.Relaxing) -> [Order] {
    func series(_ blocks: [LimitSeries.Block], _ silence: LimitSeries.Silence?) -> LimitSeries {
      self.series(blocks, silence, circuit, relaxing)
    }
    switch action {
    case .post: return []
    case .heard: return [.heartbeat(owner: Self.owner)]
    case .withdraw: return [.optimum(series([], nil)), .withdrawLimit(id: id, owner: Self.owner, relaxing)]
    case .limit(let blocks, let silence): return [.limit(series(blocks, silence))]
    case .wish(let blocks): return [.optimum(series(blocks, nil))]
    }
  }
  private func series(
    _ blocks: [LimitSeries.Block], _ silence: LimitSeries.Silence?, _ circuit: Int, _ relaxing: LimitSeries.Relaxing
  ) -> LimitSeries {
    LimitSeries(
      id: id, source: settings.source, owner: Self.owner, circuit: circuit, blocks: blocks, silence: silence, relaxing: relaxing)
  }
  private var id: String { "oscp-\(settings.group.filter { $0.isASCII && ($0.isLetter || $0.isNumber) }.prefix(40))" }

  // MARK: Out

  private func post(_ action: OSCPDialogue.Action, _ state: OSCPDialogue.State, isSecondTry: Bool = false) {
    guard case .post(let path, let json, let correlation) = action, let base = state.baseURL, let token = state.theirs else {
      return
    }
    var random = SystemRandomNumberGenerator()
    let id = (0..<4).map { _ in String(UInt32.random(in: 0...UInt32.max, using: &random), radix: 16) }.joined(separator: "-")
    var fields: [RequestHead.Field] = [.init("Authorization", "Token \(token)"), .init("X-Request-ID", id)]
    if let correlation, correlation.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) {
      fields.append(.init("X-Correlation-ID", correlation))
    }
    let url = (base.hasSuffix("/") ? String(base.dropLast()) : base) + "/" + path
    client.post(url, fields: fields, json: Array(json.utf8)) { [weak self] outcome in
      guard let self else { return }
      if outcome == .status(404), path == "handshake_acknowledge", !isSecondTry {
        // PyPI pyoscp spells it so.
        return post(.post(path: "handshake_acknowledgment", json: json, correlation: correlation), state, isSecondTry: true)
      }
      if case .status(let status) = outcome, (200...299).contains(status) { return }
      log("oscp_unanswered", ["url": url, "outcome": "\(outcome)"])
    }
  }

  /// On the client's loop.
  private func tick() {
    let (state, beat) = dialogue.with { ($0.state, $0.heartbeat(now: clock.utc())) }
    let now = MonotonicTime.now
    if let beat, let interval = state.interval, nextBeat.map({ $0 <= now }) ?? true {
      nextBeat = now.advanced(by: .milliseconds(interval.milliseconds / 2))
      post(beat, state)
    }
    let due = meter.with { meter -> (Energy, Instant, Instant)? in
      guard let first = meter.first, let last = meter.last, last.at - first.at >= settings.measurement else { return nil }
      meter.first = last
      return (last.energy - first.energy, first.at, last.at)
    }
    if let (energy, from, to) = due, let action = dialogue.with({ $0.measurement(energy, from: from, to: to) }) {
      post(action, state)
    }
  }

  /// What the hub recorded. On the hub's loop.
  func take(_ entry: Entry, _ hub: Hub, circuit: Int) {
    if case .planned(let planned) = entry.event { ask(planned, hub, circuit, at: entry.stamp.utc) }
    if case .reading(let reading) = entry.event, hub.circuits[circuit].measurement?.meter == reading.meter,
      let imported = reading.imported
    {
      let energy = imported - (reading.exported ?? .zero)
      meter.with { meter in
        if meter.first == nil { meter.first = (energy, entry.stamp.utc) }
        meter.last = (energy, entry.stamp.utc)
      }
    }
    for case .alarm(.baseAboveLimit(circuit, let phase), raised: true) in entry.effects {
      let (action, state) = dialogue.with { dialogue in
        (dialogue.complianceError("the load that is not controlled exceeds the capacity on \(phase.name)"), dialogue.state)
      }
      if let action { post(action, state) }
    }
  }

  /// A new plan may lack energy for want of capacity: that is asked for.
  private func ask(_ planned: Planned, _ hub: Hub, _ circuit: Int, at now: Instant) {
    let shortages = planned.sessions.flatMap { session -> [OSCPDialogue.Shortage] in
      guard let outlook = planned.outlook(connector: session.connector, transaction: session.transaction) else { return [] }
      let stretches = outlook.necks.filter { $0.circuit == circuit }.map { (max(now, $0.from), $0.until) }.filter { $0.0 < $0.1 }
      let whole = stretches.reduce(TimeSpan.zero) { $0 + ($1.1 - $1.0) }
      return stretches.map { .init(from: $0.0, until: $0.1, missing: outlook.short.scaled(($0.1 - $0.0).raw, over: whole.raw)) }
    }
    let (action, state) = dialogue.with { ($0.adjustment(shortages, most: hub.circuits[circuit].rating, at: now), $0.state) }
    if let action { post(action, state) }
  }
}

extension LiveHub {
  /// Makes the link to a capacity provider, if the site file has one.
  func openGridOperatorLink() throws(Flaw) {
    guard let settings = plan.site.oscp else { return }
    let (log, clock) = (log, clock)
    do {
      let text = try ProfileFolder.read(resolved(settings.tokenFile))
      let token = String(text.prefix { !$0.isWhitespace })
      guard token.utf8.count >= 16 else {
        throw Flaw.limitServer("oscp: \(settings.tokenFile): a token has at least 16 characters")
      }
      let trust = try ClientTrust(settings.trust.map { .file(resolved($0)) } ?? .system)
      gridOperator = try GridOperatorLink(
        settings, token: token, trust: trust, hub: box, loop: loop, state: state.path,
        voltage: plan.site.hub.nominalVoltage, clock: clock
      ) { what, details in
        var line = LogLine(what, at: clock.utc(), [:])
        line.details = details.sorted { $0.key < $1.key }.map { LogLine.Detail(key: $0.key, value: $0.value) }
        log(line)
      }
    } catch let flaw as Flaw { throw flaw } catch { throw .limitServer("oscp: \(error)") }
  }

  /// Where what a capacity provider had set was lost and the record does not know it either, the site file's fallback holds.
  func replaceLostForecast() {
    guard let circuit = plan.site.oscp?.circuit, let lost = gridOperator?.substitute(circuit, drawnRelaxing()) else { return }
    // What the record knows holds on, and its fallback once the sender is silent.
    let known = driver.controller.seriesView(at: driver.stamp(utc: utc, monotonic: monotonic))
    guard !known.contains(where: { $0.series.id == lost.id }) else { return }
    order([.limit(lost)], by: GridOperatorLink.owner) {}
  }

  /// Hands orders to the mind one after the other; `done` is called once the last is durable. On the hub's loop.
  func order(_ orders: [Order], by: String, _ done: @escaping @Sendable () -> Void) {
    guard !orders.isEmpty else { return done() }
    for (place, order) in orders.enumerated() {
      lastTerminalRequest += 1
      let request = Request(id: "\(by)-\(driver.stamp.sequence)-\(lastTerminalRequest)", by: by, order: order)
      let isLast = place == orders.count - 1
      ask(request) { _ in if isLast { done() } }
    }
  }
}
