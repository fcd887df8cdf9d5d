import Documents
import Quantities
import Site
import Testing

@testable import SiteFiles

@Suite struct TariffTests {
  private func csv(_ text: String) throws -> Tariff { try TariffFile.read(text: text, name: "prices.csv") }

  @Test func `a tariff as CSV and as JSON5 says the same`() throws {
    let one = try csv("from,eur_per_kwh,gco2_per_kwh\n2026-11-25T00:00:00Z,0.21,320\r\n2026-11-25T01:00:00+00:00, -0.015 ,\n")
    let other = try TariffFile.read(
      text: """
        { prices: [{ from: "2026-11-25T00:00:00Z", eur_per_kwh: 0.21, gco2_per_kwh: 320 },
                   { from: "2026-11-25T02:00:00+01:00", eur_per_kwh: -0.015 }], until: "2026-11-25T02:00:00Z" }
        """, name: "prices.json5")
    #expect(one == other)
    #expect(one.step(at: one.steps[0].from + .minutes(59))?.price == .microEuros(210_000))
    #expect(one.step(at: one.steps[1].from)?.price == .microEuros(-15_000))
    #expect(one.step(at: one.until) == nil && one.step(at: one.steps[0].from - .milliseconds(1)) == nil)
  }

  @Test(arguments: [
    ("price,from\n", 1, 1), ("from,eur_per_kwh\n2026-11-25T00:00:00,0.2\n", 2, 1),
    ("from,eur_per_kwh\n2026-11-25T00:00:00Z,NaN\n", 2, 22),
    ("from,eur_per_kwh\n2026-11-25T01:00:00Z,0.2\n2026-11-25T00:00:00Z,0.2\n", 3, 1),
    ("from,eur_per_kwh,gco2_per_kwh\n2026-11-25T01:00:00Z,0.2,-4\n", 2, 26), ("from,eur_per_kwh\n2026-11-25T01:00:00Z\n", 2, 1),
    ("from,eur_per_kwh", 1, 1),
  ])
  func `a wrong line is named, and what would be right`(text: String, line: Int, column: Int) {
    #expect {
      try csv(text)
    } throws: { error in
      guard let errors = error as? DocumentErrors, let first = errors.errors.first else { return false }
      return first.position == Position(line: line, column: column) && !first.expected.isEmpty
    }
  }

  @Test func `a wrong step of a JSON5 tariff is named`() {
    #expect(throws: DocumentErrors.self) {
      try TariffFile.read(text: "{ prices: [{ from: \"2026-11-25T00:00:00Z\", eur_per_kwh: 1000 }] }", name: "p.json5")
    }
    #expect(throws: DocumentErrors.self) { try TariffFile.read(text: "{ prices: [] }", name: "p.json5") }
    #expect(throws: DocumentErrors.self) { try TariffFile.read(text: "{ price: 3 }", name: "p.json5") }
  }
}
