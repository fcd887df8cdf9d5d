import Quantities
import Site

/// What a sample must look like to be believed: rule 12 of the rules of control.
public struct Plausibility: Hashable, Sendable {
  /// Phase to neutral, thousandths of a volt.
  public var voltage = 100_000...300_000
  /// Largest magnitude of a phase current, mA. A value of 1.02 MA was once read (evcc#21948).
  public var largestCurrent = 10_000_000
  /// Largest magnitude of a power, mW: the largest current on three phases at the highest voltage.
  public var largestPower = 9_000_000_000
  /// Largest counter, mWh: 1 TWh.
  public var largestEnergy = 1_000_000_000_000_000
  /// Added to V x I x 1.1 before a power is refused, mW per phase: without it, the coarse steps of small currents would be refused.
  public var powerTolerance = 200_000

  public init() {}

  /// The first quantity that cannot be right, in the order of `MeterQuantity`; nil: all can be believed.
  public func flaw(in values: MeterValues) -> MeterQuantity? {
    for quantity in MeterQuantity.allCases {
      if let value = values[quantity], !range(of: quantity).contains(value) { return quantity }
    }
    return powerFlaw(in: values)
  }

  private func range(of quantity: MeterQuantity) -> ClosedRange<Int> {
    switch quantity.dimension {
    case .volt: voltage
    case .ampere: -largestCurrent...largestCurrent
    case .watt: -largestPower...largestPower
    case .wattHour: 0...largestEnergy
    case .hertz: 0...Int.max  // told to people only; some firmware sends hundredths where the map has tenths
    }
  }

  /// A power above V x I x 1.1 + tolerance; a lower one is a legitimate power factor.
  private func powerFlaw(in values: MeterValues) -> MeterQuantity? {
    var most = 0
    var isWhole = true
    for i in 0..<3 {
      let (voltage, current) = (values[MeterQuantity.voltages[i]], values[MeterQuantity.currents[i]])
      guard let voltage, let current else {
        isWhole = isWhole && current == nil
        continue
      }
      let bound = voltage * abs(current) / 1000 * 11 / 10 + powerTolerance
      most += bound
      if let power = values[MeterQuantity.powers[i]], abs(power) > bound { return MeterQuantity.powers[i] }
    }
    if most > 0, isWhole, let total = values[.totalPower], abs(total) > most { return .totalPower }
    return nil
  }
}
