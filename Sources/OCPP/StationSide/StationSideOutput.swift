import ChargingProfiles
import Documents
import Quantities
import Site

/// Names a request of the central system that waits for the station's reply; counts up over all connections.
public struct CentralRequestID: Hashable, Comparable, Sendable {
  public let value: UInt64
  public init(_ value: UInt64) { self.value = value }
  public static func < (a: CentralRequestID, b: CentralRequestID) -> Bool { a.value < b.value }
}

/// What the central system answered.
public enum Confirmation: Hashable, Sendable {
  /// `interval` in seconds; 0 when it is not said.
  case boot(status: String, currentTime: Instant?, interval: Int)
  case heartbeat(currentTime: Instant?)
  case authorise(status: String)
  case start(transaction: Int, status: String)
  case stop(status: String?)
  case empty
  case other(DocumentValue)
  case refused(code: String, description: String)
}

/// What a station replies to a request.
public enum StationReply: Hashable, Sendable {
  /// For all requests that are answered with a status and no more.
  case status(String)
  /// Accepted, with a schedule from `start` on.
  case composite(connector: Int, start: Instant, Schedule)
  case configuration([CommandOutcome.ConfigurationKey], unknown: [String])
  case diagnostics(fileName: String?)
  /// A CALLERROR.
  case fault(CallFault)
  /// A payload as a wrong station might send it.
  case other(DocumentValue)
}

/// What the station's side is told.
public enum StationSideEvent: Hashable, Sendable {
  case answered(StationCall, Confirmation)
  case timedOut(StationCall)
  /// The connection was lost before the answer, or before it was sent.
  case lost(StationCall)
  /// Wants a `reply`.
  case asked(CentralRequestID, StationCommand)
  /// A message of the central system that is none.
  case broken(String)
}

/// What the station's side wants after being told something.
public struct StationSideOutput: Hashable, Sendable {
  public var frames: [String] = []
  public var events: [StationSideEvent] = []
  public init() {}
}
