import Metering
import Quantities
import Site

/// What came of one poll.
public struct MeterReport: Hashable, Sendable {
  /// Index into `Hub.meters`; the same as in the reading.
  public var meter: Int
  /// When the last word arrived, on the machine's monotonic clock.
  public var received: Monotonic
  /// The reading's age is the time since its first request was sent.
  public var outcome: MeterOutcome
  /// Raw words of all requests, in the order of the decoder's plan; empty for a silent meter.
  public var words: [UInt16]
}

/// Polls the meters of one bus on a thread of its own.
public final class MeterBus: Sendable {
  /// One meter on the bus.
  public struct Unit: Sendable {
    /// Index into `Hub.meters`.
    public var meter: Int
    public var unit: Int
    public var period: TimeSpan
    public var layout: MeterProfile.Layout
    /// Also what no reading holds (frequency).
    public var everything: Bool
    public init(meter: Int, unit: Int, period: TimeSpan = .seconds(1), layout: MeterProfile.Layout, everything: Bool = false) {
      (self.meter, self.unit, self.period, self.layout, self.everything) = (meter, unit, period, layout, everything)
    }
  }
  /// Called on the bus's thread with one or more reports; must not block for long.
  public typealias Delivery = @Sendable ([MeterReport]) -> Void
  /// Called once for a meter found by SunSpec discovery, before its first reading.
  public typealias Discovery = @Sendable (_ meter: Int, SunSpecDiscovery.Found) -> Void

  struct Work {
    var thread: WorkThread?
    var mayPoll = false
  }
  private let gate = Gate(Work())
  private let bus: Meter.Bus
  private let units: [Unit]
  private let timing: Poller.Timing
  private let discovered: Discovery
  private let deliver: Delivery

  /// - Parameter units: not empty; no two with the same unit identifier.
  public init(
    _ bus: Meter.Bus, units: [Unit], timing: Poller.Timing = Poller.Timing(), discovered: @escaping Discovery = { _, _ in },
    deliver: @escaping Delivery
  ) {
    precondition(!units.isEmpty)
    (self.bus, self.units, self.timing, self.discovered, self.deliver) = (bus, units, timing, discovered, deliver)
  }

  /// Why a bus cannot start.
  public enum Flaw: Error, Hashable, Sendable {
    /// libmodbus refuses the address or the serial parameters.
    case parameters(Meter.Bus)
    case noThread
  }

  /// A serial line, which has room for one at a time.
  var isSerial: Bool { if case .rtu = bus { true } else { false } }

  /// Starts polling; once.
  public func start() throws(Flaw) {
    try prepare()
    begin()
  }

  /// Makes the thread, which opens nothing before `begin`; once. What can be refused is refused here.
  func prepare() throws(Flaw) {
    guard ModbusConnection(bus) != nil else { throw .parameters(bus) }
    let (bus, units, timing, gate, discovered, deliver) = (bus, units, timing, gate, discovered, deliver)
    let thread = WorkThread {
      gate.wait { $0.mayPoll }
      guard !gate.closed, let connection = ModbusConnection(bus) else { return }
      var worker = BusWorker(connection, units, timing, gate, discovered, deliver)
      worker.run()
    }
    guard let thread else { throw .noThread }
    gate.with { $0.thread = thread }
  }
  func begin() { gate.change { $0.mayPoll = true } }

  /// Ends polling, and waits for nothing: the request under way may still be answered and delivered.
  func close() { gate.close() }

  /// Ends polling and waits for the thread; returns after the request under way at the latest. Not from within `deliver`.
  public func stop() {
    gate.close()
    let thread = gate.with { work in
      defer { work.thread = nil }
      return work.thread
    }
    thread?.join()
  }
}
