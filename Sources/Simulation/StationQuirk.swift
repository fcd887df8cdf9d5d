import Quantities
import Site

/// What an emulated station does wrong, by name; each was seen in the field.
public enum StationQuirk: String, CaseIterable, Hashable, Sendable {
  /// Answers Rejected to every profile.
  case refusesProfiles
  /// Accepts profiles and follows none (Grizzl-E, go-e: lbbrhzn#221, goe#105).
  case acceptsButIgnores
  /// Keeps only the first period of a schedule: no dead-man.
  case firstPeriodOnly
  /// ABB Terra AC: stack level 0 only (evcc#15493).
  case stackLevelZeroOnly
  /// Wallbox: Relative schedules only (evcc#25042).
  case relativeOnly
  /// Connector 0 refused.
  case refusesConnectorZero
  /// A limit of 0 A is refused (ABB).
  case refusesZero
  /// A limit of 0 A ends the transaction (Huawei, EN+: evcc#33020).
  case zeroEndsTransaction
  /// The limit of 0 A stays behind and stops later sessions (sem-community#977).
  case zeroSticks
  /// After 0 A the next limit is ignored: full current (goe#155).
  case losesControlAfterPause
  /// No BootNotification on a new connection (evcc#28540).
  case noBootOnConnect
  /// Answers up to 20 s late.
  case lateAnswers
  /// One answer of ten never comes.
  case losesAnswers
  /// One profile of ten is answered Rejected and followed, or Accepted and not.
  case liesInAnswers
  /// StartTransaction again with the same message id (MicroOcpp#50).
  case repeatsStart
  /// StartTransaction again with a new message id (MicroOcpp#237).
  case repeatsStartWithNewID
  /// Names transaction -1 in samples and in StopTransaction (EVerest/libocpp#495).
  case transactionMinusOne
  /// No time stamp before its clock is set, or ever (MicroOcpp#311).
  case timestamps1970
  /// Reports no meter values.
  case noMeterValues
  /// Reports power, no currents.
  case reportsPowerOnly
  /// Samples come up to 25 s late.
  case lateSamples
  /// Never sets its clock, which is up to 15 s off.
  case skewedClock
  /// Its clock is minutes off and never set.
  case wrongClock
  /// Full current for 3 s at each profile (Wallbox: lbbrhzn#2152).
  case spikes
  /// Installed profiles are gone after a reboot.
  case forgetsProfiles
  /// TxDefaultProfile counts from the next transaction on (evcc#9766).
  case nextTransactionOnly
  /// Whole amperes only, rounded down.
  case wholeAmperes
  /// Opens a second connection before the first is closed.
  case reconnectsTwice
  /// Power limits in W only.
  case wattsOnly
  /// A limit in W goes to the phases that the vehicle uses.
  case wattsUndivided

  /// Written into the model's traits: known, and to be allowed for.
  public func declare(in traits: inout StationTraits, trust: inout FallbackTrust) {
    switch self {
    case .firstPeriodOnly: traits.deadMan = false
    case .stackLevelZeroOnly: traits.highestStackLevel = 0
    case .relativeOnly: traits.profileKind = .relative
    case .refusesConnectorZero: traits.acceptsConnectorZero = false
    case .refusesZero: (traits.zero, traits.rotates) = (.refused, false)
    case .zeroEndsTransaction: (traits.zero, traits.rotates) = (.endsTransaction, false)
    case .zeroSticks: (traits.zero, traits.rotates) = (.sticks, false)
    case .losesControlAfterPause: (traits.zero, traits.rotates) = (.losesControl, false)
    case .noBootOnConnect: traits.boot = .needsTrigger
    case .noMeterValues: traits.reportsCurrent = false
    case .forgetsProfiles, .refusesProfiles, .acceptsButIgnores: trust = .none
    case .wholeAmperes: traits.step = .amperes(1)
    case .wattsOnly: (traits.rateUnit, traits.dividesWatts) = (.watts, true)
    case .wattsUndivided: (traits.rateUnit, traits.dividesWatts) = (.watts, false)
    case .lateAnswers, .losesAnswers, .liesInAnswers, .repeatsStart, .repeatsStartWithNewID, .transactionMinusOne, .timestamps1970,
      .reportsPowerOnly, .lateSamples, .skewedClock, .wrongClock, .spikes, .nextTransactionOnly, .reconnectsTwice:
      break
    }
  }

  /// A station with this quirk draws what it likes: its current counts as uncontrollable.
  public var isDisobedient: Bool {
    switch self {
    case .refusesProfiles, .acceptsButIgnores, .liesInAnswers, .spikes, .losesControlAfterPause, .zeroSticks, .forgetsProfiles: true
    default: false
    }
  }
}
