extension Parser {
  mutating func parseKey() throws(Flaw) {
    if byte == UInt8(ascii: "\"") || (byte == UInt8(ascii: "'") && dialect == .json5) { return try parseString() }
    let flaw = Flaw(offset: at, expected: dialect == .json5 ? "a key" : "a key in double quotes", isLocal: !isAtEnd)
    guard dialect != .json, Self.isIdentifierStart(byte) else { throw flaw }
    if dialect == .tolerant { problems.append(flaw) }
    let start = at
    while !isAtEnd && Self.isIdentifierPart(byte) {
      if byte < 0x80 { at += 1 } else { try skipCharacter() }
    }
    entries.append(Entry(kind: .string, start: UInt32(start), end: UInt32(at), next: UInt32(entries.count + 1)))
  }

  mutating func parseString() throws(Flaw) {
    let opening = at
    let quote = byte
    var isEscaped = false
    at += 1
    while true {
      at = endOfPlainText(from: at, quote: quote)
      guard at < bytes.count else { break }
      let here = bytes[at]
      if here == quote {
        entries.append(
          Entry(
            kind: .string, isEscaped: isEscaped, start: UInt32(opening + 1), end: UInt32(at), next: UInt32(entries.count + 1)))
        at += 1
        return
      }
      if here == UInt8(ascii: "\\") {
        isEscaped = true
        do throws(Flaw) { try skipEscape() } catch {
          at = opening
          throw error
        }
      } else if here < 0x20 {
        let flaw = Flaw(offset: at, expected: "no control character in a text, except escaped", isLocal: true)
        // A raw line break inside a sampled value is common enough (evcc#15612) to be worth keeping the value.
        guard dialect == .tolerant || (dialect == .json5 && here == 0x09) else { throw flaw }
        if dialect == .tolerant { problems.append(flaw) }
        at += 1
      } else {
        do throws(Flaw) { try skipCharacter() } catch {
          at = opening
          throw error
        }
      }
    }
    throw Flaw(offset: opening, expected: "a closing quote", isLocal: false)
  }

  /// The first byte that is the quote, a backslash, a control character or not ASCII: most texts have none but the quote.
  @inline(__always) private func endOfPlainText(from start: Int, quote: UInt8) -> Int {
    let text = bytes.span
    var i = start
    while i < text.count {
      let byte = text[i]
      if byte == quote || byte == UInt8(ascii: "\\") || byte &- 0x20 >= 0x60 { break }
      i += 1
    }
    return i
  }

  /// Passes a character of two to four bytes: no overlong forms, no surrogates, nothing above U+10FFFF (Unicode, table 3-7).
  mutating func skipCharacter() throws(Flaw) {
    let lead = bytes[at]
    let length: Int
    var second: ClosedRange<UInt8> = 0x80...0xBF
    switch lead {
    case 0xC2...0xDF: length = 2
    case 0xE0: (length, second) = (3, 0xA0...0xBF)
    case 0xED: (length, second) = (3, 0x80...0x9F)
    case 0xE1...0xEF: length = 3
    case 0xF0: (length, second) = (4, 0x90...0xBF)
    case 0xF4: (length, second) = (4, 0x80...0x8F)
    case 0xF1...0xF3: length = 4
    default: length = 0
    }
    let flaw = Flaw(offset: at, expected: "UTF-8", found: "the byte 0x\(String(lead, radix: 16, uppercase: true))")
    guard length > 0, at + length <= bytes.count, second.contains(bytes[at + 1]) else { throw flaw }
    for i in stride(from: at + 2, to: at + length, by: 1) where bytes[i] & 0xC0 != 0x80 { throw flaw }
    at += length
  }

  private mutating func skipEscape() throws(Flaw) {
    let start = at
    guard at + 1 < bytes.count else { throw Flaw(offset: at, expected: "a closing quote", isLocal: false) }
    let escape = bytes[at + 1]
    at += 2
    switch escape {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"), UInt8(ascii: "n"),
      UInt8(ascii: "r"), UInt8(ascii: "t"):
      return
    case UInt8(ascii: "u"):
      let unit = try hexadecimal(digits: 4, from: start)
      if unit & 0xFC00 == 0xDC00 { throw Flaw(offset: start, expected: "no second half of a surrogate pair alone") }
      if unit & 0xFC00 == 0xD800 {
        let alone = Flaw(offset: start, expected: "both halves of a surrogate pair")
        guard at + 1 < bytes.count, bytes[at] == UInt8(ascii: "\\"), bytes[at + 1] == UInt8(ascii: "u") else { throw alone }
        at += 2
        if try hexadecimal(digits: 4, from: start) & 0xFC00 != 0xDC00 { throw alone }
      }
    case UInt8(ascii: "x") where dialect == .json5: _ = try hexadecimal(digits: 2, from: start)
    case UInt8(ascii: "0") where dialect == .json5 && !(byte &- 48 < 10): return
    case 48...57: throw Flaw(offset: start, expected: "an escape that there is")
    case 0x0D where dialect == .json5: if byte == 0x0A { at += 1 }
    case 0x80... where dialect == .json5:
      at -= 1
      try skipCharacter()
    default:
      if dialect != .json5 { throw Flaw(offset: start, expected: "an escape that there is") }
    }
  }

  private mutating func hexadecimal(digits: Int, from start: Int) throws(Flaw) -> UInt32 {
    guard at + digits <= bytes.count, bytes[at..<at + digits].allSatisfy(Text.isHexadecimal) else {
      throw Flaw(offset: start, expected: "\(digits) hexadecimal digits")
    }
    at += digits
    return Text.hexadecimal(bytes, at - digits..<at)
  }

  mutating func parseNumber() throws(Flaw) {
    let start = at
    while !isAtEnd, Self.isNumberPart(byte) { at += 1 }
    let range = start..<at
    if ExactNumber.isNumber(bytes, range) || (dialect == .json5 && isLooseNumber(range)) {
      entries.append(Entry(kind: .number, start: UInt32(start), end: UInt32(at), next: UInt32(entries.count + 1)))
      return
    }
    let word = String(decoding: bytes[range], as: UTF8.self)
    at = start
    if dialect == .json5, ["NaN", "Infinity"].contains(word.drop { $0 == "+" || $0 == "-" }) {
      // Valid JSON5, useless as a quantity: reported, and null stands in its place.
      problems.append(Flaw(offset: start, expected: "a finite number"))
      at = range.upperBound
      entries.append(Entry(kind: .null, start: UInt32(start), end: UInt32(at), next: UInt32(entries.count + 1)))
      return
    }
    throw Flaw(offset: start, expected: "a number", isLocal: range.upperBound < bytes.count)
  }

  private static func isNumberPart(_ byte: UInt8) -> Bool {
    byte &- 48 < 10 || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+")
      || isIdentifierStart(byte)
  }

  /// What JSON5 adds: a sign in front, hexadecimal, a point at either end.
  private func isLooseNumber(_ range: Range<Int>) -> Bool {
    var digits = Array(bytes[range])
    if digits.first == UInt8(ascii: "+") || digits.first == UInt8(ascii: "-") { digits.removeFirst() }
    if digits.first == UInt8(ascii: "-") { return false }  // two signs
    if digits.count > 2, digits[0] == 48, digits[1] | 0x20 == UInt8(ascii: "x") {
      return digits.dropFirst(2).allSatisfy(Text.isHexadecimal)
    }
    guard let point = digits.firstIndex(of: UInt8(ascii: ".")) else { return ExactNumber.isNumber(digits, 0..<digits.count) }
    func isDigit(_ i: Int) -> Bool { digits.indices.contains(i) && digits[i] &- 48 < 10 }
    if !isDigit(point - 1) && !isDigit(point + 1) { return false }
    if !isDigit(point + 1) { digits.insert(48, at: point + 1) }
    if point == 0 { digits.insert(48, at: 0) }
    return ExactNumber.isNumber(digits, 0..<digits.count)
  }

  @inline(__always) mutating func skipBlanks() throws(Flaw) {
    if at < bytes.count && bytes[at] &- 0x30 < 0x50 { return }
    try skipSeveralBlanks()
  }

  private mutating func skipSeveralBlanks() throws(Flaw) {
    while at < bytes.count {
      switch bytes[at] {
      case 0x20, 0x0A, 0x0D, 0x09: at += 1
      case UInt8(ascii: "/"), 0x0B, 0x0C, 0x80...:
        guard dialect == .json5, try skipLooseBlank() else { return }
      default: return
      }
    }
  }

  /// Comments and the blanks that only JSON5 has. False: none here.
  private mutating func skipLooseBlank() throws(Flaw) -> Bool {
    func follows(_ text: [UInt8]) -> Bool { at + text.count <= bytes.count && bytes[at..<at + text.count].elementsEqual(text) }
    if follows([0x2F, 0x2F]) {
      while !isAtEnd && byte != 0x0A && byte != 0x0D && !follows([0xE2, 0x80, 0xA8]) && !follows([0xE2, 0x80, 0xA9]) {
        if byte < 0x80 { at += 1 } else { try skipCharacter() }
      }
      return true
    }
    if follows([0x2F, 0x2A]) {
      let start = at
      at += 2
      while !follows([0x2A, 0x2F]) {
        if isAtEnd { throw Flaw(offset: start, expected: "the end of the comment", isLocal: false) }
        if byte < 0x80 { at += 1 } else { try skipCharacter() }
      }
      at += 2
      return true
    }
    if byte == 0x0B || byte == 0x0C {
      at += 1
      return true
    }
    // U+00A0, U+FEFF, U+1680, U+2000...200A, U+2028, U+2029, U+202F, U+205F, U+3000
    if follows([0xC2, 0xA0]) {
      at += 2
      return true
    }
    let isWide =
      follows([0xEF, 0xBB, 0xBF]) || follows([0xE1, 0x9A, 0x80]) || follows([0xE3, 0x80, 0x80]) || follows([0xE2, 0x81, 0x9F])
      || (follows([0xE2, 0x80]) && at + 2 < bytes.count
        && ((0x80...0x8A).contains(bytes[at + 2]) || [0xA8, 0xA9, 0xAF].contains(bytes[at + 2])))
    if isWide { at += 3 }
    return isWide
  }
}
