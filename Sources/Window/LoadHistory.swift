import Control
import Quantities
import Site

/// Load against limit of each circuit for the last hour and the last day, from readings as they came: in memory, and empty after a start.
public struct LoadHistory: Sendable {
  /// The largest load and the lowest limit of one step, per phase.
  struct Point: Hashable, Sendable {
    var load: PerPhase<Current>
    var limit: PerPhase<Current>
  }
  struct Track: Sendable {
    let step: TimeSpan
    let count: Int
    /// Steps since 1970 at which the newest point is.
    var newest = 0
    var points: [Point?] = []

    mutating func add(_ point: Point, at now: Instant) {
      let place = now.floored(to: step).milliseconds / step.raw
      if points.isEmpty { newest = place }
      if place < newest { return }  // a clock that went back
      if place > newest {
        points += Array(repeating: nil, count: min(place - newest, count))
        newest = place
      }
      if points.isEmpty { points.append(nil) }
      let last = points.count - 1
      if let before = points[last] {
        points[last] = Point(load: before.load.maximum(point.load), limit: before.limit.minimum(point.limit))
      } else {
        points[last] = point
      }
      if points.count > count { points.removeFirst(points.count - count) }
    }
  }
  private var hours: [String: Track] = [:]
  private var days: [String: Track] = [:]

  public init() {}

  public mutating func take(_ picture: Picture) {
    for (k, circuit) in picture.hub.circuits.enumerated() {
      let seen = picture.view.circuits[k]
      let load = seen.measured ?? seen.baseForCuts + seen.committed
      let point = Point(load: load, limit: seen.limit)
      hours[circuit.id, default: Track(step: .seconds(10), count: 360)].add(point, at: picture.stamp.utc)
      days[circuit.id, default: Track(step: .minutes(5), count: 288)].add(point, at: picture.stamp.utc)
    }
  }

  /// The points of a circuit, oldest first; null where nothing was seen.
  public func json(_ circuit: String, day: Bool, now: Instant) -> String {
    let track = (day ? days : hours)[circuit] ?? Track(step: day ? .minutes(5) : .seconds(10), count: 0)
    return Picture.history(circuit, track, now: now)
  }
}
