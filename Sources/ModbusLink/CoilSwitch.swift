import CModbus
import Glibc
import Quantities
import Site

/// Writes coils of Modbus TCP devices, each on a thread and over a connection of its own, so that no bus with meters waits for it.
public final class CoilSwitch: Sendable {
  private let threads = Gate<[WorkThread]>([])
  private static let timeout = TimeSpan.seconds(1)
  private static let attempts = 3

  public init() {}

  /// The coil on, and after `trip.pulse` off again; at once, three times if it must be.
  /// - Parameter then: on the switch's thread, once the coil is on or cannot be written: what was wrong, nil for nothing.
  public func pulse(_ trip: ShuntTrip, then: @escaping @Sendable (String?) -> Void) {
    let threads = threads
    let thread = WorkThread {
      let fault = Self.write(true, trip)
      then(fault)
      guard fault == nil else { return }
      threads.wait(until: monotonicNow() + trip.pulse)
      // A coil that stays on does no harm to a breaker that is open.
      _ = Self.write(false, trip)
    }
    guard let thread else { return then("no thread is left") }
    threads.with { $0.append(thread) }
  }

  /// Waits until what was begun is done: some seconds at most.
  public func stop() {
    threads.close()
    for thread in threads.with({ $0 }) { thread.join() }
  }

  private static func write(_ on: Bool, _ trip: ShuntTrip) -> String? {
    var fault: String?
    for _ in 0..<attempts {
      fault = attempt(on, trip)
      if fault == nil { return nil }
    }
    return fault
  }

  private static func attempt(_ on: Bool, _ trip: ShuntTrip) -> String? {
    let place = "\(trip.host):\(trip.port), unit \(trip.unit), coil \(trip.coil)"
    guard let context = ModbusContext(.tcp(host: trip.host, port: trip.port)) else { return "\(place): not an address" }
    let error = context.open(timeout: timeout)
    guard error == 0 else { return "\(place): no connection: \(reason(error))" }
    let written = sluice_modbus_write_bit(
      context.pointer, Int32(trip.unit), Int32(trip.coil), on ? 1 : 0, UInt32(timeout.milliseconds))
    return written.rc == 1 ? nil : "\(place): not written: \(reason(written.error))"
  }

  private static func reason(_ error: Int32) -> String { error == 0 ? "no answer" : String(cString: modbus_strerror(error)) }
}
