import Glibc

/// Files of a state directory that are put in place whole.
enum StateFile {
  struct Flaw: Error, CustomStringConvertible {
    var description: String
  }

  /// Puts a file that only its owner may read in place of another, whole or not at all.
  static func replace(_ path: String, with bytes: [UInt8]) throws(Flaw) {
    func flaw(_ what: String) -> Flaw { Flaw(description: "\(path): \(what): \(String(cString: strerror(errno)))") }
    let draft = "\(path).\(getpid())"
    let file = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw flaw("cannot be written") }
    let isWritten = Glibc.write(file, bytes, bytes.count) == bytes.count && fsync(file) == 0
    guard close(file) == 0, isWritten else { throw flaw("cannot be written") }
    guard rename(draft, path) == 0 else { throw flaw("cannot be put in place") }
  }

  /// - Returns: nil: there is none.
  static func read(_ path: String) throws(Flaw) -> [UInt8]? {
    guard let file = fopen(path, "rb") else {
      if errno == ENOENT { return nil }
      throw Flaw(description: "\(path): cannot be read: \(String(cString: strerror(errno)))")
    }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = fread(&part, 1, part.count, file), count > 0 { bytes += part[..<count] }
    guard ferror(file) == 0 else { throw Flaw(description: "\(path): cannot be read") }
    return bytes
  }
}
