import ChargingProfiles
import Control
import PlanningMemory
import Quantities
import Scenarios
import Scheduling
import Site

/// What the controller says to its house at analyst fidelity.
struct DeskNews {
  /// Connectors that have another offer.
  var changed: [Int] = []
  var decisions: [Decision] = []
  var alarms: [(Alarm, raised: Bool)] = []
}

/// The controller in virtual time, without driver and journal: stations answer at once and do what they are told, and everything that
/// happens at one moment is weighed together.
final class ControllerDesk {
  let hub: Hub
  private var mind = SiteController()
  private var sequence: UInt64 = 0
  private var lastMonotonic = 0
  private var warm: WarmStart?
  private let arena = Arena()
  private let planner: Planner
  /// What each connector's profiles allow, mA per conductor from each instant on; never empty, in rising order of time.
  private var held: [[(from: Instant, current: Int)]]
  private var transactions: [Int?]
  private var lastRequest: UInt64 = 0
  private var outcomes: [Event] = []
  private(set) var profiles = 0
  private(set) var plans = 0
  private(set) var thoughts = 0

  init(_ hub: Hub, looksAhead: Bool, step: TimeSpan) {
    var told = hub.inSteps(of: step)
    if !looksAhead { told.planning = nil }
    self.hub = told
    planner = Planner(gap: 1e-3, mostIterations: told.planning?.iterations ?? 0, ofValue: true)
    held = hub.connectors.map { Self.fallback($0) }
    transactions = Array(repeating: nil, count: hub.connectors.count)
  }

  private static func fallback(_ connector: Connector) -> [(from: Instant, current: Int)] {
    [(Instant(milliseconds: .min / 2), connector.fallback.raw)]
  }

  /// The hub stands, and all stations are connected and installed.
  func begin(at now: Instant) {
    var news = DeskNews()
    think([.configured(hub, version: "simulation")], now, &news)
    for s in hub.stations.indices where hub.stations[s].state == .installed { outcomes += connected(s) + [booted(s)] }
    settle(now, &news) { _, _ in [] }
  }

  // MARK: What stations say

  func connected(_ s: Int) -> [Event] {
    var events: [Event] = [.station(s, .connected), .station(s, .clock(offset: .zero))]
    for c in hub.stations[s].connectors {
      let status: ConnectorStatus = transactions[c] == nil ? .available : .charging
      events.append(.station(s, .status(connector: hub.connectors[c].number, status, error: nil)))
    }
    return events
  }
  func booted(_ s: Int) -> Event {
    .station(s, .booted(StationIdentity(vendor: "simulated", model: hub.stations[s].traits.model), request()))
  }
  private func request() -> RequestID {
    lastRequest += 1
    return RequestID(lastRequest)
  }

  func arrives(_ c: Int, tag: String, needs: SessionNeed?, at now: Instant) -> [Event] {
    let (s, number) = (hub.connectors[c].station, hub.connectors[c].number)
    let id = request()
    let start = TransactionStart(connector: number, idTag: tag, meterStart: .zero, at: now, messageID: "\(id.value)")
    var events: [Event] = [
      .station(s, .status(connector: number, .preparing, error: nil)), .station(s, .started(start, id)),
      .station(s, .status(connector: number, .charging, error: nil)),
    ]
    if let needs { events.append(.order(.need(connector: c, needs))) }
    held[c] = Self.fallback(hub.connectors[c])
    return events
  }

  func leaves(_ c: Int, register: Energy, at now: Instant) -> [Event] {
    let (s, number) = (hub.connectors[c].station, hub.connectors[c].number)
    let id = request()
    let stop = TransactionStop(
      transaction: transactions[c] ?? -1, idTag: nil, meterStop: register, at: now, messageID: "\(id.value)")
    defer { transactions[c] = nil }
    return [
      sample(c, .zero, register: register, at: now), .station(s, .stopped(stop, id)),
      .station(s, .status(connector: number, .available, error: nil)),
    ]
  }

  /// - Parameter own: in the station's own conductor order.
  func sample(_ c: Int, _ own: PerPhase<Current>, register: Energy, at now: Instant) -> Event {
    .station(
      hub.connectors[c].station,
      .sampled(
        connector: hub.connectors[c].number, transaction: transactions[c],
        ConnectorSample(takenAt: now, current: own, register: register)))
  }

  /// A station that nobody can reach, or that has booted, does by itself what its fallback says.
  func fallsBack(_ s: Int) {
    for c in hub.stations[s].connectors { held[c] = Self.fallback(hub.connectors[c]) }
  }

  /// What a connector's profiles allow at `now`, mA per conductor.
  func allowed(_ c: Int, at now: Instant) -> Int { held[c].last { $0.from <= now }?.current ?? held[c][0].current }

  // MARK: Thinking

  /// Tells the controller what has happened at `now`, and lets it and the stations talk until nothing is new.
  /// - Parameter measure: given which connectors have another offer and the present moment, what samples and meters then say.
  func settle(_ events: [Event], at now: Instant, measure: ([Int], Instant) -> [Event]) -> DeskNews {
    var news = DeskNews()
    think(events, now, &news)
    settle(now, &news, measure)
    return news
  }

  /// Talks that do not end within so many rounds go on at the next step.
  private static let mostRounds = 24

  private func settle(_ now: Instant, _ news: inout DeskNews, _ measure: ([Int], Instant) -> [Event]) {
    var told = 0
    for round in 1...Self.mostRounds where !outcomes.isEmpty {
      let moment = now + .milliseconds(round)
      let events = outcomes
      outcomes.removeAll(keepingCapacity: true)
      let changed = Array(news.changed[told...])
      told = news.changed.count
      think(events + (changed.isEmpty ? [] : measure(changed, moment)), moment, &news)
    }
  }

  private func think(_ events: [Event], _ now: Instant, _ news: inout DeskNews) {
    sequence += 1
    thoughts += 1
    let stamp = EventStamp(utc: now, monotonic: Monotonic(milliseconds: max(lastMonotonic, now.milliseconds)), sequence: sequence)
    lastMonotonic = stamp.monotonic.milliseconds
    for effect in mind.handle(together: events, at: stamp) { carryOut(effect, &news) }
  }

  private func carryOut(_ effect: Effect, _ news: inout DeskNews) {
    switch effect {
    case .command(let id, let s, let command, _):
      outcomes.append(.station(s, .outcome(id, obey(command, s, &news))))
    case .plan(let request):
      plans += 1
      outcomes.append(.planned(request.solve(planner, warm: &warm, arena: arena)))
    case .decided(let decision): news.decisions.append(decision)
    case .alarm(let alarm, let raised): news.alarms.append((alarm, raised))
    case .transaction(.opened(let id, let s, let number, _, _, _, _)):
      if let c = connector(s, number) { transactions[c] = id }
    case .answer, .answered, .transaction, .trip: break
    }
  }

  private func connector(_ s: Int, _ number: Int) -> Int? {
    hub.stations[s].connectors.first { hub.connectors[$0].number == number }
  }

  private func obey(_ command: StationCommand, _ s: Int, _ news: inout DeskNews) -> CommandOutcome {
    switch command {
    case .learn:
      return .learned(
        StationCapabilities(
          acceptsAmperes: true, acceptsWatts: true, highestStackLevel: 8, maximumPeriods: 24, maximumProfiles: 10,
          connectors: hub.stations[s].connectors.count, sampleInterval: 1, samplesCurrent: true))
    case .setProfile(let number, let profile):
      profiles += 1
      guard case .transaction = profile.purpose, let c = connector(s, number) else { return .accepted }
      hold(profile.schedule, c)
      news.changed.append(c)
      return .accepted
    case .readComposite: return .composite(nil)
    case .trigger(.status(let number)):
      if let c = connector(s, number) {
        outcomes.append(.station(s, .status(connector: number, transactions[c] == nil ? .available : .charging, error: nil)))
      }
      return .accepted
    default: return .accepted
    }
  }

  /// Each period of the profile holds until the next, the last for good: what the controller sends ends in the fallback by itself.
  private func hold(_ schedule: Schedule, _ c: Int) {
    let wired = hub.connectors[c].wiring?.conductors.count ?? 3
    let start = schedule.start ?? Instant(milliseconds: .min / 2)
    held[c] = schedule.periods.map { period in
      switch schedule.unit {
      case .amperes: (start + period.start, period.tenths * 100)
      case .watts:
        (
          start + period.start,
          Power(milliwatts: period.tenths * 100).current(at: hub.nominalVoltage, phases: period.phases ?? wired).raw
        )
      }
    }
  }
}
