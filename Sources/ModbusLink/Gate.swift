import Glibc
import Quantities

/// The monotonic clock, in milliseconds since the machine started.
func monotonicNow() -> Monotonic {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return Monotonic(milliseconds: time.tv_sec * 1000 + time.tv_nsec / 1_000_000)
}

/// A value behind a mutex, with a way to wait for the end. A thread of its own blocks here, never one of the cooperative pool.
final class Gate<Value>: @unchecked Sendable {
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var value: Value
  private var isClosed = false

  init(_ value: Value) {
    self.value = value
    pthread_mutex_init(mutex, nil)
    var attributes = pthread_condattr_t()
    pthread_condattr_init(&attributes)
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    pthread_cond_init(condition, &attributes)
    pthread_condattr_destroy(&attributes)
  }
  deinit {
    pthread_cond_destroy(condition)
    pthread_mutex_destroy(mutex)
    condition.deallocate()
    mutex.deallocate()
  }

  func with<Result>(_ body: (inout Value) -> Result) -> Result {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return body(&value)
  }
  /// Wakes whoever waits; from now on nobody waits any more.
  func close() {
    pthread_mutex_lock(mutex)
    isClosed = true
    pthread_cond_broadcast(condition)
    pthread_mutex_unlock(mutex)
  }
  var closed: Bool {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return isClosed
  }
  /// Returns at `deadline`, or at once when closed.
  func wait(until deadline: Monotonic) {
    var time = timespec(tv_sec: deadline.milliseconds / 1000, tv_nsec: deadline.milliseconds % 1000 * 1_000_000)
    pthread_mutex_lock(mutex)
    while !isClosed && pthread_cond_timedwait(condition, mutex, &time) == 0 {}
    pthread_mutex_unlock(mutex)
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
