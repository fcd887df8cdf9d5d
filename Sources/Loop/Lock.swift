import Glibc

/// A mutual exclusion lock of the C library.
///
/// Chosen over `Synchronization.Mutex`, which gives false reports under ThreadSanitizer and burns CPU when contended.
public final class Lock: @unchecked Sendable {
  let mutex: UnsafeMutablePointer<pthread_mutex_t>

  public init() {
    mutex = .allocate(capacity: 1)
    let result = pthread_mutex_init(mutex, nil)
    precondition(result == 0, "pthread_mutex_init: \(result)")
  }

  deinit {
    pthread_mutex_destroy(mutex)
    mutex.deallocate()
  }

  /// Runs `body` while no other thread is inside. Not recursive; `body` must not block.
  public func hold<Value, Failure: Error>(_ body: () throws(Failure) -> Value) throws(Failure) -> Value {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return try body()
  }
}

/// A value that many threads share, reachable only under its lock.
public final class Locked<Value>: @unchecked Sendable {
  private let lock = Lock()
  private var value: Value

  public init(_ value: sending Value) {
    self.value = value
  }

  /// Runs `body` with the value while no other thread is inside. Not recursive; `body` must not block.
  public func with<Result, Failure: Error>(_ body: (inout Value) throws(Failure) -> Result) throws(Failure) -> Result {
    try lock.hold { () throws(Failure) -> Result in try body(&value) }
  }
}

/// A lock with a condition on which threads wait, by the monotonic clock.
final class Condition: @unchecked Sendable {
  private let lock = Lock()
  private let condition: UnsafeMutablePointer<pthread_cond_t>

  init() {
    condition = .allocate(capacity: 1)
    var attributes = pthread_condattr_t()
    pthread_condattr_init(&attributes)
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    let result = pthread_cond_init(condition, &attributes)
    precondition(result == 0, "pthread_cond_init: \(result)")
    pthread_condattr_destroy(&attributes)
  }

  deinit {
    pthread_cond_destroy(condition)
    condition.deallocate()
  }

  /// Changes what the waiters look at, then wakes all of them.
  func change<Value>(_ body: () -> Value) -> Value {
    lock.hold {
      defer { pthread_cond_broadcast(condition) }
      return body()
    }
  }

  /// Changes what is looked at and wakes nobody.
  func hold<Value>(_ body: () -> Value) -> Value {
    lock.hold(body)
  }

  /// Waits until `ready` gives a value, for at most `patience` (without one: as long as it takes).
  func wait<Value>(patience: Duration?, until ready: () -> Value?) -> Value? {
    var deadline = timespec()
    if let patience { deadline = MonotonicTime.now.advanced(by: patience).timespec }
    return lock.hold {
      while true {
        if let value = ready() { return value }
        guard patience != nil else {
          pthread_cond_wait(condition, lock.mutex)
          continue
        }
        if pthread_cond_timedwait(condition, lock.mutex, &deadline) == ETIMEDOUT { return ready() }
      }
    }
  }
}
