import Quantities

/// The highest mean of a quarter of an hour in the month under way of what a connection draws, phases summed: what it costs is owed, and no
/// plan need avoid it any more. Times are those that clocks show there (`LocalTime.shown`). What was not seen of a quarter counts as nothing,
/// so that it is rather too low.
/// - Source: VREG, capaciteitstarief: each month's highest mean of a quarter of an hour is charged.
struct MonthPeak: Hashable, Sendable, Codable {
  private static let window = TimeSpan.minutes(15)
  private(set) var highest = Current.zero
  /// The month of `highest`, since 1970.
  private var month: Int?
  /// When the quarter under way began, and its mA x ms.
  private var start: Instant?
  private var sum = 0
  private var lastAt: Instant?

  /// The connection has drawn this much since the last call, until `now`; what is fed in counts as nothing.
  mutating func notice(_ drawn: Current, until now: Instant) {
    let place = now.floored(to: Self.window)
    // After a longer time without a word nobody knows what was drawn.
    var from = lastAt.map { $0 <= now && now - $0 <= Self.window ? $0 : now } ?? now
    while let open = start, open < place {
      let end = open + Self.window
      if from < end { add(drawn, from, end) }
      from = max(from, end)
      begin(from.floored(to: Self.window))
    }
    // Also where clocks were put back.
    if start != place { begin(place) }
    add(drawn, from, now)
    lastAt = now
  }

  /// What is not seen is not counted: the time until the next call does not belong to what is known now.
  mutating func pause() { lastAt = nil }

  private mutating func add(_ drawn: Current, _ from: Instant, _ end: Instant) { sum += max(0, drawn.raw) * (end - from).raw }

  private mutating func begin(_ next: Instant) {
    highest = max(highest, .milliamperes(sum / Self.window.raw))
    (start, sum) = (next, 0)
    if next.month != month { (month, highest) = (next.month, .zero) }
  }
}
