import Quantities
import Site

/// How long one phase of a circuit has been above each ratio of its rating that its protective device bears for a limited time only.
public struct TripWatch: Hashable, Sendable {
  private struct Threshold: Hashable {
    /// mA.
    var above: Int
    var borne: TimeSpan
    var since: Monotonic?
  }
  private var thresholds: [Threshold] = []
  public let rating: Current
  public private(set) var peak = Current.zero
  /// Times above a threshold for longer than is borne.
  public private(set) var violations = 0
  public private(set) var longestExcess = TimeSpan.zero

  public init(rating: Current, curve: TripCurve) {
    self.rating = rating
    var level = rating.raw
    for point in curve.points {
      thresholds.append(Threshold(above: level, borne: point.time))
      level = rating.raw * point.permille / 1000
    }
    thresholds.append(Threshold(above: level, borne: curve.beyond))
  }

  /// The current is `current` from now on; infeed trips as well.
  public mutating func see(_ current: Current, at now: Monotonic) {
    peak = max(peak, current.magnitude)
    for i in thresholds.indices {
      if let since = thresholds[i].since {
        longestExcess = max(longestExcess, now - since)
        if now - since > thresholds[i].borne {
          violations += 1
          thresholds[i].since = now
        }
      }
      if current.magnitude.raw > thresholds[i].above {
        thresholds[i].since = thresholds[i].since ?? now
      } else {
        thresholds[i].since = nil
      }
    }
  }
}
