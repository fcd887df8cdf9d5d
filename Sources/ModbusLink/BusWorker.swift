import Metering
import Quantities
import Site

/// The loop of one bus's thread.
struct BusWorker {
  private let connection: ModbusConnection
  private let units: [MeterBus.Unit]
  private let gate: Gate<MeterBus.Work>
  private let discovered: MeterBus.Discovery
  private let deliver: MeterBus.Delivery
  private var poller: Poller
  /// nil until discovery has found the map.
  private var decoders: [MeterDecoder?]
  /// Words of the reading under way.
  private var words: [UInt16] = []
  private var firstSent = Monotonic(milliseconds: 0)
  private var faults: [MeterFault]
  private var batch: [MeterReport] = []
  private var backoff = TimeSpan.zero
  private var nextConnect = Monotonic(milliseconds: 0)

  /// A connection attempt waits this long; together with the largest back-off it stays below the 5 s after which readings are stale.
  private static let connectTimeout = TimeSpan.seconds(1)
  private static let smallestBackoff = TimeSpan.milliseconds(250)
  private static let largestBackoff = TimeSpan.seconds(5)
  /// A finished reading waits at most this long for others that go with it.
  private static let batchAge = TimeSpan.milliseconds(50)

  init(
    _ connection: ModbusConnection, _ units: [MeterBus.Unit], _ timing: Poller.Timing, _ gate: Gate<MeterBus.Work>,
    _ discovered: @escaping MeterBus.Discovery, _ deliver: @escaping MeterBus.Delivery
  ) {
    (self.connection, self.units, self.gate, self.discovered, self.deliver) = (connection, units, gate, discovered, deliver)
    decoders = units.map { unit in
      guard case .registers(let map) = unit.layout else { return nil }
      return MeterDecoder(map, meter: unit.meter, everything: unit.everything)
    }
    faults = units.map { _ in .silent }
    poller = Poller(
      periods: units.map(\.period), requests: decoders.map { $0?.plan.ranges.count ?? 1 }, timing: timing, start: monotonicNow())
  }

  mutating func run() {
    while !gate.closed {
      switch poller.next(at: monotonicNow()) {
      case .idle(let due):
        flush()
        gate.wait(until: due)
      case .ask(let meter, let request, let timeout):
        guard connect() else { continue }
        ask(meter, request, timeout)
      }
      if let oldest = batch.first, monotonicNow() - oldest.received > Self.batchAge { flush() }
    }
    flush()
    connection.close()
  }

  private mutating func flush() {
    guard !batch.isEmpty else { return }
    deliver(batch)
    batch = []  // never the memory that was handed over
  }

  // MARK: Connection

  /// - Returns: whether the connection stands; otherwise the time until the next attempt has passed.
  private mutating func connect() -> Bool {
    if connection.connected { return true }
    if monotonicNow() < nextConnect {
      flush()
      gate.wait(until: nextConnect)
      if gate.closed { return false }
    }
    if connection.open(timeout: Self.connectTimeout) == 0 {
      // Not yet a reason to start over with the back-off: a gateway may accept and hang up at once.
      return true
    }
    let now = monotonicNow()
    for unit in units {
      batch.append(MeterReport(meter: unit.meter, received: now, outcome: .fault(.unreachable), words: []))
    }
    flush()
    delayNextConnect(now)
    return false
  }

  private mutating func delayNextConnect(_ now: Monotonic) {
    backoff = min(Self.largestBackoff, max(Self.smallestBackoff, backoff * 2))
    nextConnect = now + backoff
  }

  // MARK: One request

  private mutating func ask(_ meter: Int, _ request: Int, _ timeout: TimeSpan) {
    let sent = monotonicNow()
    if request == 0 {
      words.removeAll(keepingCapacity: true)
      firstSent = sent
    }
    guard let decoder = decoders[meter] else { return discover(meter, timeout) }
    switch connection.read(decoder.plan.ranges[request], unit: units[meter].unit, timeout: timeout) {
    case .words(let answer):
      words += answer
      backoff = .zero
      if poller.report(.words, of: meter, at: monotonicNow()) == .complete { complete(meter) }
    case let failure: fail(meter, failure)
    }
  }

  private mutating func complete(_ meter: Int) {
    let now = monotonicNow()
    guard let outcome = decoders[meter]?.decode(words, age: now - firstSent) else { return }
    batch.append(MeterReport(meter: units[meter].meter, received: now, outcome: outcome, words: words))
  }

  private mutating func fail(_ meter: Int, _ failure: ModbusConnection.Answer) {
    let now = monotonicNow()
    var answer = Poller.Answer.silent
    switch failure {
    case .exception(let code):
      faults[meter] = .exception(code)
      // 10 and 11: the gateway answers, the meter behind it does not. Source: Modbus Application Protocol V1.1b3 §7.
      if code < 10 { answer = .refused }
    case .lost:
      faults[meter] = .silent
      delayNextConnect(now)
    case .silent, .words: faults[meter] = .silent
    }
    if poller.report(answer, of: meter, at: now) == .missed {
      batch.append(MeterReport(meter: units[meter].meter, received: now, outcome: .fault(faults[meter]), words: []))
    }
    if poller.allDead { connection.close() }  // perhaps the connection is what is dead: the next poll makes a new one
  }

  // MARK: SunSpec

  private mutating func discover(_ meter: Int, _ timeout: TimeSpan) {
    guard case .sunSpec(let bases) = units[meter].layout else { return }
    var discovery = SunSpecDiscovery(bases: bases)
    while case .read(let range) = discovery.step, !gate.closed {
      switch connection.read(range, unit: units[meter].unit, timeout: timeout) {
      case .words(let answer): discovery.received(answer)
      case .exception(let code) where code < 10: discovery.received(nil)
      case let failure: return fail(meter, failure)
      }
    }
    switch discovery.step {
    case .found(let found):
      let decoder = MeterDecoder(found.map, meter: units[meter].meter, everything: units[meter].everything)
      decoders[meter] = decoder
      poller.setRequests(decoder.plan.ranges.count, of: meter)
      discovered(units[meter].meter, found)
    case .failed:
      let now = monotonicNow()
      _ = poller.report(.refused, of: meter, at: now)
      batch.append(
        MeterReport(meter: units[meter].meter, received: now, outcome: .fault(.implausible("SunSpec meter model")), words: []))
    case .read: break  // stopped meanwhile
    }
  }
}
