/// How often a binary decision went which way lately: what the next one is likely to be. Learns fast at first, then slowly.
struct Chance: Hashable, Sendable {
  /// Of true, in 65536ths.
  private(set) var likelihood: UInt32 = 1 << 15
  private var seen: UInt32 = 0

  mutating func learn(_ bit: Bool) {
    let rate = 2 * seen + 3
    if bit { likelihood += (65536 - likelihood) * 2 / rate } else { likelihood -= likelihood * 2 / rate }
    likelihood = min(max(likelihood, Self.least), 65536 - Self.least)
    if seen < Self.memory { seen += 1 }
  }
  /// Nothing is ever certain: a decision against all experience takes 10 bits.
  private static let least: UInt32 = 64
  private static let memory: UInt32 = 24
}

/// Writes or reads binary decisions. One description of a form serves both: a writer is given each value and gives it back, a reader
/// ignores what it is given and gives what was written.
protocol DecisionCoder {
  /// - Parameter chance: learns the decision; the writer's and the reader's go the same way.
  mutating func code(_ bit: Bool, _ chance: inout Chance) -> Bool
  /// The lowest `count` (0...16) bits of a value of which nothing is known.
  mutating func plain(_ bits: UInt64, count: Int) -> UInt64
  /// More was read than was ever written: these are other bytes. False for a writer.
  var isBeyondEnd: Bool { get }
}

/// A range coder: a decision that was to be expected takes a small part of a bit. Whole numbers only, so the same bytes everywhere.
/// Source: G. N. N. Martin, "Range encoding", 1979; the carry as in I. Pavlov, LZMA specification, 2015.
struct RangeEncoder: DecisionCoder, Sendable {
  private var bytes: [UInt8] = []
  private var low: UInt64 = 0
  private var range = UInt32.max
  /// The last byte, and how many 255s after it, which a carry may still change.
  private var held: UInt8 = 0
  private var heldCount = 1
  private var isFirst = true

  var isBeyondEnd: Bool { false }
  /// Bytes so far, about.
  var count: Int { bytes.count + heldCount }

  mutating func code(_ bit: Bool, _ chance: inout Chance) -> Bool {
    let bound = (range >> 16) * chance.likelihood
    if bit {
      range = bound
    } else {
      low += UInt64(bound)
      range -= bound
    }
    chance.learn(bit)
    normalize()
    return bit
  }
  mutating func plain(_ bits: UInt64, count: Int) -> UInt64 {
    range >>= UInt32(count)
    low += UInt64(range) * bits
    normalize()
    return bits
  }
  private mutating func normalize() {
    while range < 1 << 24 {
      range <<= 8
      shift()
    }
  }
  private mutating func shift() {
    if low < 0xff00_0000 || low > 0xffff_ffff {
      let carry = UInt8(truncatingIfNeeded: low >> 32)
      // The first byte held is none: nothing can be carried into it.
      if !isFirst { bytes.append(held &+ carry) }
      for _ in 1..<heldCount { bytes.append(0xff &+ carry) }
      (held, heldCount, isFirst) = (UInt8(truncatingIfNeeded: low >> 24), 0, false)
    }
    heldCount += 1
    low = (low & 0x00ff_ffff) << 8
  }
  /// All that was written. The last zeros are left out, at most as many bytes as a reader looks ahead: it takes them for granted.
  consuming func finish() -> [UInt8] {
    low = (low + 0x00ff_ffff) & ~0x00ff_ffff
    for _ in 0..<5 { shift() }
    for _ in 0..<4 where bytes.last == 0 { bytes.removeLast() }
    return bytes
  }
}

/// Reads what `RangeEncoder` wrote.
struct RangeDecoder: DecisionCoder, Sendable {
  private let bytes: [UInt8]
  private var position: Int
  private var code: UInt32 = 0
  private var range = UInt32.max

  /// - Parameter position: where its bytes begin; they go to the end.
  init(_ bytes: [UInt8], from position: Int) {
    (self.bytes, self.position) = (bytes, position)
    for _ in 0..<4 { code = code << 8 | next() }
  }
  var isBeyondEnd: Bool { position > bytes.count + 8 }

  private mutating func next() -> UInt32 {
    defer { position += 1 }
    return position < bytes.count ? UInt32(bytes[position]) : 0
  }
  mutating func code(_ ignored: Bool, _ chance: inout Chance) -> Bool {
    let bound = (range >> 16) * chance.likelihood
    let bit = code < bound
    if bit {
      range = bound
    } else {
      code -= bound
      range -= bound
    }
    chance.learn(bit)
    normalize()
    return bit
  }
  mutating func plain(_ ignored: UInt64, count: Int) -> UInt64 {
    range >>= UInt32(count)
    let bits = min(code / range, 1 << UInt32(count) - 1)
    code -= bits * range
    normalize()
    return UInt64(bits)
  }
  private mutating func normalize() {
    while range < 1 << 24 {
      range <<= 8
      code = code << 8 | next()
    }
  }
}
