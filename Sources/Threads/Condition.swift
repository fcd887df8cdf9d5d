import Glibc

/// A lock with a condition on which threads wait, by the monotonic clock.
public final class Condition: @unchecked Sendable {
  private let lock = Lock()
  private let condition: UnsafeMutablePointer<pthread_cond_t>

  public init() {
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
  public func change<Value>(_ body: () -> Value) -> Value {
    lock.hold {
      defer { pthread_cond_broadcast(condition) }
      return body()
    }
  }

  /// Changes what is looked at and wakes nobody.
  public func hold<Value>(_ body: () -> Value) -> Value {
    lock.hold(body)
  }

  /// Waits until `ready` gives a value, for at most `patience` (without one: as long as it takes).
  /// - Returns: nil: it gave none in that time.
  public func wait<Value>(patience: Duration?, until ready: () -> Value?) -> Value? {
    var deadline = patience.map(Self.moment(in:)) ?? timespec()
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

  private static func moment(in patience: Duration) -> timespec {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    let (seconds, attoseconds) = max(patience, .zero).components
    let nanoseconds = now.tv_nsec + Int(attoseconds / 1_000_000_000)
    return timespec(tv_sec: now.tv_sec + Int(seconds) + nanoseconds / 1_000_000_000, tv_nsec: nanoseconds % 1_000_000_000)
  }
}
