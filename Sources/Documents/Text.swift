/// The inside of strings: bytes that the parser has checked, turned into characters.
enum Text {
  static func decode(_ bytes: [UInt8], _ range: Range<Int>, isEscaped: Bool) -> String {
    isEscaped ? String(decoding: unescaped(bytes, range), as: UTF8.self) : String(decoding: bytes[range], as: UTF8.self)
  }

  static func equals(_ bytes: [UInt8], _ range: Range<Int>, isEscaped: Bool, _ text: String) -> Bool {
    if isEscaped { return decode(bytes, range, isEscaped: true) == text }
    let other = text.utf8
    guard other.count == range.count else { return false }
    var i = range.lowerBound
    for byte in other {
      if bytes[i] != byte { return false }
      i += 1
    }
    return true
  }

  /// Replaces escapes, which are known to be right.
  static func unescaped(_ bytes: [UInt8], _ range: Range<Int>) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(range.count)
    var i = range.lowerBound
    while i < range.upperBound {
      guard bytes[i] == UInt8(ascii: "\\") else {
        result.append(bytes[i])
        i += 1
        continue
      }
      let escape = bytes[i + 1]
      i += 2
      switch escape {
      case UInt8(ascii: "b"): result.append(0x08)
      case UInt8(ascii: "f"): result.append(0x0C)
      case UInt8(ascii: "n"): result.append(0x0A)
      case UInt8(ascii: "r"): result.append(0x0D)
      case UInt8(ascii: "t"): result.append(0x09)
      case UInt8(ascii: "v"): result.append(0x0B)
      case UInt8(ascii: "0"): result.append(0x00)
      case UInt8(ascii: "x"):
        append(hexadecimal(bytes, i..<i + 2), to: &result)
        i += 2
      case UInt8(ascii: "u"):
        var scalar = hexadecimal(bytes, i..<i + 4)
        i += 4
        if scalar & 0xFC00 == 0xD800 {
          scalar = 0x10000 + (scalar & 0x3FF) << 10 + hexadecimal(bytes, i + 2..<i + 6) & 0x3FF
          i += 6
        }
        append(scalar, to: &result)
      case 0x0D:  // a line continuation: CR LF counts as one
        if i < range.upperBound && bytes[i] == 0x0A { i += 1 }
      case 0x0A: break
      case 0xE2 where bytes[i] == 0x80 && (bytes[i + 1] == 0xA8 || bytes[i + 1] == 0xA9): i += 2
      default: result.append(escape)
      }
    }
    return result
  }

  static func hexadecimal(_ bytes: [UInt8], _ range: Range<Int>) -> UInt32 {
    var value: UInt32 = 0
    for byte in bytes[range] { value = value << 4 | UInt32(byte < 58 ? byte - 48 : (byte | 0x20) - 87) }
    return value
  }

  static func isHexadecimal(_ byte: UInt8) -> Bool { byte &- 48 < 10 || (byte | 0x20) &- 97 < 6 }

  private static func append(_ scalar: UInt32, to result: inout [UInt8]) {
    // The parser has refused lone surrogates, so the value is a scalar.
    result.append(contentsOf: Unicode.Scalar(scalar).map { Array(String(Character($0)).utf8) } ?? [])
  }
}
