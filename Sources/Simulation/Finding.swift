import Quantities

/// The rules that are checked, each with the number it has among the rules of control.
public enum Invariant: String, CaseIterable, Hashable, Sendable {
  case protectiveLimit = "rule 1: no circuit is over its fuse for longer than the fuse bears"
  case externalLimit = "rule 20: a limit from outside is met within the reaction time"
  case contractMean = "rule 4: the mean over each clock-aligned window stays within the contract"
  case committed = "rule 5: committed is never less than what the held profile allows, or what flows"
  case deadMan =
    "rules 14 and 16: a profile above the fallback ends within the horizon, in the fallback or within the unattended share"
  case unheard = "rule 15: with all stations deaf, no later moment is worse than the limit"
  case settles = "rule 15: with the controller dead for a horizon, everything is within its limits"
  case transactions = "rule 24: transaction ids are never repeated, and each request is answered once"
  case profileForm = "rule 20: a profile carries 0 A or at least the minimum, in the model's steps, periods and levels"
  case starvation = "rule 23: who waits gets its turn"
  case order = "rule 22: what was superseded never leaves the mind, and nothing rises while the journal fails"
  case replay = "rule 26: the same events give the same effects"
  case kept = "what the mind keeps of a connector is what it would work out now"
  case frames = "wire: what an honest station says is understood, and what is said to it can be read"
  case quiet = "rule 25: an unchanged reading has no effects"
}

/// An invariant that did not hold.
public struct Finding: Hashable, Sendable, CustomStringConvertible {
  public var invariant: Invariant
  public var seed: UInt64
  /// True milliseconds from the start.
  public var at: Int
  /// Number of events that had reached the mind.
  public var step: Int
  public var details: String
  /// The newest events before it, oldest first.
  public var history: [String]
  public var description: String { "seed \(seed), step \(step), \(at / 1000) s: \(invariant.rawValue): \(details)" }
}

/// What a simulated stretch came to.
public struct Report: Sendable {
  public var seed: UInt64 = 0
  public var milliseconds = 0
  public var connectors = 0
  public var circuits = 0
  public var events = 0
  public var commands = 0
  /// OCPP-J frames that were sent, at wire fidelity.
  public var frames = 0
  public var plans = 0
  public var sessions = 0
  /// Over all conductors.
  public var asked = Energy.zero
  public var delivered = Energy.zero
  /// Per circuit and phase, thousandths of the rating.
  public var peaks: [PerPhase<Int>] = []
  /// Time over a limit by the load alone that nobody controls, or before a dead controller's offers have ended.
  public var apart = 0
  /// Mean of what was committed and not drawn, thousandths of the connection's rating: the price of caution.
  public var caution = 0
  public var findings: [Finding] = []
  /// SHA-256 over everything that left the mind and when, in hexadecimal; empty unless asked for.
  public var effectsDigest = ""
  public init() {}
}
