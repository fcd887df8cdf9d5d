import Testing

@testable import Metering

/// A small generator with a seed, so that a failure can be run again.
struct Dice: RandomNumberGenerator {
  var state: UInt64
  init(seed: UInt64) { state = seed }
  // SplitMix64. Source: Steele, Lea & Flood, OOPSLA 2014.
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

@Suite struct WordFormatTests {
  private func milli(_ words: [UInt16], _ format: WordFormat, _ scale: Scale, _ order: WordOrder = .highFirst, power: Int = 0)
    -> Int?
  {
    scale.milli(format.decode(words, at: 0, order: order, absence: []), power: power)
  }

  @Test func `numbers are read as the encoding rules say`() {
    #expect(milli([0x4366, 0x0000], .float32, Scale(1000)) == 230_000)
    #expect(milli([0x0000, 0x4366], .float32, Scale(1000), .lowFirst) == 230_000)
    // Carlo Gavazzi: -12345 tenths of a watt, low word first.
    #expect(milli([0xCFC7, 0xFFFF], .int32, Scale(100), .lowFirst) == -1_234_500)
    // ABB: -123456 hundredths of a watt.
    #expect(milli([0xFFFE, 0x1DC0], .int32, Scale(10)) == -1_234_560)
    // Siemens PAC: 1234567.0 Wh.
    #expect(milli([0x4132, 0xD687, 0, 0], .float64, Scale(1000)) == 1_234_567_000)
    // SunSpec: -150 with a scale factor of 1.
    #expect(milli([0xFF6A], .int16, Scale(1000), power: 1) == -1_500_000)
    #expect(milli([0x6643, 0x0000], .float32, Scale(1000), .highFirstBytesSwapped) == 230_000)
    #expect(milli([0x0000, 0x6643], .float32, Scale(1000), .lowFirstBytesSwapped) == 230_000)
  }

  @Test func `a factor below a thousandth is rounded to the nearest, halves away from zero`() {
    let tenthOfMilli = Scale(1, over: 10)
    #expect(milli([0x0000, 0x000F], .int32, tenthOfMilli) == 2)
    #expect(milli([0x0000, 0x000E], .int32, tenthOfMilli) == 1)
    #expect(milli([0xFFFF, 0xFFF1], .int32, tenthOfMilli) == -2)
    #expect(milli([0x3A83, 0x126F], .float32, Scale(1000)) == 1)  // 0.001 as float32
  }

  @Test func `patterns for what is not there are no numbers`() {
    func isAbsent(_ words: [UInt16], _ format: WordFormat, _ absence: Absence) -> Bool {
      format.decode(words, at: 0, order: .highFirst, absence: absence) == .absent
    }
    #expect(isAbsent([0xFFFF], .uint16, .allOnes))
    #expect(!isAbsent([0xFFFF], .int16, .allOnes))  // -1 is a number
    #expect(isAbsent([0x8000], .int16, .smallest))
    #expect(isAbsent([0x7FFF, 0xFFFF], .int32, .largest))
    #expect(isAbsent([0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF], .uint64, .allOnes))
    #expect(isAbsent([0, 0], .acc32, []))
    #expect(!isAbsent([0, 0], .uint32, []))
    #expect(isAbsent([0x7FC0, 0], .float32, []))
    #expect(isAbsent([0x7FF8, 0, 0, 0], .float64, []))
  }

  @Test func `infinities and what is beyond 64 bits give no value`() {
    #expect(milli([0x7F80, 0], .float32, Scale(1000)) == nil)
    #expect(milli([0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF], .uint64, Scale(10_000_000)) == nil)
    #expect(milli([0x7F00, 0], .float32, Scale(1000)) == nil)
  }

  @Test(arguments: WordFormat.allCases, WordOrder.allCases)
  func `what is encoded is decoded as the same number`(format: WordFormat, order: WordOrder) throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var dice = Dice(seed: seed)
    for _ in 0..<200 {
      let bits = dice.next() >> UInt64.random(in: 0...63, using: &dice)
      let raw: RawNumber =
        switch format {
        case .float32: .real(Double(Float(Int32(truncatingIfNeeded: bits))))
        case .float64: .real(Double(Int(truncatingIfNeeded: bits)))
        case .int16: .integer(Int128(Int16(truncatingIfNeeded: bits)))
        case .int32: .integer(Int128(Int32(truncatingIfNeeded: bits)))
        case .int64: .integer(Int128(Int64(truncatingIfNeeded: bits)))
        case .uint16: .integer(Int128(UInt16(truncatingIfNeeded: bits)))
        case .uint32: .integer(Int128(UInt32(truncatingIfNeeded: bits)))
        case .acc32: .integer(Int128(max(1, UInt32(truncatingIfNeeded: bits))))
        case .uint64: .integer(Int128(bits))
        }
      let words = try #require(format.encode(raw, order: order, absence: []), "seed \(seed)")
      #expect(words.count == format.width)
      #expect(format.decode(words, at: 0, order: order, absence: []) == raw, "seed \(seed)")
    }
  }

  @Test func `a number that does not fit is not cut off`() {
    #expect(WordFormat.int16.encode(.integer(32768), order: .highFirst, absence: []) == nil)
    #expect(WordFormat.uint32.encode(.integer(-1), order: .highFirst, absence: []) == nil)
    #expect(WordFormat.uint16.encode(.absent, order: .highFirst, absence: []) == nil)
  }
}
