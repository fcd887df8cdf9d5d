import ChargingProfiles
import Control
import Quantities
import Record
import Site

/// One profile of a transaction: why it left the mind, what the station answered, whether the vehicle followed, what came after it.
public struct ProfileLife: Hashable, Sendable {
  public enum Outcome: Hashable, Sendable {
    case accepted
    case refused(String)
    case timedOut
    /// The connection was lost before the answer.
    case lost
    /// A newer one took its place before it was sent.
    case superseded
    /// A decrease elsewhere took its room before it was sent.
    case cancelled
  }
  public struct Drawn: Hashable, Sendable {
    /// The largest on any phase, and when.
    public var most: Current
    public var at: Instant
    public var first: Instant
    public var last: Instant
    public var samples: Int
  }
  /// Whether the vehicle kept to it, measured after the station and the vehicle have had time to react.
  public enum Following: Hashable, Sendable {
    case neverInForce
    /// It was replaced, or the page ends, before that time was over.
    case tooShort(of: TimeSpan)
    case notMeasured
    case followed(Drawn)
    case exceeded(Drawn)
  }

  public var command: CommandID
  /// When it was decided.
  public var stamp: EventStamp
  /// Index into the hub's connectors.
  public var connector: Int
  /// Per used phase.
  public var offer: Current
  public var reason: Reason
  /// nil: the command itself cannot be read.
  public var profile: ChargingProfile?
  public var urgency: Urgency?
  public var mentions: [BlockMention]
  public var sentAt: Instant?
  public var outcome: Outcome?
  public var answeredAt: Instant?
  /// The next profile of the transaction that reached the station.
  public var supersededBy: CommandID?
  public var supersededAt: Instant?
  public var drawn: Drawn?
  /// How long the station and the vehicle may take to follow it.
  public var reaction: TimeSpan
  public var tolerance: Current
  /// The end of what is known: the transaction's end, or the newest entry.
  var knownUntil: Instant?

  /// From sending to the answer.
  public var answerTime: TimeSpan? {
    guard let sentAt, let answeredAt, outcome != .superseded, outcome != .cancelled else { return nil }
    return answeredAt - sentAt
  }
  /// Since when it applied: accepted, or sent and perhaps in force.
  public var appliedFrom: Instant? {
    switch outcome {
    case .accepted: answeredAt
    case .timedOut, .lost, nil: sentAt
    case .refused, .superseded, .cancelled: nil
    }
  }
  public var following: Following {
    guard let from = appliedFrom else { return .neverInForce }
    if let drawn { return drawn.most > offer + tolerance ? .exceeded(drawn) : .followed(drawn) }
    if let end = supersededAt ?? knownUntil, end - from <= reaction { return .tooShort(of: reaction) }
    return .notMeasured
  }

  /// The currents or powers that the profile allows, one after the other.
  /// - Parameter start: of the transaction, for relative schedules.
  public func periods(transactionStart start: Instant) -> [(from: Instant, tenths: Int, unit: StationTraits.RateUnit)] {
    guard let profile else { return [] }
    let begin = profile.kind == .relative ? start : profile.schedule.start ?? stamp.utc
    return profile.schedule.periods.map { (begin + $0.start, $0.tenths, profile.schedule.unit) }
  }
}
