import Quantities
import Site

extension SiteController {
  var siteFacts: SiteFacts { facts.site ?? SiteFacts(hub) }

  /// Brings the facts up to date.
  /// - Complexity: O(what changed), and O(connectors) when one becomes or ceases to be a claimant or expects a vehicle.
  mutating func refreshFacts(_ now: Monotonic) {
    if facts.site == nil {
      facts = Facts(hub, after: facts)
      (connectors, stations) = (Tracked(Array(connectors)), Tracked(Array(stations)))
    }
    let touched = connectors.takeTouched()
    for s in stations.takeTouched() {
      facts.stationNext[s] = nextMoment(ofStation: s)
      facts.notice(station: s)
      for c in hub.stations[s].connectors { renewFacts(c, now) }
    }
    for c in touched { if noticeOutliving(hub.connectors[c].station) { renewNeighbours(of: c, now) } }
    for c in touched { renewFacts(c, now) }
    for c in facts.outdated(at: now) { renewFacts(c, now) }
    facts.settle(hub)
  }

  /// - Returns: whether something at the station outlives transactions now that did not, or no longer.
  private mutating func noticeOutliving(_ s: Int) -> Bool {
    let outlives = hub.stations[s].connectors.contains { c in
      route(c) != .transaction || connectors[c].beliefs.contains { $0.outlivesTransaction }
    }
    defer { facts.outliving[s] = outlives }
    return facts.outliving[s] != outlives
  }

  private mutating func renewNeighbours(of c: Int, _ now: Monotonic) {
    for other in hub.stations[hub.connectors[c].station].connectors where other != c { renewFacts(other, now) }
  }

  private mutating func renewFacts(_ c: Int, _ now: Monotonic) {
    let horizon = hub.settings.horizon + hub.settings.guardTime
    facts.settle(c, at: settled(c), hub)
    var known = Facts.Known(committed: committed(c, at: now), unheard: committed(c, at: now, through: horizon))
    known.settled = facts.known[c].settled
    let claims = isClaimant(c)
    if claims {
      known.marks.insert(.claims)
      if connectors[c].waitingSince != nil, standing(c, now) != idleStanding { known.marks.insert(.waits) }
    } else if connectors[c].reason != idleReason(c) || mustGiveBack(c) || mustLowerUncontrolled(c) || mayBeStilled(c) {
      known.marks.insert(.isUntold)
    }
    if connectors[c].retryAt != nil { known.marks.insert(.retries) }
    if expectsArrival(c) {
      known.marks.insert(.expectsArrival)
      known.arrival = PerPhase(fallback(c), on: hub.connectors[c].phases)
    }
    if claims { rate(c, now, &known) }
    known.next = nextMoment(c, isClaimant: claims, after: now)
    known.holdsUntil = Monotonic(milliseconds: .max)
    for moment in [known.next, nextChange(ofCommitted: c, horizon, after: now)] {
      if let moment { known.holdsUntil = min(known.holdsUntil, moment) }
    }
    facts.put(known, c, circuit: hub.connectors[c].circuit)
    renewDraws(c, now)
  }

  /// What the sharing asks of a claimant.
  private func rate(_ c: Int, _ now: Monotonic, _ known: inout Facts.Known) {
    known.present = offer(c, at: now) ?? fallbackOffer(c)
    (known.minimum, known.ceiling, known.phases) = (minimum(c), ceiling(c), phases(c))
    known.overdraw = overdraw(c, now)
    known.rank = Facts.Rank(
      standing: standing(c, now), priority: connectors[c].priority ?? hub.connectors[c].priority, queuedAt: connectors[c].queuedAt,
      energy: energy(c))
  }

  /// What the vehicle drew when the meters above it took their newest samples.
  private mutating func renewDraws(_ c: Int, _ now: Monotonic) {
    var above: Int? = hub.connectors[c].circuit
    while let k = above {
      if let sampled = facts.draws[k]?.sampled, let place = siteFacts.place(of: c, below: k) {
        facts.replace(draw(c, at: sampled, now: now), place: place, circuit: k)
      }
      above = hub.circuits[k].parent
    }
  }

  /// Rule 7: a vehicle may arrive, and draw before anybody speaks.
  private func expectsArrival(_ c: Int) -> Bool {
    let s = hub.connectors[c].station
    return !connectors[c].occupied && connectors[c].statusIsCurrent && hub.stations[s].state == .installed
      && stations[s].stage == .controlled
  }

  /// When what is committed, now or through the horizon, or what the sharing asks, may be something else though nothing happens.
  private func nextChange(ofCommitted c: Int, _ horizon: TimeSpan, after now: Monotonic) -> Monotonic? {
    var next: Monotonic?
    func at(_ moment: Monotonic) { if moment > now { next = next.map { min($0, moment) } ?? moment } }
    let instant = TimeSpan.milliseconds(1)
    if let newest = connectors[c].newest { at(newest.at + freshness(c) + instant) }
    for since in [connectors[c].servedSince, connectors[c].pausedSince] { if let since { at(since + hub.settings.minimumOnOff) } }
    if let until = idleUntil(c) { at(until) }
    guard !connectors[c].beliefs.isEmpty else { return next }
    let (early, late) = (skew(c), afterglow(c))
    if let sent = connectors[c].lastSent { at(sent + late + instant) }
    for belief in connectors[c].beliefs {
      guard let until = belief.until else { continue }
      at(until)
      at(until + late)
      at(until + late + PlanningPolicy.longestHorizon)
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
    let wrong = hub.circuits.indices.filter { k in
      kept.facts.draws[k].map { $0 != kept.draws(below: k, at: $0.sampled, now: now.monotonic) } ?? false
    }
    return connectors.indices.filter { c in
      let s = hub.connectors[c].station
      return kept.facts.known[c] != fresh.facts.known[c] || kept.facts.stationNext[s] != fresh.facts.stationNext[s]
        || wrong.contains { siteFacts.place(of: c, below: $0) != nil }
    }
  }
}
