import Quantities
import Site

/// The numbers of one sample, in thousandths of V, A, W, Wh and Hz; nil where the meter has none.
public struct MeterValues: Hashable, Sendable {
  private var slots = [Int?](repeating: nil, count: MeterQuantity.allCases.count)
  public init() {}
  public subscript(quantity: MeterQuantity) -> Int? {
    get { slots[quantity.rawValue] }
    set { slots[quantity.rawValue] = newValue }
  }
  public init(_ values: KeyValuePairs<MeterQuantity, Int>) {
    for (quantity, value) in values { self[quantity] = value }
  }

  /// Currents where the map has `phases`; absent conductors carry 0 A and 0 W. nil without a single current.
  func perPhase<Value: Quantity>(_ quantities: [MeterQuantity], absent: Value = .zero) -> PerPhase<Value>? {
    let found = quantities.map { self[$0].map(Value.init(raw:)) }
    guard found.contains(where: { $0 != nil }) else { return nil }
    return PerPhase(found[0] ?? absent, found[1] ?? absent, found[2] ?? absent)
  }

  /// As the mind gets it. Of a meter with fewer than three conductors the others carry nothing, at the voltage of the first one known.
  public func reading(meter: Int, age: TimeSpan) -> MeterReading {
    let anyVoltage = MeterQuantity.voltages.lazy.compactMap { self[$0] }.first ?? 0
    return MeterReading(
      meter: meter, age: age, current: perPhase(MeterQuantity.currents), power: perPhase(MeterQuantity.powers),
      totalPower: self[.totalPower].map(Power.init(raw:)),
      voltage: perPhase(MeterQuantity.voltages, absent: Voltage(raw: anyVoltage)),
      imported: self[.imported].map(Energy.init(raw:)), exported: self[.exported].map(Energy.init(raw:)))
  }
}
