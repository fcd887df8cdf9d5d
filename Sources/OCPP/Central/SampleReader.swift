import Documents
import Quantities
import Site

/// Turns one MeterValue block into a sample. Values that cannot be used are left out; each is a deviation.
struct SampleReader {
  var reader: PayloadReader
  /// Taken as it happened, as far as the block says (OCPP 1.6 §7.35: no transaction borders, no interruptions).
  private(set) var isLive = true

  init(_ block: Node, _ place: String) { reader = PayloadReader(block, place) }

  /// Thousandths of A, V and W that no connector measures: what is beyond is a broken meter, as at a circuit's.
  private static let (mostCurrent, mostVoltage, mostPower) = (10_000_000, 10_000_000, 100_000_000_000)

  /// nil: there is nothing in it that is of use.
  mutating func sample() -> ConnectorSample? {
    var sample = ConnectorSample(takenAt: reader.time("timestamp", isRequired: true))
    var currents = Conductors()
    var voltages = Conductors()
    var powers = Conductors()
    var registers = Conductors()
    for element in reader.elements("sampledValue") {
      guard let value = SampledValue(element, &reader) else { continue }
      if !value.isLive { isLive = false }
      switch value.measurand {
      case "Current.Import": currents.put(value.scaled(["A": 3, "mA": 0], absent: 3, most: Self.mostCurrent, &reader), value)
      case "Voltage": voltages.put(value.scaled(["V": 3, "kV": 6], absent: 3, most: Self.mostVoltage, &reader), value)
      case "Power.Active.Import": powers.put(value.scaled(["W": 3, "kW": 6], absent: 3, most: Self.mostPower, &reader), value)
      case "Energy.Active.Import.Register": registers.put(value.scaled(["Wh": 3, "kWh": 6], absent: 3, &reader), value)
      case "Current.Offered":
        if let raw = value.scaled(["A": 3], absent: 3, most: Self.mostCurrent, &reader), raw >= 0 {
          sample.offered = Current(milliamperes: raw)
        }
      case "SoC":
        if let percent = value.scaled(["Percent": 0, "%": 0], absent: 0, &reader), (0...100).contains(percent) {
          sample.stateOfCharge = percent
        }
      default: break
      }
    }
    sample.current = currents.each.map { $0.map(Current.init(milliamperes:)) }
    sample.voltage = voltages.each.map { $0.map(Voltage.init(millivolts:)) }
    sample.power = powers.total.map(Power.init(milliwatts:))
    sample.register = registers.total.flatMap { $0 >= 0 ? Energy(milliwattHours: $0) : nil }
    let isEmpty =
      sample.current == nil && sample.voltage == nil && sample.power == nil && sample.register == nil && sample.offered == nil
      && sample.stateOfCharge == nil
    return isEmpty ? nil : sample
  }
}

/// One sampledValue whose members are known to be usable.
private struct SampledValue {
  enum Conductor: Hashable {
    case all
    case one(Phase)
    /// Neutral, or between two phases.
    case other
    case unreadable
  }
  let measurand: String
  let conductor: Conductor
  let isLive: Bool
  /// Values at the outlet are preferred to those at the inlet (OCPP 1.6 §7.31: Outlet when absent).
  let isOutlet: Bool
  /// nil: unreadable.
  let number: ExactNumber?
  let unit: String?

  init?(_ node: Node, _ reader: inout PayloadReader) {
    guard node.kind == .object else {
      reader.deviate("sampledValue is not an object")
      return nil
    }
    if node["format"]?.string == "SignedData" { return nil }  // steve#816: no number
    measurand = node.optional(at: "measurand")?.string ?? "Energy.Active.Import.Register"
    let context = node.optional(at: "context")?.string ?? "Sample.Periodic"
    isLive = context.hasPrefix("Sample.") || context == "Trigger"
    isOutlet = ["Outlet", "Cable"].contains(node.optional(at: "location")?.string ?? "Outlet")
    unit = node.optional(at: "unit")?.string
    conductor = Self.conductor(node.optional(at: "phase"), &reader)
    let value = node.optional(at: "value")
    if value?.kind == .number { reader.deviate("value is not a text") }
    number = value?.string.flatMap { ExactNumber($0) } ?? value?.number
    if number == nil { reader.deviate("value of \(measurand.prefix(40)) is no number") }
  }

  private static func conductor(_ node: Node?, _ reader: inout PayloadReader) -> Conductor {
    guard let node else { return .all }
    switch node.string {
    case "L1", "L1-N": return .one(.l1)
    case "L2", "L2-N": return .one(.l2)
    case "L3", "L3-N": return .one(.l3)
    case "N", "L1-L2", "L2-L3", "L3-L1": return .other
    default:
      reader.deviate("unknown phase")
      return .unreadable
    }
  }

  /// Thousandths of the base unit; nil: no number, a unit that this measurand cannot have, or out of all proportion.
  func scaled(
    _ units: [String: Int], absent: Int, most: Int = PayloadReader.largestEnergy, _ reader: inout PayloadReader
  ) -> Int? {
    guard let number else { return nil }
    var decimals = absent
    if let unit {
      guard let known = units[unit] ?? units.first(where: { $0.key.lowercased() == unit.lowercased() })?.value else {
        reader.deviate("\(measurand.prefix(40)) in an unknown unit")
        return nil
      }
      if units[unit] == nil { reader.deviate("\(measurand.prefix(40)) in an unknown unit") }
      decimals = known
    }
    guard let raw = number.floored(scaledBy: decimals), abs(raw) <= most else {
      reader.deviate("\(measurand.prefix(40)) out of range")
      return nil
    }
    return raw
  }
}

/// The values of one measurand by conductor, the outlet's before others.
private struct Conductors {
  private struct Value {
    var raw: Int
    var isOutlet: Bool
  }
  private var overall: Value?
  private var phases = PerPhase<Value?>(all: nil)
  /// A value for a conductor was there and could not be read: what the others sum up to would be too small.
  private var hasLoss = false

  mutating func put(_ raw: Int?, _ value: SampledValue) {
    guard let raw else {
      if value.conductor != .all && value.conductor != .other { hasLoss = true }
      return
    }
    let new = Value(raw: raw, isOutlet: value.isOutlet)
    switch value.conductor {
    case .all: if value.isOutlet || overall?.isOutlet != true { overall = new }
    case .one(let phase): if value.isOutlet || phases[phase]?.isOutlet != true { phases[phase] = new }
    case .unreadable: hasLoss = true
    case .other: break
    }
  }

  private var hasPhases: Bool { phases.l1 != nil || phases.l2 != nil || phases.l3 != nil }

  /// One value for each conductor; conductors not named count 0. nil: none are named, or one was lost.
  private var named: PerPhase<Int>? { hasPhases && !hasLoss ? phases.map { $0?.raw ?? 0 } : nil }

  /// A value without a phase counts on every conductor: it is the same on all, or it is one of them.
  var each: PerPhase<Int>? { named ?? overall.map { PerPhase(all: $0.raw) } }

  /// The value without a phase, otherwise the sum over the conductors (evcc#19405).
  var total: Int? { overall?.raw ?? named.map { $0.l1 + $0.l2 + $0.l3 } }
}
