/// How strictly a text is read.
public enum Dialect: Sendable {
  /// RFC 8259, nothing else.
  case json
  /// JSON5: what people write. Comments, trailing commas, unquoted keys, single quotes, hexadecimal, `+5`, `.5`, `5.`
  case json5
  /// JSON off the wire from devices that write it badly: a broken member or element is left out, the rest is kept, and each loss is
  /// in `problems`. (`"sampledValue":[,{`: lbbrhzn#1078; `"transactionId":,`: lbbrhzn#2032.)
  case tolerant
}

/// A text in JSON or JSON5, read: values with their places. Strings and numbers are made only when asked for.
public struct Document: Sendable {
  let storage: Storage
  public var root: Node { Node(storage: storage, index: 0) }
  /// What was left out or mended (tolerant), keys that stand twice, and numbers that are none (JSON5: `NaN`, `Infinity`), in the order
  /// of the text.
  public let problems: [DocumentError]

  /// Nesting beyond this is refused.
  public static let deepest = 64
  /// A longer text is refused unless the caller allows more.
  public static let longest = 1 << 20

  /// - Parameters:
  ///   - bytes: UTF-8; a byte order mark in front is skipped.
  ///   - name: for messages: the file's name.
  ///   - longest: the largest length in bytes.
  /// - Throws: the first error from which there is no going on. Keys that stand twice are an error in JSON, and in `problems` otherwise.
  /// - Complexity: O(*n*) in the length of the text; two allocations.
  public init(
    _ bytes: [UInt8], dialect: Dialect, name: String = "", longest: Int = Document.longest
  ) throws(DocumentError) {
    var parser = Parser(bytes: bytes, dialect: dialect)
    do throws(Flaw) {
      guard bytes.count <= min(longest, Int(UInt32.max)) else {
        throw Flaw(offset: 0, expected: "at most \(longest) bytes", found: "a text of \(bytes.count) bytes")
      }
      try parser.parseDocument()
    } catch {
      throw Self.error(error, in: bytes, name: name)
    }
    storage = Storage(bytes: bytes, entries: parser.entries, name: name)
    problems = parser.problems.isEmpty ? [] : parser.problems.map { Self.error($0, in: bytes, name: name) }
  }
  /// Reads what people write.
  public init(json5 text: String, name: String = "") throws(DocumentError) {
    try self.init(Array(text.utf8), dialect: .json5, name: name, longest: 16 << 20)
  }
  /// Reads JSON and nothing else.
  public init(json text: String, name: String = "") throws(DocumentError) {
    try self.init(Array(text.utf8), dialect: .json, name: name)
  }

  private static func error(_ flaw: Flaw, in bytes: [UInt8], name: String) -> DocumentError {
    DocumentError(
      name: name, position: Locator.position(of: flaw.offset, in: bytes),
      found: flaw.found ?? Locator.excerpt(at: flaw.offset, in: bytes), expected: flaw.expected)
  }
}

/// The text and its table of contents, shared by all nodes.
final class Storage: Sendable {
  let bytes: [UInt8]
  let entries: [Entry]
  let name: String
  init(bytes: [UInt8], entries: [Entry], name: String) { (self.bytes, self.entries, self.name) = (bytes, entries, name) }
}

/// One line of the table: a value or a key and where its text stands.
struct Entry {
  enum Kind: UInt8 { case null, no, yes, number, string, array, object }
  var kind: Kind
  /// A string that holds escapes.
  var isEscaped = false
  /// Byte range: of strings without their quotes, of arrays and objects with their brackets.
  var start: UInt32
  var end: UInt32
  /// Index of the entry after this value and all that is in it.
  var next: UInt32
  /// Elements or members.
  var count: UInt32 = 0
}
