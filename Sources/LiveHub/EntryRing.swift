import Control
import Loop
import Quantities
import Record
import Site
import Threads
import WebLink
import Window

/// The newest entries between the hub's thread, which adds them, and the window's, which reads them and may be long about it: the hub's
/// thread does not wait for that.
final class NewestEntries: Sendable {
  /// What has come since somebody looked.
  private struct Tray {
    var entries: [(entry: Entry, durableThrough: UInt64)] = []
    /// What came before these was thrown away: it is read from the journal.
    var isCut = false
  }
  private let tray = Locked(Tray())
  private let ring = Locked(EntryRing())
  /// So many are not left lying if nobody looks.
  private let most: Int

  init(most: Int = 16_384) { self.most = most }

  /// On the hub's thread.
  func add(_ entry: Entry, durableThrough: UInt64) {
    tray.with { tray in
      if tray.entries.count >= most { tray = Tray(isCut: true) }
      tray.entries.append((entry, durableThrough))
    }
  }

  /// All of them, in order.
  func with<Result>(_ body: (inout EntryRing) -> Result) -> Result {
    ring.with { ring in
      let arrived = tray.with { tray in
        defer { tray = Tray() }
        return tray
      }
      if arrived.isCut { ring.clear() }
      for (entry, durableThrough) in arrived.entries { ring.add(entry, durableThrough: durableThrough) }
      return body(&ring)
    }
  }
}

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
  /// What was put together last for those of a role who had an entry already.
  private var portions: [Role: Portion] = [:]
  /// What is not durable is kept beyond `most`, up to this.
  private var bound: Int { most * 4 }

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

  /// Forgets all: what comes next does not follow what is here.
  mutating func clear() { (slots, begin, portions) = ([], 0, [:]) }

  /// Events of the stream in one piece.
  struct Portion {
    var after: UInt64
    /// The last sequence that was looked at.
    var through: UInt64
    var events: SharedBytes
  }

  /// What comes after an entry, for a stream: those who follow at the same place get the same bytes.
  /// - Returns: nil: it is older than what is here.
  mutating func portion(after sequence: UInt64, count: Int, _ feed: Feed, _ audience: Audience, run: UInt64) -> Portion? {
    let isShared = audience.role != .gridOperator
    if isShared, let known = portions[audience.role], known.after == sequence { return known }
    guard let (told, through) = after(sequence, count: count, feed, audience, run: run) else { return nil }
    let portion = Portion(after: sequence, through: through, events: SharedBytes(told.events))
    if isShared, through > sequence { portions[audience.role] = portion }
    return portion
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

extension [Told] {
  /// As the stream has them.
  var events: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(reduce(0) { $0 + $1.json.count + 64 })
    for one in self { EventStream.append(event: "entry", id: one.cursor.text, data: one.json, to: &bytes) }
    return bytes
  }
}
