import Quantities
import Site

/// A limit on charging over time, as OCPP 1.6 §7.8 and §7.13 describe it; every instance is well formed.
public struct ChargingProfile: Hashable, Sendable, Codable {
  public enum Purpose: Hashable, Sendable, Codable {
    /// ChargePointMaxProfile: a cap on the sum of all connectors; connector 0 only.
    case stationMaximum
    /// TxDefaultProfile.
    case transactionDefault
    /// TxProfile; the id is absent only in RemoteStartTransaction.
    case transaction(id: Int?)
  }
  public enum Kind: Hashable, Sendable, Codable {
    case absolute
    /// Every 24 hours, in UTC.
    case daily
    /// Every 7 days, in UTC.
    case weekly
    /// Counted from the start of the transaction.
    case relative
  }
  public var id: Int
  public var stackLevel: Int
  public var purpose: Purpose
  public var kind: Kind
  public var validFrom: Instant?
  public var validTo: Instant?
  public var schedule: Schedule

  /// - Precondition: `stackLevel` is not negative.
  public init(
    id: Int, stackLevel: Int, purpose: Purpose, kind: Kind, validFrom: Instant? = nil, validTo: Instant? = nil, schedule: Schedule
  ) {
    precondition(stackLevel >= 0)
    (self.id, self.stackLevel, self.purpose, self.kind) = (id, stackLevel, purpose, kind)
    (self.validFrom, self.validTo, self.schedule) = (validFrom, validTo, schedule)
  }
}

/// The periods of a profile.
public struct Schedule: Hashable, Sendable, Codable {
  /// What was wrong with a schedule, reading its periods in the order received. Nothing is repaired.
  public enum Flaw: Error, Hashable, Sendable {
    case noPeriods
    case lateStart(TimeSpan)
    case outOfOrder(period: Int)
    case negativeLimit(period: Int)
    case phases(period: Int, Int)
  }
  public struct Period: Hashable, Sendable, Codable {
    /// After the schedule's start.
    public var start: TimeSpan
    /// Tenths of the schedule's unit: 160 is 16.0 A, or 110000 is 11000.0 W.
    public var tenths: Int
    /// numberPhases; absent means 3 (OCPP 1.6 §7.14).
    public var phases: Int?
    public init(start: TimeSpan, tenths: Int, phases: Int? = nil) {
      (self.start, self.tenths, self.phases) = (start, tenths, phases)
    }
  }
  public var unit: StationTraits.RateUnit
  /// nil: for ever, or to the end of the transaction.
  public var duration: TimeSpan?
  /// startSchedule; nil for relative schedules, and in composite schedules.
  public var start: Instant?
  /// Never empty; the first starts at zero; starts strictly increase.
  public private(set) var periods: [Period]
  /// minChargingRate in tenths of the unit.
  public var minimumTenths: Int?

  /// - Throws: the first `Flaw` met.
  /// - Complexity: O(*n*) in the number of periods.
  public init(
    unit: StationTraits.RateUnit, duration: TimeSpan? = nil, start: Instant? = nil, periods: [Period], minimumTenths: Int? = nil
  ) throws(Flaw) {
    guard let first = periods.first else { throw .noPeriods }
    guard first.start == .zero else { throw .lateStart(first.start) }
    for i in periods.indices {
      if i > 0, periods[i].start <= periods[i - 1].start { throw .outOfOrder(period: i) }
      if periods[i].tenths < 0 { throw .negativeLimit(period: i) }
      if let phases = periods[i].phases, !(1...3).contains(phases) { throw .phases(period: i, phases) }
    }
    (self.unit, self.duration, self.start, self.periods, self.minimumTenths) = (unit, duration, start, periods, minimumTenths)
  }
}
