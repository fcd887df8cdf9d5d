import Quantities
import Testing

@testable import Simulation

/// From 400 to 150 kW (AT-28). A share of the trials; `Tests/Benchmarks/window/compliance.sh` lives a thousand of each kind.
@Suite struct LimitTrialTests {
  #if DEBUG
    static let seeds: ClosedRange<UInt64> = 1...2
  #else
    static let seeds: ClosedRange<UInt64> = 1...25
  #endif

  private func trials(_ kind: LimitTrials.Kind) -> LimitTrials {
    LimitTrials(kind, Self.seeds.map { LimitTrial(seed: $0, slowest: kind.slowest, disobedient: kind.disobedient).run() })
  }

  @Test(arguments: LimitTrials.kinds.filter { $0.promised != nil })
  func `a full hub meets a limit in the time that is promised, whatever the seed`(kind: LimitTrials.Kind) throws {
    let (trials, promised) = (trials(kind), try #require(kind.promised))
    for outcome in trials.outcomes {
      let met = try #require(outcome.met, "seed \(outcome.seed): \(outcome.before.raw / 1_000_000) kW")
      #expect(met <= promised, "\(kind.name), seed \(outcome.seed): \(met.milliseconds) ms, \(outcome.disobedient) disobedient")
      #expect(met > .seconds(1), "seed \(outcome.seed): no vehicle is as fast as that: nothing was measured")
      for finding in outcome.findings { Issue.record("\(kind.name): \(finding)") }
    }
    #expect((trials.outcomes.contains { $0.disobedient > 0 }) == (kind.disobedient > 0))
  }

  @Test func `vehicles that take up to 30 s are lowered further until the connection is within its limit`() throws {
    let kind = try #require(LimitTrials.kinds.first { $0.slowest == .seconds(30) && $0.disobedient == 0 })
    for outcome in trials(kind).outcomes {
      #expect(try #require(outcome.met) <= .seconds(45), "seed \(outcome.seed): \(outcome.met?.milliseconds ?? 0) ms")
    }
  }

  @Test func `the same seed gives the same trial`() {
    let trial = LimitTrial(seed: 4, slowest: .seconds(15), disobedient: 200)
    #expect(trial.run() == trial.run())
  }

  @Test func `a hub that is told nothing meets nothing`() {
    var trial = LimitTrial(seed: 2, slowest: .seconds(5))
    trial.limit = .watts(1_000_000)
    let free = trial.run()
    #expect(free.met == .zero && free.above == .zero)
    #expect(free.before >= .watts(361_000), "a limit that binds nobody leaves the hub as full as it is: \(free.before)")
  }

  @Test func `quantiles are of those who were full in time`() {
    let outcomes = [3, 1, 2, nil, 10].map { seconds in
      LimitTrial.Outcome(
        seed: 1, before: .zero, met: seconds.map { TimeSpan.seconds($0) }, above: .zero, disobedient: 0, findings: [])
    }
    let trials = LimitTrials(LimitTrials.kinds[0], outcomes)
    #expect(trials.unfilled == 1 && trials.quantile(500) == .seconds(2) && trials.quantile(1000) == .seconds(10))
    #expect(trials.quantile(999) == .seconds(10) && trials.met(within: .seconds(3)) == 3)
  }
}
