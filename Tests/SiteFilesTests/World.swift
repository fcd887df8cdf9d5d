import Documents
import Metering
import Quantities
import Site

@testable import SiteFiles

/// Models: one that can do all, one that cannot pause.
let able = try! StationProfile(
  text: "{model: 'Able', sources: ['test'], rotates: true, honours_zero_fallback: true}", name: "able")
let plain = try! StationProfile(text: "{model: 'Plain', sources: ['test']}", name: "plain")
let catalogue = Catalogue(
  stations: [able, plain],
  meters: [
    MeterProfile(name: "sdm", meter: "SDM", source: "test", layout: .sunSpec(bases: [40000])),
    MeterProfile(name: "total", meter: "Total", source: "test", unfit: "no current per phase", layout: .sunSpec(bases: [40000])),
  ])

/// A connection of 40 A with a base load of 20 A, one station with two connectors at a feeder of 32 A.
func siteText(
  limit: String = "40", base: String = "20", feeder: String = "", station: String = "model: 'able', trust: 'proven'",
  first: String = "rotation: 'RST', maximum_a: 16, fallback_a: 6", second: String = "rotation: 'RST', maximum_a: 16, fallback_a: 6",
  more: String = "", supply: String = "3x230/400 V"
) -> String {
  """
  {
    id: "hub", supply: "\(supply)", access: { tags: ["CARD1"] },
    meters: [ { id: "grid", profile: "sdm", tcp: "10.0.0.5:502", unit: 3, period_s: 0.5 } ],
    connection: { id: "grid", limit_a: \(limit), base_worst_a: \(base), meter: { id: "grid", phases: "STR", inverted: true },
      circuits: [ { id: "feeder", limit_a: 32, base_worst_a: 0, \(feeder) } ] },
    stations: [
      { id: "A", circuit: "feeder", \(station), connectors: [
        { number: 1, \(first) },
        { number: 2, \(second) } ] } ],
    \(more)
  }
  """
}

func site(_ text: String) throws -> SiteFile { try SiteFile(text: text, name: "s.json5", catalogue: catalogue) }
/// The messages about a file that must be wrong.
func complaints(_ text: String) -> [String] {
  do { _ = try SiteFile(text: text, name: "s.json5", catalogue: catalogue) } catch { return error.errors.map(\.description) }
  return []
}
