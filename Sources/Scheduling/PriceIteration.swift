/// The restarted primal-dual iteration: limits are priced out, and each session answers the prices exactly.
///
/// Float32 in fixed lanes and a fixed order, without fused multiply-add: the same bits on every machine. What it yields is only a
/// proposal; bounds and plans are computed from it in float64.
/// - Source: Applegate et al., *Faster first-order primal-dual methods for linear programming using sharpness and restarts* (2021);
///   Lu & Yang, *Restarted Halpern PDHG for linear programming* (2024).
struct PriceIteration {
  typealias Lanes = SIMD8<Float>
  static let caution: Float = 0.99
  /// What the last step proposed, where the iteration stands, and where it was at the last restart.
  var plan: [Lanes], standing: [Lanes], anchor: [Lanes]
  var price: [Lanes], priceStanding: [Lanes], priceAnchor: [Lanes]
  var peak: [Double], peakStanding: [Double], peakAnchor: [Double]
  /// Worth of the last ampere-slot, per session: where the next search begins.
  var energyPrice: [Float]
  private var lastStep: [Int]
  var omega: Float
  private let firstOmega: Float
  private(set) var count = 0
  private var sinceRestart = 0
  private var firstResidual = 0.0
  private var lastResidual = 0.0
  private var sums: [Lanes], path: [Lanes]
  private var wish: [Lanes]
  private let peakCost: Double

  init(_ grid: PlanningGrid) {
    let problem = grid.problem
    plan = Array(repeating: .zero, count: grid.gain.count)
    price = Array(repeating: .zero, count: grid.limit.count)
    (standing, anchor, priceStanding, priceAnchor) = (plan, plan, price, price)
    peak = Array(repeating: 0, count: grid.chunks * 8)
    (peakStanding, peakAnchor) = (peak, peak)
    energyPrice = Array(repeating: 0, count: grid.rows.count)
    lastStep = Array(repeating: 0, count: grid.rows.count)
    (sums, path) = (price, price)
    wish = Array(repeating: .zero, count: grid.chunks)
    peakCost = problem.peak * problem.volts / 1000
    var (gain, current) = (0.0, 0.0)
    for (row, session) in zip(grid.rows, problem.sessions) {
      let cheapest = session.window.reduce(Double.infinity) { min($0, problem.cost($1)) }
      gain += max(0, (row.worth.first ?? 0) - row.unit * cheapest)
      current += session.largest
    }
    firstOmega = gain > 0 && current > 0 ? Float(0.3 * gain / current) : 1
    omega = firstOmega
  }

  /// One step, with a restart at its end when the rule asks for one.
  mutating func step(_ grid: PlanningGrid) {
    let al = Float(sinceRestart + 1) / Float(sinceRestart + 2)
    var residual = 0.0
    spreadPrices(grid)
    for j in sums.indices { sums[j] = .zero }
    residual += answer(grid, al)
    residual += reprice(grid, al)
    residual = residual.squareRoot()
    count += 1
    if sinceRestart == 0 { firstResidual = residual }
    let stalled = residual <= 0.8 * firstResidual && residual > lastResidual
    let long = Double(sinceRestart) >= 0.36 * Double(count) && count > 20
    if sinceRestart > 0 && (residual <= 0.2 * firstResidual || stalled || long) { restart(grid) } else { sinceRestart += 1 }
    lastResidual = residual
  }

  /// The price of an ampere on each phase of each circuit: its own and those of all above it.
  private mutating func spreadPrices(_ grid: PlanningGrid) {
    let width = grid.chunks * 3
    for (k, parent) in grid.parents.enumerated() {
      if parent >= 0 {
        for j in 0..<width { path[k * width + j] = path[parent * width + j] + priceStanding[k * width + j] }
      } else {
        for j in 0..<width { path[j] = priceStanding[j] }
        guard peakCost > 0 else { continue }
        for j in 0..<width { for lane in 0..<8 { path[j][lane] += Float(peakStanding[(j % grid.chunks) * 8 + lane]) } }
      }
    }
  }

  /// Lends an array to a kernel, which gives it back: a span of a local array can be kept while others of `self` are.
  private mutating func take<Element>(_ place: WritableKeyPath<PriceIteration, [Element]>) -> [Element] {
    var lent: [Element] = []
    swap(&lent, &self[keyPath: place])
    return lent
  }

  private mutating func answer(_ grid: PlanningGrid, _ al: Float) -> Double {
    let gain = grid.gain.span
    let most = grid.most.span
    let windows = grid.windows.span
    let search = EnergySearch(worth: grid.worth, reach: grid.reach, most: grid.most)
    let (anchorMemory, pathMemory) = (self.anchor, self.path)
    let anchor = anchorMemory.span
    let path = pathMemory.span
    var wishMemory = take(\.wish)
    var standingMemory = take(\.standing)
    var planMemory = take(\.plan)
    var sumsMemory = take(\.sums)
    var pricesMemory = take(\.energyPrice)
    var stepsMemory = take(\.lastStep)
    defer {
      self.wish = wishMemory
      self.standing = standingMemory
      self.plan = planMemory
      self.sums = sumsMemory
      self.energyPrice = pricesMemory
      self.lastStep = stepsMemory
    }
    var wish = wishMemory.mutableSpan
    var standing = standingMemory.mutableSpan
    var plan = planMemory.mutableSpan
    var sums = sumsMemory.mutableSpan
    var prices = pricesMemory.mutableSpan
    var steps = stepsMemory.mutableSpan
    let (be, width) = (1 - al, grid.chunks)
    var residual = 0.0
    for i in windows.indices {
      let window = windows[i]
      let (length, start) = (window.count, window.offset)
      let pace = window.tau * Self.caution / omega
      for c in 0..<length { wish[c] = gain[start + c] }
      for phase in 0..<3 where window.phases & (1 << phase) != 0 {
        let base = (window.circuit * 3 + phase) * width + window.first
        for c in 0..<length { wish[c] -= path[base + c] }
      }
      for c in 0..<length { wish[c] = standing[start + c] + pace * wish[c] }
      let lift = search.lift(window, pace, wish.span, &prices[i], &steps[i])
      var moved = Lanes.zero
      for c in 0..<length {
        let j = start + c
        let z = Self.clamp(wish[c] + lift, most[j])
        let before = standing[j]
        let doubled = 2 * z - before
        let difference = z - before
        moved += difference * difference
        plan[j] = z
        wish[c] = doubled
        standing[j] = al * doubled + be * anchor[j]
      }
      for phase in 0..<3 where window.phases & (1 << phase) != 0 {
        let base = (window.circuit * 3 + phase) * width + window.first
        for c in 0..<length { sums[base + c] += wish[c] }
      }
      residual += Double(Self.total(moved) / pace)
    }
    return residual
  }

  private mutating func reprice(_ grid: PlanningGrid, _ al: Float) -> Double {
    let (width, be, rate) = (grid.chunks * 3, 1 - al, Self.caution * omega)
    var residual = 0.0
    let sigma = grid.sigma.span
    let limit = grid.limit.span
    let users = grid.users.span
    let anchorMemory = priceAnchor
    let anchor = anchorMemory.span
    do {
      var sumsMemory = take(\.sums)
      var priceMemory = take(\.price)
      var standingMemory = take(\.priceStanding)
      defer {
        self.sums = sumsMemory
        self.price = priceMemory
        self.priceStanding = standingMemory
      }
      var sums = sumsMemory.mutableSpan
      var price = priceMemory.mutableSpan
      var standing = standingMemory.mutableSpan
      for k in grid.parents.indices.reversed() {
        let above = (grid.parents[k] - k) * width
        var moved = Lanes.zero
        for j in k * width..<(k + 1) * width {
          let (sum, before) = (sums[j], standing[j])
          if k > 0 { sums[j + above] += sum }
          let raised = before + sigma[j] * rate * (sum - limit[j])
          let next = raised.replacing(with: 0, where: raised .< 0)
          let difference = next - before
          moved += difference * difference * users[j]
          price[j] = next
          standing[j] = al * (2 * next - before) + be * anchor[j]
        }
        residual += Double(Self.total(moved) / rate)
      }
    }
    if peakCost > 0 { repricePeak(grid, Double(al), Double(rate)) }
    return residual
  }

  private mutating func repricePeak(_ grid: PlanningGrid, _ al: Double, _ rate: Double) {
    var heaviest: Float = 1
    for c in 0..<grid.chunks {
      heaviest = max(heaviest, (grid.users[c] + grid.users[grid.chunks + c] + grid.users[2 * grid.chunks + c]).max())
    }
    let sigma = rate / Double(heaviest)
    for slot in peak.indices {
      let (c, lane) = (slot / 8, slot % 8)
      let total = (sums[c] + sums[grid.chunks + c] + sums[2 * grid.chunks + c])[lane]
      peak[slot] = peakStanding[slot] + sigma * Double(total)
    }
    Self.project(&peak, onto: peakCost)
    for slot in peak.indices {
      peakStanding[slot] = al * (2 * peak[slot] - peakStanding[slot]) + (1 - al) * peakAnchor[slot]
    }
  }

  /// The nearest point with no negative part and a sum of at most `sum`.
  static func project(_ values: inout [Double], onto sum: Double) {
    var (shift, total) = (0.0, 0.0)
    if values.reduce(0, { $0 + max(0, $1) }) > sum {
      for (index, value) in values.sorted(by: >).enumerated() {
        total += value
        let candidate = (total - sum) / Double(index + 1)
        if candidate < value { shift = candidate }
      }
    }
    for index in values.indices { values[index] = max(0, values[index] - shift) }
  }

  private mutating func restart(_ grid: PlanningGrid) {
    var (plans, prices) = (0.0, 0.0)
    for row in grid.windows {
      var moved = Lanes.zero
      for j in row.offset..<row.offset + row.count { moved += (plan[j] - anchor[j]) * (plan[j] - anchor[j]) }
      plans += Double(Self.total(moved) / row.tau)
    }
    for j in price.indices {
      prices += Double(Self.total((price[j] - priceAnchor[j]) * (price[j] - priceAnchor[j]) * grid.users[j]))
    }
    if plans > 0 && prices > 0 {
      let balanced = (Double(omega) * (prices / plans).squareRoot()).squareRoot()
      omega = min(max(Float(balanced), firstOmega / 10), firstOmega * 10)
    }
    rest()
  }

  /// Starts afresh from what the last step proposed.
  mutating func rest() {
    (standing, anchor, priceStanding, priceAnchor) = (plan, plan, price, price)
    (peakStanding, peakAnchor, sinceRestart) = (peak, peak, 0)
  }

  @inline(__always) static func clamp(_ value: Lanes, _ most: Lanes) -> Lanes {
    let positive = value.replacing(with: 0, where: value .< 0)
    return positive.replacing(with: most, where: positive .> most)
  }
  /// The sum of the lanes, in a fixed order.
  @inline(__always) static func total(_ v: Lanes) -> Float {
    let four = v.lowHalf + v.highHalf
    let two = four.lowHalf + four.highHalf
    return two.x + two.y
  }
}
