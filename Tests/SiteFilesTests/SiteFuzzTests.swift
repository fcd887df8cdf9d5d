import Quantities
import Site
import Testing

@testable import SiteFiles

@Suite struct SiteFuzzTests {
  /// Words that a tired installer, or a broken editor, could leave in any place.
  private static let words = [
    "0", "-1", "1e300", "NaN", "null", "true", "''", "'x'", "[]", "{}", "[1,2]", "6", "999999999999999999999", "0.0001",
    "\"feeder\"",
  ]

  @Test(arguments: 1...8) func `no change of a word crashes, and a file that is taken keeps what the nouns promise`(_ seed: Int)
    throws
  {
    var state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15
    func roll(_ sides: Int) -> Int {
      state ^= state >> 12
      state ^= state << 25
      state ^= state >> 27
      return Int((state &* 2_685_821_657_736_338_717) >> 33) % sides
    }
    let settings =
      "settings: {horizon_s: 600, guard_s: 50, stale_periods: 5}, limits: [{circuit: 'grid', limit_kw: 20, source: 'dso'}],"
    let text = siteText(feeder: "generation_a: 10, conductor_a: 60, contract: {mean_kw: 20}, meter: {id: 'grid'},", more: settings)
    let tokens = text.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
    for _ in 0..<150 {
      var changed = tokens
      for _ in 0...roll(2) {
        let at = roll(changed.count)
        if changed[at].hasSuffix(":") { continue }
        changed[at] = Self.words[roll(Self.words.count)] + (changed[at].hasSuffix(",") ? "," : "")
      }
      guard let file = try? site(changed.joined(separator: " ")) else { continue }
      let hub = file.hub
      for connector in hub.connectors {
        let holds =
          connector.maximum >= connector.minimum && connector.fallback <= connector.maximum
          && (connector.fallback == .zero || connector.fallback >= connector.minimum)
          && hub.circuits.indices.contains(connector.circuit)
        #expect(holds, "seed \(seed): \(connector)")
      }
      for (i, circuit) in hub.circuits.enumerated() {
        #expect(circuit.rating.smallest > .zero && circuit.parent ?? -1 < i, "seed \(seed): \(circuit)")
      }
      let check = SiteCheck(file)
      #expect(check.fits == check.refusals.isEmpty && check.circuits.count == hub.circuits.count)
    }
  }
}
