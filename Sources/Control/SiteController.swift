import ChargingProfiles
import Quantities
import Site

/// The mind: one event in, effects and the next deadline out. It reads no clock, opens no socket, throws no dice: the live house and
/// the simulator run this same type, and its whole state is a value that can be kept and brought back.
public struct SiteController: Sendable, Codable {
  public internal(set) var hub: Hub { didSet { facts.site = nil } }
  /// When it wants to be woken with `.deadline`, if nothing comes before.
  public internal(set) var nextDeadline: Monotonic?

  var circuits: [CircuitState] = []
  var stations = Tracked<StationState>([])
  var connectors = Tracked<ConnectorState>([])
  /// Connectors that the site file no longer has and that may still be following an offer (rule 19).
  var leavers: [Leaver] = []
  /// All that bounds circuits from outside the site file, worked out from the three below.
  var limits: [Limit] = []
  /// Limits that are announced by the house, and hold until withdrawn.
  var standing: [Limit] = []
  var series: [SeriesState] = []
  /// What still holds of limits that have given way.
  var tails: [Limit] = []
  /// What somebody outside would like: wishes to the plan, no bounds.
  var optima: [LimitSeries] = []
  var alarms = AlarmList()
  var storeFailed = false
  var lastCommand: UInt64 = 0
  var lastTransaction = 0
  /// The newest transactions that ended, to recognise a message that is sent again (rule 24). At most `rememberedStops`.
  var ended: [EndedTransaction] = []
  var startedBefore: [AnsweredStart] = []
  /// When the rotation last passed a turn.
  var turn: Instant?
  /// When the event before was.
  var lastEventAt = Monotonic(milliseconds: 0)
  var planning = PlanningState()
  var facts = Facts()

  /// A controller that knows nothing yet; its first event must be `.configured`.
  public init() { hub = Hub(id: "", circuits: []) }

  /// - Parameter now: later than that of every event before.
  /// - Returns: what is to be done, in order.
  public mutating func handle(_ event: Event, at now: EventStamp) -> [Effect] {
    var out: [Effect] = []
    if take(event, at: now, &out), !gathers(event, at: now) { settle(now, &out) }
    lastEventAt = now.monotonic
    return out
  }

  /// Several events of one moment, taken in order and weighed once: for houses in which much happens at the same instant. The rules are
  /// those of `handle`; only what would have been decided between two of them is not.
  public mutating func handle(together events: [Event], at now: EventStamp) -> [Effect] {
    var out: [Effect] = []
    var isNew = false
    for event in events where take(event, at: now, &out) { isNew = true }
    if isNew { settle(now, &out) }
    lastEventAt = now.monotonic
    return out
  }

  private mutating func settle(_ now: EventStamp, _ out: inout [Effect]) {
    advanceStations(now, &out)
    watchSenders(now, &out)
    reconsider(now, &out)
  }

  /// - Returns: whether anything needs to be reconsidered.
  private mutating func take(_ event: Event, at now: EventStamp, _ out: inout [Effect]) -> Bool {
    switch event {
    case .reading(let reading):
      return take(reading, at: now, &out)
    case .deadline: break
    case .station(let station, let said):
      return stations.indices.contains(station) && take(said, from: station, at: now, &out)
    case .meterFault(let meter, _):
      return hub.meters.indices.contains(meter)
    case .configured(let hub, _): configure(hub, at: now)
    case .restarted:
      // Decreases leave before they are durable: their numbers may have been used without being remembered.
      lastCommand += 1 << 20
      endTests()
      forgetLinks(now.monotonic, &out)
    case .limitSet(let limit):
      guard circuits.indices.contains(limit.circuit) else { return false }
      standing.removeAll { $0.id == limit.id }
      standing.append(limit)
      renewCourses()
      workOutLimits(now)
    case .limitWithdrawn(let id):
      standing.removeAll { $0.id == id }
      workOutLimits(now)
    case .clockStepped(let step):
      moveClock(by: step, at: now)
      moveSenders(by: step, at: now)
    case .cancelled(let commands):
      commands.forEach { forget($0) }
      passOver(commands, &out)
    case .storeFailed:
      storeFailed = true
      set(.storeFailed, raised: true, &out)
    case .storeRecovered:
      storeFailed = false
      set(.storeFailed, raised: false, &out)
    case .trust(let station, let trust):
      guard stations.indices.contains(station) else { return false }
      stations[station].trust = trust
      stations[station].proof = Proof(trust: trust, device: stations[station].identity)
    case .order(let order): obey(order, at: now, &out)
    case .asked(let request): answer(request, at: now, &out)
    case .tariff(let tariff):
      planning.tariff = tariff
      outdatePlan()
    case .planned(let planned): return take(planned)
    case .tripped(let circuit, let fault): hear(trip: circuit, fault: fault, now)
    }
    return true
  }

  mutating func newCommand() -> CommandID {
    lastCommand += 1
    return CommandID(lastCommand)
  }

  mutating func obey(_ order: Order, at now: EventStamp, _ out: inout [Effect]) {
    switch order {
    case .station(let station, let command):
      guard stations.indices.contains(station), stations[station].connected else { return }
      out.append(.command(newCommand(), station: station, command, .routine))
    case .manualCap(let circuit, let cap):
      if circuits.indices.contains(circuit) { circuits[circuit].orderedCap = cap }
      renewCourses()
      outdatePlan()
    case .maintenance(let circuit, let on):
      if circuits.indices.contains(circuit) { circuits[circuit].isUnderWorks = on }
      renewCourses()
      outdatePlan()
    case .priority(let connector, let priority):
      if connectors.indices.contains(connector) { connectors[connector].priority = priority }
    case .hold(let connector, let current):
      if connectors.indices.contains(connector) { (connectors[connector].hold, connectors[connector].briefly) = (current, nil) }
    case .doubt(let station, let on):
      if stations.indices.contains(station) { stations[station].isDoubted = on }
    case .holdBriefly(let connector, let current, let ends):
      if connectors.indices.contains(connector) { (connectors[connector].hold, connectors[connector].briefly) = (current, ends) }
    case .need(let connector, let need):
      if connectors.indices.contains(connector) { connectors[connector].need = need }
      outdatePlan()
    case .limit, .withdrawLimit, .heartbeat: obeyLimits(order, at: now)
    case .optimum(let wish): heed(wish)
    }
  }

  /// Whoever held connectors for a test is gone.
  private mutating func endTests() {
    for c in connectors.indices { (connectors[c].hold, connectors[c].briefly) = (nil, nil) }
    for s in stations.indices { stations[s].isDoubted = false }
  }

  /// Takes a new site over; what keeps its id keeps what is known of it (rule 19).
  private mutating func configure(_ new: Hub, at now: EventStamp) {
    let old = (hub: hub, circuits: circuits, stations: stations, connectors: connectors)
    let leaving = leaverLevels(at: now.monotonic)
    hub = new
    circuits = new.circuits.map { circuit in
      guard let place = old.hub.circuits.firstIndex(where: { $0.id == circuit.id }) else { return CircuitState() }
      var state = old.circuits[place]
      // What another meter, or the same one wired otherwise, has said says nothing of this one.
      if circuit.measurement.map({ new.meters[$0.meter] }) != old.hub.circuits[place].measurement.map({ old.hub.meters[$0.meter] })
        || circuit.measurement != old.hub.circuits[place].measurement
      {
        (state.reading, state.readAt, state.registersSince, state.baseForCuts) = (nil, nil, nil, nil)
        state.register = nil
        state.contract?.forgetRegister()
        (state.contradictedSince, state.pendingStep, state.missesSteps) = (
          PerPhase(all: nil), PerPhase(all: nil), PerPhase(all: false)
        )
      }
      return state
    }
    planning.loads = new.circuits.map { circuit in
      guard circuit.measurement != nil, let place = old.hub.circuits.firstIndex(where: { $0.id == circuit.id }),
        planning.loads.indices.contains(place)
      else { return LoadStatistics() }
      return planning.loads[place]
    }
    (planning.plan, planning.awaited, planning.isOutdated) = (nil, nil, true)
    moveBounds(from: old.hub, old.circuits)
    workOutLimits(now)
    let places = Dictionary(old.hub.stations.enumerated().map { ($0.element.id, $0.offset) }) { first, _ in first }
    stations = Tracked(
      new.stations.map { station in
        guard let place = places[station.id] else {
          return StationState(trust: station.trust)
        }
        var state = old.stations[place]
        if old.hub.stations[place].trust != station.trust { restate(station.trust, of: &state) }
        return state
      })
    var moved: [ConnectorState] = []
    for connector in new.connectors {
      let before = places[new.stations[connector.station].id].flatMap { place in
        old.hub.stations[place].connectors.first { old.hub.connectors[$0].number == connector.number }
      }
      guard let before else {
        moved.append(ConnectorState())
        continue
      }
      var state = old.connectors[before]
      if old.hub.connectors[before].fallback != connector.fallback {
        // The station holds the fallback it last confirmed until the new one is installed: the larger counts (rule 19).
        state.confirmedFallback = max(state.confirmedFallback ?? .zero, old.hub.connectors[before].fallback)
        reinstall(connector.station, at: now)
      }
      moved.append(state)
    }
    connectors = Tracked(moved)
    moveAlarms(from: old.hub)
    keepLeavers(of: old.hub, lastingOffers: leaving, now)
  }

  /// What was set or ordered for a circuit that the new site does not have, or names otherwise, binds the nearest one above it: whoever set
  /// it, or has his hands in there, knows nothing of the file.
  private mutating func moveBounds(from old: Hub, _ states: [CircuitState]) {
    guard !hub.circuits.isEmpty else {
      (standing, tails, series, optima) = ([], [], [], [])
      return
    }
    let places = old.circuits.indices.map { place(of: $0, in: old) }
    for l in standing.indices { standing[l].circuit = places[standing[l].circuit] }
    for l in tails.indices { tails[l].circuit = places[tails[l].circuit] }
    for s in series.indices { series[s].series.circuit = places[series[s].series.circuit] }
    for o in optima.indices { optima[o].circuit = places[optima[o].circuit] }
    for (k, state) in states.enumerated() where hub.circuits[places[k]].id != old.circuits[k].id {
      if state.isUnderWorks { circuits[places[k]].isUnderWorks = true }
      if let cap = state.orderedCap { circuits[places[k]].orderedCap = circuits[places[k]].orderedCap?.minimum(cap) ?? cap }
    }
  }

  /// A site file says something else than before of a fallback: less is believed at once, and takes back what was proven; more does not
  /// outdo what a commissioning run found of the same device.
  private func restate(_ trust: FallbackTrust, of state: inout StationState) {
    if trust < state.trust {
      (state.trust, state.proof) = (trust, nil)
    } else if !(state.proof?.covers(state.identity) ?? false) {
      state.trust = trust
    }
  }

  private mutating func reinstall(_ station: Int, at now: EventStamp) {
    if stations[station].connected { stations[station].stage = .awaitingBoot(until: now.monotonic) }
  }
}
