import Documents
import Quantities
import Site

/// The flexibility provider's side of OSCP 2.0: requests of a capacity provider in, answers and what has to be done out. Pure; its state is
/// kept by the house before anything is answered.
public struct OSCPDialogue: Hashable, Sendable {
  public struct Settings: Hashable, Sendable {
    public var group: String
    /// Where the capacity provider reaches us.
    public var baseURL: String
    /// Handed over beforehand, for the first registration.
    public var firstToken: String
    /// How often we want to hear of the capacity provider.
    public var interval: TimeSpan
    /// The highest plausible.
    public var voltage: Voltage
    /// What holds in silence until the capacity provider says something else.
    public var fallback: Limit.Amount
    public init(
      group: String, baseURL: String, firstToken: String, interval: TimeSpan, voltage: Voltage, fallback: Limit.Amount
    ) {
      (self.group, self.baseURL, self.firstToken, self.interval) = (group, baseURL, firstToken, interval)
      (self.voltage, self.fallback) = (voltage, fallback)
    }
  }
  /// What is remembered over restarts.
  public struct State: Hashable, Sendable {
    /// By which the other side calls us, and by which we call it.
    public var ours: String?
    public var theirs: String?
    public var baseURL: String?
    /// How often the other side wants to hear of us; nil: no handshake yet, or it does not.
    public var interval: TimeSpan?
    public var isHandshaken = false
    public var consumption: [LimitSeries.Block] = []
    public var fallback: [LimitSeries.Block] = []
    /// What the other side would like.
    public var optimum: [LimitSeries.Block] = []
    /// `X-Request-ID` of the forecast in force.
    public var forecastID: String?
    public init() {}
  }
  public enum Action: Hashable, Sendable {
    /// To the other side, with its token; `correlation` answers one of its messages.
    case post(path: String, json: String, correlation: String?)
    /// A limit to be set anew, with its fallback.
    case limit([LimitSeries.Block], LimitSeries.Silence)
    case withdraw
    /// What the other side would like, to be told to the planner.
    case wish([LimitSeries.Block])
    /// The other side lives.
    case heard
  }
  public struct Answer: Hashable, Sendable {
    public var status: Int
    public var detail: String?
    public init(_ status: Int, _ detail: String? = nil) { (self.status, self.detail) = (status, detail) }
  }

  public let settings: Settings
  public private(set) var state: State
  /// What was last asked for beyond the forecast; forgotten with a restart.
  var asked: Asked?
  public init(_ settings: Settings, state: State = State()) { (self.settings, self.state) = (settings, state) }

  /// - Parameters:
  ///   - path: below our base URL.
  ///   - isPost: otherwise PUT or DELETE, as `method` says.
  ///   - freshToken: random, for the other side to call us by.
  public mutating func receive(
    _ method: String, path: String, authorization: String?, requestID: String?, body: [UInt8], now: Instant, freshToken: String
  ) -> (answer: Answer, actions: [Action]) {
    let token = authorization.flatMap { $0.lowercased().hasPrefix("token ") ? String($0.dropFirst(6)) : nil }
    let isKnown = token.map { given in state.ours.map { Self.areEqual(given, $0) } ?? false } ?? false
    let isFirst = token.map { Self.areEqual($0, settings.firstToken) } ?? false
    guard isKnown || isFirst && path == "register" else { return (Answer(401, "no token that is known here"), []) }
    guard let requestID, !requestID.isEmpty else { return (Answer(400, "no X-Request-ID"), []) }
    guard requestID.utf8.count <= Self.longestText else {
      return (Answer(400, "an X-Request-ID of more than \(Self.longestText) bytes"), [])
    }
    switch (method, path) {
    case ("POST", "register"), ("PUT", "register"): return register(body, freshToken, requestID)
    case ("DELETE", "register"):
      state = State()
      return (Answer(204), [.withdraw])
    case ("POST", "handshake"): return handshake(body, requestID)
    case ("POST", "handshake_acknowledge"), ("POST", "handshake_acknowledgment"): return (Answer(204), [.heard])
    case ("POST", "heartbeat"):
      guard state.isHandshaken else { return (Answer(403, "no handshake yet"), []) }
      return (Answer(204), [.heard])
    case ("POST", "update_group_capacity_forecast"):
      guard state.isHandshaken else { return (Answer(403, "no handshake yet"), []) }
      return forecast(body, requestID, now)
    default: return (Answer(404, "no such path"), [])
    }
  }

  /// What our heartbeat says.
  public func heartbeat(now: Instant) -> Action? {
    guard state.isHandshaken, let interval = state.interval else { return nil }
    return .post(
      path: "heartbeat",
      json: DocumentValue.object(["offline_mode_at": .string(Timestamp.text((now + interval).milliseconds))]).json,
      correlation: nil)
  }

  /// Energy at the group's meter between two readings.
  public func measurement(_ energy: Energy, from: Instant, to: Instant) -> Action? {
    guard state.isHandshaken else { return nil }
    let value: DocumentValue = .object([
      .init("value", .decimal(energy.raw, 3)), .init("phase", "ALL"), .init("unit", "WH"), .init("direction", "NET"),
      .init("energy_type", "TOTAL"), .init("measure_time", .string(Timestamp.text(to.milliseconds))),
      .init("initial_measure_time", .string(Timestamp.text(from.milliseconds))),
    ])
    return .post(
      path: "update_group_measurements",
      json: DocumentValue.object([.init("group_id", .string(settings.group)), .init("measurements", .array([value]))]).json,
      correlation: nil)
  }

  /// The forecast in force cannot be met.
  public func complianceError(_ message: String) -> Action? {
    guard state.isHandshaken, let forecast = state.forecastID else { return nil }
    return .post(
      path: "group_capacity_compliance_error", json: DocumentValue.object(["message": .string(message)]).json, correlation: forecast
    )
  }

  // MARK: Messages

  private mutating func register(_ body: [UInt8], _ freshToken: String, _ requestID: String) -> (Answer, [Action]) {
    let found: (token: String, url: String)
    do throws(DocumentError) {
      let root = try Document(body, dialect: .json, name: "body").root
      let token = try root.string(at: "token")
      let urls = try root.required(at: "version_url", expected: "a list of versions")
      var url: String?
      for element in urls.elements where element["version"]?.string?.hasPrefix("2.0") ?? false { url = element["base_url"]?.string }
      guard let url, url.hasPrefix("http://") || url.hasPrefix("https://") else {
        throw urls.error(expected: "version 2.0 with its base_url among them")
      }
      guard max(token.utf8.count, url.utf8.count) <= Self.longestText else {
        throw urls.error(found: "longer ones", expected: "a token and a base_url of at most \(Self.longestText) bytes")
      }
      found = (token, url)
    } catch { return (Answer(400, error.description), []) }
    // A registration that comes again before its answer arrived is the same one.
    let token = freshToken
    state.ours = token
    (state.theirs, state.baseURL, state.isHandshaken) = (found.token, found.url, false)
    let reply: DocumentValue = .object([
      .init("token", .string(token)),
      .init("version_url", .array([.object([.init("version", "2.0"), .init("base_url", .string(settings.baseURL))])])),
    ])
    return (Answer(204), [.post(path: "register", json: reply.json, correlation: requestID)])
  }

  private mutating func handshake(_ body: [UInt8], _ requestID: String) -> (Answer, [Action]) {
    do throws(DocumentError) {
      let root = try Document(body.isEmpty ? Array("{}".utf8) : body, dialect: .json, name: "body").root
      state.interval = nil
      if let interval = root.optional(at: "required_behaviour")?.optional(at: "heartbeat_interval") {
        guard let seconds = interval.number?.floored(scaledBy: 3), (1000...86_400_000).contains(seconds) else {
          throw interval.error(expected: "seconds from 1 to 86400")
        }
        state.interval = TimeSpan(milliseconds: seconds)
      }
    } catch { return (Answer(400, error.description), []) }
    state.isHandshaken = true
    let behaviour: DocumentValue = .object([
      .init("heartbeat_interval", .decimal(settings.interval.milliseconds, 3)),
      .init("measurement_configuration", .array(["CONTINUOUS"])),
    ])
    var actions: [Action] = [
      .post(
        path: "handshake_acknowledge", json: DocumentValue.object([.init("required_behaviour", behaviour)]).json,
        correlation: requestID), .heard,
    ]
    // Only a handshake ends the silence.
    if !state.consumption.isEmpty { actions.append(limit) }
    return (Answer(204), actions)
  }

  private mutating func forecast(_ body: [UInt8], _ requestID: String, _ now: Instant) -> (Answer, [Action]) {
    let forecast: OSCPForecast
    do throws(DocumentErrors) { forecast = try OSCPForecast(body, voltage: settings.voltage) } catch {
      return (Answer(400, error.description), [])
    }
    guard forecast.group == settings.group else { return (Answer(404, "the group here is \(settings.group)"), []) }
    let list: WritableKeyPath<State, [LimitSeries.Block]>
    switch forecast.kind {
    case .consumption: list = \.consumption
    case .fallbackConsumption: list = \.fallback
    case .optimum: list = \.optimum
    case .generation, .fallbackGeneration: return (Answer(204), [.heard])  // a hub of vehicles feeds nothing in
    }
    if let far = forecast.blocks.last, far.from > now + Self.farthest {
      let (begins, here) = (Timestamp.text(far.from.milliseconds), Timestamp.text(now.milliseconds))
      return (Answer(400, "a block begins at \(begins), more than 8 days after \(here), which it is here"), [])
    }
    let blocks = Self.replaced(state[keyPath: list], by: forecast.blocks)
    let current = Self.withoutOver(blocks, now)
    guard current.count <= max(Self.mostBlocks, state[keyPath: list].count) else {
      return (Answer(400, "with these blocks \(current.count) would be kept; at most \(Self.mostBlocks) are"), [])
    }
    state[keyPath: list] = current
    if forecast.kind == .consumption { state.forecastID = requestID }
    if forecast.kind == .optimum { return (Answer(204), [.heard, .wish(state.optimum)]) }
    return (Answer(204), state.consumption.isEmpty ? [.heard] : [.heard, limit])
  }

  /// So many blocks of a kind are kept: more than the quarter hours of `farthest`.
  static let mostBlocks = 1000
  /// How far ahead a block may begin.
  static let farthest = TimeSpan.days(8)
  /// Of a token, a URL and an `X-Request-ID`, in bytes.
  static let longestText = 4096

  /// What a forecast says takes the place of what was said for that time before; the rest stays.
  private static func replaced(_ old: [LimitSeries.Block], by new: [LimitSeries.Block]) -> [LimitSeries.Block] {
    guard let from = new.first?.from, let until = new.last?.until else { return old }
    var kept: [LimitSeries.Block] = []
    for block in old {
      guard let end = block.until else { continue }
      if block.from < from { kept.append(.init(from: block.from, until: min(end, from), amount: block.amount)) }
      if end > until { kept.append(.init(from: max(block.from, until), until: end, amount: block.amount)) }
    }
    return (kept + new).sorted { $0.from < $1.from }
  }

  /// The last stays when all are over: a forecast that is over bounds nothing, and is not the same as none.
  private static func withoutOver(_ blocks: [LimitSeries.Block], _ now: Instant) -> [LimitSeries.Block] {
    let rest = blocks.filter { $0.until.map { $0 > now } ?? true }
    return rest.isEmpty ? Array(blocks.suffix(1)) : rest
  }

  private var limit: Action {
    // What the site file says holds wherever the fallback forecast says nothing.
    var fallback: [LimitSeries.Block] = []
    var at = Instant(milliseconds: 0)
    for block in state.fallback {
      guard let until = block.until else { continue }
      if at < block.from { fallback.append(.init(from: at, until: block.from, amount: settings.fallback)) }
      fallback.append(block)
      at = until
    }
    fallback.append(.init(from: at, until: nil, amount: settings.fallback))
    return .limit(state.consumption, LimitSeries.Silence(after: settings.interval, fallback: fallback, needsFreshLimit: true))
  }

  private static func areEqual(_ a: String, _ b: String) -> Bool {
    let (a, b) = (Array(a.utf8), Array(b.utf8))
    guard a.count == b.count else { return false }
    var difference: UInt8 = 0
    for i in a.indices { difference |= a[i] ^ b[i] }
    return difference == 0
  }
}
