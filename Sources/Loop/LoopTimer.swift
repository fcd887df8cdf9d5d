import CLibevent
import Glibc

/// An action that a loop runs once after a while, or again and again, until cancelled.
public final class LoopTimer: @unchecked Sendable {
  private let loop: EventLoop
  private let repeats: Bool
  private var action: (@Sendable () -> Void)?
  private var event: OpaquePointer?

  fileprivate init(loop: EventLoop, repeats: Bool, action: @escaping @Sendable () -> Void) {
    (self.loop, self.repeats, self.action) = (loop, repeats, action)
  }

  /// After it has run on the loop's thread the action is not called any more, and what it held is given back.
  /// From another thread one last call may be under way.
  public func cancel() {
    loop.executor.isCurrent ? disarm() : loop.run { self.disarm() }
  }

  fileprivate func arm(_ delay: Duration) {
    guard action != nil else { return }
    var span = delay.timeval
    let event = event_new(
      loop.base, -1, repeats ? Int16(EV_PERSIST) : 0,
      { _, _, me in
        guard let me else { return }
        Unmanaged<LoopTimer>.fromOpaque(me).takeUnretainedValue().fire()
      }, Unmanaged.passUnretained(self).toOpaque())
    guard let event, event_add(event, &span) == 0 else { preconditionFailure("no memory for a timer") }
    self.event = event
    loop.armed[ObjectIdentifier(self)] = self
  }

  private func fire() {
    let action = action
    if !repeats { disarm() }
    action?()
  }

  /// On the loop's thread, or once that has ended.
  func disarm() {
    action = nil
    guard let armed = event else { return }
    event = nil
    event_free(armed)
    loop.armed[ObjectIdentifier(self)] = nil
  }
}

extension EventLoop {
  /// Runs `action` on the loop once, after `delay`. From any thread.
  @discardableResult
  public func after(_ delay: Duration, _ action: @escaping @Sendable () -> Void) -> LoopTimer {
    timer(delay, repeats: false, action)
  }

  /// Runs `action` on the loop every `period`, the first time after one period, until cancelled. From any thread.
  public func every(_ period: Duration, _ action: @escaping @Sendable () -> Void) -> LoopTimer {
    timer(period, repeats: true, action)
  }

  private func timer(_ span: Duration, repeats: Bool, _ action: @escaping @Sendable () -> Void) -> LoopTimer {
    let timer = LoopTimer(loop: self, repeats: repeats, action: action)
    executor.isCurrent ? timer.arm(span) : run { timer.arm(span) }
    return timer
  }
}
