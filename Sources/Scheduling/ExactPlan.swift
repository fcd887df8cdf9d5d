import Quantities

/// A plan in whole milliamperes: within every limit by construction, each value zero or between the session's bounds, on its grid.
struct ExactPlan {
  let grid: PlanningGrid
  let slots: Int
  /// mA, placed as in `RelaxedPlan`.
  private(set) var current: [Int]
  private(set) var used: [Int]
  let terms: [Terms]
  private(set) var room: [Int]
  private var total: [Int]
  private var ceiling = Int.max / 8

  /// - Parameter relaxed: what to round down; what that leaves is handed out again in `order`.
  init(_ grid: PlanningGrid, order: FillOrder, rounding relaxed: RelaxedPlan?) {
    (self.grid, slots) = (grid, grid.problem.slots)
    terms = zip(grid.problem.sessions, grid.rows).map { Terms($0, $1) }
    current = Array(repeating: 0, count: grid.gain.count * 8)
    used = Array(repeating: 0, count: grid.rows.count)
    total = Array(repeating: 0, count: slots)
    room = []
    for circuit in grid.problem.circuits {
      for phase in Phase.allCases {
        let limit = circuit.limit[phase]
        for slot in 0..<slots { room.append(Self.milliamperes(limit[limit.count == 1 ? 0 : slot])) }
      }
    }
    guard let relaxed else { return }
    for i in grid.rows.indices {
      for slot in grid.problem.sessions[i].window {
        let wanted = min(Self.milliamperes(relaxed.amps[relaxed.place(i, slot)]), free(i, slot), demand(i) - used[i])
        set(i, slot, to: onGrid(i, wanted))
      }
    }
    if grid.problem.peak > 0 { ceiling = total.max() ?? 0 }
    for entry in order.entries { fill(entry, order.slots(of: entry.session)) }
    for i in grid.rows.indices { borrow(i, order.slots(of: i)) }
  }

  /// Whole milliamperes, never more than the value says (a millionth of one is forgiven: 31.7 A is 31,700 mA).
  static func milliamperes(_ amperes: Double) -> Int { Int((amperes * 1000 + 1e-6).rounded(.down)) }

  func place(_ i: Int, _ slot: Int) -> Int { (grid.windows[i].offset - grid.windows[i].first) * 8 + slot }
  func demand(_ i: Int) -> Int { terms[i].demand }
  func step(_ i: Int) -> Int { terms[i].step }
  func least(_ i: Int) -> Int { terms[i].least }
  func most(_ i: Int) -> Int { terms[i].most }

  /// A session's terms in whole milliamperes, and mA-slots.
  struct Terms {
    let demand: Int
    let step: Int
    let least: Int
    let most: Int
    let unit: Double

    init(_ session: PlanningProblem.Session, _ row: PlanningGrid.Row) {
      demand = ExactPlan.milliamperes(row.reach.last ?? 0)
      step = max(1, Int((session.step * 1000).rounded()))
      let bound = Int((session.smallest * 1000 - 1e-6).rounded(.up))
      least = max(1, (bound + step - 1) / step) * step
      most = ExactPlan.milliamperes(session.largest) / step * step
      unit = row.unit
    }
  }

  /// The largest value allowed that is not above `wanted`.
  func onGrid(_ i: Int, _ wanted: Int) -> Int {
    let value = min(max(0, wanted) / step(i) * step(i), most(i))
    return value < least(i) ? 0 : value
  }

  func free(_ i: Int, _ slot: Int) -> Int {
    let row = grid.windows[i]
    var free = (ceiling - total[slot]) / row.phases.nonzeroBitCount
    var k = row.circuit
    while k >= 0 {
      for phase in 0..<3 where grid.has(row, phase) { free = min(free, room[(k * 3 + phase) * slots + slot]) }
      k = grid.parents[k]
    }
    return free
  }

  mutating func set(_ i: Int, _ slot: Int, to value: Int) {
    let change = value - current[place(i, slot)]
    guard change != 0 else { return }
    current[place(i, slot)] = value
    used[i] += change
    total[slot] += change * grid.windows[i].phases.nonzeroBitCount
    var k = grid.windows[i].circuit
    while k >= 0 {
      for phase in 0..<3 where grid.has(grid.windows[i], phase) { room[(k * 3 + phase) * slots + slot] -= change }
      k = grid.parents[k]
    }
  }

  /// What the session still lacks of its whole demand, mA-slots.
  func lacking(_ i: Int) -> Int { demand(i) - used[i] }

  mutating func fill(_ entry: FillOrder.Entry, _ cheapest: [Int]) {
    let (i, row) = (entry.session, grid.rows[entry.session])
    for slot in cheapest {
      let left = Self.milliamperes(row.reach[entry.step]) - used[i]
      guard left >= step(i), row.worth[entry.step] > row.unit * grid.problem.cost(slot) else { return }
      let now = current[place(i, slot)]
      // A slot newly opened may reach into the next step of the value: it must hold the least current.
      let wanted = now > 0 ? now + min(left, free(i, slot)) : min(max(left, least(i)), lacking(i), free(i, slot))
      let value = onGrid(i, wanted)
      if value > now { set(i, slot, to: value) }
    }
  }

  /// A rest too small to open a slot takes what is missing from a fuller one.
  private mutating func borrow(_ i: Int, _ cheapest: [Int]) {
    let rest = lacking(i) / step(i) * step(i)
    guard rest > 0, rest < least(i), let worth = grid.rows[i].worth.last else { return }
    let missing = least(i) - rest
    guard let target = cheapest.first(where: { current[place(i, $0)] == 0 && free(i, $0) >= least(i) }),
      let donor = cheapest.last(where: { current[place(i, $0)] >= least(i) + missing }),
      worth > grid.rows[i].unit * grid.problem.cost(target)
    else { return }
    let gain = Double(rest) * worth - Double(least(i)) * grid.rows[i].unit * grid.problem.cost(target)
    guard gain + Double(missing) * grid.rows[i].unit * grid.problem.cost(donor) > 0 else { return }
    set(i, donor, to: current[place(i, donor)] - missing)
    set(i, target, to: least(i))
  }

  var objective: Double { grid.objective { i, slot in Double(current[place(i, slot)]) / 1000 }.euro }
}
