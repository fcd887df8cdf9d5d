import Quantities
import Site

extension ChargingProfile {
  /// What fixes a profile in time when it is evaluated.
  struct Anchor {
    /// When it was installed: the start of an absolute schedule that has none.
    var installed: Instant
    /// Where relative schedules count from.
    var transaction: Instant
    var position: Ambiguities.RelativePosition
  }

  var recurrence: TimeSpan? {
    switch kind {
    case .daily: .days(1)
    case .weekly: .days(7)
    case .absolute, .relative: nil
    }
  }

  /// The first start of the schedule.
  func start(_ anchor: Anchor) -> Instant {
    switch kind {
    case .absolute, .daily, .weekly: return schedule.start ?? anchor.installed
    case .relative:
      if anchor.position == .validFrom, let validFrom { return max(validFrom, anchor.transaction) }
      return anchor.transaction
    }
  }

  func isValid(at instant: Instant) -> Bool {
    if let validFrom, instant < validFrom { return false }
    if let validTo, instant >= validTo { return false }
    return true
  }

  /// The period that holds at `instant`; nil where the profile says nothing: not valid, not begun, or past its duration.
  func period(at instant: Instant, _ anchor: Anchor) -> Schedule.Period? {
    guard isValid(at: instant) else { return nil }
    var offset = instant - start(anchor)
    guard offset >= .zero else { return nil }
    if let recurrence { offset = TimeSpan(raw: offset.raw % recurrence.raw) }
    if let duration = schedule.duration, offset >= duration { return nil }
    return schedule.periods.last { $0.start <= offset }
  }

  /// Every instant inside `from..<to` at which `period(at:)` may change.
  func changes(from: Instant, to: Instant, _ anchor: Anchor) -> [Instant] {
    var result = [validFrom, validTo].compactMap { $0 }
    var marks = schedule.periods.map(\.start)
    if let duration = schedule.duration { marks.append(duration) }
    let first = start(anchor)
    guard let recurrence else {
      result += marks.map { first + $0 }
      return result.filter { $0 > from && $0 < to }
    }
    var turn = first
    if from > first { turn = first + TimeSpan(raw: (from - first).raw / recurrence.raw * recurrence.raw) }
    while turn < to {
      result += marks.filter { $0 < recurrence }.map { turn + $0 }
      turn = turn + recurrence
    }
    return result.filter { $0 > from && $0 < to }
  }
}
