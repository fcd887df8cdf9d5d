import PlanningMemory

/// The price of an ampere in float64, as `spreadPrices`, of the proposed prices.
/// - Parameter extra: what other rows add, per limit; may be empty.
/// - Returns: what all limits are worth at their prices, EUR.
public func spreadExactPrices(_ m: PlanningMemory, extra: Slab<SIMD8<Double>>) -> Double {
  let width = m.chunks * 3
  var sum = Wide.zero
  var k = 0
  while k < m.circuits {
    let (own, above) = (k * width, Int(m.parent[unchecked: k]) * width)
    var j = 0
    while j < width {
      let price = positive(Wide(m.price[unchecked: own + j]))
      sum += price * m.exactLimit[unchecked: own + j]
      var path = price
      if extra.count > 0 { path += extra[own + j] }
      if above >= 0 { path += m.exactPath[unchecked: above + j] }
      m.exactPath[unchecked: own + j] = path
      j += 1
    }
    k += 1
  }
  return total(sum)
}

/// The most that each session below the circuits `from..<to` can gain at the exact prices, EUR, into `gain`.
///
/// For any worth `v` of its last energy a session gains at most the sum over its slots of `most · max(0, v - cost)`, and over its
/// value steps of `length · max(0, worth - v)`. The least over `v` is exact; each `v` gives a bound. The search begins at the worth
/// that the iteration found.
/// - Parameter scratch: 8 rows of `chunks` vectors.
public func boundGains(_ m: PlanningMemory, from: Int, to: Int, scratch: Slab<SIMD8<Double>>) {
  let (c, width) = (m.chunks, m.chunks * 3)
  var k = from
  while k < to {
    let (base, masks) = (k * width, Int(m.masks[unchecked: k]))
    var mask = 1
    while mask < 8 {
      if masks & (1 << mask) != 0 {
        let phases = (mask & 1) + ((mask >> 1) & 1) + ((mask >> 2) & 1)
        let unit = Wide(repeating: m.unit * Double(phases))
        var j = 0
        while j < c {
          var price = unit * m.exactCost[unchecked: j]
          if mask & 1 != 0 { price += m.exactPath[unchecked: base + j] }
          if mask & 2 != 0 { price += m.exactPath[unchecked: base + c + j] }
          if mask & 4 != 0 { price += m.exactPath[unchecked: base + 2 * c + j] }
          scratch[unchecked: mask * c + j] = price
          j += 1
        }
      }
      mask += 1
    }
    var i = Int(m.firstSession[unchecked: k])
    let end = Int(m.endSession[unchecked: k])
    while i < end {
      m.gain[unchecked: i] = leastGain(m, m.rows[unchecked: i], Double(m.energyPrice[unchecked: i]), scratch)
      i += 1
    }
    k += 1
  }
}

@inline(__always)
private func leastGain(_ m: PlanningMemory, _ row: SessionRow, _ start: Double, _ scratch: Slab<SIMD8<Double>>) -> Double {
  // The window's costs, once, with the slots outside made too dear.
  let (q, n) = (row.phases * m.chunks + row.first, row.count)
  var j = 0
  while j < n {
    var cost = scratch[unchecked: q + j]
    if j == 0 { cost += m.exactBefore[unchecked: row.start & 7] }
    if j == n - 1 { cost += m.exactAfter[unchecked: row.end - (row.first + n - 1) * 8] }
    scratch[unchecked: j] = cost
    j += 1
  }
  var (v, least) = (start, Double.infinity)
  var (low, lowValue, lowSlope) = (-Double.infinity, 0.0, 0.0)
  var (high, highValue, highSlope) = (Double.infinity, 0.0, 0.0)
  var round = 0
  while round < 24 {
    let worth = Wide(repeating: v)
    var (sum, count) = (Wide.zero, Wide.zero)
    j = 0
    while j < n {
      let profit = worth - scratch[unchecked: j]
      sum += positive(profit)
      count += Wide(repeating: 1).replacing(with: Wide.zero, where: profit .< Wide.zero)
      j += 1
    }
    var value = row.most * total(sum)
    var slope = row.most * total(count)
    var (step, before) = (row.steps, 0.0)
    while step < row.steps + row.stepCount {
      let length = m.exactReach[unchecked: step] - before
      before = m.exactReach[unchecked: step]
      let surplus = m.exactWorth[unchecked: step] - v
      if surplus > 0 {
        value += length * surplus
        slope -= length
      }
      step += 1
    }
    if value < least { least = value }
    if slope == 0 { break }
    if slope > 0 { (high, highValue, highSlope) = (v, value, slope) } else { (low, lowValue, lowSlope) = (v, value, slope) }
    var next: Double
    if low > -Double.infinity && high < Double.infinity {
      // Where the two tangents meet: the least that is still possible.
      next = (highValue - lowValue + lowSlope * low - highSlope * high) / (lowSlope - highSlope)
      let floor = lowValue + lowSlope * (next - low)
      if least - floor <= 1e-9 * (1 + abs(least)) { break }
    } else {
      // A tangent alone: one Newton step of the slope, by the slots in reach.
      let reach = (1e-4 + abs(start) * 0.002) * Double(1 << (2 * round))
      next = slope > 0 ? v - reach : v + reach
    }
    if !(next > low && next < high) { break }
    v = next
    round += 1
  }
  return least
}
