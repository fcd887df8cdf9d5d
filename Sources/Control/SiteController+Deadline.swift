import Quantities
import Site

extension SiteController {
  /// The next moment at which something changes without an event (rule 25).
  func deadline(_ weighing: Weighing, _ now: EventStamp) -> Monotonic? {
    var next: Monotonic?
    func at(_ instant: Monotonic?) {
      // What lies in the past has been acted on already.
      guard let instant, instant > now.monotonic else { return }
      next = next.map { min($0, instant) } ?? instant
    }
    func atUTC(_ instant: Instant?) { at(instant.map { now.monotonic + ($0 - now.utc) }) }

    for k in circuits.indices {
      if let measurement = hub.circuits[k].measurement, let readAt = circuits[k].readAt, !isStale(k, at: now.monotonic) {
        at(readAt + staleAfter(measurement.meter) + .milliseconds(1))
        if let since = circuits[k].registersSince { at(since + hub.settings.frozenAfter + .milliseconds(1)) }
        if circuits[k].bucketBefore != nil { at(circuits[k].bucketStart.map { $0 + sampleInterval * 2 }) }
      }
      at(tripDue(k))
      for phase in Phase.allCases {
        at(circuits[k].pendingStep[phase]?.due)
        at(doubtfulAt(k, phase))
        at(circuits[k].overSince[phase].map { $0 + hub.settings.excessPatience }.flatMap { $0 > now.monotonic ? $0 : nil })
      }
      if let contract = hub.circuits[k].contract {
        atUTC((now.utc - contract.offset).floored(to: contract.window) + contract.offset + contract.window)
        at(now.monotonic + .seconds(10))
      }
    }
    for limit in limits {
      // Once the time to act on it has begun it is acted on already, until it begins itself.
      atUTC(limit.from - anticipation)
      atUTC(limit.from)
      if let until = limit.until, until > now.utc { atUTC(until) }
    }
    for state in series { at(state.silentAt.map { $0 + .milliseconds(1) }) }
    at(facts.next)
    for leaver in leavers { at(leaver.until) }
    if facts.waiting > 0 { atUTC(nextTurn(now)) }
    for moment in planDeadline(now) { at(moment) }
    // What has become due meanwhile is seen to with the next event.
    for case let moment? in facts.stationNext { at(max(moment, now.monotonic + .milliseconds(1))) }
    return next
  }

  /// The next moment at which something has to happen to a connector.
  func nextMoment(_ c: Int, isClaimant: Bool, after now: Monotonic) -> Monotonic? {
    var next: Monotonic?
    func at(_ instant: Monotonic?) {
      guard let instant, instant > now else { return }
      next = next.map { min($0, instant) } ?? instant
    }
    at(connectors[c].retryAt)
    if let newest = connectors[c].newest, newest.current.largest > .zero { at(newest.at + freshness(c) + .milliseconds(1)) }
    if !connectors[c].beliefs.isEmpty {
      let (early, late) = (skew(c), afterglow(c))
      for belief in connectors[c].beliefs {
        guard let until = belief.until else { continue }
        for moment in [until - early, until, until + late] { at(moment + .milliseconds(1)) }
      }
    }
    if mayBeStilled(c) { at(connectors[c].lastSent.map { $0 + hub.settings.sharingInterval }) }
    guard isClaimant else { return next }
    if let last = connectors[c].beliefs.last, let until = last.until {
      at(until - (last.current < hub.connectors[c].fallback ? hub.settings.horizon * 2 : hub.settings.horizon / 2))
    }
    at(connectors[c].lastSent.map { $0 + station(of: c).traits.minimumInterval })
    at(connectors[c].lastShareDecrease.map { $0 + hub.settings.sharingInterval })
    at(connectors[c].pausedSince.map { $0 + hub.settings.minimumOnOff })
    at(idleUntil(c))
    at(connectors[c].drawsLessSince.map { $0 + hub.settings.giveBackAfter })
    return next
  }

  /// When a station has to be seen to; it may have passed.
  func nextMoment(ofStation s: Int) -> Monotonic? {
    guard let connected = stations[s].connectedAt else { return nil }
    switch stations[s].stage {
    case .awaitingBoot(let until), .refused(let until): return until
    case .controlled where (stations[s].clockOffset?.magnitude ?? .zero) > hub.settings.largestSkew:
      return stations[s].askedForTime.map { $0 + .minutes(1) } ?? connected
    default: return nil
    }
  }
}
