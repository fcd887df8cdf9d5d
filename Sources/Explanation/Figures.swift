import Documents
import Quantities

/// Quantities as they stand on a page.
public enum Figures {
  /// One decimal, rounded to the nearest: `16.0`.
  public static func amperes(_ value: Current) -> String { tenths(value.raw, per: 1000) }
  /// One figure if it is the same on all phases, otherwise three.
  public static func phases(_ value: PerPhase<Current>) -> String {
    value.l1 == value.l2 && value.l2 == value.l3
      ? amperes(value.l1) : Phase.allCases.map { amperes(value[$0]) }.joined(separator: " ")
  }
  /// `240 ms`, `1.2 s`, `41 s`, `12 min`, `3 h 05 min`.
  public static func seconds(_ span: TimeSpan) -> String {
    let size = span.magnitude.raw
    let sign = span < .zero ? "-" : ""
    if size < 1000 { return "\(sign)\(size) ms" }
    if size < 10_000 { return "\(sign)\(tenths(size, per: 1000)) s" }
    let seconds = (size + 500) / 1000
    if seconds < 120 { return "\(sign)\(seconds) s" }
    if seconds < 7200 { return "\(sign)\(seconds / 60) min\(seconds % 60 == 0 ? "" : " \(seconds % 60) s")" }
    return "\(sign)\(seconds / 3600) h \(seconds / 60 % 60) min"
  }
  /// Kilowatt-hours with three decimals.
  public static func kilowattHours(_ energy: Energy) -> String {
    let wattHours = energy.wattHours.magnitude
    let rest = String(wattHours % 1000)
    return "\(energy < .zero ? "-" : "")\(wattHours / 1000).\(String(repeating: "0", count: 3 - rest.count))\(rest) kWh"
  }
  /// An offer, one decimal, never rounded up: as it is written to a station.
  public static func offer(_ value: Current) -> String { tenths(value.floored(to: .milliamperes(100)).raw, per: 1000) }
  static func tenths(_ raw: Int, per unit: Int) -> String {
    let tenths = (raw.magnitude * 10 + UInt(unit) / 2) / UInt(unit)
    return "\(raw < 0 && tenths > 0 ? "-" : "")\(tenths / 10).\(tenths % 10)"
  }
}

/// The time of day where the reader is. A house knows it; nothing here asks for it.
public struct WallClock: Sendable {
  /// What to add to UTC at an instant.
  public var offset: @Sendable (Instant) -> TimeSpan
  /// How to name it, e.g. `UTC` or `Europe/Amsterdam`.
  public var zone: String
  public init(zone: String, offset: @escaping @Sendable (Instant) -> TimeSpan) { (self.zone, self.offset) = (zone, offset) }
  public static let utc = WallClock(zone: "UTC") { _ in .zero }
}

extension WallClock {
  /// `2026-11-25 14:10:12`.
  public func text(_ instant: Instant) -> String {
    let local = Timestamp.text((instant + offset(instant)).floored(to: .seconds(1)).milliseconds)
    return String(local.dropLast()).split(separator: "T").joined(separator: " ")
  }
}
