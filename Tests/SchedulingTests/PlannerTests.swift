import Quantities
import Testing

@testable import Scheduling

@Suite struct PlannerTests {
  typealias Problem = PlanningProblem

  func session(_ circuit: Int, _ phases: Phases = .all, _ window: Range<Int>, _ wattHours: Double, worth: Double = 1)
    -> Problem.Session
  {
    Problem.Session(
      circuit: circuit, phases: phases, largest: 32, window: window,
      value: [Problem.ValueStep(wattHours: wattHours, euroPerKilowattHour: worth)])
  }
  func site(_ amps: Double) -> Problem.Circuit { Problem.Circuit(parent: nil, limit: PerPhase(all: [amps])) }

  /// Every promise of a plan, counted anew from the problem's own numbers.
  func check(_ plan: Plan, of problem: Problem, _ name: String) {
    for (k, circuit) in problem.circuits.enumerated() {
      var below = [Bool](repeating: false, count: problem.circuits.count)
      for j in k..<problem.circuits.count { below[j] = j == k || (problem.circuits[j].parent.map { below[$0] } ?? false) }
      for phase in Phase.allCases {
        for slot in 0..<problem.slots {
          let limit = circuit.limit[phase].count == 1 ? circuit.limit[phase][0] : circuit.limit[phase][slot]
          var drawn = 0
          for (i, session) in problem.sessions.enumerated() {
            guard below[session.circuit], session.phases.contains(phase), session.window.contains(slot) else { continue }
            drawn += plan.currents[i][slot - session.window.lowerBound].milliamperes
          }
          #expect(drawn <= Int((limit * 1000).rounded()), "\(name): circuit \(k) \(phase) slot \(slot)")
        }
      }
    }
    for (i, session) in problem.sessions.enumerated() {
      #expect(plan.energy[i] <= session.demand + 1e-6, "\(name): session \(i) gets more than it asks")
      let asked = plan.currents[i].reduce(0) { $0 + $1.amperes } * problem.energyPerAmpere(session) * 1000
      let step: Double = session.step * problem.energyPerAmpere(session) * 1000
      #expect(asked < session.demand + step + 1e-6, "\(name): session \(i) is given more than a step too much")
      for current in plan.currents[i] where current != .zero {
        #expect(current.amperes >= session.smallest && current.amperes <= session.largest, "\(name): session \(i)")
        #expect(current.raw % Int((session.step * 1000).rounded()) == 0, "\(name): session \(i) is off its grid")
      }
    }
    let slack: Double = 1e-6 * max(1, abs(plan.bound))
    #expect(plan.objective <= plan.relaxed && plan.relaxed <= plan.bound + slack, "\(name)")
  }

  @Test func `the cheap slots are used first`() throws {
    let problem = Problem(
      slotMinutes: 60, prices: [0.5, 0.1, 0.4, 0.2], early: 0, circuits: [site(63)], sessions: [session(0, .l1, 0..<4, 230 * 40)])
    let plan = try Planner().plan(problem)
    #expect(plan.currents[0].map(\.milliamperes) == [0, 32000, 0, 8000])
    #expect(abs(plan.bound - plan.objective) < 1e-6)
  }

  @Test func `energy worth more goes first, and what is not served is said with what holds it back`() throws {
    let problem = Problem(
      slotMinutes: 60, prices: [0.2], early: 0, circuits: [site(20)],
      sessions: [session(0, .l1, 0..<1, 230 * 12, worth: 1), session(0, .l1, 0..<1, 230 * 12, worth: 2)])
    let plan = try Planner(gap: 1e-6).plan(problem)
    #expect(plan.currents.map { $0[0].milliamperes } == [8000, 12000])
    let lacking: Double = plan.unserved[0] - 920
    #expect(abs(lacking) < 1e-6 && plan.unserved[1] == 0)
    let neck = try #require(plan.binding.first)
    #expect(neck.circuit == 0 && neck.phase == .l1)
    let error: Double = abs(neck.euroPerAmpere - 0.184)
    #expect(error < 0.01)
  }

  @Test func `nobody gets less than six amperes: it is all or nothing`() throws {
    let sessions = (0..<3).map { _ in session(0, .all, 0..<2, 3 * 230 * 8) }
    let plan = try Planner().plan(Problem(slotMinutes: 60, prices: [0.2, 0.2], circuits: [site(7)], sessions: sessions))
    for current in plan.currents.joined() { #expect(current == .zero || current >= .amperes(6)) }
    let served: Double = plan.energy.reduce(0, +)
    #expect(served >= 9522)
  }

  @Test func `congested days are planned to a small proven gap, within every limit`() throws {
    for seed in 1...6 {
      var dice = SeededDice(seed: seed)
      var family = ProblemFamily()
      (family.hourlyPrices, family.tightness, family.deep) = (seed % 2 == 0, [0.8, 2, 3][seed % 3], seed == 5)
      if seed == 6 { family.slots = 288 }
      let problem = family.problem(using: &dice)
      let plan = try Planner(gap: 1e-3).plan(problem)
      check(plan, of: problem, "seed \(seed)")
      #expect(plan.relaxedGap <= 1e-3, "seed \(seed): \(plan.relaxedGap) after \(plan.iterations)")
      #expect(plan.gap <= 4e-3, "seed \(seed): \(plan.gap)")
    }
  }

  @Test func `small problems of every shape keep their promises`() throws {
    for seed in 0..<400 {
      var dice = Seeded(seed)
      let slots = dice.whole(1...20)
      var circuits = [Problem.Circuit(parent: nil, limit: PerPhase(all: [Double(dice.whole(0...80))]))]
      for k in 0..<dice.whole(0...4) {
        let limit = PerPhase(0, 1, 2).map { _ in (0..<slots).map { _ in Double(dice.whole(0...630)) / 10 } }
        circuits.append(Problem.Circuit(parent: dice.whole(0...k), limit: limit))
      }
      var sessions: [Problem.Session] = []
      for _ in 0..<dice.whole(0...9) {
        let start = dice.whole(0...(slots - 1))
        var session = session(
          dice.whole(0...(circuits.count - 1)), Phases(rawValue: UInt8(dice.whole(1...7))), start..<dice.whole((start + 1)...slots),
          Double(dice.whole(0...20_000)), worth: Double(dice.whole(0...20)) / 10)
        session.value.append(Problem.ValueStep(wattHours: Double(dice.whole(0...9000)), euroPerKilowattHour: -1))
        session.step = dice.chance(50) ? 0.1 : 1
        sessions.append(session)
      }
      let prices = (0..<slots).map { _ in Double(dice.whole(-10...60)) / 100 }
      let problem = Problem(
        slotMinutes: dice.chance(50) ? 15 : 60, prices: prices, peak: dice.chance(20) ? 0.5 : 0, circuits: circuits,
        sessions: sessions)
      let plan = try Planner(gap: 1e-3, mostIterations: 400).plan(problem)
      check(plan, of: problem, "seed \(seed)")
      let (missing, allowed): (Double, Double) = (plan.bound - plan.relaxed, 0.02 * max(0.5, plan.relaxed))
      #expect(missing <= allowed, "seed \(seed): \(plan.bound) \(plan.relaxed)")
    }
  }

  @Test func `without a single step there is still a plan within the limits`() throws {
    var dice = SeededDice(seed: 3)
    let problem = ProblemFamily().problem(using: &dice)
    let plan = try Planner(mostIterations: 0).plan(problem)
    check(plan, of: problem, "greedy")
    #expect(plan.iterations == 0 && plan.objective > 0)
  }

  @Test func `the same problem gives the same plan, and a warm start proves it without a step`() throws {
    var dice = SeededDice(seed: 4)
    let problem = ProblemFamily().problem(using: &dice)
    var warm: WarmStart?
    let first = try Planner(gap: 1e-3).plan(problem, warm: &warm)
    #expect(try Planner(gap: 1e-3).plan(problem) == first)
    let again = try Planner(gap: 2e-3).plan(problem, warm: &warm)
    #expect(again.iterations == 0 && again.relaxedGap <= 2e-3)
  }

  @Test func `a limit that many sessions together just pass is kept to the milliampere`() throws {
    // Sums of thousands in float32 are wrong by more than what is lacking here.
    for (count, largest) in [(700, 31.7), (3000, 10.1), (5000, 6.3)] {
      for lacking in [0.001, 0.01, 0.1] {
        let limit = (Double(count) * largest - lacking)
        let sessions = (0..<count).map { _ in
          Problem.Session(
            circuit: 0, phases: .l1, largest: largest, window: 0..<1, value: [.init(wattHours: 1e6, euroPerKilowattHour: 1)])
        }
        let problem = Problem(
          slotMinutes: 60, prices: [0.1], circuits: [Problem.Circuit(parent: nil, limit: PerPhase(all: [limit]))],
          sessions: sessions)
        for iterations in [0, 40] {
          let plan = try Planner(gap: 1e-4, mostIterations: iterations).plan(problem)
          let drawn = plan.currents.reduce(0) { $0 + $1[0].milliamperes }
          #expect(drawn <= Int((limit * 1000 + 1e-6).rounded(.down)), "\(count) sessions, \(lacking) A: \(drawn)")
          #expect(plan.gap < 1e-3 && plan.gap >= -1e-12, "\(plan.gap)")
        }
      }
    }
  }

  @Test func `what the site draws beside counts for the peak only where it adds to it`() throws {
    // Two hours, 40 A needed; the other load is 30 A in the first hour and nothing in the second: the second is free up to 30 A.
    var problem = Problem(
      slotMinutes: 60, prices: [0.2, 0.2], early: 0, peak: 10, circuits: [site(100)],
      sessions: [
        Problem.Session(
          circuit: 0, phases: .l1, largest: 32, window: 0..<2, value: [.init(wattHours: 40 * 230, euroPerKilowattHour: 3)])
      ])
    problem.peakBase = [30, 0]
    let plan = try Planner(gap: 1e-6, mostIterations: 3000).plan(problem)
    #expect(plan.currents[0][0] == .zero && plan.currents[0][1] == .amperes(30), "\(plan.currents)")
    // Without it any current costs 10 EUR a kW, more than its energy is worth.
    problem.peakBase = []
    let alone = try Planner(gap: 1e-6, mostIterations: 3000).plan(problem)
    #expect(alone.currents[0].allSatisfy { $0 == .zero } && alone.objective == 0)
    // What was reached before is owed: up to it nothing costs a peak, whatever else is drawn.
    problem.peakReached = 50
    #expect(try Planner(gap: 1e-6, mostIterations: 3000).plan(problem).currents[0].map(\.raw).reduce(0, +) == 40_000)
    problem.peakBase = [30, 50]
    #expect(try Planner(gap: 1e-6, mostIterations: 3000).plan(problem).currents[0] == [.amperes(20), .zero])
    (problem.peakBase, problem.peakReached) = ([], -1)
    #expect(throws: Problem.Flaw.self) { try Planner().plan(problem) }
    problem.peakReached = 0
    problem.peakBase = [1]
    #expect(throws: Problem.Flaw.self) { try Planner().plan(problem) }
    problem.peakBase = [1, .nan]
    #expect(throws: Problem.Flaw.self) { try Planner().plan(problem) }
  }

  @Test func `numbers that would leave 64 bits are refused`() {
    func refused(_ change: (inout Problem) -> Void) -> Bool {
      var problem = Problem(slotMinutes: 1, prices: [0.2], circuits: [site(20)], sessions: [session(0, .l1, 0..<1, 1000)])
      change(&problem)
      do { _ = try Planner().plan(problem) } catch { return true }
      return false
    }
    #expect(!refused { _ in } && refused { $0.volts = 1e-300 } && refused { $0.volts = .nan })
    #expect(refused { $0.sessions[0].value = (0..<3).map { _ in .init(wattHours: 9e8, euroPerKilowattHour: 1) } })
    #expect(!refused { $0.sessions[0].value = [.init(wattHours: 1e9, euroPerKilowattHour: 1e6)] })
    #expect(!refused { $0.volts = 1 })
  }

  @Test func `wrong problems are refused with the place named`() {
    func flaw(_ change: (inout Problem) -> Void) -> Problem.Flaw? {
      var problem = Problem(
        slotMinutes: 15, prices: [0.2, 0.3], circuits: [site(63), Problem.Circuit(parent: 0, limit: PerPhase(all: [16]))],
        sessions: [session(1, .l1, 0..<2, 1000)])
      change(&problem)
      do { try problem.validate() } catch { return error }
      return nil
    }
    #expect(flaw { _ in } == nil)
    #expect(flaw { $0.circuits[1].parent = 1 } == .childBeforeParent(circuit: 1))
    #expect(flaw { $0.circuits[1].limit.l2 = [5, -1] } == .badLimit(circuit: 1, phase: .l2, slot: 1, found: -1))
    #expect(flaw { $0.circuits[1].limit.l2 = [1, 2, 3] } == .badLimitCount(circuit: 1, phase: .l2, found: 3, expected: 2))
    #expect(flaw { $0.sessions[0].window = 1..<3 } == .outsideHorizon(session: 0, window: 1..<3))
    #expect(flaw { $0.sessions[0].smallest = 40 } == .badCurrents(session: 0, smallest: 40, largest: 32, step: 0.1))
    #expect(flaw { $0.sessions[0].value[0].wattHours = .nan } == .badValue(session: 0, step: 0))
    #expect(flaw { $0.prices = [] } == .noSlots)
    #expect(flaw { $0.sessions[0].circuit = 7 } == .unknownCircuit(session: 0, found: 7))
    if case .badPrice(slot: 1, _)? = flaw({ $0.prices[1] = .nan }) {} else { Issue.record("NaN is no price") }
  }
}
