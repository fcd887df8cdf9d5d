import Glibc
import Testing

@testable import StationLink

/// A plain TCP peer that may break every rule. Reads wait at most five seconds.
final class RawPeer {
  private let descriptor: Int32

  init(port: UInt16) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var patience = timeval(tv_sec: 5, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
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

  /// - Returns: whether the peer took all of it.
  @discardableResult
  func write(_ bytes: [UInt8]) -> Bool {
    send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count
  }

  func write(_ text: String) { write(Array(text.utf8)) }

  /// Whether there is something to read, the end of the stream included, within so many milliseconds.
  func isReadable(within milliseconds: Int32) -> Bool {
    var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return Glibc.poll(&poll, 1, milliseconds) > 0
  }

  func endOutput() { shutdown(descriptor, Int32(SHUT_WR)) }

  /// Up to `count` bytes; fewer only at the end of the stream or when the patience ended.
  func read(_ count: Int) -> [UInt8] {
    var all: [UInt8] = [], buffer = [UInt8](repeating: 0, count: 4096)
    while all.count < count {
      let got = recv(descriptor, &buffer, min(buffer.count, count - all.count), 0)
      guard got > 0 else { break }
      all += buffer.prefix(got)
    }
    return all
  }

  /// All that comes until the peer ends the stream; `nil` when it does not end in time.
  func readToEnd() -> [UInt8]? {
    var all: [UInt8] = [], buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      let got = recv(descriptor, &buffer, buffer.count, 0)
      if got > 0 { all += buffer.prefix(got) } else { return got == 0 || errno == ECONNRESET ? all : nil }
    }
  }

  func readHead() -> String {
    var head = ""
    while !head.hasSuffix("\r\n\r\n") {
      let byte = read(1)
      guard !byte.isEmpty else { break }
      head.unicodeScalars.append(Unicode.Scalar(byte[0]))
    }
    return head
  }

  /// The status of the answer to `request`, 0 when none came.
  func status(of request: String) -> Int {
    write(request)
    let words = readHead().split(separator: " ")
    return words.count > 1 ? Int(words[1]) ?? 0 : 0
  }

  /// One unmasked frame of the server.
  func readFrame() -> (opcode: UInt8, payload: [UInt8])? {
    let head = read(2)
    guard head.count == 2 else { return nil }
    var length = Int(head[1])
    if length == 126 { length = read(2).reduce(0) { $0 << 8 | Int($1) } }
    return (head[0] & 15, read(length))
  }

  /// The code of the Close frame that comes next.
  func readCloseCode() -> Int? {
    guard let frame = readFrame(), frame.opcode == 8, frame.payload.count >= 2 else { return nil }
    return Int(frame.payload[0]) << 8 | Int(frame.payload[1])
  }

  static func upgrade(_ path: String, _ fields: [String] = ["Sec-WebSocket-Protocol: ocpp1.6"]) -> String {
    let own = ["Host: hub", "Upgrade: websocket", "Connection: keep-alive, Upgrade", "Sec-WebSocket-Version: 13"]
    let all = ["GET \(path) HTTP/1.1"] + own + ["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="] + fields
    return all.joined(separator: "\r\n") + "\r\n\r\n"
  }

  /// A frame as RFC 6455 §5.2 describes it.
  static func frame(_ opcode: UInt8, _ payload: [UInt8], final: Bool = true, masked: Bool = true) -> [UInt8] {
    var bytes = [(final ? 0x80 : 0) | opcode]
    let mark: UInt8 = masked ? 0x80 : 0
    if payload.count < 126 {
      bytes.append(mark | UInt8(payload.count))
    } else if payload.count < 65536 {
      bytes += [mark | 126, UInt8(payload.count >> 8), UInt8(payload.count & 255)]
    } else {
      bytes.append(mark | 127)
      bytes += (0..<8).reversed().map { UInt8(payload.count >> ($0 * 8) & 255) }
    }
    guard masked else { return bytes + payload }
    let mask: [UInt8] = [0x12, 0x34, 0x56, 0x78]
    return bytes + mask + payload.enumerated().map { $1 ^ mask[$0 % 4] }
  }
}
