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
    let (own, above) = (k * width, Int(m.parent[unchecked: k]) * width)
    if k > 0 {
      var j = 0
      while j < width {
        m.sums[unchecked: above + j] += m.sums[unchecked: own + j]
        j += 1
      }
    }
    var run = Int(m.firstRun[unchecked: k])
    let lastRun = Int(m.firstRun[unchecked: k + 1])
    var moved = Lanes.zero
    while run < lastRun {
      var j = m.runs[unchecked: run].start
      let end = m.runs[unchecked: run].end
      while j < end {
        let was = m.priceStanding[unchecked: j]
        let raised = was + m.sigma[unchecked: j] * rates * (m.sums[unchecked: j] - m.limit[unchecked: j])
        let next = raised.replacing(with: Lanes.zero, where: raised .< Lanes.zero)
        let difference = next - was
        moved += difference * difference * m.users[unchecked: j]
        m.price[unchecked: j] = next
        m.priceStanding[unchecked: j] = reflected * (next + next - was) + anchored * m.priceAnchor[unchecked: j]
        j += 1
      }
      run += 1
    }
    residual += Double(total(moved) / rate)
    k -= 1
  }
  return residual
}

/// How far plan and prices have come since the last restart, each in its own measure, squared.
public func distances(_ m: PlanningMemory) -> (plan: Double, price: Double) {
  var (plan, price) = (0.0, 0.0)
  var i = 0
  while i < m.sessions {
    let row = m.rows[unchecked: i]
    var moved = Lanes.zero
    var j = row.offset
    while j < row.offset + row.count {
      let difference = m.plan[unchecked: j] - m.anchor[unchecked: j]
      moved += difference * difference
      j += 1
    }
    plan += Double(total(moved) / row.pace)
    i += 1
  }
  var k = 0
  while k < m.circuits {
    var run = Int(m.firstRun[unchecked: k])
    let lastRun = Int(m.firstRun[unchecked: k + 1])
    var moved = Lanes.zero
    while run < lastRun {
      var j = m.runs[unchecked: run].start
      let end = m.runs[unchecked: run].end
      while j < end {
        let difference = m.price[unchecked: j] - m.priceAnchor[unchecked: j]
        moved += difference * difference * m.users[unchecked: j]
        j += 1
      }
      run += 1
    }
    price += Double(total(moved))
    k += 1
  }
  return (plan, price)
}
