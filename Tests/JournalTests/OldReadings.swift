import Control
import Quantities
import Record
import Site

/// Writes raw readings in the first form, as versions did that nobody has any more.
struct OldReadings {
  private var meters: [(key: Int, last: MeterReading)] = []
  private var connectors: [(station: Int, connector: Int, last: ConnectorSample, transaction: Int?)] = []

  /// The section of a batch's readings.
  static func section(of batch: Batch) throws -> [UInt8] {
    var (writer, coding) = (ByteWriter(), OldReadings())
    var last: EventStamp?
    for case .whole(let entry) in try batch.entries() {
      let start = last ?? entry.stamp
      if last == nil { last = entry.stamp }
      guard entry.isReading else { continue }
      writer.put(unsigned: entry.stamp.sequence - start.sequence)
      writer.put(entry.stamp.utc.milliseconds - start.utc.milliseconds)
      writer.put(entry.stamp.monotonic.milliseconds - start.monotonic.milliseconds)
      coding.write(entry.event, to: &writer)
      last = entry.stamp
    }
    return writer.bytes
  }

  mutating func write(_ event: Event, to writer: inout ByteWriter) {
    switch event {
    case .reading(let reading): write(reading, to: &writer)
    case .station(let station, .sampled(let connector, let transaction, let sample)):
      write(sample, station: station, connector: connector, transaction: transaction, to: &writer)
    default: preconditionFailure("no reading")
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

  private static func put<Value: Quantity>(_ value: Value?, _ last: Value?, _ writer: inout ByteWriter) {
    if let value { writer.put(value.raw &- (last?.raw ?? 0)) }
  }
  private static func put<Value: Quantity>(_ value: PerPhase<Value>?, _ last: PerPhase<Value>?, _ writer: inout ByteWriter) {
    guard let value else { return }
    for phase in Phase.allCases { writer.put(value[phase].raw &- (last?[phase].raw ?? 0)) }
  }
}
