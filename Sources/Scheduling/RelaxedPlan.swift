import PlanningMemory
import Quantities

/// A plan in float64 that keeps every limit and every demand, and what it is worth.
struct RelaxedPlan {
  let layout: PlanningLayout
  let order: FillOrder
  /// Amperes; the session at place `at` has slot `t` at `layout.index(row, t)`.
  let amps: Slab<Double>
  /// Ampere-slots each session has.
  let energy: Slab<Double>
  /// What each session misses with an ampere-slot less, EUR, but for what an ampere costs in the slot.
  private let regret: Slab<Double>
  /// What is left, for each circuit and phase, slot by slot.
  let room: Slab<Double>
  /// Sum over the site's phases, and the most it may be: filling up must not raise the peak.
  private let total: Slab<Double>
  /// What stands in `total` when nobody draws.
  private let offset: [Double]
  private let sides: SideLimits<Double>
  /// Who may be cut.
  private var candidates: LeastFirst
  /// The least room on the path of the circuit at hand, for each phase, slot by slot.
  private let narrowest: Slab<Double>
  private var ceiling = Double.infinity
  private(set) var euro = 0.0
  /// What its energy costs, EUR.
  private(set) var spent = 0.0

  init(_ layout: PlanningLayout, _ order: FillOrder, in arena: Arena) {
    (self.layout, self.order) = (layout, order)
    sides = SideLimits(layout.problem) { $0 }
    offset = layout.problem.peakOffsets
    let m = layout.memory
    amps = arena.slab(m.plan.count * 8, 0)
    energy = arena.slab(m.sessions, 0)
    regret = arena.slab(m.sessions, 0)
    room = arena.slab(m.limit.count * 8, 0)
    total = arena.slab(m.chunks * 8, 0)
    candidates = LeastFirst(m.sessions, in: arena)
    narrowest = arena.slab(3 * m.chunks * 8, 0)
  }

  private var m: PlanningMemory { layout.memory }
  private var width: Int { m.chunks * 8 }

  /// Becomes the plan an iterate proposes, cut down to what the limits allow and filled up again.
  mutating func adopt(_ proposal: Slab<SIMD8<Float>>) {
    take(proposal)
    trim()
    if !sides.isEmpty { settle() }
    ceiling = layout.problem.peak > 0 ? highest() : .infinity
    fill()
    cheapen()
    evaluate()
  }

  private func highest() -> Double {
    var most = 0.0
    for slot in 0..<m.slots { most = max(most, total[slot]) }
    return most
  }

  private func take(_ proposal: Slab<SIMD8<Float>>) {
    let proposed = proposal.numbers
    room.fill(0)
    total.fill(0)
    for at in 0..<m.sessions {
      let row = m.rows[at]
      var wanted = 0.0
      let base = row.offset * 8
      for j in base..<base + row.count * 8 {
        let value = min(Double(proposed[j]), row.most)
        amps[j] = value
        wanted += value
      }
      let demand = m.exactReach[row.steps + row.stepCount - 1]
      if wanted > demand {
        let scale = demand / wanted
        for j in base..<base + row.count * 8 { amps[j] *= scale }
        wanted = demand
      }
      energy[at] = wanted
      for phase in 0..<3 where row.phases & (1 << phase) != 0 {
        let to = (row.circuit * 3 + phase) * width + row.first * 8
        for j in 0..<row.count * 8 { room[to + j] += amps[base + j] }
      }
    }
    for k in layout.parents.indices.reversed() {
      let (own, above) = (k * 3 * width, layout.parents[k] * 3 * width)
      if above >= 0 { for j in 0..<3 * width { room[above + j] += room[own + j] } }
      if above < 0 {
        for j in 0..<width { total[j] = room[j] + room[width + j] + room[2 * width + j] }
        for slot in 0..<offset.count { total[slot] += offset[slot] }
      }
      for j in 0..<3 * width { room[own + j] = m.exactLimit.numbers[own + j] - room[own + j] }
    }
  }

  @inline(__always)
  private func change(_ at: Int, _ row: SessionRow, _ slot: Int, by amount: Double) {
    amps[layout.index(row, slot)] += amount
    energy[at] += amount
    total[slot] += amount * Double(row.phases.nonzeroBitCount)
    var k = row.circuit
    while k >= 0 {
      for phase in 0..<3 where row.phases & (1 << phase) != 0 { room[(k * 3 + phase) * width + slot] -= amount }
      k = Int(m.parent[k])
    }
  }

  @inline(__always)
  private func free(_ row: SessionRow, _ slot: Int) -> Double {
    var least = (ceiling - total[slot]) / Double(row.phases.nonzeroBitCount)
    var k = row.circuit
    while k >= 0 {
      for phase in 0..<3 where row.phases & (1 << phase) != 0 { least = min(least, room[(k * 3 + phase) * width + slot]) }
      if least <= 0 { return 0 }
      k = Int(m.parent[k])
    }
    if !sides.isEmpty, let side = sides.free(row.circuit, row.phases, slot, layout.parents, drawn) { return min(least, side) }
    return least
  }

  /// What is drawn below a circuit on a phase in a slot.
  private func drawn(_ k: Int, _ phase: Int, _ slot: Int) -> Double {
    let place = (k * 3 + phase) * width + slot
    return m.exactLimit.numbers[place] - room[place]
  }

  /// Cuts what balance and quarters forbid. A cut may bring another excess about; all that is drawn in a slot goes rather than one.
  private func settle() {
    for pass in 0..<20 {
      let found = sides.settle(1e-9, drawn) { excess in
        if pass < 16 {
          cut(excess)
        } else {
          for slot in excess.slots {
            for at in 0..<m.sessions where m.rows[at].start <= slot && slot < m.rows[at].end { drop(at, slot) }
          }
        }
      }
      if !found { return }
    }
  }

  private func drop(_ at: Int, _ slot: Int) {
    let row = m.rows[at]
    let has = amps[layout.index(row, slot)]
    guard has != 0 else { return }
    change(at, row, slot, by: -has)
    amps[layout.index(row, slot)] = 0
  }

  private func cut(_ excess: SideLimits<Double>.Excess) {
    var keys: [UInt64] = []
    for at in layout.below[excess.circuit] {
      let row = m.rows[at]
      guard row.phases & (1 << excess.phase) != 0, excess.other.map({ row.phases & (1 << $0) == 0 }) ?? true else { continue }
      keys.append(sortingKey(margin(at, row), at))
    }
    keys.sort()
    var left = excess.amount
    for key in keys {
      let at = Int(key & 0xFFFF_FFFF)
      let row = m.rows[at]
      for slot in excess.slots where row.start <= slot && slot < row.end {
        let has = amps[layout.index(row, slot)]
        guard has > 0 else { continue }
        if has <= left { drop(at, slot) } else { change(at, row, slot, by: -left) }
        left -= min(has, left)
        if left <= 0 { return }
      }
    }
  }

  /// EUR per ampere-slot of the last energy a session has.
  private func margin(_ at: Int, _ row: SessionRow) -> Double {
    for step in row.steps..<row.steps + row.stepCount where energy[at] <= m.exactReach[step] * (1 + 1e-9) {
      return m.exactWorth[step]
    }
    return m.exactWorth[row.steps + row.stepCount - 1]
  }

  /// How much a session can lose before what it loses is worth more, ampere-slots.
  private func energyOfLastStep(_ at: Int, _ row: SessionRow) -> Double {
    var before = 0.0
    for step in row.steps..<row.steps + row.stepCount where energy[at] > m.exactReach[step] * (1 + 1e-9) {
      before = m.exactReach[step]
    }
    return before > 0 ? energy[at] - before : .infinity
  }

  /// Cuts what is too much, limit by limit from the leaves up: first what is missed least at the prices.
  private mutating func trim() {
    for at in 0..<m.sessions { regret[at] = margin(at, m.rows[at]) + Double(m.energyPrice[at]) }
    for k in layout.parents.indices.reversed() {
      for run in Int(m.firstRun[k])..<Int(m.firstRun[k + 1]) {
        for limit in m.runs[run].start * 8..<m.runs[run].end * 8 where room[limit] < 0 {
          trim(limit, limit / width % 3, limit % width, layout.below[k])
        }
      }
    }
  }

  private mutating func trim(_ limit: Int, _ phase: Int, _ slot: Int, _ members: Range<Int>) {
    candidates.clear()
    var prices = SlotPrices(slot, order.cost[slot])
    for at in members {
      let row = m.rows[at]
      guard row.phases & (1 << phase) != 0, row.start <= slot, slot < row.end, amps[layout.index(row, slot)] > 0 else { continue }
      candidates.add(sortingKey(regret[at] - prices.ampere(row, m), at))
    }
    candidates.order()
    while let key = candidates.least {
      let at = Int(key & 0xFFFF_FFFF)
      let row = m.rows[at]
      let has = amps[layout.index(row, slot)]
      // What belongs to an earlier value step is missed more. Cutting all that is there leaves an exact zero.
      let less = min(has, -room[limit], energyOfLastStep(at, row))
      change(at, row, slot, by: -less)
      regret[at] = margin(at, row) + Double(m.energyPrice[at])
      if room[limit] >= 0 { return }
      if less < has {
        candidates.replaceLeast(by: sortingKey(regret[at] - prices.ampere(row, m), at))
      } else {
        candidates.dropLeast()
      }
    }
  }

  private func fill() {
    for entry in order.entries {
      let (at, row) = (Int(entry.session), m.rows[Int(entry.session)])
      let step = row.steps + Int(entry.step)
      let (reach, worth) = (m.exactReach[step], m.exactWorth[step])
      guard reach - energy[at] > 1e-9 else { continue }
      for slot in order.cheapest where slot >= row.start && slot < row.end {
        let left = reach - energy[at]
        guard left > 1e-9, worth > row.unit * order.cost[slot] else { break }
        let more = min(left, row.most - amps[layout.index(row, slot)], free(row, slot))
        if more > 0 { change(at, row, slot, by: more) }
      }
    }
  }

  /// Moves energy from a session's dearest slots to its cheapest that have room.
  private func cheapen() {
    for k in layout.parents.indices where m.firstSession[k] < m.endSession[k] {
      for slot in 0..<m.slots { for phase in 0..<3 { narrow(k, phase, slot) } }
      for at in Int(m.firstSession[k])..<Int(m.endSession[k]) {
        let row = m.rows[at]
        // What leaves a slot on some phases alone may leave the others too heavy.
        if sides.hasBalance && row.phases != 7 { continue }
        if couldBeCheaper(row) { cheapen(at, row) }
      }
    }
  }

  private func cheapen(_ at: Int, _ row: SessionRow) {
    var (cheap, dear) = (0, order.cheapest.count - 1)
    while cheap < dear {
      let (low, high) = (order.cheapest[cheap], order.cheapest[dear])
      guard high >= row.start, high < row.end, amps[layout.index(row, high)] > 0 else {
        dear -= 1
        continue
      }
      guard low >= row.start, low < row.end, amps[layout.index(row, low)] < row.most else {
        cheap += 1
        continue
      }
      let has = amps[layout.index(row, high)]
      let more = min(has, row.most - amps[layout.index(row, low)], free(row, low))
      if more > 0 {
        change(at, row, high, by: -more)
        change(at, row, low, by: more)
        for phase in 0..<3 where row.phases & (1 << phase) != 0 {
          narrow(row.circuit, phase, high)
          narrow(row.circuit, phase, low)
        }
      }
      if more < has { cheap += 1 } else { dear -= 1 }
    }
  }

  @inline(__always)
  private func narrow(_ circuit: Int, _ phase: Int, _ slot: Int) {
    var (k, least) = (circuit, Double.infinity)
    while k >= 0 {
      least = min(least, room[(k * 3 + phase) * width + slot])
      k = Int(m.parent[k])
    }
    narrowest[phase * width + slot] = least
  }

  /// Whether a session of the circuit at hand finds room in a slot cheaper than one it uses: mostly it does not, and this is quickly
  /// known, without a branch per slot.
  @inline(__always)
  private func couldBeCheaper(_ row: SessionRow) -> Bool {
    // With fewer than three phases some stand for those that are missing.
    let one = row.phases & 1 != 0 ? 0 : row.phases & 2 != 0 ? width : 2 * width
    let other = row.phases & 4 != 0 ? 2 * width : row.phases & 2 != 0 ? width : 0
    let between = row.phases == 7 ? width : one
    let (cost, base) = (m.exactCost.numbers, layout.index(row, 0))
    var (cheap, dear) = (Double.infinity, -Double.infinity)
    for slot in row.start..<row.end {
      let has = amps[base + slot]
      let least = min(narrowest[one + slot], min(narrowest[other + slot], narrowest[between + slot]))
      dear = max(dear, has > 0 ? cost[slot] : -.infinity)
      cheap = min(cheap, least > 0 && has < row.most ? cost[slot] : .infinity)
    }
    return cheap < dear
  }

  private mutating func evaluate() {
    (euro, spent) = (0, 0)
    for at in 0..<m.sessions {
      let row = m.rows[at]
      for slot in row.start..<row.end { spent += amps[layout.index(row, slot)] * row.unit * order.cost[slot] }
      var before = 0.0
      for step in row.steps..<row.steps + row.stepCount {
        euro += m.exactWorth[step] * max(0, min(energy[at], m.exactReach[step]) - before)
        before = m.exactReach[step]
      }
    }
    euro -= spent
    if layout.problem.peak > 0 { euro -= layout.problem.peak * layout.problem.volts / 1000 * highest() }
  }
}

/// What an ampere costs in a slot with the prices of all its limits: read once for each circuit, as its sessions stand together.
private struct SlotPrices {
  private let slot: Int
  private let cost: Double
  private var circuit = -1
  private var limits = (0.0, 0.0, 0.0)

  /// - Parameter cost: of energy, EUR/kWh.
  init(_ slot: Int, _ cost: Double) { (self.slot, self.cost) = (slot, cost) }

  /// EUR per ampere of a session.
  @inline(__always)
  mutating func ampere(_ row: SessionRow, _ m: PlanningMemory) -> Double {
    if row.circuit != circuit {
      circuit = row.circuit
      let (path, width) = (m.exactPath.numbers, m.chunks * 8)
      let place = circuit * 3 * width + slot
      limits = (path[place], path[place + width], path[place + 2 * width])
    }
    var price = row.unit * cost
    if row.phases & 1 != 0 { price += limits.0 }
    if row.phases & 2 != 0 { price += limits.1 }
    if row.phases & 4 != 0 { price += limits.2 }
    return price
  }
}
