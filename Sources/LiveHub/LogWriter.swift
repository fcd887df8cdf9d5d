import Dispatch
import Glibc
import Threads

/// Writes the log beside whoever has something to say: the hub's thread never waits for the log's reader.
///
/// A reader may stand still: a terminal that was stopped, a pipe into another program, a collector that is full.
public final class LogWriter: @unchecked Sendable {
  /// Lines that wait at one time; what comes on top is lost, and counted. A busy hub says as much in minutes.
  static let mostWaiting = 10_000

  private let descriptor: Int32
  private let queue = DispatchQueue(label: "log", qos: .utility)
  private let condition = Condition()
  private var waiting: [String] = []
  /// Lines lost behind those that wait.
  private var lost = 0
  private var isWriting = false

  public init(descriptor: Int32 = STDERR_FILENO) {
    self.descriptor = descriptor
  }

  /// Adds a line. From any thread, never blocks; lines leave in the order of the calls.
  public func write(_ line: String) {
    let isFirst = condition.hold { () -> Bool in
      guard waiting.count < Self.mostWaiting else {
        lost += 1
        return false
      }
      waiting.append(line)
      defer { isWriting = true }
      return !isWriting
    }
    if isFirst { queue.async { [self] in writeWaiting() } }
  }

  /// Waits until all is written: before the process ends, for what is not written by then is lost.
  /// - Returns: whether it was before the patience ended.
  @discardableResult
  public func finish(within patience: Duration = .seconds(2)) -> Bool {
    condition.wait(patience: patience) { isWriting ? nil : true } ?? false
  }

  private func writeWaiting() {
    while let lines = take() {
      for line in lines { writeWhole(line + "\n") }
    }
  }

  /// All that waits, and behind it how many were lost; nil, and nobody writes any more, when there is nothing.
  private func take() -> [String]? {
    condition.change {
      if lost > 0 {
        waiting.append(LogLine("log_lost", at: HubClock.system.utc(), ["lines": "\(lost)"]).description)
        lost = 0
      }
      guard !waiting.isEmpty else {
        isWriting = false
        return nil
      }
      defer { waiting = [] }
      return waiting
    }
  }

  private func writeWhole(_ text: String) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let written = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if written > 0 {
        rest = rest.dropFirst(written)
      } else if written < 0, errno == EAGAIN {
        // Others may have set the same terminal or pipe to non-blocking.
        var room = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        poll(&room, 1, -1)
      } else if written == 0 || errno != EINTR {
        return  // nobody reads it any more
      }
    }
  }
}
