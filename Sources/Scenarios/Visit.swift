import Quantities
import Simulation
import Site

/// A vehicle at a connector, from plug-in to plug-out.
public struct Visit: Sendable, Hashable {
  public var connector: Int
  /// Its name: of the crowd, or "recorded".
  public var crowd: String
  /// The first step in which it is there, and the one after the last.
  public var arrives: Int
  public var leaves: Int
  /// As drawn or recorded, before the grid of steps.
  public var arrival: Instant
  public var departure: Instant
  /// What the driver wants.
  public var energy: Energy
  /// What the battery lacks to be full at arrival; at least `energy`.
  public var missing: Energy
  /// The station's own conductors that it uses.
  public var conductors: Phases
  public var maximum: Current
  public var minimum: Current
  public var battery: Energy
  public var taperFrom: Int?
  /// Whether the hub is told when it leaves and what it needs.
  public var tells: Bool
}

/// Draws the visits of a scenario, or puts recorded ones in their places.
struct VisitDrawing {
  private let scenario: Scenario
  private let seed: UInt64
  private(set) var visits: [Visit] = []
  private(set) var turnedAway = 0
  private(set) var outside = 0
  /// Per connector: the step from which it is free.
  private var freeFrom: [Int]
  private var random: SeededRandom

  init(_ scenario: Scenario, seed: UInt64) {
    (self.scenario, self.seed) = (scenario, seed)
    freeFrom = Array(repeating: 0, count: scenario.hub.connectors.count)
    random = SeededRandom(seed: seed, part: 5)
  }

  mutating func draw() {
    switch scenario.visits {
    case .drawn(let crowds): draw(crowds)
    case .recorded(let records): for record in records { place(record) }
    }
  }

  private struct Candidate {
    var at: Instant
    var crowd: Int
    var order: Int
  }

  /// So many chances for an arrival in an hour: the number of arrivals is binomial, nearly Poisson's.
  private static let chances = 600

  private mutating func draw(_ crowds: [Crowd]) {
    var candidates: [Candidate] = []
    for (i, crowd) in crowds.enumerated() {
      var random = SeededRandom(seed: seed, part: 100 + i)
      for hour in 0..<(scenario.end - scenario.start).raw / 3_600_000 {
        let begin = scenario.start + .hours(hour)
        let (day, millisecond) = scenario.local(begin)
        let mean = crowd.arrivals[day][millisecond / 3_600_000]
        guard mean > 0 else { continue }
        let chance = mean / Double(Self.chances)
        for place in 0..<Self.chances where random.nextPart() < chance {
          let at = begin + TimeSpan(raw: place * 6000 + random.pick(0...5999))
          candidates.append(Candidate(at: at, crowd: i, order: candidates.count))
        }
      }
    }
    candidates.sort { ($0.at, $0.order) < ($1.at, $1.order) }
    for candidate in candidates { place(crowds[candidate.crowd], candidate.at) }
  }

  private mutating func place(_ crowd: Crowd, _ at: Instant) {
    // The dice are thrown whether there is a place or not: what others do changes nobody's wishes.
    let model = choose(crowd.models)
    let hour = scenario.local(at).millisecond / 3_600_000
    let (stayPart, energyPart) = (random.nextPart(), random.nextPart())
    let tells = random.chance(crowd.tell)
    let departure = departure(crowd, at, hour, stayPart)
    let energy = spread(crowd.energy, at, hour)?.value(energyPart) ?? 0
    let first = random.pick(0...max(0, crowd.connectors.count - 1))
    let arrives = step(at)
    guard let c = free(crowd.connectors, from: first, at: arrives) else {
      turnedAway += 1
      return
    }
    let vehicle = scenario.models[model]
    add(
      c, crowd.name, at, departure, Energy(milliwattHours: Int((energy * 1_000_000).rounded())), vehicle, phases: vehicle.phases,
      maximum: vehicle.maximum, tells: tells, isCapped: true)
  }

  private mutating func place(_ record: RecordedVisit) {
    let vehicle = scenario.models[choose(scenario.models.enumerated().map { ($0.offset, $0.element.share) })]
    guard record.arrival >= scenario.start, record.arrival < scenario.end else {
      outside += 1
      return
    }
    let arrives = step(record.arrival)
    let wished = record.connector.flatMap { freeFrom[$0] <= arrives ? $0 : nil }
    guard let c = wished ?? free(Array(freeFrom.indices), from: 0, at: arrives) else {
      turnedAway += 1
      return
    }
    add(
      c, "recorded", record.arrival, record.departure, record.energy, vehicle, phases: record.phases ?? vehicle.phases,
      maximum: record.maximum ?? vehicle.maximum, tells: true, isCapped: false)
  }

  private func departure(_ crowd: Crowd, _ at: Instant, _ hour: Int, _ part: Double) -> Instant {
    switch crowd.stay {
    case .lasts(let spreads): return at + TimeSpan(raw: Int((spread(spreads, at, hour)?.value(part) ?? 1) * 3_600_000))
    case .until(let spreads):
      let leaves = Int((spread(spreads, at, hour)?.value(part) ?? 0) * 3_600_000)
      return scenario.localTime.next(TimeSpan(raw: leaves % 86_400_000), after: at)
    }
  }

  private func spread(_ spreads: [Spread], _ at: Instant, _ hour: Int) -> Spread? {
    let day = scenario.local(at).weekday
    return spreads.first { $0.hours.contains(hour) && $0.days.contains(day) } ?? spreads.last
  }

  private mutating func choose(_ weighted: [(Int, Double)]) -> Int {
    let sum = weighted.reduce(0) { $0 + $1.1 }
    var rest = random.nextPart() * sum
    for (index, weight) in weighted {
      rest -= weight
      if rest < 0 { return index }
    }
    return weighted.last?.0 ?? 0
  }

  private func free(_ places: [Int], from first: Int, at step: Int) -> Int? {
    for i in places.indices {
      let c = places[(first + i) % places.count]
      if freeFrom[c] <= step { return c }
    }
    return nil
  }

  private func step(_ at: Instant) -> Int { max(0, scenario.step(at: at)) }

  private mutating func add(
    _ c: Int, _ crowd: String, _ arrival: Instant, _ departure: Instant, _ energy: Energy, _ vehicle: VehicleModel, phases: Int,
    maximum: Current, tells: Bool, isCapped: Bool
  ) {
    let connector = scenario.hub.connectors[c]
    let arrives = step(arrival)
    let leaves = max(arrives + 1, ((departure - scenario.start).raw + scenario.step.raw - 1) / scenario.step.raw)
    let most = min(maximum, connector.maximum)
    var visit = Visit(
      connector: c, crowd: crowd, arrives: arrives, leaves: leaves, arrival: arrival, departure: departure, energy: energy,
      missing: energy, conductors: Self.first(phases, of: connector.wiring?.conductors ?? .all), maximum: most,
      minimum: min(most, max(vehicle.minimum, connector.supply == .ac ? .smallestOffer : .zero)),
      battery: max(vehicle.battery, energy),
      taperFrom: vehicle.taperFrom, tells: tells)
    if isCapped {
      // Nobody misses more than its battery holds, or asks for what its connector could not give in its stay.
      (visit.battery, visit.missing) = (vehicle.battery, min(energy, vehicle.battery))
      visit.energy = visit.missing
      visit.energy = Occupant(visit, index: 0, phases: visit.conductors, voltage: scenario.hub.nominalVoltage).taken(
        steps: leaves - arrives, of: scenario.step)
    }
    freeFrom[c] = leaves
    visits.append(visit)
  }

  private static func first(_ count: Int, of wired: Phases) -> Phases {
    var chosen: Phases = []
    for phase in Phase.allCases where wired.contains(phase) && chosen.count < count { chosen.formUnion(Phases(phase)) }
    return chosen
  }
}
