import ChargingProfiles
import Quantities
import Site

/// One connector of an emulated station, and the vehicle at it. Currents in mA per conductor, times in true ms.
public struct Bay: Sendable {
  public let connector: Connector
  public var number: Int { connector.number }
  public internal(set) var status = ConnectorStatus.available
  public internal(set) var vehicle: Vehicle?
  /// The limit of the installed profiles now; the pilot signal follows it after the model's reaction time.
  public internal(set) var limit = 0
  public internal(set) var pilot = 0
  var nextPilot = 0
  var pilotAt: Int?
  var limitAt = Int.max
  /// What each of the vehicle's conductors draws.
  public internal(set) var draw = 0
  var nextDraw = 0
  var drawAt: Int?
  /// mA x ms over all conductors since ever.
  var charge = 0
  var chargedAt = 0
  public internal(set) var transaction: LocalTransaction?
  var sampleAt: Int?
  /// When the session's next step is due: asking for authorisation, starting, or going.
  var stepAt: Int?
  var leavesAt: Int?
  var idTag = ""
  var awaitsAuthorisation: Int?
  var isOutOfControl = false
  /// A limit of 0 A has stuck.
  var isStuck = false
  var spikeUntil: Int?
  /// The held limit's steps, as they were last computed.
  public internal(set) var steps: [Step] = []
  /// When the newest profile came, and when the transaction began.
  var profileAt = 0
  var beganAt = 0
  /// The same by the station's own clock.
  var beganClock = Instant(milliseconds: 0)
  /// Since when it could charge and is not let, ms.
  public internal(set) var starvingSince: Int?
  public internal(set) var servedSince: Int?

  public typealias Step = (at: Int, limit: Int)
  public struct LocalTransaction: Hashable, Sendable {
    /// Negative until the central system has given it an id.
    public var id: Int
    public var isKnown: Bool
    public var ticket: Int
    public var start: TransactionStart
  }

  init(connector: Connector) { self.connector = connector }

  var nextWake: Int {
    var next = limitAt
    for at in [pilotAt, drawAt, sampleAt, stepAt, leavesAt, spikeUntil] { if let at { next = min(next, at) } }
    return next
  }

  /// What flows, in the station's own conductor order.
  public var flow: PerPhase<Current> {
    guard let vehicle, draw > 0 else { return .zero }
    return PerPhase(Current(raw: draw), on: vehicle.conductors)
  }

  /// The register, at 230 V.
  var register: Energy { Energy(milliwattHours: charge / 3_600_000 * 230) }

}
