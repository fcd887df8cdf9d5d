import Documents
import Glibc
import SiteFiles
import Window

/// The tokens of a state directory, in `tokens.json`, which only its owner may read. `sluice token` writes it, also while the hub runs.
public struct TokenFile: Sendable {
  public let path: String
  public init(state: String) { path = state + "/tokens.json" }

  /// No file: no tokens.
  public func read() throws -> Tokens {
    guard access(path, F_OK) == 0 else { return Tokens() }
    return try Tokens(json: try ProfileFolder.read(path), name: path)
  }

  /// Puts the whole file in place at once.
  public func write(_ tokens: Tokens) throws {
    try StateFile.replace(path, with: Array(tokens.json.utf8))
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
