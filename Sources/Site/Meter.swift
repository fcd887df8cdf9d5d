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
  /// A digest of the registers: identical registers have an identical digest, and what says anything else has another one.
  public var registers: UInt64
  /// - Parameter registers: nil: `digestOfValues`.
  public init(
    meter: Int, age: TimeSpan = .zero, current: PerPhase<Current>?, power: PerPhase<Power>? = nil, totalPower: Power? = nil,
    voltage: PerPhase<Voltage>? = nil, imported: Energy? = nil, exported: Energy? = nil, registers: UInt64? = nil
  ) {
    (self.meter, self.age, self.current, self.power, self.totalPower) = (meter, age, current, power, totalPower)
    (self.voltage, self.imported, self.exported, self.registers) = (voltage, imported, exported, registers ?? 0)
    if registers == nil { self.registers = digestOfValues }
  }

  /// A digest of all that it says, but for its age and whose it is. Frozen: journals leave out a digest that is this one.
  public var digestOfValues: UInt64 {
    var digest: UInt64 = 0x9e37_79b9_7f4a_7c15
    func take(_ value: Int?) {
      // The multiplier is that of L'Ecuyer & Hardy for 64 bits; the shift brings high bits down, so that none is lost to the next value.
      for word in [value == nil ? 1 : 2, value ?? 0] {
        digest = (digest ^ UInt64(bitPattern: Int64(word))) &* 0xd134_2543_de82_ef95
        digest ^= digest >> 32
      }
    }
    for phase in Phase.allCases { take(current?[phase].raw) }
    for phase in Phase.allCases { take(power?[phase].raw) }
    take(totalPower?.raw)
    for phase in Phase.allCases { take(voltage?[phase].raw) }
    take(imported?.raw)
    take(exported?.raw)
    return digest
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
