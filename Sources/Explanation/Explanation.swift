import ChargingProfiles
import Control
import Quantities
import Record
import Site

/// Why a transaction had the current that it had at one moment: which profile, what the station made of it, what bound it, and what it was
/// worked out from. A value, for a page, for a screen or for machines.
public struct Explanation: Sendable {
  /// What the record says of the transaction itself.
  public struct Subject: Hashable, Sendable {
    public var id: Int
    public var station: Int
    /// OCPP's connectorId.
    public var number: Int
    public var startedAt: Instant
    /// nil: it runs.
    public var endedAt: Instant?
    /// The station's word for why it ended.
    public var endReason: String?
    public var energy: Energy?
    /// It was reported after the fact.
    public var late: Bool
    public init(
      id: Int, station: Int, number: Int, startedAt: Instant, endedAt: Instant? = nil, endReason: String? = nil,
      energy: Energy? = nil, late: Bool = false
    ) {
      (self.id, self.station, self.number, self.startedAt) = (id, station, number, startedAt)
      (self.endedAt, self.endReason, self.energy, self.late) = (endedAt, endReason, energy, late)
    }
  }
  /// One circuit on the way from the connector to the grid, in amperes per phase: what its limit is used for.
  public struct Budget: Hashable, Sendable {
    /// Index into the hub's circuits.
    public var circuit: Int
    public var limit: PerPhase<Current>
    public var limitSource: String
    public var margin: Current
    /// The load that is not controlled, as it counted; negative where generation feeds in.
    public var base: PerPhase<Current>
    /// Where the worst of the site file stood in for a measurement.
    public var worst: Phases
    /// What all vehicles behind the circuit draw at most once they follow their offers.
    public var offered: PerPhase<Current>
    /// What they are counted at until they have been measured there.
    public var committed: PerPhase<Current>
    /// What is left counts against `committed`: a rise waits for what was measured. Otherwise against `offered`: a share of the limit.
    public var isConfirmed: Bool
    /// What stations draw themselves.
    public var stations: PerPhase<Current>
    /// Kept free for a vehicle that arrives.
    public var reserve: PerPhase<Current>
    public var measured: PerPhase<Current>?
    public var readingAge: TimeSpan?
    /// The other load and the vehicles, as they counted for this decision.
    public var counted: PerPhase<Current> { base + (isConfirmed ? committed : offered) }
    public var left: PerPhase<Current> { limit - PerPhase(all: margin) - counted - stations - reserve }
  }
  /// A connector with a vehicle behind the binding circuit.
  public struct Session: Hashable, Sendable {
    public var connector: Int
    public var view: HubView.ConnectorView
  }

  public var subject: Subject
  public var at: Instant
  public var moment: TransactionStory.Moment
  public var story: TransactionStory
  public var hub: Hub?
  public var inputs: Inputs?
  /// The inputs are those of the newest decision about another session: nothing had been sent for this one.
  public var inputsAreOthers: Bool
  /// What is not known, and why.
  public var gaps: [String]

  /// - Parameters:
  ///   - at: within the transaction.
  ///   - inputs: those of the profile that applied at that moment; nil: `gaps` says why.
  public init(
    _ subject: Subject, _ story: TransactionStory, at: Instant, inputs: Inputs?, inputsAreOthers: Bool = false, hub: Hub?,
    gaps: [String]
  ) {
    (self.subject, self.story, self.at, self.inputs, self.gaps) = (subject, story, at, inputs, gaps)
    self.inputsAreOthers = inputsAreOthers
    self.hub = inputs?.hub ?? hub
    moment = story.moment(at: at)
  }

  /// The connector's place in the hub of the inputs.
  public var connector: Int? {
    hub.flatMap { hub in
      hub.connectors.indices.first { hub.connectors[$0].station == subject.station && hub.connectors[$0].number == subject.number }
    }
  }

  /// The circuit and phase that bound the profile which applied.
  public var binding: (circuit: Int, phase: Phase)? {
    (moment.applied?.reason ?? moment.reason).flatMap { Sentences.binding($0) }
  }

  /// From the connector's own circuit up to the connection.
  public var budgets: [Budget] {
    guard let inputs, let connector else { return [] }
    var result: [Budget] = []
    var place: Int? = inputs.hub.connectors[connector].circuit
    while let k = place {
      result.append(budget(k, inputs))
      place = inputs.hub.circuits[k].parent
    }
    return result
  }

  private func budget(_ k: Int, _ inputs: Inputs) -> Budget {
    let (circuit, view) = (inputs.hub.circuits[k], inputs.view.circuits[k])
    var isConfirmed = false
    if case .awaitingRoom? = moment.applied?.reason ?? moment.reason { isConfirmed = true }
    // Rule 3: generation gives no room beyond its firm share.
    let base = (isConfirmed ? view.base : view.baseForCuts).maximum(circuit.firmGeneration.map { .zero - $0 })
    return Budget(
      circuit: k, limit: view.limit, limitSource: view.limitSource, margin: circuit.margin, base: base, worst: view.worst,
      offered: offered(below: k, inputs), committed: view.committed, isConfirmed: isConfirmed, stations: idle(below: k, inputs.hub),
      reserve: view.reserve, measured: view.measured, readingAge: view.readingAge)
  }

  private func offered(below k: Int, _ inputs: Inputs) -> PerPhase<Current> {
    var sum = PerPhase<Current>.zero
    for (c, connector) in inputs.hub.connectors.enumerated() where Self.isBelow(connector.circuit, k, inputs.hub) {
      let view = inputs.view.connectors[c]
      sum += view.offered.map { PerPhase($0, on: connector.phases).minimum(view.committed) } ?? view.committed
    }
    return sum
  }

  private func idle(below k: Int, _ hub: Hub) -> PerPhase<Current> {
    var sum = PerPhase<Current>.zero
    for station in hub.stations where station.state == .installed && station.idleCurrent > .zero {
      guard let first = station.connectors.first, Self.isBelow(hub.connectors[first].circuit, k, hub) else { continue }
      sum += PerPhase(station.idleCurrent, on: hub.connectors[first].phases)
    }
    return sum
  }

  /// All connectors with a vehicle, or with a current that counts, behind the binding circuit; behind the connection where none binds.
  public var sessions: [Session] {
    guard let inputs else { return [] }
    let top = binding?.circuit ?? 0
    return inputs.view.connectors.indices.compactMap { c in
      let view = inputs.view.connectors[c]
      guard Self.isBelow(inputs.hub.connectors[c].circuit, top, inputs.hub) else { return nil }
      guard view.transaction != nil || view.committed != .zero else { return nil }
      return Session(connector: c, view: view)
    }
  }

  /// How many others behind a circuit have a share that waits until a measurement confirms the room for it.
  func waiting(behind circuit: Int) -> Int {
    guard let inputs else { return 0 }
    return inputs.view.connectors.indices.count { c in
      guard case .awaitingRoom = inputs.view.connectors[c].reason, c != connector else { return false }
      return Self.isBelow(inputs.hub.connectors[c].circuit, circuit, inputs.hub)
    }
  }

  private static func isBelow(_ circuit: Int, _ top: Int, _ hub: Hub) -> Bool {
    var place: Int? = circuit
    while let k = place {
      if k == top { return true }
      place = hub.circuits[k].parent
    }
    return false
  }
}
