import PlanningMemory
import Quantities

/// A relaxed plan and its proof, kept while the world changes a little: each change touches only what it must, and says at once how
/// good the plan still is. Only when that is not good enough do the prices have to move again (`improve`).
///
/// A value: what it knows goes in and comes out with it.
public struct LivePlan: Sendable {
  public private(set) var problem: PlanningProblem
  /// A name for each session, in the order of the problem's.
  public private(set) var keys: [Int]
  private var warm: WarmStart?
  private var places: [Int: Int] = [:]
  private let sides: SideLimits<Double>
  private let parents: [Int]
  /// Per circuit, phase and slot: the price of an ampere there with those of all circuits above, its own price, what is left.
  private var path: [Double]
  private var own: [Double]
  private var room: [Double]
  /// Per slot, the sum over the site's phases; the highest they may be without a new peak.
  private var total: [Double]
  private var ceiling: Double
  /// Per session: amperes in its window, what they are worth less their cost, and the most it could gain at the prices, EUR.
  public private(set) var amps: [[Double]]
  private var worth: [Double]
  private var gains: [Double]
  /// What limits and other rows are worth at their prices, and the cost of the peak.
  private var limitsWorth = 0.0
  private var rowsWorth = 0.0
  private var slotsByCost: [Int]

  /// No relaxed plan is worth more, and what this one is worth (EUR).
  public var bound: Double { (limitsWorth + rowsWorth + gains.reduce(0, +)) * (1 + 1e-12) }
  public var value: Double {
    worth.reduce(0, +) - problem.peak * problem.volts / 1000 * (problem.peak > 0 ? max(0, total.max() ?? 0) : 0)
  }
  public var gap: Double { Plan.gap(bound, value) }

  /// - Parameters: as of `Planner.plan`.
  /// - Throws: a flaw of the problem.
  public init(
    _ problem: PlanningProblem, keys: [Int], planner: Planner, arena: Arena = Arena(),
    mayContinue: (Planner.Stage) -> Bool = { _ in true }
  ) throws(PlanningProblem.Flaw) {
    var warm: WarmStart?
    let search = try planner.solve(problem, keys, &warm, arena, mayContinue)
    (self.problem, self.keys, self.warm) = (problem, keys, warm)
    sides = SideLimits(problem) { $0 }
    parents = search.layout.parents
    (path, own, room, total, ceiling, amps, worth, gains, slotsByCost) = ([], [], [], [], .infinity, [], [], [], [])
    adopt(search)
    withExtendedLifetime(arena) {}
  }

  /// Moves the prices on from where they are, until the gap is reached or the count is used up; they move even if it was reached before.
  public mutating func improve(
    _ planner: Planner, arena: Arena = Arena(), mayContinue: (Planner.Stage) -> Bool = { _ in true }
  ) throws(PlanningProblem.Flaw) {
    let search = try planner.solve(problem, keys, &warm, arena, looksFirst: false, mayContinue)
    adopt(search)
    withExtendedLifetime(arena) {}
  }

  /// The plan in whole milliamperes for what is known now.
  public mutating func plan(
    _ planner: Planner, arena: Arena = Arena(), mayContinue: (Planner.Stage) -> Bool = { _ in true }
  ) throws(PlanningProblem.Flaw) -> Plan {
    try planner.plan(problem, keys: keys, warm: &warm, arena: arena, mayContinue: mayContinue)
  }

  private mutating func adopt(_ found: Search) {
    var search = found
    let (layout, slots) = (search.layout, problem.slots)
    let m = layout.memory
    search.proveBest()
    let width = m.chunks * 8
    let size = parents.count * 3 * slots
    (path, own, room) = (Array(repeating: 0, count: size), Array(repeating: 0, count: size), Array(repeating: 0, count: size))
    limitsWorth = 0
    for row in 0..<parents.count * 3 {
      for slot in 0..<slots {
        path[row * slots + slot] = m.exactPath.numbers[row * width + slot]
        own[row * slots + slot] = Double(m.price.numbers[row * width + slot])
        room[row * slots + slot] = search.best.room[row * width + slot]
        limitsWorth += own[row * slots + slot] * m.exactLimit.numbers[row * width + slot]
      }
    }
    rowsWorth = search.iteration.sides.exact()
    amps = problem.sessions.indices.map { i in
      let row = m.rows[layout.place[i]]
      return (row.start..<row.end).map { search.best.amps[layout.index(row, $0)] }
    }
    let offsets = problem.peakOffsets
    total = offsets.isEmpty ? Array(repeating: 0, count: slots) : offsets
    for (session, currents) in zip(problem.sessions, amps) {
      for (slot, current) in zip(session.window, currents) { total[slot] += current * Double(session.phases.count) }
    }
    ceiling = problem.peak > 0 ? max(0, total.max() ?? 0) : .infinity
    gains = problem.sessions.indices.map { m.gain[layout.place[$0]] }
    worth = Array(repeating: 0, count: problem.sessions.count)
    for i in worth.indices { worth[i] = worthNow(i) }
    places = [:]
    for (i, key) in keys.enumerated() { places[key] = i }
    slotsByCost = search.order.cheapest
  }

  // MARK: Changes

  /// A session arrives: it takes what is left where it is cheapest, shadow prices included.
  /// - Throws: a flaw of the session.
  /// - Complexity: O(*s* log *s*) in the slots of its window, times the depth of the tree.
  public mutating func insert(_ session: PlanningProblem.Session, key: Int) throws(PlanningProblem.Flaw) {
    try problem.validate(session, as: problem.sessions.count)
    precondition(places[key] == nil, "a key names one session")
    places[key] = problem.sessions.count
    keys.append(key)
    problem.sessions.append(session)
    amps.append(Array(repeating: 0, count: session.window.count))
    gains.append(0)
    worth.append(0)
    fill(problem.sessions.count - 1)
    prove(problem.sessions.count - 1)
  }

  /// A session leaves; what it had stays free until the others are asked (`improve`).
  public mutating func remove(key: Int) {
    guard let i = places.removeValue(forKey: key) else { return }
    clear(i)
    let last = keys.count - 1
    if i != last { places[keys[last]] = i }
    problem.sessions.swapAt(i, last)
    keys.swapAt(i, last)
    amps.swapAt(i, last)
    gains.swapAt(i, last)
    worth.swapAt(i, last)
    problem.sessions.removeLast()
    keys.removeLast()
    amps.removeLast()
    gains.removeLast()
    worth.removeLast()
  }

  /// A session wants something else.
  public mutating func change(_ session: PlanningProblem.Session, key: Int) throws(PlanningProblem.Flaw) {
    try problem.validate(session, as: places[key] ?? 0)
    remove(key: key)
    try insert(session, key: key)
  }

  /// A circuit's limits change in some slots: who is missed least there gives way at once, and all look for room elsewhere.
  /// - Parameter amperes: one value per phase for every slot of `slots`.
  public mutating func limit(circuit: Int, in slots: Range<Int>, to amperes: PerPhase<Double>) throws(PlanningProblem.Flaw) {
    precondition(problem.circuits.indices.contains(circuit) && slots.clamped(to: 0..<problem.slots) == slots)
    for phase in Phase.allCases where !(amperes[phase] >= 0 && amperes[phase] <= 1e6) {
      throw .badLimit(circuit: circuit, phase: phase, slot: slots.lowerBound, found: amperes[phase])
    }
    var cut: Set<Int> = []
    for phase in Phase.allCases {
      var limits = problem.circuits[circuit].limit[phase]
      if limits.count == 1 { limits = Array(repeating: limits[0], count: problem.slots) }
      for slot in slots {
        let place = (circuit * 3 + phase.rawValue) * problem.slots + slot
        room[place] += amperes[phase] - limits[slot]
        limitsWorth += own[place] * (amperes[phase] - limits[slot])
        limits[slot] = amperes[phase]
      }
      problem.circuits[circuit].limit[phase] = limits
      for slot in slots { trim(circuit, phase, slot, &cut) }
    }
    if sides.hasBalance { for slot in slots { clearUnbalanced(slot, &cut) } }
    for i in cut.sorted(by: { marginNow($1) < marginNow($0) || (marginNow($1) == marginNow($0) && $0 < $1) }) { fill(i) }
  }

  /// Energy costs something else from now on.
  /// - Parameter prices: EUR per kWh, one per slot.
  public mutating func reprice(_ prices: [Double]) throws(PlanningProblem.Flaw) {
    precondition(prices.count == problem.slots)
    for slot in prices.indices where !(abs(prices[slot]) <= 1e6) { throw .badPrice(slot: slot, found: prices[slot]) }
    problem.prices = prices
    let cost = prices.indices.map(problem.cost)
    slotsByCost = prices.indices.sorted { (cost[$0], $0) < (cost[$1], $1) }
    for i in problem.sessions.indices {
      worth[i] = worthNow(i)
      prove(i)
    }
  }

  // MARK: What a change touches

  private func place(_ circuit: Int, _ phase: Int, _ slot: Int) -> Int { (circuit * 3 + phase) * problem.slots + slot }

  private mutating func move(_ i: Int, _ slot: Int, by amount: Double) {
    let session = problem.sessions[i]
    amps[i][slot - session.window.lowerBound] += amount
    total[slot] += amount * Double(session.phases.count)
    var k = session.circuit
    while k >= 0 {
      for phase in 0..<3 where session.phases.rawValue & (1 << UInt8(phase)) != 0 { room[place(k, phase, slot)] -= amount }
      k = parents[k]
    }
  }

  private func free(_ session: PlanningProblem.Session, _ slot: Int) -> Double {
    var least = (ceiling - total[slot]) / Double(session.phases.count)
    var k = session.circuit
    while k >= 0 {
      for phase in 0..<3 where session.phases.rawValue & (1 << UInt8(phase)) != 0 {
        least = min(least, room[place(k, phase, slot)])
      }
      k = parents[k]
    }
    guard !sides.isEmpty, least > 0 else { return least }
    return min(least, sides.free(session.circuit, Int(session.phases.rawValue), slot, parents, drawn) ?? least)
  }

  private func drawn(_ k: Int, _ phase: Int, _ slot: Int) -> Double {
    let limits = problem.circuits[k].limit[Phase(rawValue: phase)!]
    return limits[limits.count == 1 ? 0 : slot] - room[place(k, phase, slot)]
  }

  /// EUR per kWh of an ampere of the session in a slot: the energy, and the shadow prices on its path.
  private func price(_ session: PlanningProblem.Session, _ unit: Double, _ slot: Int) -> Double {
    var sum = 0.0
    for phase in 0..<3 where session.phases.rawValue & (1 << UInt8(phase)) != 0 { sum += path[place(session.circuit, phase, slot)] }
    return problem.cost(slot) + sum / unit
  }

  /// Fills what a session lacks, cheapest first at the shadow prices, as long as the energy is worth its cost.
  private mutating func fill(_ i: Int) {
    let session = problem.sessions[i]
    let unit = problem.energyPerAmpere(session)
    var keys: [UInt64] = []
    for slot in session.window { keys.append(sortingKey(price(session, unit, slot), slot)) }
    keys.sort()
    var energy = amps[i].reduce(0, +) * unit
    var before = 0.0
    for step in session.value {
      let end = before + step.wattHours / 1000
      for key in keys where end - energy > 1e-12 {
        let slot = Int(key & 0xFFFF_FFFF)
        guard step.euroPerKilowattHour > problem.cost(slot) else { continue }
        let more = min((end - energy) / unit, session.largest - amps[i][slot - session.window.lowerBound], free(session, slot))
        guard more > 0 else { continue }
        move(i, slot, by: more)
        energy += more * unit
      }
      before = end
    }
    worth[i] = worthNow(i)
  }

  private mutating func clear(_ i: Int) {
    for slot in problem.sessions[i].window { take(i, slot, all: .infinity) }
  }

  private mutating func take(_ i: Int, _ slot: Int, all most: Double) {
    let at = slot - problem.sessions[i].window.lowerBound
    let has = amps[i][at]
    guard has > 0 else { return }
    move(i, slot, by: -min(has, most))
    if most >= has { amps[i][at] = 0 }
  }

  private mutating func trim(_ circuit: Int, _ phase: Phase, _ slot: Int, _ cut: inout Set<Int>) {
    guard room[place(circuit, phase.rawValue, slot)] < 0 else { return }
    var below = [Bool](repeating: false, count: parents.count)
    for k in circuit..<parents.count { below[k] = k == circuit || (parents[k] >= 0 && below[parents[k]]) }
    var keys: [UInt64] = []
    for (i, session) in problem.sessions.enumerated() {
      guard below[session.circuit], session.phases.contains(phase), session.window.contains(slot),
        amps[i][slot - session.window.lowerBound] > 0
      else { continue }
      keys.append(sortingKey(marginNow(i), i))
    }
    keys.sort()
    for key in keys {
      let i = Int(key & 0xFFFF_FFFF)
      take(i, slot, all: -room[place(circuit, phase.rawValue, slot)])
      worth[i] = worthNow(i)
      cut.insert(i)
      if room[place(circuit, phase.rawValue, slot)] >= 0 { return }
    }
  }

  /// A cut may leave the other phases too heavy: then all that is drawn in the slot goes, and looks for room anew.
  private mutating func clearUnbalanced(_ slot: Int, _ cut: inout Set<Int>) {
    let isBalanced = parents.indices.allSatisfy { k in
      guard let most = sides.unbalance[k] else { return true }
      let sums = (0..<3).map { drawn(k, $0, slot) }
      return sums.max()! - sums.min()! <= most + 1e-9
    }
    guard !isBalanced else { return }
    for i in problem.sessions.indices where problem.sessions[i].window.contains(slot) {
      take(i, slot, all: .infinity)
      worth[i] = worthNow(i)
      cut.insert(i)
    }
  }

  /// EUR per kWh of the last energy a session has, and its worth less its cost, EUR.
  private func marginNow(_ i: Int) -> Double {
    let session = problem.sessions[i]
    let energy = amps[i].reduce(0, +) * problem.energyPerAmpere(session) * 1000
    var before = 0.0
    for step in session.value {
      before += step.wattHours
      if energy <= before * (1 + 1e-9) { return step.euroPerKilowattHour }
    }
    return session.value.last?.euroPerKilowattHour ?? 0
  }

  private func worthNow(_ i: Int) -> Double {
    let session = problem.sessions[i]
    let unit = problem.energyPerAmpere(session)
    var (energy, sum) = (0.0, 0.0)
    for (slot, current) in zip(session.window, amps[i]) {
      energy += current * unit
      sum -= current * unit * problem.cost(slot)
    }
    for step in session.value {
      let part = min(energy, step.wattHours / 1000)
      sum += part * step.euroPerKilowattHour
      energy -= part
    }
    return sum
  }

  /// The most a session could gain at the prices: its slots in the order of their price, its energy in the order of its worth.
  private mutating func prove(_ i: Int) {
    let session = problem.sessions[i]
    let unit = problem.energyPerAmpere(session)
    var prices = session.window.map { price(session, unit, $0) }
    prices.sort()
    var (sum, step, left) = (0.0, 0, session.value.first?.wattHours ?? 0)
    for price in prices {
      var room = session.largest * unit * 1000
      while room > 0 && step < session.value.count && session.value[step].euroPerKilowattHour > price {
        let amount = min(room, left)
        sum += amount / 1000 * (session.value[step].euroPerKilowattHour - price)
        room -= amount
        left -= amount
        if left <= 0 {
          step += 1
          left = step < session.value.count ? session.value[step].wattHours : 0
        }
      }
    }
    gains[i] = sum
  }
}
