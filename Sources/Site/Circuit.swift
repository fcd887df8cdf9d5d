import Quantities

/// A node of the tree: conductors behind one protective device.
public struct Circuit: Hashable, Sendable, Codable {
  public var id: String
  /// Index into `Hub.circuits`, smaller than the circuit's own; nil for the connection.
  public var parent: Int?
  /// The rating of the protective device, per phase.
  public var rating: PerPhase<Current>
  public var curve: TripCurve
  /// A mean over a clock-aligned window that must not be exceeded, beside the protective limit.
  public var contract: ContractLimit?
  /// The largest current that everything which Sluice does not control, and which no circuit below declares, may draw.
  public var baseWorst: PerPhase<Current>
  /// Generation that may feed in below this circuit at the same time, at most; readings below minus this are impossible.
  public var generation: PerPhase<Current>
  /// The part of the generation that may be counted on as room (`count_generation`); zero by default (rule 3).
  public var firmGeneration: PerPhase<Current>
  /// The conductor's own rating where generation feeds in below the meter; checked against import + generation.
  public var conductorRating: PerPhase<Current>?
  public var measurement: Measurement?
  /// Largest difference between two phases' currents, e.g. 20 A in Germany; nil: no such limit.
  public var unbalanceLimit: Current?
  /// A cap set by hand, for works or by choice.
  public var manualCap: PerPhase<Current>?
  /// Everything below is held at 0 A.
  public var maintenance: Bool
  /// Kept free between what is committed and the limit.
  public var margin: Current
  /// Kept free for a vehicle that arrives; nil: the largest fallback below (rule 7).
  public var arrivalReserve: Current?
  /// The limit that holds when whoever sets limits from outside falls silent; nil: none beside the others.
  public var failsafe: PerPhase<Current>?
  /// Opens the device when nothing else has lowered an excess over `rating`; nil: nothing does.
  public var shuntTrip: ShuntTrip?

  public init(
    id: String, parent: Int? = nil, rating: PerPhase<Current>, curve: TripCurve = .standard, contract: ContractLimit? = nil,
    baseWorst: PerPhase<Current> = .zero, generation: PerPhase<Current> = .zero, firmGeneration: PerPhase<Current> = .zero,
    conductorRating: PerPhase<Current>? = nil, measurement: Measurement? = nil, unbalanceLimit: Current? = nil,
    manualCap: PerPhase<Current>? = nil, maintenance: Bool = false, margin: Current = .zero, arrivalReserve: Current? = nil
  ) {
    (self.id, self.parent, self.rating, self.curve, self.contract) = (id, parent, rating, curve, contract)
    (self.baseWorst, self.generation, self.firmGeneration) = (baseWorst, generation, firmGeneration)
    (self.conductorRating, self.measurement, self.unbalanceLimit) = (conductorRating, measurement, unbalanceLimit)
    (self.manualCap, self.maintenance, self.margin, self.arrivalReserve) = (manualCap, maintenance, margin, arrivalReserve)
  }

  /// Which meter sees this circuit, and how it is wired.
  public struct Measurement: Hashable, Sendable, Codable {
    /// Index into `Hub.meters`.
    public var meter: Int
    /// Circuit phases of the meter's own L1, L2, L3.
    public var rotation: PhaseRotation
    /// The meter counts import as negative: its currents and powers are turned round.
    public var inverted: Bool
    public init(meter: Int, rotation: PhaseRotation = .rst, inverted: Bool = false) {
      (self.meter, self.rotation, self.inverted) = (meter, rotation, inverted)
    }
  }
}

/// A coil of a Modbus TCP device that opens a circuit's breaker, through a shunt trip or a contactor (rule 21, the last step). It is closed
/// again by hand.
public struct ShuntTrip: Hashable, Sendable, Codable {
  public var host: String
  public var port: Int
  public var unit: Int
  /// Address from 0, written with function 5.
  public var coil: Int
  /// How long the circuit may be over its rating with vehicles below it.
  public var after: TimeSpan
  /// How long the coil is on.
  public var pulse: TimeSpan
  public init(host: String, port: Int, unit: Int, coil: Int, after: TimeSpan, pulse: TimeSpan) {
    (self.host, self.port, self.unit, self.coil, self.after, self.pulse) = (host, port, unit, coil, after, pulse)
  }
}

/// How long a protective device bears a current above its rating. Points with falling time; above the last ratio: `beyond`.
public struct TripCurve: Hashable, Sendable, Codable {
  public struct Point: Hashable, Sendable, Codable {
    /// Thousandths of the rating.
    public var permille: Int
    /// How long a current up to that ratio is borne.
    public var time: TimeSpan
    public init(permille: Int, time: TimeSpan) { (self.permille, self.time) = (permille, time) }
  }
  /// Ascending in `permille`, falling in `time`. A current at or below the rating is borne for ever.
  public var points: [Point]
  /// How long a current above the last point's ratio is borne.
  public var beyond: TimeSpan
  public init(points: [Point], beyond: TimeSpan) { (self.points, self.beyond) = (points, beyond) }
  /// 1.1x for 60 s, 1.45x for 20 s, 5 s above that (rule 1).
  public static let standard = TripCurve(
    points: [Point(permille: 1100, time: .seconds(60)), Point(permille: 1450, time: .seconds(20))], beyond: .seconds(5))
  /// How long `current` is borne by a device of `rating`; nil: for ever.
  public func tolerates(_ current: Current, rating: Current) -> TimeSpan? {
    if current <= rating { return nil }
    for point in points where current.raw * 1000 <= rating.raw * point.permille { return point.time }
    return beyond
  }
}

/// A contractual limit: a mean over a clock-aligned window (rule 4).
public struct ContractLimit: Hashable, Sendable, Codable {
  public enum Amount: Hashable, Sendable, Codable {
    /// Mean current per phase.
    case current(PerPhase<Current>)
    /// Mean of the power summed over the phases.
    case power(Power)
  }
  public var amount: Amount
  public var window: TimeSpan
  /// Start of a window after the full hour in UTC, as the billing meter counts.
  public var offset: TimeSpan
  public init(amount: Amount, window: TimeSpan = .minutes(15), offset: TimeSpan = .zero) {
    (self.amount, self.window, self.offset) = (amount, window, offset)
  }
}

/// A bound on a circuit from outside the site file, with its source and its time span. All active limits hold at once.
public struct Limit: Hashable, Sendable, Codable {
  public enum Amount: Hashable, Sendable, Codable {
    case current(PerPhase<Current>)
    /// Shared equally over the phases when it becomes a current, at the voltage measured.
    case power(Power)
  }
  public var id: String
  /// Who set it, in words that a screen can show.
  public var source: String
  /// Index into `Hub.circuits`.
  public var circuit: Int
  public var amount: Amount
  public var from: Instant
  /// nil: until withdrawn.
  public var until: Instant?
  public init(id: String, source: String, circuit: Int, amount: Amount, from: Instant, until: Instant? = nil) {
    (self.id, self.source, self.circuit, self.amount, self.from, self.until) = (id, source, circuit, amount, from, until)
  }
}
