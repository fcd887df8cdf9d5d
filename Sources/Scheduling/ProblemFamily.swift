import Quantities

/// Makes realistic problems for tests, benchmarks and `sluice problem`: a day from 06:00 with arrivals in a morning, a noon and an
/// evening cluster, so that the limits truly bind, two value steps per session, and a tree of groups below feeders below the site.
public struct ProblemFamily: Sendable {
  public var connectors = 100
  public var slots = 96
  /// How many times more than the site can carry the sessions would draw if each spread its demand over its stay, at the worst hour.
  public var tightness = 2.0
  public var peak = 0.0
  /// Some stations have three phases unless all are to have one.
  public var singlePhase = false
  /// Prices that change every hour by much; otherwise one price by day and one by night.
  public var hourlyPrices = false
  /// A chain of circuits below each other instead of groups side by side.
  public var deep = false
  public init() {}

  public func problem<Dice: RandomNumberGenerator>(using dice: inout Dice) -> PlanningProblem {
    func within(_ low: Double, _ high: Double) -> Double {
      low + (high - low) * Double(dice.next() >> 11) / 9_007_199_254_740_992
    }
    func around(_ centre: Double, _ spread: Double) -> Double {
      centre + spread * (within(-1, 1) + within(-1, 1) + within(-1, 1)) / 1.5
    }
    let hours = 24.0 / Double(slots)
    var prices: [Double] = []
    for slot in 0..<slots {
      let hour = Int((6 + Double(slot) * hours).rounded(.down)) % 24
      let isNewHour = slot == 0 || Int(Double(slot - 1) * hours) != Int(Double(slot) * hours)
      if !hourlyPrices { prices.append(hour < 6 || hour >= 22 ? 0.19 : 0.27) }
      if hourlyPrices { prices.append(isNewHour ? ((around(0.24, 0.09)) * 10000).rounded() / 10000 : prices[slot - 1]) }
    }
    var sessions: [PlanningProblem.Session] = []
    let groups = max(1, connectors / 10)
    let feeders = deep ? 0 : max(1, groups / 5)
    for index in 0..<connectors {
      let kind = within(0, 1)
      let (centre, spread, stay) = kind < 0.5 ? (2.0, 1.0, 8.5) : kind < 0.7 ? (6.5, 2.0, 2.5) : (12.5, 1.5, 10.0)
      let arrive = min(slots - 1, max(0, Int(around(centre, spread) / hours)))
      let depart = min(slots, arrive + max(1, Int(around(stay, stay / 3) / hours)))
      let three = !singlePhase && within(0, 1) < 0.6
      let phases: Phases = three ? .all : within(0, 1) < 0.1 && !singlePhase ? [.l1, .l2] : Phases(rawValue: 1 << UInt8(index % 3))
      let most = three && within(0, 1) < 0.5 ? 16.0 : 32.0
      let could = Double(phases.count) * 0.23 * most * Double(depart - arrive) * hours * 1000
      let demand = (min(could * 0.95, within(6000, three ? 45000 : 22000))).rounded()
      let first = (demand * within(0.3, 0.6)).rounded()
      let worth = (within(0.6, 1.4) * 1000).rounded() / 1000
      sessions.append(
        PlanningProblem.Session(
          circuit: 1 + feeders + index % groups, phases: phases, largest: most, window: arrive..<depart,
          value: [
            PlanningProblem.ValueStep(wattHours: first, euroPerKilowattHour: ((worth + within(0.5, 2)) * 1000).rounded() / 1000),
            PlanningProblem.ValueStep(wattHours: demand - first, euroPerKilowattHour: worth),
          ]))
    }
    var made = PlanningProblem(
      slotMinutes: 1440 / slots, prices: prices, peak: peak, circuits: circuits(groups, feeders), sessions: sessions)
    made.circuits[0].limit = siteLimit(made)
    return made
  }

  private func circuits(_ groups: Int, _ feeders: Int) -> [PlanningProblem.Circuit] {
    var made = [PlanningProblem.Circuit(parent: nil, limit: PerPhase(all: [0]))]
    for _ in 0..<feeders { made.append(PlanningProblem.Circuit(parent: 0, limit: PerPhase(all: [250]))) }
    for group in 0..<groups {
      let parent = deep ? group : 1 + group % feeders
      made.append(PlanningProblem.Circuit(parent: parent, limit: PerPhase(all: [deep ? Double(80 * (groups - group)) : 80])))
    }
    return made
  }

  private func siteLimit(_ problem: PlanningProblem) -> PerPhase<[Double]> {
    var even = PerPhase(all: [Double](repeating: 0, count: slots))
    for session in problem.sessions {
      let amps = session.demand / 1000 / problem.energyPerAmpere(session) / Double(session.window.count)
      for phase in Phase.allCases where session.phases.contains(phase) { for slot in session.window { even[phase][slot] += amps } }
    }
    let worst = max(even.l1.max() ?? 0, max(even.l2.max() ?? 0, even.l3.max() ?? 0))
    let limit = max(10, worst / tightness)
    // A building that takes a fifth by day, in steps of an hour.
    let values = (0..<slots).map { slot in
      let hour = (6 + slot * 24 / slots) % 24
      return ((hour >= 8 && hour < 18 ? limit * 0.8 : limit) * 10).rounded() / 10
    }
    return PerPhase(all: values)
  }
}

/// A generator of random numbers with a seed. Source: Steele, Lea & Flood, *Fast splittable pseudorandom number generators* (2014).
public struct SeededDice: RandomNumberGenerator, Sendable {
  private var state: UInt64
  public init(seed: Int) { state = UInt64(truncatingIfNeeded: seed) }
  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
