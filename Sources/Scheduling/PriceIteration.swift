import PlanningMemory

/// The restarted primal-dual iteration: limits are priced out, and each session answers the prices exactly.
///
/// Float32 in fixed lanes and a fixed order, without fused multiply-add: the same bits on every machine. What it yields is only a
/// proposal; bounds and plans are computed from it in float64.
/// - Source: Applegate et al., *Faster first-order primal-dual methods for linear programming using sharpness and restarts* (2021);
///   Lu & Yang, *Restarted Halpern PDHG for linear programming* (2024).
struct PriceIteration {
  var memory: PlanningMemory
  let kernels: KernelChoice
  var sides: SideRows
  private let crew: Crew
  var omega: Float
  let firstOmega: Float
  private(set) var count = 0
  private var sinceRestart = 0
  private var firstResidual = 0.0
  private var lastResidual = 0.0

  init(_ layout: PlanningLayout, _ kernels: KernelChoice, _ workers: Workers?, in arena: Arena) {
    (memory, self.kernels) = (layout.memory, kernels)
    crew = Crew(layout, workers, in: arena)
    sides = SideRows(layout.problem, layout.memory, in: arena)
    if !sides.isEmpty { memory.extra = arena.slab(memory.limit.count, .zero) }
    firstOmega = Self.startingOmega(layout)
    omega = firstOmega
  }

  private static func startingOmega(_ layout: PlanningLayout) -> Float {
    let problem = layout.problem
    let cheapest = RangeMinimum((0..<problem.slots).map(problem.cost))
    var (gain, current) = (0.0, 0.0)
    for session in problem.sessions {
      let worth = (session.value.first?.euroPerKilowattHour ?? 0) - cheapest.least(session.window)
      gain += max(0, worth * problem.energyPerAmpere(session))
      current += session.largest
    }
    return gain > 0 && current > 0 ? Float(0.3 * gain / current) : 1
  }

  /// One step, with a restart at its end when the rule asks for one.
  mutating func step() {
    let m = memory
    let terms = StepTerms(omega: omega, sinceRestart: sinceRestart)
    kernels.spreadPrices(m)
    crew.each { [kernels] circuits, scratch, _ in kernels.answer(m, terms, circuits, scratch) }
    var squared = 0.0
    for k in 0..<m.circuits { squared += m.residual[k] }
    squared += kernels.reprice(m, terms)
    if !sides.isEmpty { squared += sides.reprice(m, terms) }
    let residual = squared.squareRoot()
    count += 1
    if sinceRestart == 0 { firstResidual = residual }
    let stalled = residual <= 0.8 * firstResidual && residual > lastResidual
    let long = Double(sinceRestart) >= 0.36 * Double(count) && count > 20
    if sinceRestart > 0 && (residual <= 0.2 * firstResidual || stalled || long) { restart() } else { sinceRestart += 1 }
    lastResidual = residual
  }

  private mutating func restart() {
    let moved = kernels.distances(memory)
    if moved.plan > 0 && moved.price > 0 {
      let balanced = (Double(omega) * (moved.price / moved.plan).squareRoot()).squareRoot()
      omega = min(max(Float(balanced), firstOmega / 10), firstOmega * 10)
    }
    rest()
  }

  /// Starts afresh from what the last step proposed.
  mutating func rest() {
    memory.standing.copy(memory.plan)
    memory.anchor.copy(memory.plan)
    memory.priceStanding.copy(memory.price)
    memory.priceAnchor.copy(memory.price)
    sides.rest()
    sides.spread(memory)
    sinceRestart = 0
  }

  /// No plan of the relaxed problem is worth more than this, EUR: weak duality at the proposed prices, in float64.
  func bound() -> Double {
    let m = memory
    let rows = sides.exact()
    let limits = kernels.spreadExactPrices(m, extra: sides.extra)
    crew.each { [kernels] circuits, _, scratch in kernels.boundGains(m, circuits, scratch) }
    var gains = 0.0
    for at in 0..<m.sessions { gains += m.gain[at] }
    // All terms are at least zero: what rounding can take away is far below a part in 10^12.
    return (rows + limits + gains) * (1 + 1e-12)
  }
}

/// The least value in any range, in constant time after O(*n* log *n*).
struct RangeMinimum {
  private var rows: [[Double]]
  init(_ values: [Double]) {
    rows = [values]
    var length = 2
    while length <= values.count {
      let last = rows[rows.count - 1]
      rows.append((0...values.count - length).map { min(last[$0], last[$0 + length / 2]) })
      length *= 2
    }
  }
  func least(_ range: Range<Int>) -> Double {
    guard !range.isEmpty else { return .infinity }
    let level = Int.bitWidth - 1 - range.count.leadingZeroBitCount
    return min(rows[level][range.lowerBound], rows[level][range.upperBound - (1 << level)])
  }
}
