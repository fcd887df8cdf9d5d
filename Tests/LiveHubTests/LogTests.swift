import Glibc
import LiveHub
import Testing

@testable import LiveHub

/// The log never holds up whoever has something to say.
@Suite struct `The log` {
  /// A pipe and what was read from it, a line at a time.
  private final class Pipe {
    let reader: Int32
    let writer: Int32
    private var rest: [UInt8] = []

    init() throws {
      var ends: [Int32] = [0, 0]
      try #require(pipe(&ends) == 0)
      (reader, writer) = (ends[0], ends[1])
    }
    deinit {
      close(reader)
      close(writer)
    }

    /// The next line, at most ten seconds later.
    func next() -> String? {
      while true {
        if let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
          defer { rest.removeSubrange(...end) }
          return String(decoding: rest[..<end], as: UTF8.self)
        }
        var state = pollfd(fd: reader, events: Int16(POLLIN), revents: 0)
        var buffer = [UInt8](repeating: 0, count: 4096)
        guard poll(&state, 1, 10_000) == 1 else { return nil }
        let count = read(reader, &buffer, buffer.count)
        guard count > 0 else { return nil }
        rest += buffer.prefix(count)
      }
    }
  }

  @Test func `a reader that stands still holds up nobody; what it reads then is in order, and what was lost is told and counted`()
    throws
  {
    let pipe = try Pipe(), log = LogWriter(descriptor: pipe.writer)
    let count = 50_000
    for number in 0..<count { log.write("line \(number)") }
    #expect(!log.finish(within: .milliseconds(10)))
    var (next, lost) = (0, 0)
    while next < count {
      let words = try #require(pipe.next()).split(separator: " ")
      if words.first == "line" {
        try #require(words.last == "\(next)")
        next += 1
      } else {
        try #require(words.count == 3 && words[0].hasPrefix("time=") && words[1] == "event=log_lost", "\(words)")
        let lines = try #require(words[2].split(separator: "=").last.flatMap { Int($0) })
        (next, lost) = (next + lines, lost + lines)
      }
    }
    #expect(next == count)
    // A pipe holds 64 KB, which is less than ten thousand lines; as many are being written and as many wait.
    #expect(lost > count - 3 * LogWriter.mostWaiting)
    log.write("and on")
    #expect(pipe.next() == "and on")
    #expect(log.finish())
  }

  @Test func `when it has finished all is written, also where writing must not block`() throws {
    let pipe = try Pipe(), log = LogWriter(descriptor: pipe.writer)
    #expect(log.finish())
    try #require(fcntl(pipe.writer, F_SETFL, O_NONBLOCK) == 0)
    let long = String(repeating: "x", count: 100_000)
    log.write(long)
    #expect(pipe.next() == long)
    for number in 0..<100 { log.write("\(number)") }
    #expect(log.finish())
    for number in 0..<100 { #expect(pipe.next() == "\(number)") }
  }

  @Test func `a reader that has gone holds up nobody either`() throws {
    signal(SIGPIPE, SIG_IGN)  // as a loop does
    var ends: [Int32] = [0, 0]
    try #require(pipe(&ends) == 0)
    close(ends[0])
    let log = LogWriter(descriptor: ends[1])
    for number in 0..<1000 { log.write("\(number)") }
    #expect(log.finish())
    close(ends[1])
  }
}
