import Quantities
import Site

/// The registers of an emulated meter: function and address to word. The reverse of `MeterDecoder`.
public struct RegisterImage: Hashable, Sendable {
  /// Sorted, without overlap or touching ends.
  private var blocks: [Block] = []
  private struct Block: Hashable, Sendable {
    var range: WordRange
    var words: [UInt16]
  }

  public init() {}

  /// What cannot be put into registers.
  public enum Flaw: Error, Hashable, Sendable {
    /// The value is beyond what the register's format can hold.
    case doesNotFit(MeterQuantity, milli: Int)
  }

  /// The registers of a meter of this map that measures `values`; a quantity without a value holds its "not implemented" pattern, or 0
  /// where the map knows none.
  /// - Throws: the first value that does not fit.
  public init(_ values: MeterValues, as map: RegisterMap) throws(Flaw) {
    let powers = Self.scaleFactors(values, map)
    for (address, power) in powers {
      let function = map.registers.first { $0.scaleFactor == address }?.function ?? 3
      put([UInt16(bitPattern: Int16(power))], function: function, at: address)
    }
    for register in map.registers {
      let power = powers.first { $0.address == register.scaleFactor }?.power ?? 0
      put(try Self.encode(register, values, power, map), function: register.function, at: register.address)
    }
  }

  private static func encode(
    _ register: Register, _ values: MeterValues, _ power: Int, _ map: RegisterMap
  ) throws(Flaw) -> [UInt16] {
    guard var milli = values[register.reads] else {
      return register.format.encode(.absent, order: register.order, absence: register.absence)
        ?? [UInt16](repeating: 0, count: register.format.width)
    }
    let isMagnitude = map.takesSignFromPower && register.reads.dimension == .ampere
    if isMagnitude { milli = abs(milli) }
    // Of several lines that are summed, the first with the value's sign carries all of it.
    if carrier(for: register.reads, milli, map) != register { milli = 0 }
    let raw = register.scale.raw(milli, power: power, isFloat: register.format.isFloat)
    guard let words = register.format.encode(raw, order: register.order, absence: register.absence) else {
      throw .doesNotFit(register.reads, milli: milli)
    }
    return words
  }

  private static func carrier(for quantity: MeterQuantity, _ milli: Int, _ map: RegisterMap) -> Register? {
    let lines = map.registers.filter { $0.reads == quantity }
    guard lines.count > 1, milli < 0 else { return lines.first }
    return lines.first { $0.scale.numerator < 0 } ?? lines.first
  }

  /// For each scale factor the smallest power with which all its numbers fit: hundredths of amperes and volts, whole watts and
  /// watt-hours where possible. By address.
  private static func scaleFactors(_ values: MeterValues, _ map: RegisterMap) -> [(address: Int, power: Int)] {
    var result: [(address: Int, power: Int)] = []
    for address in Set(map.registers.compactMap(\.scaleFactor)).sorted() {
      let lines = map.registers.filter { $0.scaleFactor == address }
      let isFine = lines.allSatisfy { [.ampere, .volt, .hertz].contains($0.reads.dimension) }
      let power = ((isFine ? -2 : 0)...4).first { power in
        lines.allSatisfy { line in
          guard let milli = values[line.reads] else { return true }
          let raw = line.scale.raw(abs(milli), power: power, isFloat: false)
          return line.format.encode(raw, order: line.order, absence: []) != nil
        }
      }
      result.append((address, power ?? 4))
    }
    return result
  }

  /// Sets words; registers that were there before are overwritten.
  /// - Complexity: O(blocks + words).
  public mutating func put(_ words: [UInt16], function: Int, at address: Int) {
    guard !words.isEmpty else { return }
    var merged = Block(range: WordRange(function: function, address: address, count: words.count), words: words)
    var rest: [Block] = []
    for block in blocks {
      let touches =
        block.range.function == function && block.range.address <= merged.range.end && merged.range.address <= block.range.end
      if touches { merged = Self.joined(block, under: merged) } else { rest.append(block) }
    }
    rest.append(merged)
    blocks = rest.sorted { ($0.range.function, $0.range.address) < ($1.range.function, $1.range.address) }
  }

  private static func joined(_ old: Block, under new: Block) -> Block {
    let start = min(old.range.address, new.range.address)
    let end = max(old.range.end, new.range.end)
    var words = [UInt16](repeating: 0, count: end - start)
    for block in [old, new] { words.replaceSubrange(block.range.address - start..<block.range.end - start, with: block.words) }
    return Block(range: WordRange(function: new.range.function, address: start, count: words.count), words: words)
  }

  /// Puts another image over this one (several meters in one, or a SunSpec header).
  public mutating func put(_ other: RegisterImage) {
    for block in other.blocks { put(block.words, function: block.range.function, at: block.range.address) }
  }

  /// Fills the unused registers between two used ones with zeros, as far as a gap is at most `largest`: real meters answer them.
  public mutating func fillGaps(upTo largest: Int) {
    for (low, high) in zip(blocks, blocks.dropFirst()) where low.range.function == high.range.function {
      let gap = high.range.address - low.range.end
      if gap <= largest { put([UInt16](repeating: 0, count: gap), function: low.range.function, at: low.range.end) }
    }
  }

  /// The words of a request; nil when the meter has not all of these registers (a Modbus exception 2).
  /// - Complexity: O(blocks + words).
  public func words(_ range: WordRange) -> [UInt16]? {
    guard range.count > 0 else { return nil }
    for block in blocks
    where block.range.function == range.function && block.range.address <= range.address && range.end <= block.range.end {
      let start = range.address - block.range.address
      return Array(block.words[start..<start + range.count])
    }
    return nil
  }

  /// The words of all requests of a plan, one after the other; nil when one of them has none.
  public func words(_ plan: RequestPlan) -> [UInt16]? {
    var result: [UInt16] = []
    for range in plan.ranges {
      guard let words = words(range) else { return nil }
      result += words
    }
    return result
  }
}
