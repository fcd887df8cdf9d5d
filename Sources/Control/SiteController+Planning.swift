import Quantities
import Scheduling
import Site

/// What the mind keeps for looking ahead.
struct PlanningState: Sendable, Codable {
  var stays = StayStatistics()
  /// One for each circuit.
  var loads: [LoadStatistics] = []
  /// Of the connection; nil where peaks cost nothing.
  var monthPeak: MonthPeak?
  var tariff: Tariff? { didSet { tariffs += 1 } }
  /// How often it has changed.
  private(set) var tariffs = 0
  var plan: Planned?
  /// The highest current that the plan lets vehicles draw together on each phase.
  var peak: PerPhase<Current>?
  var lastRequest: UInt64 = 0
  /// A request whose answer has not come, and since when.
  var awaited: (id: UInt64, since: Monotonic)? {
    get { awaitedID.flatMap { id in awaitedSince.map { (id, $0) } } }
    set { (awaitedID, awaitedSince) = (newValue?.id, newValue?.since) }
  }
  private var awaitedID: UInt64?
  private var awaitedSince: Monotonic?
  /// Something happened that the plan does not know.
  var isOutdated = false
  var askedAt: Monotonic?
}

extension SiteController {
  /// Plans are asked for no more often than this, and given up after so long.
  private var planInterval: TimeSpan { .seconds(10) }
  private var planPatience: TimeSpan { .seconds(60) }
  /// Which part of the seen loads a plan allows for, and which part of the stays it counts on.
  private var cautiousLoad: Int { 850 }
  private var cautiousStay: Int { 250 }
  private var generousEnergy: Int { 750 }
  /// Of the room in later hours a plan counts on a part only: what it fills to the brim is lacking in the morning if the load is a little
  /// larger than expected, if vehicles take less than they could, or if a station does not answer for a while.
  private var certainFor: TimeSpan { .hours(1) }
  private var dependable: Int { 950 }
  /// No vehicle takes more within a plan, whatever somebody said that it wants.
  private var mostEnergy: Energy { .wattHours(2_000_000) }
  /// Who arrives later than this before the usual time of departure means that of the next day.
  private var leastStay: TimeSpan { .minutes(30) }

  mutating func outdatePlan() { planning.isOutdated = true }

  /// Takes a plan that was asked for; any other is none of ours.
  /// - Returns: whether it is in force now.
  mutating func take(_ planned: Planned) -> Bool {
    guard let awaited = planning.awaited, awaited.id == planned.id else { return false }
    planning.awaited = nil
    planning.plan = planned
    planning.peak = peak(of: planned)
    return true
  }

  /// The highest current that the plan lets the vehicles draw together on each phase.
  private func peak(of planned: Planned) -> PerPhase<Current> {
    let slots = planned.sessions.map(\.currents.count).max() ?? 0
    return (0..<slots).reduce(.zero) { peak, slot in
      var sum = PerPhase<Current>.zero
      for session in planned.sessions where session.currents.indices.contains(slot) {
        sum += PerPhase(session.currents[slot], on: phases(session.connector))
      }
      return peak.maximum(sum)
    }
  }

  /// Asks for a plan when something has happened, and at each new slot.
  mutating func plan(_ weighing: Weighing, _ order: [Int], _ now: EventStamp, _ out: inout [Effect]) {
    guard let policy = hub.planning else { return }
    guard !order.isEmpty else {
      planning.plan = nil
      return
    }
    guard isPlanDue(policy, now) else { return }
    planning.lastRequest += 1
    let request = request(policy, weighing, order, now)
    guard !request.sessions.isEmpty else { return }
    (planning.isOutdated, planning.askedAt) = (false, now.monotonic)
    planning.awaited = (request.id, now.monotonic)
    out.append(.plan(request))
  }

  private func isPlanDue(_ policy: PlanningPolicy, _ now: EventStamp) -> Bool {
    if let awaited = planning.awaited, now.monotonic - awaited.since < planPatience { return false }
    if let asked = planning.askedAt, now.monotonic - asked < planInterval { return false }
    return planning.isOutdated || planning.plan.map { $0.start != now.utc.floored(to: policy.slot) } ?? true
  }

  /// When a plan may be asked for next.
  func planDeadline(_ now: EventStamp) -> [Monotonic?] {
    guard let policy = hub.planning, !facts.claimants.isEmpty else { return [] }
    let next = now.utc.floored(to: policy.slot) + policy.slot
    var moments: [Monotonic?] = [now.monotonic + (next - now.utc)]
    moments.append(planning.awaited.map { $0.since + planPatience })
    if planning.isOutdated || planning.plan == nil { moments.append(planning.askedAt.map { $0 + planInterval }) }
    return moments
  }

  // MARK: The question

  private func request(_ policy: PlanningPolicy, _ weighing: Weighing, _ order: [Int], _ now: EventStamp) -> PlanRequest {
    let start = now.utc.floored(to: policy.slot)
    let slots = max(1, policy.horizon.raw / policy.slot.raw)
    let starts = (0..<slots).map { start + policy.slot * $0 }
    let sessions = order.compactMap { session($0, policy, start, slots, now) }
    let usual = usualLoads(starts, weighing, now)
    return PlanRequest(
      id: planning.lastRequest, asked: now.utc, start: start, slot: policy.slot,
      prices: zip(starts, usual).map { start, load in cost(policy, at: max(start, now.utc), load, sessions) },
      peakBase: policy.peakPrice > 0 ? usual.map(\.sum) : [],
      peakReached: policy.peakPrice > 0 ? planning.monthPeak?.highest : nil, voltage: hub.nominalVoltage, policy: policy,
      circuits: rooms(starts, policy.slot, weighing, order, now), sessions: sessions)
  }

  /// The load at the connection as it is most likely, for what it costs: the median, not what is hardly ever exceeded.
  private func usualLoads(_ starts: [Instant], _ weighing: Weighing, _ now: EventStamp) -> [PerPhase<Current>] {
    guard hub.circuits[0].measurement != nil, !isStale(0, at: now.monotonic) else { return starts.map { _ in .zero } }
    let forecast = forecast(0, permille: 500, present: weighing.bases[0].cuts, unknown: .zero, now)
    let seen = Phases(Phase.allCases.filter { !weighing.bases[0].worst[$0] }.map { Phases($0) })
    return starts.map { forecast.load(at: $0).restricted(to: seen) }
  }

  private func forecast(
    _ k: Int, permille: Int, present: PerPhase<Current>, unknown: PerPhase<Current>, _ now: EventStamp
  ) -> LoadForecast {
    LoadForecast(
      planning.loads.indices.contains(k) ? planning.loads[k] : nil, hub.localTime, permille: permille, present: present,
      unknown: unknown, now: now.utc)
  }

  /// What energy for vehicles costs: as much of it as the connection is expected to feed in otherwise costs what feeding it in would
  /// bring. One price for a slot: the mean for all that the sessions may take then.
  private func cost(_ policy: PlanningPolicy, at instant: Instant, _ load: PerPhase<Current>, _ sessions: [PlanRequest.Session])
    -> EnergyPrice
  {
    let full = price(policy, at: instant)
    guard let feedIn = policy.feedIn, feedIn < full, load.sum < .zero else { return full }
    var most = Current.zero
    for session in sessions where instant < session.departure { most += session.largest * session.phases.count }
    guard most > .zero else { return full }
    return full - (full - feedIn).scaled(min(most, -load.sum).raw, over: most.raw)
  }

  func price(_ policy: PlanningPolicy, at instant: Instant) -> EnergyPrice {
    guard let step = planning.tariff?.step(at: instant) else { return policy.price }
    return step.price + EnergyPrice(raw: (step.carbon ?? 0) * policy.carbonPrice / 1000)
  }

  private func session(_ c: Int, _ policy: PlanningPolicy, _ start: Instant, _ slots: Int, _ now: EventStamp)
    -> PlanRequest.Session?
  {
    guard let transaction = connectors[c].transaction, facts.known[c].rank.standing != idleStanding else { return nil }
    let smallest = minimum(c)
    let largest = max(smallest, likelyMost(c))
    let (energy, energyIsEstimate) = wanted(c, transaction, policy)
    let (departure, stayIsEstimate) = leaves(c, transaction, policy, now)
    // Who said when it leaves may be early, and has all a slot before where there is time.
    let early = stayIsEstimate || departure - start < policy.slot * 8 ? TimeSpan.zero : policy.slot
    let stays = max(policy.slot, departure - early - start)
    // The last of its energy is less than its least current makes in a slot: it ends within that slot.
    let least = smallest.power(at: hub.nominalVoltage, phases: phases(c).count).energy(over: policy.slot)
    return PlanRequest.Session(
      connector: c, transaction: transaction.id, circuit: hub.connectors[c].circuit, phases: phases(c), smallest: smallest,
      largest: largest, step: max(.milliamperes(100), station(of: c).traits.step),
      slots: min(slots, (stays.raw + policy.slot.raw - 1) / policy.slot.raw), departure: max(departure, start + stays),
      energy: min(max(energy, least), mostEnergy),
      taken: self.energy(c),
      worth: 100_000 / max(1, connectors[c].priority ?? hub.connectors[c].priority),
      isEstimate: energyIsEstimate || stayIsEstimate)
  }

  /// The most that the vehicle will take: what it was seen to take where that was less than it had, without the margin of the offer.
  private func likelyMost(_ c: Int) -> Current {
    let most = ceiling(c)
    guard let demand = connectors[c].demand, connectors[c].hold == nil else { return most }
    return min(most, demand - hub.settings.giveBackMargin)
  }

  /// What it still wants: what was said, else what the site file says, else what others took that came at this hour.
  func wanted(_ c: Int, _ transaction: Transaction, _ policy: PlanningPolicy) -> (Energy, isEstimate: Bool) {
    let soFar = energy(c)
    let least = Energy.wattHours(1000)
    if let said = connectors[c].need?.energy { return (max(.wattHours(100), said - soFar), false) }
    if let usual = hub.connectors[c].usualEnergy { return (max(least, usual - soFar), usual <= soFar) }
    let total =
      planning.stays.energy(arrival: hub.localTime.shown(at: transaction.startedAt), soFar: soFar, permille: generousEnergy)
      ?? policy.assumedEnergy
    return (max(least, total - soFar), true)
  }

  /// When it leaves, likewise.
  func leaves(_ c: Int, _ transaction: Transaction, _ policy: PlanningPolicy, _ now: EventStamp) -> (Instant, isEstimate: Bool) {
    if let said = connectors[c].need?.departure, said > now.utc { return (said, false) }
    let arrival = min(transaction.startedAt, now.utc)
    // Who is still there after its time may go at any moment: a plan that counts on more puts its energy off from slot to slot.
    let soonest = now.utc + policy.slot
    let usual =
      hub.connectors[c].usualDeparture.map { hub.localTime.next($0, after: arrival + leastStay) }
      ?? hub.connectors[c].usualStay.map { arrival + $0 }
    if let usual { return (max(usual, soonest), usual < soonest) }
    let shown = hub.localTime.shown(at: arrival)
    let stay = planning.stays.stay(arrival: shown, soFar: now.utc - arrival, permille: cautiousStay) ?? policy.assumedStay
    return (max(arrival + stay, soonest), true)
  }

  /// Somebody said, or the site file says, when it leaves.
  func isDepartureKnown(_ c: Int, _ now: EventStamp) -> Bool {
    if let said = connectors[c].need?.departure, said > now.utc { return true }
    return hub.connectors[c].usualDeparture != nil || hub.connectors[c].usualStay != nil
  }

  /// What vehicles may draw on each circuit in each slot: the lowest limit there, less the margin, the load that is expected not to be
  /// exceeded, and what those draw who are not planned for.
  private func rooms(_ starts: [Instant], _ slot: TimeSpan, _ weighing: Weighing, _ order: [Int], _ now: EventStamp)
    -> [PlanRequest.Circuit]
  {
    var planned = [Bool](repeating: false, count: connectors.count)
    for c in order { planned[c] = true }
    var fixed = hub.circuits.indices.map { weighing.committedSum[$0] + weighing.reserve[$0] }
    for c in order { add(PerPhase<Current>.zero - facts.known[c].committed, at: hub.connectors[c].circuit, to: &fixed) }
    let loads = expectedLoads(starts, weighing, now)
    return hub.circuits.indices.map { k in
      let limits = lowestLimits(k, starts, slot, now)
      let taken = fixed[k] + PerPhase(all: hub.circuits[k].margin)
      var room = PerPhase<[Current]>([], [], [])
      for phase in Phase.allCases {
        room[phase] = starts.indices.map { t in
          let free = max(.zero, limits[t][phase] - taken[phase] - counted(loads[k][t][phase], k, phase))
          return starts[t] - now.utc < certainFor ? free : free.scaled(dependable, over: 1000)
        }
      }
      return PlanRequest.Circuit(parent: hub.circuits[k].parent, room: room)
    }
  }

  /// Per slot: the lowest of all limits that hold at any moment of it, and of what somebody outside would like there.
  private func lowestLimits(_ k: Int, _ starts: [Instant], _ slot: TimeSpan, _ now: EventStamp) -> [PerPhase<Current>] {
    let circuit = hub.circuits[k]
    if circuit.maintenance || circuits[k].isUnderWorks { return starts.map { _ in .zero } }
    var always = circuit.rating.minimum(circuit.manualCap ?? circuit.rating).minimum(circuits[k].orderedCap ?? circuit.rating)
    if let contract = circuit.contract { always = always.minimum(mean(of: contract)) }
    var lowest = starts.map { _ in always }
    func lower(_ amount: Limit.Amount, from begin: Instant, until end: Instant?) {
      let current = current(of: amount, circuit: k)
      for t in starts.indices where begin < starts[t] + slot && end.map({ $0 > starts[t] }) ?? true {
        lowest[t] = lowest[t].minimum(current)
      }
    }
    for limit in limits where limit.circuit == k { lower(limit.amount, from: limit.from - anticipation, until: limit.until) }
    for wish in optima where wish.circuit == k {
      for block in wish.blocks { lower(block.amount, from: block.from, until: block.until) }
    }
    return lowest
  }

  func mean(of contract: ContractLimit) -> PerPhase<Current> {
    switch contract.amount {
    case .current(let mean): mean
    case .power(let mean): PerPhase(all: mean.current(at: highestVoltage, phases: 3))
    }
  }

  /// Per circuit and slot: what its meter is expected to see; where none does, the configured worst and what the circuits below are
  /// expected to draw.
  private func expectedLoads(_ starts: [Instant], _ weighing: Weighing, _ now: EventStamp) -> [[PerPhase<Current>]] {
    var result = hub.circuits.map { circuit in starts.map { _ in circuit.baseWorst } }
    for k in hub.circuits.indices.reversed() {
      if hub.circuits[k].measurement != nil, !isStale(k, at: now.monotonic) {
        let (worst, present) = (weighing.bases[k].worst, weighing.bases[k].rises)
        let forecast = forecast(k, permille: cautiousLoad, present: present, unknown: present, now)
        for t in starts.indices {
          let load = forecast.load(at: starts[t])
          for phase in Phase.allCases where !worst[phase] { result[k][t][phase] = load[phase] }
        }
      }
      guard let parent = hub.circuits[k].parent else { continue }
      for t in starts.indices { result[parent][t] += result[k][t] }
    }
    return result
  }

  // MARK: Learning

  /// Circuits with a meter of which statistics are kept, the nearest to the grid first: all of them stay below 1 MB. Of others the
  /// present load is expected to last.
  private var mostCircuits: Int { 56 }

  /// Keeps what the load was, for the forecasts of later weeks.
  mutating func learnLoads(_ bases: [Base], _ now: EventStamp) {
    guard hub.planning != nil else { return }
    while planning.loads.count < circuits.count { planning.loads.append(LoadStatistics()) }
    var kept = 0
    for k in circuits.indices where hub.circuits[k].measurement != nil && kept < mostCircuits {
      kept += 1
      let isKnown = Phase.allCases.allSatisfy { !bases[k].worst[$0] }
      if isKnown {
        planning.loads[k].notice(bases[k].cuts, until: hub.localTime.shown(at: now.utc))
      } else {
        planning.loads[k].pause()
      }
    }
  }

  /// Keeps what the connection has drawn at most in this month.
  mutating func learnPeak(_ now: EventStamp) {
    guard hub.planning?.peakPrice ?? 0 > 0 else {
      planning.monthPeak = nil
      return
    }
    var peak = planning.monthPeak ?? MonthPeak()
    planning.monthPeak = nil
    let drawn = circuits[0].totalPower?.current(at: hub.nominalVoltage, phases: 1) ?? circuits[0].reading?.sum
    if let drawn, !isStale(0, at: now.monotonic) {
      peak.notice(drawn, until: hub.localTime.shown(at: now.utc))
    } else {
      peak.pause()
    }
    planning.monthPeak = peak
  }

  /// A session has ended: how long it was, and what it took.
  mutating func learnSession(_ c: Int, _ transaction: Transaction, _ now: EventStamp) {
    guard hub.planning != nil, !transaction.late else { return }
    let stay = now.utc - transaction.startedAt
    guard stay > .zero, stay < .days(5) else { return }
    planning.stays.add(arrival: hub.localTime.shown(at: transaction.startedAt), stay: stay, energy: energy(c))
  }
}
