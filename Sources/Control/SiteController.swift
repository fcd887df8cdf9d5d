import ChargingProfiles
import Quantities
import Site

/// The mind: one event in, effects and the next deadline out. It reads no clock, opens no socket, throws no dice: the live house and
/// the simulator run this same type, and its whole state is a value that can be kept and brought back.
public struct SiteController: Sendable, Codable {
  public internal(set) var hub: Hub
  /// When it wants to be woken with `.deadline`, if nothing comes before.
  public internal(set) var nextDeadline: Monotonic?

  /// A controller that knows nothing yet; its first event must be `.configured`.
  public init() { hub = Hub(id: "", circuits: []) }

  /// - Parameter now: later than that of every event before.
  /// - Returns: what is to be done, in order.
  public mutating func handle(_ event: Event, at now: EventStamp) -> [Effect] { [] }

  /// What it knows now, for screens, explanations and checkers.
  /// - Complexity: O(connectors x depth of the tree).
  public func view(at now: EventStamp) -> HubView {
    HubView(circuits: [], connectors: [], stations: [], alarms: [], storeFailed: false)
  }
}
