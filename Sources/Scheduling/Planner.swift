import PlanningMemory

/// Works out plans. It reads no clock: it stops at a gap, at an iteration count, or when `mayContinue` says no. The same problem, gap,
/// count and warm start give the same bits on any machine and with any number of threads.
public struct Planner: Sendable {
  /// What the planner is about: a step of the prices, or making whole milliamperes of the best plan.
  public enum Stage: Hashable, Sendable { case pricing(steps: Int), finishing }
  /// Stop when bound minus value is below this part of what the planned energy costs (or of the value, if that is less).
  public var gap: Double
  /// Prices move at most this often; with zero the plan is the greedy one.
  public var mostIterations: Int
  /// The gap is a part of the plan's value, however little the energy costs.
  public var ofValue: Bool
  /// Which build of the kernels; they give the same bits.
  public var kernels = KernelChoice.best
  /// Threads to use beside the caller's own.
  public var workers: Workers?
  public init(gap: Double = 1e-4, mostIterations: Int = 3000, ofValue: Bool = false) {
    (self.gap, self.mostIterations, self.ofValue) = (gap, mostIterations, ofValue)
  }

  /// A plan for the problem; there is always one.
  /// - Parameters:
  ///   - keys: a name for each session, unique, by which `warm` knows it again; nil numbers them by index.
  ///   - warm: what an earlier call left there, or nil; afterwards what this call leaves. Prices are used again when circuits and
  ///     slots are as many as then.
  ///   - arena: memory kept between calls, to spare the system's pages; it carries nothing else.
  ///   - mayContinue: asked before each step; for houses that have a clock.
  /// - Throws: a flaw of the problem.
  public func plan(
    _ problem: PlanningProblem, keys: [Int]? = nil, warm: inout WarmStart?, arena: Arena = Arena(),
    mayContinue: (Stage) -> Bool = { _ in true }
  ) throws(PlanningProblem.Flaw) -> Plan {
    defer { withExtendedLifetime(arena) {} }
    var search = try solve(problem, keys, &warm, arena, mayContinue)
    _ = mayContinue(.finishing)
    let exact = search.finish(self, mayContinue)
    return Plan(exact, search)
  }

  public func plan(_ problem: PlanningProblem) throws(PlanningProblem.Flaw) -> Plan {
    var nothing: WarmStart?
    return try plan(problem, warm: &nothing)
  }

  /// The relaxed problem alone: no least current, no grid. Parameters and errors as of `plan`.
  public func relaxed(
    _ problem: PlanningProblem, keys: [Int]? = nil, warm: inout WarmStart?, arena: Arena = Arena(),
    mayContinue: (Stage) -> Bool = { _ in true }
  ) throws(PlanningProblem.Flaw) -> RelaxedOutcome {
    defer { withExtendedLifetime(arena) {} }
    let search = try solve(problem, keys, &warm, arena, mayContinue)
    let (layout, best) = (search.layout, search.best)
    var (amps, energy): ([[Double]], [Double]) = ([], [])
    for (i, session) in problem.sessions.enumerated() {
      let row = layout.memory.rows[layout.place[i]]
      amps.append(session.window.map { best.amps[layout.index(row, $0)] })
      energy.append(min(session.demand, best.energy[layout.place[i]] * row.unit * 1000))
    }
    return RelaxedOutcome(
      amps: amps, energy: energy, bound: search.bound, value: best.euro, iterations: search.steps,
      binding: Plan.necks(search, Array(problem.circuits.indices), 0..<problem.slots, .all, Plan.necksListed))
  }

  /// - Parameter looksFirst: whether a warm start may already be good enough; false where it is known not to be.
  func solve(
    _ problem: PlanningProblem, _ keys: [Int]?, _ warm: inout WarmStart?, _ arena: Arena, looksFirst: Bool = true,
    _ mayContinue: (Stage) -> Bool
  ) throws(PlanningProblem.Flaw) -> Search {
    try problem.validate()
    precondition(keys == nil || keys?.count == problem.sessions.count)
    let names = keys ?? Array(problem.sessions.indices)
    arena.reset()
    var search = Search(problem, kernels, workers, in: arena)
    if let warm { search.resume(warm, names) }
    search.run(self, looksFirst: looksFirst && warm != nil, mayContinue)
    warm = search.remember(names)
    return search
  }
}

/// One search for a plan: the iteration, the best plan and the best bound so far.
struct Search {
  let layout: PlanningLayout
  let order: FillOrder
  var iteration: PriceIteration
  private(set) var best: RelaxedPlan
  private var next: RelaxedPlan
  private(set) var bound = Double.infinity
  /// The prices of the best bound, per limit.
  private(set) var prices: [Float] = []
  private var sidePrices: [Double] = []
  private var hasPlan = false
  /// Steps of the prices until the search ended.
  private(set) var steps = 0
  private let arena: Arena

  init(_ problem: PlanningProblem, _ kernels: KernelChoice, _ workers: Workers?, in arena: Arena) {
    self.arena = arena
    layout = PlanningLayout(problem, in: arena)
    order = FillOrder(layout)
    iteration = PriceIteration(layout, kernels, workers, in: arena)
    best = RelaxedPlan(layout, order, in: arena)
    next = RelaxedPlan(layout, order, in: arena)
  }

  /// After how many more steps bound and plan are looked at again, which costs as much as ten steps: a gap halves in about ten to
  /// twenty, so that little is gained by looking long before it can be small enough.
  private func stepsUntilCheck(_ planner: Planner) -> Int {
    let ratio = (bound - best.euro) / max(target(planner), .leastNormalMagnitude)
    var steps = 10
    while steps < 40 && ratio > Double(1 << (steps / 10)) { steps += 10 }
    return max(steps, iteration.count / 10)
  }

  mutating func run(_ planner: Planner, looksFirst: Bool, _ mayContinue: (Planner.Stage) -> Bool) {
    if looksFirst { check() }
    var due = looksFirst ? 10 : 20
    while bound - best.euro > target(planner) && iteration.count < planner.mostIterations
      && mayContinue(.pricing(steps: iteration.count))
    {
      iteration.step()
      guard iteration.count >= due || iteration.count == planner.mostIterations else { continue }
      check()
      due = iteration.count + stepsUntilCheck(planner)
    }
    // Without time for a single look there is still a plan.
    if !bound.isFinite { check() }
    steps = iteration.count
  }

  private func target(_ planner: Planner) -> Double {
    let value = abs(best.euro)
    return planner.gap * (planner.ofValue || best.spent == 0 ? value : min(best.spent, value))
  }

  /// Proves a bound at the proposed prices, and makes a plan of what is proposed.
  private mutating func check() {
    let proven = iteration.bound()
    if proven < bound {
      bound = proven
      let numbers = iteration.memory.price.numbers
      if prices.count != numbers.count { prices = Array(repeating: 0, count: numbers.count) }
      for j in 0..<numbers.count { prices[j] = numbers[j] }
      sidePrices = iteration.sides.prices
    }
    next.adopt(iteration.memory.plan)
    if next.euro > best.euro || !hasPlan {
      swap(&best, &next)
      hasPlan = true
    }
  }

  /// Rounds of leading the plan towards currents of use, and steps in each.
  private static let rounds = 8
  private static let stepsPerRound = 10

  /// The plan in whole milliamperes.
  ///
  /// Below its least current a session may draw nothing. A price that falls from zero amperes towards `min_a`, and rises from round to
  /// round, makes many small currents into few of use, while the prices of the limits follow; what is still too small is then dropped,
  /// what is too much cut, and what that leaves handed out. None of this where rounding alone leaves the gap that is wanted.
  mutating func finish(_ planner: Planner, _ mayContinue: (Planner.Stage) -> Bool) -> ExactPlan {
    var exact = ExactPlan(layout, order, in: arena)
    exact.adopt(best)
    exact.fill()
    guard bound - exact.objective > target(planner) else { return settled(exact) }
    guard steps > 0 || bound - best.euro < 0.05 * abs(best.euro), mayContinue(.finishing) else { return settled(exact) }
    var other = ExactPlan(layout, order, in: arena)
    lead(mayContinue)
    proveBest()
    other.adopt(iteration.memory.plan)
    other.fill()
    other.improve()
    return other.objective > exact.objective ? settled(other) : settled(exact)
  }

  private mutating func lead(_ mayContinue: (Planner.Stage) -> Bool) {
    let problem = layout.problem
    iteration.memory.tilt = arena.slab(iteration.memory.plan.count, .zero)
    iteration.omega *= 0.5
    let m = iteration.memory
    // A twentieth of what a kilowatt-hour gains, on average.
    let cheapest = order.cost.min() ?? 0
    var gain = 0.0
    for session in problem.sessions { gain += max(0, (session.value.first?.euroPerKilowattHour ?? 0) - cheapest) }
    gain *= 0.05 / Double(max(1, problem.sessions.count))
    for round in 1...Self.rounds {
      for at in 0..<m.sessions {
        let row = m.rows[at]
        let edge = Float(problem.sessions[layout.owner[at]].smallest) * 5 / 6
        guard edge > 0 else { continue }
        let most = SIMD8<Float>(repeating: Float(gain * row.unit) * Float(round) / Float(Self.rounds))
        let slope = most / edge
        for j in row.offset..<row.offset + row.count {
          let price = most - slope * m.plan[j]
          m.tilt[j] = price.replacing(with: 0, where: price .< 0)
        }
      }
      iteration.rest()
      for _ in 0..<Self.stepsPerRound where mayContinue(.finishing) { iteration.step() }
    }
  }

  private func settled(_ exact: ExactPlan) -> ExactPlan {
    var exact = exact
    if exact.objective < 0 { exact.clear() }
    return exact
  }
}

extension Search {
  /// Puts the prices of the best bound back, with what each session could gain at them.
  mutating func proveBest() {
    let numbers = iteration.memory.price.numbers
    for j in prices.indices { numbers[j] = prices[j] }
    iteration.sides.prices = sidePrices
    _ = iteration.bound()
  }
}
