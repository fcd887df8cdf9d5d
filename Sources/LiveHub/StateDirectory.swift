import Glibc

/// The directory that holds the journal, locked until `unlock` or the end of this object: one controller per directory.
public final class StateDirectory: @unchecked Sendable {
  public let path: String
  private let descriptor: Int32

  /// Why a state directory cannot be used.
  public enum Flaw: Error, Hashable, Sendable, CustomStringConvertible {
    case cannotMake(path: String, error: Int32)
    case cannotLock(path: String, error: Int32)
    /// Another controller lives in it.
    case inUse(path: String)
    public var description: String {
      switch self {
      case .cannotMake(let path, let error): "\(path): cannot be made: \(String(cString: strerror(error)))"
      case .cannotLock(let path, let error): "\(path)/lock: cannot be locked: \(String(cString: strerror(error)))"
      case .inUse(let path): "\(path): another controller uses this state directory; stop it, or name another one with --state"
      }
    }
  }

  /// Makes the directory and those above it where they are missing, and locks it.
  public init(path: String) throws(Flaw) {
    var made = path.hasPrefix("/") ? "" : "."
    for part in path.split(separator: "/") {
      made += "/\(part)"
      guard mkdir(made, 0o750) == 0 || errno == EEXIST else { throw .cannotMake(path: made, error: errno) }
    }
    let file = open(path + "/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o640)
    guard file >= 0 else { throw .cannotLock(path: path, error: errno) }
    guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
      let error = errno
      close(file)
      throw error == EWOULDBLOCK ? .inUse(path: path) : .cannotLock(path: path, error: error)
    }
    (self.path, descriptor) = (path, file)
  }

  /// Lets another controller in. What is in the directory must not be touched any more.
  func unlock() { flock(descriptor, LOCK_UN) }

  deinit { close(descriptor) }
}
