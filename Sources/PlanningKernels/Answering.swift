import PlanningMemory

/// The price of an ampere on each phase of each circuit: its own and those of all above it.
public func spreadPrices(_ m: PlanningMemory) {
  let width = m.chunks * 3
  let hasExtra = m.extra.count > 0
  var k = 0
  while k < m.circuits {
    let parent = Int(m.parent[unchecked: k])
    let own = k * width
    var j = 0
    while j < width {
      var price = m.priceStanding[unchecked: own + j]
      if hasExtra { price += m.extra[unchecked: own + j] }
      if parent >= 0 { price += m.path[unchecked: parent * width + j] }
      m.path[unchecked: own + j] = price
      j += 1
    }
    k += 1
  }
}

/// Each session below the circuits `from..<to` answers the prices exactly; their currents are summed per circuit.
/// - Parameter scratch: 15 rows of `chunks` vectors that no other thread uses.
public func answer(_ m: PlanningMemory, _ terms: StepTerms, from: Int, to: Int, scratch: Slab<SIMD8<Float>>) {
  let (c, width) = (m.chunks, m.chunks * 3)
  let isTilted = m.tilt.count > 0
  var k = from
  while k < to {
    let base = k * width
    let masks = Int(m.masks[unchecked: k])
    if masks == 0 {
      var j = 0
      while j < width {
        m.sums[unchecked: base + j] = Lanes.zero
        j += 1
      }
      m.residual[unchecked: k] = 0
      k += 1
      continue
    }
    priceRows(m, base, masks, scratch)
    var residual = 0.0
    var i = Int(m.firstSession[unchecked: k])
    let end = Int(m.endSession[unchecked: k])
    while i < end {
      let row = m.rows[unchecked: i]
      let pace = row.pace * StepTerms.caution / terms.omega
      let most = Lanes(repeating: Float(row.most))
      let (q, sum, wish) = (row.phases * c + row.first, (7 + row.phases) * c + row.first, 0)
      let (o, n) = (row.offset, row.count)
      var lift = m.energyPrice[unchecked: i] * pace
      let step = row.steps + Int(m.place[unchecked: i])
      let highest = m.worth[unchecked: step] * pace
      let lowest = step + 1 < row.steps + row.stepCount ? m.worth[unchecked: step + 1] * pace : -Float.infinity
      if lift > highest { lift = highest }
      if lift < lowest { lift = lowest }
      // What it would draw at the lift of last time, and what it wishes.
      var (drawn, free) = (Lanes.zero, Lanes.zero)
      let lifted = Lanes(repeating: lift)
      let scale = Lanes(repeating: pace)
      var j = 0
      while j < n {
        var cost = scratch[unchecked: q + j]
        if isTilted { cost += m.tilt[unchecked: o + j] }
        var w = m.standing[unchecked: o + j] - scale * cost
        if j == 0 { w -= m.before[unchecked: row.start & 7] }
        if j == n - 1 { w -= m.after[unchecked: row.end - (row.first + n - 1) * 8] }
        scratch[unchecked: wish + j] = w
        let raised = w + lifted
        let z = clamp(raised, most)
        drawn += z
        free += Lanes(repeating: 1).replacing(with: Lanes.zero, where: (raised .!= z) .| (z .== Lanes.zero))
        j += 1
      }
      lift = search(m, row, i, scratch, pace, most, lift, total(drawn), total(free))
      m.energyPrice[unchecked: i] = lift / pace
      let final = Lanes(repeating: lift)
      let reflected = Lanes(repeating: terms.reflected)
      let anchored = Lanes(repeating: terms.anchored)
      var moved = Lanes.zero
      j = 0
      while j < n {
        let z = clamp(scratch[unchecked: wish + j] + final, most)
        let was = m.standing[unchecked: o + j]
        let doubled = z + z - was
        let difference = z - was
        moved += difference * difference
        m.plan[unchecked: o + j] = z
        scratch[unchecked: sum + j] += doubled
        m.standing[unchecked: o + j] = reflected * doubled + anchored * m.anchor[unchecked: o + j]
        j += 1
      }
      residual += Double(total(moved) / pace)
      i += 1
    }
    gather(m, base, masks, scratch)
    m.residual[unchecked: k] = residual
    k += 1
  }
}

/// For each set of phases that is used below a circuit: the price of an ampere-slot, energy included, and an empty sum.
@inline(__always)
private func priceRows(_ m: PlanningMemory, _ base: Int, _ masks: Int, _ scratch: Slab<SIMD8<Float>>) {
  let c = m.chunks
  var mask = 1
  while mask < 8 {
    if masks & (1 << mask) != 0 {
      let phases = (mask & 1) + ((mask >> 1) & 1) + ((mask >> 2) & 1)
      let unit = Lanes(repeating: Float(m.unit * Double(phases)))
      var j = 0
      while j < c {
        var price = unit * m.cost[unchecked: j]
        if mask & 1 != 0 { price += m.path[unchecked: base + j] }
        if mask & 2 != 0 { price += m.path[unchecked: base + c + j] }
        if mask & 4 != 0 { price += m.path[unchecked: base + 2 * c + j] }
        scratch[unchecked: mask * c + j] = price
        scratch[unchecked: (7 + mask) * c + j] = Lanes.zero
        j += 1
      }
    }
    mask += 1
  }
}

/// Adds up the sums of the sets of phases into those of the phases.
@inline(__always)
private func gather(_ m: PlanningMemory, _ base: Int, _ masks: Int, _ scratch: Slab<SIMD8<Float>>) {
  let c = m.chunks
  var phase = 0
  while phase < 3 {
    var j = 0
    while j < c {
      m.sums[unchecked: base + phase * c + j] = Lanes.zero
      j += 1
    }
    var mask = 1
    while mask < 8 {
      if mask & (1 << phase) != 0 && masks & (1 << mask) != 0 {
        j = 0
        while j < c {
          m.sums[unchecked: base + phase * c + j] += scratch[unchecked: (7 + mask) * c + j]
          j += 1
        }
      }
      mask += 1
    }
    phase += 1
  }
}

/// How far the worth of energy lifts a session's wishes: exactly so far that their sum agrees with its value steps.
///
/// What is drawn rises with the lift, piece by piece in straight lines; the worth of the energy falls with it in steps. Newton's
/// method on the riser where the two met last time, and on the next one if they no longer meet there.
@inline(__always)
private func search(
  _ m: PlanningMemory, _ row: SessionRow, _ i: Int, _ scratch: Slab<SIMD8<Float>>, _ pace: Float, _ most: Lanes, _ first: Float,
  _ firstDrawn: Float, _ firstFree: Float
) -> Float {
  var (lift, drawn, free) = (first, firstDrawn, firstFree)
  var step = Int(m.place[unchecked: i])
  let (base, count) = (row.steps, row.stepCount)
  var target = m.reach[unchecked: base + step]
  var high = m.worth[unchecked: base + step] * pace
  var low = step + 1 < count ? m.worth[unchecked: base + step + 1] * pace : -Float.infinity
  var (isTop, isBottom) = (true, true)  // whether `high` and `low` are still the ends of the riser
  var round = 0
  while round < 60 {
    let error = target - drawn
    if abs(error) <= 2e-6 * target + 1e-6 { break }
    if error > 0 {
      if isTop && lift >= high {
        let before = step > 0 ? m.reach[unchecked: base + step - 1] : 0
        if drawn >= before { break }
        step -= 1
        target = before
        (low, isBottom) = (high, false)
        high = m.worth[unchecked: base + step] * pace
      } else {
        if lift >= low { (low, isBottom) = (lift, false) }
      }
    } else {
      if isBottom && lift <= low {
        if drawn <= m.reach[unchecked: base + step + 1] {
          step += 1
          break
        }
        step += 1
        target = m.reach[unchecked: base + step]
        (high, isTop) = (low, false)
        low = step + 1 < count ? m.worth[unchecked: base + step + 1] * pace : -Float.infinity
      } else {
        if lift <= high { (high, isTop) = (lift, false) }
      }
    }
    var next = free > 0 ? lift + (target - drawn) / free : (target > drawn ? Float.infinity : -Float.infinity)
    if next >= high { next = isTop ? high : (low == -Float.infinity ? high - most[0] : (low + high) * 0.5) }
    if next <= low {
      next = isBottom && low > -Float.infinity ? low : (low == -Float.infinity ? lift - most[0] : (low + high) * 0.5)
    }
    if next == lift { break }
    lift = next
    let lifted = Lanes(repeating: lift)
    var (sum, inside) = (Lanes.zero, Lanes.zero)
    var j = 0
    while j < row.count {
      let raised = scratch[unchecked: j] + lifted
      let z = clamp(raised, most)
      sum += z
      inside += Lanes(repeating: 1).replacing(with: Lanes.zero, where: (raised .!= z) .| (z .== Lanes.zero))
      j += 1
    }
    drawn = total(sum)
    free = total(inside)
    round += 1
  }
  m.place[unchecked: i] = Int32(step)
  return lift
}
