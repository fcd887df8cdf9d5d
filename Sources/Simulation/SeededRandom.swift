/// The only source of chance in a simulation: SplitMix64. The same seed gives the same numbers on every machine.
/// Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
public struct SeededRandom: Sendable, Hashable {
  private var state: UInt64
  public init(seed: UInt64) { state = seed }
  /// A stream of its own for the part numbered `part` of whatever has this seed.
  public init(seed: UInt64, part: Int) {
    var first = SeededRandom(seed: seed &+ UInt64(part) &* 0xD134_2543_DE82_EF95)
    state = first.next()
  }
  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
  /// Evenly in `range`; it must not be empty.
  public mutating func pick(_ range: ClosedRange<Int>) -> Int {
    let width = UInt64(range.upperBound - range.lowerBound) + 1
    return range.lowerBound + Int(next() % width)
  }
  /// True `permille` times out of a thousand.
  public mutating func chance(_ permille: Int) -> Bool { pick(0...999) < permille }
  public mutating func choose<T>(_ items: [T]) -> T { items[pick(0...items.count - 1)] }
  /// A waiting time with the mean `mean`, geometric in steps of a twentieth, at most ten times the mean: no logarithm is used.
  public mutating func wait(mean: Int) -> Int {
    var steps = 1
    while steps < 200, !chance(50) { steps += 1 }
    return max(1, mean / 20 * steps + pick(0...max(1, mean / 20)))
  }
}
