import Quantities
import Site

extension SiteController {
  var siteFacts: SiteFacts { facts.site ?? SiteFacts(hub) }

  /// Brings the facts up to date.
  /// - Complexity: O(what changed), and O(connectors) when one becomes or ceases to be a claimant or expects a vehicle.
  mutating func refreshFacts(_ now: Monotonic) {
    if facts.site == nil {
      facts = Facts(hub)
      (connectors, stations) = (Tracked(Array(connectors)), Tracked(Array(stations)))
    }
    for s in stations.takeTouched() {
      facts.stationNext[s] = nextMoment(ofStation: s, after: now)
      for c in hub.stations[s].connectors { renewFacts(c, now) }
    }
    for c in connectors.takeTouched() { renewFacts(c, now) }
    for c in facts.outdated(at: now) { renewFacts(c, now) }
    for s in facts.stationNext.indices {
      if let next = facts.stationNext[s], next <= now { facts.stationNext[s] = nextMoment(ofStation: s, after: now) }
    }
    facts.settle(hub)
  }

  private mutating func renewFacts(_ c: Int, _ now: Monotonic) {
    let horizon = hub.settings.horizon + hub.settings.guardTime
    facts.settle(c, at: settled(c), hub)
    var known = Facts.Known(committed: committed(c, at: now), unheard: committed(c, at: now, through: horizon))
    known.settled = facts.known[c].settled
    let claims = isClaimant(c)
    if claims {
      known.marks.insert(.claims)
      if connectors[c].pausedSince != nil { known.marks.insert(.waits) }
    } else if connectors[c].reason != idleReason(c) || mustGiveBack(c) || mustLowerUncontrolled(c) {
      known.marks.insert(.isUntold)
    }
    if connectors[c].retryAt != nil { known.marks.insert(.retries) }
    if expectsArrival(c) {
      known.marks.insert(.expectsArrival)
      known.arrival = PerPhase(fallback(c), on: hub.connectors[c].phases)
    }
    known.next = nextMoment(c, isClaimant: claims, after: now)
    known.holdsUntil = Monotonic(milliseconds: .max)
    for moment in [known.next, nextChange(ofCommitted: c, horizon, after: now)] {
      if let moment { known.holdsUntil = min(known.holdsUntil, moment) }
    }
    facts.put(known, c, circuit: hub.connectors[c].circuit)
  }

  /// Rule 7: a vehicle may arrive, and draw before anybody speaks.
  private func expectsArrival(_ c: Int) -> Bool {
    let s = hub.connectors[c].station
    return !connectors[c].occupied && connectors[c].statusIsCurrent && hub.stations[s].state == .installed
      && stations[s].stage == .controlled
  }

  /// When what is committed, now or through the horizon, may be something else though nothing happens.
  private func nextChange(ofCommitted c: Int, _ horizon: TimeSpan, after now: Monotonic) -> Monotonic? {
    var next: Monotonic?
    func at(_ moment: Monotonic) { if moment > now { next = next.map { min($0, moment) } ?? moment } }
    let instant = TimeSpan.milliseconds(1)
    if let newest = connectors[c].newest { at(newest.at + freshness(c) + instant) }
    guard !connectors[c].beliefs.isEmpty else { return next }
    let (early, late) = (skew(c), afterglow(c))
    for belief in connectors[c].beliefs {
      guard let until = belief.until else { continue }
      at(until + late)
      at(until - early + instant)
      at(until - early - horizon + instant)
    }
    return next
  }

  /// The connectors of which the mind keeps something else than it would work out now: for checkers; there must be none.
  /// - Complexity: O(connectors), a copy of the whole.
  public func outdatedFacts(at now: EventStamp) -> [Int] {
    var kept = self
    kept.refreshFacts(now.monotonic)
    var fresh = kept
    fresh.facts = Facts()
    fresh.refreshFacts(now.monotonic)
    return connectors.indices.filter { c in
      let s = hub.connectors[c].station
      return kept.facts.known[c] != fresh.facts.known[c] || kept.facts.stationNext[s] != fresh.facts.stationNext[s]
    }
  }
}
