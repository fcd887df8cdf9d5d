import Quantities

/// Counts in classes, forgetting what is old: where a class would overflow, all are halved. Exact, bounded, the same everywhere.
struct Histogram: Hashable, Sendable, Codable {
  private(set) var counts: [UInt16]
  init(classes: Int) { counts = Array(repeating: 0, count: classes) }
  var total: Int { counts.reduce(0) { $0 + Int($1) } }

  mutating func add(_ place: Int) {
    if counts[place] >= 1000 { for i in counts.indices { counts[i] /= 2 } }
    counts[place] += 1
  }
  static func + (a: Histogram, b: Histogram) -> Histogram {
    var sum = a
    for i in sum.counts.indices { sum.counts[i] = UInt16(clamping: Int(a.counts[i]) + Int(b.counts[i])) }
    return sum
  }

  /// The class in which the given part, in thousandths, of everything at or above class `least` is reached; nil: nothing is.
  func quantile(_ permille: Int, from least: Int = 0) -> Int? {
    let tail = counts[least...]
    let total = tail.reduce(0) { $0 + Int($1) }
    guard total > 0 else { return nil }
    var sum = 0
    for place in tail.indices {
      sum += Int(counts[place])
      if sum * 1000 >= total * permille { return place }
    }
    return counts.count - 1
  }
}

/// How long vehicles stay and what they take, by weekday and hour of arrival, learnt from the hub's own sessions. Weekdays and hours are
/// those that clocks show there: arrivals come in as `LocalTime.shown`. About 22 KB at most.
struct StayStatistics: Hashable, Sendable, Codable {
  /// A class of stay is a quarter of an hour up to two hours, half an hour up to eight, two hours up to a day, then days.
  static let stayClasses = 8 + 12 + 8 + 4
  /// A class of energy is 2 kWh.
  static let energyClasses = 32
  /// So many sessions are needed before a statistic counts.
  static let enough = 8

  /// Index weekday x 24 + hour; empty until the first session.
  private var stays: [Histogram] = []
  private var energies: [Histogram] = []

  mutating func add(arrival: Instant, stay: TimeSpan, energy: Energy) {
    if stays.isEmpty {
      stays = Array(repeating: Histogram(classes: Self.stayClasses), count: 7 * 24)
      energies = Array(repeating: Histogram(classes: Self.energyClasses), count: 7 * 24)
    }
    let cell = Self.cell(arrival)
    stays[cell].add(Self.stayClass(stay))
    energies[cell].add(min(Self.energyClasses - 1, max(0, energy.wattHours) / 2000))
  }

  /// How long in all a vehicle that came at `arrival` and has been there for `so far` will have stayed at least when the given part of its
  /// likes have gone; nil: not enough is known.
  func stay(arrival: Instant, soFar: TimeSpan, permille: Int) -> TimeSpan? {
    estimate(stays, arrival) { histogram in
      histogram.quantile(permille, from: Self.stayClass(soFar)).map { Self.stay(ofClass: $0) }
    }
  }

  /// What in all a vehicle that came at `arrival` and has taken `so far` will have taken.
  func energy(arrival: Instant, soFar: Energy, permille: Int) -> Energy? {
    let least = min(Self.energyClasses - 1, max(0, soFar.wattHours) / 2000)
    return estimate(energies, arrival) { histogram in
      histogram.quantile(permille, from: least).map { .wattHours(($0 + 1) * 2000) }
    }
  }

  /// From the hour of this weekday, else from the same hour of all days, else from everything: whichever first has enough.
  private func estimate<Value>(_ histograms: [Histogram], _ arrival: Instant, _ take: (Histogram) -> Value?) -> Value? {
    guard !histograms.isEmpty else { return nil }
    let cell = Self.cell(arrival)
    if histograms[cell].total >= Self.enough, let value = take(histograms[cell]) { return value }
    let sameHour = (0..<7).reduce(Histogram(classes: histograms[0].counts.count)) { $0 + histograms[$1 * 24 + cell % 24] }
    if sameHour.total >= Self.enough, let value = take(sameHour) { return value }
    let all = histograms.reduce(Histogram(classes: histograms[0].counts.count)) { $0 + $1 }
    return all.total >= Self.enough ? take(all) : nil
  }

  private static func cell(_ instant: Instant) -> Int { instant.weekday * 24 + instant.millisecondOfDay / 3_600_000 }

  static func stayClass(_ stay: TimeSpan) -> Int {
    let quarters = max(0, stay.raw) / 900_000
    switch quarters {
    case ..<8: return quarters
    case ..<32: return 8 + (quarters - 8) / 2
    case ..<96: return 20 + (quarters - 32) / 8
    default: return min(stayClasses - 1, 28 + (quarters - 96) / 96)
    }
  }
  /// The shortest stay of a class.
  static func stay(ofClass place: Int) -> TimeSpan {
    switch place {
    case ..<8: .minutes(15) * place
    case ..<20: .hours(2) + .minutes(30) * (place - 8)
    case ..<28: .hours(8) + .hours(2) * (place - 20)
    default: .days(place - 27)
    }
  }
}

extension Instant {
  private var day: Int { (milliseconds - millisecondOfDay) / 86_400_000 }
  /// 0: Monday ... 6: Sunday. 1970-01-01 was a Thursday.
  var weekday: Int { ((day + 3) % 7 + 7) % 7 }
  var millisecondOfDay: Int { (milliseconds % 86_400_000 + 86_400_000) % 86_400_000 }
}
