import ChargingProfiles
import Quantities
import Site

/// An order, and who gives it: what an interface hands in for a person or a program.
public struct Request: Hashable, Sendable, Codable {
  /// Names it to whoever waits for the answer.
  public var id: String
  /// Who asks, e.g. the name of a token.
  public var by: String
  public var order: Order
  public init(id: String, by: String, order: Order) { (self.id, self.by, self.order) = (id, by, order) }
}

/// What the mind made of a request.
public struct Reply: Hashable, Sendable, Codable {
  public var request: String
  /// The order that would bring back what was before; nil: there is none, or it was refused.
  public var before: Order?
  /// The command that carries it to a station; its outcome comes as `StationEvent.outcome`.
  public var command: CommandID?
  public var refusal: Refusal?
  public init(request: String, before: Order? = nil, command: CommandID? = nil, refusal: Refusal? = nil) {
    (self.request, self.before, self.command, self.refusal) = (request, before, command, refusal)
  }
}

/// Why an order is not carried out.
public enum Refusal: String, Hashable, Sendable, Codable {
  /// What it names is not in this hub.
  case unknown
  case notConnected
  case noSession
  /// Another owner's.
  case notYours
  /// A limit that is not in order: see `LimitSeries.isOrderly`.
  case disorderly
  /// There are as many limits as the hub keeps.
  case tooMany
  /// Charging profiles and what belongs to them are the mind's own business.
  case notOrderable
}
