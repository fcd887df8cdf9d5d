import Quantities
import Site

/// Everything that a commissioning run asked, saw and concluded. It is valid at any moment: what has not been done says so.
public struct CommissioningProtocol: Hashable, Sendable {
  public var site: String
  public var siteName: String
  public var installer: String?
  public var version: String
  public var started: Instant
  public var ended: Instant?
  /// It did not come to its end by itself.
  public var isInterrupted = true
  public var stations: [StationRecord] = []

  public init(site: String, siteName: String, installer: String?, version: String, started: Instant) {
    (self.site, self.siteName, self.installer) = (site, siteName, installer)
    (self.version, self.started) = (version, started)
  }
  public var outcome: Outcome {
    let all = stations.map(\.outcome) + (isInterrupted || stations.isEmpty ? [.open] : [])
    return all.max() ?? .open
  }

  /// One station.
  public struct StationRecord: Hashable, Sendable {
    public var id: String
    public var traits: StationTraits
    public var identity: StationIdentity?
    public var capabilities: StationCapabilities?
    public var clockOffset: TimeSpan?
    public var trustBefore: FallbackTrust
    /// As the site file has it.
    public var trustStated: FallbackTrust
    /// nil: not decided.
    public var trustAfter: FallbackTrust?
    /// Nothing was heard of it, or it could not be brought to take its fallback.
    public var absence: TestNote?
    public var connectors: [ConnectorRecord]
    public var linkLoss = FallbackTest()
    public var powerCycle = FallbackTest()
    public init(
      id: String, traits: StationTraits, trustBefore: FallbackTrust, trustStated: FallbackTrust, connectors: [ConnectorRecord]
    ) {
      (self.id, self.traits, self.trustBefore, self.trustStated, self.connectors) = (
        id, traits, trustBefore, trustStated, connectors
      )
    }
    public var outcome: Outcome {
      if absence != nil { return .failed }
      return ([linkLoss.outcome, powerCycle.outcome] + connectors.map(\.outcome)).max() ?? .open
    }
  }

  /// One connector.
  public struct ConnectorRecord: Hashable, Sendable {
    public var number: Int
    /// What the site file has; nil: unknown.
    public var wiring: Connector.Wiring?
    public var circuits: [CircuitRecord] = []
    public var steps: [StepEntry] = []
    public var obedience = Obedience()
    public var notes: [TestNote] = []
    public init(number: Int, wiring: Connector.Wiring?) { (self.number, self.wiring) = (number, wiring) }
    public var outcome: Outcome {
      (circuits.map(\.verdict.outcome) + [obedience.outcome] + (circuits.isEmpty ? [.open] : [])).max() ?? .open
    }
  }

  /// What the steps of a connector say at one circuit's meter.
  public struct CircuitRecord: Hashable, Sendable {
    public var id: String
    public var meter: String
    public var measurement: Circuit.Measurement
    public var judgement: WiringJudgement
    public var verdict: WiringVerdict
    public init(id: String, meter: String, measurement: Circuit.Measurement, judgement: WiringJudgement, verdict: WiringVerdict) {
      (self.id, self.meter, self.measurement, self.judgement, self.verdict) = (id, meter, measurement, judgement, verdict)
    }
  }

  /// One step, and what each measured circuit above the connector showed of it.
  public struct StepEntry: Hashable, Sendable {
    public var at: Instant
    public var from: Current
    public var to: Current
    /// The station's own measurement when the new level had settled.
    public var measured: PerPhase<Current>?
    public var results: [StepResult]
    public init(at: Instant, from: Current, to: Current, measured: PerPhase<Current>?, results: [StepResult]) {
      (self.at, self.from, self.to, self.measured, self.results) = (at, from, to, measured, results)
    }
  }
  public struct StepResult: Hashable, Sendable {
    public var circuit: String
    public var finding: StepFinding?
    public var flaw: StepFlaw?
    public init(circuit: String, finding: StepFinding?, flaw: StepFlaw?) {
      (self.circuit, self.finding, self.flaw) = (circuit, finding, flaw)
    }
  }

  /// Whether the station keeps to what it is offered, and how soon.
  public struct Obedience: Hashable, Sendable {
    public var outcome = Outcome.open
    /// The largest settled current above its offer; zero: none was above.
    public var worstExcess = Current.zero
    public var slowestUp: TimeSpan?
    public var slowestDown: TimeSpan?
    /// What the model and a vehicle may take together.
    public var allowed = TimeSpan.zero
    public init() {}
  }

  /// A link-loss or a power-cycle test.
  public struct FallbackTest: Hashable, Sendable {
    public var outcome = Outcome.open
    public var at: Instant?
    public var notes: [TestNote] = [.notDone]
    public init() {}
  }
}

/// What a test saw, in the order in which it happened. Sentences are made when it is read.
public enum TestNote: Hashable, Sendable {
  case notDone
  case notAsked
  case neverConnected(TimeSpan)
  case fallbackRefused
  case noIdentity
  case noVehicle(connector: Int, TimeSpan)
  case noMeter(connector: Int)
  /// Nothing above the first current was offered: the circuits have no room.
  case noRoom(Current)
  /// Its hardware maximum does not fit beside the rest if the test goes wrong.
  case noRoomForWorst(circuit: String, Phase, needed: Current, free: Current)
  case noEvidence
  case tooLittleAboveFallback(measured: Current, fallback: Current)
  case linkCut(offer: Current, endsIn: TimeSpan)
  case fell(after: TimeSpan, allowed: TimeSpan)
  case didNotFall(within: TimeSpan, measured: PerPhase<Current>?)
  case meterSilent
  case returned(after: TimeSpan)
  case didNotReturn(TimeSpan)
  case transactionContinues(Int)
  case transactionEnded(Int)
  /// What the station says that it holds; `expected` is what it should.
  case composite(Current, expected: Current)
  case noComposite
  case compositeTooLate
  case switchedOff
  case resetHard
  case booted(after: TimeSpan)
  case otherDevice(StationIdentity)
  case rose(PerPhase<Current>)
}
