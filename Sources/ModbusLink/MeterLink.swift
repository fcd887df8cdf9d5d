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
    for (i, bus) in buses.enumerated() {
      do throws(MeterBus.Flaw) { try bus.start() } catch {
        for started in buses[..<i] { started.stop() }
        throw error
      }
    }
  }
  public func stop() { for bus in buses { bus.stop() } }
}
