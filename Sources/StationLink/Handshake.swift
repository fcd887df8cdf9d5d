import COpenSSL
import Loop

/// The opening handshake of RFC 6455 as OCPP-J uses it: both sides' arithmetic, no sockets.
enum Handshake {
  /// Why a request cannot become a WebSocket; each has one answer.
  enum Flaw: Error, Hashable {
    case notGet, notAnUpgrade, version, key, body
  }

  /// - Returns: the client's key.
  /// - Throws: the first flaw. Source: RFC 6455 §4.2.1.
  static func key(of head: RequestHead) throws(Flaw) -> String {
    guard head.method == .get else { throw .notGet }
    guard head.tokens("connection").contains(where: { $0.lowercased() == "upgrade" }),
      head.tokens("upgrade").contains(where: { $0.lowercased() == "websocket" })
    else { throw .notAnUpgrade }
    guard head["sec-websocket-version"] == "13" else { throw .version }
    guard let key = head["sec-websocket-key"], base64Decoded(key)?.count == 16 else { throw .key }
    guard head["transfer-encoding"] == nil, (head["content-length"] ?? "0") == "0" else { throw .body }
    return key
  }

  /// What a server answers to a client's key. Source: RFC 6455 §4.2.2.
  static func accept(_ key: String) -> String {
    var digest = [UInt8](repeating: 0, count: 20)
    let text = Array((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8)
    EVP_Digest(text, text.count, &digest, nil, EVP_sha1(), nil)
    return base64(digest)
  }

  static func response(to key: String, subprotocol: String?) -> String {
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      + "Sec-WebSocket-Accept: \(accept(key))\r\n" + (subprotocol.map { "Sec-WebSocket-Protocol: \($0)\r\n" } ?? "") + "\r\n"
  }

  /// User and password of HTTP Basic authentication. Source: RFC 7617 §2.
  static func basic(_ authorization: String?) -> (user: String, password: String)? {
    guard let authorization, authorization.lowercased().hasPrefix("basic ") else { return nil }
    let code = authorization.dropFirst(6).drop { $0 == " " }
    guard let bytes = base64Decoded(String(code)), let text = String(validating: bytes, as: UTF8.self),
      let colon = text.firstIndex(of: ":")
    else { return nil }
    return (String(text[..<colon]), String(text[text.index(after: colon)...]))
  }

  static func base64(_ bytes: [UInt8]) -> String {
    var text = [UInt8](repeating: 0, count: (bytes.count + 2) / 3 * 4 + 1)
    let length = EVP_EncodeBlock(&text, bytes, Int32(bytes.count))
    return String(decoding: text.prefix(Int(length)), as: UTF8.self)
  }

  /// - Returns: `nil` for what is not base64 with its padding.
  static func base64Decoded(_ text: String) -> [UInt8]? {
    let code = Array(text.utf8), padding = code.reversed().prefix { $0 == UInt8(ascii: "=") }.count
    guard !code.isEmpty, code.count % 4 == 0, code.count < 4096, padding <= 2 else { return nil }
    var bytes = [UInt8](repeating: 0, count: code.count / 4 * 3)
    guard EVP_DecodeBlock(&bytes, code, Int32(code.count)) >= 0 else { return nil }
    return Array(bytes.dropLast(padding))
  }
}
