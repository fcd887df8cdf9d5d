import Control
import Quantities
import Site
import Testing

@testable import Record

/// How records are written. What a journal holds is read for two years: bytes that were written once must mean the same ever after.
@Suite struct FormTests {
  /// A batch of one section of readings, of the form `version`, beginning with entry 7 at 1000 ms UTC and 500 ms.
  func batch(form version: UInt8, last: UInt64, readings: [UInt8]) -> Batch {
    // Sequence, then both clocks as folded variable-length integers.
    let kept: [UInt8] = [version, 7, 0xD0, 0x0F, 0xE8, 0x07]
    return Batch(
      first: 7, last: last, firstAt: Instant(milliseconds: 1000), lastAt: Instant(milliseconds: 1000), kept: kept,
      readings: readings,
      keptDigest: SHA256.digest(kept), readingsDigest: SHA256.digest(readings))
  }

  @Test(arguments: [1, 2] as [UInt8]) func `readings of the first two forms are read as they were written`(version: UInt8) throws {
    // Worked out by hand from the form: steps of sequence and clocks, kind, whose, mask, and each member as the difference to the last.
    let readings: [UInt8] =
      [0, 0, 0, 0, 4, 0x05, 50] + [0xD0, 0x0F, 1, 0] + [0x80, 1] + [1, 2, 3, 4, 5, 6, 7, 8]
      + [1, 0xD0, 0x0F, 0xCE, 0x0F, 0, 4, 0x85, 1] + [0, 2, 0] + [0]
      + [2, 0, 2, 1, 6, 2, 0xE1, 18] + [0xA0, 0x1F] + [0xE0, 0x5D] + [80]
    let first = MeterReading(
      meter: 2, age: .milliseconds(25), current: PerPhase(.milliamperes(1000), .milliamperes(-1), .zero),
      totalPower: Power(milliwatts: 64), registers: 0x0807_0605_0403_0201)
    var second = first
    second.age = .milliseconds(24)
    second.current?.l2 = .zero
    let sample = ConnectorSample(takenAt: Instant(milliseconds: 2000), offered: .amperes(6), stateOfCharge: 40)
    func entry(_ sequence: UInt64, _ utc: Int, _ monotonic: Int, _ event: Event) -> Batch.Remains {
      let stamp = EventStamp(
        utc: Instant(milliseconds: utc), monotonic: Monotonic(milliseconds: monotonic), sequence: sequence)
      return .whole(Entry(stamp: stamp, event: event, effects: []))
    }
    #expect(
      try batch(form: version, last: 10, readings: readings).entries() == [
        entry(7, 1000, 500, .reading(first)), entry(8, 2000, 1499, .reading(second)),
        entry(10, 2000, 1500, .station(3, .sampled(connector: 1, transaction: 9, sample))),
      ])
  }

  @Test func `readings are written as they were when their third form was made`() throws {
    var writer = BatchWriter()
    for (place, event) in Forms.readings.enumerated() {
      try writer.append(Entry(stamp: stamp(UInt64(5 + place), after: place * 1000), event: event, effects: []))
    }
    #expect(
      hexadecimal(try #require(writer.finish().readings))
        == "067f8ef83f79a9cf8700613e3c7bef9f841c13c94711aafa7c7dbfcedc332be7a6e2510871892e46bc624ccc1307cd3e"
        + "f8eb4093a5880058e06b71ed6f3e0e658cd377e674360dcfa7b6c12440e1f12d8ca1f160fb273f23af60a53e69728057"
    )
  }

  @Test func `the hub in its block comes back, and what was written by position is refused by its form`() throws {
    let bytes = try InputCoding.bytes(Forms.hub)
    #expect(try InputCoding.hub(bytes) == Forms.hub)
    for form in [1, 2] as [UInt8] {
      #expect(throws: RecordFault.otherVersion(Int(form), known: 3)) { try InputCoding.hub([form] + bytes.dropFirst()) }
    }
  }

  @Test func `circuits and connectors in their blocks are written as they were when their second form was made`() throws {
    let circuits = try InputCoding.bytes(Forms.circuits, at: stamp(1))
    #expect(
      hexadecimal(circuits)
        == "02fdc67fbf60008cceae6cbc25860922f13533443532630f3616ad9e15c90019f0ae302c8ab52dfa67ffe6aa4b28b3e8"
        + "bb8e7c50f0364a5971a3228521ced9e07948905958f8e68abf9bc5f4"
    )
    #expect(try InputCoding.circuits(circuits, at: stamp(1)) == Forms.circuits)
    #expect(try InputCoding.connectors(secondForm, at: stamp(1)) == Forms.connectors)
  }

  /// Of `Forms.connectors`, none of which has an outlook.
  private let secondForm = unhexadecimal(
    "02fd7f7fbf02ff29cf8d1ca680d9e7691e4a5317360995262453798696cb600e5df5533139f8b28129a9c03386abe0d8eb")

  @Test func `connectors in their block are written as they were when their third form was made`() throws {
    let connectors = try InputCoding.bytes(Forms.connectors[...], at: stamp(1))
    #expect(
      hexadecimal(connectors)
        == "03fd7f7fbf02ff29cf8d1ca680d9e7691e4a5317360995262453798696cb600e5df540a1e5e2b983030cb70879cc")
    #expect(try InputCoding.connectors(connectors, at: stamp(1)) == Forms.connectors)
  }

  @Test func `circuits and connectors in one block are written as they were when its form was made`() throws {
    let bytes = try InputCoding.moment(circuits: Forms.circuits, connectors: Forms.connectors[...], at: stamp(1))
    #expect(
      hexadecimal(bytes)
        == "01edf0d8002bb04ea92bf5c2793de625295cff8283456a07509fc8804568caf507ed9b1db10a90d6ef9ae201e094e6e5"
        + "7ccc8d9a28afc62bd1780677284a2f5b0f55c05f98ced8a24fd401c9af0ebe201053201a655fdd342eb2273967d50d64"
        + "beb9752a0017c8538746e018579e61e4"
    )
    let moment = try InputCoding.moment(bytes, at: stamp(1))
    #expect(moment.circuits == Forms.circuits && moment.connectors == Forms.connectors)
  }

  @Test func `the digest of a reading's values is the one that journals leave out`() {
    let readings = Forms.readings.compactMap { event -> MeterReading? in
      if case .reading(let reading) = event { return reading }
      return nil
    }
    #expect(
      readings.map { String($0.digestOfValues, radix: 16) } == [
        "779d3b921b32d1ff", "469cdcedde09e50e", "3f7c3d62e4f180eb", "3f7c3d62e4f180eb",
      ])
    #expect(readings[0].registers == readings[0].digestOfValues)
    var other = readings[0]
    (other.age, other.meter, other.registers) = (.zero, 9, 1)
    #expect(other.digestOfValues == readings[0].digestOfValues)
    #expect(readings[1].digestOfValues != readings[2].digestOfValues)
  }

  @Test(arguments: 1...40) func `whatever numbers and decisions are written are read again`(seed: UInt64) {
    var dice = Dice(seed: seed)
    let values = (0..<500).map { _ in
      let value = Int(truncatingIfNeeded: dice.roll(.max)) &* (dice.roll(2) == 0 ? 1 : -1)
      return dice.roll(20) == 0 ? [Int.min, .max, 0, -1][dice.roll(4)] : value >> dice.roll(64)
    }
    let bits = values.map { _ in dice.roll(1 + Int(seed)) == 0 }
    func run<Coder: DecisionCoder>(_ coder: inout Coder, _ values: [Int], _ bits: [Bool]) -> ([Int], [Bool]) {
      var (model, chance) = (NumberModel(), Chance())
      var (numbers, decisions) = ([Int](), [Bool]())
      for (value, bit) in zip(values, bits) {
        numbers.append(model.code(value, &coder))
        decisions.append(coder.code(bit, &chance))
        numbers.append(Int(coder.plain(UInt64(value & 0xffff), count: 16)))
      }
      return (numbers, decisions)
    }
    var encoder = RangeEncoder()
    let written = run(&encoder, values, bits)
    let bytes = encoder.finish()
    var decoder = RangeDecoder(bytes, from: 0)
    let read = run(&decoder, values.map { _ in 0 }, values.map { _ in false })
    #expect(written == read && written.1 == bits && !decoder.isBeyondEnd, "seed \(seed)")
    #expect(written.0 == values.flatMap { [$0, $0 & 0xffff] }, "seed \(seed)")
  }

  @Test(arguments: [0, 1, 7, 8, 9, 40, 400])
  func `however many zeros stand at the end, they are read again, and what comes after is not`(
    count: Int
  ) {
    var encoder = RangeEncoder()
    _ = encoder.plain(0x1234, count: 16)
    for _ in 0..<count { _ = encoder.plain(0, count: 16) }
    let bytes = encoder.finish()
    var decoder = RangeDecoder(bytes, from: 0)
    #expect(decoder.plain(0, count: 16) == 0x1234)
    for _ in 0..<count { #expect(decoder.plain(0, count: 16) == 0) }
    #expect(!decoder.isBeyondEnd)
    for _ in 0..<9 { _ = decoder.plain(0, count: 16) }
    #expect(decoder.isBeyondEnd)
  }

  @Test(arguments: 1...30) func `readings of any values come back, the largest and smallest too`(seed: UInt64) throws {
    var dice = Dice(seed: seed)
    func any<Value: Quantity>() -> Value { Value(raw: [Int.min, .max, 0, 1, -1, dice.roll(1 << 40)][dice.roll(6)]) }
    func phases<Value: Quantity>() -> PerPhase<Value> { PerPhase(any(), any(), any()) }
    var writer = BatchWriter()
    var entries: [Batch.Remains] = []
    for place in 0..<40 {
      let whose = [Int.min, .max, 0, 1][dice.roll(4)]
      let reading = MeterReading(
        meter: whose, age: any(), current: dice.maybe(phases()), power: dice.maybe(phases()), totalPower: dice.maybe(any()),
        voltage: dice.maybe(phases()), imported: dice.maybe(any()), exported: dice.maybe(any()))
      let sample = ConnectorSample(
        takenAt: dice.maybe(Instant(milliseconds: [Int.min, .max, 0][dice.roll(3)])), current: dice.maybe(phases()),
        power: dice.maybe(any()), voltage: dice.maybe(phases()), register: dice.maybe(any()), offered: dice.maybe(any()),
        stateOfCharge: dice.maybe([Int.min, .max][dice.roll(2)]))
      let stamp = EventStamp(
        utc: Instant(milliseconds: [Int.min, .max, 5][dice.roll(3)]),
        monotonic: Monotonic(milliseconds: [Int.max, 3][dice.roll(2)]),
        sequence: UInt64(1 + place))
      let event: Event =
        dice.roll(2) == 0
        ? .reading(reading)
        : .station(whose, .sampled(connector: [Int.min, 1][dice.roll(2)], transaction: dice.maybe(whose), sample))
      let entry = Entry(stamp: stamp, event: event, effects: [])
      try writer.append(entry)
      entries.append(.whole(entry))
    }
    #expect(try writer.finish().entries() == entries, "seed \(seed)")
  }

  @Test func `bytes that are no readings are refused or read as others, never a crash or a wait without end`() {
    var dice = Dice(seed: 5)
    for round in 0..<3000 {
      let bytes = (0..<dice.roll(60)).map { _ in UInt8(dice.roll(256)) }
      let entries = try? batch(form: 3, last: UInt64(7 + dice.roll(40)), readings: bytes).entries()
      #expect((entries?.count ?? 0) <= 41, "round \(round)")
    }
    #expect(throws: RecordFault.self) { try batch(form: 3, last: .max - 1, readings: [0xff, 0xff, 0xff, 0xff, 0x7f]).entries() }
    #expect(throws: RecordFault.otherVersion(5, known: 4)) { try batch(form: 5, last: 7, readings: []).entries() }
  }

  @Test func `an unchanged reading takes less than a byte`() throws {
    func size(_ count: Int, _ reading: (Int) -> MeterReading) throws -> Int {
      var writer = BatchWriter()
      for place in 0..<count {
        let entry = Entry(stamp: stamp(UInt64(1 + place), after: place * 1000), event: .reading(reading(place)), effects: [])
        try writer.append(entry)
      }
      return writer.finish().readings?.count ?? 0
    }
    let still = MeterReading(
      meter: 0, age: .milliseconds(1), current: Forms.phases(9000, 8000, 7000), imported: Energy(raw: 1 << 30))
    #expect(try size(100) { _ in still } < 100)
  }
}
