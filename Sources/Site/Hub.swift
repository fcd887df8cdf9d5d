import Quantities

/// A charging hub as its installer describes it: a tree of circuits, the meters on it, the stations and their connectors.
/// Plain data; elements refer to each other by index into these arrays. Made by `SiteFiles` (checked) or by a test.
public struct Hub: Hashable, Sendable, Codable {
  public var id: String
  public var name: String
  /// IANA name, used only at the edges; the mind works in UTC.
  public var timeZone: String
  /// What clocks show there: for statistics by weekday and hour, and for departures by time of day.
  public var localTime = LocalTime.utc
  /// Phase to neutral; what OCPP calls nominal when it converts between W and A.
  public var nominalVoltage: Voltage
  /// A tree; a parent stands before its children; the first one is the connection.
  public var circuits: [Circuit]
  public var meters: [Meter]
  public var stations: [Station]
  /// All connectors of all stations; those of one station stand together, in the order of their OCPP numbers.
  public var connectors: [Connector]
  public var access: Access
  public var settings: Settings
  /// nil: the hub shares the present moment and does not look ahead.
  public var planning: PlanningPolicy?

  public init(
    id: String, name: String = "", timeZone: String = "UTC", nominalVoltage: Voltage = .volts(230), circuits: [Circuit],
    meters: [Meter] = [], stations: [Station] = [], connectors: [Connector] = [], access: Access = .anyone,
    settings: Settings = Settings(), planning: PlanningPolicy? = nil
  ) {
    (self.id, self.name, self.timeZone, self.nominalVoltage) = (id, name, timeZone, nominalVoltage)
    (self.circuits, self.meters, self.stations, self.connectors) = (circuits, meters, stations, connectors)
    (self.access, self.settings, self.planning) = (access, settings, planning)
  }
}

/// Who may charge.
public enum Access: Hashable, Sendable, Codable {
  /// Every id tag; said loudly at start.
  case anyone
  /// Only these id tags; compared without regard to case (OCPP 1.6 §3.9: CiString20Type).
  case tags([String])
}

/// The numbers of the site that `SAFETY.md` calls defaults.
public struct Settings: Hashable, Sendable, Codable {
  /// H: how long a profile above the fallback may speak unheard.
  public var horizon = TimeSpan.minutes(10)
  /// G: vehicle reaction plus clock skew.
  public var guardTime = TimeSpan.seconds(50)
  /// How long a vehicle may take to follow its pilot signal.
  public var vehicleReaction = TimeSpan.seconds(30)
  /// Least change of current for sharing; safety ignores it.
  public var deadBand = Current.amperes(1)
  /// Least time between two decreases for sharing at one connector.
  public var sharingInterval = TimeSpan.seconds(30)
  /// A measured current this far above the offer still counts as following it.
  public var followTolerance = Current.amperes(1)
  /// Largest rise of one connector's offer per `increaseInterval`; zero: no bound.
  public var increaseStep = Current.zero
  public var increaseInterval = TimeSpan.seconds(10)
  /// How long a vehicle must draw less than offered before the rest is given to others.
  public var giveBackAfter = TimeSpan.seconds(60)
  /// What is left above the measured current when the rest is given to others.
  public var giveBackMargin = Current.amperes(3)
  /// One turn of the rotation when there is not enough for all.
  public var rotationPeriod = TimeSpan.minutes(15)
  /// Least time a connector stays on, and off, except for safety.
  public var minimumOnOff = TimeSpan.seconds(210)
  /// How long a vehicle that drew nothing, and was paused for others that want its current, waits until it is asked again;
  /// twice as long when it was asked in vain. Of short turns two, unless somebody wants it otherwise: rule 23 allows eight.
  public var idlePause = TimeSpan.minutes(30)
  /// Largest number of contactor cycles the rotation may cost one session.
  public var cyclesPerSession = 24
  /// The voltage with which W become A when none is measured (rule 10).
  public var lowestVoltage = Voltage.volts(207)
  /// Largest clock skew of a station that is still controlled by absolute profiles (rule 17).
  public var largestSkew = TimeSpan.seconds(20)
  /// A reading older than this many periods of its meter is stale.
  public var stalePeriods = 5
  /// Raw registers identical for this long on a live circuit are frozen.
  public var frozenAfter = TimeSpan.seconds(60)
  /// Measured excess that lasts this long lowers everything below the circuit (rule 21).
  public var excessPatience = TimeSpan.seconds(10)
  /// Narrowing a session to the phases its vehicle uses (rule 8).
  public var narrowsPhases = false
  /// What is done, in this order and a minute apart, while a circuit is over its limit and a connector below it follows nothing (the
  /// last steps of rule 21); empty: nothing.
  public var lastResorts: [LastResort] = []
  public init() {}

  public enum LastResort: String, Hashable, Sendable, Codable, CaseIterable {
    /// ChangeAvailability to Inoperative; it stays so until somebody makes it operative again.
    case changeAvailability = "change_availability"
    /// RemoteStopTransaction.
    case remoteStop = "remote_stop"
  }
}
