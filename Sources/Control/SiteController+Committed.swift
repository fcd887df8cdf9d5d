import Quantities
import Site

extension SiteController {
  @inline(__always) func station(of c: Int) -> Station { hub.stations[hub.connectors[c].station] }
  @inline(__always) func state(ofStationOf c: Int) -> StationState { stations[hub.connectors[c].station] }

  /// The circuit phases that a connector's current counts on: all wired ones, or those its vehicle was seen to use (rule 8).
  func phases(_ c: Int) -> Phases {
    guard hub.settings.narrowsPhases, let used = connectors[c].usedPhases,
      !(state(ofStationOf: c).capabilities?.switchesPhases ?? false)
    else { return hub.connectors[c].phases }
    return used
  }

  /// The most that the connector's hardware, or a limit set at the station itself, lets through.
  func hardwareMaximum(_ c: Int) -> Current {
    min(hub.connectors[c].maximum, station(of: c).traits.staticMaximum ?? hub.connectors[c].maximum)
  }

  /// The least useful offer: where limits go out in W, as much as gives the vehicle its minimum at the highest plausible voltage, on
  /// all phases that it may use if the model is not proven to divide (rules 8, 10).
  func minimum(_ c: Int) -> Current {
    let least = max(.milliamperes(100), hub.connectors[c].minimum)
    guard station(of: c).traits.rateUnit == .watts, hub.connectors[c].supply == .ac else { return least }
    let sharing = traits(c).dividesWatts ? 1 : phases(c).count
    let most = least.scaled(highestVoltage.raw, over: hub.settings.lowestVoltage.raw) + .milliamperes(100)
    return min((most * sharing).floored(to: .milliamperes(100)), hardwareMaximum(c))
  }

  /// The model's traits, as far as the station itself bears them out: one that switches between one and three phases cannot be
  /// relied on to divide a limit in W (rule 8).
  func traits(_ c: Int) -> StationTraits {
    var traits = station(of: c).traits
    if state(ofStationOf: c).capabilities?.switchesPhases ?? false { traits.dividesWatts = false }
    return traits
  }

  /// Its station counts relative schedules from where nobody knows: whatever it is told may not hold, or not yet (rule 17).
  func isAdrift(_ c: Int) -> Bool {
    station(of: c).traits.profileKind == .relative && connectors[c].transaction?.startIsUncertain ?? false
  }

  /// What the connector does when nobody speaks to it (rules 5, 18).
  func unheardLevel(_ c: Int) -> Current {
    if station(of: c).state == .planned { return .zero }
    guard state(ofStationOf: c).trust == .proven, !state(ofStationOf: c).isDoubted else { return hardwareMaximum(c) }
    return fallback(c)
  }

  /// The configured fallback, or the larger one that the station still holds (rule 19).
  func fallback(_ c: Int) -> Current { max(hub.connectors[c].fallback, connectors[c].confirmedFallback ?? .zero) }

  /// How far a station's clock may be off, as far as is known.
  func skew(_ c: Int) -> TimeSpan { state(ofStationOf: c).clockOffset.map { $0.magnitude } ?? hub.settings.largestSkew }

  /// How long after its end an offer may still be followed.
  func afterglow(_ c: Int) -> TimeSpan { skew(c) + station(of: c).traits.reaction + hub.settings.vehicleReaction }

  /// Rule 5, at one moment: the largest of what is measured, what was offered and not confirmed to have been left, and what it
  /// does when unheard where nobody can speak to it.
  func committed(_ c: Int, at now: Monotonic) -> PerPhase<Current> { committed(c, at: now, through: .zero) }

  /// Rules 5 and 15: the most it may draw at any moment from `now` through `horizon`, when nobody speaks to it from now on.
  /// - Parameter horizon: zero: only now.
  func committed(_ c: Int, at now: Monotonic, through horizon: TimeSpan) -> PerPhase<Current> {
    let s = hub.connectors[c].station
    if hub.stations[s].state == .planned { return PerPhase(lingering(c, at: now)?.current ?? .zero, on: hub.connectors[c].phases) }
    var level = Current.zero
    // Rule 18: unheard, it does what its hardware lets through.
    if horizon > .zero, connectors[c].occupied, stations[s].trust != .proven || stations[s].isDoubted { level = hardwareMaximum(c) }
    if !stations[s].connected || stations[s].stage != .controlled {
      level = max(level, unheardLevel(c))
    } else if connectors[c].beliefs.isEmpty, connectors[c].occupied || !connectors[c].statusIsCurrent {
      level = max(level, fallback(c))
    }
    if connectors[c].uncontrollable || isAdrift(c) { level = max(level, hardwareMaximum(c)) }
    if !connectors[c].beliefs.isEmpty {
      let (early, late) = (skew(c), afterglow(c))
      for belief in connectors[c].beliefs {
        level = max(level, belief.level(at: now, through: horizon, early: early, late: late))
      }
      // When the station's power fails, low offers end with their transactions, and high ones of its other connectors may not.
      if horizon > .zero, facts.outliving[s] { level = max(level, fallback(c)) }
    }
    level = min(level, hardwareMaximum(c))
    var result = PerPhase(level, on: phases(c))
    if let newest = connectors[c].newest, isFresh(newest.at, c, now) { result = result.maximum(newest.current) }
    return result
  }

  /// What a station that does not belong to the hub any more may still be following, and until when: its offers, and beyond their end the
  /// plan's hours that went with them (rules 16, 19). nil: nothing.
  func lingering(_ c: Int, at now: Monotonic) -> (current: Current, until: Monotonic)? {
    var found: (current: Current, until: Monotonic)?
    for belief in connectors[c].beliefs {
      let goesOn = belief.after > fallback(c)
      let offerEnds = belief.until.map { $0 + afterglow(c) }
      // When an offer above the fallback ends may not be known.
      guard offerEnds != nil || belief.current > fallback(c) else { continue }
      let end = (offerEnds ?? now) + (goesOn || offerEnds == nil ? PlanningPolicy.longestHorizon : .zero)
      guard now < end else { continue }
      let isOffered = offerEnds.map { now < $0 } ?? true
      let level = max(isOffered ? belief.current : .zero, goesOn ? belief.after : .zero)
      found = (max(found?.current ?? .zero, level), max(found?.until ?? end, end))
    }
    return found
  }

  /// Forgets an offer that never left (superseded, withdrawn or refused).
  mutating func forget(_ command: CommandID) {
    for c in connectors.indices where connectors[c].beliefs.contains(where: { $0.command == command }) {
      connectors[c].beliefs.removeAll { $0.command == command }
    }
  }

  /// The newest offer that is still running; nil: the fallback, or nothing.
  func offer(_ c: Int, at now: Monotonic) -> Current? {
    guard let last = connectors[c].beliefs.last else { return nil }
    if let until = last.until, now >= until { return nil }
    return last.current
  }
}
