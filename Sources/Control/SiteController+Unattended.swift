import ChargingProfiles
import Quantities
import Site

// Rule 16: the hours of the plan ride in a profile, beyond its end, within what is left when everything else is at its worst and nobody
// is spoken to any more. What a profile may rise to after its end counts at its highest from then on (`Belief.after`), so that every rule
// that counts the fallback counts this instead.

/// What a profile does after the offer has ended.
struct UnattendedCourse: Hashable {
  /// The highest of its steps; the fallback where there are none.
  var highest: Current
  /// In rising order of time, from the offer's end on; the last is the fallback. Empty: the fallback from the end on.
  var steps: [CurrentSteps.Step]
}

extension SiteController {
  /// More periods than this are no sensible course any more, whatever the station can hold.
  private var mostPeriods: Int { 12 }

  /// What a connector may go on drawing once nobody has spoken to it for longer than any offer lasts.
  func settled(_ c: Int) -> PerPhase<Current> {
    let s = hub.connectors[c].station
    var level = max(fallback(c), unheardLevel(c))
    if stations[s].trust != .proven || stations[s].isDoubted || connectors[c].uncontrollable || isAdrift(c) {
      level = hardwareMaximum(c)
    }
    if hub.stations[s].state == .planned { level = .zero }
    for belief in connectors[c].beliefs {
      level = max(level, belief.after)
      if belief.until == nil || hub.stations[s].state == .planned { level = max(level, belief.current) }
    }
    return PerPhase(min(level, hardwareMaximum(c)), on: hub.connectors[c].phases)
  }

  /// The plan's hours after an offer's end, as far as they fit into the unattended share, and never above the offer: what the offer counts
  /// at covers them. None where the station may forget or misread later periods, or where a decrease would promise more than before.
  func course(_ c: Int, after offer: Current, until end: Monotonic?, _ urgency: Urgency, _ now: EventStamp) -> UnattendedCourse {
    let none = UnattendedCourse(highest: fallback(c), steps: [])
    guard let end, let plan = planning.plan, isFresh(plan, now), let transaction = connectors[c].transaction,
      let session = plan.session(c, transaction.id), connectors[c].hold == nil, connectors[c].briefly == nil
    else { return none }
    guard followsCourses(c), hub.connectors[c].fallback == fallback(c) else { return none }
    var most = min(offer, unattendedShare(c))
    if urgency == .decrease { most = min(most, connectors[c].beliefs.last?.after ?? .zero) }
    most = most.floored(to: station(of: c).traits.step)
    guard most > fallback(c), most >= minimum(c) else { return none }
    let steps = steps(of: session, plan, from: now.utc + (end - now.monotonic), atMost: most, c)
    return UnattendedCourse(highest: steps.map(\.current).max() ?? fallback(c), steps: steps)
  }

  /// Another bound holds, or will: what rides beyond the end of an offer is sent anew at once, within what is left now.
  mutating func renewCourses() {
    for c in connectors.indices where connectors[c].beliefs.last.map({ $0.after > fallback(c) }) ?? false {
      connectors[c].mustRefresh = true
    }
  }

  private func followsCourses(_ c: Int) -> Bool {
    let (traits, state) = (station(of: c).traits, state(ofStationOf: c))
    return obeysEnds(c) && traits.profileKind == .absolute && route(c) == .transaction && state.trust == .proven && !state.isDoubted
      && periods(c) >= 3
  }

  private func periods(_ c: Int) -> Int {
    min(station(of: c).traits.maximumPeriods ?? state(ofStationOf: c).capabilities?.maximumPeriods ?? 2, mostPeriods)
  }

  /// What a connector may come to draw when all others do what they do unheard and everything else draws the worst of the site file, on
  /// the circuit that leaves it least.
  private func unattendedShare(_ c: Int) -> Current {
    var least = hardwareMaximum(c)
    let own = facts.known[c].settled
    for k in hub.path(from: hub.connectors[c].circuit) {
      // A balance of phases is no sum.
      if hub.circuits[k].unbalanceLimit != nil { return .zero }
      let lowest = lowestKnownLimit(k)
      for phase in Phase.allCases where hub.connectors[c].phases.contains(phase) {
        let taken = siteFacts.worstBelow[k][phase] + facts.settledBelow[k][phase] - own[phase] + hub.circuits[k].margin
        least = min(least, lowest[phase] - taken)
      }
    }
    return max(.zero, least)
  }

  /// The lowest of all limits that hold or will hold, as far as they are known, and of what holds when nobody sets any.
  private func lowestKnownLimit(_ k: Int) -> PerPhase<Current> {
    let circuit = hub.circuits[k]
    if circuit.maintenance || circuits[k].isUnderWorks { return .zero }
    var lowest = circuit.rating
    for cap in [circuit.manualCap, circuits[k].orderedCap, circuit.failsafe, circuit.contract.map { mean(of: $0) }] {
      if let cap { lowest = lowest.minimum(cap) }
    }
    for limit in limits where limit.circuit == k { lowest = lowest.minimum(current(of: limit.amount, circuit: k)) }
    for state in series where state.series.circuit == k {
      for block in state.series.silence?.fallback ?? [] { lowest = lowest.minimum(current(of: block.amount, circuit: k)) }
    }
    return lowest
  }

  /// From the end on: what the plan gives, at least the fallback, at most `most`; after the plan, and where the station can hold no more
  /// periods, the fallback.
  private func steps(of session: Planned.Session, _ plan: Planned, from end: Instant, atMost most: Current, _ c: Int)
    -> [CurrentSteps.Step]
  {
    guard let first = plan.slot(at: end) else { return [] }
    let (fallback, step) = (fallback(c), station(of: c).traits.step)
    var steps: [CurrentSteps.Step] = []
    for slot in first...max(first, session.currents.count) {
      let wanted = session.currents.indices.contains(slot) ? min(session.currents[slot], most).floored(to: step) : .zero
      let level = wanted >= minimum(c) && wanted > fallback ? wanted : fallback
      if level == steps.last?.current { continue }
      steps.append(CurrentSteps.Step(from: max(end, plan.start + plan.slot * slot), current: level))
    }
    // The offer itself is a period, and the last has to be the fallback.
    let room = periods(c) - 1
    if steps.count > room {
      steps.removeLast(steps.count - room)
      steps[room - 1].current = fallback
      if room > 1, steps[room - 2].current == fallback { steps.removeLast() }
    }
    return steps.contains { $0.current > fallback } ? steps : []
  }
}
