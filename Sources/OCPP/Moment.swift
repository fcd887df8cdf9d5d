import ChargingProfiles
import Quantities
import Site

/// When something happens, on both clocks. Made by a house.
public struct Moment: Hashable, Sendable {
  public var utc: Instant
  public var monotonic: Monotonic
  public init(utc: Instant, monotonic: Monotonic) { (self.utc, self.monotonic) = (utc, monotonic) }
}

/// What a dialogue wants after being told something.
public struct DialogueOutput: Hashable, Sendable {
  /// Text messages for the connection that is open now, in this order.
  public var frames: [String] = []
  /// For the mind, in this order.
  public var events: [StationEvent] = []
  /// Each is in `events` as well, as a sentence with the raw frame.
  public var deviations: [Deviation] = []
  /// How long the station took to answer the CALL that this answers; nil: it answers none.
  public var answeredAfter: TimeSpan?
  /// A CALL of ours ran out of time.
  public var isUnanswered = false
  public init() {}
}

/// A message that broke a rule of the protocol.
public struct Deviation: Hashable, Sendable {
  /// What was wrong, without the values found.
  public var what: String
  /// The message as it came, cut at 2,000 bytes.
  public var frame: String
  public init(what: String, frame: String) { (self.what, self.frame) = (what, frame) }
}
