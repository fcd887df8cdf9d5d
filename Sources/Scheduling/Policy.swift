import PlanningMemory
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
    let arena = Arena()
    defer { withExtendedLifetime(arena) {} }
    let layout = PlanningLayout(problem, in: arena)
    let plan = ExactPlan(layout, FillOrder(layout), in: arena)
    for slot in 0..<problem.slots {
      let present = queue(plan, problem, slot)
      if self == .equalShare {
        share(slot, among: present, plan, problem)
      } else {
        for i in present {
          let at = layout.place[i]
          let row = layout.memory.rows[at]
          let wish = min(plan.terms[at].most, plan.lacking(at))
          plan.set(at, row, slot, to: plan.onGrid(at, self == .uncontrolled ? wish : min(wish, plan.free(row, slot))))
        }
      }
    }
    var currents: [[Current]] = []
    var energy: [Double] = []
    for (i, session) in problem.sessions.enumerated() {
      let row = layout.memory.rows[layout.place[i]]
      currents.append(session.window.map { Current(milliamperes: Int(plan.current[layout.index(row, $0)])) })
      energy.append(min(session.demand, Double(plan.used[layout.place[i]]) * row.unit))
    }
    return PolicyOutcome(currents: currents, energy: energy, objective: plan.objective, overload: plan.overload)
  }

  /// Who is there and still lacks enough to be served, first served first; ties by index.
  private func queue(_ plan: ExactPlan, _ problem: PlanningProblem, _ slot: Int) -> [Int] {
    let present = problem.sessions.indices.filter { i in
      let at = plan.layout.place[i]
      let term = plan.terms[at]
      return problem.sessions[i].window.contains(slot) && plan.lacking(at) >= term.least && term.most >= term.least
    }
    let keys = problem.sessions.indices.map { i in key(plan, problem.sessions[i], i, slot) }
    return present.sorted { (keys[$0], $0) < (keys[$1], $1) }
  }

  private func key(_ plan: ExactPlan, _ session: PlanningProblem.Session, _ i: Int, _ slot: Int) -> Int {
    let at = plan.layout.place[i]
    return rank(
      from: session.window.lowerBound, until: session.window.upperBound, lacking: plan.lacking(at), most: plan.terms[at].most,
      in: slot)
  }

  /// The smaller, the sooner it is served; currents in mA, the lacking energy in mA for one slot.
  func rank(from: Int, until: Int, lacking: Int, most: Int, in slot: Int) -> Int {
    switch self {
    case .earliestDeadline: until
    case .leastLaxity: (until - slot) * 1000 - lacking * 1000 / max(1, most)
    case .optimal, .equalShare, .firstCome, .uncontrolled: from
    }
  }

  private func share(_ slot: Int, among present: [Int], _ plan: ExactPlan, _ problem: PlanningProblem) {
    let circuits = problem.circuits.map { circuit in
      FairShare.Circuit(
        parent: circuit.parent,
        room: circuit.limit.map { Current(milliamperes: ExactPlan.milliamperes($0.count == 1 ? $0[0] : $0[slot])) })
    }
    let claims = present.map { i in
      let at = plan.layout.place[i]
      return FairShare.Claim(
        circuit: problem.sessions[i].circuit, phases: problem.sessions[i].phases,
        floor: Current(milliamperes: plan.terms[at].least),
        cap: Current(milliamperes: min(plan.terms[at].most, plan.lacking(at))))
    }
    let shares = FairShare.allocate(circuits: circuits, claims: claims)
    for (i, share) in zip(present, shares) {
      let at = plan.layout.place[i]
      let row = plan.m.rows[at]
      plan.set(at, row, slot, to: plan.onGrid(at, min(share.current.milliamperes, plan.free(row, slot))))
    }
  }
}

extension ExactPlan {
  var overload: PolicyOutcome.Overload? {
    var worst: PolicyOutcome.Overload?
    for place in 0..<room.count where place % width < m.slots && room[place] < -(worst?.excess.raw ?? 0) {
      worst = PolicyOutcome.Overload(
        circuit: place / (3 * width), phase: Phase(rawValue: place / width % 3)!, slot: place % width,
        excess: Current(milliamperes: -room[place]))
    }
    return worst
  }
}
