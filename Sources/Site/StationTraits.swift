import Quantities

/// What a station model needs or gets wrong, as data from `Profiles/stations`, narrowed by what the station itself says when it connects.
public struct StationTraits: Hashable, Sendable, Codable {
  public enum RateUnit: String, Hashable, Sendable, Codable { case amperes = "A", watts = "W" }
  public enum ProfileKind: String, Hashable, Sendable, Codable { case absolute, relative }
  /// A way to set a current; the ladder of rule 21 goes down the list.
  public enum Route: String, Hashable, Sendable, Codable {
    /// TxProfile with the transaction's id.
    case transaction
    /// TxDefaultProfile at the connector.
    case transactionDefault
    /// ChargePointMaxProfile at connector 0; only for stations with one connector.
    case stationMaximum
  }
  /// What an offer of 0 A does.
  public enum ZeroMeaning: String, Hashable, Sendable, Codable {
    case pauses
    /// The profile is refused.
    case refused
    /// The transaction ends.
    case endsTransaction
    /// The limit stays behind after the session and stops later ones.
    case sticks
    /// The next limit after a pause is ignored: full current.
    case losesControl
  }
  public enum BootHabit: String, Hashable, Sendable, Codable {
    case announces
    /// Sends no BootNotification on a new connection: ask for it.
    case needsTrigger
    /// Any call before the boot is answered hangs it: say nothing before.
    case silentBeforeBoot
  }

  public var model: String
  public var rateUnit = RateUnit.amperes
  /// A limit in W speaks of what the station takes from the grid (true) or gives to the vehicle.
  public var wattsAreInput = true
  /// Proven to divide a limit in W by the phases that the vehicle uses (rule 8).
  public var dividesWatts = false
  /// nil: what ChargeProfileMaxStackLevel says.
  public var highestStackLevel: Int?
  public var profileKind = ProfileKind.absolute
  public var acceptsConnectorZero = true
  public var routes: [Route] = [.transaction, .transactionDefault]
  /// nil: what ChargingScheduleMaxPeriods says.
  public var maximumPeriods: Int?
  /// Offers are floored to multiples of this.
  public var step = Current.milliamperes(100)
  /// Least time between profiles that are not for safety.
  public var minimumInterval = TimeSpan.seconds(10)
  /// From an accepted profile to the pilot signal.
  public var reaction = TimeSpan.seconds(10)
  public var zero = ZeroMeaning.pauses
  /// Proven to pause and to resume: may take part in the rotation (rule 23).
  public var rotates = true
  /// Falls back to 0 A when told to, and keeps it: fallback 0 A is allowed (rule 2).
  public var honoursZeroFallback = true
  /// A profile's later periods happen without being spoken to (rule 17).
  public var deadMan = true
  public var callTimeout = TimeSpan.seconds(30)
  public var boot = BootHabit.announces
  /// How often it is asked to sample while charging.
  public var sampleInterval = TimeSpan.seconds(10)
  /// Does not report what its vehicle draws: its offers count in full.
  public var reportsCurrent = true
  /// A limit set at the station itself that nothing can exceed; nil: the connector's maximum.
  public var staticMaximum: Current?
  /// Thousandths; DC.
  public var efficiency = 920
  /// Thousandths; DC.
  public var powerFactor = 980
  /// OCPP actions that must not be sent to it.
  public var avoidedCalls: [String] = []
  public init(model: String) { self.model = model }
}
