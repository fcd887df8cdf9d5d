import ChargingProfiles
import Control
import Quantities
import Site

/// How long decreases of current took from the mind to the station's answer. Bounded: the newest 4,096.
public struct ReactionTimes: Hashable, Sendable {
  private var sent: [CommandID: Monotonic] = [:]
  private var samples: [Int] = []
  private var next = 0
  private static let most = 4096
  public private(set) var count = 0

  mutating func leave(_ command: CommandID, at now: Monotonic) { sent[command] = now }
  mutating func hear(_ outcome: CommandOutcome, of command: CommandID, at now: Monotonic) {
    guard outcome != .sent, let left = sent.removeValue(forKey: command), outcome == .accepted else { return }
    count += 1
    if samples.count < Self.most { samples.append(0) }
    samples[next] = (now - left).milliseconds
    next = (next + 1) % Self.most
  }

  /// The time that so many thousandths of the decreases did not take longer than; nil: there was none.
  public func quantile(_ permille: Int) -> TimeSpan? {
    guard !samples.isEmpty else { return nil }
    let sorted = samples.sorted()
    return .milliseconds(sorted[min(sorted.count - 1, sorted.count * permille / 1000)])
  }
}
