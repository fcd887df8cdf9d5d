import Quantities
import Site

/// What really flows in a hub: the sums per circuit and phase of base loads and vehicles, their peaks, and excesses beyond the
/// time-current points. Currents in mA, times in ms of the house that keeps it.
public struct HubGround: Sendable {
  public let hub: Hub
  /// Index: circuit x 3 + phase.
  public private(set) var flows: [Int]
  public private(set) var peaks: [Int]
  public private(set) var violations: [String] = []
  private var baseFlows: [Int]
  private var connectorFlows: [PerPhase<Current>]
  private var bases: [BaseLoad]
  private var watches: [ExcessWatch]
  private let wiring: [Connector.Wiring]
  private let ancestors: [[Int]]
  private var random: SeededRandom

  /// - Parameter steps: per circuit, the largest step of its base load upwards, mA.
  public init(hub: Hub, steps: [Int], seed: UInt64) {
    var random = SeededRandom(seed: seed, part: 3)
    self.hub = hub
    flows = Array(repeating: 0, count: hub.circuits.count * 3)
    (peaks, baseFlows) = (flows, flows)
    connectorFlows = Array(repeating: .zero, count: hub.connectors.count)
    bases = hub.circuits.indices.map { BaseLoad(hub.circuits[$0], step: steps[$0], &random) }
    watches = hub.circuits.flatMap { circuit in Phase.allCases.map { ExcessWatch(rating: circuit.rating[$0], curve: circuit.curve) }
    }
    wiring = hub.connectors.map { $0.wiring ?? Connector.Wiring(conductors: .all, rotation: random.choose(PhaseRotation.allCases)) }
    ancestors = hub.circuits.indices.map { k in
      var path = [k]
      while let parent = hub.circuits[path[path.count - 1]].parent { path.append(parent) }
      return path
    }
    self.random = random
    for k in bases.indices { apply(k, from: [0, 0, 0], at: 0) }
  }

  /// The conductors of the station that connector `c` really has.
  public func conductors(of c: Int) -> Phases { wiring[c].conductors }

  /// A connector draws `own`, in its station's own conductor order.
  public mutating func set(_ c: Int, own: PerPhase<Current>, at now: Int) {
    let flow = wiring[c].rotation.onCircuit(own)
    let before = connectorFlows[c]
    guard flow != before else { return }
    connectorFlows[c] = flow
    for k in ancestors[hub.connectors[c].circuit] {
      for p in Phase.allCases where flow[p] != before[p] { move(k * 3 + p.rawValue, by: (flow[p] - before[p]).raw, at: now) }
    }
  }

  /// The uncontrolled loads tremble, and with `jump` one is switched.
  public mutating func stir(jump: Bool, at now: Int) {
    for k in bases.indices {
      let before = bases[k].now
      bases[k].tremble(&random)
      apply(k, from: before, at: now)
    }
    guard jump else { return }
    let k = random.pick(0...bases.count - 1)
    let before = bases[k].now
    bases[k].jump(&random)
    apply(k, from: before, at: now)
  }

  private mutating func apply(_ k: Int, from before: [Int], at now: Int) {
    for p in 0..<3 where bases[k].now[p] != before[p] {
      for above in ancestors[k] {
        baseFlows[above * 3 + p] += bases[k].now[p] - before[p]
        move(above * 3 + p, by: bases[k].now[p] - before[p], at: now)
      }
    }
  }

  private mutating func move(_ cell: Int, by change: Int, at now: Int) {
    flows[cell] += change
    peaks[cell] = max(peaks[cell], flows[cell])
    look(cell, at: now)
  }

  /// Looks for excesses that go on.
  public mutating func look(at now: Int) { for cell in flows.indices { look(cell, at: now) } }

  private mutating func look(_ cell: Int, at now: Int) {
    guard let (above, lasted) = watches[cell].change(to: abs(flows[cell]), at: now) else { return }
    let circuit = hub.circuits[cell / 3]
    let phase = Phase.allCases[cell % 3]
    // Time in which the load alone that nobody controls exceeds the limit is not the controller's.
    if abs(baseFlows[cell]) > circuit.rating[phase].raw { return }
    violations.append("\(circuit.id) \(phase.name): above \(above) mA for \(lasted / 1000) s, \(flows[cell]) mA now")
  }

  /// What a circuit carries, in circuit order.
  public func current(of circuit: Int) -> PerPhase<Current> {
    PerPhase(Current(raw: flows[circuit * 3]), Current(raw: flows[circuit * 3 + 1]), Current(raw: flows[circuit * 3 + 2]))
  }
  public func peak(of circuit: Int) -> PerPhase<Current> {
    PerPhase(Current(raw: peaks[circuit * 3]), Current(raw: peaks[circuit * 3 + 1]), Current(raw: peaks[circuit * 3 + 2]))
  }
}
