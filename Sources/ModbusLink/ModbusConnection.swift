import CModbus
import Glibc
import Metering
import Quantities
import Site

/// One libmodbus client context. Not thread-safe: it lives and dies on its bus's thread.
final class ModbusConnection {
  enum Answer {
    case words([UInt16])
    case exception(Int)
    /// No answer in time, or one that was damaged or somebody else's.
    case silent
    /// The connection is gone.
    case lost
  }

  private let context: OpaquePointer
  private let isSerial: Bool
  private var isOpen = false
  private var needsFlush = false
  private var buffer = [UInt16](repeating: 0, count: 125)

  /// - Returns: nil when libmodbus refuses the parameters (baud rate, empty name).
  init?(_ bus: Meter.Bus) {
    guard let context = makeContext(bus) else { return nil }
    self.context = context
    if case .rtu = bus { isSerial = true } else { isSerial = false }
  }
  deinit {
    close()
    modbus_free(context)
  }

  var connected: Bool { isOpen }

  /// - Returns: 0, or the `errno`.
  func open(timeout: TimeSpan) -> Int32 {
    close()
    let result = sluice_modbus_connect(context, UInt32(timeout.milliseconds))
    isOpen = result.rc == 0
    needsFlush = false
    return isOpen ? 0 : result.error == 0 ? EHOSTUNREACH : result.error
  }
  func close() {
    if isOpen { modbus_close(context) }
    isOpen = false
  }

  /// - Precondition: open.
  func read(_ range: WordRange, unit: Int, timeout: TimeSpan) -> Answer {
    precondition(isOpen && (1...125).contains(range.count))
    if isSerial { usleep(Self.silenceOnTheLine) }
    if needsFlush { modbus_flush(context) }
    needsFlush = false
    let result = sluice_modbus_read(
      context, Int32(unit), Int32(range.function), Int32(range.address), Int32(range.count), UInt32(timeout.milliseconds), &buffer)
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

/// A libmodbus context for a client, or for the server side of a serial line.
func makeContext(_ bus: Meter.Bus) -> OpaquePointer? {
  switch bus {
  case .tcp(let host, let port):
    guard !host.isEmpty else { return nil }
    return modbus_new_tcp_pi(host, String(port))
  case .rtu(let device, let baud, let parity, let stopBits):
    guard let letter = parity.utf8.first, "NEO".utf8.contains(letter) else { return nil }
    return modbus_new_rtu(device, Int32(baud), CChar(bitPattern: letter), 8, Int32(stopBits))
  }
}
