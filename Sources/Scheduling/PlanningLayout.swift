import PlanningMemory
import Quantities

/// A problem laid out in memory for the kernels: sessions sorted so that those below any circuit stand together.
struct PlanningLayout {
  let problem: PlanningProblem
  private(set) var memory: PlanningMemory
  /// Which session of the problem stands at each place, and where each session stands.
  let owner: [Int]
  let place: [Int]
  /// For each circuit the places of the sessions at it and below it.
  let below: [Range<Int>]
  let parents: [Int]

  init(_ problem: PlanningProblem, in arena: Arena) {
    self.problem = problem
    let parents = problem.circuits.map { $0.parent ?? -1 }
    self.parents = parents
    (owner, place, below) = Self.sorted(problem, parents)
    var (vectors, steps) = (0, 0)
    for session in problem.sessions {
      vectors += (session.window.upperBound + 7) / 8 - session.window.lowerBound / 8
      steps += max(1, session.value.count)
    }
    memory = PlanningMemory(
      slots: problem.slots, circuits: parents.count, sessions: problem.sessions.count, vectors: vectors, steps: steps,
      unit: problem.volts * Double(problem.slotMinutes) / 60_000, in: arena)
    addTime()
    addLimits()
    addSessions()
    addUse(arena)
    memory.requireWhole()
  }

  /// Places in the order of a walk through the tree, each circuit's own sessions first.
  private static func sorted(_ problem: PlanningProblem, _ parents: [Int]) -> ([Int], [Int], [Range<Int>]) {
    var own = [Int](repeating: 0, count: parents.count)
    for session in problem.sessions { own[session.circuit] += 1 }
    var whole = own
    for k in parents.indices.reversed() where parents[k] >= 0 { whole[parents[k]] += whole[k] }
    var start = [Int](repeating: 0, count: parents.count)
    var next = start
    for k in parents.indices {
      if parents[k] >= 0 {
        start[k] = next[parents[k]]
        next[parents[k]] += whole[k]
      }
      next[k] = start[k] + own[k]
    }
    var fill = start
    var owner = [Int](repeating: 0, count: problem.sessions.count)
    var place = owner
    for (i, session) in problem.sessions.enumerated() {
      place[i] = fill[session.circuit]
      owner[fill[session.circuit]] = i
      fill[session.circuit] += 1
    }
    return (owner, place, parents.indices.map { start[$0]..<start[$0] + whole[$0] })
  }

  private func addTime() {
    let far = 1e9
    for edge in 0..<9 {
      var (before, after) = (SIMD8<Double>.zero, SIMD8<Double>.zero)
      for lane in 0..<8 {
        if lane < edge { before[lane] = far }
        if lane >= edge { after[lane] = far }
      }
      if edge < 8 { (memory.before[edge], memory.exactBefore[edge]) = (SIMD8<Float>(before), before) }
      (memory.after[edge], memory.exactAfter[edge]) = (SIMD8<Float>(after), after)
    }
    for slot in 0..<problem.slots {
      memory.cost.numbers[slot] = Float(problem.cost(slot))
      memory.exactCost.numbers[slot] = problem.cost(slot)
    }
  }

  private func addLimits() {
    let width = memory.chunks * 8
    for (k, circuit) in problem.circuits.enumerated() {
      memory.parent[k] = Int32(parents[k])
      for phase in Phase.allCases {
        let values = circuit.limit[phase]
        let base = (k * 3 + phase.rawValue) * width
        for slot in 0..<problem.slots {
          let value = values[values.count == 1 ? 0 : slot]
          memory.exactLimit.numbers[base + slot] = value
          memory.limit.numbers[base + slot] = Float(value)
        }
      }
    }
  }

  private mutating func addSessions() {
    var own = [Int](repeating: 0, count: parents.count)
    for session in problem.sessions { own[session.circuit] += 1 }
    for k in parents.indices {
      memory.firstSession[k] = Int32(below[k].lowerBound)
      memory.endSession[k] = Int32(below[k].lowerBound + own[k])
    }
    let rowsTouched = RowCounts(problem)
    var (offset, steps) = (0, 0)
    for (at, i) in owner.enumerated() {
      let session = problem.sessions[i]
      var row = SessionRow()
      (row.start, row.end) = (session.window.lowerBound, session.window.upperBound)
      row.first = row.start / 8
      row.count = (row.end + 7) / 8 - row.first
      (row.offset, row.circuit, row.phases) = (offset, session.circuit, Int(session.phases.rawValue))
      (row.steps, row.stepCount) = (steps, max(1, session.value.count))
      (row.most, row.unit) = (session.largest, problem.energyPerAmpere(session))
      row.pace = 1 / Float(rowsTouched.sum(for: session))
      memory.masks[session.circuit] |= 1 << session.phases.rawValue
      var reach = 0.0
      for step in 0..<row.stepCount {
        let value =
          step < session.value.count ? session.value[step] : PlanningProblem.ValueStep(wattHours: 0, euroPerKilowattHour: 0)
        reach += value.wattHours / 1000 / row.unit
        memory.exactWorth[steps + step] = value.euroPerKilowattHour * row.unit
        memory.exactReach[steps + step] = reach
        memory.worth[steps + step] = Float(value.euroPerKilowattHour * row.unit)
        memory.reach[steps + step] = Float(reach)
      }
      memory.rows[at] = row
      memory.energyPrice[at] = memory.worth[steps]
      offset += row.count
      steps += row.stepCount
    }
  }

  /// Who may draw at each limit: a limit that holds all of them at their most can never bind and needs no price.
  private func addUse(_ arena: Arena) {
    let chunks = memory.chunks
    // In float64: thousands of terms in float32 may come out too small, and a limit that binds would be taken for one that cannot.
    let drawn = arena.slab(memory.limit.count, SIMD8<Double>.zero)
    for at in 0..<memory.sessions {
      let row = memory.rows[at]
      for phase in 0..<3 where row.phases & (1 << phase) != 0 {
        let base = (row.circuit * 3 + phase) * chunks + row.first
        for c in 0..<row.count {
          var inside = SIMD8<Float>(repeating: 1)
          if c == 0 { inside.replace(with: 0, where: memory.before[row.start & 7] .> 0) }
          if c == row.count - 1 { inside.replace(with: 0, where: memory.after[row.end - (row.first + c) * 8] .> 0) }
          memory.users[base + c] += inside
          drawn[base + c] += SIMD8<Double>(inside) * row.most
        }
      }
    }
    for k in parents.indices.reversed() {
      for j in k * 3 * chunks..<(k + 1) * 3 * chunks {
        if parents[k] >= 0 {
          let above = j + (parents[k] - k) * 3 * chunks
          memory.users[above] += memory.users[j]
          drawn[above] += drawn[j]
        }
        let binds = SIMD8<Float>(SIMD8<Double>.zero.replacing(with: 1, where: drawn[j] .> memory.exactLimit[j]))
        memory.sigma[j] = SIMD8<Float>.zero.replacing(with: 1 / memory.users[j], where: binds .> 0)
      }
    }
    addRuns()
  }

  private func addRuns() {
    var count = 0
    for k in parents.indices {
      memory.firstRun[k] = Int32(count)
      let limits = k * 3 * memory.chunks..<(k + 1) * 3 * memory.chunks
      for j in limits where memory.sigma[j] != .zero {
        if j == limits.lowerBound || memory.sigma[j - 1] == .zero {
          memory.runs[count].start = j
          count += 1
        }
        memory.runs[count - 1].end = j + 1
      }
    }
    memory.firstRun[parents.count] = Int32(count)
  }

  /// A circuit and all above it.
  func path(_ circuit: Int) -> [Int] {
    var path: [Int] = []
    var k = circuit
    while k >= 0 {
      path.append(k)
      k = parents[k]
    }
    return path
  }

  /// Where slot `slot` of the session at `at` stands in arrays with one number per session and slot.
  @inline(__always) func index(_ row: SessionRow, _ slot: Int) -> Int { (row.offset - row.first) * 8 + slot }
}

/// What the rows of limits that a session's ampere touches add up to, each with its coefficient.
struct RowCounts {
  private var perPhase: [Double] = []
  private var balanced: [Double] = []

  init(_ problem: PlanningProblem) {
    for (k, circuit) in problem.circuits.enumerated() {
      let quarter = circuit.quarterLimit == nil ? 0 : Double(problem.slotMinutes) / 15
      let peak = k == 0 && problem.peak > 0 ? 1.0 : 0
      perPhase.append(1 + quarter + peak + (circuit.parent.map { perPhase[$0] } ?? 0))
      balanced.append((circuit.unbalance == nil ? 0 : 1) + (circuit.parent.map { balanced[$0] } ?? 0))
    }
  }
  func sum(for session: PlanningProblem.Session) -> Double {
    // One phase, or two, differ from the others in two pairs.
    Double(session.phases.count) * perPhase[session.circuit] + (session.phases == .all ? 0 : 2 * balanced[session.circuit])
  }
}
