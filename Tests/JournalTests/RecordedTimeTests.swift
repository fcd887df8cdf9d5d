import Control
import Quantities
import Record
import Testing

@testable import Journal

/// What thinning takes for the present.
@Suite struct RecordedTimeTests {
  /// An entry an hour, from day to day.
  func hours(_ days: Range<Int>) -> [Instant] {
    (days.lowerBound * 24...days.upperBound * 24).map { noon + .hours($0) }
  }
  func present(_ recorded: [Instant]) throws -> Instant? {
    let recorded = recorded.sorted()
    return try RecordedTime.latestPresent(
      newest: try #require(recorded.last), first: { instant in recorded.first { $0 >= instant } },
      last: { instant in recorded.last { $0 < instant } })
  }
  func day(_ day: Int) -> Instant { noon + .days(day) }

  @Test func `a hub that has recorded without a break is a day ahead at most`() throws {
    #expect(try present(hours(0..<60)) == day(61))
    #expect(try present(hours(0..<14)) == day(15))
    // An entry a day is no break.
    #expect(try present((0...30).map { day($0) }) == day(31))
  }

  @Test func `in less than two weeks nothing is known`() throws {
    #expect(try present(hours(0..<13)) == nil)
    #expect(try present([noon]) == nil)
    #expect(try present([noon, noon + .days(14_600)]) == nil)
  }

  @Test func `a clock that comes up decades ahead moves the present by the time it ran, however often it is started`() throws {
    let before = hours(0..<60), leap = 14_600
    #expect(try present(before + [day(leap)]) == day(61))
    #expect(try present(before + hours(leap..<leap + 3)) == day(64))
    #expect(try present(before + hours(leap..<leap + 3) + hours(leap + 50..<leap + 52)) == day(66))
    #expect(try present(before + hours(leap..<leap + 3) + hours(2 * leap..<2 * leap + 2)) == day(66))
    // It was set right again.
    #expect(try present(before + hours(leap..<leap + 3) + hours(60..<70)) == day(74))
  }

  @Test func `a hub that was off for months is believed after two weeks`() throws {
    let before = hours(0..<60)
    #expect(try present(before + hours(150..<163)) == day(60 + 13 + 1))
    #expect(try present(before + hours(150..<164)) == day(165))
    #expect(try present(before + hours(150..<200)) == day(201))
  }

  @Test func `a hub that is off at weekends lags by its last weekends`() throws {
    let weeks = (0..<20).flatMap { hours($0 * 7..<$0 * 7 + 5) }
    // The newest three stretches make up two weeks.
    #expect(try present(weeks) == day(17 * 7 + 5 + 10 + 1))
  }

  @Test func `the file finds the same in its batches`() throws {
    let folder = try Folder()
    let waiting = try Waiting(folder.journal)
    var sequence: UInt64 = 0
    func write(_ instant: Instant) throws {
      sequence += 1
      var writer = BatchWriter()
      let stamp = EventStamp(utc: instant, monotonic: Monotonic(milliseconds: Int(sequence)), sequence: sequence)
      try writer.append(Entry(stamp: stamp, event: .deadline, effects: []))
      #expect(waiting.write(writer.finish()) == .durable(through: sequence))
    }
    func latest() throws -> Instant? { try JournalFile(path: folder.journal, vfs: nil).latestPresent() }
    #expect(try latest() == nil)
    for half in 0...40 { try write(noon + .hours(half * 12)) }
    #expect(try latest() == day(21))
    for half in 0...4 { try write(day(14_600) + .hours(half * 12)) }
    #expect(try latest() == day(23))
  }
}
