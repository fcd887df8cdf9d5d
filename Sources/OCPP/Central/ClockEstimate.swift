import Quantities

/// Estimates a station's clock minus ours from the timestamps in its messages.
///
/// A message that waited in the station's memory makes the clock look late, never early: the latest-looking of the last few counts. A
/// clock that looks more than 20 s late is believed only when two messages at least 5 s apart agree on it.
struct ClockEstimate: Hashable, Sendable {
  private struct Sighting: Hashable {
    var offset: TimeSpan
    var at: Monotonic
  }
  private var sightings: [Sighting] = []
  private var told: Sighting?
  /// Our wall clock minus our monotonic clock, in milliseconds, at the last sighting: when it moves, our clock was set.
  private var base: Int?

  /// Sightings count for this long.
  static let memory = TimeSpan.minutes(5)
  static let kept = 6
  /// A change below this is noise: timestamps are often whole seconds.
  static let noise = TimeSpan.seconds(1)
  /// Beyond this a late clock needs a second message.
  static let plausible = TimeSpan.seconds(20)
  static let agreement = TimeSpan.seconds(5)

  /// The offset last told; nil before the first.
  var offset: TimeSpan? { told?.offset }

  /// - Parameter stamp: the time in a message that is sent as it happens.
  /// - Returns: an offset to tell: the first, one that moved by more than a second, or the same again after five minutes.
  mutating func see(_ stamp: Instant, at now: Moment) -> TimeSpan? {
    follow(now)
    sightings.removeAll { now.monotonic - $0.at > Self.memory }
    if sightings.count == Self.kept { sightings.removeFirst() }
    sightings.append(Sighting(offset: stamp - now.utc, at: now.monotonic))
    guard let best = sightings.map(\.offset).max(), isCredible(best) else { return nil }
    if let told, (best - told.offset).magnitude <= Self.noise, now.monotonic - told.at < Self.memory { return nil }
    told = Sighting(offset: best, at: now.monotonic)
    return best
  }

  /// A step of our own clock moves what was seen before as well.
  private mutating func follow(_ now: Moment) {
    let base = now.utc.milliseconds - now.monotonic.milliseconds
    defer { self.base = base }
    guard let step = self.base.map({ TimeSpan(milliseconds: base - $0) }), step != .zero else { return }
    for i in sightings.indices { sightings[i].offset -= step }
    told?.offset -= step
  }

  private func isCredible(_ best: TimeSpan) -> Bool {
    if best >= .zero - Self.plausible { return true }
    let agreeing = sightings.filter { best - $0.offset <= Self.agreement }.map(\.at)
    guard let first = agreeing.first, let last = agreeing.last else { return false }
    return last - first >= Self.agreement
  }
}
