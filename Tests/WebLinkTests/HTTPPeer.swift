import Glibc
import Testing

/// A plain TCP client that may break every rule. Reads wait at most five seconds.
final class HTTPPeer {
  private let descriptor: Int32

  init(port: UInt16) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var patience = timeval(tv_sec: 5, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
    try #require(result == 0)
  }
  deinit { close(descriptor) }

  @discardableResult func write(_ text: String) -> Bool {
    let bytes = Array(text.utf8)
    return send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count
  }

  /// What comes until the peer ends the stream, the patience is over, or `enough` says so.
  func read(until enough: (String) -> Bool = { _ in false }) -> String {
    var all: [UInt8] = [], buffer = [UInt8](repeating: 0, count: 65536)
    while true {
      let got = recv(descriptor, &buffer, buffer.count, 0)
      guard got > 0 else { break }
      all += buffer.prefix(got)
      if enough(String(decoding: all, as: UTF8.self)) { break }
    }
    return String(decoding: all, as: UTF8.self)
  }

  static func ask(_ port: UInt16, _ line: String, _ fields: [String] = [], body: String = "") throws -> String {
    let peer = try HTTPPeer(port: port)
    let length = body.isEmpty ? [] : ["Content-Length: \(body.utf8.count)"]
    peer.write(
      "\(line) HTTP/1.1\r\n" + (["Host: localhost:\(port)"] + length + fields).map { $0 + "\r\n" }.joined() + "\r\n" + body)
    return peer.read()
  }
}
