import PlanningMemory

// Each session in turn gives back what it has and answers anew, exactly, in the room that the others leave: in whole milliamperes, zero
// or at least its least. At the shadow prices it leaves the slots that others need more; without them it takes what is left.

extension ExactPlan {
  struct Answering {
    /// How much of the shadow prices a session heeds: one to make room, zero to take what is there.
    var heed = 1.0
    /// What staying in a slot is worth, EUR per kWh: keeps ties from wandering.
    var inertia = 0.0
  }

  /// Lets every session answer anew, the worthiest first, in the room that the others leave, and hands out what is left.
  mutating func improve() {
    var keys: [UInt64] = []
    var taken: [Int] = []
    var done = [Bool](repeating: false, count: m.sessions)
    for entry in order.entries where !done[Int(entry.session)] {
      done[Int(entry.session)] = true
      answer(Int(entry.session), Answering(heed: 0, inertia: 1e-4), &keys, &taken)
    }
    fill()
  }

  private mutating func answer(_ at: Int, _ how: Answering, _ keys: inout [UInt64], _ taken: inout [Int]) {
    let row = m.rows[at]
    let term = terms[at]
    // What leaves a slot on some phases alone may leave the others too heavy.
    if sides.hasBalance && row.phases != 7 { return }
    keys.removeAll(keepingCapacity: true)
    taken.removeAll(keepingCapacity: true)
    for slot in row.start..<row.end {
      let here = current[layout.index(row, slot)]
      if here != 0 { set(at, row, slot, to: 0) }
      guard free(row, slot) >= term.least else { continue }
      var price = row.unit * (order.cost[slot] - (here != 0 ? how.inertia : 0))
      if how.heed > 0 { price += how.heed * shadow(row, slot) }
      keys.append(sortingKey(price, slot))
    }
    keys.sort()
    for key in keys {
      let slot = Int(key & 0xFFFF_FFFF)
      let left = lacking(at)
      guard left > 0 else { return }
      let room = min(free(row, slot), term.most)
      let price = row.unit * order.cost[slot] + (how.heed > 0 ? how.heed * shadow(row, slot) : 0)
      let amount = best(at, row, room, left, price)
      if amount == 0 {
        if left < term.least { borrow(at, row, slot, left, price, taken) }
        return
      }
      set(at, row, slot, to: amount)
      taken.append(slot)
    }
  }

  /// What the shadow prices of all limits on a session's path make of one ampere, EUR.
  @inline(__always) func shadow(_ row: SessionRow, _ slot: Int) -> Double {
    var price = 0.0
    for phase in 0..<3 where row.phases & (1 << phase) != 0 {
      price += m.exactPath.numbers[(row.circuit * 3 + phase) * width + slot]
    }
    return price
  }

  /// The current in a slot that gains most at a price per ampere.
  private func best(_ at: Int, _ row: SessionRow, _ room: Int, _ left: Int, _ price: Double) -> Int {
    let term = terms[at]
    var most = onGrid(at, min(room, left))
    // Up to the end of the last value step that pays.
    let has = Double(used[at]) / 1000
    for step in row.steps..<row.steps + row.stepCount where m.exactWorth[step] <= price {
      let end = step > row.steps ? m.exactReach[step - 1] : 0
      let upTo = Int(((end - has) * 1000).rounded(.up))
      if upTo < most { most = upTo <= 0 ? 0 : min(most, max(term.least, (upTo + term.step - 1) / term.step * term.step)) }
      break
    }
    guard most > 0 else { return 0 }
    let gain = worth(row, has + Double(most) / 1000) - worth(row, has) - Double(most) / 1000 * price
    return gain > 0 ? most : 0
  }

  /// A rest too small for a slot of its own takes what is missing from a fuller one.
  private func borrow(_ at: Int, _ row: SessionRow, _ slot: Int, _ rest: Int, _ price: Double, _ taken: [Int]) {
    let term = terms[at]
    let missing = term.least - rest
    guard let donor = taken.last(where: { Int(current[layout.index(row, $0)]) >= term.least + missing }) else { return }
    let has = Double(used[at]) / 1000
    let gain = worth(row, has + Double(rest) / 1000) - worth(row, has)
    let cost = Double(rest) / 1000 * price + Double(missing) / 1000 * (price - row.unit * order.cost[donor])
    guard gain > cost else { return }
    set(at, row, donor, to: Int(current[layout.index(row, donor)]) - missing)
    set(at, row, slot, to: term.least)
  }
}
