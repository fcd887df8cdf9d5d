import Quantities
import Site

/// What the load that nobody controls is expected to be on one circuit: what was seen in earlier weeks at that time, moved by how today
/// differs, the difference fading within four hours.
struct LoadForecast {
  private let statistics: LoadStatistics?
  private let localTime: LocalTime
  private let permille: Int
  private let present: PerPhase<Current>
  /// The median of earlier weeks at this time of the week; nil: this time was not seen.
  private let usualNow: PerPhase<Current>?
  private let unknown: PerPhase<Current>
  private let now: Instant
  private static let fading = TimeSpan.hours(4)

  /// - Parameters:
  ///   - permille: which part of what was seen it is likely not to exceed.
  ///   - unknown: what it goes back to where nothing was seen in earlier weeks.
  ///   - present: what it is now.
  init(
    _ statistics: LoadStatistics?, _ localTime: LocalTime, permille: Int, present: PerPhase<Current>, unknown: PerPhase<Current>,
    now: Instant
  ) {
    (self.statistics, self.localTime, self.permille, self.now) = (statistics, localTime, permille, now)
    (self.present, self.unknown) = (present, unknown)
    usualNow = statistics?.quantiles(500, at: localTime.shown(at: now))
  }

  /// - Complexity: O(1).
  func load(at start: Instant) -> PerPhase<Current> {
    let left = max(0, Self.fading.raw - max(0, (start - now).raw))
    var (usual, before) = (unknown, unknown)
    if let usualNow, let seen = statistics?.quantiles(permille, at: localTime.shown(at: start)) {
      (usual, before) = (seen, usualNow)
    }
    return usual + (present - before).map { $0.scaled(left, over: Self.fading.raw) }
  }
}
