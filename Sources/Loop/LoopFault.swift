import Glibc

/// What the world can do wrong to a loop, its listeners and its certificates.
public enum LoopFault: Error, Equatable, Sendable {
  /// A call of the system failed.
  case system(call: String, error: Int32)
  /// libevent or OpenSSL could not make an object; in practice: no memory.
  case library(call: String)
  /// The address is not one of this machine's, is not numeric, or the port is taken or reserved.
  case cannotListen(address: String, port: UInt16, error: Int32)
  /// The name of a host could not be resolved.
  case unknownHost(name: String, reason: String)
  /// A certificate or key file that cannot be used.
  case certificate(file: String, reason: String)
}

extension LoopFault: CustomStringConvertible {
  public var description: String {
    switch self {
    case .system(let call, let error): "\(call): \(String(cString: strerror(error)))"
    case .library(let call): "\(call) failed"
    case .cannotListen(let address, let port, let error):
      "cannot listen on \(address) port \(port): \(String(cString: strerror(error)))"
    case .unknownHost(let name, let reason): "cannot find the host \(name): \(reason)"
    case .certificate(let file, let reason): "\(file): \(reason)"
    }
  }
}
