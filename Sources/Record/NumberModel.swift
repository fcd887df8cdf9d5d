/// What is known of one kind of number from those before it: whether it was zero, how many bits it had, its sign and its first bits.
/// Small numbers, and numbers like those before, take few bits; every `Int` can be written.
struct NumberModel: Sendable {
  private var zero = [Chance](repeating: Chance(), count: 2)
  /// A tree of six decisions: the number of bits, less one.
  private var width = [Chance](repeating: Chance(), count: 64)
  private var sign = [Chance](repeating: Chance(), count: 64)
  /// The two bits after the highest, for each number of bits.
  private var second = [Chance](repeating: Chance(), count: 64)
  private var third = [Chance](repeating: Chance(), count: 128)
  private var wasZero = 0

  mutating func code<Coder: DecisionCoder>(_ value: Int, _ coder: inout Coder) -> Int {
    let isZero = coder.code(value == 0, &zero[wasZero])
    wasZero = isZero ? 1 : 0
    if isZero { return 0 }
    let width = codeWidth(Int.bitWidth - value.magnitude.leadingZeroBitCount - 1, &coder)
    let isNegative = coder.code(value < 0, &sign[width])
    let magnitude = codeBits(value.magnitude, width, &coder)
    return Int(bitPattern: isNegative ? 0 &- magnitude : magnitude)
  }

  /// - Parameter place: of the highest bit, 0...63.
  private mutating func codeWidth<Coder: DecisionCoder>(_ place: Int, _ coder: inout Coder) -> Int {
    var node = 1
    // A reader is given no place to write: it takes any.
    for shift in stride(from: 5, through: 0, by: -1) {
      let bit = coder.code(place >> shift & 1 == 1, &width[node])
      node = node * 2 + (bit ? 1 : 0)
    }
    return node - 64
  }

  private mutating func codeBits<Coder: DecisionCoder>(_ bits: UInt, _ place: Int, _ coder: inout Coder) -> UInt {
    var result: UInt = 1 << UInt(place)
    var left = place
    var first = 0
    if left > 0 {
      left -= 1
      first = coder.code(bits >> UInt(left) & 1 == 1, &second[place]) ? 1 : 0
      result |= UInt(first) << UInt(left)
    }
    if left > 0 {
      left -= 1
      if coder.code(bits >> UInt(left) & 1 == 1, &third[place * 2 + first]) { result |= 1 << UInt(left) }
    }
    while left > 0 {
      let count = min(left, 16)
      left -= count
      result |= UInt(coder.plain(UInt64(bits >> UInt(left)) & (1 << UInt64(count) - 1), count: count)) << UInt(left)
    }
    return result
  }
}

/// Guesses at a number, of which the one that was nearest lately counts.
struct Guesses: Hashable, Sendable {
  /// How far each was off lately, in sixteenths of a bit.
  private var errors: [Int]
  init(_ count: Int) { errors = [Int](repeating: 0, count: count) }

  mutating func code<Coder: DecisionCoder>(
    _ value: Int, _ guesses: [Int], _ model: inout NumberModel, _ coder: inout Coder
  ) -> Int {
    var best = 0
    for i in guesses.indices where errors[i] < errors[best] { best = i }
    let value = guesses[best] &+ model.code(value &- guesses[best], &coder)
    for (i, guess) in guesses.enumerated() {
      let bits = Int.bitWidth - (value &- guess).magnitude.leadingZeroBitCount
      errors[i] += bits * 16 - errors[i] / 4
    }
    return value
  }
}
