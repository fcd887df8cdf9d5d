import Glibc

/// Standard error, a line at a time; lines of several threads do not mix. It waits for its reader: what a hub logs goes through `LogWriter`.
enum StandardError {
  static func write(_ line: String) { writeRaw(line + "\n") }
  /// As it is: for a line that is written over.
  static func writeRaw(_ text: String) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let written = rest.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
      guard written > 0 || errno == EINTR else { return }  // nobody reads it any more
      rest = rest.dropFirst(max(0, written))
    }
  }
}
