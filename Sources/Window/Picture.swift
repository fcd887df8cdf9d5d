import Control
import Quantities
import Site

/// The hub at one moment, as every answer shows it. A value: it is taken once and read by many.
public struct Picture: Sendable {
  public var hub: Hub
  public var view: HubView
  public var stamp: EventStamp
  public var series: [SiteController.SeriesView]
  public var plan: Planned?
  /// Per connector: what was ordered beside the site file.
  public var ordered: [(priority: Int?, need: SessionNeed?)]
  public var health: Health
  /// Per station.
  public var links: [LinkQuality]

  /// What `/readyz` and `/metrics` tell.
  public struct Health: Hashable, Sendable {
    /// Everything up to here survives a crash.
    public var durableThrough: UInt64
    public var received: Int
    public var sent: Int
    public var readings: Int
    public var meterFaults: Int
    public var commands: Int
    /// From decision to the station's answer.
    public var decreaseMedian: TimeSpan?
    public var decreaseP99: TimeSpan?
    /// From the event that lowers to the message's being written.
    public var lowered: TimeHistogram
    public init(
      durableThrough: UInt64, received: Int, sent: Int, readings: Int, meterFaults: Int, commands: Int, decreaseMedian: TimeSpan?,
      decreaseP99: TimeSpan?, lowered: TimeHistogram = TimeHistogram()
    ) {
      (self.durableThrough, self.received, self.sent, self.readings) = (durableThrough, received, sent, readings)
      (self.meterFaults, self.commands) = (meterFaults, commands)
      (self.decreaseMedian, self.decreaseP99, self.lowered) = (decreaseMedian, decreaseP99, lowered)
    }
  }

  /// - Parameter links: per station; empty where there are no connections.
  public init(_ mind: SiteController, at stamp: EventStamp, health: Health, links: [LinkQuality] = []) {
    (hub, self.stamp, self.health) = (mind.hub, stamp, health)
    self.links = links.isEmpty ? mind.hub.stations.map { _ in LinkQuality() } : links
    precondition(self.links.count == mind.hub.stations.count)
    view = mind.view(at: stamp)
    (series, plan) = (mind.seriesView(at: stamp), mind.planInForce)
    ordered = mind.hub.connectors.indices.map { mind.ordered(connector: $0) }
  }

  func connector(_ station: String, _ number: Int) -> Int? {
    guard let s = hub.stations.firstIndex(where: { $0.id == station }) else { return nil }
    return hub.stations[s].connectors.first { hub.connectors[$0].number == number }
  }
  func circuit(_ id: String) -> Int? { hub.circuits.firstIndex { $0.id == id } }
  func station(_ id: String) -> Int? { hub.stations.firstIndex { $0.id == id } }

  /// The circuits that an audience sees.
  func circuits(for audience: Audience) -> [Int] {
    audience.seesConnectionOnly ? Array(hub.circuits.indices.prefix(1)) : Array(hub.circuits.indices)
  }
  /// The limits that an audience sees.
  func series(for audience: Audience) -> [SiteController.SeriesView] {
    series.filter { !audience.seesConnectionOnly || $0.series.owner == audience.name }
  }
}
