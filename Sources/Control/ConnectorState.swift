import ChargingProfiles
import Quantities
import Site

/// An open transaction at a connector.
struct Transaction: Hashable, Sendable, Codable {
  var id: Int
  var idTag: String
  var meterStart: Energy
  /// The station's own time of the start, or ours when it gave none.
  var startedAt: Instant
  /// What the station sent, to recognise it when it is sent again (rule 24).
  var start: TransactionStart
  var authorisation: Authorisation
  /// nil: known to be charging now. Otherwise it was reported late, and grants nothing until the connector shows that it lives.
  var late: Bool
  /// The station's clock was moved since it began, or it began before the connection: what a relative schedule counts from is not
  /// known (rule 17).
  var startIsUncertain = false
}

/// A measured current, in circuit order.
struct Measured: Hashable, Sendable, Codable {
  var current: PerPhase<Current>
  var at: Monotonic
  /// The least that it may have been, where only the power was told; nil: as measured (rule 11).
  var least: PerPhase<Current>?
}

/// What is known of one connector.
struct ConnectorState: Sendable, Codable {
  var status: ConnectorStatus?
  var statusAt = Monotonic(milliseconds: 0)
  /// It was told on this connection; otherwise a vehicle may have come or gone since (rule 7).
  var statusIsCurrent = false
  var transaction: Transaction?
  /// The newest two samples; the lower of those that bracket a meter's sample counts (rule 11).
  var newest: Measured?
  var before: Measured?
  var newestTakenAt: Instant?
  var register: Energy?
  var stateOfCharge: Int?
  /// Oldest first. The last is the newest offer; the earlier ones count until it is confirmed.
  var beliefs: [Belief] = []
  /// How often the newest offer was sent without being followed, and by which of the model's routes.
  var attempts = 0
  var route = 0
  var retryAt: Monotonic?
  var uncontrollable = false
  /// How many of the last resorts this session has seen.
  var resorts = 0
  var reason = Reason.idle
  var hold: Current?
  /// How long an offer above the fallback lasts while it is held briefly; nil: H.
  var briefly: TimeSpan?
  /// Our clock was moved: the offer must be written again.
  var mustRefresh = false
  var priority: Int?
  var need: SessionNeed?
  var lastSent: Monotonic?
  var lastShareDecrease: Monotonic?
  /// The most that the vehicle seems to want; nil: all it can get.
  var demand: Current?
  var drawsLessSince: Monotonic?
  /// Its place in the rotation: the earlier, the sooner it is served.
  var queuedAt: Monotonic?
  var servedSince: Monotonic?
  var pausedSince: Monotonic?
  /// It drew nothing of its least when it was paused.
  var pausedIdle = false
  /// How often that has happened since it last drew something.
  var idlePauses = 0
  /// Since when a vehicle in a transaction has waited for its turn: paused, or never served.
  var waitingSince: Monotonic? { servedSince == nil ? pausedSince ?? queuedAt : nil }
  var cycles = 0
  /// A larger fallback than the configured one, which the station still holds (rule 19).
  var confirmedFallback: Current?
  /// Narrowing to the phases in use (rule 8).
  var usedPhases: Phases?
  var subsetSince: Monotonic?

  /// A vehicle is, or may be, connected.
  var occupied: Bool {
    if transaction.map({ !$0.late }) ?? false { return true }
    switch status {
    case .available, .reserved, .unavailable, nil: return false
    case .finishing, .faulted: return false
    case .preparing, .charging, .suspendedEV, .suspendedEVSE: return true
    }
  }
}

/// What a commissioning run found of a station's fallback, and of which device (rule 18).
struct Proof: Hashable, Sendable, Codable {
  var trust: FallbackTrust
  /// nil: it had not said what it is.
  var device: StationIdentity?
  func covers(_ identity: StationIdentity?) -> Bool { device != nil && device == identity }
}

/// What is known of one station.
struct StationState: Sendable, Codable {
  /// How far a station is on its way to being controlled (rule 18).
  enum Stage: Hashable, Sendable, Codable {
    case absent
    case awaitingBoot(until: Monotonic)
    case learning(CommandID)
    /// Installing the fallback; 0 is the station itself, otherwise the connector's number.
    case installing(connector: Int, CommandID)
    case clearing(CommandID)
    case readingBack(connector: Int, CommandID)
    case controlled
    /// It refused its fallback; tried again later.
    case refused(until: Monotonic)
  }
  var stage = Stage.absent
  var connectedAt: Monotonic?
  var connectedUTC: Instant?
  var identity: StationIdentity?
  var capabilities: StationCapabilities?
  var clockOffset: TimeSpan?
  /// What counts now: what a commissioning run proved of this device, otherwise what the site file says of it.
  var trust: FallbackTrust
  var proof: Proof?
  /// Its fallback is being tested.
  var isDoubted = false
  var askedForTime: Monotonic?

  init(trust: FallbackTrust) { self.trust = trust }
  var connected: Bool { connectedAt != nil }
}
