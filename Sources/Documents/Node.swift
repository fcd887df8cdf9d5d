/// A value in a document: cheap to pass on, and knows where it stands.
public struct Node: Sendable {
  let storage: Storage
  let index: Int

  public enum Kind: Hashable, Sendable { case null, bool, number, string, array, object }
  var entry: Entry { storage.entries[index] }
  var range: Range<Int> { Int(entry.start)..<Int(entry.end) }

  public var kind: Kind {
    switch entry.kind {
    case .null: .null
    case .no, .yes: .bool
    case .number: .number
    case .string: .string
    case .array: .array
    case .object: .object
    }
  }
  public var isNull: Bool { entry.kind == .null }
  public var bool: Bool? {
    switch entry.kind {
    case .yes: true
    case .no: false
    default: nil
    }
  }
  public var string: String? { entry.kind == .string ? Text.decode(storage.bytes, range, isEscaped: entry.isEscaped) : nil }
  public var number: ExactNumber? { entry.kind == .number ? ExactNumber(decoding: storage.bytes, range) : nil }
  /// The number, if it is a whole one that fits.
  public var integer: Int? { number?.integer }
  /// Elements of an array or members of an object; 0 for anything else.
  public var count: Int { Int(entry.count) }

  /// The elements of an array; none for anything else.
  public var elements: Elements { Elements(storage: storage, at: index + 1, left: entry.kind == .array ? count : 0) }
  /// The members of an object in the order of the text; none for anything else.
  public var members: Members { Members(storage: storage, at: index + 1, left: entry.kind == .object ? count : 0) }

  /// The member of that name; of several, the first. nil: there is none, or this is no object.
  /// - Complexity: O(members).
  public subscript(key: String) -> Node? {
    guard entry.kind == .object else { return nil }
    var at = index + 1
    for _ in 0..<count {
      let label = storage.entries[at]
      if Text.equals(storage.bytes, Int(label.start)..<Int(label.end), isEscaped: label.isEscaped, key) {
        return Node(storage: storage, index: at + 1)
      }
      at = Int(storage.entries[at + 1].next)
    }
    return nil
  }
  /// The element at that place, from 0; nil: there is none, or this is no array.
  /// - Complexity: O(`position`).
  public subscript(position: Int) -> Node? {
    guard entry.kind == .array, position >= 0, position < count else { return nil }
    var at = index + 1
    for _ in 0..<position { at = Int(storage.entries[at].next) }
    return Node(storage: storage, index: at)
  }

  /// - Complexity: O(length of the text before it).
  public var position: Position { Locator.position(of: textRange.lowerBound, in: storage.bytes) }
  /// As it stands in the document, quotes and brackets included.
  public var source: String { String(decoding: storage.bytes[textRange], as: UTF8.self) }
  private var textRange: Range<Int> { entry.kind == .string ? quoted : range }
  private var quoted: Range<Int> {
    let (start, end) = (range.lowerBound, range.upperBound)
    let isQuoted = start > 0 && (storage.bytes[start - 1] == UInt8(ascii: "\"") || storage.bytes[start - 1] == UInt8(ascii: "'"))
    return isQuoted ? start - 1..<min(end + 1, storage.bytes.count) : range
  }
  /// What stands here, cut short for a message.
  public var excerpt: String {
    switch kind {
    case .object: count == 0 ? "an empty object" : "an object"
    case .array: count == 0 ? "an empty list" : "a list"
    default:
      Locator.printable(storage.bytes[textRange.prefix(40)]) + (textRange.count > 40 ? "..." : "")
    }
  }
  /// An error about this value.
  public func error(expected: String) -> DocumentError {
    DocumentError(name: storage.name, position: position, found: excerpt, expected: expected)
  }
  /// An error about this value, when what it means is wrong rather than how it is written.
  public func error(found: String, expected: String) -> DocumentError {
    DocumentError(name: storage.name, position: position, found: found, expected: expected)
  }

  public struct Elements: Sequence, IteratorProtocol, Sendable {
    let storage: Storage
    var at: Int
    var left: Int
    public mutating func next() -> Node? {
      guard left > 0 else { return nil }
      let node = Node(storage: storage, index: at)
      at = Int(storage.entries[at].next)
      left -= 1
      return node
    }
    public var underestimatedCount: Int { left }
  }
  public struct Members: Sequence, IteratorProtocol, Sendable {
    let storage: Storage
    var at: Int
    var left: Int
    public mutating func next() -> Member? {
      guard left > 0 else { return nil }
      let member = Member(label: Node(storage: storage, index: at), value: Node(storage: storage, index: at + 1))
      at = Int(storage.entries[at + 1].next)
      left -= 1
      return member
    }
    public var underestimatedCount: Int { left }
  }
  public struct Member: Sendable {
    /// The key as a string node, which knows its place.
    public let label: Node
    public let value: Node
    public var key: String { label.string ?? "" }
  }
}

// MARK: Members that must be there

extension Node {
  /// The member `key`; `null` counts as absent.
  public func optional(at key: String) -> Node? {
    guard let node = self[key], !node.isNull else { return nil }
    return node
  }
  public func required(at key: String, expected: String) throws(DocumentError) -> Node {
    guard kind == .object else { throw error(expected: "an object with `\(key)`") }
    guard let node = optional(at: key) else { throw error(found: "no `\(key)`", expected: expected) }
    return node
  }
  /// - Throws: when there is no such member, or it is no string.
  public func string(at key: String) throws(DocumentError) -> String {
    let node = try required(at: key, expected: "a text")
    guard let value = node.string else { throw node.error(expected: "a text for `\(key)`") }
    return value
  }
  /// - Throws: when there is no such member, or it is no whole number.
  public func integer(at key: String) throws(DocumentError) -> Int {
    let node = try required(at: key, expected: "a whole number")
    guard let value = node.integer else { throw node.error(expected: "a whole number for `\(key)`") }
    return value
  }
  /// - Throws: when there is no such member, or it is no number.
  public func number(at key: String) throws(DocumentError) -> ExactNumber {
    let node = try required(at: key, expected: "a number")
    guard let value = node.number else { throw node.error(expected: "a number for `\(key)`") }
    return value
  }
  /// - Throws: when there is no such member, or it is neither `true` nor `false`.
  public func bool(at key: String) throws(DocumentError) -> Bool {
    let node = try required(at: key, expected: "true or false")
    guard let value = node.bool else { throw node.error(expected: "true or false for `\(key)`") }
    return value
  }
  /// nil when absent or null.
  public func optionalString(at key: String) throws(DocumentError) -> String? {
    guard let node = optional(at: key) else { return nil }
    guard let value = node.string else { throw node.error(expected: "a text for `\(key)`") }
    return value
  }
  /// nil when absent or null.
  public func optionalInteger(at key: String) throws(DocumentError) -> Int? {
    guard let node = optional(at: key) else { return nil }
    guard let value = node.integer else { throw node.error(expected: "a whole number for `\(key)`") }
    return value
  }
}
