import Documents
import Quantities
import Scenarios

/// All runs of a scenario: strategies times seeds. The first seed is told in detail.
public struct Study: Sendable {
  public let scenario: Scenario
  public let name: String
  public let seeds: [UInt64]
  public let strategies: [Strategy]
  /// Which part of the runs this is, where they are lived in several processes; nil: all.
  public let share: Share?
  public struct Share: Sendable, Hashable {
    public let part: Int
    public let of: Int
    /// - Precondition: `part` is 1...`of`.
    public init(part: Int, of: Int) {
      precondition((1...of).contains(part))
      (self.part, self.of) = (part, of)
    }
  }
  /// Runs that were begun, by strategy in their order and then by seed.
  public internal(set) var figures: [Figures] = []
  /// Those of the first seed.
  public internal(set) var detailed: [Outcome] = []
  /// Days lived by the shortest run.
  public internal(set) var days: Int
  public internal(set) var isComplete = true

  public init(_ scenario: Scenario, name: String, seeds: [UInt64], strategies: [Strategy], share: Share? = nil) {
    (self.scenario, self.name, self.seeds, self.strategies, days) = (scenario, name, seeds, strategies, scenario.days)
    self.share = share
  }

  /// The runs, in the order in which they count.
  public var plan: [(strategy: Strategy, seed: UInt64)] {
    let all = strategies.flatMap { strategy in seeds.map { (strategy: strategy, seed: $0) } }
    guard let share else { return all }
    return all.indices.filter { $0 % share.of == share.part - 1 }.map { all[$0] }
  }

  /// Takes the outcomes in the order of `plan`; nil: that run was never begun.
  public mutating func take(_ results: [(Outcome, Figures)?]) {
    for case let (outcome, figures)? in results {
      self.figures.append(figures)
      if outcome.seed == seeds.first { detailed.append(outcome) }
      days = min(days, (scenario.dayStarts + [scenario.steps]).count { $0 <= outcome.steps } - 1)
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
    if let share { write("share", "\(share.part)/\(share.of)", &writer) }
    writer.key("policies")
    writer.write(.array(strategies.map { .string($0.rawValue) }))
    writer.key("seeds")
    writer.write(.array(seeds.map { .number(ExactNumber(Int($0))) }))
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
