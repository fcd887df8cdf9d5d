import OCPP
import Quantities
import Window

/// What tells how well a station is reached. Bounded: the last answers, and so many faults of a day.
struct LinkWatch {
  private static let mostAnswers = 32
  private static let mostFaults = 255
  private static let day = TimeSpan.days(1)
  private var openedAt: Monotonic?
  private var heardAt: Monotonic?
  private var answers: [TimeSpan] = []
  private var nextAnswer = 0
  private var losses: [Monotonic] = []
  private var timeouts: [Monotonic] = []

  /// A connection that another takes the place of has ended.
  mutating func opened(at now: Monotonic) {
    closed(at: now)
    openedAt = now
  }
  mutating func closed(at now: Monotonic) {
    guard openedAt != nil else { return }
    openedAt = nil
    Self.add(now, to: &losses)
  }
  mutating func heard(at now: Monotonic) { heardAt = now }
  mutating func note(_ output: DialogueOutput, at now: Monotonic) {
    if output.isUnanswered { Self.add(now, to: &timeouts) }
    guard let answer = output.answeredAfter else { return }
    if answers.count < Self.mostAnswers { answers.append(answer) } else { answers[nextAnswer] = answer }
    nextAnswer = (nextAnswer + 1) % Self.mostAnswers
  }

  private static func add(_ now: Monotonic, to faults: inout [Monotonic]) {
    faults.removeAll { now - $0 > day }
    if faults.count == mostFaults { faults.removeFirst() }
    faults.append(now)
  }

  func quality(at now: Monotonic) -> LinkQuality {
    LinkQuality(
      connectedFor: openedAt.map { now - $0 }, heardAgo: heardAt.map { now - $0 }, lost: losses.count { now - $0 <= Self.day },
      unanswered: timeouts.count { now - $0 <= Self.day }, answers: answers)
  }
}
