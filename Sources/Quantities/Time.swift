/// A length of time. Smallest unit: 1 ms.
@frozen public struct TimeSpan: Quantity {
  public let raw: Int
  @inlinable public init(raw: Int) { self.raw = raw }
  @inlinable public init(milliseconds: Int) { raw = milliseconds }
  @inlinable public static func milliseconds(_ value: Int) -> TimeSpan { TimeSpan(raw: value) }
  @inlinable public static func seconds(_ value: Int) -> TimeSpan { TimeSpan(raw: value * 1000) }
  @inlinable public static func minutes(_ value: Int) -> TimeSpan { .seconds(value * 60) }
  @inlinable public static func hours(_ value: Int) -> TimeSpan { .minutes(value * 60) }
  @inlinable public static func days(_ value: Int) -> TimeSpan { .hours(value * 24) }
  @inlinable public var milliseconds: Int { raw }
  @inlinable public var seconds: Double { Double(raw) / 1000 }
}

/// A point in time in UTC. Smallest unit: 1 ms since 1970-01-01T00:00:00Z, leap seconds not counted.
@frozen public struct Instant: Hashable, Comparable, Sendable, Codable {
  public let milliseconds: Int
  @inlinable public init(milliseconds: Int) { self.milliseconds = milliseconds }
  @inlinable public init(seconds: Int) { milliseconds = seconds * 1000 }
  @inlinable public static func < (a: Instant, b: Instant) -> Bool { a.milliseconds < b.milliseconds }
  @inlinable public static func + (a: Instant, b: TimeSpan) -> Instant { Instant(milliseconds: a.milliseconds + b.raw) }
  @inlinable public static func - (a: Instant, b: TimeSpan) -> Instant { Instant(milliseconds: a.milliseconds - b.raw) }
  @inlinable public static func - (a: Instant, b: Instant) -> TimeSpan { TimeSpan(raw: a.milliseconds - b.milliseconds) }
  @inlinable public init(from decoder: any Decoder) throws {
    milliseconds = try decoder.singleValueContainer().decode(Int.self)
  }
  @inlinable public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(milliseconds)
  }
  /// The start of the clock-aligned window of length `window` that holds this instant. `window` must be positive.
  @inlinable public func floored(to window: TimeSpan) -> Instant {
    let remainder = milliseconds % window.raw
    return Instant(milliseconds: milliseconds - (remainder < 0 ? remainder + window.raw : remainder))
  }
  /// Months since January 1970, as a calendar shows them in UTC.
  public var month: Int {
    let day = floored(to: .days(1)).milliseconds / 86_400_000
    // Counted from a first of March, leap days come last. Source: Howard Hinnant, chrono-compatible low-level date algorithms (2013).
    let shifted = day + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    return (yearOfEra + era * 400 - 1970) * 12 + (5 * dayOfYear + 2) / 153 + 2
  }
  /// 1: January, as a calendar shows it in UTC.
  public var monthOfYear: Int { (month % 12 + 12) % 12 + 1 }
}

/// A reading of the clock that never steps: milliseconds since an arbitrary start that is kept across restarts by the `Driver`.
@frozen public struct Monotonic: Hashable, Comparable, Sendable, Codable {
  public let milliseconds: Int
  @inlinable public init(milliseconds: Int) { self.milliseconds = milliseconds }
  @inlinable public static func < (a: Monotonic, b: Monotonic) -> Bool { a.milliseconds < b.milliseconds }
  @inlinable public static func + (a: Monotonic, b: TimeSpan) -> Monotonic { Monotonic(milliseconds: a.milliseconds + b.raw) }
  @inlinable public static func - (a: Monotonic, b: TimeSpan) -> Monotonic { Monotonic(milliseconds: a.milliseconds - b.raw) }
  @inlinable public static func - (a: Monotonic, b: Monotonic) -> TimeSpan { TimeSpan(raw: a.milliseconds - b.milliseconds) }
  @inlinable public init(from decoder: any Decoder) throws {
    milliseconds = try decoder.singleValueContainer().decode(Int.self)
  }
  @inlinable public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(milliseconds)
  }
}

/// When an event reached the mind: made by the `Driver`, strictly increasing in `sequence`, never decreasing in `monotonic`.
@frozen public struct EventStamp: Hashable, Comparable, Sendable, Codable {
  public let utc: Instant
  public let monotonic: Monotonic
  public let sequence: UInt64
  @inlinable public init(utc: Instant, monotonic: Monotonic, sequence: UInt64) {
    (self.utc, self.monotonic, self.sequence) = (utc, monotonic, sequence)
  }
  @inlinable public static func < (a: EventStamp, b: EventStamp) -> Bool { a.sequence < b.sequence }
}
