import Quantities
import Scenarios
import Site
import Testing

@Suite struct StoryTests {
  @Test func `the same seed tells the same story, another seed another`() throws {
    let scenario = try World.scenario()
    let (a, b, other) = (Story(scenario, seed: 3), Story(scenario, seed: 3), Story(scenario, seed: 4))
    #expect(a.visits == b.visits && a.prices == b.prices)
    #expect(a.visits != other.visits)
  }

  @Test func `no connector has two vehicles at a time, and nobody asks for more than its stay can give`() throws {
    var scenario = try World.scenario(World.text.replacing("per_day: 12", with: "per_day: 60"))
    scenario.days = 5
    for seed in UInt64(1)...20 {
      let story = Story(scenario, seed: seed)
      var freeFrom = [Int](repeating: 0, count: scenario.hub.connectors.count)
      for visit in story.visits {
        #expect(visit.arrives >= freeFrom[visit.connector] && visit.leaves > visit.arrives, "seed \(seed)")
        freeFrom[visit.connector] = visit.leaves
        let most = visit.maximum.power(at: .volts(230), phases: visit.conductors.count).energy(
          over: scenario.step * (visit.leaves - visit.arrives))
        #expect(visit.energy <= most, "seed \(seed)")
      }
      #expect(story.turnedAway > 0, "seed \(seed): 60 a day do not fit six places")
    }
  }

  @Test func `as many come as the scenario says, to within four standard deviations`() throws {
    var scenario = try World.scenario()
    scenario.days = 100
    let story = Story(scenario, seed: 11)
    let mean = 1200.0
    #expect(abs(Double(story.visits.count + story.turnedAway) - mean) < 4 * mean.squareRoot())
  }

  @Test func `a load never exceeds what the site declares`() throws {
    let scenario = try World.scenario(World.text.replacing("kw: 8", with: "kw: 19"))
    for seed in UInt64(1)...5 {
      let story = Story(scenario, seed: seed)
      let largest = (0..<scenario.steps).map { story.loads.current(step: $0, circuit: 0).largest }.max()
      #expect(largest ?? .zero <= .amperes(30) && largest ?? .zero > .amperes(25), "seed \(seed)")
    }
  }

  @Test func `an evening limit comes each day and is told in time`() throws {
    let scenario = try World.scenario(
      World.text.replacing(
        "loads:",
        with:
          "limits: [{ source: \"grid\", limit_kw: 10, days: \"mon-fri\", from: \"16:00\", until: \"21:00\", notice_h: 6 }], loads:")
    )
    let story = Story(scenario, seed: 1)
    #expect(story.limits.count == 2)
    #expect(story.limits.map { ($0.limit.from - scenario.start).raw / 3_600_000 } == [16, 40])
    #expect(story.limits.map { ($0.told - scenario.start).raw / 3_600_000 } == [10, 34])
  }
}
