import Documents
import Quantities
import Site

// What the quantities of a site look like in a file: a plain number in the unit that ends its key.

extension Shape where Value == Current {
  /// Amperes with up to three decimals.
  public static func amperes(_ range: ClosedRange<Int> = 0...10_000) -> Shape {
    Shape<Int>.scaled(3, range, "a current in amperes").map { Current(milliamperes: $0) }
  }
}

extension Shape where Value == PerPhase<Current> {
  /// One number for all phases, or three.
  public static func amperesPerPhase(_ range: ClosedRange<Int> = 0...10_000) -> Shape {
    let one = Shape<Current>.amperes(range)
    return Shape("\(one.expected), or a list of three for L1, L2, L3") { node in
      if let all = one.read(node) { return PerPhase(all: all) }
      let three = node.elements.compactMap(one.read)
      return three.count == 3 && node.count == 3 ? PerPhase(three[0], three[1], three[2]) : nil
    }
  }
}

extension Shape where Value == TimeSpan {
  public static func seconds(_ range: ClosedRange<Int>) -> Shape {
    Shape<Int>.scaled(3, range, "a time in seconds").map { TimeSpan(milliseconds: $0) }
  }
  /// `"07:30"`: since midnight, by the clocks of the place.
  public static var timeOfDay: Shape {
    Shape<String>.text.map("a time of day like \"07:30\", by the clocks of `time_zone`") { text in
      let parts = text.split(separator: ":", omittingEmptySubsequences: false).map { $0.utf8.count == 2 ? Int($0) ?? -1 : -1 }
      guard parts.count == 2, (0...23).contains(parts[0]), (0...59).contains(parts[1]) else { return nil }
      return .minutes(parts[0] * 60 + parts[1])
    }
  }
  public static func minutes(_ range: ClosedRange<Int>) -> Shape {
    Shape<Int>.whole(range).map("a time in whole minutes from \(range.lowerBound) to \(range.upperBound)") { TimeSpan.minutes($0) }
  }
}

extension Shape where Value == Energy {
  public static func kilowattHours(_ range: ClosedRange<Int>) -> Shape {
    Shape<Int>.scaled(3, range, "an energy in kWh").map { Energy.wattHours($0) }
  }
}

extension Shape where Value == Instant {
  public static var time: Shape {
    Shape<String>.text.map("a time with its zone, like \"2026-11-22T06:00:00Z\"") { text in
      Timestamp(text).flatMap { $0.hasZone ? Instant(milliseconds: $0.milliseconds) : nil }
    }
  }
}

extension Shape where Value == String {
  /// A name that other parts of the file refer to.
  public static var identifier: Shape {
    Shape("a name of letters, digits and `- _ . :`, at most 48 characters") { node in
      guard let text = node.string, (1...48).contains(text.utf8.count) else { return nil }
      let isPlain = text.utf8.allSatisfy { byte in
        byte &- 48 < 10 || (byte | 0x20) &- 97 < 26 || [0x2D, 0x5F, 0x2E, 0x3A].contains(byte)
      }
      return isPlain ? text : nil
    }
  }
}
