import Foundation
import Testing

@testable import Quantities

@Suite struct CalendarTests {
  @Test func `months are those of a calendar`() throws {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = try #require(TimeZone(identifier: "UTC"))
    // Every day of four centuries, leap years and those that are none among them.
    for day in -50_000..<100_000 {
      let parts = calendar.dateComponents([.year, .month], from: Date(timeIntervalSince1970: Double(day) * 86_400 + 86_399))
      let (year, month) = (try #require(parts.year), try #require(parts.month))
      let instant = Instant(milliseconds: day * 86_400_000 + 86_399_999)
      #expect(instant.month == (year - 1970) * 12 + month - 1 && instant.monthOfYear == month)
    }
  }
}
