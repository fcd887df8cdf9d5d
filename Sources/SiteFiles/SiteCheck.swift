import Quantities
import Site

/// What a site comes to when nobody steers it any more, and how fast it is steered while somebody does (`SAFETY.md`, rules 1-3, 7, 10,
/// 15 and 18). A value worked out from the site file alone.
public struct SiteCheck: Hashable, Sendable {
  /// One for each circuit of the hub, in its order.
  public var circuits: [CircuitCheck]
  /// Why the site is refused; empty: it fits.
  public var refusals: [Refusal]
  /// Worth knowing, but no reason to refuse.
  public var remarks: [String]
  public var fits: Bool { refusals.isEmpty }

  public struct CircuitCheck: Hashable, Sendable {
    /// The lowest limit in force, scheduled or failsafe, and whose it is.
    public var limit: PerPhase<Bound>
    /// What all connectors below may draw when nobody speaks to them, idle currents of stations included.
    public var unheard: PerPhase<Current>
    /// The worst base load of this circuit and of those below it.
    public var base: PerPhase<Current>
    /// The firm share of the generation.
    public var firm: PerPhase<Current>
    /// limit - unheard - base + firm: negative where the end state does not fit.
    public var margin: PerPhase<Current>
    /// What must stay free for a vehicle that arrives (rule 7).
    public var arrivalReserve: Current
    public var reaction: Reaction
    /// The most that can flow while the last grants run out after the controller's death.
    public var afterDeath: PerPhase<Overload>
  }
  public struct Bound: Hashable, Sendable {
    public var current: Current
    /// "fuse", "contract", "manual cap", "failsafe" or the limit's own source.
    public var source: String
  }
  public struct Overload: Hashable, Sendable {
    public var current: Current
    /// How long the protective device bears it; nil: for ever.
    public var borne: TimeSpan?
  }
  /// R: from a step of the load to the vehicles' answer.
  public struct Reaction: Hashable, Sendable {
    /// Until the next reading; nil: no meter here, and the configured worst counts at once.
    public var meterPeriod: TimeSpan?
    public var decision: TimeSpan
    /// One CALL time-out for each retry.
    public var transmission: TimeSpan
    /// The slowest station's and vehicle's.
    public var vehicle: TimeSpan
    public var total: TimeSpan { (meterPeriod ?? .zero) + decision + transmission + vehicle }
  }
  public struct Refusal: Hashable, Sendable, CustomStringConvertible {
    /// Index into `Hub.circuits`.
    public var circuit: Int
    public var problem: String
    /// What would make it fit, the easiest first.
    public var remedies: [String]
    public var description: String { ([problem] + remedies.map { "  - " + $0 }).joined(separator: "\n") }
  }

  /// From a reading to the last lowering profile handed to the links: the promise at 2,000 stations.
  public static let decisionTime = TimeSpan.seconds(1)
  /// How often a lowering profile that is not answered is sent again before the ladder goes on.
  public static let retries = 1

  public init(_ file: SiteFile) {
    let hub = file.hub
    let tree = Tree(hub: hub)
    circuits = hub.circuits.indices.map { Self.check($0, file, tree) }
    refusals = []
    remarks = []
    for index in hub.circuits.indices {
      refusals += Self.refusals(index, circuits[index], hub, tree)
      remarks += Self.remarks(index, circuits[index], hub, tree)
    }
    remarks += Self.remarks(hub)
  }
}

/// Who hangs below whom.
struct Tree {
  /// For each circuit: itself and all circuits below.
  let below: [[Int]]
  /// For each circuit: installed connectors at it or below.
  let connectors: [[Int]]
  /// For each circuit: installed stations whose first connector is at it or below.
  let stations: [[Int]]

  init(hub: Hub) {
    var below = hub.circuits.indices.map { [$0] }
    for i in hub.circuits.indices.reversed() {
      if let parent = hub.circuits[i].parent { below[parent] += below[i] }
    }
    self.below = below
    connectors = below.map { circuits in
      hub.connectors.indices.filter {
        circuits.contains(hub.connectors[$0].circuit) && hub.stations[hub.connectors[$0].station].state == .installed
      }
    }
    stations = below.map { circuits in
      hub.stations.indices.filter { i in
        let station = hub.stations[i]
        return station.state == .installed && !station.connectors.isEmpty
          && circuits.contains(hub.connectors[station.connectors.lowerBound].circuit)
      }
    }
  }
}

extension Hub {
  /// The most a connector can ever pass, with the limit set at the station itself.
  func hardwareMaximum(_ index: Int) -> Current {
    let connector = connectors[index]
    return min(connector.maximum, stations[connector.station].traits.staticMaximum ?? connector.maximum)
  }
  /// What a connector may draw when nobody speaks to it: its fallback where that is proven, else its hardware maximum (rule 18). A model
  /// that does not pause and resume holds its minimum for the session (rule 23).
  public func unheard(_ index: Int) -> Current {
    let (connector, station) = (connectors[index], stations[connectors[index].station])
    guard station.trust == .proven else { return hardwareMaximum(index) }
    return max(connector.fallback, station.traits.rotates ? .zero : connector.minimum)
  }
  /// `station/connector`.
  public func name(ofConnector index: Int) -> String { "\(stations[connectors[index].station].id)/\(connectors[index].number)" }
}

extension SiteCheck {
  private static func check(_ index: Int, _ file: SiteFile, _ tree: Tree) -> CircuitCheck {
    let (hub, circuit) = (file.hub, file.hub.circuits[index])
    var (unheard, most) = (PerPhase<Current>.zero, PerPhase<Current>.zero)
    for i in tree.connectors[index] {
      unheard += PerPhase(hub.unheard(i), on: hub.connectors[i].phases)
      most += PerPhase(hub.hardwareMaximum(i), on: hub.connectors[i].phases)
    }
    for i in tree.stations[index] {
      unheard += PerPhase(all: hub.stations[i].idleCurrent)
      most += PerPhase(all: hub.stations[i].idleCurrent)
    }
    var base = PerPhase<Current>.zero
    for i in tree.below[index] { base += hub.circuits[i].baseWorst }
    let limit = lowestLimit(index, file)
    let firm = circuit.firmGeneration
    let lowest = limit.map(\.current)
    let margin = lowest - unheard - base + firm
    var afterDeath = PerPhase(all: Overload(current: .zero, borne: nil))
    for phase in Phase.allCases {
      // The worst moment: no base load when the last grants were given, all of it right after. Without a meter the worst base load was
      // counted when they were given, and nothing can come on top.
      let assumed = circuit.measurement == nil ? base[phase] : .zero
      let granted = max(unheard[phase], min(most[phase], max(.zero, lowest[phase] - circuit.margin + firm[phase] - assumed)))
      let current = granted + base[phase]
      afterDeath[phase] = Overload(current: current, borne: circuit.curve.tolerates(current, rating: circuit.rating[phase]))
    }
    let largestFallback = tree.connectors[index].map { hub.connectors[$0].fallback }.max() ?? .zero
    return CircuitCheck(
      limit: limit, unheard: unheard, base: base, firm: firm, margin: margin,
      arrivalReserve: circuit.arrivalReserve ?? largestFallback, reaction: reaction(index, hub, tree), afterDeath: afterDeath)
  }

  private static func reaction(_ index: Int, _ hub: Hub, _ tree: Tree) -> Reaction {
    let traits = tree.stations[index].map { hub.stations[$0].traits }
    let timeout = traits.map(\.callTimeout).max() ?? .zero
    return Reaction(
      meterPeriod: hub.circuits[index].measurement.map { hub.meters[$0.meter].period }, decision: decisionTime,
      transmission: timeout * retries,
      vehicle: (traits.map(\.reaction).max() ?? .zero) + (traits.isEmpty ? .zero : hub.settings.vehicleReaction))
  }

  private static func lowestLimit(_ index: Int, _ file: SiteFile) -> PerPhase<Bound> {
    let (hub, circuit) = (file.hub, file.hub.circuits[index])
    var lowest = circuit.rating.map { Bound(current: $0, source: "fuse") }
    func lower(_ current: PerPhase<Current>, _ source: String) {
      for phase in Phase.allCases where current[phase] < lowest[phase].current {
        lowest[phase] = Bound(current: current[phase], source: source)
      }
    }
    // A power becomes a current at the highest voltage that EN 50160 allows: fewer amperes for the same kilowatts.
    func current(_ power: Power) -> PerPhase<Current> {
      PerPhase(all: power.current(at: hub.nominalVoltage.scaled(110, over: 100), phases: 3))
    }
    switch circuit.contract?.amount {
    case .current(let mean): lower(mean, "contract")
    case .power(let mean): lower(current(mean), "contract")
    case nil: break
    }
    if let cap = circuit.manualCap { lower(cap, "manual cap") }
    if let failsafe = file.failsafe[index] { lower(failsafe, "failsafe") }
    for (place, amount, source) in file.announcedBounds where place == index {
      switch amount {
      case .current(let bound): lower(bound, source)
      case .power(let bound): lower(current(bound), source)
      }
    }
    return lowest
  }
}
