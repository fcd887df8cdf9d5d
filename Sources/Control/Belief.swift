import Quantities
import Site

/// An offer that a station may be following: what was sent and is not yet known to have been replaced.
struct Belief: Hashable, Sendable, Codable {
  enum Progress: Hashable, Sendable, Codable {
    /// Left the mind; perhaps still in a queue.
    case issued
    case sent(Monotonic)
    case accepted(Monotonic)
    /// No answer came; it may be in force.
    case unanswered
  }
  var command: CommandID
  /// Per used phase.
  var current: Current
  /// When the profile ends in `after`; nil: it does not end.
  var until: Monotonic?
  var after: Current
  var progress = Progress.issued
  /// By which way it went; nil: what the station does by itself.
  var route: StationTraits.Route?
  /// The vehicle has been measured at or below it after it was accepted (rule 6).
  var confirmed = false

  /// It went by a way that does not end with the transaction.
  var outlivesTransaction: Bool { route.map { $0 != .transaction } ?? false }

  /// It is not known when it ends: the larger of its currents counts until it is replaced.
  mutating func forgetEnd() {
    guard until != nil else { return }
    (current, until) = (max(current, after), nil)
  }

  /// The most it may let through at `instant`, or at any time up to `horizon` after it, when nobody speaks to the station.
  /// - Parameters:
  ///   - early: how much before `until` the station's clock may end it.
  ///   - late: how much after `until` it, or the vehicle, may still follow it.
  func level(at instant: Monotonic, through horizon: TimeSpan = .zero, early: TimeSpan, late: TimeSpan) -> Current {
    guard let until else { return current }
    let stillRuns = instant < until + late
    let mayHaveEnded = instant + horizon > until - early
    return max(stillRuns ? current : .zero, mayHaveEnded ? after : .zero)
  }
}
