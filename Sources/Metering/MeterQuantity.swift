/// What one register tells, in the meter's own phase order.
public enum MeterQuantity: Int, CaseIterable, Hashable, Comparable, Sendable {
  case voltage1, voltage2, voltage3
  case current1, current2, current3
  case power1, power2, power3
  case totalPower, imported, exported, frequency

  /// What kind of number it is; all are kept in thousandths of the unit named here.
  public enum Dimension: Hashable, Sendable { case volt, ampere, watt, wattHour, hertz }

  public static func < (a: MeterQuantity, b: MeterQuantity) -> Bool { a.rawValue < b.rawValue }

  /// As register maps and messages call it.
  public var name: String {
    switch self {
    case .voltage1: "voltage L1"
    case .voltage2: "voltage L2"
    case .voltage3: "voltage L3"
    case .current1: "current L1"
    case .current2: "current L2"
    case .current3: "current L3"
    case .power1: "power L1"
    case .power2: "power L2"
    case .power3: "power L3"
    case .totalPower: "power total"
    case .imported: "energy imported"
    case .exported: "energy exported"
    case .frequency: "frequency"
    }
  }
  public init?(name: String) {
    guard let match = Self.allCases.first(where: { $0.name == name }) else { return nil }
    self = match
  }
  public var dimension: Dimension {
    switch self {
    case .voltage1, .voltage2, .voltage3: .volt
    case .current1, .current2, .current3: .ampere
    case .power1, .power2, .power3, .totalPower: .watt
    case .imported, .exported: .wattHour
    case .frequency: .hertz
    }
  }
  /// Part of a `MeterReading`, so read in each poll; the frequency only helps people and recognition.
  public var isPolled: Bool { self != .frequency }
  /// A counter that may be absent without making the reading useless.
  public var isCounter: Bool { dimension == .wattHour }

  public static let voltages: [MeterQuantity] = [.voltage1, .voltage2, .voltage3]
  public static let currents: [MeterQuantity] = [.current1, .current2, .current3]
  public static let powers: [MeterQuantity] = [.power1, .power2, .power3]
}

extension MeterQuantity.Dimension {
  /// The symbol of the unit whose thousandths are kept.
  public var symbol: String {
    switch self {
    case .volt: "V"
    case .ampere: "A"
    case .watt: "W"
    case .wattHour: "Wh"
    case .hertz: "Hz"
    }
  }
}
