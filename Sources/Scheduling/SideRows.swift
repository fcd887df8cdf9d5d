import PlanningMemory
import Quantities

/// The rows of a problem beside the limits of circuit, phase and slot, priced like these: the highest power of the site, the balance of
/// phases, and means over quarters of an hour. In float64, few and plain.
struct SideRows {
  /// A price with where it stands and where the last restart was.
  struct Priced {
    var now: [Double]
    var standing: [Double]
    var anchor: [Double]
    init(_ count: Int) {
      now = Array(repeating: 0, count: count)
      (standing, anchor) = (now, now)
    }
    mutating func move(_ place: Int, to value: Double, _ terms: StepTerms) -> Double {
      let was = standing[place]
      now[place] = value
      standing[place] = Double(terms.reflected) * (2 * value - was) + Double(terms.anchored) * anchor[place]
      return (value - was) * (value - was)
    }
    mutating func rest() { (standing, anchor) = (now, now) }
  }
  /// The difference between two phases of a circuit, slot by slot.
  struct Balance {
    let circuit: Int
    let first: Int
    let second: Int
    let most: Double
    var price: Priced
  }
  /// The mean of a circuit's phase over each quarter.
  struct Quarters {
    let circuit: Int
    let phase: Int
    let limit: [Double]
    var price: Priced
  }
  private let slots: Int
  private let width: Int
  private let share: Double
  private let quarter: [Int]
  private let peakCost: Double
  /// One per slot where the site draws more than the sessions do; otherwise empty.
  private let peakOffset: [Double]
  private(set) var peak: Priced
  private(set) var balances: [Balance] = []
  private(set) var quarters: [Quarters] = []
  let extra: Slab<SIMD8<Double>>
  var isEmpty: Bool { peakCost == 0 && balances.isEmpty && quarters.isEmpty }

  init(_ problem: PlanningProblem, _ memory: PlanningMemory, in arena: Arena) {
    (slots, width) = (problem.slots, memory.chunks * 8)
    share = Double(problem.slotMinutes) / 15
    quarter = (0..<problem.slots).map(problem.quarter)
    peakCost = problem.peak * problem.volts / 1000
    peak = Priced(peakCost > 0 ? problem.slots : 0)
    peakOffset = problem.peakOffsets
    for (k, circuit) in problem.circuits.enumerated() {
      if let most = circuit.unbalance {
        for (first, second) in [(0, 1), (1, 2), (2, 0)] {
          balances.append(Balance(circuit: k, first: first, second: second, most: most, price: Priced(slots)))
        }
      }
      guard let limits = circuit.quarterLimit else { continue }
      for phase in Phase.allCases {
        let limit = limits[phase]
        let all = limit.count == 1 ? Array(repeating: limit[0], count: problem.quarters) : limit
        quarters.append(Quarters(circuit: k, phase: phase.rawValue, limit: all, price: Priced(problem.quarters)))
      }
    }
    let has = peakCost > 0 || !balances.isEmpty || !quarters.isEmpty
    extra = arena.slab(has ? memory.limit.count : 0, .zero)
  }

  /// Moves the prices by what is drawn, and spreads where they stand into the memory's extra prices.
  /// - Returns: what this adds to the square of the residual.
  mutating func reprice(_ m: PlanningMemory, _ terms: StepTerms) -> Double {
    let rate = Double(StepTerms.caution * terms.omega)
    let (sums, users) = (m.sums.numbers, m.users.numbers)
    func place(_ circuit: Int, _ phase: Int, _ slot: Int) -> Int { (circuit * 3 + phase) * width + slot }
    var residual = 0.0
    if peakCost > 0 { residual += repricePeak(m, terms, rate) }
    for index in balances.indices {
      let row = balances[index]
      for slot in 0..<slots {
        let (a, b) = (place(row.circuit, row.first, slot), place(row.circuit, row.second, slot))
        let count = Double(users[a] + users[b])
        guard count > 0 else { continue }
        let raised = row.price.standing[slot] + rate / count * Double(sums[a] - sums[b])
        let value = raised > 0 ? max(0, raised - rate / count * row.most) : min(0, raised + rate / count * row.most)
        residual += balances[index].price.move(slot, to: value, terms) * count / rate
      }
    }
    for index in quarters.indices {
      let row = quarters[index]
      var (drawn, count) = ([Double](repeating: 0, count: row.limit.count), [Double](repeating: 0, count: row.limit.count))
      for slot in 0..<slots {
        drawn[quarter[slot]] += share * Double(sums[place(row.circuit, row.phase, slot)])
        count[quarter[slot]] += share * Double(users[place(row.circuit, row.phase, slot)])
      }
      for q in drawn.indices where count[q] > 0 {
        let value = max(0, row.price.standing[q] + rate / count[q] * (drawn[q] - row.limit[q]))
        residual += quarters[index].price.move(q, to: value, terms) * count[q] / rate
      }
    }
    spread(m)
    return residual
  }

  private mutating func repricePeak(_ m: PlanningMemory, _ terms: StepTerms, _ rate: Double) -> Double {
    let (sums, users) = (m.sums.numbers, m.users.numbers)
    var heaviest = 1.0
    for slot in 0..<slots { heaviest = max(heaviest, Double(users[slot] + users[width + slot] + users[2 * width + slot])) }
    var wanted = peak.standing
    for slot in 0..<slots {
      let drawn = Double(sums[slot] + sums[width + slot] + sums[2 * width + slot])
      wanted[slot] += rate / heaviest * (drawn + (peakOffset.isEmpty ? 0 : peakOffset[slot]))
    }
    Self.project(&wanted, onto: peakCost)
    var residual = 0.0
    for slot in 0..<slots { residual += peak.move(slot, to: wanted[slot], terms) * heaviest / rate }
    return residual
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

  /// Where the prices stand, as what they add to each circuit and phase.
  func spread(_ m: PlanningMemory) {
    guard !isEmpty else { return }
    let extra = m.extra.numbers
    extra.fill(0)
    for slot in peak.standing.indices { for phase in 0..<3 { extra[phase * width + slot] += Float(peak.standing[slot]) } }
    for row in balances {
      for slot in 0..<slots {
        extra[(row.circuit * 3 + row.first) * width + slot] += Float(row.price.standing[slot])
        extra[(row.circuit * 3 + row.second) * width + slot] -= Float(row.price.standing[slot])
      }
    }
    for row in quarters {
      for slot in 0..<slots {
        extra[(row.circuit * 3 + row.phase) * width + slot] += Float(share * row.price.standing[quarter[slot]])
      }
    }
  }

  /// The proposed prices for the proof, into `extra`.
  /// - Returns: what the rows are worth at these prices, EUR: a part of the bound.
  func exact() -> Double {
    guard !isEmpty else { return 0 }
    let extra = extra.numbers
    extra.fill(0)
    var sum = 0.0
    let whole = peak.now.reduce(0) { $0 + max(0, $1) }
    let scale = whole > peakCost ? peakCost / whole : 1
    for slot in peak.now.indices { for phase in 0..<3 { extra[phase * width + slot] += max(0, peak.now[slot]) * scale } }
    // Where the base is lower than at its highest, a price of the peak is worth what is missing.
    for slot in peakOffset.indices { sum -= max(0, peak.now[slot]) * scale * peakOffset[slot] }
    for row in balances {
      for slot in 0..<slots {
        sum += abs(row.price.now[slot]) * row.most
        extra[(row.circuit * 3 + row.first) * width + slot] += row.price.now[slot]
        extra[(row.circuit * 3 + row.second) * width + slot] -= row.price.now[slot]
      }
    }
    for row in quarters {
      for q in row.limit.indices { sum += row.price.now[q] * row.limit[q] }
      for slot in 0..<slots { extra[(row.circuit * 3 + row.phase) * width + slot] += share * row.price.now[quarter[slot]] }
    }
    return sum
  }

  mutating func rest() {
    peak.rest()
    for index in balances.indices { balances[index].price.rest() }
    for index in quarters.indices { quarters[index].price.rest() }
  }

  /// All prices in a fixed order, for a warm start.
  var prices: [Double] {
    get { peak.now + balances.flatMap(\.price.now) + quarters.flatMap(\.price.now) }
    set {
      guard newValue.count == prices.count else { return }
      var place = 0
      func next(_ count: Int) -> [Double] {
        place += count
        return Array(newValue[place - count..<place])
      }
      peak.now = next(peak.now.count)
      for index in balances.indices { balances[index].price.now = next(slots) }
      for index in quarters.indices { quarters[index].price.now = next(quarters[index].limit.count) }
      rest()
    }
  }
}
