import Quantities

/// What a profile lets a connector draw from an instant on, as current on each of its phase conductors: piecewise constant, the last
/// step without end.
public struct CurrentSteps: Hashable, Sendable, Codable {
  public struct Step: Hashable, Sendable, Codable {
    public var from: Instant
    public var current: Current
    public init(from: Instant, current: Current) { (self.from, self.current) = (from, current) }
  }
  /// Never empty; `from` strictly increases.
  public private(set) var steps: [Step]

  /// - Precondition: `steps` is not empty and strictly increases in `from`.
  public init(_ steps: [Step]) {
    precondition(!steps.isEmpty && zip(steps, steps.dropFirst()).allSatisfy { $0.from < $1.from })
    self.steps = steps
  }
  /// One current for ever.
  public init(_ current: Current, from: Instant) { steps = [Step(from: from, current: current)] }

  /// The current at `instant`; before the first step, that of the first step.
  /// - Complexity: O(*n*) in the number of steps, which is small.
  public func current(at instant: Instant) -> Current {
    var result = steps[0].current
    for step in steps where step.from <= instant { result = step.current }
    return result
  }

  /// The largest current at `instant` or later: what must be counted for a profile that stays as it is (rule 5).
  public func largest(from instant: Instant) -> Current {
    var result = current(at: instant)
    for step in steps where step.from > instant { result = max(result, step.current) }
    return result
  }

  /// The largest current in `start..<end`; that at `start` if the span is empty.
  public func largest(from start: Instant, until end: Instant) -> Current {
    var result = current(at: start)
    for step in steps where step.from > start && step.from < end { result = max(result, step.current) }
    return result
  }

  /// The first step after `instant`, if there is one.
  public func next(after instant: Instant) -> Step? { steps.first { $0.from > instant } }
  /// What it ends in.
  public var last: Current { steps[steps.count - 1].current }
}
