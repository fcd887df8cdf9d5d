import Quantities

/// A Modbus meter of the hub.
public struct Meter: Hashable, Sendable, Codable {
  public enum Bus: Hashable, Sendable, Codable {
    case tcp(host: String, port: Int)
    /// `parity` is "N", "E" or "O".
    case rtu(device: String, baud: Int, parity: String, stopBits: Int)
  }
  public var id: String
  /// Name of the register map in `Profiles/meters`, without its ending.
  public var profile: String
  public var bus: Bus
  /// Modbus unit identifier, 0...255.
  public var unit: Int
  public var period: TimeSpan
  public init(id: String, profile: String, bus: Bus, unit: Int = 1, period: TimeSpan = .seconds(1)) {
    (self.id, self.profile, self.bus, self.unit, self.period) = (id, profile, bus, unit, period)
  }
}

/// What a meter said in one poll, in its own phase order; import positive. An absent quantity is nil.
public struct MeterReading: Hashable, Sendable, Codable {
  /// Index into `Hub.meters`.
  public var meter: Int
  /// How long before it reached the mind the sample was taken (half of the request's round trip or more).
  public var age: TimeSpan
  public var current: PerPhase<Current>?
  public var power: PerPhase<Power>?
  public var totalPower: Power?
  public var voltage: PerPhase<Voltage>?
  public var imported: Energy?
  public var exported: Energy?
  /// A digest of the raw registers: identical registers have an identical digest.
  public var registers: UInt64
  public init(
    meter: Int, age: TimeSpan = .zero, current: PerPhase<Current>?, power: PerPhase<Power>? = nil, totalPower: Power? = nil,
    voltage: PerPhase<Voltage>? = nil, imported: Energy? = nil, exported: Energy? = nil, registers: UInt64
  ) {
    (self.meter, self.age, self.current, self.power, self.totalPower) = (meter, age, current, power, totalPower)
    (self.voltage, self.imported, self.exported, self.registers) = (voltage, imported, exported, registers)
  }
}

/// Why a poll gave no reading.
public enum MeterFault: Hashable, Sendable, Codable {
  /// No answer, even to the second try.
  case silent
  /// A Modbus exception with its code.
  case exception(Int)
  /// A register holds its "not implemented" pattern, NaN or a value out of range: the quantity's name.
  case implausible(String)
  /// The connection could not be made.
  case unreachable
}
