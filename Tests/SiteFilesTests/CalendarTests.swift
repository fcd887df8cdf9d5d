import Documents
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
