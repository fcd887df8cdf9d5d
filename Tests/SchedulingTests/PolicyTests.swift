import Quantities
import Testing

@testable import Scheduling

@Suite struct PolicyTests {
  typealias Problem = PlanningProblem

  /// Two vehicles for a circuit of 20 A: the first came first, the second leaves first; each wants 20 A for two of the hours.
  var problem: Problem {
    func session(_ window: Range<Int>) -> Problem.Session {
      Problem.Session(
        circuit: 0, phases: .l1, largest: 20, window: window,
        value: [Problem.ValueStep(wattHours: 230 * 40, euroPerKilowattHour: 1)])
    }
    return Problem(
      slotMinutes: 60, prices: [0.2, 0.2, 0.2, 0.2], early: 0,
      circuits: [Problem.Circuit(parent: nil, limit: PerPhase(all: [20]))], sessions: [session(0..<4), session(1..<3)])
  }
  func amps(_ policy: Policy) throws -> [[Int]] {
    try policy.outcome(of: problem).currents.map { $0.map { $0.milliamperes / 1000 } }
  }

  @Test func `each policy shares in its own way`() throws {
    #expect(try amps(.firstCome) == [[20, 20, 0, 0], [0, 20]])
    #expect(try amps(.earliestDeadline) == [[20, 0, 0, 20], [20, 20]])
    #expect(try amps(.leastLaxity) == [[20, 0, 0, 20], [20, 20]])
    #expect(try amps(.equalShare) == [[20, 10, 10, 0], [10, 10]])
    #expect(try amps(.uncontrolled) == [[20, 20, 0, 0], [20, 20]])
  }

  @Test func `only uncontrolled charging breaks a limit, and it says by how much`() throws {
    let overload = try #require(try Policy.uncontrolled.outcome(of: problem).overload)
    #expect(overload.excess == .amperes(20) && overload.slot == 1 && overload.phase == .l1 && overload.circuit == 0)
    for policy in Policy.allCases where policy != .uncontrolled && policy != .optimal {
      for seed in 1...3 {
        var dice = SeededDice(seed: seed)
        #expect(try policy.outcome(of: ProblemFamily().problem(using: &dice)).overload == nil, "\(policy) seed \(seed)")
      }
    }
  }

  @Test func `no policy is worth more than the bound, and none beats the plan on a congested day`() throws {
    for seed in 1...3 {
      var dice = SeededDice(seed: seed)
      let problem = ProblemFamily().problem(using: &dice)
      let plan = try Planner(gap: 1e-3).plan(problem)
      for policy in Policy.allCases where policy != .uncontrolled && policy != .optimal {
        #expect(try policy.outcome(of: problem).objective < plan.objective, "\(policy) seed \(seed)")
      }
    }
  }
}
