import Quantities

/// An OCPP charge point.
public struct Station: Hashable, Sendable, Codable {
  public enum State: String, Hashable, Sendable, Codable {
    /// Refused at the socket, and counts nothing.
    case planned
    case installed
  }
  /// The last segment of the URL with which it connects.
  public var id: String
  public var state: State
  public var traits: StationTraits
  public var trust: FallbackTrust
  /// Indices into `Hub.connectors`.
  public var connectors: Range<Int>
  /// What it draws itself with nothing charging, per phase; DC stations (rule 10).
  public var idleCurrent: Current
  /// Hash of the Basic password, in the form the station link understands; nil: none asked.
  public var passwordHash: String?
  public init(
    id: String, state: State = .installed, traits: StationTraits = StationTraits(model: "generic"),
    trust: FallbackTrust = .proven, connectors: Range<Int>, idleCurrent: Current = .zero, passwordHash: String? = nil
  ) {
    (self.id, self.state, self.traits, self.trust, self.connectors) = (id, state, traits, trust, connectors)
    (self.idleCurrent, self.passwordHash) = (idleCurrent, passwordHash)
  }
}

/// How sure it is that a station falls back when nobody speaks to it (rule 18).
public enum FallbackTrust: String, Hashable, Sendable, Codable {
  /// A link-loss and a power-cycle test are on record for this model and firmware.
  case proven
  /// The station accepted the fallback profile and read it back.
  case accepted
  case none
}

/// One outlet of a station.
public struct Connector: Hashable, Sendable, Codable {
  public enum Supply: String, Hashable, Sendable, Codable { case ac, dc }
  /// Index into `Hub.stations`.
  public var station: Int
  /// OCPP connectorId, from 1.
  public var number: Int
  /// Index into `Hub.circuits`: where it is connected.
  public var circuit: Int
  public var supply: Supply
  /// Which of its own conductors are wired, and to which circuit phases; nil: unknown, counts on all three (rule 9).
  public var wiring: Wiring?
  /// The most it can ever pass on each wired phase: its hardware maximum.
  public var maximum: Current
  /// The least useful offer; at least 6 A for AC.
  public var minimum: Current
  /// What it may draw when nobody speaks to it: 0 A or at least `minimum`.
  public var fallback: Current
  /// Share of what is left over, relative to the others; 1...1000.
  public var weight: Int
  /// Served before others when there is not enough for all; smaller goes first.
  public var priority: Int
  /// What its vehicles usually stay and take, as the site file says; nil: the hub learns it.
  public var usualStay: TimeSpan?
  public var usualEnergy: Energy?
  /// When its vehicles usually leave: by the clocks of the place, since midnight.
  public var usualDeparture: TimeSpan?

  public init(
    station: Int, number: Int, circuit: Int, supply: Supply = .ac, wiring: Wiring? = Wiring(), maximum: Current = .amperes(32),
    minimum: Current = .smallestOffer, fallback: Current = .smallestOffer, weight: Int = 100, priority: Int = 100
  ) {
    (self.station, self.number, self.circuit, self.supply) = (station, number, circuit, supply)
    (self.wiring, self.maximum, self.minimum, self.fallback) = (wiring, maximum, minimum, fallback)
    (self.weight, self.priority) = (weight, priority)
  }

  public struct Wiring: Hashable, Sendable, Codable {
    /// The station's own conductors that are wired to this connector.
    public var conductors: Phases
    public var rotation: PhaseRotation
    public init(conductors: Phases = .all, rotation: PhaseRotation = .rst) {
      (self.conductors, self.rotation) = (conductors, rotation)
    }
  }

  /// The circuit phases on which its current counts.
  public var phases: Phases { wiring.map { $0.rotation.onCircuit($0.conductors) } ?? .all }
}
