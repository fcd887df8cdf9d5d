import Quantities
import Site

/// What the mind can ask of a station. The dialogue of a protocol turns each into its messages and reports the outcome.
public enum StationCommand: Hashable, Sendable, Codable {
  /// Find out what it can, and set the sampling that control needs. Outcome: `learned`.
  case learn(sampleInterval: TimeSpan)
  case setProfile(connector: Int, ChargingProfile)
  case clearProfiles(ProfileFilter)
  /// Outcome: `composite`.
  case readComposite(connector: Int, duration: TimeSpan, unit: StationTraits.RateUnit)
  case trigger(Trigger)
  case changeAvailability(connector: Int, operative: Bool)
  case remoteStart(connector: Int?, idTag: String)
  case remoteStop(transaction: Int)
  case unlock(connector: Int)
  case reset(hard: Bool)
  case getConfiguration(keys: [String])
  case changeConfiguration(key: String, value: String)
  case clearCache
  case getDiagnostics(location: String)

  /// A configuration key of a station whose value nobody else may learn, by its name: passwords and the keys by which it is let in.
  public static func isSecret(configurationKey name: String) -> Bool {
    let name = name.lowercased()
    return name.contains("pass") || name.contains("secret") || name.contains("token")
      || name.contains("key") && !name.hasSuffix("keys")
  }

  public enum Trigger: Hashable, Sendable, Codable {
    case boot
    case heartbeat
    case status(connector: Int)
    case meterValues(connector: Int)
  }
}

/// Which profiles ClearChargingProfile means: with an id the others are ignored, otherwise all that are given must match.
public struct ProfileFilter: Hashable, Sendable, Codable {
  public enum Purpose: String, Hashable, Sendable, Codable {
    case stationMaximum = "ChargePointMaxProfile"
    case transactionDefault = "TxDefaultProfile"
    case transaction = "TxProfile"
  }
  public var id: Int?
  public var connector: Int?
  public var purpose: Purpose?
  public var stackLevel: Int?
  public init(id: Int? = nil, connector: Int? = nil, purpose: Purpose? = nil, stackLevel: Int? = nil) {
    (self.id, self.connector, self.purpose, self.stackLevel) = (id, connector, purpose, stackLevel)
  }
}

/// How urgent a command is: what may overtake what in the queue of a station.
public enum Urgency: Hashable, Sendable, Codable {
  /// Lowers a current: before everything else.
  case decrease
  /// Raises a current: held until the journal is durable; cancelled by any newer offer or decrease for its connector.
  case increase
  case routine
}

/// What became of a command.
public enum CommandOutcome: Hashable, Sendable, Codable {
  /// On the wire, complete.
  case sent
  /// A newer command for the same connector took its place before it was sent.
  case superseded
  case accepted
  /// The station said no: status text, or a CALLERROR's code.
  case refused(String)
  case timedOut
  /// The connection was lost before the answer; it may or may not have been received.
  case lost
  case learned(StationCapabilities)
  /// nil: the station gave none.
  case composite(Schedule?)
  case configuration([ConfigurationKey], unknown: [String])

  public struct ConfigurationKey: Hashable, Sendable, Codable {
    public var key: String
    public var readOnly: Bool
    public var value: String?
    public init(key: String, readOnly: Bool, value: String?) { (self.key, self.readOnly, self.value) = (key, readOnly, value) }
  }
}

/// What a station says, whichever protocol it speaks.
public enum StationEvent: Hashable, Sendable, Codable {
  case connected
  case disconnected
  case booted(StationIdentity, RequestID)
  /// The station's clock minus ours, estimated from a message with a live timestamp.
  case clock(offset: TimeSpan)
  /// `connector` 0 is the station itself.
  case status(connector: Int, ConnectorStatus, error: String?)
  case authorise(idTag: String, RequestID)
  case started(TransactionStart, RequestID)
  case stopped(TransactionStop, RequestID)
  case sampled(connector: Int, transaction: Int?, ConnectorSample)
  case outcome(CommandID, CommandOutcome)
  /// A message broke a rule of its protocol; the bad part was left out. For people.
  case deviated(String)
}
