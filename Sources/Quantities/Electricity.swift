/// An electric current in one phase conductor; positive flows from the grid towards the vehicle. Smallest unit: 1 mA.
@frozen public struct Current: Quantity {
  public let raw: Int
  @inlinable public init(raw: Int) { self.raw = raw }
  @inlinable public init(milliamperes: Int) { raw = milliamperes }
  @inlinable public static func amperes(_ value: Int) -> Current { Current(raw: value * 1000) }
  @inlinable public static func milliamperes(_ value: Int) -> Current { Current(raw: value) }
  @inlinable public var milliamperes: Int { raw }
  @inlinable public var amperes: Double { Double(raw) / 1000 }

  /// The least a vehicle may be offered; with less, charging pauses. Source: IEC 61851-1, annex A.
  public static let smallestOffer = Current.amperes(6)

  /// The largest multiple of `step` that is not above this current. `step` must be positive.
  @inlinable public func floored(to step: Current) -> Current {
    let remainder = raw % step.raw
    return Current(raw: raw - (remainder < 0 ? remainder + step.raw : remainder))
  }
}

/// Active power; positive is import from the grid. Smallest unit: 1 mW.
@frozen public struct Power: Quantity {
  public let raw: Int
  @inlinable public init(raw: Int) { self.raw = raw }
  @inlinable public init(milliwatts: Int) { raw = milliwatts }
  @inlinable public static func watts(_ value: Int) -> Power { Power(raw: value * 1000) }
  @inlinable public var milliwatts: Int { raw }
  @inlinable public var watts: Double { Double(raw) / 1000 }
}

/// Electric energy; positive is imported. Smallest unit: 1 mWh.
@frozen public struct Energy: Quantity {
  public let raw: Int
  @inlinable public init(raw: Int) { self.raw = raw }
  @inlinable public init(milliwattHours: Int) { raw = milliwattHours }
  @inlinable public static func wattHours(_ value: Int) -> Energy { Energy(raw: value * 1000) }
  @inlinable public var milliwattHours: Int { raw }
  /// Whole watt-hours, truncated towards zero.
  @inlinable public var wattHours: Int { raw / 1000 }
}

/// Voltage between a phase and neutral. Smallest unit: 1 mV.
@frozen public struct Voltage: Quantity {
  public let raw: Int
  @inlinable public init(raw: Int) { self.raw = raw }
  @inlinable public init(millivolts: Int) { raw = millivolts }
  @inlinable public static func volts(_ value: Int) -> Voltage { Voltage(raw: value * 1000) }
  @inlinable public var millivolts: Int { raw }
  @inlinable public var volts: Double { Double(raw) / 1000 }
}

extension Power {
  /// The current that carries this power at `voltage` over `phases` conductors, at power factor 1, truncated to a whole milliampere.
  /// - Precondition: `voltage` is positive and `phases` is 1, 2 or 3.
  @inlinable public func current(at voltage: Voltage, phases: Int) -> Current {
    precondition(voltage.raw > 0 && (1...3).contains(phases))
    return Current(raw: scaled(1000, over: voltage.raw * phases).raw)
  }
}

extension Current {
  /// The power of this current at `voltage` over `phases` conductors, at power factor 1, truncated to a whole milliwatt.
  @inlinable public func power(at voltage: Voltage, phases: Int) -> Power {
    Power(raw: scaled(voltage.raw * phases, over: 1000).raw)
  }
}

extension Power {
  /// The energy of this power held for `span`, truncated to a whole milliwatt-hour.
  @inlinable public func energy(over span: TimeSpan) -> Energy { Energy(raw: scaled(span.raw, over: 3_600_000).raw) }
}

extension Energy {
  /// The mean power of this energy over `span`, truncated to a whole milliwatt. `span` must be positive.
  @inlinable public func meanPower(over span: TimeSpan) -> Power { Power(raw: scaled(3_600_000, over: span.raw).raw) }
}
