import ChargingProfiles
import Site

/// Commands that wait for their turn: one CALL is outstanding at a time (OCPP-J 1.6 §4.1.1).
///
/// Decreases go first, then increases, then the rest, each in the order given. Of several profiles for the same place only the newest is kept.
struct CommandQueue: Hashable, Sendable {
  struct Entry: Hashable, Sendable {
    var id: CommandID
    var command: StationCommand
    var urgency: Urgency
  }
  private(set) var entries: [Entry] = []
  var isEmpty: Bool { entries.isEmpty }

  /// - Returns: the commands whose place it took, in the order in which they were given.
  mutating func add(_ entry: Entry) -> [CommandID] {
    let superseded = entries.filter { entry.supersedes($0) }.map(\.id)
    entries.removeAll { superseded.contains($0.id) }
    entries.append(entry)
    return superseded
  }

  /// - Returns: whether it was still waiting.
  mutating func remove(_ id: CommandID) -> Bool {
    let count = entries.count
    entries.removeAll { $0.id == id }
    return entries.count < count
  }

  mutating func removeAll() -> [CommandID] {
    defer { entries = [] }
    return entries.map(\.id)
  }

  /// The rank of the next one; nil: there is none.
  var nextRank: Int? { entries.map(\.urgency.rank).min() }

  mutating func next() -> Entry? {
    guard let rank = nextRank, let first = entries.firstIndex(where: { $0.urgency.rank == rank }) else { return nil }
    // What was asked to be cleared before must not be cleared after.
    let earlier = entries[..<first].firstIndex { $0.command.wouldClear(entries[first].command) }
    return entries.remove(at: earlier ?? first)
  }
}

extension CommandQueue.Entry {
  /// A newer profile takes the place of one with the same connector, purpose and level; and no rise that an older decision gave a
  /// connector leaves after a newer offer for it.
  fileprivate func supersedes(_ older: CommandQueue.Entry) -> Bool {
    switch (command, older.command) {
    case (.setProfile(let connector, let new), .setProfile(let other, let old)):
      guard connector == other else { return false }
      let isSamePlace =
        new.stackLevel == old.stackLevel && ProfileOnWire.purpose(new.purpose) == ProfileOnWire.purpose(old.purpose)
      return isSamePlace || new.id == old.id || (urgency != .routine && older.urgency == .increase)
    case (.learn, .learn): return true
    default: return false
    }
  }
}

extension Urgency {
  var rank: Int {
    switch self {
    case .decrease: 0
    case .increase: 1
    case .routine: 2
    }
  }
}

extension StationCommand {
  /// Whether this, a clearing, would also clear what `later` sets.
  fileprivate func wouldClear(_ later: StationCommand) -> Bool {
    guard case .clearProfiles(let filter) = self, case .setProfile(let connector, let profile) = later else { return false }
    if let id = filter.id { return id == profile.id }
    if let other = filter.connector, other != connector { return false }
    if let purpose = filter.purpose, purpose != ProfileOnWire.purpose(profile.purpose) { return false }
    if let level = filter.stackLevel, level != profile.stackLevel { return false }
    return true
  }
}
