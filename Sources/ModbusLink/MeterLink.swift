import Metering
import Quantities
import Site

/// All meters of a hub: one `MeterBus`, and so one thread, per bus.
public final class MeterLink: Sendable {
  private let buses: [MeterBus]

  /// - Parameters:
  ///   - meters: `Hub.meters`.
  ///   - profiles: one per meter, in the same order.
  ///   - deliver: called on the bus's thread; calls for different buses may overlap.
  public init(
    _ meters: [Meter], profiles: [MeterProfile], timing: Poller.Timing = Poller.Timing(), deliver: @escaping MeterBus.Delivery
  ) {
    precondition(meters.count == profiles.count)
    var wires: [(bus: Meter.Bus, units: [MeterBus.Unit])] = []
    for (i, meter) in meters.enumerated() {
      let unit = MeterBus.Unit(meter: i, unit: meter.unit, period: meter.period, layout: profiles[i].layout)
      if let known = wires.firstIndex(where: { $0.bus == meter.bus }) {
        wires[known].units.append(unit)
      } else {
        wires.append((meter.bus, [unit]))
      }
    }
    buses = wires.map { MeterBus($0.bus, units: $0.units, timing: timing, deliver: deliver) }
  }

  /// - Throws: when one bus cannot start; none is running then.
  public func start() throws(MeterBus.Flaw) {
    try prepare()
    begin()
  }

  /// Makes the threads, which open nothing before `begin`; once. What can be refused is refused here.
  /// - Throws: when one bus cannot start; no thread is left then.
  public func prepare() throws(MeterBus.Flaw) {
    for (i, bus) in buses.enumerated() {
      do throws(MeterBus.Flaw) { try bus.prepare() } catch {
        for made in buses[..<i] { made.stop() }
        throw error
      }
    }
  }

  /// Polls from now on, in the place of `old`, which is closed. Serial lines, which cannot be opened twice, have to wait for `follow`.
  /// Does not block.
  public func begin(insteadOf old: MeterLink? = nil) {
    old?.close()
    for bus in buses where old == nil || !bus.isSerial { bus.begin() }
  }

  /// Waits for the threads of the link whose place this one has taken, and polls on serial lines as soon as they are free: all of them, for
  /// one line may have several names. Blocks as `stop` does.
  public func follow(_ old: MeterLink) {
    for bus in old.buses where bus.isSerial { bus.stop() }
    for bus in buses where bus.isSerial { bus.begin() }
    old.stop()
  }

  /// Ends polling, and waits for nothing: requests under way may still be answered and delivered.
  public func close() { for bus in buses { bus.close() } }

  /// Ends polling and waits for the threads: each ends after the request under way at the latest, which may be looking up a name.
  public func stop() {
    close()
    for bus in buses { bus.stop() }
  }
}
