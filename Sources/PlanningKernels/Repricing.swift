import PlanningMemory

/// Sums the currents up the tree and moves the price of each limit by what is drawn too much or too little.
/// - Returns: what the prices add to the square of the residual.
public func reprice(_ m: PlanningMemory, _ terms: StepTerms) -> Double {
  let width = m.chunks * 3
  let rate = StepTerms.caution * terms.omega
  let rates = Lanes(repeating: rate)
  let (reflected, anchored) = (Lanes(repeating: terms.reflected), Lanes(repeating: terms.anchored))
  var residual = 0.0
  var k = m.circuits - 1
  while k >= 0 {
    let (own, above) = (k * width, Int(m.parent[k]) * width)
    if k > 0 {
      var j = 0
      while j < width {
        m.sums[above + j] += m.sums[own + j]
        j += 1
      }
    }
    if m.binds[k] != 0 {
      var moved = Lanes.zero
      var j = own
      while j < own + width {
        let was = m.priceStanding[j]
        let raised = was + m.sigma[j] * rates * (m.sums[j] - m.limit[j])
        let next = raised.replacing(with: Lanes.zero, where: raised .< Lanes.zero)
        let difference = next - was
        moved += difference * difference * m.users[j]
        m.price[j] = next
        m.priceStanding[j] = reflected * (next + next - was) + anchored * m.priceAnchor[j]
        j += 1
      }
      residual += Double(total(moved) / rate)
    }
    k -= 1
  }
  return residual
}

/// How far plan and prices have come since the last restart, each in its own measure, squared.
public func distances(_ m: PlanningMemory) -> (plan: Double, price: Double) {
  var (plan, price) = (0.0, 0.0)
  var i = 0
  while i < m.sessions {
    let row = m.rows[i]
    var moved = Lanes.zero
    var j = row.offset
    while j < row.offset + row.count {
      let difference = m.plan[j] - m.anchor[j]
      moved += difference * difference
      j += 1
    }
    plan += Double(total(moved) / row.pace)
    i += 1
  }
  var k = 0
  while k < m.circuits {
    if m.binds[k] != 0 {
      var moved = Lanes.zero
      var j = k * m.chunks * 3
      let end = j + m.chunks * 3
      while j < end {
        let difference = m.price[j] - m.priceAnchor[j]
        moved += difference * difference * m.users[j]
        j += 1
      }
      price += Double(total(moved))
    }
    k += 1
  }
  return (plan, price)
}
