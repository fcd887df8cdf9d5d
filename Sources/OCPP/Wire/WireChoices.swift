/// What this room decides where the smart charging texts of OCPP 1.6 leave room; the meaning of stacks of profiles is decided in
/// `ChargingProfiles`. Each is a constant rather than a setting: what differs between models is in `StationTraits`.
///
/// - Profiles replaced by profiles (OCPP 1.6 §3.13.2): two with the same connector, purpose and stack level take each other's place in the queue.
/// - A7, Absolute without startSchedule: sent as given. Control gives a start a minute in the past (evcc#16430).
/// - R4, recurrencyKind: written only for recurring profiles (errata 3.56).
/// - R8, limits: one decimal, as exact decimal text; numberPhases only where the profile has it.
/// - R11, RemoteStartTransaction: sent without a profile. The transaction gets its own as soon as it is known.
/// - R14, startSchedule inside a composite schedule: read if it is there, never asked for.
/// - R15, ClearChargingProfile answered "Unknown": nothing to clear is as good as cleared.
/// - R16, a CALLERROR to a command: the command is refused, with the code as the reason.
enum WireChoices {
  /// How many requests of one station may wait for an answer; more get a GenericError.
  static let waitingRequests = 16
  /// Answers to StartTransaction and StopTransaction that are kept for repeats of the same message on the same connection (MicroOcpp#50).
  static let keptAnswers = 8
  /// Ids of CALLs that ran out of time, to know a late answer by.
  static let keptTimeouts = 16
  /// The same deviation is told again after this: a station that breaks a rule in each message must not fill the record.
  static let deviationSilence = 3_600_000
  static let keptDeviations = 32
  /// Of one message no more are told.
  static let mostDeviations = 16
  /// A raw frame beyond this many bytes is cut.
  static let keptFrameBytes = 2000
}
