import Quantities
import Site
import Testing

@testable import Metering

@Suite struct MeterDecoderTests {
  /// Voltage, current, power of three phases in tenths, hundredths and whole watts, one register each from address 0 on.
  private let map = RegisterMap(
    registers: (0..<3).flatMap { i in
      [
        Register(
          reads: MeterQuantity.voltages[i], function: 3, address: 3 * i, format: .uint16, scale: Scale(100), absence: .allOnes),
        Register(reads: MeterQuantity.currents[i], function: 3, address: 3 * i + 1, format: .uint16, scale: Scale(10)),
        Register(reads: MeterQuantity.powers[i], function: 3, address: 3 * i + 2, format: .int16, scale: Scale(1000)),
      ]
    }, takesSignFromPower: true)
  private let good: [UInt16] = [2300, 1000, 2300, 2310, 500, UInt16(bitPattern: -1155), 2290, 0, 0]

  private func accepted(_ words: [UInt16]) -> MeterReading? {
    var decoder = MeterDecoder(map)
    guard case .reading(let reading) = decoder.decode(words) else { return nil }
    return reading
  }
  private func fault(_ words: [UInt16]) -> MeterFault? {
    var decoder = MeterDecoder(map)
    guard case .fault(let fault) = decoder.decode(words) else { return nil }
    return fault
  }

  @Test func `a current without a sign flows the way its phase's power does`() throws {
    let reading = try #require(accepted(good))
    #expect(reading.current == PerPhase(.amperes(10), .amperes(-5), .zero))
    #expect(reading.power == PerPhase(.watts(2300), .watts(-1155), .zero))
    #expect(reading.voltage == PerPhase(.volts(230), .volts(231), .volts(229)))
    #expect(reading.totalPower == nil && reading.imported == nil)
  }

  @Test func `a power above V x I x 1.1 and a tolerance is refused, a low power factor is not`() {
    var words = good
    words[2] = 2730  // 230 V x 10 A x 1.1 + 200 W
    #expect(fault(words) == nil)
    words[2] = 2731
    #expect(fault(words) == .implausible("power L1"))
    words[2] = 3
    #expect(fault(words) == nil)
  }

  @Test(arguments: [0, 999, 3001, 65534]) func `a voltage outside 100 to 300 V is refused`(raw: UInt16) {
    var words = good
    words[3] = raw
    #expect(fault(words) == .implausible("voltage L2"))
  }

  @Test func `what is not implemented is refused by name`() {
    var words = good
    words[6] = 0xFFFF
    #expect(fault(words) == .implausible("voltage L3"))
  }

  @Test func `a counter that is not implemented is absent, a negative one refused`() {
    var decoder = MeterDecoder(
      RegisterMap(
        registers: map.registers + [
          Register(reads: .imported, function: 3, address: 9, format: .int32, scale: Scale(1000), absence: .smallest)
        ]))
    guard case .reading(let reading) = decoder.decode(good + [0x8000, 0]) else { return #expect(Bool(false), "refused") }
    #expect(reading.imported == nil)
    #expect(decoder.decode(good + [0xFFFF, 0xFFFF]) == .fault(.implausible("energy imported")))
  }

  @Test func `a current of a million amperes is refused`() {
    var decoder = MeterDecoder(
      RegisterMap(registers: [Register(reads: .current1, function: 3, address: 0, format: .float32, scale: Scale(1000))]))
    #expect(decoder.decode([0x4979, 0x0600]) == .fault(.implausible("current L1")))  // 1.02e6 A, evcc#21948
  }

  @Test func `identical words have an identical digest, and any changed register changes it`() throws {
    let first = try #require(accepted(good)).registers
    #expect(try #require(accepted(good)).registers == first)
    for i in good.indices {
      var words = good
      words[i] ^= 1
      #expect(accepted(words)?.registers != first, "word \(i)")
    }
  }

  @Test func `an unchanged reading is the last one with its own age`() {
    var decoder = MeterDecoder(map)
    guard case .reading(let first) = decoder.decode(good, age: .milliseconds(3)),
      case .reading(var second) = decoder.decode(good, age: .milliseconds(8))
    else { return #expect(Bool(false), "refused") }
    #expect(first.age == .milliseconds(3) && second.age == .milliseconds(8))
    second.age = first.age
    #expect(first == second)
  }

  @Test func `absent conductors carry nothing, at the voltage of the first`() throws {
    var decoder = MeterDecoder(try #require(try ProfileFiles.load("eastron-sdm120").map))
    let image = try RegisterImage(MeterValues([.voltage1: 231_000, .current1: 4_000, .power1: 924_000]), as: decoder.map)
    guard case .reading(let reading) = decoder.decode(try #require(image.words(decoder.plan))) else {
      return #expect(Bool(false), "refused")
    }
    #expect(reading.current == PerPhase(.amperes(4), .zero, .zero))
    #expect(reading.voltage == PerPhase(all: .volts(231)))
  }

  @Test func `registers encoded from values are read back within the map's resolution`() throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var dice = Dice(seed: seed)
    for profile in try ProfileFiles.all() {
      guard let map = profile.map else { continue }
      let isTotalOnly = profile.name == "sma-home-manager"
      for _ in 0..<20 {
        var values = MeterValues()
        for quantity in MeterQuantity.allCases where map.has(quantity) {
          switch quantity.dimension {
          case .volt: values[quantity] = Int.random(in: 180_000...260_000, using: &dice)
          case .ampere: values[quantity] = Int.random(in: 0...63_000, using: &dice)
          case .watt: values[quantity] = Int.random(in: 0...10_000_000, using: &dice)
          case .wattHour: values[quantity] = Int.random(in: 0...4_000_000_000, using: &dice)
          case .hertz: values[quantity] = 50_000
          }
        }
        if isTotalOnly { values[.totalPower] = -3_000_000 }
        let decoder = MeterDecoder(map, everything: true)
        let words = try #require(try RegisterImage(values, as: map).words(decoder.plan))
        let read = decoder.values(in: words).values
        for quantity in MeterQuantity.allCases {
          guard let value = values[quantity], let back = read[quantity] else {
            #expect(values[quantity] == read[quantity], "\(profile.name) \(quantity.name) seed \(seed)")
            continue
          }
          let step = map.registers.first { $0.reads == quantity }.map { abs($0.scale.numerator) / $0.scale.denominator } ?? 0
          let isFloat = map.registers.contains { $0.reads == quantity && $0.format == .float32 }
          let bound = isFloat ? abs(value) / 8_000_000 + 1 : step / 2 + 1
          #expect(abs(value - back) <= bound, "\(profile.name) \(quantity.name) \(value) seed \(seed)")
        }
      }
    }
  }
}
