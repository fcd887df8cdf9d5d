import Quantities
import Site
import Testing

@testable import SiteFiles

@Suite struct LocalTimeFileTests {
  @Test func `the rule at a file's end gives the days on which clocks are moved`() throws {
    let rule = try #require(ZoneRule("CET-1CEST,M3.5.0,M10.5.0/3"))
    // Known days: 2027-03-28, 2027-10-31, 2038-03-28, both at 01:00 UTC.
    #expect(
      rule.steps(in: 2027) == [
        .init(from: Instant(seconds: 1_806_195_600), offset: .hours(2)),
        .init(from: Instant(seconds: 1_824_944_400), offset: .hours(1)),
      ])
    #expect(rule.steps(in: 2038)[0].from == Instant(seconds: 2_153_350_800))
    let south = try #require(ZoneRule("AEST-10AEDT,M10.1.0,M4.1.0/3"))
    #expect(south.steps(in: 2027).map(\.offset) == [.hours(10), .hours(11)])
    let minutes = try #require(ZoneRule("<+1030>-10:30<+11>-11,M10.1.0,M4.1.0"))
    #expect(minutes.steps(in: 2027).map(\.offset) == [.minutes(630), .hours(11)])
    for none in ["", "UTC0", "CET-1", "CET-1CEST,J60,J300", "CET-1CEST,M13.1.0,M4.1.0", "CET-1CEST,M3.5.0"] {
      #expect(ZoneRule(none) == nil, "\(none)")
    }
  }

  @Test(.enabled(if: TimeZoneFile.localTime(of: "Europe/Amsterdam") != nil))
  func `a zone of the system's database, from 2020 to 2045`() throws {
    let clocks = try #require(TimeZoneFile.localTime(of: "Europe/Amsterdam"))
    #expect(clocks.steps.count == 53 && clocks.steps[0].offset == .hours(1))
    #expect(
      clocks.offset(at: Instant(seconds: 1_806_195_599)) == .hours(1)
        && clocks.offset(at: Instant(seconds: 1_806_195_600)) == .hours(2))
    #expect(clocks.offset(at: Instant(seconds: 2_371_000_000)) == .hours(1), "winter of 2045")
    #expect(TimeZoneFile.localTime(of: "Asia/Kolkata")?.steps.count == 1)
    for wrong in ["Europe/Atlantis", "../passwd", "/etc/passwd", ""] {
      #expect(TimeZoneFile.localTime(of: wrong) == nil, "\(wrong)")
    }
  }

  @Test func `files that are none are refused`() {
    var seed: UInt64 = 1
    let magic = Array("TZif2".utf8)
    for _ in 0..<2000 {
      var bytes = magic
      for _ in 0..<200 {
        seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        bytes.append(UInt8(truncatingIfNeeded: seed >> 33) & (seed >> 60 == 0 ? 255 : 1))
      }
      _ = TimeZoneFile.read(bytes)
    }
    #expect(TimeZoneFile.read([]) == nil && TimeZoneFile.read(magic) == nil)
  }
}
