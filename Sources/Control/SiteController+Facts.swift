import Quantities
import Site

extension SiteController {
  var siteFacts: SiteFacts { facts.site ?? SiteFacts(hub) }

  /// Brings the facts up to date.
  /// - Complexity: O(connectors) comparisons, and the work for those that changed.
  mutating func refreshFacts(_ now: Monotonic) {
    if facts.site == nil || facts.marks.count != connectors.count || facts.stationNext.count != stations.count {
      facts.makeRoom(connectors: connectors.count, stations: stations.count)
      facts.site = SiteFacts(hub)
      (connectors, stations) = (Tracked(Array(connectors)), Tracked(Array(stations)))
    }
    for s in stations.takeTouched() {
      facts.stationNext[s] = nextMoment(ofStation: s, after: now)
      for c in hub.stations[s].connectors { renewFacts(c, now) }
    }
    for c in connectors.takeTouched() { renewFacts(c, now) }
    for c in facts.marks.indices where facts.holdUntil[c] <= now { renewFacts(c, now) }
    for s in facts.stationNext.indices {
      if let next = facts.stationNext[s], next <= now { facts.stationNext[s] = nextMoment(ofStation: s, after: now) }
    }
  }

  /// The places of connectors whose facts are not what they would be if they were worked out now; for checkers.
  public func outdatedFacts(at now: EventStamp) -> [Int] {
    var copy = self
    copy.refreshFacts(now.monotonic)
    var fresh = copy
    fresh.facts = Facts()
    fresh.refreshFacts(now.monotonic)
    return connectors.indices.filter { c in
      copy.facts.committed[c] != fresh.facts.committed[c] || copy.facts.unheard[c] != fresh.facts.unheard[c]
        || copy.facts.arrival[c] != fresh.facts.arrival[c] || copy.facts.marks[c] != fresh.facts.marks[c]
        || copy.facts.next[c] != fresh.facts.next[c]
        || copy.facts.stationNext[hub.connectors[c].station] != fresh.facts.stationNext[hub.connectors[c].station]
    }
  }

  private mutating func renewFacts(_ c: Int, _ now: Monotonic) {
    let horizon = hub.settings.horizon + hub.settings.guardTime
    facts.committed[c] = committed(c, at: now)
    facts.unheard[c] = committed(c, at: now, through: horizon)
    var marks: Facts.Marks = expectsArrival(c) ? .expectsArrival : []
    facts.arrival[c] = marks.contains(.expectsArrival) ? PerPhase(fallback(c), on: hub.connectors[c].phases) : .zero
    if isClaimant(c) {
      marks.insert(.claims)
      if connectors[c].pausedSince != nil { marks.insert(.waits) }
    }
    if connectors[c].retryAt != nil { marks.insert(.retries) }
    if connectors[c].reason == idleReason(c), !mustGiveBack(c) { marks.insert(.isTold) }
    facts.marks[c] = marks
    let next = nextMoment(c, isClaimant: marks.contains(.claims), after: now)
    facts.next[c] = next
    let change = nextChange(ofCommitted: c, horizon, after: now)
    facts.hold(c, until: next.map { next in change.map { min($0, next) } ?? next } ?? change)
  }

  /// Rule 7: a vehicle may arrive, and draw before anybody speaks.
  private func expectsArrival(_ c: Int) -> Bool {
    let s = hub.connectors[c].station
    return !connectors[c].occupied && hub.stations[s].state == .installed && stations[s].stage == .controlled
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
}
