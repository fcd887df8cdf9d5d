import Control
import Quantities
import Site

/// Readings written as differences to the last of the same meter or connector. Begins anew with each batch: a batch is read alone.
struct ReadingCoding {
  private var meters: [(key: Int, last: MeterReading)] = []
  private var connectors: [(station: Int, connector: Int, last: ConnectorSample, transaction: Int?)] = []

  mutating func write(_ event: Event, to writer: inout ByteWriter) {
    switch event {
    case .reading(let reading): write(reading, to: &writer)
    case .station(let station, .sampled(let connector, let transaction, let sample)):
      write(sample, station: station, connector: connector, transaction: transaction, to: &writer)
    default: preconditionFailure("no reading")
    }
  }

  mutating func read(from reader: inout ByteReader) throws(RecordFault) -> Event {
    let at = reader.position
    switch try reader.byte() {
    case 0: return .reading(try meterReading(from: &reader))
    case 1: return try connectorSample(from: &reader)
    case let other: throw .badValue("kind of reading \(other)", at: at)
    }
  }

  private mutating func write(_ reading: MeterReading, to writer: inout ByteWriter) {
    let place = meters.firstIndex { $0.key == reading.meter }
    let last = place.map { meters[$0].last } ?? MeterReading(meter: reading.meter, current: nil, registers: 0)
    writer.put(byte: 0)
    writer.put(reading.meter)
    // One byte says what is there; the eighth bit, that the registers are the same.
    var mask: UInt8 = reading.registers == last.registers ? 128 : 0
    for (bit, present) in [
      reading.current != nil, reading.power != nil, reading.totalPower != nil, reading.voltage != nil, reading.imported != nil,
      reading.exported != nil,
    ].enumerated() where present { mask |= 1 << UInt8(bit) }
    writer.put(byte: mask)
    writer.put(reading.age.raw - last.age.raw)
    Self.put(reading.current, last.current, &writer)
    Self.put(reading.power, last.power, &writer)
    Self.put(reading.totalPower, last.totalPower, &writer)
    Self.put(reading.voltage, last.voltage, &writer)
    Self.put(reading.imported, last.imported, &writer)
    Self.put(reading.exported, last.exported, &writer)
    if mask & 128 == 0 { writer.put(fixed: reading.registers) }
    if let place { meters[place].last = reading } else { meters.append((reading.meter, reading)) }
  }

  private mutating func meterReading(from reader: inout ByteReader) throws(RecordFault) -> MeterReading {
    let meter = try reader.integer()
    let place = meters.firstIndex { $0.key == meter }
    let last = place.map { meters[$0].last } ?? MeterReading(meter: meter, current: nil, registers: 0)
    let mask = try reader.byte()
    var reading = MeterReading(meter: meter, current: nil, registers: last.registers)
    reading.age = TimeSpan(raw: last.age.raw &+ (try reader.integer()))
    reading.current = mask & 1 == 0 ? nil : try Self.phases(last.current, &reader)
    reading.power = mask & 2 == 0 ? nil : try Self.phases(last.power, &reader)
    reading.totalPower = mask & 4 == 0 ? nil : try Self.one(last.totalPower, &reader)
    reading.voltage = mask & 8 == 0 ? nil : try Self.phases(last.voltage, &reader)
    reading.imported = mask & 16 == 0 ? nil : try Self.one(last.imported, &reader)
    reading.exported = mask & 32 == 0 ? nil : try Self.one(last.exported, &reader)
    if mask & 128 == 0 { reading.registers = try reader.fixed() }
    if let place { meters[place].last = reading } else { meters.append((meter, reading)) }
    return reading
  }

  private mutating func write(
    _ sample: ConnectorSample, station: Int, connector: Int, transaction: Int?, to writer: inout ByteWriter
  ) {
    let place = connectors.firstIndex { $0.station == station && $0.connector == connector }
    let last = place.map { connectors[$0].last } ?? ConnectorSample(takenAt: nil)
    let lastTransaction = place.flatMap { connectors[$0].transaction }
    writer.put(byte: 1)
    writer.put(station)
    writer.put(connector)
    var mask: UInt8 = transaction != nil ? 128 : 0
    for (bit, present) in [
      sample.takenAt != nil, sample.current != nil, sample.power != nil, sample.voltage != nil, sample.register != nil,
      sample.offered != nil, sample.stateOfCharge != nil,
    ].enumerated() where present { mask |= 1 << UInt8(bit) }
    writer.put(byte: mask)
    if let transaction { writer.put(transaction - (lastTransaction ?? 0)) }
    if let at = sample.takenAt { writer.put(at.milliseconds - (last.takenAt?.milliseconds ?? 0)) }
    Self.put(sample.current, last.current, &writer)
    Self.put(sample.power, last.power, &writer)
    Self.put(sample.voltage, last.voltage, &writer)
    Self.put(sample.register, last.register, &writer)
    Self.put(sample.offered, last.offered, &writer)
    if let charge = sample.stateOfCharge { writer.put(charge - (last.stateOfCharge ?? 0)) }
    if let place {
      (connectors[place].last, connectors[place].transaction) = (sample, transaction)
    } else {
      connectors.append((station, connector, sample, transaction))
    }
  }

  private mutating func connectorSample(from reader: inout ByteReader) throws(RecordFault) -> Event {
    let station = try reader.integer(), connector = try reader.integer()
    let place = connectors.firstIndex { $0.station == station && $0.connector == connector }
    let last = place.map { connectors[$0].last } ?? ConnectorSample(takenAt: nil)
    let lastTransaction = place.flatMap { connectors[$0].transaction }
    let mask = try reader.byte()
    let transaction = mask & 128 == 0 ? nil : (lastTransaction ?? 0) &+ (try reader.integer())
    var sample = ConnectorSample(takenAt: nil)
    if mask & 1 != 0 { sample.takenAt = Instant(milliseconds: (last.takenAt?.milliseconds ?? 0) &+ (try reader.integer())) }
    sample.current = mask & 2 == 0 ? nil : try Self.phases(last.current, &reader)
    sample.power = mask & 4 == 0 ? nil : try Self.one(last.power, &reader)
    sample.voltage = mask & 8 == 0 ? nil : try Self.phases(last.voltage, &reader)
    sample.register = mask & 16 == 0 ? nil : try Self.one(last.register, &reader)
    sample.offered = mask & 32 == 0 ? nil : try Self.one(last.offered, &reader)
    if mask & 64 != 0 { sample.stateOfCharge = (last.stateOfCharge ?? 0) &+ (try reader.integer()) }
    if let place {
      (connectors[place].last, connectors[place].transaction) = (sample, transaction)
    } else {
      connectors.append((station, connector, sample, transaction))
    }
    return .station(station, .sampled(connector: connector, transaction: transaction, sample))
  }

  private static func put<Value: Quantity>(_ value: Value?, _ last: Value?, _ writer: inout ByteWriter) {
    if let value { writer.put(value.raw &- (last?.raw ?? 0)) }
  }
  private static func put<Value: Quantity>(_ value: PerPhase<Value>?, _ last: PerPhase<Value>?, _ writer: inout ByteWriter) {
    guard let value else { return }
    for phase in Phase.allCases { writer.put(value[phase].raw &- (last?[phase].raw ?? 0)) }
  }
  private static func one<Value: Quantity>(_ last: Value?, _ reader: inout ByteReader) throws(RecordFault) -> Value {
    Value(raw: (last?.raw ?? 0) &+ (try reader.integer()))
  }
  private static func phases<Value: Quantity>(
    _ last: PerPhase<Value>?, _ reader: inout ByteReader
  ) throws(RecordFault) -> PerPhase<Value> {
    var result = PerPhase<Value>.zero
    for phase in Phase.allCases { result[phase] = Value(raw: (last?[phase].raw ?? 0) &+ (try reader.integer())) }
    return result
  }
}
