import Glibc
import Quantities
import Threads

/// The monotonic clock, in milliseconds since the machine started.
func monotonicNow() -> Monotonic {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return Monotonic(milliseconds: time.tv_sec * 1000 + time.tv_nsec / 1_000_000)
}

/// A value behind a lock, with a way to wait for the end. A thread of its own blocks here, never one of the cooperative pool.
final class Gate<Value>: @unchecked Sendable {
  private let condition = Condition()
  private var value: Value
  private var isClosed = false

  init(_ value: Value) { self.value = value }

  func with<Result>(_ body: (inout Value) -> Result) -> Result { condition.hold { body(&value) } }
  /// As `with`, and wakes whoever waits for the change.
  func change(_ body: (inout Value) -> Void) { condition.change { body(&value) } }
  /// Wakes whoever waits; from now on nobody waits any more.
  func close() { condition.change { isClosed = true } }
  var closed: Bool { condition.hold { isClosed } }
  /// Returns at `deadline`, or at once when closed.
  func wait(until deadline: Monotonic) {
    _ = condition.wait(patience: .milliseconds((deadline - monotonicNow()).milliseconds)) { isClosed ? true : nil }
  }
  /// Returns once `isReady`, or when closed.
  func wait(for isReady: (Value) -> Bool) {
    _ = condition.wait(patience: nil) { isClosed || isReady(value) ? true : nil }
  }
}

/// A thread that can be joined.
final class WorkThread: @unchecked Sendable {
  private var handle = pthread_t()
  private final class Body {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
  }

  /// - Returns: nil when the system has no thread left.
  init?(_ run: @escaping @Sendable () -> Void) {
    let body = Unmanaged.passRetained(Body(run))
    let status = pthread_create(
      &handle, nil,
      { context in
        guard let context else { return nil }
        let body = Unmanaged<Body>.fromOpaque(context).takeRetainedValue()
        body.run()
        return nil
      }, body.toOpaque())
    if status != 0 {
      body.release()
      return nil
    }
  }
  func join() { pthread_join(handle, nil) }
}
