import ChargingProfiles
import Control
import Quantities
import Site

/// One thought of the mind: what reached it, when, and what left it.
public struct Entry: Hashable, Sendable {
  public var stamp: EventStamp
  public var event: Event
  public var effects: [Effect]
  /// The blocks that were kept with it: the inputs of its decisions.
  public var mentions: [BlockMention]
  public init(stamp: EventStamp, event: Event, effects: [Effect], mentions: [BlockMention] = []) {
    (self.stamp, self.event, self.effects, self.mentions) = (stamp, event, effects, mentions)
  }

  /// A raw reading: its bytes may be thinned away later, its effects never.
  public var isReading: Bool {
    switch event {
    case .reading: true
    case .station(_, .sampled): true
    default: false
    }
  }
}

/// The mind at one moment, from which a replay or a restart goes on.
public struct Snapshot: Hashable, Sendable {
  /// The last event that it knows.
  public var stamp: EventStamp
  public var version: String
  /// `SiteController`, written by `BinaryEncoder.encodeNamed`: another version of the program reads what it shares.
  public var state: [UInt8]
  public init(stamp: EventStamp, version: String, state: [UInt8]) {
    (self.stamp, self.version, self.state) = (stamp, version, state)
  }
  public var digest: [UInt8] {
    var writer = ByteWriter()
    writer.put(text: version)
    writer.put(unsigned: stamp.sequence)
    writer.put(stamp.utc.milliseconds)
    writer.put(stamp.monotonic.milliseconds)
    writer.put(section: state)
    return SHA256.digest(writer.bytes)
  }
}

/// Entries that become durable together: two sections, each by its digest a link of the chain, so that raw readings can be thinned
/// and the chain still be verified.
public struct Batch: Hashable, Sendable {
  /// The newest form of both sections. 1: no entry names blocks. 2: readings as differences (`FirstReadingCoding`). 3: each mention of a
  /// block has its digest.
  public static let formatVersion = 4
  /// Sequences of the first and the last entry; every one between is inside.
  public var first: UInt64
  public var last: UInt64
  public var firstAt: Instant
  public var lastAt: Instant
  /// All effects, and all events that are no raw readings.
  public var kept: [UInt8]
  /// The raw readings; nil: thinned away. Where they were left out, how many (`readingsLeftOut`).
  public var readings: [UInt8]?
  public var keptDigest: [UInt8]
  public var readingsDigest: [UInt8]
  /// The blocks that its entries name, each once, for the store to keep beside it. Empty when it is read back.
  public var blocks: [Block]
  /// What the store had thinned when it wrote this batch, in the store's own form; empty: nothing new. Part of the link.
  public var marks: [UInt8] = []

  public init(
    first: UInt64, last: UInt64, firstAt: Instant, lastAt: Instant, kept: [UInt8], readings: [UInt8]?, keptDigest: [UInt8],
    readingsDigest: [UInt8], blocks: [Block] = []
  ) {
    (self.first, self.last, self.firstAt, self.lastAt) = (first, last, firstAt, lastAt)
    (self.kept, self.readings, self.keptDigest, self.readingsDigest) = (kept, readings, keptDigest, readingsDigest)
    self.blocks = blocks
  }

  /// The chain's link: over the link before, the span of sequences, the digests of both sections, and the marks if there are any.
  public func link(after previous: [UInt8]) -> [UInt8] {
    var writer = ByteWriter()
    writer.bytes = previous
    for number in [marks.isEmpty ? 1 : 2, first, last] { writer.put(fixed: number) }
    for instant in [firstAt, lastAt] { writer.put(fixed: UInt64(bitPattern: Int64(instant.milliseconds))) }
    return SHA256.digest(writer.bytes + keptDigest + readingsDigest + marks)
  }
  /// The link before the first batch.
  public static let genesis = [UInt8](repeating: 0, count: 32)
  /// Whether the raw readings still have the digest they were recorded with; thinned away, they are taken for right. The link says the same of
  /// all else.
  public var readingsAreWhole: Bool { readings.map { SHA256.digest($0) == readingsDigest } ?? true }
}
