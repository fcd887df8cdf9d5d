import Quantities

/// One number of a meter: where it stands and what it means.
public struct Register: Hashable, Sendable {
  public var reads: MeterQuantity
  /// Modbus function code: 3 (holding registers) or 4 (input registers).
  public var function: Int
  /// As sent on the wire, counted from 0.
  public var address: Int
  public var format: WordFormat
  public var order: WordOrder
  /// From the raw number to thousandths of V, A, W, Wh or Hz; negative where the meter counts export as positive.
  public var scale: Scale
  /// Address of an `int16` with the power of ten that goes with this number (SunSpec); same function.
  public var scaleFactor: Int?
  public var absence: Absence
  /// This number is added to that of the line before it with the same quantity (tariffs; import and export apart).
  public var adds: Bool

  public init(
    reads: MeterQuantity, function: Int, address: Int, format: WordFormat, order: WordOrder = .highFirst, scale: Scale,
    scaleFactor: Int? = nil, absence: Absence = [], adds: Bool = false
  ) {
    (self.reads, self.function, self.address, self.format, self.order) = (reads, function, address, format, order)
    (self.scale, self.scaleFactor, self.absence, self.adds) = (scale, scaleFactor, absence, adds)
  }
}

/// What a meter's registers mean, as its profile tells or SunSpec discovery found.
public struct RegisterMap: Hashable, Sendable {
  /// In the map's order; never empty; without two lines for one quantity unless the later one `adds`.
  public var registers: [Register]
  /// The largest number of registers the model answers in one request, 1...125.
  public var largestRequest: Int
  /// Unused registers that may be read along to save a request; 0 where the model answers an exception for them.
  public var largestGap: Int
  /// The current comes as a magnitude: its sign is that of the phase's power.
  public var takesSignFromPower: Bool

  public init(registers: [Register], largestRequest: Int = 125, largestGap: Int = 0, takesSignFromPower: Bool = false) {
    precondition(!registers.isEmpty && (1...125).contains(largestRequest) && largestGap >= 0)
    self.registers = registers
    (self.largestRequest, self.largestGap, self.takesSignFromPower) = (largestRequest, largestGap, takesSignFromPower)
  }

  public func has(_ quantity: MeterQuantity) -> Bool { registers.contains { $0.reads == quantity } }

  /// The meter's own conductors of which it tells the current.
  public var phases: Phases {
    var result: Phases = []
    for (i, quantity) in MeterQuantity.currents.enumerated() where has(quantity) {
      result.formUnion(Phases(rawValue: 1 << UInt8(i)))
    }
    return result
  }
}
