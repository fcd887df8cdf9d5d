import Control
import Quantities
import Scenarios
import Site

/// One story lived under one strategy, step by step, at analyst fidelity: every load holds for a whole step.
public final class Run {
  public struct Options: Sendable {
    /// Keeps the current of every circuit and every change of an offer.
    public var keepsDetails = false
    /// Gets each line of what happened, as JSON without its end of line.
    public var tell: (@Sendable ([UInt8]) -> Void)?
    public init() {}
  }
  let scenario: Scenario
  let story: Story
  let options: Options
  let hub: Hub
  let span: Int
  public internal(set) var outcome: Outcome
  /// The next step to be lived.
  public internal(set) var step = 0

  let desk: ControllerDesk?
  let policy: PolicyDesk?
  var limits: LimitTrace
  /// Per connector.
  var occupants: [Occupant?]
  var occupied: [Int] = []
  /// What each connector's station said last that it measures, mA; -1: nothing since its vehicle came.
  var lastSaid: [Int]
  /// mA per circuit and phase, gathered upwards: what nobody controls, and all.
  var base: [Int]
  var flows: [Int]
  let ancestors: [[Int]]
  var nextVisit = 0
  private let dayStarts: [Int]
  private var nextDay = 0
  var nextLimit = 0
  var leaving: [(step: Int, connector: Int)] = []
  var lastChange: [(offer: Int, draw: Int)]
  var windows: [Int]
  var quarter = QuarterMeter()
  var silentMeters: Set<Int> = []
  var lostStations: Set<Int> = []
  /// Something has to be decided in this step.
  var isBusy = true

  public init(_ scenario: Scenario, _ story: Story, _ strategy: Strategy, _ options: Options = Options()) {
    (self.scenario, self.story, self.options, hub, span) = (scenario, story, options, scenario.hub, scenario.step.raw)
    outcome = Outcome(strategy: strategy, seed: story.seed)
    policy = strategy.policy.map { PolicyDesk(hub: scenario.hub, policy: $0) }
    desk =
      strategy.isController
      ? ControllerDesk(hub, looksAhead: strategy == .optimal, step: scenario.step) : nil
    limits = LimitTrace(hub, story)
    dayStarts = scenario.dayStarts
    occupants = Array(repeating: nil, count: hub.connectors.count)
    lastSaid = Array(repeating: -1, count: hub.connectors.count)
    lastChange = Array(repeating: (0, 0), count: hub.connectors.count)
    let cells = hub.circuits.count * 3
    (base, flows, windows) = (
      Array(repeating: 0, count: cells), Array(repeating: 0, count: cells), Array(repeating: 0, count: cells)
    )
    ancestors = hub.circuits.indices.map { k in Array(sequence(first: k) { scenario.hub.circuits[$0].parent }) }
    desk?.begin(at: scenario.start - .seconds(10))
  }

  public var isDone: Bool { step >= scenario.steps }

  /// Lives on for so many steps, or to the end.
  public func live(steps: Int) {
    let end = min(scenario.steps, step + steps)
    while step < end { liveStep() }
    outcome.steps = step
    if isDone { finish() }
  }

  /// Ends the run here: what was not lived is not in the outcome.
  public func finish() {
    (outcome.steps, outcome.isComplete) = (step, isDone)
    for c in occupied { close(c, isOpen: true) }
    occupied = []
    quarter.finish(&outcome, hub)
    if let desk { (outcome.profiles, outcome.plans, outcome.thoughts) = (desk.profiles, desk.plans, desk.thoughts) }
  }

  private func liveStep() {
    let now = scenario.instant(step: step)
    var events: [Event] = []
    isBusy = step == 0
    depart(now, &events)
    arrive(now, &events)
    changeWorld(now, &events)
    applyFaults(now, &events)
    followOffers(now)
    decide(events, now)
    drawAndRecord(now)
    step += 1
  }

  // MARK: Coming and going

  private func depart(_ now: Instant, _ events: inout [Event]) {
    guard let first = leaving.first, first.step <= step else { return }
    while let gone = leaving.first, gone.step <= step {
      leaving.removeFirst()
      if let occupant = occupants[gone.connector], let desk {
        events += desk.leaves(gone.connector, register: occupant.energy, at: now)
      }
      note(now, "leave", gone.connector)
      close(gone.connector, isOpen: false)
    }
    isBusy = true
  }

  private func close(_ c: Int, isOpen: Bool) {
    guard let occupant = occupants[c] else { return }
    let asked = story.visits[occupant.visit].energy
    outcome.sessions[occupant.visit] = Outcome.Session(
      asked: asked, delivered: occupant.isFull ? asked : min(asked, occupant.energy), until: step, isOpen: isOpen)
    occupants[c] = nil
    if !isOpen { occupied.removeAll { $0 == c } }
  }

  private func arrive(_ now: Instant, _ events: inout [Event]) {
    while nextVisit < story.visits.count, story.visits[nextVisit].arrives <= step {
      let visit = story.visits[nextVisit]
      let c = visit.connector
      let phases = hub.connectors[c].wiring.map { $0.rotation.onCircuit(visit.conductors) } ?? visit.conductors
      let occupant = Occupant(visit, index: nextVisit, phases: phases, voltage: hub.nominalVoltage)
      (occupants[c], lastSaid[c]) = (occupant, -1)
      outcome.sessions.append(Outcome.Session(asked: visit.energy, delivered: .zero, until: visit.leaves, isOpen: true))
      occupied.insert(c, at: occupied.firstIndex { $0 > c } ?? occupied.count)
      leaving.insert((visit.leaves, c), at: leaving.firstIndex { ($0.step, $0.connector) > (visit.leaves, c) } ?? leaving.count)
      if let desk {
        let needs = visit.tells ? SessionNeed(departure: scenario.instant(step: visit.leaves), energy: visit.energy) : nil
        events += desk.arrives(c, tag: "V\(nextVisit)", needs: needs, at: now)
      }
      note(now, "arrive", c)
      nextVisit += 1
      isBusy = true
    }
  }

  // MARK: The world

  private func changeWorld(_ now: Instant, _ events: inout [Event]) {
    if step == 0 || !story.loads.isSame(step: step, as: step - 1) {
      gatherBase()
      isBusy = true
    }
    if limits.move(to: now) { isBusy = true }
    while nextLimit < story.limits.count, story.limits[nextLimit].told <= now {
      events.append(.limitSet(story.limits[nextLimit].limit))
      note(now, story.limits[nextLimit].limit)
      nextLimit += 1
      isBusy = true
    }
    if nextDay < dayStarts.count, step == dayStarts[nextDay] {
      nextDay += 1
      events.append(.tariff(story.tariff(scenario, from: step)))
      // Limits that are over are forgotten.
      for (limit, told) in story.limits where told <= now {
        if let until = limit.until, until <= now, until > now - .days(1) { events.append(.limitWithdrawn(id: limit.id)) }
      }
    }
    if let desk, !occupied.isEmpty {
      let slot = desk.hub.planning?.slot ?? desk.hub.settings.rotationPeriod
      if now.floored(to: slot) == now || now.floored(to: desk.hub.settings.rotationPeriod) == now {
        events.append(.deadline)
        isBusy = true
      }
    }
  }

  private func gatherBase() {
    let before = base
    base = Array(repeating: 0, count: base.count)
    for k in hub.circuits.indices {
      let own = story.loads.current(step: step, circuit: k)
      for above in ancestors[k] {
        for phase in Phase.allCases { base[above * 3 + phase.rawValue] += own[phase].raw }
      }
    }
    for cell in flows.indices { flows[cell] += base[cell] - before[cell] }
  }

  private func applyFaults(_ now: Instant, _ events: inout [Event]) {
    guard !scenario.faults.isEmpty, let desk else { return }
    silentMeters = []
    // It ends with the first step that begins at its end or after it.
    for fault in scenario.faults where fault.from <= now && now < fault.until + scenario.step {
      let ends = now >= fault.until
      isBusy = true
      switch fault.kind {
      case .meterSilent: if !ends { silentMeters.insert(fault.place) }
      case .stationOffline: setLink(fault.place, isLost: !ends, desk, &events)
      case .linkFlaps: setLink(fault.place, isLost: !ends && !lostStations.contains(fault.place), desk, &events)
      case .stationReboots:
        guard !ends else { continue }
        desk.fallsBack(fault.place)
        events += [.station(fault.place, .disconnected)] + desk.connected(fault.place) + [desk.booted(fault.place)]
      }
      note(now, fault, ends: ends)
    }
    if !lostStations.isEmpty { events.append(.deadline) }
  }

  private func setLink(_ s: Int, isLost: Bool, _ desk: ControllerDesk, _ events: inout [Event]) {
    guard isLost != lostStations.contains(s) else { return }
    if isLost {
      lostStations.insert(s)
      events.append(.station(s, .disconnected))
    } else {
      lostStations.remove(s)
      events += desk.connected(s) + [desk.booted(s)]
    }
  }
}
