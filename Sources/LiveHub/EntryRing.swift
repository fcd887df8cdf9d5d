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
    var entries: [(entry: Entry, bytes: Int, durableThrough: UInt64)] = []
    var bytes = 0
    /// What came before these was thrown away: it is read from the journal.
    var isCut = false
  }
  private let tray = Locked(Tray())
  private let ring: Locked<EntryRing>
  /// So many, and so much, are not left lying if nobody looks.
  private let most: Int
  private let mostBytes: Int

  init(most: Int = 16_384, mostBytes: Int = 32 << 20) {
    (self.most, self.mostBytes) = (most, mostBytes)
    ring = Locked(EntryRing(mostBytes: mostBytes))
  }

  /// On the hub's thread.
  /// - Parameter coded: how many bytes it takes in the record.
  func add(_ entry: Entry, coded: Int, durableThrough: UInt64) {
    let bytes = EntryRing.bytes(coded: coded)
    tray.with { tray in
      if tray.entries.count >= most || tray.bytes + bytes > mostBytes { tray = Tray(isCut: true) }
      tray.entries.append((entry, bytes, durableThrough))
      tray.bytes += bytes
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
      for (entry, bytes, durableThrough) in arrived.entries { ring.add(entry, bytes: bytes, durableThrough: durableThrough) }
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
    /// What all of it takes, about.
    var bytes: Int
  }
  /// nil: passed.
  private var slots: [Slot?] = []
  private var begin = 0
  private var bytes = 0
  private let most: Int
  private let mostBytes: Int
  /// What was put together last for those of a role who had an entry already.
  private var portions: [Role: Portion] = [:]

  init(most: Int = 8192, mostBytes: Int = 32 << 20) { (self.most, self.mostBytes) = (most, mostBytes) }

  /// What an entry takes in memory, about: numbers take a few times what they take in the record, and there are enums, arrays and texts.
  static func bytes(coded: Int) -> Int { 1024 + 4 * coded }

  var oldest: UInt64? { begin < slots.count ? slots[begin]?.entry.stamp.sequence : nil }
  var newest: UInt64? { begin < slots.count ? slots[slots.count - 1]?.entry.stamp.sequence : nil }

  mutating func add(_ entry: Entry, bytes size: Int, durableThrough: UInt64) {
    slots.append(Slot(entry: entry, bytes: size))
    bytes += size
    while isBeyond, let oldest, oldest <= durableThrough || isFar {
      bytes -= slots[begin]?.bytes ?? 0
      slots[begin] = nil
      begin += 1
    }
    if begin > most { (slots, begin) = (Array(slots[begin...]), 0) }
  }

  /// What is not durable is kept beyond `most` and `mostBytes`, but not that far.
  private var isFar: Bool { slots.count - begin > most * 4 || bytes > mostBytes * 2 }
  private var isBeyond: Bool { slots.count - begin > most || bytes > mostBytes && slots.count - begin > 1 }

  /// Forgets all: what comes next does not follow what is here.
  mutating func clear() { (slots, begin, bytes, portions) = ([], 0, 0, [:]) }

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
      guard let entry = slots[place]?.entry else { continue }
      let cursor = Cursor(sequence: entry.stamp.sequence, run: run)
      let bytes: [UInt8]?
      // What a grid operator sees depends on whose limits they are.
      if audience.role != .gridOperator, let known = slots[place]?.seen[audience.role] {
        bytes = known
      } else {
        bytes = feed.json(entry.stamp, entry.event, entry.effects, entry.mentions, cursor: cursor)
        if audience.role != .gridOperator { keep(bytes, at: place, for: audience.role) }
      }
      if let bytes { told.append(Told(cursor: cursor, json: bytes)) }
    }
    return (told, sequence + UInt64(last - first))
  }

  private mutating func keep(_ json: [UInt8]?, at place: Int, for role: Role) {
    let size = json?.count ?? 0
    slots[place]?.seen[role] = .some(json)
    slots[place]?.bytes += size
    bytes += size
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
