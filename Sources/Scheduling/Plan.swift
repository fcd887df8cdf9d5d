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
  /// For each session one current per slot of its window; within all limits, zero or at least the least, on the grid.
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
  public var relaxedGap: Double { Plan.gap(bound, relaxed) }
  public var gap: Double { Plan.gap(bound, objective) }
  /// Relative to the value reached; zero when both are zero.
  static func gap(_ bound: Double, _ value: Double) -> Double { bound == value ? 0 : (bound - value) / max(abs(value), 1e-9) }
}

/// Prices, allocation and step size of an earlier plan, as a value: put it in again when little has changed.
public struct WarmStart: Sendable {
  struct Known: Sendable {
    var key: Int
    var window: Range<Int>
    var plan: [PlanningGrid.Lanes]
    var energyPrice: Float
  }
  var slots = 0
  var price: [PlanningGrid.Lanes] = []
  var peak: [Double] = []
  var omega: Float = 1
  /// In rising order of their keys.
  var sessions: [Known] = []
}

/// Works out plans. It reads no clock: it stops at a gap, at an iteration count, or when `mayContinue` says no.
public struct Planner: Sendable {
  /// What the planner is about: a step of the prices, or making whole milliamperes of the best plan.
  public enum Stage: Hashable, Sendable { case pricing(steps: Int), finishing }
  /// Stop when bound minus value is below this part of what the planned energy costs (or of the value, if that is less).
  public var gap: Double
  /// Prices move at most this often; with zero the plan is the greedy one.
  public var mostIterations: Int
  /// The gap is a part of the plan's value, however little the energy costs.
  public var ofValue: Bool
  public init(gap: Double = 1e-4, mostIterations: Int = 3000, ofValue: Bool = false) {
    (self.gap, self.mostIterations, self.ofValue) = (gap, mostIterations, ofValue)
  }

  /// A plan for the problem; there is always one.
  /// - Parameters:
  ///   - keys: a name for each session, unique, by which `warm` knows it again; nil numbers them by index.
  ///   - warm: what an earlier call left there, or nil; afterwards what this call leaves. Prices are used again when circuits and
  ///     slots are as many as then.
  ///   - mayContinue: asked before each step; for houses that have a clock.
  /// - Throws: a flaw of the problem.
  public func plan(
    _ problem: PlanningProblem, keys: [Int]? = nil, warm: inout WarmStart?, mayContinue: (Stage) -> Bool = { _ in true }
  ) throws(PlanningProblem.Flaw) -> Plan {
    try problem.validate()
    precondition(keys == nil || keys?.count == problem.sessions.count)
    let names = keys ?? Array(problem.sessions.indices)
    let grid = PlanningGrid(problem)
    let order = FillOrder(grid)
    var search = Search(grid, order)
    search.resume(warm, names)
    search.run(self, startsWarm: warm != nil, mayContinue)
    warm = search.remember(names)
    _ = mayContinue(.finishing)
    let exact = search.finish(mayContinue)
    return Plan(exact, grid, search)
  }

  public func plan(_ problem: PlanningProblem) throws(PlanningProblem.Flaw) -> Plan {
    var nothing: WarmStart?
    return try plan(problem, warm: &nothing)
  }
}

struct Search {
  let grid: PlanningGrid
  let order: FillOrder
  var iteration: PriceIteration
  var best: RelaxedPlan
  var value: Double
  /// What the energy of the best plan costs.
  var cost: Double
  var bound: Double
  var bestPrices: [PlanningGrid.Lanes]

  init(_ grid: PlanningGrid, _ order: FillOrder) {
    (self.grid, self.order) = (grid, order)
    iteration = PriceIteration(grid)
    best = RelaxedPlan(grid, order: order, proposal: iteration.plan)
    (value, cost) = best.objective
    bestPrices = iteration.price
    bound = grid.bound(prices: iteration.price, peak: iteration.peak)
  }

  mutating func resume(_ warm: WarmStart?, _ names: [Int]) {
    guard let warm, warm.slots == grid.problem.slots, warm.price.count == iteration.price.count else { return }
    iteration.omega = warm.omega
    for j in warm.price.indices { iteration.price[j] = warm.price[j].replacing(with: 0, where: grid.sigma[j] .== 0) }
    iteration.peak = warm.peak
    for (i, row) in grid.rows.enumerated() {
      let window = grid.problem.sessions[i].window
      guard let known = warm.sessions.first(where: { $0.key == names[i] && $0.window == window }) else { continue }
      for c in known.plan.indices {
        iteration.plan[row.offset + c] = PriceIteration.clamp(known.plan[c], grid.most[row.offset + c])
      }
      iteration.energyPrice[i] = known.energyPrice
    }
    iteration.rest()
  }

  func remember(_ names: [Int]) -> WarmStart {
    var warm = WarmStart(slots: grid.problem.slots, price: iteration.price, peak: iteration.peak, omega: iteration.omega)
    for i in names.indices.sorted(by: { names[$0] < names[$1] }) {
      let row = grid.rows[i]
      warm.sessions.append(
        WarmStart.Known(
          key: names[i], window: grid.problem.sessions[i].window,
          plan: Array(iteration.plan[row.offset..<row.offset + row.chunks.count]), energyPrice: iteration.energyPrice[i]))
    }
    return warm
  }

  mutating func run(_ planner: Planner, startsWarm: Bool, _ mayContinue: (Planner.Stage) -> Bool) {
    if startsWarm { check() }
    var next = 20
    while bound - value > planner.gap * min(scale(planner), abs(value)) && iteration.count < planner.mostIterations
      && mayContinue(.pricing(steps: iteration.count))
    {
      iteration.step(grid)
      guard iteration.count == next || iteration.count == planner.mostIterations else { continue }
      next += iteration.count < 120 ? 25 : iteration.count < 1000 ? 50 : 200
      check()
    }
  }

  /// What a gap is a part of, EUR.
  private func scale(_ planner: Planner) -> Double { planner.ofValue || cost == 0 ? .infinity : cost }

  private mutating func check() {
    let proven = grid.bound(prices: iteration.price, peak: iteration.peak)
    if proven < bound { (bound, bestPrices) = (proven, iteration.price) }
    let candidate = RelaxedPlan(grid, order: order, proposal: iteration.plan)
    let worth = candidate.objective
    if worth.euro > value { (best, value, cost) = (candidate, worth.euro, worth.cost) }
  }

  /// Rounds the best plan to the grid, and once more after forbidding, in four rounds, what is too little to be of use.
  mutating func finish(_ mayContinue: (Planner.Stage) -> Bool) -> ExactPlan {
    var exact = ExactPlan(grid, order: order, rounding: best)
    var worth = exact.objective
    guard iteration.count > 0 else { return worth < 0 ? ExactPlan(grid, order: order, rounding: nil) : exact }
    var (narrow, dive) = (grid, iteration)
    for part: Float in [0.34, 0.6, 0.84, 1] {
      for (i, row) in grid.rows.enumerated() {
        let least = Float(grid.problem.sessions[i].smallest) * part
        for j in row.offset..<row.offset + row.chunks.count {
          narrow.most[j] = narrow.most[j].replacing(with: 0, where: (dive.plan[j] .> 0) .& (dive.plan[j] .< least))
          dive.plan[j] = PriceIteration.clamp(dive.plan[j], narrow.most[j])
        }
      }
      dive.rest()
      for _ in 0..<20 where mayContinue(.finishing) { dive.step(narrow) }
    }
    let dived = ExactPlan(
      grid, order: order, rounding: RelaxedPlan(narrow, order: order, proposal: dive.plan))
    if dived.objective > worth { exact = dived }
    exact.exchange(order, rounds: 3)
    worth = exact.objective
    return worth < 0 ? ExactPlan(grid, order: order, rounding: nil) : exact
  }
}

extension Plan {
  init(_ exact: ExactPlan, _ grid: PlanningGrid, _ search: Search) {
    currents = grid.rows.indices.map { i in
      grid.problem.sessions[i].window.map { Current(milliamperes: exact.current[exact.place(i, $0)]) }
    }
    energy = grid.rows.indices.map { i in
      let sum = grid.problem.sessions[i].window.reduce(0) { $0 + exact.current[exact.place(i, $1)] }
      return Double(sum) * grid.rows[i].unit
    }
    unserved = zip(grid.problem.sessions, energy).map { max(0, $0.demand - $1) }
    (bound, iterations) = (search.bound, search.iteration.count)
    objective = exact.objective
    relaxed = max(search.value, objective)
    binding = Plan.necks(grid, search.bestPrices)
  }

  private static func necks(_ grid: PlanningGrid, _ prices: [PlanningGrid.Lanes]) -> [Neck] {
    var found: [Neck] = []
    for k in grid.problem.circuits.indices {
      for phase in Phase.allCases {
        for slot in 0..<grid.problem.slots {
          let price = prices[(k * 3 + phase.rawValue) * grid.chunks + slot / 8][slot % 8]
          if price > 1e-6 { found.append(Neck(circuit: k, phase: phase, slot: slot, euroPerAmpere: Double(price))) }
        }
      }
    }
    let order = found.indices.sorted { (-found[$0].euroPerAmpere, $0) < (-found[$1].euroPerAmpere, $1) }
    return order.prefix(100).map { found[$0] }
  }
}
