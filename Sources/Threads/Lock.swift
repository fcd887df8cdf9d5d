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
