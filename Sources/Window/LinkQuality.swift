import Quantities

/// How well a station is reached, as whoever holds its connection sees it.
public struct LinkQuality: Hashable, Sendable {
  /// How long the present connection has held; nil: there is none.
  public var connectedFor: TimeSpan?
  /// Since the last message of the station; nil: there was none.
  public var heardAgo: TimeSpan?
  /// Connections that ended within the last 24 hours.
  public var lost: Int
  /// CALLs that ran out of time within the last 24 hours.
  public var unanswered: Int
  /// How long the station took to answer its last CALLs, in no order.
  public var answers: [TimeSpan]

  public init(
    connectedFor: TimeSpan? = nil, heardAgo: TimeSpan? = nil, lost: Int = 0, unanswered: Int = 0, answers: [TimeSpan] = []
  ) {
    (self.connectedFor, self.heardAgo, self.lost, self.unanswered, self.answers) = (
      connectedFor, heardAgo, lost, unanswered, answers
    )
  }
}
