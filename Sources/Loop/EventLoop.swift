import CLibevent
import CLinux
import Glibc
import Threads

/// One thread that waits for sockets, timers and signals, and on which everything of libevent happens.
///
/// Objects that live on a loop are touched on its thread only; others reach them through `run`.
/// A loop holds itself alive until `stop`.
public final class EventLoop: @unchecked Sendable {
  /// For actors that live on this loop.
  public let executor: LoopExecutor
  /// libevent's `event_base`; on the loop's thread only.
  public let base: OpaquePointer
  private var wakeEvent: OpaquePointer?
  private var thread = pthread_t()
  private let started = Latch()
  private var signals: [(event: OpaquePointer, action: SignalAction)] = []
  /// Timers that have yet to fire; on the loop's thread only.
  var armed: [ObjectIdentifier: LoopTimer] = [:]
  private var idleEvent: OpaquePointer?
  private var idleWork: [() -> Void] = []
  /// Urgencies that libevent tells apart: signals first, sockets and timers in the middle, what may wait until they are done last.
  private static let priorities: Int32 = 3

  /// Starts the thread. From now on the process ignores SIGPIPE: a peer that has gone is an error of the write.
  /// - Throws: `LoopFault.system` or `.library`.
  public init() throws(LoopFault) {
    executor = try LoopExecutor()
    guard let configuration = event_config_new() else { throw .library(call: "event_config_new") }
    defer { event_config_free(configuration) }
    event_config_set_flag(configuration, Int32(EVENT_BASE_FLAG_NOLOCK.rawValue))
    guard let base = event_base_new_with_config(configuration) else { throw .library(call: "event_base_new_with_config") }
    self.base = base
    signal(SIGPIPE, SIG_IGN)
    event_base_priority_init(base, Self.priorities)
    try watchWakeDescriptor()
    try prepareIdleEvent()
    try startThread()
  }

  /// Runs `work` on the loop's thread, after everything queued before; from the loop's thread too, not at once.
  public func run(_ work: @escaping @Sendable () -> Void) {
    executor.append(.closure(work))
  }

  /// Runs `work` on the loop's thread and waits for it. On the loop's thread itself it runs at once.
  public func sync<Value: Sendable, Failure: Error>(_ work: @escaping @Sendable () throws(Failure) -> Value) throws(Failure)
    -> Value
  {
    if executor.isCurrent { return try work() }
    let outcome = Locked<Result<Value, Failure>?>(nil), done = Latch()
    run {
      let result = Result { () throws(Failure) -> Value in try work() }
      outcome.with { $0 = result }
      done.open()
    }
    done.wait()
    guard let result = outcome.with({ $0 }) else { preconditionFailure("the latch opened before the outcome was there") }
    return try result.get()
  }

  /// Runs `work` once, on the loop's thread, when no socket and no timer is ready: what was to be written, and can be, has been written by
  /// then, and what had come has been read. Where there is always something, that may be long. On the loop's thread only.
  public func whenIdle(_ work: @escaping () -> Void) {
    preconditionCurrent()
    idleWork.append(work)
    if let idleEvent { event_active(idleEvent, Int32(EV_TIMEOUT), 0) }
  }

  /// Stops the program when the caller is not on the loop's thread.
  public func preconditionCurrent() {
    executor.checkIsolated()
  }

  /// Calls `action` on the loop each time the process gets the signal. One loop of a process may watch signals.
  /// - Source: libevent's own handler is used rather than signalfd, for that needs the signal blocked in every thread there is.
  public func onSignal(_ number: Int32, _ action: @escaping @Sendable () -> Void) {
    run { [self] in
      let box = SignalAction(action)
      let flags = Int16(EV_SIGNAL | EV_PERSIST)
      let event = event_new(
        base, number, flags,
        { _, _, box in
          guard let box else { return }
          Unmanaged<SignalAction>.fromOpaque(box).takeUnretainedValue().action()
        }, Unmanaged.passUnretained(box).toOpaque())
      guard let event, event_add(event, nil) == 0 else { preconditionFailure("signal \(number) cannot be watched") }
      signals.append((event, box))
    }
  }

  /// Ends the thread after the work queued so far and frees the base. Servers and clients of the loop must have been stopped.
  /// Not from the loop's own thread.
  public func stop() {
    precondition(!executor.isCurrent, "a loop cannot wait for itself")
    run { [self] in event_base_loopbreak(base) }
    pthread_join(thread, nil)
    for signal in signals { event_free(signal.event) }
    signals = []
    for timer in armed.values { timer.disarm() }
    for event in [wakeEvent, idleEvent] { if let event { event_free(event) } }
    idleWork = []
    event_base_free(base)
  }

  private func watchWakeDescriptor() throws(LoopFault) {
    let me = Unmanaged.passUnretained(self).toOpaque()
    let flags = Int16(EV_READ | EV_PERSIST)
    wakeEvent = event_new(
      base, executor.wakeDescriptor, flags,
      { _, _, me in
        guard let me else { return }
        Unmanaged<EventLoop>.fromOpaque(me).takeUnretainedValue().executor.drain()
      }, me)
    guard let wakeEvent, event_add(wakeEvent, nil) == 0 else { throw .library(call: "event_new") }
  }

  private func prepareIdleEvent() throws(LoopFault) {
    idleEvent = event_new(
      base, -1, 0,
      { _, _, me in
        guard let me else { return }
        Unmanaged<EventLoop>.fromOpaque(me).takeUnretainedValue().idle()
      }, Unmanaged.passUnretained(self).toOpaque())
    guard let idleEvent, event_priority_set(idleEvent, Self.priorities - 1) == 0 else { throw .library(call: "event_priority_set") }
  }

  private func idle() {
    let work = idleWork
    idleWork = []
    for one in work { one() }
  }

  private func startThread() throws(LoopFault) {
    let me = Unmanaged.passRetained(self)
    let result = pthread_create(
      &thread, nil,
      { me in
        guard let me else { return nil }
        let loop = Unmanaged<EventLoop>.fromOpaque(me).takeRetainedValue()
        loop.executor.thread = pthread_self()
        loop.started.open()
        event_base_loop(loop.base, EVLOOP_NO_EXIT_ON_EMPTY)
        return nil
      }, me.toOpaque())
    guard result == 0 else {
      me.release()
      throw .system(call: "pthread_create", error: result)
    }
    started.wait()
  }
}

private final class SignalAction: Sendable {
  let action: @Sendable () -> Void
  init(_ action: @escaping @Sendable () -> Void) { self.action = action }
}
