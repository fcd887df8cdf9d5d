import PlanningMemory
import Quantities

/// A plan in whole milliamperes: within every limit by construction, each value zero or between the session's bounds, on its grid.
///
/// What a session asks for need not end on its grid. The plan may then give it up to one grid step more, which is not drawn: the
/// vehicle or the energy meter ends the last slot, and neither worth nor cost is counted for it.
struct ExactPlan {
  let layout: PlanningLayout
  let order: FillOrder
  /// mA, placed as in `RelaxedPlan`.
  let current: Slab<Int32>
  /// mA-slots.
  let used: Slab<Int>
  let terms: Slab<Terms>
  let room: Slab<Int>
  private let total: Slab<Int>
  private var ceiling = Int.max / 8
  let sides: SideLimits<Int>

  /// A session's terms in whole milliamperes, and mA-slots.
  struct Terms: BitwiseCopyable {
    /// Rounded up to the grid.
    var demand = 0
    var step = 1
    var least = 1
    var most = 0
  }

  init(_ layout: PlanningLayout, _ order: FillOrder, in arena: Arena) {
    (self.layout, self.order) = (layout, order)
    sides = SideLimits(layout.problem, Self.milliamperes)
    let m = layout.memory
    current = arena.slab(m.plan.count * 8, 0)
    used = arena.slab(m.sessions, 0)
    terms = arena.slab(m.sessions, Terms())
    room = arena.slab(m.limit.count * 8, 0)
    total = arena.slab(m.chunks * 8, 0)
    for at in 0..<m.sessions {
      let (session, row) = (layout.problem.sessions[layout.owner[at]], m.rows[at])
      let step = max(1, Int((session.step * 1000).rounded()))
      let bound = Int((session.smallest * 1000 - 1e-6).rounded(.up))
      let demand = Int((m.exactReach[row.steps + row.stepCount - 1] * 1000 - 1e-6).rounded(.up))
      terms[at] = Terms(
        demand: (demand + step - 1) / step * step, step: step, least: max(1, (bound + step - 1) / step) * step,
        most: Self.milliamperes(session.largest) / step * step)
    }
    clear()
  }

  var m: PlanningMemory { layout.memory }
  var width: Int { m.chunks * 8 }

  /// Whole milliamperes, never more than the value says (a millionth of one is forgiven: 31.7 A is 31,700 mA).
  static func milliamperes(_ amperes: Double) -> Int { Int((amperes * 1000 + 1e-6).rounded(.down)) }

  /// Nobody charges.
  mutating func clear() {
    current.fill(0)
    used.fill(0)
    total.fill(0)
    for (slot, offset) in layout.problem.peakOffsets.enumerated() { total[slot] = Int((offset * 1000).rounded(.up)) }
    ceiling = .max / 8
    for j in 0..<room.count { room[j] = Self.milliamperes(m.exactLimit.numbers[j]) }
  }

  mutating func copy(_ other: ExactPlan) {
    current.copy(other.current)
    used.copy(other.used)
    total.copy(other.total)
    room.copy(other.room)
    ceiling = other.ceiling
  }

  /// The largest value allowed that is not above `wanted`.
  @inline(__always) func onGrid(_ at: Int, _ wanted: Int) -> Int {
    let term = terms[at]
    let value = min(wanted, term.most)
    return value < term.least ? 0 : value / term.step * term.step
  }

  @inline(__always) func free(_ row: SessionRow, _ slot: Int) -> Int {
    var free = (ceiling - total[slot]) / row.phases.nonzeroBitCount
    var k = row.circuit
    while k >= 0 {
      for phase in 0..<3 where row.phases & (1 << phase) != 0 { free = min(free, room[(k * 3 + phase) * width + slot]) }
      k = Int(m.parent[k])
    }
    if !sides.isEmpty, let side = sides.free(row.circuit, row.phases, slot, layout.parents, drawn) { return min(free, side) }
    return free
  }

  /// What is drawn below a circuit on a phase in a slot, mA.
  func drawn(_ k: Int, _ phase: Int, _ slot: Int) -> Int {
    let place = (k * 3 + phase) * width + slot
    return Self.milliamperes(m.exactLimit.numbers[place]) - room[place]
  }

  @inline(__always) func set(_ at: Int, _ row: SessionRow, _ slot: Int, to value: Int) {
    let place = layout.index(row, slot)
    let change = value - Int(current[place])
    guard change != 0 else { return }
    current[place] = Int32(value)
    used[at] += change
    total[slot] += change * row.phases.nonzeroBitCount
    var k = row.circuit
    while k >= 0 {
      for phase in 0..<3 where row.phases & (1 << phase) != 0 { room[(k * 3 + phase) * width + slot] -= change }
      k = Int(m.parent[k])
    }
  }

  @inline(__always) func lacking(_ at: Int) -> Int { terms[at].demand - used[at] }

  mutating func holdPeak() {
    guard layout.problem.peak > 0 else { return }
    ceiling = 0
    for slot in 0..<m.slots { ceiling = max(ceiling, total[slot]) }
  }

  /// What a session's currents are worth less what they cost, EUR.
  func euro(_ at: Int, _ row: SessionRow) -> Double {
    var (spent, last) = (0.0, row.start)
    for slot in row.start..<row.end {
      let amps = current[layout.index(row, slot)]
      if amps != 0 {
        spent += Double(amps) * order.cost[slot]
        last = slot
      }
    }
    var energy = Double(used[at]) / 1000
    spent *= row.unit / 1000
    let demand = m.exactReach[row.steps + row.stepCount - 1]
    if energy > demand {
      spent -= (energy - demand) * row.unit * order.cost[last]
      energy = demand
    }
    return worth(row, energy) - spent
  }

  @inline(__always) func worth(_ row: SessionRow, _ energy: Double) -> Double {
    var (sum, before) = (0.0, 0.0)
    for step in row.steps..<row.steps + row.stepCount where energy > before {
      sum += m.exactWorth[step] * (min(energy, m.exactReach[step]) - before)
      before = m.exactReach[step]
    }
    return sum
  }

  var objective: Double {
    var sum = 0.0
    for at in 0..<m.sessions { sum += euro(at, m.rows[at]) }
    guard layout.problem.peak > 0 else { return sum }
    var most = 0
    for slot in 0..<m.slots { most = max(most, total[slot]) }
    return sum - layout.problem.peak * layout.problem.volts / 1e6 * Double(most)
  }
}
