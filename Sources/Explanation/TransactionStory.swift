import ChargingProfiles
import Control
import Quantities
import Record
import Site

/// The history of one transaction, gathered from the entries of a record in their order.
public struct TransactionStory: Sendable {
  public struct Turn: Hashable, Sendable {
    public var stamp: EventStamp
    public var reason: Reason
    public var offer: Current
  }
  public let transaction: Int
  public private(set) var profiles: [ProfileLife] = []
  /// Each decision about it, also those for which nothing had to be sent.
  public private(set) var decisions: [Turn] = []
  /// The station and the connector's number; nil: its beginning is not in what was read.
  public private(set) var place: (station: Int, number: Int)?
  public private(set) var startedAt: Instant?
  public private(set) var endedAt: Instant?
  public private(set) var hub: Hub?
  public private(set) var lastStamp: EventStamp?
  /// What each plan could do for it.
  public private(set) var outlooks: [Outlook] = []
  /// Entries whose raw reading was thinned away.
  public private(set) var thinned = 0

  public init(transaction: Int) { self.transaction = transaction }

  /// Takes the next entry.
  /// - Parameters:
  ///   - lacksReadings: raw readings around it were thinned away: what the vehicle drew is then taken from the inputs of decisions.
  ///   - inputs: the inputs that were kept with an entry; nil: there are none, or they cannot be read.
  public mutating func take(_ entry: Batch.Remains, lacksReadings: Bool, inputs: (Batch.Remains) -> Inputs?) {
    lastStamp = entry.stamp
    if let event = entry.event { hear(event, at: entry.stamp) } else { thinned += 1 }
    var commands: [(CommandID, ChargingProfile, Urgency)] = []
    for effect in entry.effects {
      switch effect {
      case .command(let id, _, .setProfile(_, let profile), let urgency): commands.append((id, profile, urgency))
      case .transaction(.opened(transaction, let station, let number, _, _, let at, _)):
        (place, startedAt) = ((station, number), at)
      case .transaction(.closed(transaction, _, let at, _)): endedAt = at
      case .decided(let decision) where decision.transaction == transaction:
        decisions.append(Turn(stamp: entry.stamp, reason: decision.reason, offer: decision.offer))
        guard let command = decision.command else { continue }
        if hub == nil { hub = inputs(entry)?.hub }
        begin(command, decision, commands.first { $0.0 == command }, entry)
      default: continue
      }
    }
    if lacksReadings, !entry.mentions.isEmpty, isAwaitingSample, let seen = inputs(entry) { measure(seen) }
  }

  /// Ends the gathering: nothing after this is known.
  public mutating func finish(at end: Instant) {
    for place in profiles.indices { profiles[place].knownUntil = end }
  }

  private mutating func begin(
    _ command: CommandID, _ decision: Decision, _ sent: (CommandID, ChargingProfile, Urgency)?, _ entry: Batch.Remains
  ) {
    let connector = hub.flatMap { $0.connectors.indices.contains(decision.connector) ? $0.connectors[decision.connector] : nil }
    let traits = connector.flatMap { connector in hub?.stations[connector.station].traits } ?? StationTraits(model: "generic")
    let settings = hub?.settings ?? Settings()
    profiles.append(
      ProfileLife(
        command: command, stamp: entry.stamp, connector: decision.connector, offer: decision.offer, reason: decision.reason,
        profile: sent?.1, urgency: sent?.2, mentions: entry.mentions, reaction: traits.reaction + settings.vehicleReaction,
        tolerance: settings.followTolerance))
  }

  private mutating func hear(_ event: Event, at stamp: EventStamp) {
    switch event {
    case .station(_, .outcome(let command, let outcome)): hear(outcome, of: command, at: stamp.utc)
    case .planned(let plan):
      if var outlook = plan.outlook(transaction: transaction) {
        // It counts from when it came.
        outlook.plannedAt = stamp.utc
        outlooks.append(outlook)
      }
    case .cancelled(let commands):
      for command in commands { settle(command, .cancelled, at: stamp.utc) }
    case .station(let station, .sampled(let number, _, let sample)):
      guard let place, place.station == station, place.number == number, let current = sample.current else { return }
      let wired = connector?.wiring.map { current.restricted(to: $0.conductors) } ?? current
      measure(wired.largest, at: stamp.utc)
    default: return
    }
  }

  private mutating func hear(_ outcome: CommandOutcome, of command: CommandID, at instant: Instant) {
    switch outcome {
    case .sent: reach(command, at: instant)
    case .accepted: settle(command, .accepted, at: instant)
    case .refused(let status): settle(command, .refused(status), at: instant)
    case .timedOut: settle(command, .timedOut, at: instant)
    case .lost: settle(command, .lost, at: instant)
    case .superseded: settle(command, .superseded, at: instant)
    case .learned, .composite, .configuration: return
    }
  }

  /// It is on the wire: what was sent before is replaced by it.
  private mutating func reach(_ command: CommandID, at instant: Instant) {
    guard let place = profiles.lastIndex(where: { $0.command == command }) else { return }
    profiles[place].sentAt = instant
    for earlier in profiles[..<place].indices where profiles[earlier].sentAt != nil && profiles[earlier].supersededBy == nil {
      (profiles[earlier].supersededBy, profiles[earlier].supersededAt) = (command, instant)
    }
  }

  private mutating func settle(_ command: CommandID, _ outcome: ProfileLife.Outcome, at instant: Instant) {
    guard let place = profiles.lastIndex(where: { $0.command == command }) else { return }
    (profiles[place].outcome, profiles[place].answeredAt) = (outcome, instant)
    guard case .refused = outcome else { return }
    // A refused one replaced nothing.
    for earlier in profiles.indices where profiles[earlier].supersededBy == command {
      (profiles[earlier].supersededBy, profiles[earlier].supersededAt) = (nil, nil)
    }
  }

  // MARK: What was drawn

  private var connector: Connector? {
    guard let hub, let c = profiles.last?.connector, hub.connectors.indices.contains(c) else { return nil }
    return hub.connectors[c]
  }
  private var isAwaitingSample: Bool { profiles.last { $0.appliedFrom != nil }?.drawn == nil }

  private mutating func measure(_ seen: Inputs) {
    guard let c = profiles.last?.connector, seen.view.connectors.indices.contains(c) else { return }
    let view = seen.view.connectors[c]
    guard view.transaction == transaction, let current = view.measured, let age = view.measuredAge else { return }
    measure(current.largest, at: seen.stamp.utc - age)
  }

  private mutating func measure(_ current: Current, at instant: Instant) {
    guard endedAt == nil, let place = profiles.lastIndex(where: { $0.appliedFrom != nil }),
      let from = profiles[place].appliedFrom, profiles[place].supersededAt == nil, instant - from > profiles[place].reaction
    else { return }
    // A newer one is on its way, and may be in force already.
    if profiles[(place + 1)...].contains(where: { $0.sentAt != nil }) { return }
    var drawn = profiles[place].drawn ?? .init(most: current, at: instant, first: instant, last: instant, samples: 0)
    if current > drawn.most { (drawn.most, drawn.at) = (current, instant) }
    drawn.last = instant
    drawn.samples += 1
    profiles[place].drawn = drawn
  }
}

extension TransactionStory {
  /// What applied at an instant.
  public struct Moment: Hashable, Sendable {
    /// nil: none of its own; then the fallback of the connector.
    public var applied: ProfileLife?
    /// A newer one, which had left the mind and did not apply yet.
    public var onItsWay: ProfileLife?
    /// Why it had what it had, in the words of the newest decision.
    public var reason: Reason?
    public var reasonSince: Instant?
    /// What the newest plan could do for it; nil: none knew it, or none was renewed within an hour.
    public var outlook: Outlook?
  }

  public func moment(at instant: Instant) -> Moment {
    let applied = profiles.last { life in life.appliedFrom.map { $0 <= instant } ?? false }
    let later = profiles.last { life in
      life.stamp.utc <= instant && life.command > (applied?.command ?? CommandID(0))
        && (life.answeredAt.map { $0 > instant } ?? (life.outcome == nil))
    }
    let decision = decisions.last { $0.stamp.utc <= instant }
    let since = decision.map { newest in
      decisions.last { $0.stamp.utc <= instant && $0.reason != newest.reason }.flatMap { before in
        decisions.first { $0.stamp > before.stamp }
      } ?? decisions[0]
    }
    let outlook = outlooks.last { $0.plannedAt <= instant }
    return Moment(
      applied: applied, onItsWay: later, reason: decision?.reason, reasonSince: since?.stamp.utc,
      outlook: outlook.flatMap { instant - $0.plannedAt < .hours(1) ? $0 : nil })
  }
}
