import Quantities
import Site

extension SiteController {
  func station(of c: Int) -> Station { hub.stations[hub.connectors[c].station] }
  func state(ofStationOf c: Int) -> StationState { stations[hub.connectors[c].station] }

  /// The circuit phases that a connector's current counts on: all wired ones, or those its vehicle was seen to use (rule 8).
  func phases(_ c: Int) -> Phases {
    guard hub.settings.narrowsPhases, let used = connectors[c].usedPhases else { return hub.connectors[c].phases }
    return used
  }

  /// The most that the connector's hardware, or a limit set at the station itself, lets through.
  func hardwareMaximum(_ c: Int) -> Current {
    min(hub.connectors[c].maximum, station(of: c).traits.staticMaximum ?? hub.connectors[c].maximum)
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
    let connector = connectors[c]
    if station(of: c).state == .planned { return .zero }
    var level = Current.zero
    let station = state(ofStationOf: c)
    if !station.connected || station.stage != .controlled {
      level = max(level, unheardLevel(c))
    } else if connector.occupied && connector.beliefs.isEmpty {
      level = max(level, fallback(c))
    }
    if connector.uncontrollable { level = max(level, hardwareMaximum(c)) }
    for belief in connector.beliefs {
      level = max(level, belief.level(at: now, through: horizon, early: skew(c), late: afterglow(c)))
    }
    level = min(level, hardwareMaximum(c))
    var result = PerPhase(level, on: phases(c))
    if let newest = connector.newest, isFresh(newest.at, c, now) { result = result.maximum(newest.current) }
    return result
  }

  /// Forgets an offer that never left (superseded, withdrawn or refused).
  mutating func forget(_ command: CommandID) {
    for c in connectors.indices { connectors[c].beliefs.removeAll { $0.command == command } }
  }

  /// The newest offer that is still running; nil: the fallback, or nothing.
  func offer(_ c: Int, at now: Monotonic) -> Current? {
    guard let last = connectors[c].beliefs.last else { return nil }
    if let until = last.until, now >= until { return nil }
    return last.current
  }
}
