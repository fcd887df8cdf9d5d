import Glibc

/// An address with a port, as the system's calls want it.
public struct SocketAddress: Sendable {
  private let storage: [UInt8]
  let family: Int32

  /// Asks the resolver, which may take seconds for a name and no time for a number.
  /// - Throws: `LoopFault.unknownHost`.
  public init(host: String, port: UInt16, numericOnly: Bool = false) throws(LoopFault) {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    hints.ai_flags = AI_NUMERICSERV | (numericOnly ? AI_NUMERICHOST : 0)
    var list: UnsafeMutablePointer<addrinfo>?
    let result = getaddrinfo(host, String(port), &hints, &list)
    defer { if let list { freeaddrinfo(list) } }
    guard result == 0, let first = list?.pointee, let address = first.ai_addr else {
      throw .unknownHost(name: host, reason: String(cString: gai_strerror(result)))
    }
    storage = Array(UnsafeRawBufferPointer(start: address, count: Int(first.ai_addrlen)))
    family = first.ai_family
  }

  public func withSockaddr<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
    storage.withUnsafeBytes { bytes in
      // Aligned copy: an array of bytes promises no alignment.
      var aligned = sockaddr_storage()
      return withUnsafeMutableBytes(of: &aligned) { target in
        target.copyMemory(from: bytes)
        return body(target.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count))
      }
    }
  }
}

/// A bound, non-blocking TCP socket whose accepted connections send small messages at once.
func listeningSocket(address: String, port: UInt16) throws(LoopFault) -> (descriptor: Int32, port: UInt16) {
  let where_ = try SocketAddress(host: address, port: port, numericOnly: true)
  let kind = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
  let descriptor = socket(where_.family, kind, 0)
  guard descriptor >= 0 else { throw .system(call: "socket", error: errno) }
  var yes: Int32 = 1
  let size = socklen_t(MemoryLayout<Int32>.size)
  setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, size)
  setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &yes, size)
  setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, size)
  guard where_.withSockaddr({ bind(descriptor, $0, $1) }) == 0 else {
    let error = errno
    close(descriptor)
    throw .cannotListen(address: address, port: port, error: error)
  }
  return (descriptor, boundPort(of: descriptor))
}

private func boundPort(of descriptor: Int32) -> UInt16 {
  var storage = sockaddr_storage()
  var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
  return withUnsafeMutableBytes(of: &storage) { bytes in
    getsockname(descriptor, bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self), &length)
    // In both families the port follows the family, in network order.
    return UInt16(bytes[2]) << 8 | UInt16(bytes[3])
  }
}
