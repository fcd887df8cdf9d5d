/// A decimal number as it was written: 0.1 is one tenth, not the nearest binary fraction.
///
/// Eighteen significant digits are kept; what is written beyond them is cut off, and `isExact` says so.
public struct ExactNumber: Hashable, Sendable, CustomStringConvertible, ExpressibleByIntegerLiteral {
  /// The value is `significand` times ten to the power of `exponent`. The significand does not end in a zero digit unless it is 0.
  public let significand: Int
  public let exponent: Int
  public let isExact: Bool

  /// Largest magnitude of the exponent; beyond, a number is as good as zero or infinite and stays at this bound.
  static let exponentBound = 100_000

  public init(significand: Int, exponent: Int, isExact: Bool = true) {
    var (digits, power) = (significand, exponent)
    if digits == 0 { power = 0 }
    while digits != 0 && digits % 10 == 0 {
      digits /= 10
      power += 1
    }
    self.significand = digits
    self.exponent = max(-Self.exponentBound, min(Self.exponentBound, power))
    self.isExact = isExact
  }
  public init(_ value: Int) { self.init(significand: value, exponent: 0) }
  public init(integerLiteral value: Int) { self.init(value) }

  /// A whole number of tenths, hundredths, ...: `ExactNumber(160, decimals: 1)` is 16.
  public init(_ value: Int, decimals: Int) { self.init(significand: value, exponent: -decimals) }

  /// The shortest decimal that reads back as `value`; nil for NaN and the infinities.
  public init?(_ value: Double) {
    guard value.isFinite else { return nil }
    let text = Array(value.description.utf8)
    self.init(decoding: text, 0..<text.count)
  }

  /// - Returns: nil unless `text` is a number as JSON writes it, with blanks around it at most (sampled values are texts, and some
  ///   stations put a line break in front: evcc#15612).
  public init?(_ text: String) {
    let bytes = Array(text.utf8)
    var (from, to) = (0, bytes.count)
    while from < to && bytes[from] <= 0x20 { from += 1 }
    while to > from && bytes[to - 1] <= 0x20 { to -= 1 }
    guard Self.isNumber(bytes, from..<to) else { return nil }
    self.init(decoding: bytes, from..<to)
  }

  /// The value times ten to the power of `decimals`, if that is a whole number that fits; nil otherwise.
  public func integer(scaledBy decimals: Int) -> Int? {
    let power = exponent + decimals
    guard power >= 0 else { return significand == 0 ? 0 : nil }
    return Self.multiplied(significand, power)
  }

  /// The value times ten to the power of `decimals`, cut to a whole number towards minus infinity; nil if it does not fit.
  public func floored(scaledBy decimals: Int) -> Int? {
    let power = exponent + decimals
    guard power < 0 else { return Self.multiplied(significand, power) }
    guard power > -19 else { return significand < 0 ? -1 : 0 }
    var divisor = 1
    for _ in 0..<(-power) { divisor *= 10 }
    let quotient = significand / divisor
    return significand % divisor < 0 ? quotient - 1 : quotient
  }

  /// The value, if it is a whole number that fits.
  public var integer: Int? { integer(scaledBy: 0) }

  /// The nearest binary fraction.
  public var double: Double {
    if significand.magnitude < 1 << 53 && abs(exponent) <= 22 {
      var power = 1.0
      for _ in 0..<abs(exponent) { power *= 10 }
      return exponent < 0 ? Double(significand) / power : Double(significand) * power
    }
    return Double("\(significand)e\(exponent)") ?? 0
  }

  private static func multiplied(_ value: Int, _ power: Int) -> Int? {
    if value == 0 { return 0 }
    guard power <= 18 else { return nil }
    var result = value
    for _ in 0..<power {
      let (product, overflow) = result.multipliedReportingOverflow(by: 10)
      if overflow { return nil }
      result = product
    }
    return result
  }

  /// Plain between a ten-millionth and 10^21, with an exponent outside.
  public var description: String {
    let sign = significand < 0 ? "-" : ""
    let digits = String(significand.magnitude)
    let point = digits.count + exponent
    if exponent >= 0 && point <= 21 { return sign + digits + String(repeating: "0", count: exponent) }
    if exponent < 0 && point > 0 { return sign + digits.prefix(point) + "." + digits.dropFirst(point) }
    if exponent < 0 && point > -7 { return sign + "0." + String(repeating: "0", count: -point) + digits }
    return sign + digits + "e\(exponent)"
  }
}

extension ExactNumber {
  /// Whether the bytes are a number in the grammar of JSON (RFC 8259 §6).
  static func isNumber(_ bytes: [UInt8], _ range: Range<Int>) -> Bool {
    var i = range.lowerBound
    func digits() -> Int {
      let start = i
      while i < range.upperBound && bytes[i] &- 48 < 10 { i += 1 }
      return i - start
    }
    if i < range.upperBound && bytes[i] == UInt8(ascii: "-") { i += 1 }
    let leading = i
    let whole = digits()
    if whole == 0 || (whole > 1 && bytes[leading] == 48) { return false }
    if i < range.upperBound && bytes[i] == UInt8(ascii: ".") {
      i += 1
      if digits() == 0 { return false }
    }
    if i < range.upperBound && bytes[i] | 0x20 == UInt8(ascii: "e") {
      i += 1
      if i < range.upperBound && (bytes[i] == UInt8(ascii: "+") || bytes[i] == UInt8(ascii: "-")) { i += 1 }
      if digits() == 0 { return false }
    }
    return i == range.upperBound
  }

  /// Reads bytes that are known to be a number of JSON or JSON5.
  init(decoding bytes: [UInt8], _ range: Range<Int>) {
    var i = range.lowerBound
    let end = range.upperBound
    var negative = false
    if i < end && (bytes[i] == UInt8(ascii: "-") || bytes[i] == UInt8(ascii: "+")) {
      negative = bytes[i] == UInt8(ascii: "-")
      i += 1
    }
    var (digits, exponent, exact) = (0, 0, true)
    if i + 1 < end && bytes[i] == 48 && bytes[i + 1] | 0x20 == UInt8(ascii: "x") {
      for byte in bytes[(i + 2)..<end] {
        let (shifted, overflow) = digits.multipliedReportingOverflow(by: 16)
        if overflow || shifted > Int.max - 15 {
          exact = false
          exponent = Self.exponentBound
          break
        }
        digits = shifted + Int(byte < 58 ? byte - 48 : (byte | 0x20) - 87)
      }
      self.init(significand: negative ? -digits : digits, exponent: exponent, isExact: exact)
      return
    }
    var afterPoint = false
    while i < end {
      let byte = bytes[i]
      if byte == UInt8(ascii: ".") {
        afterPoint = true
      } else if byte &- 48 < 10 {
        if digits < 100_000_000_000_000_000 {
          digits = digits * 10 + Int(byte - 48)
          if afterPoint { exponent -= 1 }
        } else {
          if byte != 48 { exact = false }
          if !afterPoint { exponent += 1 }
        }
      } else {
        break
      }
      i += 1
    }
    if i < end {
      i += 1
      var (down, power) = (false, 0)
      if bytes[i] == UInt8(ascii: "-") || bytes[i] == UInt8(ascii: "+") {
        down = bytes[i] == UInt8(ascii: "-")
        i += 1
      }
      while i < end {
        power = min(power * 10 + Int(bytes[i] - 48), Self.exponentBound * 10)
        i += 1
      }
      exponent += down ? -power : power
    }
    self.init(significand: negative ? -digits : digits, exponent: exponent, isExact: exact)
  }
}
