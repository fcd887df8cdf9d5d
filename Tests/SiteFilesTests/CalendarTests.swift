import Documents
import Metering
import Quantities
import Site
import Testing

@testable import SiteFiles

/// Limits by the clock on the wall. Vectors: the European Union puts its clocks forward at 01:00 UTC on the last Sunday of March and back at
/// 01:00 UTC on the last Sunday of October (Directive 2000/84/EC); 2027: 28 March and 31 October.
@Suite struct CalendarTests {
  private func zone(_ name: String) throws -> LocalTime {
    try #require(TimeZoneFile.localTime(of: name), "the system's zone database is not installed")
  }
  private func instant(_ month: Int, _ day: Int, _ hour: Int, _ minute: Int = 0, year: Int = 2027) -> Instant {
    let text = "\(year)-\(two(month))-\(two(day))T\(two(hour)):\(two(minute)):00Z"
    guard let time = Timestamp(text) else { preconditionFailure("\(text) is no time") }
    return Instant(milliseconds: time.milliseconds)
  }
  private func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
  private func limit(_ from: Int, _ until: Int, weekdays: Set<Int> = Set(1...7), months: Set<Int> = Set(1...12)) -> CalendarLimit {
    CalendarLimit(
      id: "x", source: "contract", circuit: 0, amount: .power(.watts(1000)), weekdays: weekdays, months: months, from: from * 60,
      until: until * 60)
  }

  @Test func `an evening window is at the same time on the wall in winter and in summer`() throws {
    let zone = try zone("Europe/Amsterdam")
    let window = limit(17 * 60, 21 * 60)
    for (month, day, offset) in [(1, 15, 1), (7, 15, 2), (3, 27, 1), (3, 28, 2), (10, 30, 2), (10, 31, 1)] {
      let all = window.stretches(from: instant(month, day, 10), to: instant(month, day, 22), in: zone)
      #expect(
        all.contains { $0 == (instant(month, day, 17 - offset), instant(month, day, 21 - offset)) }, "\(month)-\(day): \(all)")
    }
  }

  @Test func `a night window of the night on which the clock moves is an hour shorter or longer, and never too short at its ends`()
    throws
  {
    let zone = try zone("Europe/Amsterdam")
    let night = limit(23 * 60, 7 * 60)
    let spring = night.stretches(from: instant(3, 27, 23, 30), to: instant(3, 28, 1), in: zone)
    #expect(spring.contains { $0.from == instant(3, 27, 22) && $0.until == instant(3, 28, 5) }, "\(spring)")
    let autumn = night.stretches(from: instant(10, 30, 23, 30), to: instant(10, 31, 1), in: zone)
    #expect(autumn.contains { $0.from == instant(10, 30, 21) && $0.until == instant(10, 31, 6) }, "\(autumn)")
    // 02:30 is shown twice on 31 October: it begins at the first and ends at the second.
    let inside = limit(2 * 60 + 30, 2 * 60 + 45).stretches(from: instant(10, 31, 0), to: instant(10, 31, 12), in: zone)
    #expect(inside.contains { $0.from == instant(10, 31, 0, 30) && $0.until == instant(10, 31, 1, 45) }, "\(inside)")
    // And never on 28 March: by the clock before it would end at 01:45 UTC, by the one after begin at 00:30 UTC.
    let gap = limit(2 * 60 + 30, 2 * 60 + 45).stretches(from: instant(3, 28, 0), to: instant(3, 28, 12), in: zone)
    #expect(gap.contains { $0.from == instant(3, 28, 0, 30) && $0.until == instant(3, 28, 1, 45) }, "\(gap)")
  }

  @Test func `weekdays and months are those at the site`() throws {
    let zone = try zone("Europe/Amsterdam")
    let weekend = limit(0, 24 * 60, weekdays: [6, 7])
    // 2027-01-16 is a Saturday.
    let all = weekend.stretches(from: instant(1, 13, 12), to: instant(1, 19, 12), in: zone)
    #expect(all.count == 1 && all[0] == (instant(1, 15, 23), instant(1, 17, 23)), "\(all)")
    #expect(limit(0, 60, months: [2]).stretches(from: instant(1, 5, 0), to: instant(1, 20, 0), in: zone).isEmpty)
  }
}

/// What a site file says of limits from outside, and of who may come in. The site of `siteText` can go down to 32 A.
@Suite struct OutsideLimitsTests {
  @Test func `a calendar, a limit server and a capacity provider are read, and the site must hold at each of their bounds`() throws
  {
    let calendar =
      #"calendar: [{ id: "evening", source: "contract", limit_kw: 25, days: ["mon", "fri"], months: [1, 12], from: "17:00", until: "21:30" }]"#
    let read = try site(siteText(more: calendar)).calendar
    #expect(
      read == [
        CalendarLimit(
          id: "evening", source: "contract", circuit: 0, amount: .power(.watts(25_000)), weekdays: [1, 5], months: [1, 12],
          from: 61_200, until: 77_400)
      ])
    #expect(SiteCheck(try site(siteText(more: calendar))).fits)
    for tight in [
      #"calendar: [{ id: "night", source: "contract", limit_a: 31 }]"#,
      #"limit_server: { port: 1502, allow: ["192.0.2.7"], source: "terminal", fallback_a: 31 }"#,
      #"oscp: { group_id: "g", base_url: "https://hub/oscp/2.0", token_file: "t", source: "provider", fallback_a: 31 }"#,
    ] {
      #expect(!SiteCheck(try site(siteText(more: tight))).fits, "\(tight)")
      #expect(SiteCheck(try site(siteText(more: tight.split(separator: "31").joined(separator: "32")))).fits, "\(tight)")
    }
  }

  @Test(arguments: [
    #"calendar: [{ id: "x", source: "s" }]"#, #"calendar: [{ id: "x", source: "s", limit_a: 40, from: "25:00" }]"#,
    #"calendar: [{ id: "x", source: "s", limit_a: 40, days: ["monday"] }]"#,
    #"limit_server: { port: 1502, allow: [], source: "s", fallback_a: 40 }"#,
    #"limit_server: { port: 1502, allow: ["a"], source: "s" }"#, #"listen: [{ port: 1, for: [] }]"#,
    #"listen: [{ port: 1, for: ["people"], loopback_without_token: "king" }]"#,
    #"listen: [{ port: 1, loopback_without_token: "viewer" }]"#,
    #"oscp: { group_id: "g", base_url: "https://hub/", token_file: "t", source: "p", fallback_a: 40 }"#,
    #"relaxing: { delay_s: -1 }"#,
  ]) func `what is wrong with them is told with its line and what would be right`(more: String) {
    let told = complaints(siteText(more: more))
    #expect(!told.isEmpty && told.allSatisfy { $0.contains("expected") && $0.hasPrefix("s.json5:") }, "\(more): \(told)")
  }

  /// Vectors: BK6-22-300; factors 0.80 for two and 0.45 from nine devices on.
  @Test func `what section 14a leaves steered devices comes from its preset, and each preset of the folder can be read`() throws {
    let folder = try ProfileFolder.locate()
    let presets = try folder.catalogue().presets
    #expect(presets.map(\.name) == folder.names(in: "limits") && presets.count >= 4)
    let rule = try #require(presets.first { $0.name == "de-14a" })
    for (devices, watts) in [(1, 4200), (2, 7560), (9, 19_320), (10, 21_210), (30, 59_010)] {
      #expect(rule.least(devices: devices) == .watts(watts))
    }
    let known = Catalogue(stations: catalogue.stations, meters: catalogue.meters, presets: presets)
    let text = siteText(
      more:
        #"limit_server: { preset: "de-14a", devices: 10, port: 1502, allow: ["192.0.2.7"] }, calendar: [{ id: "e", preset: "nl-evening-window", limit_kw: 30, from: "17:00" }]"#
    )
    let file = try SiteFile(text: text, name: "s.json5", catalogue: known)
    #expect(file.limitServer?.fallback == .power(.watts(21_210)) && file.limitServer?.silentAfter == .minutes(2))
    #expect(file.limitServer?.needsFreshLimit == true)
    #expect(file.calendar.first?.from == 61_200 && file.calendar.first?.until == 75_600)
    #expect(throws: DocumentErrors.self) {
      try SiteFile(text: siteText(more: #"calendar: [{ id: "e", preset: "nothing", limit_kw: 30 }]"#), name: "s", catalogue: known)
    }
  }

  @Test func `a contract has its window from a preset, and a mean that gains nothing is refused`() throws {
    let presets = try ProfileFolder.locate().catalogue().presets
    let known = Catalogue(stations: catalogue.stations, meters: catalogue.meters, presets: presets)
    func read(_ contract: String) throws -> ContractLimit? {
      let text = siteText().replacing("base_worst_a: 20,", with: "base_worst_a: 20, contract: { \(contract) },")
      return try SiteFile(text: text, name: "s.json5", catalogue: known).hub.circuits[0].contract
    }
    let contract = try #require(try read(#"preset: "be-capacity-tariff", mean_kw: 24"#))
    #expect(contract.window == .minutes(15) && contract.amount == .power(.watts(24_000)) && contract.offset == .zero)
    for (wrong, told) in [
      (#"preset: "be-capacity-tariff", mean_kw: 2"#, "at least 2.5 kW"), (#"preset: "eebus-lpc", mean_kw: 24"#, "window_min"),
      (#"preset: "be-capacity-tariff""#, "exactly one"),
    ] {
      do {
        _ = try read(wrong)
        Issue.record("\(wrong) was taken")
      } catch let errors as DocumentErrors { #expect("\(errors.errors)".contains(told), "\(errors.errors)") }
    }
  }

  @Test func `a listener is for stations unless it says for whom`() throws {
    let file = try site(
      siteText(more: #"listen: [{ port: 1 }, { port: 2, for: ["people", "grid-operator"], loopback_without_token: "viewer" }]"#))
    #expect(file.listeners.map(\.purposes) == [[.stations], [.people, .gridOperator]])
    #expect(file.listeners.map(\.loopbackRole) == [nil, .viewer])
  }
}
