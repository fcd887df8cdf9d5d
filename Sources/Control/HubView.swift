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
    /// And as it counts for cuts: what the newest reading proves.
    public var baseForCuts: PerPhase<Current>
    /// Where the configured worst counts instead of a measurement.
    public var worst: Phases
    public var baseIsWorst: Bool { !worst.isEmpty }
    public var committed: PerPhase<Current>
    /// Kept free for a vehicle that arrives (rule 7).
    public var reserve: PerPhase<Current>

    public init(
      limit: PerPhase<Current>, limitSource: String, measured: PerPhase<Current>?, readingAge: TimeSpan?, base: PerPhase<Current>,
      baseForCuts: PerPhase<Current>, worst: Phases, committed: PerPhase<Current>, reserve: PerPhase<Current>
    ) {
      (self.limit, self.limitSource, self.measured, self.readingAge) = (limit, limitSource, measured, readingAge)
      (self.base, self.baseForCuts, self.worst) = (base, baseForCuts, worst)
      (self.committed, self.reserve) = (committed, reserve)
    }
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
    /// What the newest plan can do for it; nil: no plan knows it, or none is fresh.
    public var outlook: Outlook?

    public init(
      status: ConnectorStatus?, transaction: Int?, idTag: String?, offered: Current?, offerEnds: Monotonic?,
      measured: PerPhase<Current>?, measuredAge: TimeSpan?, committed: PerPhase<Current>, reason: Reason, energy: Energy,
      stateOfCharge: Int?, outlook: Outlook? = nil
    ) {
      self.outlook = outlook
      (self.status, self.transaction, self.idTag, self.offered, self.offerEnds) = (status, transaction, idTag, offered, offerEnds)
      (self.measured, self.measuredAge, self.committed, self.reason) = (measured, measuredAge, committed, reason)
      (self.energy, self.stateOfCharge) = (energy, stateOfCharge)
    }
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

    public init(
      connected: Bool, controlled: Bool, gap: ControlGap?, identity: StationIdentity?, clockOffset: TimeSpan?,
      capabilities: StationCapabilities?, trust: FallbackTrust, isCommissioned: Bool
    ) {
      (self.connected, self.controlled, self.gap) = (connected, controlled, gap)
      (self.identity, self.clockOffset, self.capabilities) = (identity, clockOffset, capabilities)
      (self.trust, self.isCommissioned) = (trust, isCommissioned)
    }
  }
  public var circuits: [CircuitView]
  public var connectors: [ConnectorView]
  public var stations: [StationView]
  /// The limits from outside the site file that are in force, or begin so soon that they count already.
  public var limits: [Limit]
  public var alarms: [Alarm]
  public var storeFailed: Bool

  public init(
    circuits: [CircuitView] = [], connectors: [ConnectorView] = [], stations: [StationView] = [], limits: [Limit] = [],
    alarms: [Alarm] = [], storeFailed: Bool = false
  ) {
    (self.circuits, self.connectors, self.stations) = (circuits, connectors, stations)
    (self.limits, self.alarms, self.storeFailed) = (limits, alarms, storeFailed)
  }
}
