import ChargingProfiles
import Control
import Quantities
import Record
import Site

extension JournalReader {
  /// What a connector was offered, and why.
  public struct DecisionRecord: Hashable, Sendable {
    public var stamp: EventStamp
    public var decision: Decision
  }
  /// A step in the life of a command about profiles.
  public struct ProfileStep: Hashable, Sendable {
    public enum What: Hashable, Sendable {
      case asked(StationCommand, Urgency)
      case became(CommandOutcome)
      /// Before it was sent.
      case cancelled
    }
    public var command: CommandID
    public var stamp: EventStamp
    public var what: What
  }
  /// How long after a transaction's end answers to its profiles are looked for.
  static let patience = TimeSpan.minutes(2)

  /// Everything that was recorded while a transaction ran, or up to now: its inputs, in order. A part that cannot be read is left out.
  public func entries(of transaction: TransactionRecord, _ visit: (Batch.Remains) -> Bool) throws(DatabaseError) {
    let last = transaction.closedSequence ?? UInt64(Int.max)
    let range = transaction.openedSequence...max(last, transaction.openedSequence)
    try entries(range, visit)
  }
  private func entries(_ range: ClosedRange<UInt64>, _ visit: (Batch.Remains) -> Bool) throws(DatabaseError) {
    try batches(range) { batch in
      guard let entries = try? batch.entries() else { return true }
      for remains in entries where range.contains(remains.stamp.sequence) {
        if !visit(remains) { return false }
      }
      return true
    }
  }

  /// Every decision about a transaction, oldest first.
  /// - Complexity: reads what was recorded while it ran.
  public func decisions(transaction id: Int) throws(DatabaseError) -> [DecisionRecord] {
    var result: [DecisionRecord] = []
    guard let transaction = try transactions(id: id).first else { return [] }
    try entries(of: transaction) { remains in
      for case .decided(let decision) in remains.effects where decision.transaction == id {
        result.append(DecisionRecord(stamp: remains.stamp, decision: decision))
      }
      return true
    }
    return result
  }

  /// What became of every command that was decided for a transaction, oldest first, until a little after its end.
  /// - Complexity: reads what was recorded while it ran.
  public func profileSteps(transaction id: Int) throws(DatabaseError) -> [ProfileStep] {
    guard let transaction = try transactions(id: id).first else { return [] }
    var result: [ProfileStep] = []
    var commands: Set<CommandID> = []
    let closed = transaction.closedSequence ?? UInt64(Int.max)
    let end = transaction.endedAt.map { $0 + Self.patience }
    try entries(transaction.openedSequence...UInt64(Int.max)) { remains in
      if let end, remains.stamp.sequence > closed, remains.stamp.utc > end { return false }
      for case .decided(let decision) in remains.effects where decision.transaction == id {
        if let command = decision.command { commands.insert(command) }
      }
      for (command, what) in Self.steps(in: remains) where commands.contains(command) {
        result.append(ProfileStep(command: command, stamp: remains.stamp, what: what))
      }
      return true
    }
    return result
  }

  private static func steps(in remains: Batch.Remains) -> [(CommandID, ProfileStep.What)] {
    var result: [(CommandID, ProfileStep.What)] = []
    switch remains.event {
    case .station(_, .outcome(let command, let outcome)): result.append((command, .became(outcome)))
    case .cancelled(let commands): result += commands.map { ($0, .cancelled) }
    default: break
    }
    for case .command(let command, _, let what, let urgency) in remains.effects { result.append((command, .asked(what, urgency))) }
    return result
  }
}
