import PlanningMemory

/// Prices, allocation and step size of an earlier plan, as a value: put it in again when little has changed.
public struct WarmStart: Sendable {
  struct Known: Sendable {
    var window: Range<Int>
    var phases: Int
    /// Where its vectors stand in `plan`.
    var offset: Int
    var energyPrice: Float
    var place: Int32
  }
  var slots = 0
  /// Per limit, the proposed prices; those of the other rows.
  var prices: [Float] = []
  var sidePrices: [Double] = []
  var omega: Float = 1
  /// In rising order, and what is known of each.
  var keys: [Int] = []
  var sessions: [Known] = []
  var plan: [SIMD8<Float>] = []

  func known(_ key: Int) -> Known? {
    var (low, high) = (0, keys.count)
    while low < high {
      let middle = (low + high) / 2
      if keys[middle] < key { low = middle + 1 } else { high = middle }
    }
    return low < keys.count && keys[low] == key ? sessions[low] : nil
  }
}

extension Search {
  /// Takes over what an earlier search knew of the same circuits and slots; sessions that changed their window or phases start anew.
  mutating func resume(_ warm: WarmStart, _ names: [Int]) {
    let m = layout.memory
    guard warm.slots == m.slots, warm.prices.count == m.limit.count * 8 else { return }
    iteration.omega = min(max(warm.omega, iteration.firstOmega / 10), iteration.firstOmega * 10)
    for j in 0..<m.limit.count * 8 { m.price.numbers[j] = m.sigma.numbers[j] == 0 ? 0 : warm.prices[j] }
    iteration.sides.prices = warm.sidePrices
    for at in 0..<m.sessions {
      let row = m.rows[at]
      guard let known = warm.known(names[layout.owner[at]]), known.window == row.start..<row.end, known.phases == row.phases
      else { continue }
      let most = SIMD8<Float>(repeating: Float(row.most))
      for c in 0..<row.count {
        let value = warm.plan[known.offset + c]
        m.plan[row.offset + c] = value.replacing(with: most, where: value .> most)
      }
      m.energyPrice[at] = known.energyPrice
      m.place[at] = min(known.place, Int32(row.stepCount - 1))
    }
    iteration.rest()
  }

  func remember(_ names: [Int]) -> WarmStart {
    let m = layout.memory
    var warm = WarmStart(slots: m.slots, sidePrices: iteration.sides.prices, omega: iteration.omega)
    warm.prices.reserveCapacity(m.limit.count * 8)
    for j in 0..<m.limit.count * 8 { warm.prices.append(m.price.numbers[j]) }
    warm.plan.reserveCapacity(m.plan.count)
    for j in 0..<m.plan.count { warm.plan.append(m.plan[j]) }
    for i in names.indices.sorted(by: { names[$0] < names[$1] }) {
      let at = layout.place[i]
      let row = m.rows[at]
      warm.keys.append(names[i])
      warm.sessions.append(
        WarmStart.Known(
          window: row.start..<row.end, phases: row.phases, offset: row.offset, energyPrice: m.energyPrice[at], place: m.place[at]))
    }
    return warm
  }
}
