import ChargingProfiles
import Documents
import Quantities
import Site
import Testing

@testable import OCPP

@Suite struct ProfileOnWireTests {
  func read(_ json: String) throws -> ChargingProfile { try ProfileOnWire.profile(try Document(json: json).root) }

  @Test func `the example of OCPP 1.6 §3.13.7 is read and written again as it was`() throws {
    let json = """
      {"chargingProfileId":100,"stackLevel":0,"chargingProfilePurpose":"TxDefaultProfile","chargingProfileKind":"Recurring",\
      "recurrencyKind":"Daily","chargingSchedule":{"duration":86400,"startSchedule":"2013-01-01T00:00:00Z","chargingRateUnit":"W",\
      "chargingSchedulePeriod":[{"startPeriod":0,"limit":11000,"numberPhases":3},{"startPeriod":28800,"limit":6000,"numberPhases":3},\
      {"startPeriod":72000,"limit":11000,"numberPhases":3}]}}
      """
    let profile = try read(json)
    #expect(profile.kind == .daily)
    #expect(profile.schedule.periods.map(\.tenths) == [110_000, 60_000, 110_000])
    #expect(profile.schedule.start == Instant(seconds: 1_356_998_400))
    #expect(ProfileOnWire.value(of: profile).json == json)
  }

  @Test func `limits that break binary fractions are written exactly (steve#1177, cpd-ocpp#12)`() {
    for (tenths, text) in [(214, "21.4"), (81, "8.1"), (1240, "124"), (1, "0.1"), (60, "6"), (110_000, "11000")] {
      #expect(ProfileOnWire.value(of: profile(tenths)).json.contains("\"limit\":\(text)}"))
    }
  }

  @Test func `a profile that breaks a rule is refused with the place of the flaw`() throws {
    let good = ProfileOnWire.value(of: profile(60)).json
    for (old, new) in [
      ("\"stackLevel\":0", "\"stackLevel\":-1"), ("TxProfile", "TxxProfile"), ("Absolute", "Recurring"),
      ("\"limit\":6", "\"limit\":\"6\""), ("\"startPeriod\":0", "\"startPeriod\":5"),
      ("\"chargingRateUnit\":\"A\"", "\"chargingRateUnit\":\"kW\""),
      ("\"limit\":6", "\"limit\":-6"),
    ] {
      let bad = replacing(old, in: good, by: new)
      #expect(bad != good)
      #expect(throws: ProfileOnWire.Flaw.self) { try read(bad) }
    }
  }
}

/// The text with the first `old` replaced by `new`.
func replacing(_ old: String, in text: String, by new: String) -> String {
  guard let range = text.firstRange(of: old) else { return text }
  return text.replacingCharacters(in: range, with: new)
}
extension String {
  fileprivate func firstRange(of other: String) -> Range<String.Index>? {
    indices.lazy.compactMap { self[$0...].hasPrefix(other) ? $0..<self.index($0, offsetBy: other.count) : nil }.first
  }
  fileprivate func replacingCharacters(in range: Range<String.Index>, with other: String) -> String {
    self[..<range.lowerBound] + other + self[range.upperBound...]
  }
}
