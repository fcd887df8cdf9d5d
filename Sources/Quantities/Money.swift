/// What a kilowatt-hour costs, or is worth. Smallest unit: 1 micro-euro per kWh; negative prices occur.
@frozen public struct EnergyPrice: Quantity {
  public let raw: Int
  @inlinable public init(raw: Int) { self.raw = raw }
  @inlinable public static func microEuros(_ value: Int) -> EnergyPrice { EnergyPrice(raw: value) }
  /// EUR per MWh, as power exchanges quote; whole thousandths of a cent per kWh.
  @inlinable public static func eurosPerMegawattHour(_ value: Int) -> EnergyPrice { EnergyPrice(raw: value * 1000) }
  @inlinable public static func euros(_ value: Int) -> EnergyPrice { EnergyPrice(raw: value * 1_000_000) }
  /// EUR per kWh.
  @inlinable public var euros: Double { Double(raw) / 1_000_000 }
}
