import Quantities
import Site

/// What the mind knows at one moment, for screens, for explanations and for the checkers of invariants. A value; nothing in it is live.
public struct HubView: Hashable, Sendable {
  public struct CircuitView: Hashable, Sendable {
    /// The lowest limit in force, margin not taken off.
    public var limit: PerPhase<Current>
    /// Whose limit it is: "fuse", "manual", "maintenance", "contract", or the limit's source.
    public var limitSource: String
    /// nil: no meter, or stale.
    public var measured: PerPhase<Current>?
    /// nil: never read.
    public var readingAge: TimeSpan?
    /// The load that is not controlled, as it counts for rises.
    public var base: PerPhase<Current>
    /// The configured worst counts instead of a measurement.
    public var baseIsWorst: Bool
    public var committed: PerPhase<Current>
  }
  public struct ConnectorView: Hashable, Sendable {
    public var status: ConnectorStatus?
    public var transaction: Int?
    public var idTag: String?
    /// The newest offer; nil: none beyond the fallback.
    public var offered: Current?
    public var offerEnds: Monotonic?
    /// Per circuit phase.
    public var measured: PerPhase<Current>?
    public var measuredAge: TimeSpan?
    /// Per circuit phase.
    public var committed: PerPhase<Current>
    public var reason: Reason
    public var energy: Energy
    public var stateOfCharge: Int?
  }
  public struct StationView: Hashable, Sendable {
    public var connected: Bool
    public var controlled: Bool
    public var gap: ControlGap?
    public var identity: StationIdentity?
    public var clockOffset: TimeSpan?
    public var capabilities: StationCapabilities?
    /// How sure its fallback is, as it counts now.
    public var trust: FallbackTrust
    /// That comes from a commissioning run with this device, not from the site file.
    public var isCommissioned: Bool
  }
  public var circuits: [CircuitView]
  public var connectors: [ConnectorView]
  public var stations: [StationView]
  public var alarms: [Alarm]
  public var storeFailed: Bool
}
