import ChargingProfiles
import Quantities
import Site

/// Everything that leaves the mind. Each is journaled; what may leave before that is durable is the `Driver`'s law.
public enum Effect: Hashable, Sendable, Codable {
  case command(CommandID, station: Int, StationCommand, Urgency)
  /// A request is answered only once the event that asked is durable.
  case answer(station: Int, RequestID, Answer)
  /// What a connector is offered from now on, and why. Emitted whenever either changes.
  case decided(Decision)
  case transaction(TransactionChange)
  case alarm(Alarm, raised: Bool)
  /// A plan is wanted: to be worked out off the mind's path, by `PlanRequest.solve`, and handed back as `Event.planned`.
  case plan(PlanRequest)
  /// What became of a request; leaves once that is durable.
  case answered(Reply)
  /// The circuit's device is to be opened by its shunt trip; the answer is `Event.tripped`.
  case trip(circuit: Int)
}

/// Why a connector gets what it gets.
public struct Decision: Hashable, Sendable, Codable {
  public var connector: Int
  public var transaction: Int?
  /// Per used phase.
  public var offer: Current
  /// The command that carries it; nil when nothing had to be sent.
  public var command: CommandID?
  public var reason: Reason
  public init(connector: Int, transaction: Int?, offer: Current, command: CommandID?, reason: Reason) {
    (self.connector, self.transaction, self.offer, self.command, self.reason) = (connector, transaction, offer, command, reason)
  }
}

/// What holds a connector where it is. Sentences are made when it is read.
public enum Reason: Hashable, Sendable, Codable {
  /// Nothing to give: no vehicle.
  case idle
  /// It has all that it or its vehicle can take.
  case maximum
  /// The vehicle took less; the rest went to others.
  case demand
  /// A circuit is full on a phase.
  case full(circuit: Int, phase: Phase)
  /// Not enough for all: it waits; the next turn begins at the time given.
  case waiting(circuit: Int, phase: Phase, next: Instant)
  /// The plan has it charge later.
  case later(from: Instant)
  /// It has what the plan gives it now; more would cost more, or be lacking elsewhere.
  case planned
  /// A rise waits until room is confirmed on this circuit and phase.
  case awaitingRoom(circuit: Int, phase: Phase)
  /// The station is not (yet) controlled: it has its fallback.
  case notControlled(ControlGap)
  /// The journal cannot keep records: nothing may rise.
  case storeFailed
  /// Set by hand.
  case held
}

/// Why a station is not controlled.
public enum ControlGap: Hashable, Sendable, Codable {
  case disconnected
  case commissioning
  case fallbackRefused
  case clock(offset: TimeSpan)
  case disobedient
  case planned
}

/// What is new about a transaction.
public enum TransactionChange: Hashable, Sendable, Codable {
  case opened(id: Int, station: Int, connector: Int, idTag: String, meterStart: Energy, at: Instant, late: Bool)
  case closed(id: Int, meterStop: Energy?, at: Instant, reason: String)
  /// A stop that names no transaction we know; kept as it came.
  case orphanStop(station: Int, TransactionStop)
}

/// Something a person should know, and do something about.
public enum Alarm: Hashable, Sendable, Codable {
  case meterStale(meter: Int)
  case meterFrozen(meter: Int)
  case meterSuspect(circuit: Int, phase: Phase)
  case stationLost(station: Int)
  case fallbackRefused(station: Int)
  case notFollowing(connector: Int)
  case uncontrollable(connector: Int)
  case clockWrong(station: Int)
  /// The load that Sluice does not control exceeds the limit by itself.
  case baseAboveLimit(circuit: Int, phase: Phase)
  case overLimit(circuit: Int, phase: Phase)
  case storeFailed
  case unknownSupply(connector: Int)
  /// Whoever limits this circuit from outside has fallen silent: the fallback holds.
  case senderSilent(circuit: Int)
  /// Its device was told to open, for nothing else lowered the current.
  case tripped(circuit: Int)
}
