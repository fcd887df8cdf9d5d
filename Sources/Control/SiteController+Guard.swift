import Quantities
import Scheduling
import Site

/// Everything the guard weighs in one pass.
struct Weighing {
  var bounds: [Bound]
  var bases: [Base]
  /// Per circuit: the sums over all connectors below of rule 5 now, and of rule 15 through the horizon.
  var committedSum: [PerPhase<Current>]
  var unheardSum: [PerPhase<Current>]
  /// Per circuit: kept free for arrivals.
  var reserve: [PerPhase<Current>]
  var over: [Phases]
}

extension SiteController {
  /// The guard: over all connectors at once, decreases first, increases only into confirmed room.
  mutating func reconsider(_ now: EventStamp, _ out: inout [Effect]) {
    guard !hub.circuits.isEmpty else { return }
    passTurn(now)
    forgetLeavers(now.monotonic)
    refreshFacts(now.monotonic)
    let weighing = weigh(now, &out)
    tripWhatNothingLowers(now, &out)
    learnLoads(weighing.bases, now)
    learnPeak(now)
    refreshWishes(now)
    let order = facts.ordered(at: now.monotonic)
    var targets = shares(order, weighing, now)
    for place in order.indices { targets[place].current = whole(targets[place].current, order[place]) }
    var rises: [Int] = []
    for (place, c) in order.enumerated() {
      let target = targets[place].current
      let present = facts.known[c].present
      if target < present {
        lower(c, to: target, from: present, targets[place], weighing, now, &out)
      } else {
        rises.append(place)
      }
    }
    raise(rises, order, targets, weighing, now, &out)
    speakForTheRest(weighing, now, &out)
    retry(weighing, now, &out)
    plan(weighing, order, now, &out)
    refreshFacts(now.monotonic)
    nextDeadline = deadline(weighing, now)
  }

  /// What a connector with a vehicle has before the first offer, or when the last has ended: its fallback, in force at the station by
  /// itself, or what the plan's hours let it draw then.
  func fallbackOffer(_ c: Int) -> Current { max(fallback(c), connectors[c].beliefs.last?.after ?? .zero) }

  // MARK: Weighing

  private mutating func weigh(_ now: EventStamp, _ out: inout [Effect]) -> Weighing {
    let bases = updateBases(now, &out)
    let bounds = bounds(bases, now)
    var weighing = Weighing(
      bounds: bounds, bases: bases, committedSum: sums(facts.sums.committed), unheardSum: sums(facts.sums.unheard),
      reserve: reserves(), over: Array(repeating: [], count: hub.circuits.count))
    for k in hub.circuits.indices {
      let fresh = !isStale(k, at: now.monotonic)
      watchRating(k, committed: weighing.committedSum[k], isFresh: fresh, now)
      for phase in Phase.allCases {
        let bound = bounds[k].current[phase]
        let base = counted(bases[k].cuts[phase], k, phase)
        let measured = fresh ? circuits[k].reading?[phase] ?? .zero : .zero
        let isOver = weighing.committedSum[k][phase] + base > bound || measured > bound
        if isOver { weighing.over[k].formUnion(Phases(phase)) }
        if measured > bound {
          if circuits[k].overSince[phase] == nil { circuits[k].overSince[phase] = now.monotonic }
        } else {
          circuits[k].overSince[phase] = nil
        }
        set(.overLimit(circuit: k, phase: phase), raised: lastingExcess(k, phase, bound, now) > .zero, &out)
        set(.baseAboveLimit(circuit: k, phase: phase), raised: base > bound, &out)
      }
    }
    return weighing
  }

  /// Rule 3: generation gives no room beyond its firm share.
  func counted(_ base: Current, _ k: Int, _ phase: Phase) -> Current {
    max(base, -hub.circuits[k].firmGeneration[phase])
  }

  /// Sums over the connectors below each circuit, and what the stations there draw themselves, or still may that have left the hub.
  /// - Parameter own: the sums over those that stand at each circuit itself.
  func sums(_ own: [PerPhase<Current>]) -> [PerPhase<Current>] {
    var sums = own
    for load in siteFacts.idleLoads { sums[load.circuit] += load.current }
    for leaver in leavers { sums[leaver.circuit] += leaver.current }
    gatherUpwards(&sums)
    return sums
  }

  func gatherUpwards(_ sums: inout [PerPhase<Current>]) {
    for k in sums.indices.reversed() {
      if let parent = hub.circuits[k].parent { sums[parent] += sums[k] }
    }
  }

  /// Rule 7: room for one vehicle that arrives and draws its fallback before anybody speaks.
  func reserves() -> [PerPhase<Current>] {
    hub.circuits.indices.map { k in
      let arrival = facts.arrivals[k]
      return hub.circuits[k].arrivalReserve.map { PerPhase(max(.zero, $0), on: arrival.phases) } ?? arrival.current
    }
  }

  /// Rule 21: a measured excess that has lasted.
  private func lastingExcess(_ k: Int, _ phase: Phase, _ bound: Current, _ now: EventStamp) -> Current {
    guard let since = circuits[k].overSince[phase], now.monotonic - since >= hub.settings.excessPatience else { return .zero }
    guard let reading = circuits[k].reading else { return .zero }
    return max(.zero, reading[phase] - bound)
  }

  // MARK: Sharing

  /// Whether the guard sets this connector's current.
  func isClaimant(_ c: Int) -> Bool {
    guard let transaction = connectors[c].transaction, !transaction.late, transaction.authorisation == .accepted else {
      return false
    }
    return gap(hub.connectors[c].station) == nil && !connectors[c].uncontrollable && mayBeOffered(c)
  }

  /// Rule 17: a station without a usable dead-man keeps what it is given, so it gets its fallback at most; where that is nothing, nothing.
  private func mayBeOffered(_ c: Int) -> Bool {
    !isAdrift(c) && (obeysEnds(c) || hub.connectors[c].fallback >= minimum(c))
  }

  /// First those that cannot pause, then by priority, longest wait, least energy (rule 23).
  /// -1: cannot be paused; 0: must not be paused now, but for safety; 1: in its place; `idleStanding`: draws nothing of what it has, or drew nothing of it and is not asked
  /// again yet; 3: paused so briefly that it has to wait.
  func standing(_ c: Int, _ now: Monotonic) -> Int {
    let isOn = (offer(c, at: now) ?? .zero) >= minimum(c)
    if isOn, !canPause(c) { return -1 }
    if connectors[c].hold != nil { return 0 }
    if isOn {
      if connectors[c].cycles >= hub.settings.cyclesPerSession { return 0 }
      if let since = connectors[c].servedSince, now - since < hub.settings.minimumOnOff { return 0 }
      return drawsNothing(c) ? idleStanding : 1
    }
    if let until = idleUntil(c), now < until { return idleStanding }
    if let since = connectors[c].pausedSince, now - since < hub.settings.minimumOnOff { return 3 }
    return 1
  }
  /// The standing of those who get the least only where nobody else wants it: for them it would lie idle.
  var idleStanding: Int { 2 }

  /// When a vehicle that was paused because it drew nothing is asked again: later when it was asked in vain, but well before rule 23 is
  /// broken.
  func idleUntil(_ c: Int) -> Monotonic? {
    guard connectors[c].pausedIdle, let since = connectors[c].pausedSince else { return nil }
    return since + hub.settings.idlePause * min(max(1, connectors[c].idlePauses), 2)
  }

  /// It has been offered its least for a while, and drew nothing of it since: a sample from before says nothing.
  func drawsNothing(_ c: Int) -> Bool {
    guard connectors[c].demand == minimum(c), let newest = connectors[c].newest, newest.current.largest == .zero else {
      return false
    }
    return connectors[c].servedSince.map { newest.at - $0 >= hub.settings.giveBackAfter } ?? false
  }

  /// Rule 23: only models with proven pause and resume rotate.
  func canPause(_ c: Int) -> Bool {
    let traits = station(of: c).traits
    return traits.rotates && traits.zero == .pauses
  }

  func energy(_ c: Int) -> Energy {
    guard let transaction = connectors[c].transaction, let register = connectors[c].register else { return .zero }
    return max(.zero, register - transaction.meterStart)
  }

  /// At a turn of the rotation those that have been served go behind those that wait.
  private mutating func passTurn(_ now: EventStamp) {
    let shift = hub.circuits.contains { $0.contract != nil } ? TimeSpan.seconds(60) : .zero
    let turn = (now.utc - shift).floored(to: hub.settings.rotationPeriod)
    guard turn != self.turn else { return }
    self.turn = turn
    for c in connectors.indices
    where connectors[c].servedSince.map({ now.monotonic - $0 >= hub.settings.minimumOnOff }) ?? false {
      connectors[c].queuedAt = now.monotonic
    }
  }

  func nextTurn(_ now: EventStamp) -> Instant {
    (turn ?? now.utc.floored(to: hub.settings.rotationPeriod)) + hub.settings.rotationPeriod
  }

  /// The weighted max-min fair shares of what is left for the claimants.
  private mutating func shares(_ order: [Int], _ weighing: Weighing, _ now: EventStamp) -> [FairShare.Share] {
    var own = facts.sums.rest
    for c in order { own[hub.connectors[c].circuit] += facts.known[c].overdraw }
    let fixed = sums(own)
    let starved = starvedCircuits(order, now.monotonic)
    let confirmed = starved.isEmpty ? [] : confirmedRooms(order, weighing)
    let rooms = hub.circuits.indices.map { k in
      var room = weighing.bounds[k].current - PerPhase(all: hub.circuits[k].margin) - fixed[k] - weighing.reserve[k]
      for phase in Phase.allCases {
        room[phase] = room[phase] - counted(weighing.bases[k].cuts[phase], k, phase)
        room[phase] = room[phase] - lastingExcess(k, phase, weighing.bounds[k].current[phase], now)
        // A cut goes a little further than it must, so that a trembling load does not cut again and again.
        if weighing.over[k].contains(phase) { room[phase] = room[phase] - hub.settings.deadBand }
      }
      if starved.contains(k) { room = room.minimum(confirmed[k]) }
      return FairShare.Circuit(parent: hub.circuits[k].parent, room: room)
    }
    return share(rooms, order, now)
  }

  /// The circuits above those whose share is never confirmed: it is worked out from the newest load and from what the others are to have,
  /// a rise from the largest load and from what they may come to draw. For a while that passes; what lasts for a turn of the rotation
  /// does not.
  private func starvedCircuits(_ order: [Int], _ now: Monotonic) -> Set<Int> {
    guard facts.waiting > 0 else { return [] }
    var found: Set<Int> = []
    for c in order {
      guard case .awaitingRoom = connectors[c].reason, let since = connectors[c].waitingSince else { continue }
      guard facts.known[c].rank.standing != idleStanding else { continue }
      guard now - since >= hub.settings.rotationPeriod else { continue }
      found.formUnion(hub.path(from: hub.connectors[c].circuit))
    }
    return found
  }

  /// What the claimants have together by the measure of rises.
  private func confirmedRooms(_ order: [Int], _ weighing: Weighing) -> [PerPhase<Current>] {
    var own = facts.sums.unheard
    for c in order {
      let known = facts.known[c]
      let remains = known.unheard.minimum(known.settled) - PerPhase(known.present, on: known.phases)
      own[hub.connectors[c].circuit] += remains.maximum(.zero) - known.unheard
    }
    let taken = sums(own)
    return hub.circuits.indices.map { k in
      var room = weighing.bounds[k].current - PerPhase(all: hub.circuits[k].margin) - taken[k] - weighing.reserve[k]
      for phase in Phase.allCases { room[phase] = room[phase] - counted(weighing.bases[k].rises[phase], k, phase) }
      return room
    }
  }

  /// What a claimant measurably draws beyond its offer, after it has had time to follow.
  func overdraw(_ c: Int, _ now: Monotonic) -> PerPhase<Current> {
    guard let newest = connectors[c].newest, isFresh(newest.at, c, now), let last = connectors[c].beliefs.last else {
      return .zero
    }
    let since = connectors[c].lastSent ?? now
    guard now - since > afterglow(c) else { return .zero }
    let excess = newest.current - PerPhase(last.current + hub.settings.followTolerance, on: phases(c))
    return excess.maximum(.zero)
  }

  /// The most a claimant may be given: its hardware, its vehicle's wish, what its station can be trusted with.
  func ceiling(_ c: Int) -> Current {
    var most = min(hardwareMaximum(c), connectors[c].hold ?? connectors[c].demand ?? hardwareMaximum(c))
    // Rule 17: without a usable dead-man it never gets more than its fallback.
    if !obeysEnds(c) { most = min(most, hub.connectors[c].fallback) }
    return most.floored(to: station(of: c).traits.step)
  }

  // MARK: Acting

  /// Rule 20: for safety at once, for sharing with a dead band and at intervals.
  private mutating func lower(
    _ c: Int, to target: Current, from present: Current, _ share: FairShare.Share, _ weighing: Weighing, _ now: EventStamp,
    _ out: inout [Effect]
  ) {
    let forSafety = isOver(c, weighing)
    let reason = reason(share, c, target, now)
    if !forSafety {
      let settled = connectors[c].lastShareDecrease.map { now.monotonic - $0 >= hub.settings.sharingInterval } ?? true
      let worthwhile = settled && (present - target >= hub.settings.deadBand || target == .zero)
      let isTooLong = mustShorten(c, weighing, now)
      let ends = needsRefresh(c, weighing, now) && (!storeFailed || isTooLong) && !isWaitingForAnswer(c, now)
      guard worthwhile || ends else {
        decide(c, present, nil, connectors[c].reason, &out)
        return
      }
      if ends, target > .zero {
        // It has to be sent anew anyway: what is right now, for as long as an offer lasts.
        connectors[c].lastShareDecrease = now.monotonic
        send(target, c, target > fallback(c) && !isTooLong ? .increase : .decrease, weighing, reason, now, &out)
        return
      }
      connectors[c].lastShareDecrease = now.monotonic
    }
    // Rule 23: what is not known to pause and resume keeps its minimum.
    let cannotPause = [.refused, .losesControl].contains(station(of: c).traits.zero)
    let lowest = cannotPause && target == .zero ? minimum(c) : target
    // What is as low as it can be has to stay so: where the station may hold something else by now, at once.
    let ends = lowest == present && lowest <= fallback(c) && needsRefresh(c, weighing, now)
    let staysLow = ends && !isWaitingForAnswer(c, now) && (connectors[c].mustRefresh || isTimely(c, now))
    guard lowest < present || staysLow || connectors[c].beliefs.isEmpty else {
      decide(c, present, nil, reason, &out)
      return
    }
    send(lowest, c, .decrease, weighing, reason, now, &out)
  }

  /// Some circuit above the connector is over its limit on a phase that the connector uses.
  func isOver(_ c: Int, _ weighing: Weighing) -> Bool {
    var place: Int? = hub.connectors[c].circuit
    while let k = place {
      if !weighing.over[k].isDisjoint(with: phases(c)) { return true }
      place = hub.circuits[k].parent
    }
    return false
  }

  /// Raises, and refreshes, into room that is confirmed: nothing is counted on that others have not been seen to leave (rules 6, 15).
  private mutating func raise(
    _ rises: [Int], _ order: [Int], _ targets: [FairShare.Share], _ weighing: Weighing, _ now: EventStamp, _ out: inout [Effect]
  ) {
    var used = weighing.unheardSum
    // Low offers are refreshed first: the high ones live on their staying low (rule 15).
    let lowFirst = rises.filter { isLow(order[$0], now) } + rises.filter { !isLow(order[$0], now) }
    for place in lowFirst {
      let c = order[place]
      let share = targets[place]
      let present = facts.known[c].present
      if isWaitingForAnswer(c, now) {
        decide(c, present, nil, connectors[c].reason, &out)
        continue
      }
      // Most have what they are to have: the room above them is of no account then.
      if share.current == present, isWhole(present, c), !needsRefresh(c, weighing, now) {
        decide(c, present, nil, reason(share, c, present, now), &out)
        continue
      }
      let (room, blocker) = confirmedRoom(c, used, weighing, now)
      let counted = facts.known[c].unheard
      let already = PerPhase(all: Current.zero).maximum(counted.restricted(to: phases(c)))
      let base = leastOn(phases(c), already)
      var offer = min(share.current, max(present, base + room)).floored(to: station(of: c).traits.step)
      if room < .zero { offer = min(offer, present) }
      if let limited = paced(c, present, offer, now) { offer = limited }
      if offer < minimum(c) { offer = present < minimum(c) ? present : min(present, share.current) }
      let wanted = share.current
      let reason =
        offer < wanted && offer <= present && blocker != nil
        ? Reason.awaitingRoom(circuit: blocker!.circuit, phase: blocker!.phase) : reason(share, c, offer, now)
      let isRise =
        offer > present && (offer - present >= hub.settings.deadBand || present < minimum(c) || offer == wanted)
      let mayRise = !storeFailed && !isOver(c, weighing) && !closing(c, now)
      if isRise, mayRise, isTimely(c, now) {
        send(offer, c, .increase, weighing, reason, now, &out)
        let after = committed(c, at: now.monotonic, through: hub.settings.horizon + hub.settings.guardTime)
        add(after - counted, at: hub.connectors[c].circuit, to: &used)
      } else if needsRefresh(c, weighing, now), !storeFailed || present <= fallback(c) || mustShorten(c, weighing, now),
        isTimely(c, now)
      {
        // Rule 15: a refresh lasts longer than what it replaces, so it has to fit among all that may be unheard.
        let fits = (base + room).floored(to: station(of: c).traits.step)
        let isTooMuch = room < .zero && present > fallback(c)
        let most = isTooMuch ? max(fallback(c), fits < minimum(c) ? .zero : fits) : present
        refresh(c, min(present, most), weighing, reason, now, &out)
      } else {
        decide(c, present, nil, isRise && storeFailed ? .storeFailed : reason, &out)
      }
    }
  }

  /// What of a share a station can be told: whole steps, but no less than the least useful offer. What differs by less is the same on the
  /// wire, and is not sent again.
  private func whole(_ share: Current, _ c: Int) -> Current {
    let told = share.floored(to: station(of: c).traits.step)
    let minimum = facts.known[c].minimum
    return share >= minimum ? max(told, minimum) : told
  }

  /// A current that the station can be told as it is.
  private func isWhole(_ current: Current, _ c: Int) -> Bool { current.floored(to: station(of: c).traits.step) == current }

  private func leastOn(_ phases: Phases, _ value: PerPhase<Current>) -> Current {
    Phase.allCases.filter { phases.contains($0) }.map { value[$0] }.min() ?? .zero
  }

  /// An offer at or below the fallback, which may rise to it when it ends.
  private func isLow(_ c: Int, _ now: EventStamp) -> Bool { (offer(c, at: now.monotonic) ?? .zero) < fallback(c) }

  private func isWaitingForAnswer(_ c: Int, _ now: EventStamp) -> Bool {
    switch connectors[c].beliefs.last?.progress {
    case .issued, .sent: true
    default: false
    }
  }

  /// What all circuits above a connector have left on its phases, and the one with the least.
  private func confirmedRoom(_ c: Int, _ used: [PerPhase<Current>], _ weighing: Weighing, _ now: EventStamp) -> (
    Current, (circuit: Int, phase: Phase)?
  ) {
    var least: Current?
    var blocker: (circuit: Int, phase: Phase)?
    var place: Int? = hub.connectors[c].circuit
    while let k = place {
      for phase in Phase.allCases where phases(c).contains(phase) {
        let base = counted(weighing.bases[k].rises[phase], k, phase)
        let room = weighing.bounds[k].current[phase] - hub.circuits[k].margin - base - used[k][phase] - weighing.reserve[k][phase]
        if least.map({ room < $0 }) ?? true { (least, blocker) = (room, (k, phase)) }
      }
      place = hub.circuits[k].parent
    }
    return (least ?? .zero, blocker)
  }

  func add(_ current: PerPhase<Current>, at circuit: Int, to sums: inout [PerPhase<Current>]) {
    var place: Int? = circuit
    while let k = place {
      sums[k] += current
      place = hub.circuits[k].parent
    }
  }

  /// No faster than configured; from 0 the first step is the minimum (rule 20).
  private func paced(_ c: Int, _ present: Current, _ offer: Current, _ now: EventStamp) -> Current? {
    guard hub.settings.increaseStep > .zero, offer > present else { return nil }
    return min(offer, max(present, minimum(c) - hub.settings.increaseStep) + hub.settings.increaseStep)
  }

  private func closing(_ c: Int, _ now: EventStamp) -> Bool {
    var place: Int? = hub.connectors[c].circuit
    while let k = place {
      if windowIsClosing(k, now) { return true }
      place = hub.circuits[k].parent
    }
    return false
  }

  /// The model's least time between profiles.
  private func isTimely(_ c: Int, _ now: EventStamp) -> Bool {
    guard let sent = connectors[c].lastSent else { return true }
    let step = hub.settings.increaseStep > .zero ? hub.settings.increaseInterval : .zero
    return now.monotonic - sent >= max(station(of: c).traits.minimumInterval, step)
  }

  /// Connectors that are not claimants: their reason is told; where the dead-man is lost or the clock is wrong they are told to fall back.
  private mutating func speakForTheRest(
    _ weighing: Weighing, _ now: EventStamp, _ out: inout [Effect]
  ) {
    guard facts.untold > 0 else { return }
    for c in connectors.indices where facts.known[c].marks.contains(.isUntold) {
      let level = connectors[c].occupied ? offer(c, at: now.monotonic) ?? fallback(c) : .zero
      let reason = idleReason(c)
      if mayBeStilled(c), let level = stilled(c, weighing, now) {
        send(level, c, level > .zero ? .increase : .decrease, weighing, reason, now, &out)
      } else if mustGiveBack(c) || mustLowerUncontrolled(c) && isOver(c, weighing) {
        send(fallback(c), c, .decrease, weighing, reason, now, &out)
      } else {
        decide(c, level, nil, reason, &out)
      }
    }
  }

  /// Why a connector that is no claimant gets nothing beyond what it has by itself.
  func idleReason(_ c: Int) -> Reason {
    if let gap = gap(hub.connectors[c].station) { return .notControlled(gap) }
    if connectors[c].uncontrollable || connectors[c].transaction != nil && !mayBeOffered(c) { return .notControlled(.disobedient) }
    return .idle
  }

  /// Its station's clock is wrong, or it follows nothing closely enough, so it is not offered anything; but it hears, and is told to fall
  /// back once its circuit is over.
  func mustLowerUncontrolled(_ c: Int) -> Bool {
    guard connectors[c].transaction != nil, let last = connectors[c].beliefs.last else { return false }
    switch gap(hub.connectors[c].station) {
    case .clock: break
    case nil where connectors[c].uncontrollable: break
    default: return false
    }
    return last.current > fallback(c) && !(fallback(c) == .zero && station(of: c).traits.zero == .refused)
  }

  /// Its station lost its dead-man while it had more than its fallback (rule 17).
  func mustGiveBack(_ c: Int) -> Bool {
    guard gap(hub.connectors[c].station) == nil, connectors[c].transaction != nil, !mayBeOffered(c) else { return false }
    guard let last = connectors[c].beliefs.last, connectors[c].retryAt == nil else { return false }
    return last.current > fallback(c) && !(fallback(c) == .zero && station(of: c).traits.zero == .refused)
  }

  /// Its station counts relative schedules from nobody knows where, but one period without an end holds from wherever it is counted: it can
  /// be told to draw nothing while its circuit is over, though nothing is counted on that (rule 17).
  func mayBeStilled(_ c: Int) -> Bool {
    isAdrift(c) && gap(hub.connectors[c].station) == nil && connectors[c].retryAt == nil && fallback(c) > .zero
      && station(of: c).traits.zero == .pauses
  }

  /// Nothing while its circuit is over, at once; its fallback after that, in time. nil: it was told so already, or has to wait.
  private func stilled(_ c: Int, _ weighing: Weighing, _ now: EventStamp) -> Current? {
    let told = connectors[c].beliefs.last?.current ?? fallback(c)
    // It may have forgotten what it was told, too.
    let isTold = told == .zero && (!connectors[c].mustRefresh || isWaitingForAnswer(c, now))
    if isOver(c, weighing) { return isTold ? nil : .zero }
    guard told < fallback(c), !isWaitingForAnswer(c, now), isTimely(c, now) else { return nil }
    return connectors[c].lastSent.map { now.monotonic - $0 >= hub.settings.sharingInterval } ?? true ? fallback(c) : nil
  }

  /// Says what a connector gets, and why, when either is new.
  mutating func decide(_ c: Int, _ offer: Current, _ command: CommandID?, _ reason: Reason, _ out: inout [Effect]) {
    guard command != nil || reason != connectors[c].reason else { return }
    connectors[c].reason = reason
    out.append(
      .decided(Decision(connector: c, transaction: connectors[c].transaction?.id, offer: offer, command: command, reason: reason)))
  }

  private func reason(_ share: FairShare.Share, _ c: Int, _ offer: Current, _ now: EventStamp) -> Reason {
    if connectors[c].hold != nil { return .held }
    if offer < minimum(c), standing(c, now.monotonic) == idleStanding { return .demand }
    let wish = wish(c, now)
    if let next = wish?.next, offer < minimum(c), wish?.target == .zero { return .later(from: next) }
    guard let binding = share.binding else {
      if wish != nil, offer < max(minimum(c), ceiling(c)) {
        return offer < minimum(c) ? .later(from: nextTurn(now)) : .planned
      }
      return connectors[c].demand == nil ? .maximum : .demand
    }
    if offer < minimum(c) { return .waiting(circuit: binding.circuit, phase: binding.phase, next: nextTurn(now)) }
    return .full(circuit: binding.circuit, phase: binding.phase)
  }
}
