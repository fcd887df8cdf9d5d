/// The head of an HTTP request as it came, after the strict checks.
public struct RequestHead: Hashable, Sendable {
  public enum Method: String, Hashable, Sendable {
    case get = "GET", head = "HEAD", post = "POST", put = "PUT", delete = "DELETE", patch = "PATCH", options = "OPTIONS"
    case trace = "TRACE"
  }
  public struct Field: Hashable, Sendable {
    public let name: String, value: String
    public init(_ name: String, _ value: String) { (self.name, self.value) = (name, value) }
  }

  public let method: Method
  /// Path as sent, percent-encoded, beginning with `/`.
  public let path: String
  /// What follows the first `?`, as sent; `nil` without one.
  public let query: String?
  public let fields: [Field]

  public init(method: Method, path: String, query: String?, fields: [Field]) {
    (self.method, self.path, self.query, self.fields) = (method, path, query, fields)
  }

  /// The first value under this name; names are compared without regard to case.
  public subscript(name: String) -> String? { fields.first { $0.name.lowercased() == name.lowercased() }?.value }

  /// The comma-separated tokens of all fields of this name, in order, blanks trimmed, empty ones left out.
  public func tokens(_ name: String) -> [String] {
    fields.filter { $0.name.lowercased() == name.lowercased() }
      .flatMap { $0.value.split(separator: ",") }
      .map { trimmed($0) }
      .filter { !$0.isEmpty }
  }

  /// The last path segment that is not empty, percent-decoded.
  /// - Returns: `nil` when there is none, or when it does not decode to UTF-8 text without control characters.
  public var lastSegment: String? {
    guard let raw = path.split(separator: "/").last, let text = percentDecoded(raw), !text.isEmpty else { return nil }
    return text.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7f } ? nil : text
  }
}

extension RequestHead {
  /// Why a request is refused before anybody looks at its path.
  enum Flaw: Error, Hashable {
    case badRequest, unknownCoding

    var status: Int32 { self == .badRequest ? 400 : 501 }
  }

  /// What libevent lets pass and must not: it would make two readers of one connection see two different requests.
  /// - Throws: the first flaw met. Source: RFC 9112 §3.2, §5.1, §6.1, §6.3.
  func check() throws(Flaw) {
    guard path.utf8.first == UInt8(ascii: "/"), isVisible(path), isVisible(query ?? "") else { throw .badRequest }
    for field in fields {
      guard !field.name.isEmpty, field.name.utf8.allSatisfy(isTokenByte), isText(field.value) else { throw .badRequest }
    }
    guard count("host") <= 1, count("content-length") <= 1, count("transfer-encoding") <= 1 else { throw .badRequest }
    if let length = self["content-length"] {
      guard !length.isEmpty, length.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), self["transfer-encoding"] == nil else {
        throw .badRequest
      }
    }
    if let coding = self["transfer-encoding"], coding.lowercased() != "chunked" { throw .unknownCoding }
    if method == .head, hasBody { throw .badRequest }
  }

  /// Whether a body was announced.
  var hasBody: Bool { self["transfer-encoding"] != nil || (self["content-length"].map { $0 != "0" } ?? false) }

  private func count(_ name: String) -> Int { fields.count { $0.name.lowercased() == name } }
}

/// Printable, without blanks: what a request target consists of. Bytes above 0x7f are let through, stations send names in them.
private func isVisible(_ text: String) -> Bool { text.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7f } }

private func isText(_ value: String) -> Bool { value.utf8.allSatisfy { ($0 >= 0x20 && $0 != 0x7f) || $0 == 0x09 } }

/// Source: RFC 9110 §5.6.2.
private func isTokenByte(_ byte: UInt8) -> Bool {
  switch byte {
  case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"): true
  default: Array("!#$%&'*+-.^_`|~".utf8).contains(byte)
  }
}

private func trimmed(_ text: Substring) -> String {
  let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\t" }
  return String(text.drop(while: isBlank).reversed().drop(while: isBlank).reversed())
}

/// - Returns: `nil` for a `%` without two hex digits, and for bytes that are not UTF-8.
private func percentDecoded(_ text: Substring) -> String? {
  var bytes: [UInt8] = [], rest = Array(text.utf8)[...]
  while let byte = rest.popFirst() {
    guard byte == UInt8(ascii: "%") else {
      bytes.append(byte)
      continue
    }
    guard let high = rest.popFirst().flatMap(hexDigit), let low = rest.popFirst().flatMap(hexDigit) else { return nil }
    bytes.append(high << 4 | low)
  }
  return String(validating: bytes, as: UTF8.self)
}

private func hexDigit(_ byte: UInt8) -> UInt8? {
  switch byte {
  case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
  case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
  case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
  default: nil
  }
}
