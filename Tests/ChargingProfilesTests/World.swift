import ChargingProfiles
import Quantities
import Site

/// The beginning of every test's time: 2026-01-05T00:00:00Z, a Monday.
let x = Instant(seconds: 1_767_571_200)

func schedule(
  _ periods: [(Int, Int)], unit: StationTraits.RateUnit = .amperes, duration: Int? = nil, start: Instant? = x, phases: Int? = nil
) throws -> Schedule {
  try Schedule(
    unit: unit, duration: duration.map { .seconds($0) }, start: start,
    periods: periods.map { .init(start: .seconds($0.0), tenths: $0.1 * 10, phases: phases) })
}

func profile(
  _ id: Int, _ purpose: ChargingProfile.Purpose, level: Int = 0, kind: ChargingProfile.Kind = .absolute, _ periods: [(Int, Int)],
  unit: StationTraits.RateUnit = .amperes, duration: Int? = nil, start: Instant? = x, from: Instant? = nil, to: Instant? = nil,
  phases: Int? = nil
) throws -> ChargingProfile {
  ChargingProfile(
    id: id, stackLevel: level, purpose: purpose, kind: kind, validFrom: from, validTo: to,
    schedule: try schedule(periods, unit: unit, duration: duration, start: start, phases: phases))
}

extension ProfileStore {
  /// The composite schedule as `[start in seconds: tenths]` pairs, in text: "0:80 50:100".
  func text(
    _ connector: Int, from: Instant = x, _ seconds: Int, unit: StationTraits.RateUnit = .amperes, plug: Instant? = nil,
    local: Current? = nil
  ) -> String {
    let query = CompositeQuery(
      connector: connector, from: from, duration: .seconds(seconds), unit: unit, transactionStart: plug, localLimit: local)
    guard let schedule = composite(query) else { return "rejected" }
    return schedule.text
  }
  /// The same for connector 1.
  func text(
    from: Instant = x, _ seconds: Int, unit: StationTraits.RateUnit = .amperes, plug: Instant? = nil, local: Current? = nil
  ) -> String {
    text(1, from: from, seconds, unit: unit, plug: plug, local: local)
  }
  /// ClearChargingProfile's answer.
  mutating func answer(_ filter: ProfileFilter) -> String { clear(filter) ? "Accepted" : "Unknown" }
}

extension Schedule {
  var text: String { periods.map { "\($0.start.raw / 1000):\($0.tenths)" }.joined(separator: " ") }
}
