import Documents
import Quantities
import Scenarios
import SiteFiles

/// A small scenario as text, in which a test changes what it is about.
enum World {
  static let text = """
    {
      story: "A few places",
      sources: ["a test"],
      seed: 7,
      start: "2025-01-06T00:00:00+01:00",
      days: 2,
      step_min: 15,
      layout: {
        connection_a: 63, base_worst_a: 30,
        groups: [{ id: "row", connectors: 6, maximum_a: 32 }],
      },
      models: [{ name: "car", phases: 3, maximum_a: 16, battery_kwh: 60 }],
      crowds: [{
        name: "people", arrivals: [{ per_day: 12, by_hour: [0,0,0,0,0,0,1,5,8,5,3,2,2,2,2,2,2,3,4,3,2,1,0,0] }],
        stay_h: [0.5, 3, 6, 9], energy_kwh: [2, 8, 14, 40],
      }],
      loads: [{ kw: 8, variation_percent: 10 }],
    }
    """
  static let nothing = Catalogue(stations: [], meters: [])

  static func scenario(_ text: String = text, files: [String: String] = [:]) throws -> Scenario {
    try ScenarioFile.read(text: text, name: "test.json5", catalogue: nothing) { name throws(FileError) in
      guard let file = files[name] else { throw FileError(path: name, reason: "cannot be read") }
      return file
    }
  }
  static func errors(_ text: String, files: [String: String] = [:]) -> [DocumentError] {
    do { _ = try scenario(text, files: files) } catch let errors as DocumentErrors { return errors.errors } catch {}
    return []
  }
}
