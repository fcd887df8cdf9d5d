import Control
import Quantities
import Record
import Site
import Window

/// The newest entries of the journal, also those that are not durable yet: what the streams tell comes from here as long as it reaches.
struct EntryRing {
  /// One entry, and how it looks to each role; nil: the role sees nothing of it.
  private struct Slot {
    var entry: Entry
    var seen: [Role: [UInt8]?] = [:]
  }
  private var slots: [Slot] = []
  private var begin = 0
  private let most: Int
  /// What is not durable is kept beyond `most`, up to this.
  private var bound: Int { most * 16 }

  init(most: Int = 8192) { self.most = most }

  var oldest: UInt64? { begin < slots.count ? slots[begin].entry.stamp.sequence : nil }
  var newest: UInt64? { begin < slots.count ? slots[slots.count - 1].entry.stamp.sequence : nil }

  mutating func add(_ entry: Entry, durableThrough: UInt64) {
    slots.append(Slot(entry: entry))
    while slots.count - begin > most,
      slots[begin].entry.stamp.sequence <= durableThrough || slots.count - begin > bound
    {
      slots[begin].seen = [:]
      begin += 1
    }
    if begin > most { (slots, begin) = (Array(slots[begin...]), 0) }
  }

  /// What comes after an entry: at most `count` entries as an audience sees them.
  /// - Returns: nil: it is older than what is here. `through`: the last sequence that was looked at.
  mutating func after(_ sequence: UInt64, count: Int, _ feed: Feed, _ audience: Audience, run: UInt64)
    -> (told: [Told], through: UInt64)?
  {
    guard let oldest, let newest else { return ([], sequence) }
    guard sequence + 1 >= oldest else { return nil }
    guard sequence < newest else { return ([], sequence) }
    let first = begin + Int(sequence + 1 - oldest)
    let last = min(slots.count, first + count)
    var told: [Told] = []
    for place in first..<last {
      let entry = slots[place].entry
      let cursor = Cursor(sequence: entry.stamp.sequence, run: run)
      let bytes: [UInt8]?
      // What a grid operator sees depends on whose limits they are.
      if audience.role != .gridOperator, let known = slots[place].seen[audience.role] {
        bytes = known
      } else {
        bytes = feed.json(entry.stamp, entry.event, entry.effects, entry.mentions, cursor: cursor)
        if audience.role != .gridOperator { slots[place].seen[audience.role] = .some(bytes) }
      }
      if let bytes { told.append(Told(cursor: cursor, json: bytes)) }
    }
    return (told, slots[last - 1].entry.stamp.sequence)
  }
}

/// An entry as it is told.
struct Told: Sendable {
  var cursor: Cursor
  var json: [UInt8]
}
