import ChargingProfiles
import Quantities
import Site

/// After a step of thousands of stations each says that it has understood, and what it draws now. To think about all of them after each word
/// would take longer than they take to speak, and a reading would have to wait.
extension SiteController {
  /// So many claimants are thought about in about a millisecond.
  private var claimantsPerMillisecond: Int { 100 }

  /// Puts off to the next deadline what a word of one station calls for, where nothing bad can have happened and the wait is no longer than
  /// a thought takes: 20 ms at 2,000 claimants, nothing below 100. What the station said is taken in already.
  /// - Returns: false: it has to be thought about at once.
  mutating func gathers(_ event: Event, at now: EventStamp) -> Bool {
    guard case .station(_, let said) = event else { return false }
    let wait = TimeSpan.milliseconds(facts.claimants.count / claimantsPerMillisecond)
    guard wait > .zero else { return false }
    switch said {
    case .clock, .sampled, .outcome(_, .sent), .outcome(_, .accepted): break
    default: return false
    }
    let due = now.monotonic + wait
    nextDeadline = nextDeadline.map { min($0, due) } ?? due
    return true
  }
}
