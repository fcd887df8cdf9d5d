import Documents
import Quantities

// What the pieces of a scenario look like in a file.

extension Shape where Value == Double {
  static func real(_ range: ClosedRange<Double>, _ what: String) -> Shape {
    Shape("\(what) from \(Self.plain(range.lowerBound)) to \(Self.plain(range.upperBound))") { node in
      node.number.map(\.double).flatMap { range.contains($0) ? $0 : nil }
    }
  }
  private static func plain(_ value: Double) -> String { value == value.rounded() ? "\(Int(value))" : "\(value)" }
}

extension Shape where Value == [Double] {
  /// Exactly `count` numbers.
  static func reals(_ count: Int, _ range: ClosedRange<Double>, _ what: String) -> Shape {
    let one = Shape<Double>.real(range, what)
    return Shape("a list of \(count) numbers, each \(one.expected)") { node in
      let values = node.elements.compactMap(one.read)
      return node.kind == .array && values.count == count && node.count == count ? values : nil
    }
  }
  /// Values that do not fall, at least one.
  static func rising(_ range: ClosedRange<Double>, _ what: String) -> Shape {
    let one = Shape<Double>.real(range, what)
    return Shape("a list of rising numbers, each \(one.expected)") { node in
      let values = node.elements.compactMap(one.read)
      guard node.kind == .array, !values.isEmpty, values.count == node.count else { return nil }
      return zip(values, values.dropFirst()).allSatisfy { $0 <= $1 } ? values : nil
    }
  }
}

extension Shape where Value == Set<Int> {
  private static var names: [String] { ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] }

  /// `"mon-fri"`, `"sat,sun"`, `"all"`; 0 is Monday.
  static var weekdays: Shape {
    Shape("days of the week, like \"mon-fri\", \"sat,sun\" or \"all\"") { node in
      guard let text = node.string else { return nil }
      if text == "all" { return Set(0..<7) }
      var days: Set<Int> = []
      for part in text.split(separator: ",", omittingEmptySubsequences: false) {
        let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { names.firstIndex(of: String($0)) }
        guard let first = ends.first ?? nil, let last = ends.last ?? nil, ends.count <= 2, first <= last else { return nil }
        days.formUnion(first...last)
      }
      return days.isEmpty ? nil : days
    }
  }
}

extension Shape where Value == Int {
  /// `"16:45"`, ms of the day; `"24:00"` is its end.
  static var timeOfDay: Shape {
    Shape("a time of day, like \"16:45\"") { node in
      guard let parts = node.string?.split(separator: ":", omittingEmptySubsequences: false), parts.count == 2, parts[1].count == 2,
        let hour = Int(parts[0]), let minute = Int(parts[1]), (0...24).contains(hour), (0...59).contains(minute),
        hour < 24 || minute == 0
      else { return nil }
      return (hour * 60 + minute) * 60_000
    }
  }
  static func percent(_ range: ClosedRange<Int>) -> Shape { .scaled(1, range, "a percentage") }
}
