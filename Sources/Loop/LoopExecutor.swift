import CLinux
import Glibc
import Threads

/// The queue in front of a loop's thread, and the executor of actors that live on that thread.
///
/// Work is appended under a lock; however much is appended before the loop wakes, it is woken once.
public final class LoopExecutor: SerialExecutor, @unchecked Sendable {
  enum Work {
    case closure(@Sendable () -> Void)
    case job(UnownedJob)
  }

  /// Readable when there is work.
  let wakeDescriptor: Int32
  private let lock = Lock()
  private var work: [Work] = []
  private var isWoken = false
  /// Set by the loop's thread before anything is queued, never changed afterwards.
  var thread = pthread_t()

  init() throws(LoopFault) {
    wakeDescriptor = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
    guard wakeDescriptor >= 0 else { throw .system(call: "eventfd", error: errno) }
  }

  deinit {
    close(wakeDescriptor)
  }

  public func enqueue(_ job: consuming ExecutorJob) {
    append(.job(UnownedJob(job)))
  }

  /// Whether the caller runs on the loop's thread.
  public var isCurrent: Bool { pthread_equal(pthread_self(), thread) != 0 }

  public func isIsolatingCurrentContext() -> Bool? { isCurrent }

  public func checkIsolated() {
    precondition(isCurrent, "called from outside the loop's thread")
  }

  func append(_ item: Work) {
    let mustWake = lock.hold {
      work.append(item)
      defer { isWoken = true }
      return !isWoken
    }
    guard mustWake else { return }
    var one: UInt64 = 1
    // The only failure left, EAGAIN, means that the counter is full: then the loop is awake anyway.
    _ = write(wakeDescriptor, &one, MemoryLayout<UInt64>.size)
  }

  /// Runs what was queued before the call; what the work itself queues comes with the next wake.
  func drain() {
    var counter: UInt64 = 0
    _ = read(wakeDescriptor, &counter, MemoryLayout<UInt64>.size)
    let batch = lock.hold {
      defer { work = [] }
      isWoken = false
      return work
    }
    for item in batch {
      switch item {
      case .closure(let body): body()
      case .job(let job): job.runSynchronously(on: asUnownedSerialExecutor())
      }
    }
  }
}
