import Analysis
import Dispatch
import Documents
import Quantities
import Scenarios
import Site
import Testing
import Threads

@Suite struct AnalysisTests {
  /// Lives all runs of a study on so many threads.
  private func study(_ scenario: Scenario, seeds: [UInt64], threads: Int) -> Study {
    var study = Study(scenario, name: "test", seeds: seeds, strategies: scenario.strategies)
    let plan = study.plan
    let results = Locked([(Outcome, Figures)?](repeating: nil, count: plan.count))
    DispatchQueue.concurrentPerform(iterations: threads) { thread in
      for number in stride(from: thread, to: plan.count, by: threads) {
        let result = World.live(scenario, plan[number].strategy, seed: plan[number].seed)
        results.with { $0[number] = result }
      }
    }
    study.take(results.with { $0 })
    return study
  }

  @Test func `the same scenario and seeds give the same bytes, on one thread and on three`() throws {
    let scenario = try World.scenario()
    let story = Story(scenario, seed: 1)
    let one = World.files(study(scenario, seeds: [1, 2], threads: 1), story)
    let three = World.files(study(scenario, seeds: [1, 2], threads: 3), story)
    #expect(one == three)
    #expect(one.allSatisfy { !$0.isEmpty })
  }

  @Test(arguments: Strategy.allCases) func `what flows into vehicles is what they get`(_ strategy: Strategy) throws {
    let scenario = try World.scenario()
    for seed in UInt64(1)...3 {
      let story = Story(scenario, seed: seed)
      let (outcome, _) = World.live(scenario, strategy, seed: seed)
      let delivered = outcome.sessions.reduce(0) { $0 + $1.delivered.kilowattHours }
      let cells = scenario.hub.circuits.count * 3
      var flowed = 0.0
      for step in 0..<scenario.steps {
        let base = story.loads.current(step: step, circuit: 0).sum.amperes
        let all = (0..<3).reduce(0.0) { $0 + Double(outcome.currents[step * cells + $1]) / 1000 }
        flowed += (all - base) * 230 * 0.25 / 1000
      }
      #expect(delivered > 100, "seed \(seed)")
      #expect(abs(flowed - delivered) < 0.01, "seed \(seed): flowed \(flowed) kWh, delivered \(delivered) kWh")
      for session in outcome.sessions { #expect(session.delivered <= session.asked && session.delivered >= .zero) }
    }
  }

  @Test(arguments: Strategy.allCases.filter(\.isLimited))
  func `no limit is passed by whoever keeps limits`(_ strategy: Strategy) throws {
    let limits = "limits: [{ source: \"grid\", limit_kw: 15, from: \"16:00\", until: \"20:00\", notice_h: 0 }], loads:"
    let scenario = try World.scenario(World.text.replacing("loads:", with: limits))
    for seed in UInt64(1)...6 {
      let (outcome, figures) = World.live(scenario, strategy, seed: seed)
      #expect(figures.violations == 0, "seed \(seed): \(outcome.violations)")
      #expect(figures.deliveredPercent > 40, "seed \(seed)")
    }
  }

  @Test func `uncontrolled passes limits, and says so`() throws {
    let scenario = try World.scenario(
      World.text.replacing(
        "loads:", with: "must_hold: { limits_kept: true, policies: [\"uncontrolled\"] }, policies: \"uncontrolled\", loads:"))
    let study = study(scenario, seeds: [1], threads: 1)
    #expect(study.figures[0].violations > 0)
    let broken = study.promises.filter { !$0.holds }
    #expect(broken.count == 1 && broken[0].words.contains("A of"))
    #expect(String(decoding: study.summary, as: UTF8.self).contains("\"holds\":false"))
  }

  @Test func `a run that is stopped gives a summary and a report that say so`() throws {
    let scenario = try World.scenario()
    var study = Study(scenario, name: "test", seeds: [1], strategies: [.optimal, .uncontrolled])
    study.take([World.live(scenario, .optimal, steps: scenario.dayStarts[1]), nil])
    #expect(!study.isComplete && study.days == 1)
    let document = try Document(json: String(decoding: study.summary, as: UTF8.self))
    #expect(document.root["complete"]?.bool == false)
    #expect(document.root["days_lived"]?.integer == 1)
    #expect(String(decoding: Report(study, story: Story(scenario, seed: 1)).html, as: UTF8.self).contains("Partial."))
  }

  @Test func `a study lived in shares and joined says what it says when it is lived at once`() throws {
    let scenario = try World.scenario(World.text.replacing("loads:", with: "must_hold: { limits_kept: true }, loads:"))
    let whole = study(scenario, seeds: [1, 2, 3], threads: 1)
    let summaries = (1...4).map { part in
      var study = Study(
        scenario, name: "test", seeds: [1, 2, 3], strategies: scenario.strategies, share: Study.Share(part: part, of: 4))
      study.take(study.plan.map { World.live(scenario, $0.strategy, seed: $0.seed) })
      return ("part \(part)", study.summary)
    }
    let joined = try Study(joining: summaries, of: scenario, name: "test")
    #expect(joined.isComplete && joined.summary == whole.summary)
    #expect(joined.table == whole.table)
    let some = try Study(joining: Array(summaries.dropLast()), of: scenario, name: "test")
    #expect(!some.isComplete)
    #expect(throws: Study.JoinFault.self) { try Study(joining: summaries + [summaries[0]], of: scenario, name: "test") }
  }

  @Test func `the report stands by itself and has its pictures`() throws {
    let scenario = try World.scenario()
    let study = study(scenario, seeds: [1, 2], threads: 2)
    let html = String(decoding: Report(study, story: Story(scenario, seed: 1)).html, as: UTF8.self)
    #expect(html.ranges(of: "<svg ").count == 7 && html.ranges(of: "</svg>").count == 7)
    #expect(!html.contains("http") && !html.contains("<script") && !html.contains("<link") && !html.contains("nan"))
  }

  @Test func `who is silent about its meter counts at the worst that the site declares`() throws {
    let scenario = try World.scenario(
      World.text.replacing(
        "loads:", with: "faults: [{ kind: \"meter-silent\", meter: \"grid\", day: 1, at: \"08:00\", for_min: 240 }], loads:"))
    for seed in UInt64(1)...4 {
      let (outcome, figures) = World.live(scenario, .sharing, seed: seed)
      #expect(figures.violations == 0, "seed \(seed)")
      // From the second step on without a reading the vehicles have 63 A - 1 A - 30 A, whatever the building draws.
      let blind = scenario.dayStarts[1] + 34..<scenario.dayStarts[1] + 48
      let cells = scenario.hub.circuits.count * 3
      let story = Story(scenario, seed: seed)
      for step in blind {
        for phase in Phase.allCases {
          let vehicles =
            Int(outcome.currents[step * cells + phase.rawValue]) - story.loads.current(step: step, circuit: 0)[phase].raw
          #expect(vehicles <= 32_001, "seed \(seed), step \(step)")
        }
      }
    }
  }

  @Test func `where there is room for all, all get what they ask for, whoever decides`() throws {
    let scenario = try World.scenario(
      World.text.replacing("per_day: 30", with: "per_day: 4").replacing("tell_percent: 60", with: "tell_percent: 100"))
    for strategy in Strategy.allCases {
      var (delivered, asked) = (0.0, 0.0)
      for seed in UInt64(1)...6 {
        let figures = World.live(scenario, strategy, seed: seed).1
        delivered += figures.delivered
        asked += figures.asked
      }
      #expect(delivered > asked * (strategy.isController ? 0.95 : 0.98), "\(strategy): \(delivered) of \(asked) kWh")
    }
  }

  @Test func `what happened is told a line each`() throws {
    let lines = Locked<[String]>([])
    let scenario = try World.scenario()
    _ = World.live(scenario, .optimal, steps: scenario.dayStarts[1]) { line in
      lines.with { $0.append(String(decoding: line, as: UTF8.self)) }
    }
    let told = lines.with { $0 }
    for line in told { #expect(throws: Never.self) { try Document(json: line) } }
    for what in ["arrive", "leave", "offer"] { #expect(told.contains { $0.contains("\"what\":\"\(what)\"") }) }
  }
}
