import ChargingProfiles
import Control
import Site

/// What may leave before the record of it is durable: decreases at once, increases and answers not.
///
/// A decrease never waits for a disk. What raises a current, or could (a profile that is no decrease, clearing, a remote start), and
/// every answer to a station wait. A decrease anywhere makes every increase still held from earlier thoughts stale, for it was
/// worked out for a hub that had more room; a newer profile for a connector replaces what is held for that connector.
struct Gate: Sendable {
  private struct Held: Sendable {
    var sequence: UInt64
    var effect: Effect
  }
  private var held: [Held] = []
  /// Answers to be had from a store that has failed: more are not kept, the oldest goes. A station asks again, for what has become of its
  /// message is in the record; a person's request has timed out by then.
  static let mostAnswers = 2048
  /// Something waits for the store.
  var isWaiting: Bool { !held.isEmpty }

  /// - Returns: what leaves now, in the order given, and the commands that will never be sent.
  mutating func admit(_ effects: [Effect], sequence: UInt64) -> (released: [Effect], cancelled: [CommandID]) {
    var released: [Effect] = []
    var cancelled: [CommandID] = []
    for effect in effects {
      if case .command(_, let station, let command, let urgency) = effect {
        cancelled += cancel(by: command, urgency, station: station, before: sequence)
      }
      if Self.waits(effect) { held.append(Held(sequence: sequence, effect: effect)) } else { released.append(effect) }
    }
    return (released, cancelled)
  }

  /// Everything up to `sequence` is durable.
  mutating func release(through sequence: UInt64) -> [Effect] {
    let ready = held.filter { $0.sequence <= sequence }
    held.removeAll { $0.sequence <= sequence }
    return ready.map(\.effect)
  }

  /// The wall clock was moved: the offers that are held say their times by the clock as it was.
  mutating func clockStepped() -> [CommandID] {
    var cancelled: [CommandID] = []
    held.removeAll { one in
      guard case .command(let id, _, .setProfile, .increase) = one.effect else { return false }
      cancelled.append(id)
      return true
    }
    return cancelled
  }

  /// The store has failed: no increase leaves any more, and answers that record nothing need not wait. Answers to the start and the
  /// stop of a transaction stay, the newest `mostAnswers`.
  mutating func storeFailed() -> (released: [Effect], cancelled: [CommandID]) {
    var released: [Effect] = []
    var cancelled: [CommandID] = []
    var kept: [Held] = []
    for one in held {
      switch one.effect {
      case .command(let id, _, _, _): cancelled.append(id)
      case .answer(_, _, .boot), .answer(_, _, .authorise): released.append(one.effect)
      default: kept.append(one)
      }
    }
    held = kept.count > Self.mostAnswers ? Array(kept.suffix(Self.mostAnswers)) : kept
    return (released, cancelled)
  }

  private mutating func cancel(
    by command: StationCommand, _ urgency: Urgency, station: Int, before sequence: UInt64
  ) -> [CommandID] {
    var cancelled: [CommandID] = []
    held.removeAll { one in
      guard case .command(let id, let heldStation, let heldCommand, let heldUrgency) = one.effect else { return false }
      let stale = urgency == .decrease && heldUrgency == .increase && one.sequence < sequence
      var replaced = false
      if case .setProfile(let connector, _) = command, case .setProfile(let heldConnector, _) = heldCommand {
        replaced = heldStation == station && heldUrgency == .increase && (connector == heldConnector || connector == 0)
      }
      if stale || replaced { cancelled.append(id) }
      return stale || replaced
    }
    return cancelled
  }

  private static func waits(_ effect: Effect) -> Bool {
    switch effect {
    case .answer, .answered: return true
    case .decided, .transaction, .alarm, .plan, .trip: return false
    case .command(_, _, _, .decrease): return false
    case .command(_, _, _, .increase): return true
    case .command(_, _, let command, .routine):
      switch command {
      case .setProfile, .clearProfiles, .remoteStart: return true
      default: return false
      }
    }
  }
}
