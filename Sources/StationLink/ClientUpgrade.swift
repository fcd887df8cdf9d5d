import CLibevent
import Loop

/// The client's half of the opening handshake: one request, one answer.
final class ClientUpgrade {
  enum Answer: Hashable {
    case incomplete, malformed
    case refused(status: Int)
    case accepted(subprotocol: String?)
  }

  static let headLimit = 8 * 1024
  private let key = Handshake.base64((0..<16).map { _ in UInt8.random(in: .min ... .max) })

  func request(to endpoint: StationClient.Endpoint) -> String {
    var fields = [
      "GET \(endpoint.path) HTTP/1.1", "Host: \(endpoint.host):\(endpoint.port)", "Upgrade: websocket", "Connection: Upgrade",
      "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: \(key)",
    ]
    if let subprotocol = endpoint.subprotocol { fields.append("Sec-WebSocket-Protocol: \(subprotocol)") }
    if let password = endpoint.password {
      fields.append("Authorization: Basic \(Handshake.base64(Array("\(endpoint.user ?? ""):\(password)".utf8)))")
    }
    return fields.joined(separator: "\r\n") + "\r\n\r\n"
  }

  /// Takes the head off the input when it is complete; what follows it is frames.
  func read(_ input: OpaquePointer?, wanting subprotocol: String?) -> Answer {
    let end = evbuffer_search(input, "\r\n\r\n", 4, nil)
    guard end.pos >= 0 else { return evbuffer_get_length(input) > Self.headLimit ? .malformed : .incomplete }
    let length = Int(end.pos) + 4
    guard length <= Self.headLimit else { return .malformed }
    let bytes = [UInt8](unsafeUninitializedCapacity: length) { bytes, count in
      count = max(0, Int(evbuffer_remove(input, bytes.baseAddress, length)))
    }
    guard let head = String(validating: bytes, as: UTF8.self) else { return .malformed }
    return judge(head, wanting: subprotocol)
  }

  /// Source: RFC 6455 §4.1, the client's duties after the server's response.
  private func judge(_ head: String, wanting wanted: String?) -> Answer {
    var lines = head.split(separator: "\r\n", omittingEmptySubsequences: true)[...]
    let words = lines.popFirst()?.split(separator: " ") ?? []
    guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]) else { return .malformed }
    guard status == 101 else { return .refused(status: status) }
    var fields: [RequestHead.Field] = []
    for line in lines {
      guard let colon = line.firstIndex(of: ":") else { return .malformed }
      let value = line[line.index(after: colon)...].drop { $0 == " " }
      fields.append(.init(String(line[..<colon]), String(value)))
    }
    let response = RequestHead(method: .get, path: "/", query: nil, fields: fields)
    let chosen = response["sec-websocket-protocol"]
    guard response["sec-websocket-accept"] == Handshake.accept(key), chosen == nil || chosen == wanted else { return .malformed }
    return .accepted(subprotocol: chosen)
  }
}
