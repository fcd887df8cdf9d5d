import ChargingProfiles
import Control
import Site

/// Requests whose replies somebody waits for, and commands whose outcomes. On the hub's loop only.
struct Asked {
  /// What a request came to; called at most twice: with the reply, and with the outcome of its command if there is one.
  enum Answer: Sendable {
    case reply(Reply)
    case outcome(CommandOutcome)
  }
  typealias Listener = @Sendable (Answer) -> Void

  private var replies: [String: Listener] = [:]
  private var outcomes: [CommandID: Listener] = [:]
  /// A station may answer before the reply is durable.
  private var early: [(command: CommandID, outcome: CommandOutcome)] = []

  mutating func wait(for request: String, _ listener: @escaping Listener) { replies[request] = listener }
  mutating func forget(_ request: String) { replies[request] = nil }

  mutating func hear(_ reply: Reply) {
    guard let listener = replies.removeValue(forKey: reply.request) else { return }
    listener(.reply(reply))
    guard let command = reply.command else { return }
    if let known = early.first(where: { $0.command == command }) { return listener(.outcome(known.outcome)) }
    outcomes[command] = listener
    // Whoever gave up waiting is not kept for ever.
    if outcomes.count > 1000, let oldest = outcomes.keys.min() { outcomes[oldest] = nil }
  }

  mutating func hear(_ outcome: CommandOutcome, of command: CommandID) {
    if outcome == .sent { return }
    if let listener = outcomes.removeValue(forKey: command) { return listener(.outcome(outcome)) }
    guard !replies.isEmpty else { return early.removeAll() }
    early.append((command, outcome))
    if early.count > 1000 { early.removeFirst(500) }
  }
}
