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
      for phase in Phase.allCases {
        at(circuits[k].pendingStep[phase]?.due)
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
    var someoneWaits = false
    for c in connectors.indices {
      let connector = connectors[c]
      at(connector.retryAt)
      if let newest = connector.newest, newest.current.largest > .zero {
        let end = newest.at + station(of: c).traits.sampleInterval * 2 + .seconds(2) + .milliseconds(1)
        if end > now.monotonic { at(end) }
      }
      for belief in connector.beliefs {
        guard let until = belief.until else { continue }
        for moment in [until - skew(c), until, until + afterglow(c)] where moment + .milliseconds(1) > now.monotonic {
          at(moment + .milliseconds(1))
        }
      }
      guard isClaimant(c) else { continue }
      if let until = connector.beliefs.last?.until {
        let half =
          connector.beliefs.last.map { $0.current < hub.connectors[c].fallback } ?? false
          ? hub.settings.horizon * 2 : hub.settings.horizon / 2
        if until - half > now.monotonic { at(until - half) }
      }
      if let sent = connector.lastSent, sent + station(of: c).traits.minimumInterval > now.monotonic {
        at(sent + station(of: c).traits.minimumInterval)
      }
      if let lowered = connector.lastShareDecrease, lowered + hub.settings.sharingInterval > now.monotonic {
        at(lowered + hub.settings.sharingInterval)
      }
      if let paused = connector.pausedSince {
        someoneWaits = true
        if paused + hub.settings.minimumOnOff > now.monotonic { at(paused + hub.settings.minimumOnOff) }
      }
      if let since = connector.drawsLessSince { at(since + hub.settings.giveBackAfter) }
    }
    if someoneWaits { atUTC(nextTurn(now)) }
    for moment in planDeadline(now) { at(moment) }
    for s in stations.indices where stations[s].connected {
      switch stations[s].stage {
      case .awaitingBoot(let until), .refused(let until): at(until)
      case .controlled where (stations[s].clockOffset?.magnitude ?? .zero) > hub.settings.largestSkew:
        at(stations[s].askedForTime.map { $0 + .minutes(1) } ?? now.monotonic)
      default: break
      }
    }
    return next
  }
}
