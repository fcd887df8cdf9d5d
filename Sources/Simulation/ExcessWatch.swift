import Quantities
import Site

/// Since when a current has been above each of its thresholds: what a time-current curve asks.
struct ExcessWatch: Sendable {
  struct Threshold: Sendable {
    /// mA.
    var above: Int
    /// ms.
    var borne: Int
    var since: Int?
  }
  private(set) var thresholds: [Threshold]

  init(rating: Current, curve: TripCurve) {
    thresholds = []
    guard rating > .zero else { return }
    var level = rating.raw
    for point in curve.points {
      thresholds.append(Threshold(above: level, borne: point.time.raw))
      level = rating.raw * point.permille / 1000
    }
    thresholds.append(Threshold(above: level, borne: curve.beyond.raw))
  }

  init(limit: Int, borne: Int) { thresholds = [Threshold(above: limit, borne: borne)] }

  /// The current has been `before` until now, and is `current` from now on.
  /// - Returns: the first threshold that was exceeded for too long, and for how long.
  mutating func change(to current: Int, at now: Int) -> (above: Int, lasted: Int)? {
    var found: (above: Int, lasted: Int)?
    for i in thresholds.indices {
      if let since = thresholds[i].since, now - since > thresholds[i].borne {
        found = (thresholds[i].above, now - since)
        thresholds[i].since = now
      }
      if current > thresholds[i].above {
        if thresholds[i].since == nil { thresholds[i].since = now }
      } else {
        thresholds[i].since = nil
      }
    }
    return found
  }
}

/// A limit from outside, and how long each phase has been above it.
struct LimitWatch {
  var limit: Limit
  /// When it was set, true ms.
  var setAt: Int
  /// In phase order.
  var watch: [ExcessWatch]
  func isOver(at utc: Instant) -> Bool { limit.until.map { $0 <= utc } ?? false }
}
