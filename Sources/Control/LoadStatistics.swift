import Quantities

/// What the load that is not controlled was on one circuit, per phase: the means of each quarter of an hour of the last weeks, in deci-
/// amperes. Times are those that clocks show there (`LocalTime.shown`). About 16 KB a circuit.
struct LoadStatistics: Hashable, Sendable, Codable {
  static let weeks = 4
  static let quarters = 7 * 96
  /// Says that a place has not been seen.
  private static let unseen = Int16.min

  /// Index (week x 672 + quarter of the week) x 3 + phase; empty until the first quarter is full.
  private var means: [Int16] = []
  /// The quarter under way: since 1970, its sum of mA x ms, and how much of it was seen.
  private var quarter: Int?
  private var sum = PerPhase(0, 0, 0)
  private var seen = 0
  private var lastAt: Instant?

  /// The load has been `base` since the last call, until `now`.
  mutating func notice(_ base: PerPhase<Current>, until now: Instant) {
    let place = Self.quarter(now)
    if place != quarter { finish(next: place) }
    if let last = lastAt, last < now, Self.quarter(last) == place {
      let span = (now - last).raw
      for phase in Phase.allCases { sum[phase] += base[phase].raw * span }
      seen += span
    }
    lastAt = now
  }

  /// What is not seen is not counted: the time until the next call does not belong to what is known now.
  mutating func pause() { lastAt = nil }

  private mutating func finish(next: Int) {
    if let quarter, seen >= 450_000 {
      if means.isEmpty { means = Array(repeating: Self.unseen, count: Self.weeks * Self.quarters * 3) }
      let place = Self.place(quarter)
      for phase in Phase.allCases { means[place + phase.rawValue] = Int16(clamping: sum[phase] / seen / 100) }
    }
    (quarter, sum, seen) = (next, PerPhase(0, 0, 0), 0)
  }

  /// The load that a quarter of an hour is likely not to exceed, in `permille` of the cases: of the same quarter, the one before and
  /// the one after, in the weeks that were seen; nil: none was.
  /// - Complexity: O(1).
  func quantiles(_ permille: Int, at instant: Instant) -> PerPhase<Current>? {
    guard !means.isEmpty else { return nil }
    let now = Self.quarter(instant)
    var sorted = InlineArray<12, Int>(repeating: 0)
    var result = PerPhase<Current>.zero
    for phase in Phase.allCases {
      var count = 0
      for week in 1...Self.weeks {
        for near in -1...1 {
          let value = means[Self.place(now - week * Self.quarters + near) + phase.rawValue]
          guard value != Self.unseen else { continue }
          var place = count
          while place > 0, sorted[place - 1] > Int(value) {
            sorted[place] = sorted[place - 1]
            place -= 1
          }
          sorted[place] = Int(value)
          count += 1
        }
      }
      guard count > 0 else { return nil }
      let rank = min(count - 1, (count * permille + 999) / 1000 - 1)
      result[phase] = .milliamperes(sorted[max(0, rank)] * 100)
    }
    return result
  }

  private static func quarter(_ instant: Instant) -> Int { instant.floored(to: .minutes(15)).milliseconds / 900_000 }
  /// Four weeks are a ring: a new week takes the place of the oldest.
  private static func place(_ quarter: Int) -> Int {
    let ring = weeks * quarters
    return ((quarter % ring + ring) % ring) * 3
  }
}
