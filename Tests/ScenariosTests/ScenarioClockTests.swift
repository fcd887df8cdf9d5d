import Quantities
import Scenarios
import Site
import SiteFiles
import Testing

/// Clocks of a scenario are moved as they are at its place. Dates: in Amsterdam on 30 March 2025 from 2 to 3 o'clock, on 26 October from 3
/// to 2 (Directive 2000/84/EC).
@Suite(.enabled(if: TimeZoneFile.localTime(of: "Europe/Amsterdam") != nil)) struct ScenarioClockTests {
  private static let hour = 3_600_000

  private func scenario(start: String, days: Int) throws -> Scenario {
    try World.scenario(
      World.text.replacing("2025-01-06T00:00:00+01:00", with: start)
        .replacing("days: 2,", with: "days: \(days), time_zone: \"Europe/Amsterdam\",")
        .replacing("[0,0,0,0,0,0,1,5,8,5,3,2,2,2,2,2,2,3,4,3,2,1,0,0]", with: "[0,0,0,0,0,0,0,1,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]")
        .replacing("stay_h: [0.5, 3, 6, 9]", with: "leaves_at_h: [17, 17]")
        .replacing(
          "loads: [{ kw: 8, variation_percent: 10 }],",
          with: """
            loads: [{ kw: 8, variation_percent: 10 }],
            limits: [{ source: "evening", limit_a: 40, from: "16:30", until: "20:00" }, { source: "night", limit_a: 50, from: "22:00", until: "24:00" }],
            faults: [{ kind: "meter-silent", meter: "grid", day: 2, at: "12:00", for_min: 30 }],
            prices: { eur_per_kwh: [0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.9, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1] },
            """))
  }

  @Test(arguments: [("2025-03-29T00:00:00+01:00", 92), ("2025-10-25T00:00:00+02:00", 100)])
  func `people, limits, prices and faults go by the clocks of the place, before and after they are moved`(
    start: String, stepsOfSunday: Int
  )
    throws
  {
    let scenario = try scenario(start: start, days: 4)
    #expect(scenario.dayStarts == [0, 96, 96 + stepsOfSunday, 192 + stepsOfSunday])
    #expect(scenario.steps == 288 + stepsOfSunday)
    for step in scenario.dayStarts { #expect(scenario.local(scenario.instant(step: step)).millisecond == 0) }
    let story = Story(scenario, seed: 3)
    #expect(story.visits.count > 10)
    for visit in story.visits {
      #expect(scenario.local(visit.arrival).millisecond / Self.hour == 7)
      #expect(scenario.local(visit.departure).millisecond == 17 * Self.hour)
    }
    #expect(story.limits.count == 8)
    for (limit, _) in story.limits {
      let until = limit.until.map { scenario.local($0).millisecond }
      switch limit.source {
      case "evening": #expect(scenario.local(limit.from).millisecond == 16 * Self.hour + Self.hour / 2 && until == 20 * Self.hour)
      default: #expect(scenario.local(limit.from).millisecond == 22 * Self.hour && until == 0)
      }
    }
    for step in story.prices.indices {
      let isNoon = scenario.local(scenario.instant(step: step)).millisecond / Self.hour == 12
      #expect(story.prices[step] == (isNoon ? 900_000 : 100_000))
    }
    #expect(scenario.faults.map { scenario.local($0.from).millisecond } == [12 * Self.hour])
    #expect(scenario.hub.localTime == scenario.localTime)
  }

  @Test func `a start that is no midnight in the zone is refused, and without a zone clocks are never moved`() throws {
    let wrong = World.text.replacing("days: 2,", with: "days: 2, time_zone: \"Europe/London\",")
    #expect(World.errors(wrong).contains { $0.expected == "local midnight in Europe/London" })
    #expect(World.errors(World.text.replacing("days: 2,", with: "days: 2, time_zone: \"Europe/Nowhere\",")).count == 1)
    let fixed = try World.scenario(World.text.replacing("2025-01-06", with: "2025-03-29").replacing("days: 2,", with: "days: 3,"))
    #expect(fixed.dayStarts == [0, 96, 192] && fixed.steps == 288)
  }
}
