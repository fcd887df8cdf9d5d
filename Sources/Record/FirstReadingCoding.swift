import Control
import Quantities
import Site

/// The first and second form of raw readings: differences to the last of the same meter or connector. Read only, for old journals.
struct FirstReadingCoding {
  private var meters: [(key: Int, last: MeterReading)] = []
  private var connectors: [(station: Int, connector: Int, last: ConnectorSample, transaction: Int?)] = []

  mutating func read(from reader: inout ByteReader) throws(RecordFault) -> Event {
    let at = reader.position
    switch try reader.byte() {
    case 0: return .reading(try meterReading(from: &reader))
    case 1: return try connectorSample(from: &reader)
    case let other: throw .badValue("kind of reading \(other)", at: at)
    }
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
