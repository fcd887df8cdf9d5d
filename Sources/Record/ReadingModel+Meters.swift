import Quantities
import Site

/// A meter's last reading, as far as the next one is expected from it.
struct MeterMemory: Sendable {
  var reading: MeterReading
  var shape: UInt8
  /// When the sample was taken, on the mind's clock.
  var sampled: Int
  /// What the counters went on by, and in which time.
  var imported = 0
  var exported = 0
  var span = 0
  var power = Guesses(2)
  var counters = [Guesses](repeating: Guesses(3), count: 2)
}

extension ReadingModel {
  mutating func codeReading<Coder: DecisionCoder>(
    _ given: MeterReading, _ place: Int, _ stamp: EventStamp, _ coder: inout Coder
  ) -> MeterReading {
    let before = devices[place].meter
    var result = before?.reading ?? MeterReading(meter: given.meter, current: nil, registers: 0)
    result.meter = given.meter
    if case .meter(let meter) = devices[place].key { result.meter = meter }
    result.age = TimeSpan(raw: code(given.age.raw, .age, expecting: before?.reading.age.raw ?? 0, &coder))
    let sampled = stamp.monotonic.milliseconds &- result.age.raw
    if let before, code(Self.sameValues(given, before.reading), .isUnchanged, &coder) {
      var memory = before
      memory.reading = result
      (memory.imported, memory.exported, memory.span, memory.sampled) = (0, 0, sampled &- before.sampled, sampled)
      devices[place].meter = memory
      return result
    }
    let shape = codeShape(
      Self.shape([
        given.current != nil, given.power != nil, given.totalPower != nil, given.voltage != nil, given.imported != nil,
        given.exported != nil,
      ]), .meterShape, last: before?.shape ?? lastMeter.flatMap { devices[$0].meter?.shape }, &coder)
    var memory = before ?? MeterMemory(reading: result, shape: shape, sampled: sampled)
    codeVoltage(given, shape & 8 != 0, before, &result, &coder)
    codeCurrent(given, shape & 1 != 0, before, &result, &coder)
    codePower(given, shape, before, &memory, &result, &coder)
    codeCounters(given, shape, before, sampled, &memory, &result, &coder)
    codeDigest(given, before, &result, &coder)
    (memory.reading, memory.shape, memory.sampled) = (result, shape, sampled)
    devices[place].meter = memory
    return result
  }

  private static func sameValues(_ a: MeterReading, _ b: MeterReading) -> Bool {
    var a = a
    a.age = b.age
    return a == b
  }

  /// Expected: the last one; at first what the phase before has, or the nominal one.
  private mutating func codeVoltage<Coder: DecisionCoder>(
    _ given: MeterReading, _ isThere: Bool, _ before: MeterMemory?, _ result: inout MeterReading, _ coder: inout Coder
  ) {
    guard isThere else { return result.voltage = nil }
    let last = before?.reading.voltage
    var (voltage, neighbour) = (PerPhase<Voltage>.zero, Self.nominal)
    for phase in Phase.allCases {
      let number = last == nil ? Number.firstVoltage : .voltage
      neighbour = code(given.voltage?[phase].raw ?? 0, number, expecting: last?[phase].raw ?? neighbour, &coder)
      voltage[phase] = Voltage(raw: neighbour)
    }
    result.voltage = voltage
  }
  /// Millivolts.
  static let nominal = 230_000

  private mutating func codeCurrent<Coder: DecisionCoder>(
    _ given: MeterReading, _ isThere: Bool, _ before: MeterMemory?, _ result: inout MeterReading, _ coder: inout Coder
  ) {
    guard isThere else { return result.current = nil }
    let last = before?.reading.current
    var (current, neighbour) = (PerPhase<Current>.zero, 0)
    for phase in Phase.allCases {
      let number = last == nil ? Number.firstCurrent : .current
      neighbour = code(given.current?[phase].raw ?? 0, number, expecting: last?[phase].raw ?? neighbour, &coder)
      current[phase] = Current(raw: neighbour)
    }
    result.current = current
  }

  /// Expected: V x I, or as much of it as the last time. The total: the sum of the phases, and what it was beyond that the last time.
  private mutating func codePower<Coder: DecisionCoder>(
    _ given: MeterReading, _ shape: UInt8, _ before: MeterMemory?, _ memory: inout MeterMemory, _ result: inout MeterReading,
    _ coder: inout Coder
  ) {
    let last = before?.reading
    var power: PerPhase<Power>?
    if shape & 2 != 0 {
      var phases = PerPhase<Power>.zero
      for phase in Phase.allCases {
        let apparent = Self.apparent(result, phase)
        var guess = apparent
        if let last, let power = last.power?[phase].raw { guess = Self.scaled(power, apparent, over: Self.apparent(last, phase)) }
        phases[phase] = Power(
          raw: memory.power.code(given.power?[phase].raw ?? 0, [apparent, guess], &numbers[Number.power.rawValue], &coder))
      }
      power = phases
    }
    if shape & 4 != 0 {
      let expected = Self.sum(power) &+ (last?.totalPower?.raw ?? 0) &- Self.sum(last?.power)
      result.totalPower = Power(raw: code(given.totalPower?.raw ?? 0, .totalPower, expecting: expected, &coder))
    } else {
      result.totalPower = nil
    }
    result.power = power
  }
  private static func apparent(_ reading: MeterReading, _ phase: Phase) -> Int {
    scaled(reading.voltage?[phase].raw ?? nominal, reading.current?[phase].raw ?? 0, over: 1000)
  }
  private static func sum(_ power: PerPhase<Power>?) -> Int {
    guard let power else { return 0 }
    return power.l1.raw &+ power.l2.raw &+ power.l3.raw
  }

  /// Expected: it stands still, or goes on by the energy of the power, or at its own pace.
  private mutating func codeCounters<Coder: DecisionCoder>(
    _ given: MeterReading, _ shape: UInt8, _ before: MeterMemory?, _ sampled: Int, _ memory: inout MeterMemory,
    _ result: inout MeterReading, _ coder: inout Coder
  ) {
    memory.span = before.map { sampled &- $0.sampled } ?? 0
    let mean = Self.scaled(1, (result.totalPower?.raw ?? 0) &+ (before?.reading.totalPower?.raw ?? 0), over: 2)
    for (place, isThere) in [shape & 16 != 0, shape & 32 != 0].enumerated() {
      let value = (place == 0 ? given.imported : given.exported)?.raw ?? 0
      var counter: Int?
      var step = 0
      if isThere, let last = place == 0 ? before?.reading.imported?.raw : before?.reading.exported?.raw {
        let flows = place == 0 ? mean : 0 &- mean
        let byPower = Self.scaled(max(0, flows), memory.span, over: 3_600_000)
        let byPace = Self.scaled(place == 0 ? memory.imported : memory.exported, memory.span, over: before?.span ?? 0)
        let found = memory.counters[place].code(
          value, [last, last &+ byPower, last &+ byPace], &numbers[Number.energy.rawValue], &coder)
        (counter, step) = (found, found &- last)
      } else if isThere {
        counter = code(value, .firstEnergy, expecting: 0, &coder)
      }
      if place == 0 {
        (result.imported, memory.imported) = (counter.map(Energy.init(raw:)), step)
      } else {
        (result.exported, memory.exported) = (counter.map(Energy.init(raw:)), step)
      }
    }
  }

  private mutating func codeDigest<Coder: DecisionCoder>(
    _ given: MeterReading, _ before: MeterMemory?, _ result: inout MeterReading, _ coder: inout Coder
  ) {
    if code(given.registers == given.digestOfValues, .digestIsOfValues, &coder) {
      result.registers = result.digestOfValues
    } else if code(given.registers == before?.reading.registers ?? 0, .digestIsSame, &coder) {
      result.registers = before?.reading.registers ?? 0
    } else {
      var digest: UInt64 = 0
      for shift in stride(from: UInt64(0), to: 64, by: 16) {
        digest |= coder.plain(given.registers >> shift & 0xffff, count: 16) << shift
      }
      result.registers = digest
    }
  }
}
