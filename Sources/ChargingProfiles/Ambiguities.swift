import Quantities

/// Where OCPP 1.6 can be read in two ways and stations in the field do both: each reading has a name, and all are decided here.
/// The 24-hour day of a daily schedule is not among them: it counts in UTC and moves by an hour against the local clock when summer
/// time begins or ends (OCPP 1.6 §3.13.2), so such profiles are sent again then.
public struct Ambiguities: Hashable, Sendable, Codable {
  /// A TxProfile has run out while its transaction goes on.
  public enum ExpiredTransactionProfile: String, Hashable, Sendable, Codable {
    /// The TxDefaultProfile stays overruled (OCTT 1.6 TC_066).
    case overrules
    /// The TxDefaultProfile applies again (EVerest libocpp, MicroOcpp).
    case fallsBack
  }
  /// TxDefaultProfiles at connector 0 and at a connector, with different stack levels.
  public enum DefaultStacks: String, Hashable, Sendable, Codable {
    /// One stack of both; at the same level the connector's replaces the station's (EVerest libocpp).
    case mergeByLevel
    /// Whatever the connector has stands above whatever connector 0 has (MicroOcpp).
    case connectorFirst
  }
  /// What a ChargePointMaxProfile, a cap on the sum, means in the composite schedule of one connector.
  public enum StationMaximum: String, Hashable, Sendable, Codable {
    /// The full cap: two connectors may both show it (OCPP 1.6 §5.7 subtracts nothing).
    case whole
    /// An equal part, rounded down.
    case shared
  }
  /// From where the periods of a relative profile count when it becomes valid during the transaction.
  public enum RelativePosition: String, Hashable, Sendable, Codable {
    /// EVerest libocpp.
    case transactionStart
    case validFrom
  }
  /// An absolute or recurring schedule without startSchedule.
  public enum MissingStart: String, Hashable, Sendable, Codable {
    /// It starts when it is installed.
    case fromInstallation
    /// It is refused (EVerest libocpp without AllowChargingProfileWithoutStartSchedule).
    case refused
  }

  public var expiredTransactionProfile = ExpiredTransactionProfile.overrules
  /// A composite schedule with no transaction running shows the TxDefaultProfile (OCTT TC_056, TC_072), or does not
  /// (matth-x/MicroOcpp#360).
  public var defaultWithoutTransaction = true
  public var defaultStacks = DefaultStacks.mergeByLevel
  public var stationMaximum = StationMaximum.whole
  /// What a composite schedule says where no profile and no local limit holds, per phase: 48 A (EVerest libocpp).
  public var unlimitedCurrent = Current.amperes(48)
  /// The same in W: 33,120 W (EVerest libocpp).
  public var unlimitedPower = Power.watts(33_120)
  public var relativePosition = RelativePosition.transactionStart
  public var missingStart = MissingStart.fromInstallation
  /// startSchedule is given inside a composite schedule: OCTT compares it; errata 3.57 leave it out.
  public var compositeStatesStart = true

  /// The defaults: what the Open Charge Alliance's test cases expect.
  public init() {}
  /// OCTT 1.6 (2024-04).
  public static let octt = Ambiguities()
  /// EVerest libocpp.
  public static var libocpp: Ambiguities {
    var result = Ambiguities()
    result.expiredTransactionProfile = .fallsBack
    result.missingStart = .refused
    return result
  }
  /// matth-x/MicroOcpp.
  public static var microOcpp: Ambiguities {
    var result = Ambiguities()
    result.expiredTransactionProfile = .fallsBack
    result.defaultWithoutTransaction = false
    result.defaultStacks = .connectorFirst
    return result
  }
}
