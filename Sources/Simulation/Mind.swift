import Control
import Quantities
import Site

/// The one seam between this house and the mind: stamps its events, keeps what is durable, and, if asked, thinks everything twice.
public struct Mind: Sendable {
  public private(set) var controller = SiteController()
  private var twin: SiteController?
  private var sequence: UInt64 = 0
  private var lastMonotonic = 0
  public private(set) var hasDiverged = false
  public private(set) var newestStamp = EventStamp(
    utc: Instant(milliseconds: 0), monotonic: Monotonic(milliseconds: 0), sequence: 0)
  var scheduledDeadline = -1

  init(checksReplay: Bool) { if checksReplay { twin = SiteController() } }

  var steps: Int { Int(sequence) }
  var nextDeadline: Monotonic? { controller.nextDeadline }

  mutating func handle(_ event: Event, utc: Instant, monotonic: Int) -> [Effect] {
    sequence += 1
    let stamp = EventStamp(utc: utc, monotonic: Monotonic(milliseconds: monotonic), sequence: sequence)
    newestStamp = stamp
    let effects = controller.handle(event, at: stamp)
    if twin != nil, let again = twin?.handle(event, at: stamp), again != effects { hasDiverged = true }
    return effects
  }

  func view(utc: Instant, monotonic: Int) -> HubView {
    controller.view(at: EventStamp(utc: utc, monotonic: Monotonic(milliseconds: monotonic), sequence: sequence))
  }
}
