import Control
import Quantities
import Site

/// Drives the mind in both houses: stamps an event, records it, lets the mind think, and lets its effects go when they may.
///
/// The house gives the time with each call and acts on what is returned. It calls `handle` for each event and `wake` at `nextWake` and
/// whenever the store has something to report. A house in which seconds count calls `decide` instead, acts, and then `keep`: what has to
/// leave does not wait until it is written down.
public struct Driver<Log: Store> {
  public var store: Log
  public private(set) var controller: SiteController
  /// The newest stamp given; sequence 0: none yet.
  public private(set) var stamp: EventStamp
  /// Everything up to this sequence survives a crash.
  public private(set) var durableThrough: UInt64
  /// The store does not keep what it is given.
  public private(set) var storeHasFailed = false
  public private(set) var lastFault: StoreFault?
  /// Hears of each entry when it is recorded, how many bytes it takes, and up to which sequence everything is durable by then. It must not
  /// touch the driver.
  public var observer: ((_ entry: Entry, _ coded: Int, _ durableThrough: UInt64) -> Void)?
  private let version: String
  private let timing: RecordTiming
  private var clock: ClockOffset?
  private var gate = Gate()
  private var writer = BatchWriter()
  /// The newest thought, not yet with the writer.
  private var unwritten: Entry?
  /// nil: no inputs are kept.
  private var inputs: InputKeeper?
  private var oldestPending: Monotonic?
  /// Something that is not yet with the store concerns a station or a transaction.
  private var hasCommands = false
  private var isUrgent: Bool { hasCommands || gate.isWaiting }
  private var underWay: Submission?
  /// Closed while another was under way, oldest first.
  private var waiting: [Submission] = []
  /// What all that is closed and not durable yet takes, about.
  public private(set) var waitingBytes = 0
  /// How many batches wait for the one under way.
  public var waitingBatches: Int { waiting.count }
  /// So much waits that raw readings are not recorded: the store has failed for long.
  public var leavesOutReadings: Bool { writer.leavesOutReadings }
  /// Raw readings of closed batches that were never recorded.
  public private(set) var readingsLeftOut = 0
  /// How large the mind's state was when it was last written.
  private var stateBytes = 0
  private var retryAt: Monotonic?
  private var retryAfter: TimeSpan
  private var snapshotDue: Monotonic?

  /// A batch as it goes to the store.
  private struct Submission {
    var batch: Batch
    var snapshot: Snapshot?
    /// What both take, about.
    var bytes: Int
  }

  /// - Parameters:
  ///   - restored: what the store kept; nil: a new journal, whose first event must be `.configured`. After a restart the first
  ///     event must be `.restarted`.
  ///   - keepsInputs: with each profile for a transaction, keep what it was worked out from as blocks. Costs a view of the hub each time.
  public init(
    store: Log, version: String, restored: Restored? = nil, timing: RecordTiming = RecordTiming(), keepsInputs: Bool = false
  ) {
    (self.store, self.version, self.timing) = (store, version, timing)
    if keepsInputs { inputs = InputKeeper() }
    controller = restored?.controller ?? SiteController()
    stamp = restored?.stamp ?? EventStamp(utc: Instant(milliseconds: 0), monotonic: Monotonic(milliseconds: 0), sequence: 0)
    durableThrough = stamp.sequence
    retryAfter = timing.retry
  }

  /// Records the event and thinks.
  /// - Parameters:
  ///   - utc: the wall clock.
  ///   - monotonic: the house's clock that never steps.
  /// - Returns: what is to be done now, in order.
  public mutating func handle(_ event: Event, utc: Instant, monotonic: Monotonic) -> [Effect] {
    defer { keep(monotonic: monotonic) }
    return decide(event, utc: utc, monotonic: monotonic)
  }

  /// Hears the store, thinks if the mind's deadline has come, and gives the store what waits.
  public mutating func wake(utc: Instant, monotonic: Monotonic) -> [Effect] {
    defer { keep(monotonic: monotonic) }
    return decide(nil, utc: utc, monotonic: monotonic)
  }

  /// Thinks, as `handle` does, and leaves what was thought to the next call, whichever it is, to be written down.
  /// - Parameter event: nil: hear the store, and think if the mind's deadline has come.
  /// - Returns: what is to be done now, in order.
  public mutating func decide(_ event: Event?, utc: Instant, monotonic: Monotonic) -> [Effect] {
    let now = time(monotonic, utc: utc)
    var effects = collect(utc: utc, now: now)
    if let event {
      effects += think(event, utc: utc, now: now)
    } else if let deadline = controller.nextDeadline, deadline <= now {
      effects += think(.deadline, utc: utc, now: now)
    }
    return effects
  }

  /// Writes down what was decided, and gives the store what waits.
  public mutating func keep(monotonic: Monotonic) {
    write()
    submit(now: max(stamp.monotonic, clock?.mind(monotonic) ?? monotonic))
  }

  /// When to call `wake`, on the house's clock, if nothing comes before; nil: never.
  public var nextWake: Monotonic? {
    var due = [controller.nextDeadline, underWay == nil ? nil : retryAt ?? store.nextReport]
    if underWay == nil, !waiting.isEmpty { due.append(stamp.monotonic) }
    if underWay == nil, let oldestPending { due.append(isUrgent ? oldestPending : oldestPending + timing.linger) }
    return due.compactMap { $0 }.min().map { clock?.house($0) ?? $0 }
  }

  /// Submits everything recorded, with a snapshot: before an orderly end. Call `wake` until `isDurable`.
  public mutating func finish(monotonic: Monotonic) {
    let now = clock?.mind(monotonic) ?? monotonic
    write()
    snapshotDue = now
    submit(now: now, all: true)
  }
  /// Everything recorded survives a crash.
  public var isDurable: Bool { unwritten == nil && writer.isEmpty && waiting.isEmpty && underWay == nil }

  /// The stamp that an event at this moment would have, for `SiteController.view`.
  public func stamp(utc: Instant, monotonic: Monotonic) -> EventStamp {
    EventStamp(
      utc: utc, monotonic: max(stamp.monotonic, clock?.mind(monotonic) ?? stamp.monotonic), sequence: stamp.sequence + 1)
  }

  private mutating func time(_ monotonic: Monotonic, utc: Instant) -> Monotonic {
    if clock == nil { clock = ClockOffset(house: monotonic, utc: utc, last: stamp) }
    return max(stamp.monotonic, clock?.mind(monotonic) ?? monotonic)
  }

  private mutating func think(_ event: Event, utc: Instant, now: Monotonic) -> [Effect] {
    var result: [Effect] = []
    var queue = [event]
    while !queue.isEmpty {
      let event = queue.removeFirst()
      write()  // while the mind is still as it was then
      stamp = EventStamp(utc: utc, monotonic: now, sequence: stamp.sequence + 1)
      let effects = controller.handle(event, at: stamp)
      record(Entry(stamp: stamp, event: event, effects: effects), now: now)
      var (released, cancelled) = ([Effect](), [CommandID]())
      if case .clockStepped = event { cancelled = gate.clockStepped() }
      let admitted = gate.admit(effects, sequence: stamp.sequence)
      released += admitted.released
      cancelled += admitted.cancelled
      if storeHasFailed, !Self.isCancellation(event) {
        let freed = gate.storeFailed()
        released += freed.released
        cancelled += freed.cancelled
      }
      result += released
      if !cancelled.isEmpty { queue.append(.cancelled(cancelled)) }
    }
    return result
  }

  /// What a mind asks for in answer to a cancellation waits for the next event: otherwise the two could go on for ever.
  private static func isCancellation(_ event: Event) -> Bool {
    if case .cancelled = event { return true }
    return false
  }

  private mutating func record(_ entry: Entry, now: Monotonic) {
    unwritten = entry
    if oldestPending == nil { oldestPending = now }
    for effect in entry.effects {
      if case .command = effect { hasCommands = true }
      if case .transaction = effect { hasCommands = true }
    }
  }

  /// Gives the newest thought to the writer, with its inputs; the mind has thought nothing since.
  private mutating func write() {
    guard var entry = unwritten else { return }
    unwritten = nil
    do {
      var blocks: [Block] = []
      if inputs != nil, InputKeeper.areNeeded(entry.effects) {
        (blocks, entry.mentions) = try inputs?.take(controller, at: entry.stamp) ?? ([], [])
      }
      let before = writer.size
      try writer.append(entry, blocks: blocks)
      observer?(entry, writer.size - before, durableThrough)
    } catch {
      preconditionFailure("an event or effect that cannot be written: \(error)")
    }
    // Where the mind's state has to go along, a batch is at least as large as that.
    let most = writer.leavesOutReadings ? max(timing.batchBytes, stateBytes) : timing.batchBytes
    guard underWay != nil || !waiting.isEmpty, writer.size >= most else { return }
    let closed = close(now: stamp.monotonic, withSnapshot: false)
    waiting.append(closed)
  }

  /// Ends the batch that was gathered, whose last entry is the mind's newest thought, and begins the next.
  private mutating func close(now: Monotonic, withSnapshot isDue: Bool) -> Submission {
    let batch = writer.finish()
    // Nobody can think across readings that were left out: what comes after them begins at a snapshot, durable with them.
    let snapshot = isDue || batch.readingsLeftOut > 0 ? takeSnapshot() : nil
    if let snapshot { (snapshotDue, stateBytes) = (now + timing.snapshots, snapshot.state.count) }
    let closed = Submission(batch: batch, snapshot: snapshot, bytes: writer.size + (snapshot?.state.count ?? 0))
    waitingBytes += closed.bytes
    readingsLeftOut += batch.readingsLeftOut
    writer = BatchWriter(after: writer, leavingOutReadings: waitingBytes >= timing.mostWaiting)
    (oldestPending, hasCommands) = (nil, false)
    return closed
  }

  private mutating func collect(utc: Instant, now: Monotonic) -> [Effect] {
    var effects: [Effect] = []
    for report in store.reports(at: now) {
      switch report {
      case .durable(let sequence):
        waitingBytes -= underWay?.bytes ?? 0
        (underWay, durableThrough) = (nil, sequence)
        retryAfter = timing.retry
        if storeHasFailed {
          storeHasFailed = false
          effects += think(.storeRecovered, utc: utc, now: now)
        }
        effects += gate.release(through: sequence)
      case .failed(_, let fault):
        lastFault = fault
        retryAt = now + retryAfter
        retryAfter = min(retryAfter * 2, timing.longestRetry)
        guard !storeHasFailed else { continue }
        storeHasFailed = true
        let freed = gate.storeFailed()
        effects += freed.released
        if !freed.cancelled.isEmpty { effects += think(.cancelled(freed.cancelled), utc: utc, now: now) }
        effects += think(.storeFailed, utc: utc, now: now)
      }
    }
    return effects
  }

  private mutating func submit(now: Monotonic, all: Bool = false) {
    if let task = underWay {
      guard let due = retryAt, due <= now else { return }
      retryAt = nil
      return store.submit(task.batch, snapshot: task.snapshot, at: now)
    }
    guard let next = nextSubmission(now: now, all: all) else { return }
    underWay = next
    store.submit(next.batch, snapshot: next.snapshot, at: now)
  }

  private mutating func nextSubmission(now: Monotonic, all: Bool) -> Submission? {
    if !waiting.isEmpty { return waiting.removeFirst() }
    guard let oldest = oldestPending, !writer.isEmpty else { return nil }
    guard all || isUrgent || now - oldest >= timing.linger || writer.size >= timing.batchBytes else { return nil }
    return close(now: now, withSnapshot: snapshotDue.map { $0 <= now } ?? true)
  }

  private func takeSnapshot() -> Snapshot {
    do {
      return Snapshot(stamp: stamp, version: version, state: try BinaryEncoder.encodeNamed(controller))
    } catch {
      preconditionFailure("a mind that cannot be written: \(error)")
    }
  }
}

/// How long the record may wait, and how often the mind's state is kept.
public struct RecordTiming: Hashable, Sendable {
  /// How long entries that concern no station and no transaction may gather.
  public var linger: TimeSpan
  public var snapshots: TimeSpan
  public var retry: TimeSpan
  public var longestRetry: TimeSpan
  /// A batch of so many bytes does not gather any longer; while another is under way, the next one begins.
  public var batchBytes: Int
  /// So many bytes wait for a store that fails; from then on batches begin without raw readings, the rest is recorded as ever.
  public var mostWaiting: Int
  public init(
    linger: TimeSpan = .seconds(10), snapshots: TimeSpan = .hours(1), retry: TimeSpan = .seconds(1),
    longestRetry: TimeSpan = .seconds(30), batchBytes: Int = 1 << 18, mostWaiting: Int = 64 << 20
  ) {
    (self.linger, self.snapshots, self.retry, self.longestRetry) = (linger, snapshots, retry, longestRetry)
    (self.batchBytes, self.mostWaiting) = (batchBytes, mostWaiting)
  }
}

/// Continues the mind's monotonic time across restarts of the house: the time between is taken from the wall clock, never below zero.
struct ClockOffset: Hashable, Sendable {
  let offset: TimeSpan
  init(house: Monotonic, utc: Instant, last: EventStamp) {
    let away = last.sequence == 0 ? TimeSpan.zero : max(.zero, utc - last.utc)
    offset = last.sequence == 0 ? .zero : (last.monotonic + away) - house
  }
  func mind(_ house: Monotonic) -> Monotonic { house + offset }
  func house(_ mind: Monotonic) -> Monotonic { mind - offset }
}
