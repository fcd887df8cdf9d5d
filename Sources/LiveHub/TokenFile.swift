import Documents
import Glibc
import SiteFiles
import Window

/// The tokens of a state directory, in `tokens.json`, which only its owner may read. `sluice token` writes it, also while the hub runs.
public struct TokenFile: Sendable {
  public let path: String
  public init(state: String) { path = state + "/tokens.json" }

  public struct Flaw: Error, CustomStringConvertible, Sendable {
    public var description: String
  }

  /// No file: no tokens.
  public func read() throws -> Tokens {
    guard access(path, F_OK) == 0 else { return Tokens() }
    return try Tokens(json: try ProfileFolder.read(path), name: path)
  }

  /// Puts the whole file in place at once.
  public func write(_ tokens: Tokens) throws {
    try Self.replace(path, with: tokens.json)
  }

  /// Puts a file that only its owner may read in place of another, whole or not at all.
  static func replace(_ path: String, with text: String) throws {
    func flaw(_ what: String) -> Flaw { Flaw(description: "\(path): \(what): \(String(cString: strerror(errno)))") }
    let draft = "\(path).\(getpid())"
    let file = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw flaw("cannot be written") }
    let bytes = Array(text.utf8)
    guard Glibc.write(file, bytes, bytes.count) == bytes.count, fsync(file) == 0, close(file) == 0 else {
      throw flaw("cannot be written")
    }
    guard rename(draft, path) == 0 else { throw flaw("cannot be put in place") }
  }

  /// What tells whether the file has changed.
  struct Seen: Hashable {
    var size: Int
    var seconds: Int
    var nanoseconds: Int
    var inode: UInt
  }
  var seen: Seen? {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    return Seen(
      size: Int(status.st_size), seconds: status.st_mtim.tv_sec, nanoseconds: status.st_mtim.tv_nsec, inode: UInt(status.st_ino))
  }
}
