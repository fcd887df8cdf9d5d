/// A phase conductor of a three-phase supply.
@frozen public enum Phase: Int, CaseIterable, Hashable, Comparable, Sendable, Codable {
  case l1 = 0
  case l2, l3
  @inlinable public static func < (a: Phase, b: Phase) -> Bool { a.rawValue < b.rawValue }
  public var name: String { "L\(rawValue + 1)" }
}

/// A set of phase conductors.
@frozen public struct Phases: OptionSet, Hashable, Sendable, Codable {
  public let rawValue: UInt8
  @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }
  @inlinable public init(_ phase: Phase) { rawValue = 1 << UInt8(phase.rawValue) }
  public static let l1 = Phases(rawValue: 1)
  public static let l2 = Phases(rawValue: 2)
  public static let l3 = Phases(rawValue: 4)
  public static let all = Phases(rawValue: 7)
  @inlinable public func contains(_ phase: Phase) -> Bool { rawValue & (1 << UInt8(phase.rawValue)) != 0 }
  @inlinable public var count: Int { rawValue.nonzeroBitCount }
}

/// One value for each phase conductor.
@frozen public struct PerPhase<Value> {
  public var l1: Value
  public var l2: Value
  public var l3: Value
  @inlinable public init(_ l1: Value, _ l2: Value, _ l3: Value) { (self.l1, self.l2, self.l3) = (l1, l2, l3) }
  @inlinable public init(all value: Value) { (l1, l2, l3) = (value, value, value) }
  @inlinable public subscript(_ phase: Phase) -> Value {
    get {
      switch phase {
      case .l1: l1
      case .l2: l2
      case .l3: l3
      }
    }
    set {
      switch phase {
      case .l1: l1 = newValue
      case .l2: l2 = newValue
      case .l3: l3 = newValue
      }
    }
  }
  @inlinable public func map<Other>(_ transform: (Value) throws -> Other) rethrows -> PerPhase<Other> {
    PerPhase<Other>(try transform(l1), try transform(l2), try transform(l3))
  }
}

extension PerPhase: Equatable where Value: Equatable {}
extension PerPhase: Hashable where Value: Hashable {}
extension PerPhase: Sendable where Value: Sendable {}
extension PerPhase: Encodable where Value: Encodable {}
extension PerPhase: Decodable where Value: Decodable {}

extension PerPhase where Value: Quantity {
  @inlinable public static var zero: PerPhase { PerPhase(all: .zero) }
  @inlinable public static func + (a: PerPhase, b: PerPhase) -> PerPhase { PerPhase(a.l1 + b.l1, a.l2 + b.l2, a.l3 + b.l3) }
  @inlinable public static func - (a: PerPhase, b: PerPhase) -> PerPhase { PerPhase(a.l1 - b.l1, a.l2 - b.l2, a.l3 - b.l3) }
  @inlinable public static func += (a: inout PerPhase, b: PerPhase) { a = a + b }
  @inlinable public static func -= (a: inout PerPhase, b: PerPhase) { a = a - b }
  /// The larger value on each phase.
  @inlinable public func maximum(_ other: PerPhase) -> PerPhase {
    PerPhase(Swift.max(l1, other.l1), Swift.max(l2, other.l2), Swift.max(l3, other.l3))
  }
  /// The smaller value on each phase.
  @inlinable public func minimum(_ other: PerPhase) -> PerPhase {
    PerPhase(Swift.min(l1, other.l1), Swift.min(l2, other.l2), Swift.min(l3, other.l3))
  }
  @inlinable public var largest: Value { Swift.max(l1, Swift.max(l2, l3)) }
  @inlinable public var smallest: Value { Swift.min(l1, Swift.min(l2, l3)) }
  @inlinable public var sum: Value { l1 + l2 + l3 }
  /// `value` on each phase of `phases`, zero elsewhere.
  @inlinable public init(_ value: Value, on phases: Phases) {
    self.init(
      phases.contains(Phase.l1) ? value : .zero, phases.contains(Phase.l2) ? value : .zero,
      phases.contains(Phase.l3) ? value : .zero)
  }
  /// Keeps the values on `phases` and puts zero elsewhere.
  @inlinable public func restricted(to phases: Phases) -> PerPhase {
    PerPhase(
      phases.contains(Phase.l1) ? l1 : .zero, phases.contains(Phase.l2) ? l2 : .zero, phases.contains(Phase.l3) ? l3 : .zero)
  }
}

/// Which circuit phase each of a device's own conductors 1, 2 and 3 is connected to: one of the six permutations.
/// The names are those of OCPP's ConnectorPhaseRotation: R, S, T are L1, L2, L3.
@frozen public enum PhaseRotation: String, CaseIterable, Hashable, Sendable, Codable {
  case rst = "RST"
  case rts = "RTS"
  case srt = "SRT"
  case str = "STR"
  case trs = "TRS"
  case tsr = "TSR"

  /// The circuit phase that the device's conductor `own` is connected to.
  @inlinable public func circuitPhase(of own: Phase) -> Phase {
    switch self {
    case .rst: PerPhase<Phase>(.l1, .l2, .l3)[own]
    case .rts: PerPhase<Phase>(.l1, .l3, .l2)[own]
    case .srt: PerPhase<Phase>(.l2, .l1, .l3)[own]
    case .str: PerPhase<Phase>(.l2, .l3, .l1)[own]
    case .trs: PerPhase<Phase>(.l3, .l1, .l2)[own]
    case .tsr: PerPhase<Phase>(.l3, .l2, .l1)[own]
    }
  }
  /// Values by the device's own conductors, put in the circuit's order.
  @inlinable public func onCircuit<Value>(_ own: PerPhase<Value>) -> PerPhase<Value> {
    var result = own
    for phase in Phase.allCases { result[circuitPhase(of: phase)] = own[phase] }
    return result
  }
  /// Values by circuit phase, put in the order of the device's own conductors.
  @inlinable public func onDevice<Value>(_ circuit: PerPhase<Value>) -> PerPhase<Value> {
    var result = circuit
    for phase in Phase.allCases { result[phase] = circuit[circuitPhase(of: phase)] }
    return result
  }
  /// The circuit phases that the device's conductors `own` are connected to.
  @inlinable public func onCircuit(_ own: Phases) -> Phases {
    var result: Phases = []
    for phase in Phase.allCases where own.contains(phase) { result.formUnion(Phases(circuitPhase(of: phase))) }
    return result
  }
}
