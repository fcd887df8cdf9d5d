import Quantities
import Scheduling
import Site

/// What the plan wishes for one connector now.
struct Wish: Hashable {
  /// Zero, or at least the connector's minimum.
  var target: Current
  /// It got less than the plan gave it so far.
  var isBehind: Bool
  /// More now costs no more than later, or is lacking later: what is left over is welcome.
  var isEager: Bool
  /// When the plan next gives it something, if that is not now.
  var next: Instant?
}

/// What the plan says of each connector in one slot. Like the rest of `Facts` no state: it follows from the plan, the tariff and the time.
struct SlotWishes: Sendable {
  /// When any of this changes, it is worked out anew.
  struct Key: Hashable, Sendable {
    var plan: UInt64
    var slot: Int
    var price: EnergyPrice
    var tariffs: Int
  }
  struct Entry: Sendable {
    var transaction: Int
    var target: Current
    /// When the plan next gives it something, after this slot.
    var next: Instant?
    var isEager: Bool
    /// The plan cannot give it all.
    var lacks: Bool
    var asked: Instant
    var taken: Energy
    /// What the plan gave it between `asked` and this slot.
    var plannedBefore: Energy
  }
  var key: Key
  /// Of the slot.
  var start: Instant
  /// By connector; nil: the plan does not know it.
  var entries: [Entry?]
  init(key: Key, start: Instant, connectors: Int) {
    (self.key, self.start) = (key, start)
    entries = Array(repeating: nil, count: connectors)
  }
}

/// The guard takes the plan as wishes: first what the plan gives, then what is left over to those behind their plan, then to those for
/// whom more now is no loss. A plan that is missing or old changes nothing but that.
extension SiteController {
  /// A plan that was not renewed for so long is no wish any more.
  private var planLife: TimeSpan { .hours(1) }
  /// So long a vehicle charges whatever the plan says: before that nobody knows on how many phases it does, and how much it can take.
  private var acquaintance: TimeSpan { .minutes(3) }
  /// Less than this is no lag.
  private var noticeableLag: Energy { .wattHours(250) }

  /// - Returns: nil: no plan knows it; it shares as if there were none.
  /// - Complexity: O(1).
  func wish(_ c: Int, _ now: EventStamp) -> Wish? {
    guard let wishes = facts.wishes, let kept = wishes.entries[c], let transaction = connectors[c].transaction else { return nil }
    guard kept.transaction == transaction.id, connectors[c].hold == nil else { return nil }
    guard now.utc - transaction.startedAt >= acquaintance else { return nil }
    // Whom the plan gives nothing at all takes its turn with the others (rule 23).
    if kept.target == .zero, kept.next == nil, kept.lacks { return nil }
    return Wish(
      target: self.kept(c, kept.target, now), isBehind: lag(kept, wishes, c, now) > noticeableLag,
      // Whose departure nobody knows may be gone before it is cheaper.
      isEager: kept.isEager || !isDepartureKnown(c, now), next: kept.next)
  }

  /// Who must not be paused keeps the minimum, whatever the plan says.
  private func kept(_ c: Int, _ target: Current, _ now: EventStamp) -> Current {
    let minimum = minimum(c)
    if target >= minimum { return target }
    let isOn = (offer(c, at: now.monotonic) ?? .zero) >= minimum
    return !canPause(c) || isOn && standing(c, now.monotonic) == 0 ? minimum : .zero
  }

  /// What the plan gave it so far, less what it took.
  private func lag(_ kept: SlotWishes.Entry, _ wishes: SlotWishes, _ c: Int, _ now: EventStamp) -> Energy {
    let since = max(wishes.start, kept.asked)
    var planned = kept.plannedBefore
    if since < now.utc { planned += drawn(kept.target, c, over: now.utc - since) }
    return planned - max(.zero, energy(c) - kept.taken)
  }

  private func drawn(_ current: Current, _ c: Int, over span: TimeSpan) -> Energy {
    current.power(at: hub.nominalVoltage, phases: phases(c).count).energy(over: span)
  }

  /// Works out what the plan says of this slot, when the slot, the price or the plan is another than before.
  mutating func refreshWishes(_ now: EventStamp) {
    guard let policy = hub.planning, let plan = planning.plan, isFresh(plan, now), let slot = plan.slot(at: now.utc) else {
      facts.wishes = nil
      return
    }
    let key = SlotWishes.Key(plan: plan.id, slot: slot, price: price(policy, at: now.utc), tariffs: planning.tariffs)
    guard facts.wishes?.key != key else { return }
    // What lies beyond every horizon is not looked at, whenever somebody says to leave.
    let last = slot + PlanningPolicy.longestHorizon.raw / plan.slot.raw
    let ends = plan.sessions.map { min(last, max(slot + 1, ($0.departure - plan.start).raw / plan.slot.raw)) }
    let prices = (0..<max(slot + 2, ends.max() ?? 0)).map { price(policy, at: plan.start + plan.slot * $0) }
    var wishes = SlotWishes(key: key, start: plan.start + plan.slot * slot, connectors: connectors.count)
    for (session, end) in zip(plan.sessions, ends) where connectors.indices.contains(session.connector) {
      let currents = session.currents
      let later = currents.indices.dropFirst(slot + 1).first { currents[$0] > .zero }
      var before = Energy.zero
      for past in 0..<min(slot, currents.count) {
        let begin = max(plan.start + plan.slot * past, session.asked)
        let end = plan.start + plan.slot * (past + 1)
        if begin < end { before += drawn(currents[past], session.connector, over: end - begin) }
      }
      wishes.entries[session.connector] = SlotWishes.Entry(
        transaction: session.transaction, target: currents.indices.contains(slot) ? currents[slot] : .zero,
        next: later.map { plan.start + plan.slot * $0 }, isEager: isEager(session, slot, end, prices, key.price),
        lacks: session.unserved > .zero, asked: session.asked, taken: session.taken, plannedBefore: before)
    }
    facts.wishes = wishes
  }

  /// It was made, or renewed, not too long ago.
  func isFresh(_ plan: Planned, _ now: EventStamp) -> Bool { now.utc - plan.start < planLife + plan.slot }

  private func isEager(_ session: Planned.Session, _ slot: Int, _ end: Int, _ prices: [EnergyPrice], _ present: EnergyPrice) -> Bool
  {
    if session.unserved > .wattHours(100) { return true }
    var noneIsCheaper = true
    for place in slot + 1..<max(slot + 2, end) {
      if session.currents.indices.contains(place), session.currents[place] > .zero, prices[place] >= present { return true }
      if prices[place] < present { noneIsCheaper = false }
    }
    return noneIsCheaper
  }

  // MARK: Sharing

  /// Weighted max-min fair shares in up to four rounds.
  mutating func share(_ circuits: [FairShare.Circuit], _ order: [Int], _ now: EventStamp) -> [FairShare.Share] {
    let wishes = facts.wishes == nil ? [] : order.map { wish($0, now) }
    let hasIdle = order.contains { isIdle($0) }
    guard hasIdle || wishes.contains(where: { $0 != nil }) else {
      var shares: [FairShare.Share] = []
      let claims = order.map { claim($0, from: facts.known[$0].minimum, to: facts.known[$0].ceiling) }
      FairShare.allocate(circuits: circuits, claims: claims, using: &facts.workspace, into: &shares)
      return shares
    }
    let ceilings = order.map { facts.known[$0].ceiling }
    var shares = [FairShare.Share](repeating: FairShare.Share(current: .zero, binding: nil), count: order.count)
    var rooms = circuits
    let awake = order.indices.filter { !isIdle(order[$0]) }
    guard !wishes.isEmpty else {
      give(awake, order, &shares, &rooms) { ceilings[$0] }
      giveIdle(order, &shares, &rooms, now)
      return shares
    }
    give(awake.filter { wishes[$0].map { $0.target > .zero } ?? true }, order, &shares, &rooms) { place in
      wishes[place].map { min($0.target, ceilings[place]) } ?? ceilings[place]
    }
    give(awake.filter { wishes[$0]?.isBehind ?? false }, order, &shares, &rooms) { ceilings[$0] }
    let eager = awake.filter { wishes[$0].map { $0.isEager && !$0.isBehind } ?? false }
    if let peak = planning.peak, hub.planning?.peakPrice ?? 0 > 0 { keepBelow(peak, circuits, &rooms) }
    give(eager, order, &shares, &rooms) { ceilings[$0] }
    giveIdle(order, &shares, &rooms, now)
    return shares
  }

  private func isIdle(_ c: Int) -> Bool { facts.known[c].rank.standing == idleStanding }

  /// The last round: their least for those who draw nothing of it, but for who was paused too briefly.
  private mutating func giveIdle(
    _ order: [Int], _ shares: inout [FairShare.Share], _ rooms: inout [FairShare.Circuit], _ now: EventStamp
  ) {
    let places = order.indices.filter { place in
      isIdle(order[place])
        && connectors[order[place]].pausedSince.map { now.monotonic - $0 >= hub.settings.minimumOnOff } ?? true
    }
    let most = order.map { facts.known[$0].ceiling }
    give(places, order, &shares, &rooms) { most[$0] }
  }

  /// One round: more for some, up to what `most` says, out of what is left.
  private mutating func give(
    _ places: [Int], _ order: [Int], _ shares: inout [FairShare.Share], _ rooms: inout [FairShare.Circuit], most: (Int) -> Current
  ) {
    let wanting = places.filter { most($0) > shares[$0].current }
    guard !wanting.isEmpty else { return }
    let claims = wanting.map { place in
      let has = shares[place].current
      return claim(order[place], from: has > .zero ? .milliamperes(1) : facts.known[order[place]].minimum, to: most(place) - has)
    }
    var found: [FairShare.Share] = []
    FairShare.allocate(circuits: rooms, claims: claims, using: &facts.workspace, into: &found)
    for (index, more) in found.enumerated() {
      let (place, claim) = (wanting[index], claims[index])
      shares[place] = FairShare.Share(current: shares[place].current + more.current, binding: more.binding)
      var above: Int? = claim.circuit
      while let k = above {
        rooms[k].room -= PerPhase(more.current, on: claim.phases)
        above = rooms[k].parent
      }
    }
  }

  private func claim(_ c: Int, from least: Current, to most: Current) -> FairShare.Claim {
    FairShare.Claim(
      circuit: hub.connectors[c].circuit, phases: facts.known[c].phases, floor: least, cap: max(least, most),
      weight: hub.connectors[c].weight)
  }

  /// Where peaks cost, nothing that is left over goes beyond the plan's own peak.
  private func keepBelow(_ peak: PerPhase<Current>, _ circuits: [FairShare.Circuit], _ rooms: inout [FairShare.Circuit]) {
    let used = circuits[0].room - rooms[0].room
    rooms[0].room = rooms[0].room.minimum((peak - used).maximum(.zero))
  }
}
