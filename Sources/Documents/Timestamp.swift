/// A date and time as text, RFC 3339, to and from whole milliseconds since 1970-01-01T00:00:00Z (leap seconds not counted).
public struct Timestamp: Hashable, Sendable {
  public var milliseconds: Int
  /// False: the text named no zone, and was read as UTC (Growatt THOR: evcc#10399).
  public var hasZone: Bool

  /// Reads `2026-11-22T06:00:00Z`, with fractions of a second (cut to milliseconds), with an offset, in small letters, with a blank
  /// for the `T`, or without a zone. A leap second reads as the second after it.
  /// - Returns: nil for anything else, for a day that is in no calendar, for an offset of a day or more, and for what is not of the years
  ///   0 to 9999 in UTC.
  public init?(_ text: String) {
    var reader = DigitReader(bytes: Array(text.utf8))
    reader.skipBlanks()
    guard let year = reader.number(4), reader.take("-"), let month = reader.number(2), reader.take("-"),
      let day = reader.number(2), reader.take("T") || reader.take("t") || reader.take(" "), let hour = reader.number(2),
      reader.take(":"), let minute = reader.number(2), reader.take(":"), let second = reader.number(2),
      (1...12).contains(month), day >= 1, day <= Self.days(in: month, of: year), hour <= 23, minute <= 59, second <= 60
    else { return nil }
    var fraction = 0
    if reader.take(".") || reader.take(",") {
      guard let value = reader.fraction() else { return nil }
      fraction = value
    }
    var offset = 0
    if reader.take("Z") || reader.take("z") {
      hasZone = true
    } else if let sign = reader.take("+") ? 1 : reader.take("-") ? -1 : nil {
      guard let hours = reader.number(2), hours <= 23 else { return nil }
      var minutes = 0
      if !reader.isDone {
        _ = reader.take(":")
        guard let value = reader.number(2), value <= 59 else { return nil }
        minutes = value
      }
      offset = sign * (hours * 60 + minutes)
      hasZone = true
    } else {
      hasZone = false
    }
    guard reader.isDone else { return nil }
    let minutes = (Self.daysSince1970(year, month, day) * 24 + hour) * 60 + minute - offset
    milliseconds = (minutes * 60 + second) * 1000 + (second == 60 ? 0 : fraction)
    guard Self.written.contains(milliseconds) else { return nil }
  }

  /// What four digits of a year can say.
  private static let written = -62_167_219_200_000...253_402_300_799_999

  /// `2026-11-22T06:00:00Z`, with three decimals when there are milliseconds. What is not of the years 0 to 9999, as only a broken clock or
  /// a sum of times gives it, is brought to their nearest end.
  public static func text(_ milliseconds: Int) -> String {
    let milliseconds = min(max(milliseconds, written.lowerBound), written.upperBound)
    let day = floorDivision(milliseconds, 86_400_000)
    let inDay = milliseconds - day * 86_400_000
    let (year, month, date) = civil(day)
    let seconds = inDay / 1000
    var bytes: [UInt8] = []
    bytes.reserveCapacity(24)
    func append(_ value: Int, _ digits: Int, _ after: Unicode.Scalar?) {
      var power = 1
      for _ in 1..<digits { power *= 10 }
      while power > 0 {
        bytes.append(UInt8(48 + value / power % 10))
        power /= 10
      }
      if let after { bytes.append(UInt8(ascii: after)) }
    }
    append(year, 4, "-")
    append(month, 2, "-")
    append(date, 2, "T")
    append(seconds / 3600, 2, ":")
    append(seconds / 60 % 60, 2, ":")
    append(seconds % 60, 2, inDay % 1000 == 0 ? "Z" : ".")
    if inDay % 1000 != 0 { append(inDay % 1000, 3, "Z") }
    return String(decoding: bytes, as: UTF8.self)
  }

  static func days(in month: Int, of year: Int) -> Int {
    if month == 2 { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28 }
    return [4, 6, 9, 11].contains(month) ? 30 : 31
  }
  private static func floorDivision(_ a: Int, _ b: Int) -> Int { a >= 0 ? a / b : (a + 1) / b - 1 }
  /// Days of the proleptic Gregorian calendar. Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil.
  static func daysSince1970(_ year: Int, _ month: Int, _ day: Int) -> Int {
    let y = month <= 2 ? year - 1 : year
    let era = floorDivision(y, 400)
    let yearOfEra = y - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }
  /// Source: as above, civil_from_days.
  static func civil(_ days: Int) -> (year: Int, month: Int, day: Int) {
    let z = days + 719_468
    let era = floorDivision(z, 146_097)
    let dayOfEra = z - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shifted = (5 * dayOfYear + 2) / 153
    let month = shifted < 10 ? shifted + 3 : shifted - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1)
  }
}

/// Reads digits and signs one after the other.
private struct DigitReader {
  let bytes: [UInt8]
  var at = 0
  init(bytes: [UInt8]) {
    var bytes = bytes
    while let last = bytes.last, last <= 0x20 { bytes.removeLast() }
    self.bytes = bytes
  }
  var isDone: Bool { at == bytes.count }
  mutating func skipBlanks() { while at < bytes.count && bytes[at] <= 0x20 { at += 1 } }
  mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard at < bytes.count, bytes[at] == UInt8(ascii: character) else { return false }
    at += 1
    return true
  }
  mutating func number(_ digits: Int) -> Int? {
    guard at + digits <= bytes.count else { return nil }
    var value = 0
    for byte in bytes[at..<at + digits] {
      guard byte &- 48 < 10 else { return nil }
      value = value * 10 + Int(byte - 48)
    }
    at += digits
    return value
  }
  /// Milliseconds from the digits after the point, at least one.
  mutating func fraction() -> Int? {
    var (value, unit, any) = (0, 100, false)
    while at < bytes.count, bytes[at] &- 48 < 10 {
      value += Int(bytes[at] - 48) * unit
      unit /= 10
      any = true
      at += 1
    }
    return any ? value : nil
  }
}
