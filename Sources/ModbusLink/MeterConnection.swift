import Metering
import Quantities
import Site

/// A connection for single requests, as recognition and commissioning make them. Blocks the caller; use it from one thread at a time.
public final class MeterConnection {
  private let connection: ModbusConnection
  /// Whether any unit has answered so far, if only with an exception.
  public private(set) var hasAnswered = false
  /// - Returns: nil when libmodbus refuses the address or the serial parameters.
  public init?(_ bus: Meter.Bus) {
    guard let connection = ModbusConnection(bus) else { return nil }
    self.connection = connection
  }
  /// - Returns: whether the connection stands.
  public func open(timeout: TimeSpan = .seconds(3)) -> Bool { connect(timeout: timeout) == 0 }
  /// Opens the connection.
  /// - Returns: the system's error number when it could not be opened, 0 when it stands.
  public func connect(timeout: TimeSpan) -> Int32 { connection.open(timeout: timeout) }

  /// One request, made again once when there is no answer. A lost connection is opened again once.
  /// - Returns: nil for an exception or silence.
  public func read(_ range: WordRange, unit: Int, timeout: TimeSpan = .milliseconds(500)) -> [UInt16]? {
    for _ in 0..<2 {
      guard connection.connected || open() else { return nil }
      switch connection.read(range, unit: unit, timeout: timeout) {
      case .words(let words):
        hasAnswered = true
        return words
      case .exception(let code):
        hasAnswered = hasAnswered || code < 10  // 10 and 11 come from a gateway in front of a silent meter
        return nil
      case .silent, .lost: continue
      }
    }
    return nil
  }
}
