import Documents
import Quantities
import Scenarios

/// Numbers and times as text: the same on every machine.
public enum Decimal {
  /// With at most so many decimals; no more zeros than needed.
  public static func text(_ value: Double, _ decimals: Int) -> String {
    guard value.isFinite else { return "?" }
    var power = 1.0
    for _ in 0..<decimals { power *= 10 }
    return ExactNumber(Int((value * power).rounded()), decimals: decimals).plain
  }
  /// To thousandths.
  static func rounded(_ value: Double) -> Double { (value * 1000).rounded() / 1000 }
  /// Local time, with the weekday.
  public static func time(_ scenario: Scenario, _ step: Int) -> String {
    let instant = scenario.instant(step: step)
    let text = Timestamp.text(scenario.localTime.shown(at: instant).milliseconds)
    return "\(weekdays[scenario.local(instant).weekday]) \(text.prefix(10)) \(text.dropFirst(11).prefix(5))"
  }
  public static let weekdays = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
}

extension ExactNumber {
  /// Without an exponent.
  fileprivate var plain: String {
    let digits = String(significand.magnitude)
    let sign = significand < 0 ? "-" : ""
    if exponent >= 0 { return sign + digits + (significand == 0 ? "" : String(repeating: "0", count: exponent)) }
    let places = -exponent
    let padded = String(repeating: "0", count: max(0, places + 1 - digits.count)) + digits
    return sign + padded.dropLast(places) + "." + padded.suffix(places)
  }
}

extension JSONWriter {
  mutating func real(_ value: Double, _ decimals: Int = 3) {
    var power = 1.0
    for _ in 0..<decimals { power *= 10 }
    decimal(Int((value * power).rounded()), decimals)
  }
}
