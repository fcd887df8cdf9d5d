import Quantities
import Simulation
import Site

/// A scenario with its chances drawn: who comes when and wants what, what else draws, what energy costs, which limits hold. The same
/// scenario and seed give the same story, and every strategy lives the same one.
public struct Story: Sendable {
  public let seed: UInt64
  /// In order of arrival.
  public let visits: [Visit]
  /// Visits that found no free connector, and recorded ones outside the days of the scenario.
  public let turnedAway: Int
  public let outside: Int
  /// The loads that nobody controls.
  public let loads: LoadTrace
  /// Micro-euros per kWh, one for each step.
  public let prices: [Int]
  /// In order of the moment at which the hub is told.
  public let limits: [(limit: Limit, told: Instant)]

  public init(_ scenario: Scenario, seed: UInt64) {
    self.seed = seed
    var drawing = VisitDrawing(scenario, seed: seed)
    drawing.draw()
    (visits, turnedAway, outside) = (drawing.visits, drawing.turnedAway, drawing.outside)
    loads = LoadTrace(scenario, seed: seed)
    prices = Self.prices(scenario, seed)
    limits = Self.limits(scenario, seed)
  }

  /// What energy costs in the days that a hub knows of on the day that begins with `step`: steps of equal price in one.
  public func tariff(_ scenario: Scenario, from step: Int) -> Tariff {
    var steps: [Tariff.Step] = []
    let end = min(prices.count, scenario.step(at: scenario.instant(step: step) + .days(Self.daysKnown)))
    for place in step..<end where place == step || prices[place] != prices[place - 1] {
      steps.append(Tariff.Step(from: scenario.instant(step: place), price: .microEuros(prices[place])))
    }
    return Tariff(steps: steps, until: scenario.instant(step: step) + .days(Self.daysKnown))
  }
  private static let daysKnown = 3

  private static func prices(_ scenario: Scenario, _ seed: UInt64) -> [Int] {
    var random = SeededRandom(seed: seed, part: 3)
    let variation = scenario.prices.variation
    let days = Set(scenario.dayStarts)
    var factor = 1.0
    return (0..<scenario.steps).map { step in
      if days.contains(step) { factor = 1 + Double(random.pick(-variation...variation)) / 1000 }
      let instant = scenario.instant(step: step)
      if let stated = scenario.prices.tariff?.step(at: instant) { return stated.price.raw }
      let (day, millisecond) = scenario.local(instant)
      return Int((scenario.prices.hourly[day][millisecond / 3_600_000] * factor * 1_000_000).rounded())
    }
  }

  private static func limits(_ scenario: Scenario, _ seed: UInt64) -> [(limit: Limit, told: Instant)] {
    var random = SeededRandom(seed: seed, part: 4)
    var found: [(limit: Limit, told: Instant)] = []
    let end = scenario.end
    for rule in scenario.limits {
      func add(_ from: Instant, _ until: Instant) {
        guard from < end, until > scenario.start else { return }
        let limit = Limit(
          id: "limit-\(found.count + 1)", source: rule.source, circuit: rule.circuit, amount: rule.amount, from: from, until: until)
        found.append((limit, max(scenario.start, from - rule.notice)))
      }
      if case .once(let from, let until) = rule.when { add(from, until) }
      for day in 0..<scenario.days {
        switch rule.when {
        case .once: break
        case .daily(let days, let from, let until):
          if days.contains(scenario.local(scenario.midnight(day)).weekday) {
            add(scenario.moment(day, from), scenario.moment(day, until))
          }
        case .atRandom(let perWeek, let from, let until, let lasts):
          let latest = max(from, until - lasts.raw)
          let moment = random.pick(from...latest)
          let begins = scenario.moment(day, moment)
          if random.nextPart() < perWeek / 7 { add(begins, begins + lasts) }
        }
      }
    }
    return found.enumerated().sorted { ($0.element.told, $0.offset) < ($1.element.told, $1.offset) }.map(\.element)
  }
}

extension SeededRandom {
  /// Evenly from 0 to below 1, in steps of 2^-53.
  mutating func nextPart() -> Double { Double(next() >> 11) * 0x1p-53 }
}
