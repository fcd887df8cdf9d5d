import CLibevent
import Glibc

/// An instant of the machine's monotonic clock, which no one sets; nanoseconds since an arbitrary start.
public struct MonotonicTime: Hashable, Comparable, Sendable {
  public let nanoseconds: Int64

  public static var now: MonotonicTime {
    var time = Glibc.timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return MonotonicTime(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
  }

  public func advanced(by duration: Duration) -> MonotonicTime {
    let (sum, isTooMuch) = nanoseconds.addingReportingOverflow(duration.wholeNanoseconds)
    return MonotonicTime(nanoseconds: isTooMuch ? (duration < .zero ? .min : .max) : sum)
  }

  public static func < (a: MonotonicTime, b: MonotonicTime) -> Bool { a.nanoseconds < b.nanoseconds }
  public static func - (a: MonotonicTime, b: MonotonicTime) -> Duration { .nanoseconds(a.nanoseconds - b.nanoseconds) }

  var timespec: timespec {
    Glibc.timespec(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
  }
}

extension Duration {
  /// Whole nanoseconds, rounded towards zero; what is longer than 292 years is as long as that.
  public var wholeNanoseconds: Int64 {
    let longest = Int64.max / 1_000_000_000 - 1
    return min(max(components.seconds, -longest), longest) * 1_000_000_000 + components.attoseconds / 1_000_000_000
  }

  /// As C's `timeval`, at least one microsecond for anything above zero.
  public var timeval: timeval {
    let microseconds = max(wholeNanoseconds > 0 ? 1 : 0, wholeNanoseconds / 1000)
    return Glibc.timeval(tv_sec: Int(microseconds / 1_000_000), tv_usec: Int(microseconds % 1_000_000))
  }
}
