import Documents
import Quantities
import Scenarios
import Site
import Testing

@Suite struct ScenarioFileTests {
  @Test func `a scenario that is right is read as it stands`() throws {
    let scenario = try World.scenario()
    #expect(scenario.hub.connectors.count == 6)
    #expect(scenario.start == Instant(milliseconds: Timestamp("2025-01-05T23:00:00Z")?.milliseconds ?? 0))
    #expect(scenario.localTime.offset(at: scenario.start) == .hours(1))
    #expect(scenario.local(scenario.start) == (0, 0))
    #expect(scenario.strategies == Strategy.allCases)
  }

  struct Mistake: CustomTestStringConvertible, Sendable {
    var from: String
    var to: String
    var line: Int
    var column: Int
    var expected: String
    var testDescription: String { to }
    init(_ from: String, _ to: String, _ line: Int, _ column: Int, _ expected: String) {
      (self.from, self.to, self.line, self.column, self.expected) = (from, to, line, column, expected)
    }
  }

  @Test(
    "a mistake is told with its line, its column and what would be right",
    arguments: [
      Mistake("days: 2,", "days: 0,", 6, 9, "a whole number from 1 to 3660"),
      Mistake("step_min: 15,", "step_min: 7,", 7, 13, "a number of minutes that divides a quarter of an hour: 1, 3, 5 or 15"),
      Mistake("+01:00", "", 5, 10, "local midnight of the first day with its zone, like \"2025-01-06T00:00:00+01:00\""),
      Mistake(
        "00:00:00+01:00", "06:00:00+01:00", 5, 10,
        "local midnight of the first day with its zone, like \"2025-01-06T00:00:00+01:00\""),
      Mistake("stay_h", "stay_hr", 15, 5, "`stay_h` perhaps"),
      Mistake("[2, 8, 14, 40]", "[2, 8, 6]", 15, 41, "a list of rising numbers, each kWh from 0.1 to 1000"),
      Mistake("kw: 8", "kw: [1, 2]", 17, 17, "a list of 24 numbers, each a power in kW from 0 to 100000"),
      Mistake("base_worst_a: 30,", "", 17, 11, "`base_worst_a` (or `generation_a`) there: the most that this load may be"),
      Mistake("maximum_a: 32", "maximum_a: 5", 10, 53, "at least the minimum, 6.0 A"),
      Mistake("seed: 7,", "seed: 7, policies: [\"best\"],", 4, 23, "one of \"optimal\", \"sharing\""),
    ])
  func mistakes(_ mistake: Mistake) throws {
    #expect(World.text.contains(mistake.from))
    let errors = World.errors(World.text.replacing(mistake.from, with: mistake.to))
    let found = errors.contains {
      $0.position == Position(line: mistake.line, column: mistake.column) && $0.expected.hasPrefix(mistake.expected)
    }
    #expect(found, "\(errors)")
  }

  @Test func `everything that is wrong is told in one go, and a file that is missing by its name`() {
    let text = World.text.replacing("days: 2,", with: "days: 0,").replacing("kw: 8", with: "file: \"load.csv\"")
    let errors = World.errors(text)
    #expect(errors.count == 2)
    #expect(errors.last?.description.contains("load.csv") ?? false)
  }

  @Test func `a load file that is wrong is told with its own name, line and column`() {
    let text = World.text.replacing("kw: 8", with: "file: \"load.csv\"")
    let errors = World.errors(text, files: ["load.csv": "from,kw\n2025-01-06T00:00:00Z,3\n2025-01-06T01:00:00Z,much\n"])
    #expect(
      errors.map(\.description) == [
        "load.csv:3:22: found `much`, expected a power in kW from -100000 to 100000; generation is negative"
      ])
  }
}
