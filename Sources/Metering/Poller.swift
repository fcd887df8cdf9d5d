import Quantities

/// Says what to ask next on one bus. It reads no clock: time comes in with each call.
///
/// Meters are asked earliest-due first. A silent request is tried once more, after the other meters that are due; then the reading is
/// missed. After `missesUntilDead` missed readings in a row a unit is dead: it is asked once every `deadInterval`, with a short
/// time-out, so that it cannot make the others stale.
public struct Poller: Sendable {
  public struct Timing: Hashable, Sendable {
    public var timeout = TimeSpan.milliseconds(500)
    public var deadTimeout = TimeSpan.milliseconds(300)
    public var deadInterval = TimeSpan.seconds(10)
    public var missesUntilDead = 2
    public init() {}
  }
  public enum Step: Hashable, Sendable {
    /// Send request number `request` of this meter's plan.
    case ask(meter: Int, request: Int, timeout: TimeSpan)
    /// Nothing is due before.
    case idle(until: Monotonic)
  }
  public enum Answer: Hashable, Sendable {
    case words
    /// No answer, or not a whole one.
    case silent
    /// A Modbus exception, or words that make no sense.
    case refused
  }
  public enum Verdict: Hashable, Sendable {
    /// The next request of the same reading follows.
    case more
    /// All words of the reading are there.
    case complete
    /// Asked again later, from its first request.
    case retry
    /// No reading; the next poll follows after the period, or after `deadInterval`.
    case missed
  }

  private struct Turn: Sendable {
    var period: Int
    var requests: Int
    var due: Int
    var request = 0
    var isRetry = false
    var misses = 0
  }
  private var turns: [Turn]
  private let timing: Timing
  /// The meter whose reading has begun: its requests are not interleaved with others, so that they are one sample.
  private var current: Int?
  /// A retry waits this long behind meters that are due; so does a dead unit.
  private static let patience = 1000

  /// - Parameters:
  ///   - periods: one per meter; positive.
  ///   - requests: number of requests per reading; positive.
  public init(periods: [TimeSpan], requests: [Int], timing: Timing = Timing(), start: Monotonic) {
    precondition(periods.count == requests.count && periods.allSatisfy { $0.raw > 0 } && requests.allSatisfy { $0 > 0 })
    turns = zip(periods, requests).map { Turn(period: $0.raw, requests: $1, due: start.milliseconds) }
    self.timing = timing
  }

  public func isDead(_ meter: Int) -> Bool { turns[meter].misses >= timing.missesUntilDead }
  /// No unit answers: the connection itself is the suspect.
  public var allDead: Bool { !turns.isEmpty && turns.indices.allSatisfy(isDead) }

  /// - Complexity: O(meters).
  public mutating func next(at now: Monotonic) -> Step {
    if let current { return ask(current) }
    var best: Int?
    for i in turns.indices where turns[i].due <= now.milliseconds {
      if let other = best, rank(other) <= rank(i) { continue }
      best = i
    }
    if let best {
      current = best
      return ask(best)
    }
    let due = turns.map(\.due).min() ?? now.milliseconds + 60_000
    return .idle(until: Monotonic(milliseconds: due))
  }

  private func rank(_ meter: Int) -> Int {
    turns[meter].due + (turns[meter].isRetry ? Self.patience : 0) + (isDead(meter) ? Self.patience : 0)
  }
  private func ask(_ meter: Int) -> Step {
    let timeout = turns[meter].misses > 0 ? timing.deadTimeout : timing.timeout
    return .ask(meter: meter, request: turns[meter].request, timeout: timeout)
  }

  /// What came back for the request last given out.
  /// - Precondition: there was one, and it was this meter's.
  public mutating func report(_ answer: Answer, of meter: Int, at now: Monotonic) -> Verdict {
    precondition(current == meter)
    switch answer {
    case .words:
      turns[meter].request += 1
      if turns[meter].request < turns[meter].requests { return .more }
      turns[meter].misses = 0
      finish(meter, now, after: turns[meter].period)
      return .complete
    case .refused:
      turns[meter].misses = 0
      finish(meter, now, after: turns[meter].period)
      return .missed
    case .silent:
      current = nil
      turns[meter].request = 0
      if !turns[meter].isRetry && !isDead(meter) {
        turns[meter].isRetry = true
        return .retry
      }
      turns[meter].misses += 1
      finish(meter, now, after: isDead(meter) ? timing.deadInterval.raw : turns[meter].period)
      return .missed
    }
  }

  /// The next due time stays on the meter's grid; slots that have passed are left out.
  private mutating func finish(_ meter: Int, _ now: Monotonic, after span: Int) {
    current = nil
    turns[meter].request = 0
    turns[meter].isRetry = false
    let onGrid = turns[meter].due + span
    turns[meter].due = isDead(meter) ? now.milliseconds + span : max(onGrid, now.milliseconds)
  }

  /// The number of requests became known (SunSpec discovery); the reading starts over.
  public mutating func setRequests(_ count: Int, of meter: Int) {
    precondition(count > 0)
    turns[meter].requests = count
    turns[meter].request = 0
  }
}
