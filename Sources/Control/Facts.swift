import Quantities
import Site

/// What the guard asks of every connector on each event, worked out once and kept until the connector or its station changes, or until the
/// time comes at which it would be something else: most events concern one station of thousands. Not part of the mind's state: it can
/// be worked out again at any moment, and is after a restart.
struct Facts: Sendable {
  struct Marks: OptionSet, Sendable {
    var rawValue: UInt8
    static let claims = Marks(rawValue: 1)
    /// Waits for its turn in the rotation.
    static let waits = Marks(rawValue: 2)
    /// Has something to be sent again, some time.
    static let retries = Marks(rawValue: 4)
    /// What it gets, and why, has been said; as long as it is no claimant.
    static let isTold = Marks(rawValue: 8)
    /// A vehicle may arrive (rule 7).
    static let expectsArrival = Marks(rawValue: 16)
  }
  /// Rule 5 now, and rule 15 through the horizon.
  var committed: [PerPhase<Current>] = []
  var unheard: [PerPhase<Current>] = []
  /// Rule 7: what a vehicle that arrives would draw by itself; zero where none is expected.
  var arrival: [PerPhase<Current>] = []
  var marks: [Marks] = []
  /// The next moment at which something has to happen.
  var next: [Monotonic?] = []
  /// From then on the facts may be others.
  private(set) var holdUntil: [Monotonic] = []
  /// The next moment at which a station has to be seen to.
  var stationNext: [Monotonic?] = []
  /// What follows from the site alone; nil: it has changed.
  var site: SiteFacts?

  mutating func makeRoom(connectors: Int, stations: Int) {
    self = Facts()
    committed = Array(repeating: .zero, count: connectors)
    (unheard, arrival) = (committed, committed)
    marks = Array(repeating: [], count: connectors)
    next = Array(repeating: nil, count: connectors)
    holdUntil = Array(repeating: Monotonic(milliseconds: .min), count: connectors)
    stationNext = Array(repeating: nil, count: stations)
  }
  mutating func hold(_ c: Int, until end: Monotonic?) { holdUntil[c] = end ?? Monotonic(milliseconds: .max) }
}

/// Coded as nothing: what is decoded knows nothing yet.
extension Facts: Codable {
  init(from decoder: any Decoder) throws {}
  func encode(to encoder: any Encoder) throws {}
}

/// What follows from the site and nothing else.
struct SiteFacts: Sendable {
  var circuitOfConnector: [Int]
  /// Per circuit: the connectors below it, and the generation declared there.
  var connectorsBelow: [[Int]]
  var generationBelow: [PerPhase<Current>]
  /// What stations draw themselves, where they are connected.
  var idleLoads: [(circuit: Int, current: PerPhase<Current>)]
  var sampleInterval: TimeSpan
  var reactionTime: TimeSpan

  /// - Complexity: O((connectors + circuits) x depth).
  init(_ hub: Hub) {
    circuitOfConnector = hub.connectors.map(\.circuit)
    var connectorsBelow = hub.circuits.map { _ in [Int]() }
    var generationBelow = [PerPhase<Current>](repeating: .zero, count: hub.circuits.count)
    for (c, connector) in hub.connectors.enumerated() {
      for k in hub.path(from: connector.circuit) { connectorsBelow[k].append(c) }
    }
    for (circuit, element) in hub.circuits.enumerated() {
      for k in hub.path(from: circuit) { generationBelow[k] += element.generation }
    }
    (self.connectorsBelow, self.generationBelow) = (connectorsBelow, generationBelow)
    idleLoads = hub.stations.compactMap { station in
      guard station.state == .installed, station.idleCurrent > .zero, let first = station.connectors.first else { return nil }
      return (hub.connectors[first].circuit, PerPhase(station.idleCurrent, on: hub.connectors[first].phases))
    }
    sampleInterval = hub.stations.lazy.map { $0.traits.sampleInterval }.max() ?? .seconds(10)
    let meter = hub.meters.lazy.map { $0.period }.max() ?? .seconds(1)
    let station = hub.stations.lazy.map { $0.traits.reaction }.max() ?? .seconds(10)
    reactionTime = meter + station + hub.settings.vehicleReaction
  }
}

extension Hub {
  /// A circuit and all above it.
  fileprivate func path(from circuit: Int) -> UnfoldFirstSequence<Int> { sequence(first: circuit) { circuits[$0].parent } }
}
