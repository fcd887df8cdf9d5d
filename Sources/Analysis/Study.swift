import Documents
import Quantities
import Scenarios

/// All runs of a scenario: strategies times seeds. The first seed is told in detail.
public struct Study: Sendable {
  public let scenario: Scenario
  public let name: String
  public let seeds: [UInt64]
  public let strategies: [Strategy]
  /// Runs that were begun, by strategy in their order and then by seed.
  public internal(set) var figures: [Figures] = []
  /// Those of the first seed.
  public internal(set) var detailed: [Outcome] = []
  /// Days lived by the shortest run.
  public internal(set) var days: Int
  public internal(set) var isComplete = true

  public init(_ scenario: Scenario, name: String, seeds: [UInt64], strategies: [Strategy]) {
    (self.scenario, self.name, self.seeds, self.strategies, days) = (scenario, name, seeds, strategies, scenario.days)
  }

  /// The runs, in the order in which they count.
  public var plan: [(strategy: Strategy, seed: UInt64)] { strategies.flatMap { strategy in seeds.map { (strategy, $0) } } }

  /// Takes the outcomes in the order of `plan`; nil: that run was never begun.
  public mutating func take(_ results: [(Outcome, Figures)?]) {
    for case let (outcome, figures)? in results {
      self.figures.append(figures)
      if outcome.seed == seeds.first { detailed.append(outcome) }
      days = min(days, outcome.steps / scenario.stepsPerDay)
      if !outcome.isComplete { isComplete = false }
    }
    if results.contains(where: { $0 == nil }) || results.count < plan.count { isComplete = false }
  }

  public func figures(of strategy: Strategy) -> [Figures] { figures.filter { $0.strategy == strategy } }

  public var promises: [PromiseResult] {
    scenario.promises.flatMap { promise in
      figures.filter { promise.concerns($0.strategy) }.map { PromiseResult(promise, $0, scenario) }
    }
  }
}

extension Study {
  /// `summary.json`.
  public var summary: [UInt8] {
    var writer = JSONWriter(reserving: 1 << 16)
    writer.beginObject()
    write("format", "sluice-simulation-1", &writer)
    write("scenario", name, &writer)
    write("story", scenario.story, &writer)
    write("fidelity", "analyst", &writer)
    write("start", Timestamp.text(scenario.start.milliseconds), &writer)
    writer.key("days")
    writer.integer(scenario.days)
    writer.key("days_lived")
    writer.integer(days)
    writer.key("complete")
    writer.bool(isComplete)
    writer.key("step_min")
    writer.integer(scenario.step.raw / 60_000)
    writer.key("connectors")
    writer.integer(scenario.hub.connectors.count)
    writer.key("sources")
    writer.write(.array(scenario.sources.map { .string($0) }))
    writer.key("runs")
    writer.beginArray()
    for figures in figures { figures.write(&writer) }
    writer.endArray()
    writePromises(&writer)
    writer.endObject()
    return writer.bytes + [10]
  }

  private func write(_ key: String, _ value: String, _ writer: inout JSONWriter) {
    writer.key(key)
    writer.string(value)
  }

  private func writePromises(_ writer: inout JSONWriter) {
    writer.key("must_hold")
    writer.beginArray()
    for result in promises {
      writer.beginObject()
      write("promise", result.promise.kind.rawValue, &writer)
      write("reason", result.promise.kind.reason, &writer)
      write("policy", result.strategy.rawValue, &writer)
      writer.key("seed")
      writer.integer(Int(result.seed))
      writer.key("holds")
      writer.bool(result.holds)
      write("found", result.words, &writer)
      writer.endObject()
    }
    writer.endArray()
  }
}

extension Figures {
  func write(_ writer: inout JSONWriter) {
    writer.beginObject()
    writer.key("policy")
    writer.string(strategy.rawValue)
    writer.key("seed")
    writer.integer(Int(seed))
    let whole: [(String, Int)] = [("sessions", sessions), ("turned_away", turnedAway)]
    for (key, value) in whole {
      writer.key(key)
      writer.integer(value)
    }
    let reals: [(String, Double)] = [
      ("asked_kwh", asked), ("delivered_kwh", delivered), ("delivered_percent", deliveredPercent), ("demands_met_percent", met),
      ("peak_kw", peak), ("quarter_peak_kw", quarterPeak), ("energy_cost_eur", energyCost), ("peak_cost_eur", peakCost),
      ("unbalance_a", unbalance), ("held_back_kwh", heldBack), ("limit_used_percent", utilisation), ("jain", fairness),
    ]
    for (key, value) in reals {
      writer.key(key)
      writer.real(value)
    }
    if let utilisationWhileWaiting {
      writer.key("limit_used_while_waiting_percent")
      writer.real(utilisationWhileWaiting)
    }
    writer.key("kwh_short")
    writer.beginObject()
    for (name, value) in zip(["p50", "p90", "p95", "p99", "most"], shortfalls) {
      writer.key(name)
      writer.real(value)
    }
    writer.endObject()
    writer.key("quarter_peaks_kw")
    writer.beginObject()
    for (month, kilowatts) in quarterPeaks {
      writer.key(month)
      writer.real(kilowatts)
    }
    writer.endObject()
    writer.key("profile_messages")
    writer.integer(profiles)
    writer.key("violations")
    writer.integer(violations)
    writer.endObject()
  }
}
