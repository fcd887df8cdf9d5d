import ChargingProfiles
import Control
import Quantities
import Site

/// A full hub is told to take less, as a grid operator would tell it, and how long that takes is measured at the connection itself: what
/// flows, not what meters show or stations say. The same seed gives the same trial.
public struct LimitTrial: Hashable, Sendable {
  public var seed: UInt64
  /// The last of the vehicles follow their pilot signal within this; each has a delay of its own, drawn as `Vehicle.reaction` says.
  public var slowest: TimeSpan
  /// Thousandths of the stations that say yes to everything and let their vehicles draw what the hardware allows: half of them
  /// always did, the others from the moment of the limit on.
  public var disobedient: Int
  /// The fewest and the most connectors, each a station of its own.
  public var connectors = 26...30
  /// What the connection is to have before the limit is set, and the limit. Where stations that do not obey are counted at more than their
  /// vehicles take, it never comes to that: three quarters of it will do then.
  public var full = Power.watts(380_000)
  public var limit = Power.watts(150_000)

  public init(seed: UInt64, slowest: TimeSpan, disobedient: Int = 0) {
    (self.seed, self.slowest, self.disobedient) = (seed, slowest, disobedient)
  }

  /// What came of it.
  public struct Outcome: Hashable, Sendable {
    public var seed: UInt64
    /// What flowed when the limit was set.
    public var before: Power
    /// From the limit to the last moment above it within two minutes, in steps of `LimitTrial.step`; nil: the hub was not full in time.
    public var met: TimeSpan?
    /// Energy above the limit.
    public var above: Energy
    public var disobedient: Int
    /// What the checkers of the rules have found.
    public var findings: [Finding]
  }

  /// How finely it is measured.
  public static let step = TimeSpan.milliseconds(100)
  private static let watched = TimeSpan.minutes(2)
  private static let patience = TimeSpan.minutes(6)
  /// Nobody comes by itself.
  private static let never = 1_000_000_000

  /// Lives the trial.
  /// - Complexity: about five minutes of a hub's life.
  public func run() -> Outcome {
    var random = SeededRandom(seed: seed, part: 90)
    let made = made(&random)
    var options = Simulation.Options()
    (options.arrivals, options.history) = (Self.never, 20)
    let simulation = Simulation(seed: seed, made: made, options: options)
    simulation.run(until: 25_000)
    for s in simulation.stations.indices { simulation.plugIn(vehicle(&random), at: s, within: 100...30_000) }
    var end = 60_000
    while simulation.power < full, end < Self.patience.milliseconds, simulation.report.findings.isEmpty {
      simulation.run(until: end)
      end += 1000
    }
    simulation.run(until: end + random.pick(0...30_000))
    var outcome = Outcome(
      seed: seed, before: simulation.power, met: nil, above: .zero, disobedient: made.quirks.count { !$0.isEmpty },
      findings: simulation.report.findings)
    guard simulation.power >= full.scaled(3, over: 4) else { return outcome }
    measure(simulation, &outcome)
    return outcome
  }

  private func measure(_ simulation: Simulation, _ outcome: inout Outcome) {
    simulation.loseControl()
    let begin = simulation.now
    simulation.limitConnection(to: limit)
    var last = 0, work = 0
    for end in stride(from: Self.step.raw, through: Self.watched.raw, by: Self.step.raw) {
      // What flowed at the beginning of the step counts for all of it.
      let above = max(.zero, simulation.power - limit)
      if above > .zero { (last, work) = (end, work + above.raw * Self.step.raw) }
      simulation.run(until: begin + end)
    }
    outcome.met = .milliseconds(last)
    outcome.above = Energy(raw: work / 3_600_000)
    outcome.findings = simulation.report.findings
  }

  /// A connection of 400 kW with four feeders; nobody is left less than 6 A, which fits below the limit.
  private func made(_ random: inout SeededRandom) -> HubGenerator.Made {
    var circuits = [Circuit(id: "connection", rating: PerPhase(all: .amperes(580)), baseWorst: PerPhase(all: .amperes(12)))]
    circuits[0].measurement = Circuit.Measurement(meter: 0, rotation: random.choose(PhaseRotation.allCases))
    for feeder in 1...4 { circuits.append(Circuit(id: "feeder-\(feeder)", parent: 0, rating: PerPhase(all: .amperes(250)))) }
    let meter = Meter(id: "connection", profile: "generic", bus: .tcp(host: "127.0.0.1", port: 502), period: .seconds(1))
    var hub = Hub(id: "trial-\(seed)", circuits: circuits, meters: [meter])
    var quirks: [[StationQuirk]] = []
    for s in 0..<random.pick(connectors) {
      var traits = StationTraits(model: "emulated")
      traits.callTimeout = .seconds(10)
      traits.sampleInterval = .seconds(random.choose([5, 10, 10, 15]))
      traits.reaction = .seconds(random.choose([1, 2, 5]))
      let wiring = Connector.Wiring(conductors: .all, rotation: random.choose(PhaseRotation.allCases))
      hub.connectors.append(
        Connector(
          station: s, number: 1, circuit: 1 + s % 4, wiring: wiring, maximum: .amperes(32), minimum: .smallestOffer,
          fallback: .smallestOffer))
      hub.stations.append(Station(id: "s\(s)", traits: traits, trust: .proven, connectors: s..<s + 1))
      quirks.append(random.chance(disobedient) ? [random.choose([.acceptsButIgnores, .losesControlAfterPause])] : [])
    }
    return HubGenerator.Made(hub: hub, quirks: quirks, steps: circuits.map { _ in 3000 })
  }

  /// Who is slow is slow at each profile.
  private func vehicle(_ random: inout SeededRandom) -> Vehicle {
    var vehicle = Vehicle(
      conductors: .all, maximum: .amperes(random.choose([32, 32, 32, 16, 20])), energy: .wattHours(random.pick(30_000...60_000)),
      slowest: slowest)
    vehicle.steady = vehicle.reaction(&random)
    return vehicle
  }
}

extension Simulation {
  /// What flows through the connection, at 230 V and power factor 1; infeed of one phase is not set against another.
  var power: Power {
    (0..<3).reduce(.zero) { $0 + Current(raw: max(0, flows[$1])).power(at: .volts(230), phases: 1) }
  }

  /// A vehicle comes to the first connector of a station.
  func plugIn(_ vehicle: Vehicle, at s: Int, within: ClosedRange<Int>) {
    lastTag += 1
    report.sessions += 1
    stations[s].plugIn(0, vehicle, idTag: "tag-\(lastTag)", leaving: now + 86_400_000, within: within, at: now)
    settle(s)
  }

  /// Stations that may lose control do so now.
  func loseControl() {
    for s in stations.indices where stations[s].has(.losesControlAfterPause) {
      for b in stations[s].bays.indices { stations[s].bays[b].isOutOfControl = true }
    }
  }

  /// A limit for the connection comes as one over HTTP does.
  func limitConnection(to power: Power) {
    let series = LimitSeries(
      id: "grid", source: "grid operator", owner: "grid operator", circuit: 0,
      blocks: [.init(from: utc, until: nil, amount: .power(power))])
    think(.asked(Request(id: "trial", by: "grid operator", order: .limit(series))))
  }
}
