import Quantities

/// What clocks show at a place, as data: from each instant on, so much later than UTC. Made at the edge from the name of a time zone, so
/// that whoever thinks about weekdays and times of day needs no calendar and replays the same everywhere.
public struct LocalTime: Hashable, Sendable, Codable {
  public struct Step: Hashable, Sendable, Codable {
    public var from: Instant
    /// What is added to UTC.
    public var offset: TimeSpan
    public init(from: Instant, offset: TimeSpan) { (self.from, self.offset) = (from, offset) }
  }
  /// In rising order of time.
  public let steps: [Step]
  public static let utc = LocalTime(steps: [])

  /// - Precondition: the times rise.
  public init(steps: [Step]) {
    precondition(zip(steps, steps.dropFirst()).allSatisfy { $0.from < $1.from })
    self.steps = steps
  }

  /// Before the first step that of the first; without any, zero.
  /// - Complexity: O(log *n*).
  public func offset(at instant: Instant) -> TimeSpan {
    var (low, high) = (0, steps.count)
    while low < high {
      let middle = (low + high) / 2
      if steps[middle].from <= instant { low = middle + 1 } else { high = middle }
    }
    return steps.isEmpty ? .zero : steps[max(0, low - 1)].offset
  }

  /// What clocks show, as an instant that would show it in UTC: for weekdays and times of day, not for spans.
  public func shown(at instant: Instant) -> Instant { instant + offset(at: instant) }

  /// The first moment after `instant` at which clocks show a time of day. What is skipped in spring is met when clocks are moved; what comes
  /// twice in autumn is met the first time, and then again.
  /// - Parameter timeOfDay: since midnight, below a day.
  public func next(_ timeOfDay: TimeSpan, after instant: Instant) -> Instant {
    let today = shown(at: instant).floored(to: .days(1))
    var found: Instant?
    for day in -1...2 {
      for moment in moments(showing: today + .days(day) + timeOfDay) where moment > instant {
        found = found.map { min($0, moment) } ?? moment
      }
    }
    guard let found else { preconditionFailure("a time of day that does not come within two days") }
    return found
  }

  /// When clocks show a date and time: the first moment at which they do; what is skipped in spring is met when clocks are moved.
  /// - Parameter wanted: the instant that would show it in UTC.
  public func instant(showing wanted: Instant) -> Instant { moments(showing: wanted).first ?? wanted - offset(at: wanted) }

  /// Clocks are moved at most once in two days.
  private func moments(showing wanted: Instant) -> [Instant] {
    let (before, after) = (offset(at: wanted - .days(1)), offset(at: wanted + .days(1)))
    let shown = (before == after ? [before] : [before, after]).map { wanted - $0 }.filter { self.shown(at: $0) == wanted }
    if !shown.isEmpty { return shown }
    return steps.first { $0.from > wanted - .days(1) }.map { [$0.from] } ?? []
  }
}
