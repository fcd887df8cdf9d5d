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

/// The guard takes the plan as wishes: first what the plan gives, then what is left over to those behind their plan, then to those for
/// whom more now is no loss. A plan that is missing or old changes nothing but that.
extension SiteController {
  /// A plan that was not renewed for so long is no wish any more.
  private var planLife: TimeSpan { .hours(1) }
  /// Less than this is no lag.
  private var noticeableLag: Energy { .wattHours(250) }

  /// - Returns: nil: no plan knows it; it shares as if there were none.
  func wish(_ c: Int, _ now: EventStamp) -> Wish? {
    guard let policy = hub.planning, let plan = planning.plan, let transaction = connectors[c].transaction else { return nil }
    guard connectors[c].hold == nil, now.utc - plan.start < planLife + plan.slot, let slot = plan.slot(at: now.utc) else {
      return nil
    }
    guard let session = plan.session(c, transaction.id) else { return nil }
    let target = session.currents.indices.contains(slot) ? session.currents[slot] : .zero
    let later = session.currents.indices.dropFirst(slot + 1).first { session.currents[$0] > .zero }
    // Whom the plan gives nothing at all takes its turn with the others (rule 23).
    if target == .zero, later == nil, session.unserved > .zero { return nil }
    return Wish(
      target: kept(c, target, now), isBehind: lag(session, plan, c, now) > noticeableLag,
      isEager: isEager(session, plan, slot, policy, now), next: later.map { plan.start + plan.slot * $0 })
  }

  /// Who must not be paused keeps the minimum, whatever the plan says.
  private func kept(_ c: Int, _ target: Current, _ now: EventStamp) -> Current {
    let minimum = minimum(c)
    if target >= minimum { return target }
    let isOn = (offer(c, at: now.monotonic) ?? .zero) >= minimum
    return !canPause(c) || isOn && standing(c, now.monotonic) == 0 ? minimum : .zero
  }

  /// What the plan gave it so far, less what it took.
  private func lag(_ session: Planned.Session, _ plan: Planned, _ c: Int, _ now: EventStamp) -> Energy {
    var planned = Energy.zero
    for (slot, current) in session.currents.enumerated() {
      let begin = max(plan.start + plan.slot * slot, session.asked)
      let end = min(plan.start + plan.slot * (slot + 1), now.utc)
      guard begin < end else { continue }
      planned += current.power(at: hub.nominalVoltage, phases: phases(c).count).energy(over: end - begin)
    }
    return planned - max(.zero, energy(c) - session.taken)
  }

  private func isEager(_ session: Planned.Session, _ plan: Planned, _ slot: Int, _ policy: PlanningPolicy, _ now: EventStamp)
    -> Bool
  {
    if session.unserved > .wattHours(100) { return true }
    let present = price(policy, at: now.utc)
    var noneIsCheaper = true
    let end = max(slot + 1, (session.departure - plan.start).raw / plan.slot.raw)
    for place in slot + 1..<max(slot + 2, end) {
      let price = price(policy, at: plan.start + plan.slot * place)
      if session.currents.indices.contains(place), session.currents[place] > .zero, price >= present { return true }
      if price < present { noneIsCheaper = false }
    }
    return noneIsCheaper
  }

  // MARK: Sharing

  /// Weighted max-min fair shares in up to three rounds.
  func share(_ circuits: [FairShare.Circuit], _ order: [Int], _ now: EventStamp) -> [FairShare.Share] {
    let wishes = hub.planning == nil || planning.plan == nil ? [] : order.map { wish($0, now) }
    guard wishes.contains(where: { $0 != nil }) else {
      return FairShare.allocate(
        circuits: circuits, claims: order.map { claim($0, from: facts.known[$0].minimum, to: facts.known[$0].ceiling) })
    }
    var shares = [FairShare.Share](repeating: FairShare.Share(current: .zero, binding: nil), count: order.count)
    var rooms = circuits
    give(order.indices.filter { wishes[$0].map { $0.target > .zero } ?? true }, order, &shares, &rooms) { place in
      let most = ceiling(order[place])
      return wishes[place].map { min($0.target, most) } ?? most
    }
    give(order.indices.filter { wishes[$0]?.isBehind ?? false }, order, &shares, &rooms) { ceiling(order[$0]) }
    let eager = order.indices.filter { wishes[$0].map { $0.isEager && !$0.isBehind } ?? false }
    if let peak = planning.peak, hub.planning?.peakPrice ?? 0 > 0 { keepBelow(peak, circuits, &rooms) }
    give(eager, order, &shares, &rooms) { ceiling(order[$0]) }
    return shares
  }

  /// One round: more for some, up to what `most` says, out of what is left.
  private func give(
    _ places: [Int], _ order: [Int], _ shares: inout [FairShare.Share], _ rooms: inout [FairShare.Circuit], most: (Int) -> Current
  ) {
    let wanting = places.filter { most($0) > shares[$0].current }
    guard !wanting.isEmpty else { return }
    let claims = wanting.map { place in
      let has = shares[place].current
      return claim(order[place], from: has > .zero ? .milliamperes(1) : minimum(order[place]), to: most(place) - has)
    }
    for (claim, more) in zip(zip(wanting, claims), FairShare.allocate(circuits: rooms, claims: claims)) {
      let (place, claim) = claim
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
