import ChargingProfiles
import Control
import Quantities
import Record
import Site
import Testing

func hexadecimal(_ bytes: [UInt8]) -> String {
  bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

func unhexadecimal(_ text: String) -> [UInt8] {
  let digits = Array(text)
  return stride(from: 0, to: digits.count, by: 2).compactMap { UInt8(String(digits[$0...$0 + 1]), radix: 16) }
}

@Suite struct DigestTests {
  // NIST, FIPS 180-2 appendix B, and the empty message of the SHA test vectors.
  @Test(arguments: [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
  ]) func `SHA-256 gives the digests of its standard`(message: String, digest: String) {
    #expect(hexadecimal(SHA256.digest(Array(message.utf8))) == digest)
  }
  @Test func `SHA-256 of a million letters, given in uneven pieces`() {
    var hash = SHA256()
    var left = 1_000_000
    while left > 0 {
      let piece = min(left, 997)
      hash.update([UInt8](repeating: UInt8(ascii: "a"), count: piece))
      left -= piece
    }
    #expect(hexadecimal(hash.finish()) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
  }
}

struct Odd: Codable, Hashable {
  enum Choice: String, Codable, Hashable { case left = "not in the vocabulary" }
  var small: UInt8?
  var wide: Int64?
  var list: [Int?]
  var nested: [[String]?]
  var choice: Choice?
  var text: String??
  var real: Double
  var range: Range<Int>
}

@Suite struct CodingTests {
  @Test func `every kind of event comes back as it was written`() throws {
    for event in try everyKindOfEvent() {
      let bytes = try BinaryEncoder.encode(event)
      #expect(try BinaryDecoder.decode(Event.self, from: bytes) == event)
    }
  }
  @Test func `what may be absent, and lists of it, come back`() throws {
    let values = [
      Odd(
        small: nil, wide: .min, list: [nil, 1, -1], nested: [nil, [], ["a"]], choice: .left, text: .some(nil), real: -0.1,
        range: 1..<9),
      Odd(small: 255, wide: nil, list: [], nested: [], choice: nil, text: nil, real: .infinity, range: 0..<0),
      Odd(small: 0, wide: .max, list: [.max], nested: [["", "\u{0}"]], choice: nil, text: "x", real: 1e300, range: -5..<0),
    ]
    #expect(try BinaryDecoder.decode([Odd].self, from: try BinaryEncoder.encode(values)) == values)
  }
  @Test func `long lists of short numbers are written as number by number`() throws {
    struct Wide: Codable { var a: [Int], b: [UInt] }
    struct Short: Codable, Hashable { var a: [Int16], b: [UInt16] }
    let numbers = [Int16.min, -300, -1, 0, 1, 300, .max]
    let short = Short(a: numbers, b: numbers.map { UInt16(bitPattern: $0) })
    let wide = Wide(a: short.a.map { Int($0) }, b: short.b.map { UInt($0) })
    let bytes = try BinaryEncoder.encodeNamed(wide)
    #expect(try BinaryEncoder.encodeNamed(short) == bytes)
    #expect(try BinaryDecoder.decodeNamed(Short.self, from: bytes) == short)
    #expect(throws: RecordFault.self) {
      try BinaryDecoder.decodeNamed(Short.self, from: try BinaryEncoder.encodeNamed(Wide(a: [40_000], b: [])))
    }
    #expect(throws: RecordFault.self) { try BinaryDecoder.decode([Int16].self, from: [255, 255, 255, 0, 2]) }
  }
  @Test func `with names everything comes back as well, and torn bytes are refused`() throws {
    for event in try everyKindOfEvent() {
      let bytes = try BinaryEncoder.encodeNamed(event)
      #expect(try BinaryDecoder.decodeNamed(Event.self, from: bytes) == event)
      for length in stride(from: 0, to: bytes.count, by: max(1, bytes.count / 40)) {
        #expect(throws: RecordFault.self) { try BinaryDecoder.decodeNamed(Event.self, from: Array(bytes.prefix(length))) }
      }
      var dice = Dice(seed: UInt64(bytes.count))
      for _ in 0..<50 {
        var flipped = bytes
        flipped[dice.roll(bytes.count)] ^= UInt8(1 + dice.roll(255))
        _ = try? BinaryDecoder.decodeNamed(Event.self, from: flipped)  // another value or refused, never a crash
      }
    }
  }
  @Test func `a version with other members reads what it shares with the one that wrote`() throws {
    struct Before: Codable {
      enum Kind: Codable { case old(Int), gone }
      struct Inner: Codable { var a: Int, b: String? }
      var first: Int, dropped: [Inner], kept: [Inner?], kind: Kind, name: String?
    }
    struct After: Codable, Hashable {
      enum Kind: Codable, Hashable { case new(String), old(Int) }
      struct Inner: Codable, Hashable { var c: [Int], b: String?, a: Int, d: Bool? }
      struct Added: Codable, Hashable { var x: Int, y: [String] }
      var kind: Kind, name: String?, added: Added, kept: [Inner?], first: Int
    }
    let before = Before(
      first: -7, dropped: [Before.Inner(a: 1, b: "x")], kept: [nil, Before.Inner(a: 2, b: nil), Before.Inner(a: 3, b: "y")],
      kind: .old(9), name: "n")
    let after = try BinaryDecoder.decodeNamed(After.self, from: try BinaryEncoder.encodeNamed(before))
    #expect(
      after
        == After(
          kind: .old(9), name: "n", added: After.Added(x: 0, y: []),
          kept: [nil, After.Inner(c: [], b: nil, a: 2, d: nil), After.Inner(c: [], b: "y", a: 3, d: nil)], first: -7))
    var gone = before
    gone.kind = .gone
    #expect(throws: RecordFault.self) { try BinaryDecoder.decodeNamed(After.self, from: try BinaryEncoder.encodeNamed(gone)) }
  }
  @Test func `torn and flipped bytes are refused or read as another value, never a crash`() throws {
    var dice = Dice(seed: 11)
    for event in try everyKindOfEvent() {
      let bytes = try BinaryEncoder.encode(event)
      for length in 0..<min(bytes.count, 60) {
        #expect(throws: RecordFault.self) { try BinaryDecoder.decode(Event.self, from: Array(bytes.prefix(length))) }
      }
      for _ in 0..<50 {
        var flipped = bytes
        flipped[dice.roll(bytes.count)] ^= UInt8(1 + dice.roll(255))
        let read = try? BinaryDecoder.decode(Event.self, from: flipped)
        #expect(read != event)
      }
    }
  }
  @Test func `a hot event takes few bytes: a second of three meters and 24 connectors`() throws {
    // A day of the hub: three meters each second, 24 connectors every ten.
    var dice = Dice(seed: 3)
    var bytes = 0
    var events = 0
    var sequence: UInt64 = 0
    var energy = 0
    for round in 0..<30 {
      var writer = BatchWriter()
      for second in 0..<10 {
        for meter in 0..<3 {
          sequence += 1
          energy += 3000
          let current = PerPhase<Current>(
            .milliamperes(31_000 + dice.roll(400)), .milliamperes(29_000 + dice.roll(400)), .milliamperes(30_000 + dice.roll(400)))
          let reading = MeterReading(
            meter: meter, age: .milliseconds(20 + dice.roll(10)), current: current,
            power: current.map { $0.power(at: .volts(230), phases: 1) },
            totalPower: current.sum.power(at: .volts(230), phases: 1),
            voltage: PerPhase(
              .millivolts(230_000 + dice.roll(900)), .millivolts(229_500 + dice.roll(900)), .millivolts(231_000 + dice.roll(900))),
            imported: Energy(milliwattHours: 9_000_000_000 + energy), registers: UInt64(dice.roll(1 << 60)))
          try writer.append(
            Entry(stamp: stamp(sequence, after: (round * 10 + second) * 1000), event: .reading(reading), effects: []))
          events += 1
        }
        for connector in 0..<24 where (connector + second + round * 10) % 10 == 0 {
          sequence += 1
          let sample = ConnectorSample(
            takenAt: noon + .seconds(round * 10 + second), current: dice.phases(16_000), register: .wattHours(100 + round))
          try writer.append(
            Entry(
              stamp: stamp(sequence, after: (round * 10 + second) * 1000),
              event: .station(connector, .sampled(connector: 1, transaction: 5, sample)), effects: []))
          events += 1
        }
      }
      let batch = writer.finish()
      bytes += batch.kept.count + (batch.readings?.count ?? 0) + 96
    }
    let perDay = bytes * 86400 / 300
    print("bytes per hot event: \(bytes / events), a day: \(perDay / 1000) kB")
    #expect(perDay < 20_000_000)
  }
}

extension Voltage {
  static func millivolts(_ value: Int) -> Voltage { Voltage(millivolts: value) }
}

@Suite struct BatchTests {
  @Test(arguments: 1...20) func `random entries come back in order from a batch`(seed: UInt64) throws {
    var dice = Dice(seed: seed)
    let others = try everyKindOfEvent()
    var writer = BatchWriter()
    var entries: [Entry] = []
    for i in 0..<80 {
      let event: Event = [.reading(dice.reading()), dice.sample(), others[dice.roll(others.count)]][dice.roll(3)]
      let effects: [Effect] = dice.roll(4) == 0 ? [.alarm(.storeFailed, raised: dice.roll(2) == 0)] : []
      entries.append(Entry(stamp: stamp(90 + UInt64(i), after: i * 130 - dice.roll(90)), event: event, effects: effects))
      try writer.append(entries[i])
    }
    let batch = writer.finish()
    #expect(try batch.entries() == entries.map { .whole($0) }, "seed \(seed)")
    #expect(batch.first == 90 && batch.last == 169 && batch.readingsAreWhole)

    var thinned = batch
    thinned.readings = nil
    let expected = entries.compactMap { entry -> Batch.Remains? in
      guard entry.isReading else { return .whole(entry) }
      return entry.effects.isEmpty ? nil : .thinned(entry.stamp, effects: entry.effects)
    }
    #expect(try thinned.entries() == expected, "seed \(seed)")
    #expect(thinned.link(after: Batch.genesis) == batch.link(after: Batch.genesis) && thinned.readingsAreWhole)

    var forged = batch
    forged.kept[forged.kept.count - 1] ^= 1
    forged.keptDigest = SHA256.digest(forged.kept)
    #expect(forged.link(after: Batch.genesis) != batch.link(after: Batch.genesis))
    forged = batch
    forged.lastAt = forged.lastAt + .milliseconds(1)
    #expect(forged.link(after: Batch.genesis) != batch.link(after: Batch.genesis))
  }
}
