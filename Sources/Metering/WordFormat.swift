/// How a number is laid out in 16-bit registers.
public enum WordFormat: String, CaseIterable, Hashable, Sendable {
  case uint16, int16, uint32, int32, uint64, int64, float32, float64
  /// SunSpec's counter: `uint32` where 0 means "not implemented".
  case acc32

  /// Number of registers: 1, 2 or 4.
  public var width: Int {
    switch self {
    case .uint16, .int16: 1
    case .uint32, .int32, .float32, .acc32: 2
    case .uint64, .int64, .float64: 4
    }
  }
  var isSigned: Bool { self == .int16 || self == .int32 || self == .int64 }
  var isFloat: Bool { self == .float32 || self == .float64 }
}

/// Which word of a number stands at the lower address, and whether the bytes inside a word are swapped.
public enum WordOrder: String, CaseIterable, Hashable, Sendable {
  case highFirst = "high first"
  case lowFirst = "low first"
  case highFirstBytesSwapped = "high first, bytes swapped"
  case lowFirstBytesSwapped = "low first, bytes swapped"

  var isLowFirst: Bool { self == .lowFirst || self == .lowFirstBytesSwapped }
  var swapsBytes: Bool { self == .highFirstBytesSwapped || self == .lowFirstBytesSwapped }
}

/// The bit patterns with which a meter says "I have no such value". NaN always says so.
public struct Absence: OptionSet, Hashable, Sendable {
  public let rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }
  /// Unsigned formats: 0xFFFF...
  public static let allOnes = Absence(rawValue: 1)
  /// Signed formats: 0x8000...
  public static let smallest = Absence(rawValue: 2)
  /// Signed formats: 0x7FFF...
  public static let largest = Absence(rawValue: 4)
  /// Any format: 0.
  public static let zero = Absence(rawValue: 8)

  /// The names used in register maps.
  public static let names: KeyValuePairs<String, Absence> = [
    "all ones": .allOnes, "smallest": .smallest, "largest": .largest, "zero": .zero,
  ]
}

/// A number as it stood in the registers, before its scale.
public enum RawNumber: Hashable, Sendable {
  case integer(Int128)
  case real(Double)
  case absent
}

extension WordFormat {
  /// The number in `words[offset...]`.
  /// - Precondition: `width` words stand there.
  func decode(_ words: [UInt16], at offset: Int, order: WordOrder, absence: Absence) -> RawNumber {
    let bits = gather(words, at: offset, order: order)
    let size = UInt64(width * 16)
    let top = UInt64(1) << (size - 1)
    let ones = top - 1 | top
    if isFloat {
      let value = self == .float32 ? Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits))) : Double(bitPattern: bits)
      return value.isNaN || (absence.contains(.zero) && value == 0) ? .absent : .real(value)
    }
    if bits == 0 && (self == .acc32 || absence.contains(.zero)) { return .absent }
    guard isSigned else { return absence.contains(.allOnes) && bits == ones ? .absent : .integer(Int128(bits)) }
    if absence.contains(.smallest) && bits == top || absence.contains(.largest) && bits == top - 1 { return .absent }
    return .integer(bits & top != 0 ? Int128(bits) - (Int128(ones) + 1) : Int128(bits))
  }

  private func gather(_ words: [UInt16], at offset: Int, order: WordOrder) -> UInt64 {
    var bits: UInt64 = 0
    for i in 0..<width {
      let word = words[offset + (order.isLowFirst ? width - 1 - i : i)]
      bits = bits << 16 | UInt64(order.swapsBytes ? word.byteSwapped : word)
    }
    return bits
  }

  /// The registers that hold `number`; nil when it does not fit. Absent numbers take the first pattern `absence` has for this format.
  func encode(_ number: RawNumber, order: WordOrder, absence: Absence) -> [UInt16]? {
    let size = Int128(width * 16)
    var bits: UInt64
    switch number {
    case .real(let value):
      guard isFloat, value.isFinite else { return nil }
      bits = self == .float32 ? UInt64(Float(value).bitPattern) : value.bitPattern
    case .integer(let value):
      guard !isFloat else { return nil }
      let one: Int128 = 1
      let range: ClosedRange<Int128> = isSigned ? -(one << (size - 1))...(one << (size - 1)) - 1 : 0...(one << size) - 1
      guard range.contains(value) else { return nil }
      bits = UInt64(truncatingIfNeeded: value)
    case .absent:
      guard let pattern = absentPattern(absence) else { return nil }
      bits = pattern
    }
    var words: [UInt16] = []
    for _ in 0..<width {
      let word = UInt16(truncatingIfNeeded: bits)
      words.append(order.swapsBytes ? word.byteSwapped : word)
      bits >>= 16
    }
    return order.isLowFirst ? words : words.reversed()
  }

  private func absentPattern(_ absence: Absence) -> UInt64? {
    let top = UInt64(1) << UInt64(width * 16 - 1)
    switch self {
    case .float32: return UInt64(Float.nan.bitPattern)
    case .float64: return Double.nan.bitPattern
    case .acc32: return 0
    case .int16, .int32, .int64:
      if absence.contains(.smallest) { return top }
      if absence.contains(.largest) { return top - 1 }
    case .uint16, .uint32, .uint64:
      if absence.contains(.allOnes) { return top - 1 | top }
    }
    return absence.contains(.zero) ? 0 : nil
  }
}
