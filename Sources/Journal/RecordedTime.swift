import Quantities

/// The latest time that thinning takes for the present, by what was recorded and not by the wall clock.
///
/// A clock that comes up decades ahead, with nobody to set it, would have everything thinned at once. So a leap of time is not believed:
/// the times of batches fall into stretches, parted where nothing was recorded for more than `pause`. Of what came after a leap only the
/// time counts in which something was recorded, until that is `proof`; then the leap is believed. A hub that was really off for months
/// thins by its time from before, plus the time it has run since, and by the wall clock again after two weeks.
enum RecordedTime {
  /// A longer one may be a clock that leapt.
  static let pause = TimeSpan.days(1)
  /// A clock by which a hub recorded for so long is right.
  static let proof = TimeSpan.days(14)
  /// So far the present may be beyond.
  static let margin = TimeSpan.days(1)

  /// - Parameters:
  ///   - newest: the latest time at which something was recorded.
  ///   - first: the earliest such time from an instant on.
  ///   - last: the latest such time before an instant; nil: there is none.
  /// - Returns: nil: less than `proof` was recorded in all, and nothing is known.
  /// - Complexity: two look-ups for each day of `proof` and each stretch.
  static func latestPresent(
    newest: Instant, first: (Instant) throws(DatabaseError) -> Instant?, last: (Instant) throws(DatabaseError) -> Instant?
  ) throws(DatabaseError) -> Instant? {
    var recordedSince = TimeSpan.zero  // in later stretches
    var end = newest
    while true {
      var begin = end
      while recordedSince + (end - begin) < proof, let earlier = try first(begin - pause), earlier < begin { begin = earlier }
      if recordedSince + (end - begin) >= proof { return end + recordedSince + margin }
      guard let before = try last(begin) else { return nil }
      recordedSince += end - begin
      end = before
    }
  }
}
