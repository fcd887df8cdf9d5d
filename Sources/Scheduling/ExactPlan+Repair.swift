import PlanningMemory

// From what the iteration proposes to a plan that keeps every limit: what is too small to be of use is dropped, what is too much is
// cut where it is missed least, and what that leaves is handed out again.

extension ExactPlan {
  /// Becomes the plan that a relaxed plan, or a proposal, is nearest to.
  mutating func adopt(_ relaxed: RelaxedPlan) { adopt { relaxed.amps[$0] } }
  mutating func adopt(_ proposal: Slab<SIMD8<Float>>) { adopt { Double(proposal.numbers[$0]) } }

  @inline(__always)
  private mutating func adopt(_ proposed: (Int) -> Double) {
    clear()
    for at in 0..<m.sessions {
      let (row, term) = (m.rows[at], terms[at])
      for slot in row.start..<row.end {
        let wanted = Int(proposed(layout.index(row, slot)) * 1000)
        guard wanted * 2 >= term.least else { continue }
        let value = min(max(wanted + term.step / 2, term.least) / term.step * term.step, term.most)
        if value >= term.least { set(at, row, slot, to: value) }
      }
      var excess = -lacking(at)
      guard excess > 0 else { continue }
      // More than it asks for: off the dearest slots, which stay on as long as they can.
      for stays in [true, false] {
        for slot in (row.start..<row.end).reversed() where excess > 0 {
          let has = Int(current[layout.index(row, slot)])
          let spare = stays ? has - term.least : has
          guard spare > 0 else { continue }
          let cut = min(spare, (excess + term.step - 1) / term.step * term.step)
          let left = has - cut < term.least ? 0 : has - cut
          set(at, row, slot, to: left)
          excess = -lacking(at)
        }
      }
    }
    trim()
    if !sides.isEmpty { settle() }
    holdPeak()
  }

  /// Cuts what balance and quarters forbid. A cut may bring another excess about; all that is drawn in a slot goes rather than one.
  private func settle() {
    for pass in 0..<20 {
      let found = sides.settle(0, drawn) { excess in
        if pass < 16 {
          cut(excess)
        } else {
          for slot in excess.slots {
            for at in 0..<m.sessions where m.rows[at].start <= slot && slot < m.rows[at].end { set(at, m.rows[at], slot, to: 0) }
          }
        }
      }
      if !found { return }
    }
  }

  private func cut(_ excess: SideLimits<Int>.Excess) {
    var keys: [UInt64] = []
    for at in layout.below[excess.circuit] {
      let row = m.rows[at]
      guard row.phases & (1 << excess.phase) != 0, excess.other.map({ row.phases & (1 << $0) == 0 }) ?? true else { continue }
      keys.append(sortingKey(margin(at, row), at))
    }
    keys.sort()
    var left = excess.amount
    for stays in [true, false] {
      for key in keys {
        let at = Int(key & 0xFFFF_FFFF)
        let (row, term) = (m.rows[at], terms[at])
        for slot in excess.slots where row.start <= slot && slot < row.end {
          let has = Int(current[layout.index(row, slot)])
          guard has > 0 else { continue }
          let less = has - (left + term.step - 1) / term.step * term.step
          let value = less < term.least ? (stays ? min(has, term.least) : 0) : less
          set(at, row, slot, to: value)
          left -= has - value
          if left <= 0 { return }
        }
      }
    }
  }

  private func trim() {
    var keys: [UInt64] = []
    // Also where no limit can bind: that was decided in amperes, this is milliamperes.
    for k in layout.parents.indices.reversed() {
      for phase in 0..<3 {
        for slot in 0..<m.slots where room[(k * 3 + phase) * width + slot] < 0 {
          trim((k * 3 + phase) * width + slot, phase, slot, layout.below[k], &keys)
        }
      }
    }
  }

  private func trim(_ limit: Int, _ phase: Int, _ slot: Int, _ members: Range<Int>, _ keys: inout [UInt64]) {
    keys.removeAll(keepingCapacity: true)
    for at in members {
      let row = m.rows[at]
      guard row.phases & (1 << phase) != 0, row.start <= slot, slot < row.end, current[layout.index(row, slot)] > 0 else {
        continue
      }
      let price = row.unit * order.cost[slot] + shadow(row, slot)
      keys.append(sortingKey(margin(at, row) + Double(m.energyPrice[at]) - price, at))
    }
    keys.sort()
    // First everybody stays on, with less.
    for stays in [true, false] {
      for key in keys {
        let at = Int(key & 0xFFFF_FFFF)
        let (row, term) = (m.rows[at], terms[at])
        let has = Int(current[layout.index(row, slot)])
        let cut = (-room[limit] + term.step - 1) / term.step * term.step
        let left = has - cut < term.least ? (stays ? min(has, term.least) : 0) : has - cut
        set(at, row, slot, to: left)
        if room[limit] >= 0 { return }
      }
    }
  }

  /// EUR per ampere-slot of the last energy a session has.
  func margin(_ at: Int, _ row: SessionRow) -> Double {
    let energy = Double(used[at]) / 1000
    for step in row.steps..<row.steps + row.stepCount where energy <= m.exactReach[step] * (1 + 1e-9) {
      return m.exactWorth[step]
    }
    return m.exactWorth[row.steps + row.stepCount - 1]
  }

  /// Hands out what room there is, the worthiest energy first: slots that are on, then new ones.
  mutating func fill() {
    for entry in order.entries {
      let at = Int(entry.session)
      let (row, term) = (m.rows[at], terms[at])
      let step = row.steps + Int(entry.step)
      let reach = Int((m.exactReach[step] * 1000 - 1e-6).rounded(.up))
      guard used[at] < reach else { continue }
      for opens in [false, true] {
        for slot in order.cheapest where slot >= row.start && slot < row.end {
          let left = reach - used[at]
          guard left > 0, m.exactWorth[step] > row.unit * order.cost[slot] else { break }
          let now = Int(current[layout.index(row, slot)])
          guard (now == 0) == opens, now < term.most else { continue }
          let wanted = min((left + term.step - 1) / term.step * term.step, lacking(at))
          let value = onGrid(at, now + min(opens ? max(wanted, min(term.least, lacking(at))) : wanted, free(row, slot)))
          if value > now { set(at, row, slot, to: value) }
        }
      }
    }
  }
}
