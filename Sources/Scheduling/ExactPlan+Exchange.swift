import Quantities

// "Zero or at least six amperes" leaves rooms that fit nobody, and the wrong sessions with them. Here a session whose next energy is
// worth more takes current, slot by slot, from one whose last energy is worth less; what that one lost it may find elsewhere.

extension ExactPlan {
  /// How many of the least worthy are asked in one slot.
  private static let donorsAsked = 4

  /// Exchanges current between sessions as long as the value rises, at most `rounds` times through all, and fills up what is left.
  mutating func exchange(_ order: FillOrder, rounds: Int) {
    let costs = (0..<slots).map(grid.problem.cost)
    let masks = grid.windows.map(\.phases)
    for _ in 0..<rounds {
      let margins = grid.rows.indices.map { value($0, used[$0]) - value($0, used[$0] - step($0)) }
        .enumerated().map { $1 / Double(step($0)) }
      let next = grid.rows.indices.map { (value($0, used[$0] + step($0)) - value($0, used[$0])) / Double(step($0)) }
      var donors: [[Int]] = Array(repeating: [], count: slots)
      for i in margins.indices.sorted(by: { (margins[$0], $0) < (margins[$1], $1) }) {
        for slot in grid.problem.sessions[i].window where current[place(i, slot)] > 0 { donors[slot].append(i) }
      }
      var hasChanged = false
      for i in next.indices.sorted(by: { (-next[$0], $0) < (-next[$1], $1) }) where next[i] > 0 && lacking(i) >= step(i) {
        for slot in order.slots(of: i) where current[place(i, slot)] < most(i) {
          var asked = 0
          for j in donors[slot] where j != i && masks[j] & masks[i] == masks[i] {
            guard margins[j] < next[i], asked < Self.donorsAsked, lacking(i) >= step(i) else { break }
            asked += 1
            if give(i, from: j, slot, costs) { hasChanged = true }
          }
        }
      }
      for entry in order.entries { fill(entry, order.slots(of: entry.session)) }
      if !hasChanged { return }
    }
  }

  /// What `amount` mA-slots are worth to a session, EUR, its cost left out.
  private func value(_ i: Int, _ amount: Int) -> Double {
    let energy = Double(amount) / 1000
    var (sum, before) = (0.0, 0.0)
    for step in grid.windows[i].steps where energy > before {
      sum += grid.exactWorth[step] * (min(energy, grid.exactReach[step]) - before)
      before = grid.exactReach[step]
    }
    return sum
  }

  /// Takes from `j` in a slot what `i` can use there, when that is worth more; otherwise changes nothing.
  private mutating func give(_ i: Int, from j: Int, _ slot: Int, _ costs: [Double]) -> Bool {
    let (mine, theirs) = (current[place(i, slot)], current[place(j, slot)])
    let wanted = onGrid(i, min(most(i), mine + lacking(i)))
    let missing = wanted - mine - max(0, free(i, slot))
    guard wanted > mine, missing > 0, theirs > 0 else { return false }
    let cost = costs[slot] / 1000
    for left in [onGrid(j, theirs - missing), onGrid(j, least(j)), 0] where left < theirs {
      set(j, slot, to: left)
      let reached = onGrid(i, min(wanted, mine + max(0, free(i, slot))))
      let change =
        value(i, used[i] + reached - mine) - value(i, used[i]) - Double(reached - mine) * cost * terms[i].unit
        - (value(j, used[j] + theirs - left) - value(j, used[j])) + Double(theirs - left) * cost * terms[j].unit
      if reached > mine && change > 1e-9 {
        set(i, slot, to: reached)
        return true
      }
      set(j, slot, to: theirs)
    }
    return false
  }
}
