/// A place in a text: both count from 1; the column counts characters (Unicode scalars), not bytes.
public struct Position: Hashable, Comparable, Sendable {
  public var line: Int
  public var column: Int
  public init(line: Int, column: Int) { (self.line, self.column) = (line, column) }
  public static func < (a: Position, b: Position) -> Bool { (a.line, a.column) < (b.line, b.column) }
}

/// What is wrong with a document, and where: what was found, and what would be right.
public struct DocumentError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The name under which the document was read, e.g. `site.json5`; empty for a message off the wire.
  public var name: String
  public var position: Position
  /// What stands there, cut short and made printable.
  public var found: String
  /// What would be right there.
  public var expected: String
  public init(name: String, position: Position, found: String, expected: String) {
    (self.name, self.position, self.found, self.expected) = (name, position, found, expected)
  }
  /// `site.json5:12:7: found "sixteen", expected a current in amperes`
  public var description: String {
    let place = "\(position.line):\(position.column): "
    return (name.isEmpty ? place : "\(name):\(place)") + "found \(found), expected \(expected)"
  }
}

/// Several errors of one document, thrown together so that all can be mended in one go. Never empty.
public struct DocumentErrors: Error, Hashable, Sendable, CustomStringConvertible {
  public let errors: [DocumentError]
  /// - Precondition: there is at least one error.
  public init(_ errors: [DocumentError]) {
    precondition(!errors.isEmpty)
    self.errors = errors
  }
  /// One line each, in the order of the text.
  public var description: String { errors.map(\.description).joined(separator: "\n") }
}

/// An error before its line is known: the parser works with byte offsets.
struct Flaw: Error {
  var offset: Int
  var expected: String
  /// nil: what stands at `offset`.
  var found: String?
  /// The tolerant dialect may lose the member and go on.
  var isLocal = true
}

/// Turns byte offsets into lines and columns, and bytes into something printable.
enum Locator {
  static func position(of offset: Int, in bytes: [UInt8]) -> Position {
    var line = 1
    var column = 1
    var i = 0
    while i < offset && i < bytes.count {
      let byte = bytes[i]
      if byte == UInt8(ascii: "\n") || (byte == UInt8(ascii: "\r") && !(i + 1 < bytes.count && bytes[i + 1] == UInt8(ascii: "\n")))
      {
        line += 1
        column = 1
      } else if byte & 0xC0 != 0x80 && byte != UInt8(ascii: "\r") {
        column += 1
      }
      i += 1
    }
    return Position(line: line, column: column)
  }

  /// The token at `offset`, at most 24 bytes of it, in quotes.
  static func excerpt(at offset: Int, in bytes: [UInt8]) -> String {
    guard offset < bytes.count else { return "the end of the text" }
    var end = offset
    let stops: [UInt8] = [
      UInt8(ascii: ","), UInt8(ascii: "}"), UInt8(ascii: "]"), UInt8(ascii: ":"), UInt8(ascii: " "), UInt8(ascii: "\n"),
      UInt8(ascii: "\r"), UInt8(ascii: "\t"),
    ]
    while end < bytes.count && end - offset < 24 && (end == offset || !stops.contains(bytes[end])) { end += 1 }
    return printable(bytes[offset..<end])
  }

  static func printable(_ bytes: ArraySlice<UInt8>) -> String {
    let text = String(decoding: bytes, as: UTF8.self)
    var result = "`"
    for scalar in text.unicodeScalars {
      switch scalar.value {
      case 0x0A: result += "\\n"
      case 0x0D: result += "\\r"
      case 0x09: result += "\\t"
      case 0..<0x20, 0x7F: result += "\\u{" + String(scalar.value, radix: 16) + "}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "`"
  }
}
