import Loop

/// So many things a second for each address, and a burst of them at once: token buckets, of which only those in use are kept.
struct RateLimit {
  private struct Bucket {
    var left: Double
    var at: MonotonicTime
  }
  let perSecond: Double
  let burst: Double
  private var buckets: [String: Bucket] = [:]
  /// Addresses that are remembered; beyond, those whose buckets are full again are forgotten, then all.
  private static let most = 10_000

  init(perSecond: Double, burst: Double) { (self.perSecond, self.burst) = (perSecond, burst) }

  /// Takes one, if there is one.
  mutating func take(_ address: String, at now: MonotonicTime) -> Bool {
    guard left(address, at: now) >= 1 else { return false }
    spend(address, at: now)
    return true
  }

  /// Whether there is one, without taking it.
  func has(_ address: String, at now: MonotonicTime) -> Bool { left(address, at: now) >= 1 }

  mutating func spend(_ address: String, at now: MonotonicTime) {
    if buckets.count >= Self.most, buckets[address] == nil {
      buckets = buckets.filter { left($0.key, at: now) < burst }
      if buckets.count >= Self.most { buckets = [:] }
    }
    buckets[address] = Bucket(left: max(0, left(address, at: now) - 1), at: now)
  }

  private func left(_ address: String, at now: MonotonicTime) -> Double {
    guard let bucket = buckets[address] else { return burst }
    let seconds = Double((now - bucket.at).wholeNanoseconds) / 1e9
    return min(burst, bucket.left + max(0, seconds) * perSecond)
  }
}
