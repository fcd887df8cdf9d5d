/// Finds how far the worth of energy lifts a session's wishes: exactly so far that their sum agrees with its value steps.
struct EnergySearch {
  typealias Lanes = PlanningGrid.Lanes
  let worth: [Float]
  let reach: [Float]
  let most: [Lanes]

  /// The search begins at the step where it ended last time; what is wanted falls with the worth, so it walks to the answer from
  /// either side.
  /// - Parameters:
  ///   - price: worth of the last ampere-slot found last time, where Newton's method begins; updated.
  ///   - place: the step of last time; updated.
  func lift(
    _ window: PlanningGrid.Window, _ pace: Float, _ wish: borrowing Span<Lanes>, _ price: inout Float, _ place: inout Int
  ) -> Float {
    guard !window.steps.isEmpty else { return solve(window, 0, pace, wish, &price) }
    var step = window.steps.lowerBound + place
    while true {
      let level = worth[step] * pace
      let sum = drawn(window, level, wish).sum
      let before: Float = step == window.steps.lowerBound ? 0 : reach[step - 1]
      place = step - window.steps.lowerBound
      if sum < before {
        if drawn(window, worth[step - 1] * pace, wish).sum > before { return solve(window, before, pace, wish, &price) }
        step -= 1
      } else if sum <= reach[step] {
        return level
      } else if step + 1 == window.steps.upperBound || drawn(window, worth[step + 1] * pace, wish).sum < reach[step] {
        return solve(window, reach[step], pace, wish, &price)
      } else {
        step += 1
      }
    }
  }

  private func solve(
    _ window: PlanningGrid.Window, _ target: Float, _ pace: Float, _ wish: borrowing Span<Lanes>, _ price: inout Float
  ) -> Float {
    var lift = price * pace
    var (low, high) = (-Float.infinity, Float.infinity)
    for _ in 0..<40 {
      let (sum, free) = drawn(window, lift, wish)
      if abs(sum - target) <= 2e-6 * target { break }
      if sum < target { low = lift } else { high = lift }
      let reach = max(1, abs(lift))
      var next = free > 0 ? lift + (target - sum) / free : .nan
      if !(next > low && next < high) {
        next = low == -.infinity ? high - 2 * reach : high == .infinity ? low + 2 * reach : (low + high) / 2
      }
      if next == lift { break }
      lift = next
    }
    price = lift / pace
    return lift
  }

  @inline(__always)
  private func drawn(_ window: PlanningGrid.Window, _ lift: Float, _ wish: borrowing Span<Lanes>) -> (sum: Float, free: Float) {
    var (sum, free) = (Lanes.zero, Lanes.zero)
    for c in 0..<window.count {
      let raised = wish[c] + lift
      let z = PriceIteration.clamp(raised, most[window.offset + c])
      sum += z
      free += Lanes.zero.replacing(with: 1, where: (raised .== z) .& (z .> 0))
    }
    return (PriceIteration.total(sum), PriceIteration.total(free))
  }
}
