/// How long something took, counted in steps: what Prometheus calls a histogram.
public struct TimeHistogram: Hashable, Sendable {
  /// Upper bounds, in microseconds; above the last everything is one.
  public static let bounds = [
    100, 200, 500, 1000, 2000, 3000, 5000, 7000, 10_000, 15_000, 20_000, 30_000, 50_000, 70_000, 100_000, 150_000, 200_000, 300_000,
    500_000, 1_000_000, 2_000_000, 5_000_000,
  ]
  /// How many took at most as long as each bound, and longer than the one before; last those above all.
  public private(set) var counts = [Int](repeating: 0, count: bounds.count + 1)
  public private(set) var microseconds = 0
  public var count: Int { counts.reduce(0, +) }

  public init() {}

  /// - Parameter times: how many took as long.
  public mutating func add(_ microseconds: Int, times: Int = 1) {
    counts[Self.bounds.firstIndex { microseconds <= $0 } ?? Self.bounds.count] += times
    self.microseconds += microseconds * times
  }
}
