/// Reads a text into a table of entries. Recursive, bounded by `Document.deepest`.
struct Parser {
  let bytes: [UInt8]
  let dialect: Dialect
  var at = 0
  var depth = 0
  var entries: [Entry] = []
  var problems: [Flaw] = []

  init(bytes: [UInt8], dialect: Dialect) {
    (self.bytes, self.dialect) = (bytes, dialect)
    entries.reserveCapacity(8 + bytes.count / 8)
  }

  /// The byte here, or 0 at the end (a zero byte is nowhere allowed outside strings).
  var byte: UInt8 { at < bytes.count ? bytes[at] : 0 }
  var isAtEnd: Bool { at >= bytes.count }

  mutating func parseDocument() throws(Flaw) {
    if bytes.count >= 3 && bytes[0] == 0xEF && bytes[1] == 0xBB && bytes[2] == 0xBF { at = 3 }
    try skipBlanks()
    try parseValue()
    try skipBlanks()
    if !isAtEnd { throw Flaw(offset: at, expected: "nothing after the value") }
  }

  mutating func parseValue() throws(Flaw) {
    switch byte {
    case UInt8(ascii: "{"): try parseObject()
    case UInt8(ascii: "["): try parseArray()
    case UInt8(ascii: "\""): try parseString()
    case UInt8(ascii: "'") where dialect == .json5: try parseString()
    case UInt8(ascii: "t"): try parseWord("true", .yes)
    case UInt8(ascii: "f"): try parseWord("false", .no)
    case UInt8(ascii: "n"): try parseWord("null", .null)
    case UInt8(ascii: "-"), 48...57: try parseNumber()
    case UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "I"), UInt8(ascii: "N"):
      if dialect != .json5 { fallthrough }
      try parseNumber()
    default: throw Flaw(offset: at, expected: "a value", isLocal: !isAtEnd)
    }
  }

  private mutating func open(_ kind: Entry.Kind) throws(Flaw) -> Int {
    guard depth < Document.deepest else {
      throw Flaw(offset: at, expected: "at most \(Document.deepest) levels of nesting", isLocal: false)
    }
    depth += 1
    entries.append(Entry(kind: kind, start: UInt32(at), end: 0, next: 0))
    at += 1
    return entries.count - 1
  }
  private mutating func close(_ opened: Int, count: Int) {
    depth -= 1
    at += 1
    entries[opened].end = UInt32(at)
    entries[opened].next = UInt32(entries.count)
    entries[opened].count = UInt32(count)
  }

  private mutating func parseArray() throws(Flaw) {
    let opened = try open(.array)
    var count = 0
    try skipBlanks()
    while byte != UInt8(ascii: "]") {
      let mark = entries.count
      do throws(Flaw) {
        try parseValue()
        count += 1
      } catch {
        try lose(error, since: mark)
      }
      try separate(before: UInt8(ascii: "]"))
    }
    close(opened, count: count)
  }

  private mutating func parseObject() throws(Flaw) {
    let opened = try open(.object)
    var count = 0
    var index = KeyIndex()
    try skipBlanks()
    while byte != UInt8(ascii: "}") {
      let mark = entries.count
      do throws(Flaw) {
        try parseKey()
        try skipBlanks()
        guard byte == UInt8(ascii: ":") else {
          throw Flaw(offset: at, expected: "`:` after the key", isLocal: !isAtEnd)
        }
        at += 1
        try skipBlanks()
        try parseValue()
        if index.holds(entries[mark], among: entries, members: opened + 1..<mark, bytes) {
          let offset = Int(entries[mark].start)
          let key = Text.decode(bytes, offset..<Int(entries[mark].end), isEscaped: entries[mark].isEscaped)
          let flaw = Flaw(offset: offset, expected: "each key once", found: "`\(key)` a second time")
          if dialect == .json { throw flaw }
          problems.append(flaw)
          entries.removeLast(entries.count - mark)
        } else {
          count += 1
        }
      } catch {
        try lose(error, since: mark)
      }
      try separate(before: UInt8(ascii: "}"))
    }
    close(opened, count: count)
  }

  /// After an element: the comma, and what may stand instead of one.
  private mutating func separate(before end: UInt8) throws(Flaw) {
    try skipBlanks()
    let expected = end == UInt8(ascii: "]") ? "`,` or `]`" : "`,` or `}`"
    while true {
      if byte == end { return }
      if byte == UInt8(ascii: ",") {
        let comma = at
        at += 1
        try skipBlanks()
        if byte == end && dialect == .json { throw Flaw(offset: comma, expected: "no comma before the end") }
        if byte == end && dialect == .tolerant { problems.append(Flaw(offset: comma, expected: "no comma before the end")) }
        return
      }
      let flaw = Flaw(offset: at, expected: expected, isLocal: !isAtEnd)
      guard dialect == .tolerant, flaw.isLocal else { throw flaw }
      problems.append(flaw)
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "{"), UInt8(ascii: "["): return  // only the comma is missing
      case UInt8(ascii: "]"), UInt8(ascii: "}"): throw flaw
      default:
        try skipToSeparator()
        try skipBlanks()
      }
    }
  }

  /// Tolerant: forgets the broken member and goes on at the next separator.
  private mutating func lose(_ flaw: Flaw, since mark: Int) throws(Flaw) {
    guard dialect == .tolerant, flaw.isLocal else { throw flaw }
    problems.append(flaw)
    entries.removeLast(entries.count - mark)
    try skipToSeparator()
  }

  /// Goes to the next comma or closing bracket that belongs to the value around this place.
  private mutating func skipToSeparator() throws(Flaw) {
    var open = 0
    while !isAtEnd {
      switch byte {
      case UInt8(ascii: ",") where open == 0: return
      case UInt8(ascii: "{"), UInt8(ascii: "["): open += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        if open == 0 { return }
        open -= 1
      case UInt8(ascii: "\""):
        at += 1
        while !isAtEnd && byte != UInt8(ascii: "\"") { at += byte == UInt8(ascii: "\\") ? 2 : 1 }
      default: break
      }
      at += 1
    }
    at = bytes.count
    throw Flaw(offset: at, expected: "the rest of the text", isLocal: false)
  }

  private mutating func parseWord(_ word: StaticString, _ kind: Entry.Kind) throws(Flaw) {
    let start = at
    let text = word.description.utf8
    var end = start
    for expected in text {
      guard end < bytes.count, bytes[end] == expected else {
        throw Flaw(offset: start, expected: "a value", isLocal: end < bytes.count)
      }
      end += 1
    }
    if end < bytes.count, Self.isIdentifierPart(bytes[end]) { throw Flaw(offset: start, expected: "a value") }
    at = end
    entries.append(Entry(kind: kind, start: UInt32(start), end: UInt32(end), next: UInt32(entries.count + 1)))
  }

  static func isIdentifierStart(_ byte: UInt8) -> Bool {
    (byte | 0x20) &- 97 < 26 || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "$") || byte >= 0x80
  }
  static func isIdentifierPart(_ byte: UInt8) -> Bool { isIdentifierStart(byte) || byte &- 48 < 10 }
}

/// Finds keys that stand twice: by comparing while there are few, by hashing when there are many, so that no text is slow.
struct KeyIndex {
  private var seen: Set<String>?
  private var count = 0

  /// Whether a key equal to `key` stands among the members before it; remembers it.
  mutating func holds(_ key: Entry, among entries: [Entry], members: Range<Int>, _ bytes: [UInt8]) -> Bool {
    count += 1
    if seen == nil && count <= 24 {
      var at = members.lowerBound
      while at < members.upperBound {
        if Self.same(entries[at], key, bytes) { return true }
        at = Int(entries[at + 1].next)
      }
      return false
    }
    if seen == nil {
      var keys: Set<String> = []
      var at = members.lowerBound
      while at < members.upperBound {
        keys.insert(Self.text(entries[at], bytes))
        at = Int(entries[at + 1].next)
      }
      seen = keys
    }
    return seen?.insert(Self.text(key, bytes)).inserted == false
  }

  private static func text(_ entry: Entry, _ bytes: [UInt8]) -> String {
    Text.decode(bytes, Int(entry.start)..<Int(entry.end), isEscaped: entry.isEscaped)
  }
  private static func same(_ a: Entry, _ b: Entry, _ bytes: [UInt8]) -> Bool {
    if a.isEscaped || b.isEscaped { return text(a, bytes) == text(b, bytes) }
    guard a.end - a.start == b.end - b.start else { return false }
    var (i, j) = (Int(a.start), Int(b.start))
    while i < Int(a.end) {
      if bytes[i] != bytes[j] { return false }
      i += 1
      j += 1
    }
    return true
  }
}
