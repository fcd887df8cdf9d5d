import Quantities

/// A plan in float64 that keeps every limit and every demand, its worth, and the bound that proves how good it is.
struct RelaxedPlan {
  let grid: PlanningGrid
  /// Amperes; session `i` has slot `t` at `place(i, t)`.
  private(set) var amps: [Double]
  /// Ampere-slots each session has.
  private(set) var energy: [Double]
  /// What is left, for each circuit and phase, slot by slot.
  private var room: [Double]
  /// Sum over the site's phases, and the most it may be: filling up must not raise the peak.
  private var total: [Double]
  private var ceiling = Double.infinity
  private let slots: Int
  private let largest: [Double]
  private let windows: [Range<Int>]
  let order: FillOrder

  /// The plan an iterate proposes, cut down to what the limits allow and filled up again.
  init(_ grid: PlanningGrid, order: FillOrder, proposal: [PlanningGrid.Lanes]) {
    (self.grid, self.order, slots) = (grid, order, grid.problem.slots)
    windows = grid.problem.sessions.map(\.window)
    largest = grid.problem.sessions.map(\.largest)
    amps = Array(repeating: 0, count: grid.gain.count * 8)
    energy = Array(repeating: 0, count: grid.rows.count)
    total = Array(repeating: 0, count: slots)
    room = []
    for circuit in grid.problem.circuits {
      for phase in Phase.allCases {
        let limit = circuit.limit[phase]
        room += limit.count == slots ? limit : Array(repeating: limit[0], count: slots)
      }
    }
    for i in grid.rows.indices { adopt(i, proposal) }
    trim()
    if grid.problem.peak > 0 { ceiling = total.max() ?? 0 }
    fill()
    cheapen()
  }

  func place(_ i: Int, _ slot: Int) -> Int { (grid.windows[i].offset - grid.windows[i].first) * 8 + slot }

  private mutating func adopt(_ i: Int, _ proposal: [PlanningGrid.Lanes]) {
    var wanted = 0.0
    let window = grid.problem.sessions[i].window
    for slot in window { wanted += proposed(i, slot, proposal) }
    let demand = grid.rows[i].reach.last ?? 0
    let scale = wanted > demand ? demand / wanted : 1
    for slot in window { change(i, slot, by: proposed(i, slot, proposal) * scale) }
  }

  private func proposed(_ i: Int, _ slot: Int, _ proposal: [PlanningGrid.Lanes]) -> Double {
    let at = place(i, slot)
    return min(Double(proposal[at / 8][at % 8]), grid.problem.sessions[i].largest)
  }

  private mutating func change(_ i: Int, _ slot: Int, by amount: Double) {
    guard amount != 0 else { return }
    let row = grid.windows[i]
    amps[place(i, slot)] += amount
    energy[i] += amount
    total[slot] += amount * Double(row.phases.nonzeroBitCount)
    var k = row.circuit
    while k >= 0 {
      for phase in 0..<3 where grid.has(row, phase) { room[(k * 3 + phase) * slots + slot] -= amount }
      k = grid.parents[k]
    }
  }

  private func free(_ i: Int, _ slot: Int) -> Double {
    let row = grid.windows[i]
    var least = (ceiling - total[slot]) / Double(row.phases.nonzeroBitCount)
    var k = row.circuit
    while k >= 0 {
      for phase in 0..<3 where grid.has(row, phase) { least = min(least, room[(k * 3 + phase) * slots + slot]) }
      k = grid.parents[k]
    }
    return least
  }

  private func most(_ i: Int, _ slot: Int) -> Double {
    let at = place(i, slot)
    return grid.most[at / 8][at % 8] > 0 ? largest[i] : 0
  }

  /// EUR per ampere-slot of the last energy the session has.
  private func margin(_ i: Int) -> Double {
    let row = grid.rows[i]
    let step = row.reach.firstIndex { energy[i] <= $0 * (1 + 1e-9) } ?? row.reach.count - 1
    return row.worth.isEmpty ? 0 : row.worth[step]
  }

  private mutating func trim() {
    // Ascending worth per session, all phases together: in the prototype this order mattered more than a hundred iterations.
    let margins = grid.rows.indices.map(margin)
    var below: [[Int]] = Array(repeating: [], count: grid.problem.circuits.count)
    for i in grid.rows.indices.sorted(by: { (margins[$0], $0) < (margins[$1], $1) }) {
      var circuit: Int? = grid.rows[i].circuit
      while let k = circuit {
        below[k].append(i)
        circuit = grid.problem.circuits[k].parent
      }
    }
    for k in below.indices.reversed() {
      for phase in 0..<3 { for slot in 0..<slots { trim(k, phase, slot, below[k]) } }
    }
  }

  private mutating func trim(_ k: Int, _ phase: Int, _ slot: Int, _ below: [Int]) {
    let at = (k * 3 + phase) * slots + slot
    guard room[at] < 0 else { return }
    for i in below where grid.has(grid.windows[i], phase) && windows[i].contains(slot) {
      let has = amps[place(i, slot)]
      guard has > 0 else { continue }
      // Cutting all that is there leaves an exact zero.
      change(i, slot, by: -min(has, -room[at]))
      if room[at] >= 0 { return }
    }
  }

  private mutating func fill() {
    for entry in order.entries {
      let (i, row) = (entry.session, grid.rows[entry.session])
      for slot in order.slots(of: i) {
        let left = row.reach[entry.step] - energy[i]
        guard left > 1e-9, row.worth[entry.step] > row.unit * grid.problem.cost(slot) else { break }
        let more = min(left, most(i, slot) - amps[place(i, slot)], free(i, slot))
        if more > 0 { change(i, slot, by: more) }
      }
    }
  }

  /// Moves energy from a session's dearest slots to its cheapest that have room.
  private mutating func cheapen() {
    for i in grid.rows.indices {
      let slots = order.slots(of: i)
      var (cheap, dear) = (slots.startIndex, slots.endIndex - 1)
      while cheap < dear {
        let has = amps[place(i, slots[dear])]
        guard has > 0 else {
          dear -= 1
          continue
        }
        let more = min(has, most(i, slots[cheap]) - amps[place(i, slots[cheap])], free(i, slots[cheap]))
        if more > 0 {
          change(i, slots[dear], by: -more)
          change(i, slots[cheap], by: more)
        }
        if more < has { cheap += 1 } else { dear -= 1 }
      }
    }
  }

  var objective: (euro: Double, cost: Double) { grid.objective { i, slot in amps[place(i, slot)] } }
}

/// In which order energy is handed out: the worthiest first, each session's cheapest slots first.
struct FillOrder {
  struct Entry {
    var session: Int
    var step: Int
  }
  var entries: [Entry] = []
  private var cheapest: [[Int]] = []

  init(_ grid: PlanningGrid) {
    let problem = grid.problem
    for i in grid.rows.indices { for step in grid.rows[i].worth.indices { entries.append(Entry(session: i, step: step)) } }
    let worth = entries.map { problem.sessions[$0.session].value[$0.step].euroPerKilowattHour }
    entries = entries.indices.sorted { (-worth[$0], $0) < (-worth[$1], $1) }.map { entries[$0] }
    let costs = (0..<problem.slots).map(problem.cost)
    let all = costs.indices.sorted { (costs[$0], $0) < (costs[$1], $1) }
    cheapest = problem.sessions.map { session in all.filter(session.window.contains) }
  }
  func slots(of session: Int) -> [Int] { cheapest[session] }
}

extension PlanningGrid {
  /// What a plan is worth by the problem's own words, and what its energy costs.
  func objective(_ amps: (Int, Int) -> Double) -> (euro: Double, cost: Double) {
    var (euro, spent) = (0.0, 0.0)
    var power = [Double](repeating: 0, count: problem.slots)
    for (i, row) in rows.enumerated() {
      var energy = 0.0
      for slot in problem.sessions[i].window {
        let current = amps(i, slot)
        energy += current
        spent += current * row.unit * problem.cost(slot)
        power[slot] += current * Double(row.phases.nonzeroBitCount)
      }
      var before = 0.0
      for step in row.worth.indices {
        euro += row.worth[step] * max(0, min(energy, row.reach[step]) - before)
        before = row.reach[step]
      }
    }
    return (euro - spent - problem.peak * problem.volts / 1000 * (power.max() ?? 0), abs(spent))
  }

  /// No plan of the relaxed problem is worth more than this, whatever the prices: weak duality, in float64.
  func bound(prices: [Lanes], peak: [Double]) -> Double {
    let (slots, circuits) = (problem.slots, problem.circuits)
    var path = [Double](repeating: 0, count: circuits.count * 3 * slots)
    let peakCost = problem.peak * problem.volts / 1000
    let peakSum = peak.reduce(0, +)
    let scale = peakSum > peakCost ? peakCost / peakSum : 1
    var bound = 0.0
    for (k, circuit) in circuits.enumerated() {
      for phase in 0..<3 {
        let limits = circuit.limit[Phase(rawValue: phase)!]
        for slot in 0..<slots {
          let at = (k * 3 + phase) * slots + slot
          let own = max(0, Double(prices[(k * 3 + phase) * chunks + slot / 8][slot % 8]))
          bound += own * limits[limits.count == 1 ? 0 : slot]
          path[at] = own + (circuit.parent.map { path[($0 * 3 + phase) * slots + slot] } ?? peak[slot] * scale)
        }
      }
    }
    var values: [Double] = []
    for (i, row) in rows.enumerated() {
      let session = problem.sessions[i]
      values.removeAll(keepingCapacity: true)
      for slot in session.window {
        var value = -row.unit * problem.cost(slot)
        for phase in 0..<3 where has(row, phase) { value -= path[(row.circuit * 3 + phase) * slots + slot] }
        if value + (row.worth.first ?? 0) > 0 { values.append(value) }
      }
      values.sort(by: >)
      bound += best(values, row, session.largest)
    }
    return bound
  }

  private func best(_ values: [Double], _ row: Row, _ most: Double) -> Double {
    var (sum, step, energy) = (0.0, 0, 0.0)
    for value in values {
      var left = most
      while left > 0 && step < row.worth.count && value + row.worth[step] > 0 {
        let amount = min(left, row.reach[step] - energy)
        sum += amount * (value + row.worth[step])
        left -= amount
        energy += amount
        if left > 0 { step += 1 }
      }
    }
    return sum
  }
}
