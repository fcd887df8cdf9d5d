import Quantities

/// Ways to share that planners are compared with. All but `optimal` go through the slots one by one and know nothing of later ones.
public enum Policy: String, CaseIterable, Sendable {
  case optimal
  /// In each slot equal shares for all who are there, first come first admitted.
  case equalShare = "equal-share"
  case firstCome = "first-come"
  /// Who leaves first is served first.
  case earliestDeadline = "earliest-deadline"
  /// Who has the least time to spare is served first.
  case leastLaxity = "least-laxity"
  /// Everybody draws what the vehicle can take. Limits are broken: `overload` says by how much.
  case uncontrolled
}

/// What a policy makes of a problem.
public struct PolicyOutcome: Hashable, Sendable {
  /// As in `Plan`.
  public var currents: [[Current]]
  public var energy: [Double]
  public var objective: Double
  /// The worst excess over a limit, and where; nil when all are kept.
  public var overload: Overload?

  public struct Overload: Hashable, Sendable {
    public var circuit: Int
    public var phase: Phase
    public var slot: Int
    public var excess: Current
  }
}

extension Policy {
  /// - Precondition: not `optimal`; that is the `Planner`'s work.
  /// - Throws: a flaw of the problem.
  public func outcome(of problem: PlanningProblem) throws(PlanningProblem.Flaw) -> PolicyOutcome {
    precondition(self != .optimal)
    try problem.validate()
    let grid = PlanningGrid(problem)
    var plan = ExactPlan(grid, order: FillOrder(grid), rounding: nil)
    for slot in 0..<problem.slots {
      let present = queue(plan, problem, slot)
      if self == .equalShare {
        share(slot, among: present, &plan, problem)
      } else {
        for i in present {
          let wish = min(plan.most(i), plan.lacking(i))
          plan.set(i, slot, to: plan.onGrid(i, self == .uncontrolled ? wish : min(wish, plan.free(i, slot))))
        }
      }
    }
    let currents = problem.sessions.indices.map { i in
      problem.sessions[i].window.map { Current(milliamperes: plan.current[plan.place(i, $0)]) }
    }
    let energy = grid.rows.indices.map { i in
      Double(currents[i].reduce(0) { $0 + $1.milliamperes }) * grid.rows[i].unit
    }
    return PolicyOutcome(currents: currents, energy: energy, objective: plan.objective, overload: plan.overload)
  }

  /// Who is there and still lacks enough to be served, first served first; ties by index.
  private func queue(_ plan: ExactPlan, _ problem: PlanningProblem, _ slot: Int) -> [Int] {
    let present = problem.sessions.indices.filter { i in
      problem.sessions[i].window.contains(slot) && plan.lacking(i) >= plan.least(i) && plan.most(i) >= plan.least(i)
    }
    let keys = problem.sessions.indices.map { i in key(plan, problem.sessions[i], i, slot) }
    return present.sorted { (keys[$0], $0) < (keys[$1], $1) }
  }

  private func key(_ plan: ExactPlan, _ session: PlanningProblem.Session, _ i: Int, _ slot: Int) -> Int {
    switch self {
    case .earliestDeadline: session.window.upperBound
    case .leastLaxity: (session.window.upperBound - slot) * 1000 - plan.lacking(i) * 1000 / max(1, plan.most(i))
    case .optimal, .equalShare, .firstCome, .uncontrolled: session.window.lowerBound
    }
  }

  private func share(_ slot: Int, among present: [Int], _ plan: inout ExactPlan, _ problem: PlanningProblem) {
    let circuits = problem.circuits.map { circuit in
      FairShare.Circuit(
        parent: circuit.parent,
        room: circuit.limit.map { Current(milliamperes: ExactPlan.milliamperes($0.count == 1 ? $0[0] : $0[slot])) })
    }
    let claims = present.map { i in
      FairShare.Claim(
        circuit: problem.sessions[i].circuit, phases: problem.sessions[i].phases, floor: Current(milliamperes: plan.least(i)),
        cap: Current(milliamperes: min(plan.most(i), plan.lacking(i))))
    }
    let shares = FairShare.allocate(circuits: circuits, claims: claims)
    for (i, share) in zip(present, shares) { plan.set(i, slot, to: plan.onGrid(i, share.current.milliamperes)) }
  }
}

extension ExactPlan {
  var overload: PolicyOutcome.Overload? {
    var worst: PolicyOutcome.Overload?
    for place in room.indices where room[place] < -(worst?.excess.raw ?? 0) {
      worst = PolicyOutcome.Overload(
        circuit: place / (3 * slots), phase: Phase(rawValue: place / slots % 3)!, slot: place % slots,
        excess: Current(milliamperes: -room[place]))
    }
    return worst
  }
}
