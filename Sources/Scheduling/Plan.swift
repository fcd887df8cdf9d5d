import PlanningMemory
import Quantities

/// Who charges when, with its proof.
public struct Plan: Hashable, Sendable {
  /// A limit that holds the plan back, and what one more ampere there would be worth.
  public struct Neck: Hashable, Sendable {
    public var circuit: Int
    public var phase: Phase
    public var slot: Int
    public var euroPerAmpere: Double
  }
  /// The same in slots one after the other.
  public struct Stretch: Hashable, Sendable {
    public var circuit: Int
    public var phase: Phase
    public var slots: Range<Int>
    /// What one more ampere in all of them would be worth.
    public var euroPerAmpere: Double
  }
  /// For each session one current per slot of its window; within all limits, zero or at least the least, on the grid. The last one
  /// above zero may reach past the demand by less than one step of the grid: the vehicle or the energy meter ends it.
  public var currents: [[Current]]
  /// Wh per session, and what is lacking of the demand.
  public var energy: [Double]
  public var unserved: [Double]
  /// No plan of the relaxed problem is worth more (EUR).
  public var bound: Double
  /// The best relaxed plan that keeps all limits, and the plan above (EUR).
  public var relaxed: Double
  public var objective: Double
  public var iterations: Int
  /// The dearest first.
  public var binding: [Neck]
  /// For each session with energy unserved, the limits of its circuits within its window that hold it back: the dearest first.
  public var heldBack: [[Stretch]]
  public var relaxedGap: Double { Plan.gap(bound, relaxed) }
  public var gap: Double { Plan.gap(bound, objective) }
  /// Relative to the value reached; zero when both are zero.
  static func gap(_ bound: Double, _ value: Double) -> Double { bound == value ? 0 : (bound - value) / max(abs(value), 1e-9) }

  /// How many necks are listed for a plan, and stretches for a session.
  static let necksListed = 100
  static let stretchesPerSession = 9
}

/// A plan of the relaxed problem: any current from zero to the most, within all limits.
public struct RelaxedOutcome: Hashable, Sendable {
  /// Amperes, for each session one per slot of its window.
  public var amps: [[Double]]
  /// Wh per session.
  public var energy: [Double]
  public var bound: Double
  public var value: Double
  public var iterations: Int
  public var binding: [Plan.Neck]
  public var gap: Double { Plan.gap(bound, value) }
}

extension Plan {
  init(_ exact: ExactPlan, _ search: Search) {
    let (layout, problem) = (search.layout, search.layout.problem)
    let m = layout.memory
    var currents: [[Current]] = []
    var energy: [Double] = []
    currents.reserveCapacity(problem.sessions.count)
    for (i, session) in problem.sessions.enumerated() {
      let row = m.rows[layout.place[i]]
      currents.append(session.window.map { Current(milliamperes: Int(exact.current[layout.index(row, $0)])) })
      energy.append(min(session.demand, Double(exact.used[layout.place[i]]) * row.unit))
    }
    self.currents = currents
    self.energy = energy
    unserved = zip(problem.sessions, energy).map { max(0, $0.demand - $1) }
    (bound, iterations) = (search.bound, search.steps)
    objective = exact.objective
    relaxed = max(search.best.euro, objective)
    binding = Self.necks(search, Array(problem.circuits.indices), 0..<problem.slots, .all, Self.necksListed)
    heldBack = []
    for (i, session) in problem.sessions.enumerated() {
      // A remainder below one step of the grid is nobody's fault.
      let isServed = unserved[i] <= session.step * m.rows[layout.place[i]].unit * 1000
      heldBack.append(
        isServed ? [] : Self.stretches(search, layout.path(session.circuit), session.window, session.phases))
    }
  }

  /// The stretches of slots in which the limits of `circuits` have a price. One slot without a price does not part a stretch.
  private static func stretches(_ search: Search, _ circuits: [Int], _ slots: Range<Int>, _ phases: Phases) -> [Stretch] {
    let width = search.layout.memory.chunks * 8
    var found: [Stretch] = []
    for k in circuits {
      for phase in Phase.allCases where phases.contains(phase) {
        let base = (k * 3 + phase.rawValue) * width
        var open: Stretch?
        for slot in slots where search.prices[base + slot] > 1e-6 {
          let price = Double(search.prices[base + slot])
          if let last = open, slot <= last.slots.upperBound + 1 {
            open?.slots = last.slots.lowerBound..<slot + 1
            open?.euroPerAmpere += price
          } else {
            if let open { found.append(open) }
            open = Stretch(circuit: k, phase: phase, slots: slot..<slot + 1, euroPerAmpere: price)
          }
        }
        if let open { found.append(open) }
      }
    }
    let order = found.indices.sorted { (-found[$0].euroPerAmpere, $0) < (-found[$1].euroPerAmpere, $1) }
    return order.prefix(stretchesPerSession).map { found[$0] }
  }

  static func necks(_ search: Search, _ circuits: [Int], _ slots: Range<Int>, _ phases: Phases, _ most: Int) -> [Neck] {
    let width = search.layout.memory.chunks * 8
    var keys: [(price: Float, place: Int)] = []
    for k in circuits {
      for phase in Phase.allCases where phases.contains(phase) {
        let base = (k * 3 + phase.rawValue) * width
        for slot in slots where search.prices[base + slot] > 1e-6 { keys.append((search.prices[base + slot], base + slot)) }
      }
    }
    keys.sort { ($1.price, $0.place) < ($0.price, $1.place) }
    return keys.prefix(most).map { key in
      Neck(
        circuit: key.place / width / 3, phase: Phase(rawValue: key.place / width % 3)!, slot: key.place % width,
        euroPerAmpere: Double(key.price))
    }
  }
}
