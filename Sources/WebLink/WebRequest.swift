import Loop

/// One HTTP request, as a value that may go to any thread.
public struct WebRequest: Hashable, Sendable {
  public let method: RequestHead.Method
  /// The segments of the path, percent-decoded; none for `/`.
  public let path: [String]
  /// The parameters of the query, percent-decoded, in order.
  public let query: [Parameter]
  public let body: [UInt8]
  /// Numeric address of the peer.
  public let remote: String
  public let head: RequestHead

  public struct Parameter: Hashable, Sendable {
    public let name: String, value: String
    public init(_ name: String, _ value: String) { (self.name, self.value) = (name, value) }
  }

  /// - Returns: nil when path or query do not decode to text without control characters.
  public init?(_ head: RequestHead, body: [UInt8], remote: String) {
    var path: [String] = []
    for part in head.path.split(separator: "/") {
      guard let text = Self.decoded(part, plusIsBlank: false) else { return nil }
      path.append(text)
    }
    var query: [Parameter] = []
    for part in (head.query ?? "").split(separator: "&") {
      let halves = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard let name = Self.decoded(halves[0], plusIsBlank: true),
        let value = halves.count > 1 ? Self.decoded(halves[1], plusIsBlank: true) : ""
      else { return nil }
      query.append(Parameter(name, value))
    }
    (self.method, self.head, self.path, self.query) = (head.method, head, path, query)
    (self.body, self.remote) = (body, remote)
  }

  public subscript(_ name: String) -> String? { head[name] }
  /// The first parameter of that name.
  public func parameter(_ name: String) -> String? { query.first { $0.name == name }?.value }

  /// The token of `Authorization: Bearer`. Source: RFC 6750 §2.1.
  public var bearer: String? {
    guard let field = head["authorization"], field.lowercased().hasPrefix("bearer ") else { return nil }
    let token = field.dropFirst(7).drop { $0 == " " }
    return token.isEmpty ? nil : String(token)
  }

  /// Whether the peer is a program on this machine that was not led here by a page of somebody else: its address is loopback, the name it
  /// asked for is this machine's own, and a browser does not say that another site is behind it.
  public var isFromThisMachine: Bool {
    guard ["127.0.0.1", "::1", "::ffff:127.0.0.1"].contains(remote) else { return false }
    guard let host = head["host"], Self.isOwnName(host) else { return false }
    if let origin = head["origin"] {
      guard let slashes = origin.range(of: "://"), origin[slashes.upperBound...] == host else { return false }
    }
    if let site = head["sec-fetch-site"], site != "same-origin", site != "none" { return false }
    return true
  }

  private static func isOwnName(_ host: String) -> Bool {
    let name: Substring
    if host.hasPrefix("[") { name = host.prefix { $0 != "]" }.dropFirst() } else { name = host.prefix { $0 != ":" } }
    return ["localhost", "127.0.0.1", "::1"].contains(String(name))
  }

  private static func decoded(_ text: Substring, plusIsBlank: Bool) -> String? {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      switch byte {
      case UInt8(ascii: "%"):
        guard let high = rest.popFirst().flatMap(hexDigit), let low = rest.popFirst().flatMap(hexDigit) else { return nil }
        bytes.append(high << 4 | low)
      case UInt8(ascii: "+") where plusIsBlank: bytes.append(UInt8(ascii: " "))
      default: bytes.append(byte)
      }
    }
    guard let text = String(validating: bytes, as: UTF8.self) else { return nil }
    return text.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7f } ? nil : text
  }

  private static func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    default: nil
    }
  }
}

extension String {
  /// The first place of a text.
  fileprivate func range(of text: String) -> Range<String.Index>? {
    var start = startIndex
    while start < endIndex {
      if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
      start = index(after: start)
    }
    return nil
  }
}
