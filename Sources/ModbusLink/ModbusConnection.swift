import CModbus
import Glibc
import Metering
import Quantities
import Site

/// A client of one bus. Not thread-safe: it lives and dies on its bus's thread.
final class ModbusConnection {
  enum Answer {
    case words([UInt16])
    case exception(Int)
    /// No answer in time, or one that was damaged or somebody else's.
    case silent
    /// The connection is gone.
    case lost
  }

  private let context: ModbusContext
  private let isSerial: Bool
  private var needsFlush = false
  private var buffer = [UInt16](repeating: 0, count: 125)

  /// - Returns: nil when libmodbus refuses the parameters (baud rate, empty name).
  init?(_ bus: Meter.Bus) {
    guard let context = ModbusContext(bus) else { return nil }
    self.context = context
    if case .rtu = bus { isSerial = true } else { isSerial = false }
  }

  var connected: Bool { context.isOpen }

  /// - Returns: 0, or the `errno`.
  func open(timeout: TimeSpan) -> Int32 {
    needsFlush = false
    return context.open(timeout: timeout)
  }
  func close() { context.close() }

  /// - Precondition: open.
  func read(_ range: WordRange, unit: Int, timeout: TimeSpan) -> Answer {
    precondition(connected && (1...125).contains(range.count))
    if isSerial { usleep(Self.silenceOnTheLine) }
    if needsFlush { modbus_flush(context.pointer) }
    needsFlush = false
    let result = sluice_modbus_read(
      context.pointer, Int32(unit), Int32(range.function), Int32(range.address), Int32(range.count), UInt32(timeout.milliseconds),
      &buffer)
    if Int(result.rc) == range.count { return .words(Array(buffer[0..<range.count])) }
    return failure(result.error)
  }

  /// Microseconds between two frames: 3.5 characters at 9600 baud. Source: Modbus over Serial Line V1.02 §2.5.1.1.
  private static let silenceOnTheLine: UInt32 = 4000

  private func failure(_ error: Int32) -> Answer {
    let code = Int(error) - Int(MODBUS_ENOBASE)
    if (1...11).contains(code) { return .exception(code) }
    needsFlush = true  // a late answer must not be taken for that of the next request
    switch error {
    case EBADF, ECONNRESET, EPIPE, ENOTCONN, ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, EIO, ENXIO, ENODEV:
      close()
      return .lost
    default: return .silent
    }
  }
}
