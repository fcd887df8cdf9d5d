import Quantities

/// Names a request of a station that waits for an answer; given by the link, unique while the connection lives.
public struct RequestID: Hashable, Sendable, Codable {
  public let value: UInt64
  public init(_ value: UInt64) { self.value = value }
}

/// Names a command to a station; given by `Control`, never repeated.
public struct CommandID: Hashable, Comparable, Sendable, Codable {
  public let value: UInt64
  public init(_ value: UInt64) { self.value = value }
  public static func < (a: CommandID, b: CommandID) -> Bool { a.value < b.value }
}

/// OCPP 1.6 §7.7.
public enum ConnectorStatus: String, Hashable, Sendable, Codable {
  case available = "Available"
  case preparing = "Preparing"
  case charging = "Charging"
  case suspendedEVSE = "SuspendedEVSE"
  case suspendedEV = "SuspendedEV"
  case finishing = "Finishing"
  case reserved = "Reserved"
  case unavailable = "Unavailable"
  case faulted = "Faulted"
}

/// What a station says of itself when it boots. Empty text: not said.
public struct StationIdentity: Hashable, Sendable, Codable {
  public var vendor: String
  public var model: String
  public var serial: String
  public var firmware: String
  public init(vendor: String, model: String, serial: String = "", firmware: String = "") {
    (self.vendor, self.model, self.serial, self.firmware) = (vendor, model, serial, firmware)
  }
}

/// What a station measured at a connector, in the station's own conductor order. An absent quantity is nil.
public struct ConnectorSample: Hashable, Sendable, Codable {
  /// The station's own time of the sample; nil when absent or plainly wrong (1970).
  public var takenAt: Instant?
  public var current: PerPhase<Current>?
  public var power: Power?
  public var voltage: PerPhase<Voltage>?
  /// The energy register (Energy.Active.Import.Register).
  public var register: Energy?
  /// Current.Offered.
  public var offered: Current?
  /// Whole percent.
  public var stateOfCharge: Int?
  public init(
    takenAt: Instant?, current: PerPhase<Current>? = nil, power: Power? = nil, voltage: PerPhase<Voltage>? = nil,
    register: Energy? = nil, offered: Current? = nil, stateOfCharge: Int? = nil
  ) {
    (self.takenAt, self.current, self.power, self.voltage) = (takenAt, current, power, voltage)
    (self.register, self.offered, self.stateOfCharge) = (register, offered, stateOfCharge)
  }
}

/// StartTransaction as the station sent it.
public struct TransactionStart: Hashable, Sendable, Codable {
  public var connector: Int
  public var idTag: String
  public var meterStart: Energy
  /// nil when absent or plainly wrong (1970).
  public var at: Instant?
  /// The message's own id, for repeats of the same message.
  public var messageID: String
  public init(connector: Int, idTag: String, meterStart: Energy, at: Instant?, messageID: String) {
    (self.connector, self.idTag, self.meterStart, self.at, self.messageID) = (connector, idTag, meterStart, at, messageID)
  }
}

/// StopTransaction as the station sent it.
public struct TransactionStop: Hashable, Sendable, Codable {
  /// The id that the station names; -1 and 0 occur in the field.
  public var transaction: Int
  public var idTag: String?
  public var meterStop: Energy
  public var at: Instant?
  /// OCPP reason; "Local" when absent (errata 2.5).
  public var reason: String
  public var messageID: String
  public init(transaction: Int, idTag: String?, meterStop: Energy, at: Instant?, reason: String = "Local", messageID: String) {
    (self.transaction, self.idTag, self.meterStop) = (transaction, idTag, meterStop)
    (self.at, self.reason, self.messageID) = (at, reason, messageID)
  }
}

/// What a station can, as it said when asked. nil: not said.
public struct StationCapabilities: Hashable, Sendable, Codable {
  public var acceptsAmperes: Bool?
  public var acceptsWatts: Bool?
  public var highestStackLevel: Int?
  public var maximumPeriods: Int?
  public var maximumProfiles: Int?
  public var connectors: Int?
  public var switchesPhases: Bool?
  /// The sampling that could be set, in seconds; nil when it could not.
  public var sampleInterval: Int?
  /// It reports Current.Import.
  public var samplesCurrent: Bool?
  /// Keys that it does not have or refused, for people.
  public var remarks: [String]
  public init(
    acceptsAmperes: Bool? = nil, acceptsWatts: Bool? = nil, highestStackLevel: Int? = nil, maximumPeriods: Int? = nil,
    maximumProfiles: Int? = nil, connectors: Int? = nil, switchesPhases: Bool? = nil, sampleInterval: Int? = nil,
    samplesCurrent: Bool? = nil, remarks: [String] = []
  ) {
    (self.acceptsAmperes, self.acceptsWatts, self.highestStackLevel) = (acceptsAmperes, acceptsWatts, highestStackLevel)
    (self.maximumPeriods, self.maximumProfiles, self.connectors) = (maximumPeriods, maximumProfiles, connectors)
    (self.switchesPhases, self.sampleInterval, self.samplesCurrent) = (switchesPhases, sampleInterval, samplesCurrent)
    self.remarks = remarks
  }
}

/// The authorisation of an id tag, as OCPP names it.
public enum Authorisation: String, Hashable, Sendable, Codable {
  case accepted = "Accepted"
  case blocked = "Blocked"
  case expired = "Expired"
  case invalid = "Invalid"
  case concurrent = "ConcurrentTx"
}

/// What the mind answers to a request of a station. Heartbeats, status and meter values are answered by the dialogue itself.
public enum Answer: Hashable, Sendable, Codable {
  /// `interval`: the heartbeat's.
  case boot(accepted: Bool, interval: TimeSpan)
  case authorise(Authorisation)
  case start(transaction: Int, Authorisation)
  case stop(Authorisation?)
}
