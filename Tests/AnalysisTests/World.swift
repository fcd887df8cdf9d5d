import Analysis
import Documents
import Quantities
import Scenarios
import SiteFiles

/// A scenario as text, in which a test changes what it is about, and its runs.
enum World {
  static let text = """
    {
      story: "Twice as many as fit", sources: ["a test"], start: "2025-01-06T00:00:00Z", days: 3, step_min: 15,
      layout: {
        connection_a: 63, base_worst_a: 30, margin_a: 1,
        groups: [{ id: "left", connectors: 6, maximum_a: 32, limit_a: 40 }, { id: "right", connectors: 6, conductors: 1, maximum_a: 32 }],
      },
      models: [
        { name: "three", phases: 3, maximum_a: 16, battery_kwh: 60, taper_from_percent: 80 },
        { name: "one", phases: 1, maximum_a: 32, battery_kwh: 40 },
      ],
      crowds: [{
        name: "people", arrivals: [{ per_day: 30, by_hour: [0,0,0,0,0,0,1,5,8,5,3,2,2,2,2,2,2,3,4,3,2,1,0,0] }],
        stay_h: [0.5, 3, 6, 9], energy_kwh: [2, 8, 14, 40], tell_percent: 60,
      }],
      loads: [{ kw: [5,5,5,5,5,5,8,10,12,12,12,13,13,12,12,12,11,11,11,9,8,7,6,5], variation_percent: 20, phases: [0.4, 0.3, 0.3] }],
    }
    """

  static func scenario(_ text: String = text) throws -> Scenario {
    try ScenarioFile.read(text: text, name: "test", catalogue: Catalogue(stations: [], meters: [])) { name throws(FileError) in
      throw FileError(path: name, reason: "cannot be read")
    }
  }

  static func live(
    _ scenario: Scenario, _ strategy: Strategy, seed: UInt64 = 1, steps: Int = .max, tell: (@Sendable ([UInt8]) -> Void)? = nil
  ) -> (Outcome, Figures) {
    let story = Story(scenario, seed: seed)
    var options = Run.Options()
    (options.keepsDetails, options.tell) = (true, tell)
    let run = Run(scenario, story, strategy, options)
    run.live(steps: min(steps, scenario.steps))
    if !run.isDone { run.finish() }
    return (run.outcome, Figures(run.outcome, scenario, story))
  }

  /// Everything that is written about a study.
  static func files(_ study: Study, _ story: Story) -> [[UInt8]] {
    [study.summary, Report(study, story: story).html]
      + study.detailed.flatMap { [study.sessions($0, story, head: true), study.load($0, head: true)] }
  }
}
