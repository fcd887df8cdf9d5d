import Control
import Quantities
import Site

/// The third form of raw readings: each member as its distance from what the readings before it let expect. Begins anew with each
/// batch: a batch is read alone. Frozen: another way to expect is another form.
struct ReadingModel: Sendable {
  /// A meter or connector of this batch, as its last reading left it.
  struct Device: Sendable {
    enum Key: Hashable, Sendable {
      case meter(Int)
      case connector(station: Int, number: Int)
    }
    var key: Key
    /// Which device came after it the last time.
    var next: Int?
    var at: Instant
    var gap: TimeSpan?
    var meter: MeterMemory?
    var connector: ConnectorMemory?
  }
  var devices: [Device] = []
  /// Its place, and the places of the last meter and the last connector.
  private var last: Int?
  var lastMeter: Int?
  var lastConnector: Int?
  private var stamp: EventStamp

  var numbers = [NumberModel](repeating: NumberModel(), count: Number.allCases.count)
  var chances = [Chance](repeating: Chance(), count: Flag.allCases.count)
  private var arrival = [Guesses](repeating: Guesses(2), count: 2)
  var taken = Guesses(2)
  var sampleCurrents = [Guesses](repeating: Guesses(3), count: 3)
  var samplePower = Guesses(2)
  var sampleEnergy = Guesses(2)

  /// Each has a model of its own. Those that begin with `first` are of a device's first reading in the batch.
  enum Number: Int, CaseIterable {
    case meter, station, connector, sequence, arrival, sampleArrival, monotonic, age
    case firstVoltage, voltage, firstCurrent, current, power, totalPower, firstEnergy, energy
    case firstTransaction, transaction, taken, firstOffer, offer, sampleCurrent, samplePower, sampleVoltage
    case firstRegister, register, charge
  }
  enum Flag: Int, CaseIterable {
    case followsMeter, followsConnector, isMeter
    case meterShape, connectorShape, isUnchanged, isUnchangedSample
    case digestIsOfValues, digestIsSame, wattHours
  }

  /// - Parameter first: the batch's first stamp.
  init(first: EventStamp) {
    stamp = EventStamp(utc: first.utc, monotonic: first.monotonic, sequence: first.sequence &- 1)
  }

  /// Writes or reads the next reading.
  /// - Precondition: to be written, it is a raw reading, and its sequence is above the last one's.
  mutating func code<Coder: DecisionCoder>(_ entry: Entry, _ coder: inout Coder) -> Entry {
    let place = codeDevice(of: entry.event, &coder)
    let stamp = codeStamp(entry.stamp, of: place, &coder)
    let event: Event
    switch devices[place].key {
    case .meter(let meter):
      var reading = MeterReading(meter: meter, current: nil, registers: 0)
      if case .reading(let given) = entry.event { reading = given }
      event = .reading(codeReading(reading, place, stamp, &coder))
      lastMeter = place
    case .connector(let station, let number):
      var (sample, transaction): (ConnectorSample, Int?) = (ConnectorSample(takenAt: nil), nil)
      if case .station(_, .sampled(_, let given, let one)) = entry.event { (transaction, sample) = (given, one) }
      (sample, transaction) = codeSample(sample, transaction, place, stamp, &coder)
      event = .station(station, .sampled(connector: number, transaction: transaction, sample))
      lastConnector = place
    }
    return Entry(stamp: stamp, event: event, effects: [])
  }

  // MARK: Whose it is, and when

  private mutating func codeDevice<Coder: DecisionCoder>(of event: Event, _ coder: inout Coder) -> Int {
    let key = Self.key(of: event)
    var place: Int?
    if let last, let next = devices[last].next {
      var flag = Flag.followsConnector
      if case .meter = devices[last].key { flag = .followsMeter }
      if code(devices[next].key == key, flag, &coder) { place = next }
    }
    let found = place ?? codeKey(key, &coder)
    if let last { devices[last].next = found }
    last = found
    return found
  }
  private static func key(of event: Event) -> Device.Key {
    switch event {
    case .reading(let reading): .meter(reading.meter)
    case .station(let station, .sampled(let number, _, _)): .connector(station: station, number: number)
    default: preconditionFailure("no reading")
    }
  }
  private mutating func codeKey<Coder: DecisionCoder>(_ given: Device.Key, _ coder: inout Coder) -> Int {
    var (isMeter, index, number) = (true, 0, 0)
    switch given {
    case .meter(let meter): index = meter
    case .connector(let station, let connector): (isMeter, index, number) = (false, station, connector)
    }
    let key: Device.Key
    if code(isMeter, .isMeter, &coder) {
      var expected = 0
      if let lastMeter, case .meter(let meter) = devices[lastMeter].key { expected = meter &+ 1 }
      key = .meter(code(index, .meter, expecting: expected, &coder))
    } else {
      var expected = 0
      if let lastConnector, case .connector(let station, _) = devices[lastConnector].key { expected = station }
      let station = code(index, .station, expecting: expected, &coder)
      key = .connector(station: station, number: code(number, .connector, expecting: 1, &coder))
    }
    if let known = devices.firstIndex(where: { $0.key == key }) { return known }
    devices.append(Device(key: key, at: stamp.utc))
    return devices.count - 1
  }

  private mutating func codeStamp<Coder: DecisionCoder>(
    _ given: EventStamp, of place: Int, _ coder: inout Coder
  ) -> EventStamp {
    let sequence = stamp.sequence &+ 1
    let steps = code(Int(truncatingIfNeeded: given.sequence &- sequence), .sequence, expecting: 0, &coder)
    let isMeter = if case .meter = devices[place].key { true } else { false }
    let due = devices[place].gap.map { devices[place].at.milliseconds &+ $0.raw }
    let utc = arrival[isMeter ? 0 : 1].code(
      given.utc.milliseconds, [stamp.utc.milliseconds, due ?? stamp.utc.milliseconds],
      &numbers[(isMeter ? Number.arrival : .sampleArrival).rawValue], &coder)
    // Both clocks go on by the same time, but for a step of the wall clock and for rounding.
    let expected = stamp.monotonic.milliseconds &+ (utc &- stamp.utc.milliseconds)
    let monotonic = code(given.monotonic.milliseconds, .monotonic, expecting: expected, &coder)
    let result = EventStamp(
      utc: Instant(milliseconds: utc), monotonic: Monotonic(milliseconds: monotonic),
      sequence: sequence &+ UInt64(truncatingIfNeeded: steps))
    if devices[place].meter != nil || devices[place].connector != nil {
      devices[place].gap = TimeSpan(raw: utc &- devices[place].at.milliseconds)
    }
    devices[place].at = result.utc
    stamp = result
    return result
  }

  // MARK: Small parts

  mutating func code<Coder: DecisionCoder>(_ bit: Bool, _ flag: Flag, _ coder: inout Coder) -> Bool {
    coder.code(bit, &chances[flag.rawValue])
  }
  mutating func code<Coder: DecisionCoder>(_ value: Int, _ number: Number, expecting: Int, _ coder: inout Coder) -> Int {
    expecting &+ numbers[number.rawValue].code(value &- expecting, &coder)
  }
  /// Which members are there, one bit each: mostly the same as the last time.
  mutating func codeShape<Coder: DecisionCoder>(_ shape: UInt8, _ flag: Flag, last: UInt8?, _ coder: inout Coder) -> UInt8 {
    if let last, code(shape == last, flag, &coder) { return last }
    return UInt8(truncatingIfNeeded: coder.plain(UInt64(shape), count: 8))
  }
  static func shape(_ members: [Bool]) -> UInt8 {
    var shape: UInt8 = 0
    for (place, isThere) in members.enumerated() where isThere { shape |= 1 << UInt8(place) }
    return shape
  }
  /// `value` x `numerator` / `denominator`, however large.
  static func scaled(_ value: Int, _ numerator: Int, over denominator: Int) -> Int {
    denominator == 0 ? 0 : Int(truncatingIfNeeded: Int128(value) * Int128(numerator) / Int128(denominator))
  }
}
