import Glibc
import Quantities

/// The two clocks of a house: the wall's, which can be set, and one that never steps. Tests give their own.
public struct HubClock: Sendable {
  public var utc: @Sendable () -> Instant
  public var monotonic: @Sendable () -> Monotonic
  public init(utc: @escaping @Sendable () -> Instant, monotonic: @escaping @Sendable () -> Monotonic) {
    (self.utc, self.monotonic) = (utc, monotonic)
  }

  /// The machine's clocks.
  public static let system = HubClock(
    utc: { Instant(milliseconds: read(CLOCK_REALTIME)) }, monotonic: { Monotonic(milliseconds: read(CLOCK_MONOTONIC)) })

  /// The wall clock minus the other: it changes when the wall clock is set or slewed.
  var offset: TimeSpan { .milliseconds(utc().milliseconds - monotonic().milliseconds) }

  private static func read(_ clock: clockid_t) -> Int {
    var time = timespec()
    clock_gettime(clock, &time)
    return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
  }
}
