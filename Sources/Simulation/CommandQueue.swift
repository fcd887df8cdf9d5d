import ChargingProfiles
import Quantities
import Site

/// What the central system's dialogue with one station does with commands, at event fidelity: one outstanding call, decreases first,
/// newest wins for profiles.
struct CommandQueue {
  struct Entry {
    var id: CommandID
    var command: StationCommand
    var urgency: Urgency
    var order: Int
  }
  private(set) var waiting: [Entry] = []
  private(set) var outstanding: Entry?
  private var count = 0

  /// - Returns: the commands that the new one supersedes.
  mutating func put(_ id: CommandID, _ command: StationCommand, _ urgency: Urgency) -> [CommandID] {
    count += 1
    var superseded: [CommandID] = []
    if let place = Self.place(command) {
      superseded = waiting.filter { Self.place($0.command) == place }.map(\.id)
      waiting.removeAll { Self.place($0.command) == place }
    }
    waiting.append(Entry(id: id, command: command, urgency: urgency, order: count))
    return superseded
  }

  /// The next to be sent, if none is outstanding.
  mutating func next() -> Entry? {
    guard outstanding == nil, !waiting.isEmpty else { return nil }
    let place = waiting.indices.min { (rank(waiting[$0]), waiting[$0].order) < (rank(waiting[$1]), waiting[$1].order) } ?? 0
    outstanding = waiting.remove(at: place)
    return outstanding
  }

  /// - Returns: whether `id` was outstanding and is no longer.
  mutating func finish(_ id: CommandID) -> Bool {
    guard outstanding?.id == id else { return false }
    outstanding = nil
    return true
  }

  /// The connection is gone.
  mutating func drain() -> [CommandID] {
    let all = (outstanding.map { [$0.id] } ?? []) + waiting.map(\.id)
    (outstanding, waiting) = (nil, [])
    return all
  }

  private func rank(_ entry: Entry) -> Int {
    switch entry.urgency {
    case .decrease: 0
    case .increase: 1
    case .routine: 2
    }
  }

  /// Which place a profile takes; nil for what is not a profile.
  private static func place(_ command: StationCommand) -> [Int]? {
    guard case .setProfile(let connector, let profile) = command else { return nil }
    switch profile.purpose {
    case .stationMaximum: return [connector, 0]
    case .transactionDefault: return [connector, 1]
    case .transaction: return [connector, 2]
    }
  }
}
