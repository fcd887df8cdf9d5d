import Quantities
import Testing

@testable import Scheduling

@Suite struct LivePlanTests {
  typealias Problem = PlanningProblem

  /// The limits of a relaxed plan counted anew; and value and bound against those of a plan from nothing.
  func check(_ live: LivePlan, _ name: String) throws {
    let problem = live.problem
    for (k, circuit) in problem.circuits.enumerated() {
      var below = [Bool](repeating: false, count: problem.circuits.count)
      for j in k..<below.count { below[j] = j == k || (problem.circuits[j].parent.map { below[$0] } ?? false) }
      for phase in Phase.allCases {
        var drawn = [Double](repeating: 0, count: problem.slots)
        for (i, session) in problem.sessions.enumerated() where below[session.circuit] && session.phases.contains(phase) {
          for (slot, current) in zip(session.window, live.amps[i]) { drawn[slot] += current }
        }
        for slot in drawn.indices {
          let limit = circuit.limit[phase][circuit.limit[phase].count == 1 ? 0 : slot]
          #expect(drawn[slot] <= limit + 1e-6, "\(name): circuit \(k) \(phase) slot \(slot)")
        }
      }
    }
    for (i, session) in problem.sessions.enumerated() {
      let energy = live.amps[i].reduce(0, +) * problem.energyPerAmpere(session) * 1000
      #expect(energy <= session.demand + 1e-3 && live.amps[i].allSatisfy { $0 >= 0 && $0 <= session.largest + 1e-9 }, "\(name)")
    }
    var nothing: WarmStart?
    let cold = try Planner(gap: 1e-4, ofValue: true).relaxed(problem, warm: &nothing)
    let slack: Double = 1e-6 * abs(cold.bound)
    #expect(live.bound >= cold.value - slack && live.value <= cold.bound + slack, "\(name): \(live.value) \(live.bound)")
  }

  @Test func `arrivals, departures, changes, cut limits and new prices are proven at once, and mended when it pays`() throws {
    for seed in 1...4 {
      var dice = SeededDice(seed: seed)
      var family = ProblemFamily()
      (family.peak, family.hourlyPrices) = (seed == 2 ? 0.5 : 0, seed == 3)
      let all = family.problem(using: &dice)
      var problem = all
      let late = Array(all.sessions[90...])
      problem.sessions.removeLast(10)
      let planner = Planner(gap: 1e-3, ofValue: true)
      var live = try LivePlan(problem, keys: Array(0..<90), planner: planner)
      #expect(live.gap <= 1e-3, "seed \(seed): \(live.gap)")
      try check(live, "seed \(seed) at first")
      for (n, session) in late.enumerated() { try live.insert(session, key: 1000 + n) }
      try check(live, "seed \(seed) after arrivals")
      for key in [3, 50, 1004, 89] { live.remove(key: key) }
      try check(live, "seed \(seed) after departures")
      var changed = all.sessions[7]
      changed.largest = 10
      try live.change(changed, key: 7)
      try check(live, "seed \(seed) after a change")
      let limits = live.problem.circuits[0].limit.map { $0[$0.count == 1 ? 0 : 40] * 0.8 }
      try live.limit(circuit: 0, in: 40..<56, to: limits)
      try check(live, "seed \(seed) after a cut")
      try live.reprice(all.prices.map { $0 * 1.2 })
      try check(live, "seed \(seed) after new prices")
      try live.improve(planner)
      #expect(live.gap <= 1e-3, "seed \(seed): \(live.gap) at last")
      try check(live, "seed \(seed) at last")
      let plan = try live.plan(planner)
      #expect(plan.currents.count == 96 && plan.relaxedGap <= 1e-3, "seed \(seed)")
    }
  }

  @Test func `one arrival among a thousand is proven to a part in a thousand without a step`() throws {
    var dice = SeededDice(seed: 5)
    var family = ProblemFamily()
    family.connectors = 1000
    var problem = family.problem(using: &dice)
    let last = problem.sessions.removeLast()
    var live = try LivePlan(problem, keys: Array(0..<999), planner: Planner(gap: 5e-4, ofValue: true))
    try live.insert(last, key: 999)
    #expect(live.gap <= 1e-3)
    live.remove(key: 17)
    #expect(live.gap <= 1e-3)
  }

  @Test func `a wrong session or limit is refused and changes nothing`() throws {
    var dice = SeededDice(seed: 6)
    let problem = ProblemFamily().problem(using: &dice)
    var live = try LivePlan(problem, keys: Array(problem.sessions.indices), planner: Planner(gap: 1e-2))
    let before = (live.value, live.bound)
    var wrong = problem.sessions[0]
    wrong.window = 90..<200
    #expect(throws: Problem.Flaw.outsideHorizon(session: 100, window: 90..<200)) { try live.insert(wrong, key: 500) }
    #expect(throws: Problem.Flaw.badLimit(circuit: 0, phase: .l1, slot: 3, found: -1)) {
      try live.limit(circuit: 0, in: 3..<5, to: PerPhase(all: -1))
    }
    // One wrong phase is enough, and the right ones before it change nothing.
    #expect(throws: Problem.Flaw.badLimit(circuit: 0, phase: .l3, slot: 3, found: -1)) {
      try live.limit(circuit: 0, in: 3..<5, to: PerPhase(1, 1, -1))
    }
    #expect(throws: (any Error).self) { try live.limit(circuit: 0, in: 3..<5, to: PerPhase(1, .nan, 1)) }
    #expect(live.value == before.0 && live.bound == before.1 && live.problem == problem)
  }
}
