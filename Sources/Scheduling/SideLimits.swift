import PlanningMemory
import Quantities

/// The balance of phases and the means of quarters, as plans must keep them. `Number` is amperes, or milliamperes.
struct SideLimits<Number: Comparable & SignedNumeric & BitwiseCopyable & Sendable>: Sendable {
  /// Per circuit, nil where there is none.
  let unbalance: [Number?]
  /// Per circuit and phase, then per quarter: the sum over its slots.
  let quarters: [[Number]?]
  let quarter: [Int]
  let isEmpty: Bool
  let hasBalance: Bool

  init(_ problem: PlanningProblem, _ number: (Double) -> Number) {
    unbalance = problem.circuits.map { $0.unbalance.map(number) }
    quarter = (0..<problem.slots).map(problem.quarter)
    let (count, slotsEach) = (problem.quarters, 15.0 / Double(problem.slotMinutes))
    var all: [[Number]?] = []
    for circuit in problem.circuits {
      for phase in Phase.allCases {
        all.append(
          circuit.quarterLimit.map { limits in
            (0..<count).map { number(limits[phase][limits[phase].count == 1 ? 0 : $0] * slotsEach) }
          })
      }
    }
    quarters = all
    hasBalance = unbalance.contains { $0 != nil }
    isEmpty = !hasBalance && !all.contains { $0 != nil }
  }

  /// How much more a session with `phases` may draw in a slot below `circuit` and all above it.
  /// - Parameter drawn: what is drawn below a circuit on a phase in a slot.
  func free(_ circuit: Int, _ phases: Int, _ slot: Int, _ parents: [Int], _ drawn: (Int, Int, Int) -> Number) -> Number? {
    var least: Number?
    func hold(_ room: Number) { least = least.map { min($0, room) } ?? room }
    var k = circuit
    while k >= 0 {
      for phase in 0..<3 where phases & (1 << phase) != 0 {
        if let most = unbalance[k] {
          for other in 0..<3 where phases & (1 << other) == 0 { hold(most - (drawn(k, phase, slot) - drawn(k, other, slot))) }
        }
        if let limits = quarters[k * 3 + phase] {
          var room = limits[quarter[slot]]
          for near in slots(like: slot) { room -= drawn(k, phase, near) }
          hold(room)
        }
      }
      k = parents[k]
    }
    return least
  }

  /// The slots of the quarter in which a slot lies.
  func slots(like slot: Int) -> Range<Int> {
    var (first, end) = (slot, slot + 1)
    while first > 0 && quarter[first - 1] == quarter[slot] { first -= 1 }
    while end < quarter.count && quarter[end] == quarter[slot] { end += 1 }
    return first..<end
  }

  /// What a plan breaks: which phase must draw less by how much while the other (if any) must not, in which slots.
  struct Excess {
    var amount: Number
    var circuit: Int
    var phase: Int
    var other: Int?
    var slots: Range<Int>
  }

  /// Goes once through all that is drawn too much, larger than `tolerance`, from the leaves up, and lets `cut` lower it.
  /// - Returns: whether there was any.
  func settle(_ tolerance: Number, _ drawn: (Int, Int, Int) -> Number, _ cut: (Excess) -> Void) -> Bool {
    var found = false
    for k in unbalance.indices.reversed() {
      if let most = unbalance[k] {
        for slot in quarter.indices {
          for pair in 0..<6 {
            let (phase, other) = (pair / 2, (pair / 2 + 1 + pair % 2) % 3)
            let over = drawn(k, phase, slot) - drawn(k, other, slot) - most
            guard over > tolerance else { continue }
            found = true
            cut(Excess(amount: over, circuit: k, phase: phase, other: other, slots: slot..<slot + 1))
          }
        }
      }
      for phase in 0..<3 {
        guard let limits = quarters[k * 3 + phase] else { continue }
        var slot = 0
        while slot < quarter.count {
          let near = slots(like: slot)
          var sum: Number = 0
          for each in near { sum += drawn(k, phase, each) }
          let over = sum - limits[quarter[slot]]
          if over > tolerance {
            found = true
            cut(Excess(amount: over, circuit: k, phase: phase, other: nil, slots: near))
          }
          slot = near.upperBound
        }
      }
    }
    return found
  }
}
