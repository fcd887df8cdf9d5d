import Documents
import FoundationEssentials
import Quantities
import Site

/// A time zone from the system's database, as data: its steps from 2020 to 2045, the same whenever it is read.
///
/// - Source: RFC 8536 (TZif) and, for the rule at the file's end, POSIX.1-2017, Base Definitions 8.3 (TZ).
public enum TimeZoneFile {
  public static let folder = "/usr/share/zoneinfo"
  private static let years = 2020...2045

  /// A zone's name in a file that somebody writes.
  public static var shape: Shape<(name: String, localTime: LocalTime)> {
    Shape<String>.text.map("a name of the time zone database in \(folder), like \"Europe/Amsterdam\"") { name in
      localTime(of: name).map { (name, $0) }
    }
  }

  /// - Parameter name: as the IANA database has it.
  /// - Returns: nil: there is no such zone, or its file is none.
  public static func localTime(of name: String, in folder: String = folder) -> LocalTime? {
    if name == "UTC" { return .utc }
    let isPlain = name.utf8.allSatisfy { ($0 | 0x20) &- 97 < 26 || $0 &- 48 < 10 || [0x2B, 0x2D, 0x2F, 0x5F].contains($0) }
    guard isPlain, !name.isEmpty, !name.hasPrefix("/"), let data = FileManager.default.contents(atPath: "\(folder)/\(name)") else {
      return nil
    }
    return read([UInt8](data))
  }

  static func read(_ bytes: [UInt8]) -> LocalTime? {
    guard let first = Header(bytes, at: 0), first.version >= 2 else { return nil }
    let start = first.end(of: 4)
    guard let header = Header(bytes, at: start) else { return nil }
    let (times, kinds) = (start + 44, start + 44 + header.times * 8)
    let types = kinds + header.times
    let end = header.end(of: 8)
    guard header.types > 0, end <= bytes.count else { return nil }
    func offset(_ type: Int) -> TimeSpan { .seconds(Int(Int32(truncatingIfNeeded: number(bytes, types + type * 6, 4)))) }
    var steps: [LocalTime.Step] = []
    for i in 0..<header.times {
      let type = Int(bytes[kinds + i])
      guard type < header.types else { return nil }
      steps.append(LocalTime.Step(from: Instant(seconds: number(bytes, times + i * 8, 8)), offset: offset(type)))
    }
    // What holds before the first time of the file is its first type.
    let begin = Instant(seconds: daysSince1970(years.lowerBound, 1, 1) * 86_400)
    let known = steps.last { $0.from <= begin }?.offset ?? offset(0)
    let last = steps.last?.from
    steps = [LocalTime.Step(from: begin, offset: known)] + steps.filter { $0.from > begin }
    let rule = String(decoding: bytes[end...].drop { $0 == 10 }.prefix { $0 != 10 }, as: UTF8.self)
    if let rule = ZoneRule(rule) {
      for step in years.flatMap({ rule.steps(in: $0) }) where last.map({ step.from > $0 }) ?? true && step.from > begin {
        steps.append(step)
      }
    }
    let close = Instant(seconds: daysSince1970(years.upperBound + 1, 1, 1) * 86_400)
    var kept: [LocalTime.Step] = []
    for step in steps where step.from < close && step.offset != kept.last?.offset {
      guard kept.last.map({ $0.from < step.from }) ?? true else { return nil }
      kept.append(step)
    }
    return LocalTime(steps: kept)
  }

  private static func number(_ bytes: [UInt8], _ at: Int, _ count: Int) -> Int {
    var value: UInt64 = 0
    for i in 0..<count { value = value << 8 | UInt64(bytes[at + i]) }
    return count == 8 ? Int(truncatingIfNeeded: value) : Int(truncatingIfNeeded: value)
  }

  private struct Header {
    var at: Int
    var version: Int
    /// Numbers of marks for UT and for standard time, of leap seconds, times, types and letters.
    var counts: [Int]
    var times: Int { counts[3] }
    var types: Int { counts[4] }
    init?(_ bytes: [UInt8], at: Int) {
      guard at + 44 <= bytes.count, Array(bytes[at..<at + 4]) == Array("TZif".utf8) else { return nil }
      self.at = at
      version = Int(bytes[at + 4]) - 48
      counts = (0..<6).map { number(bytes, at + 20 + $0 * 4, 4) }
      guard counts.allSatisfy({ $0 <= 100_000 }) else { return nil }
    }
    func end(of width: Int) -> Int {
      at + 44 + times * (width + 1) + types * 6 + counts[5] + counts[2] * (width + 4) + counts[0] + counts[1]
    }
  }

  /// Of the Gregorian calendar.
  /// - Source: Hinnant, *chrono-Compatible Low-Level Date Algorithms*, days_from_civil.
  static func daysSince1970(_ year: Int, _ month: Int, _ day: Int) -> Int {
    let y = month <= 2 ? year - 1 : year
    let era = (y >= 0 ? y : y - 399) / 400
    let yearOfEra = y - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }
}

/// `CET-1CEST,M3.5.0,M10.5.0/3`: what holds after a file's last time.
struct ZoneRule {
  private struct Change {
    var month = 0
    /// 1...5; 5: the last.
    var week = 0
    /// 0: Sunday.
    var weekday = 0
    var seconds = 7200
  }
  private var standard = 0
  private var summer = 0
  private var begin = Change()
  private var end = Change()

  /// - Returns: nil: no clocks are moved, or it is written in a way that no zone of today is.
  init?(_ text: String) {
    var rest = Array(text.utf8)[...]
    guard Self.name(&rest), let west = Self.time(&rest), Self.name(&rest) else { return nil }
    standard = -west
    summer = standard + 3600
    if rest.first != 0x2C {
      guard let west = Self.time(&rest) else { return nil }
      summer = -west
    }
    guard let begin = Self.change(&rest), let end = Self.change(&rest), rest.isEmpty else { return nil }
    (self.begin, self.end) = (begin, end)
  }

  private static func name(_ rest: inout ArraySlice<UInt8>) -> Bool {
    if rest.first == 0x3C {
      guard let close = rest.firstIndex(of: 0x3E) else { return false }
      rest = rest[(close + 1)...]
      return true
    }
    let letters = rest.prefix { ($0 | 0x20) &- 97 < 26 }
    rest = rest.dropFirst(letters.count)
    return letters.count >= 3
  }
  private static func whole(_ rest: inout ArraySlice<UInt8>) -> Int? {
    let digits = rest.prefix { $0 &- 48 < 10 }
    rest = rest.dropFirst(digits.count)
    return digits.isEmpty || digits.count > 3 ? nil : digits.reduce(0) { $0 * 10 + Int($1) - 48 }
  }
  private static func skip(_ byte: UInt8, _ rest: inout ArraySlice<UInt8>) -> Bool {
    guard rest.first == byte else { return false }
    rest = rest.dropFirst()
    return true
  }
  /// `[+-]hh[:mm[:ss]]`, in seconds.
  private static func time(_ rest: inout ArraySlice<UInt8>) -> Int? {
    let isNegative = skip(0x2D, &rest)
    if !isNegative { _ = skip(0x2B, &rest) }
    guard let hours = whole(&rest) else { return nil }
    var seconds = hours * 3600
    for unit in [60, 1] where skip(0x3A, &rest) {
      guard let part = whole(&rest) else { return nil }
      seconds += part * unit
    }
    return isNegative ? -seconds : seconds
  }
  private static func change(_ rest: inout ArraySlice<UInt8>) -> Change? {
    guard skip(0x2C, &rest), skip(0x4D, &rest), let month = whole(&rest), skip(0x2E, &rest), let week = whole(&rest),
      skip(0x2E, &rest), let weekday = whole(&rest), (1...12).contains(month), (1...5).contains(week), weekday < 7
    else { return nil }
    var change = Change(month: month, week: week, weekday: weekday)
    if skip(0x2F, &rest) {
      guard let seconds = time(&rest) else { return nil }
      change.seconds = seconds
    }
    return change
  }

  /// The two moments of a year at which clocks are moved, in order.
  func steps(in year: Int) -> [LocalTime.Step] {
    [
      LocalTime.Step(from: moment(begin, year, offset: standard), offset: .seconds(summer)),
      LocalTime.Step(from: moment(end, year, offset: summer), offset: .seconds(standard)),
    ].sorted { $0.from < $1.from }
  }
  private func moment(_ change: Change, _ year: Int, offset: Int) -> Instant {
    let first = TimeZoneFile.daysSince1970(year, change.month, 1)
    let next = change.month == 12 ? first + 31 : TimeZoneFile.daysSince1970(year, change.month + 1, 1)
    // 1970-01-01 was a Thursday.
    var day = first + ((change.weekday - (first + 4)) % 7 + 7) % 7 + (change.week - 1) * 7
    while day >= next { day -= 7 }
    return Instant(seconds: day * 86_400 + change.seconds - offset)
  }
}
