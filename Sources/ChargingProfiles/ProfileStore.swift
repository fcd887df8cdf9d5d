import Quantities
import Site

/// The profiles installed at one station, and the transactions they speak of: what a station keeps across a reboot (errata 3.37).
/// Arrays in the order of installation: the same calls give the same value.
public struct ProfileStore: Hashable, Sendable, Codable {
  public struct Installed: Hashable, Sendable, Codable {
    /// 0: the whole station.
    public var connector: Int
    public var profile: ChargingProfile
    public var at: Instant
  }
  public struct Transaction: Hashable, Sendable, Codable {
    public var id: Int
    public var connector: Int
    public var start: Instant
  }
  /// What the station can hold, as its configuration keys say (OCPP 1.6 §9.4).
  public struct Capacity: Hashable, Sendable, Codable {
    /// ChargeProfileMaxStackLevel.
    public var highestStackLevel: Int
    /// ChargingScheduleAllowedChargingRateUnit.
    public var units: [StationTraits.RateUnit]
    /// ChargingScheduleMaxPeriods.
    public var maximumPeriods: Int
    /// MaxChargingProfilesInstalled.
    public var maximumProfiles: Int
    public init(
      highestStackLevel: Int = 10, units: [StationTraits.RateUnit] = [.amperes, .watts], maximumPeriods: Int = 24,
      maximumProfiles: Int = 32
    ) {
      (self.highestStackLevel, self.units) = (highestStackLevel, units)
      (self.maximumPeriods, self.maximumProfiles) = (maximumPeriods, maximumProfiles)
    }
  }
  /// Why a profile is not installed.
  public enum Rejection: Error, Hashable, Sendable {
    case unknownConnector(Int, connectors: Int)
    case stationMaximumAtConnector(Int)
    case transactionProfileAtStation
    /// TxProfile with no transaction running at the connector.
    case noTransaction(connector: Int)
    case otherTransaction(named: Int, running: Int)
    /// A TxProfile must name its transaction, except in RemoteStartTransaction (OCPP 1.6 §3.13.4, errata 3.41).
    case transactionNotNamed
    /// RemoteStartTransaction may carry a TxProfile without transactionId only.
    case notForRemoteStart
    case stackLevel(Int, highest: Int)
    case unit(StationTraits.RateUnit)
    case periods(Int, most: Int)
    case profiles(most: Int)
    case noStart
    case neverValid(from: Instant, to: Instant)

    /// The OCPP error with which the call fails; nil: it is answered, with status Rejected (errata 3.38, 3.39).
    public var errorCode: String? {
      if case .unknownConnector = self { return "PropertyConstraintViolation" }
      return nil
    }
  }

  public let connectors: Int
  public var capacity: Capacity
  public var ambiguities: Ambiguities
  public private(set) var installed: [Installed] = []
  public private(set) var transactions: [Transaction] = []

  /// - Precondition: `connectors` is positive.
  public init(connectors: Int, capacity: Capacity = Capacity(), ambiguities: Ambiguities = Ambiguities()) {
    precondition(connectors > 0)
    (self.connectors, self.capacity, self.ambiguities) = (connectors, capacity, ambiguities)
  }

  /// SetChargingProfile. Replaces every profile with the same id, and the one with the same purpose and stack level at that connector.
  public mutating func install(_ profile: ChargingProfile, connector: Int, at now: Instant) throws(Rejection) {
    try check(profile, connector: connector)
    if case .transaction(let named) = profile.purpose {
      guard let running = transactions.first(where: { $0.connector == connector }) else {
        throw .noTransaction(connector: connector)
      }
      guard let named else { throw .transactionNotNamed }
      guard named == running.id else { throw .otherTransaction(named: named, running: running.id) }
    }
    try put(profile, connector: connector, at: now)
  }

  /// The profile inside RemoteStartTransaction: kept until the transaction starts, and bound to it then.
  public mutating func installForRemoteStart(_ profile: ChargingProfile, connector: Int, at now: Instant) throws(Rejection) {
    guard case .transaction(nil) = profile.purpose else { throw .notForRemoteStart }
    try check(profile, connector: connector)
    try put(profile, connector: connector, at: now)
  }

  /// A transaction starts; a waiting profile of a remote start becomes its own. A transaction that ran at the connector ends.
  public mutating func begin(transaction id: Int, connector: Int, at start: Instant) {
    precondition((1...connectors).contains(connector))
    for old in transactions where old.connector == connector { end(transaction: old.id) }
    transactions.append(Transaction(id: id, connector: connector, start: start))
    for i in installed.indices where installed[i].connector == connector {
      if case .transaction(nil) = installed[i].profile.purpose { installed[i].profile.purpose = .transaction(id: id) }
    }
  }

  /// The central system has given a running transaction its id: a station learns it only with the answer.
  public mutating func rename(transaction old: Int, to new: Int) {
    for i in transactions.indices where transactions[i].id == old { transactions[i].id = new }
    for i in installed.indices where installed[i].profile.purpose == .transaction(id: old) {
      installed[i].profile.purpose = .transaction(id: new)
    }
  }

  /// A transaction ends, and its profiles with it.
  public mutating func end(transaction id: Int) {
    transactions.removeAll { $0.id == id }
    installed.removeAll { $0.profile.purpose == .transaction(id: id) }
  }

  /// ClearChargingProfile.
  /// - Returns: whether anything was cleared: Accepted, or Unknown.
  @discardableResult public mutating func clear(_ filter: ProfileFilter) -> Bool {
    let before = installed.count
    installed.removeAll { filter.matches($0.profile, connector: $0.connector) }
    return installed.count < before
  }

  private func check(_ profile: ChargingProfile, connector: Int) throws(Rejection) {
    guard (0...connectors).contains(connector) else { throw .unknownConnector(connector, connectors: connectors) }
    switch profile.purpose {
    case .stationMaximum where connector != 0: throw .stationMaximumAtConnector(connector)
    case .transaction where connector == 0: throw .transactionProfileAtStation
    default: break
    }
    guard profile.stackLevel <= capacity.highestStackLevel else {
      throw .stackLevel(profile.stackLevel, highest: capacity.highestStackLevel)
    }
    guard capacity.units.contains(profile.schedule.unit) else { throw .unit(profile.schedule.unit) }
    let periods = profile.schedule.periods.count
    guard periods <= capacity.maximumPeriods else { throw .periods(periods, most: capacity.maximumPeriods) }
    if let from = profile.validFrom, let to = profile.validTo, to <= from { throw .neverValid(from: from, to: to) }
    if profile.kind != .relative, profile.schedule.start == nil, ambiguities.missingStart == .refused { throw .noStart }
  }

  private mutating func put(_ profile: ChargingProfile, connector: Int, at now: Instant) throws(Rejection) {
    let place = ProfileFilter.Purpose(profile.purpose)
    let kept = installed.filter { old in
      if old.profile.id == profile.id { return false }
      let same = ProfileFilter.Purpose(old.profile.purpose) == place && old.profile.stackLevel == profile.stackLevel
      return !(same && old.connector == connector)
    }
    guard kept.count < capacity.maximumProfiles else { throw .profiles(most: capacity.maximumProfiles) }
    installed = kept + [Installed(connector: connector, profile: profile, at: now)]
  }
}

extension ProfileFilter.Purpose {
  public init(_ purpose: ChargingProfile.Purpose) {
    switch purpose {
    case .stationMaximum: self = .stationMaximum
    case .transactionDefault: self = .transactionDefault
    case .transaction: self = .transaction
    }
  }
}

extension ProfileFilter {
  /// Whether ClearChargingProfile with these fields means this profile (errata 3.25, 3.26).
  public func matches(_ profile: ChargingProfile, connector: Int) -> Bool {
    if let id { return profile.id == id }
    if let wanted = self.connector, wanted != connector { return false }
    if let purpose, purpose != Purpose(profile.purpose) { return false }
    if let stackLevel, stackLevel != profile.stackLevel { return false }
    return true
  }
}
