import Control
import Quantities
import Site

/// Gathers entries into one batch.
public struct BatchWriter: Sendable {
  private var kept = ByteWriter()
  private var readings = RangeEncoder()
  private var readingCount = 0
  /// nil: no reading yet.
  private var model: ReadingModel?
  private var first: EventStamp?
  private var last: EventStamp?
  private var lastKept: EventStamp?
  private var blocks: [Block] = []
  private var known: Set<[UInt8]> = []
  /// By digest, the blocks of the batches before: the store has them by the time it gets this one.
  private var before: Set<[UInt8]> = []
  private var blockBytes = 0
  /// Raw readings are counted and not written: too much waits for the store.
  let leavesOutReadings: Bool
  private var leftOut = 0

  public init() { leavesOutReadings = false }
  /// For the batch that follows `last`.
  init(after last: BatchWriter, leavingOutReadings: Bool) {
    leavesOutReadings = leavingOutReadings
    before = last.known.isEmpty ? last.before : last.known
  }
  public var isEmpty: Bool { first == nil }
  public var lastSequence: UInt64? { last?.sequence }
  /// Bytes so far, for whoever bounds a batch: what it adds to the batches before.
  public var size: Int { kept.bytes.count + readings.count + blockBytes }

  /// - Parameters:
  ///   - entry: its sequence follows the last one's.
  ///   - inputs: the blocks that `entry.mentions` is about.
  /// - Throws: what an event's own coding throws; the synthesized ones throw nothing.
  public mutating func append(_ entry: Entry, blocks inputs: [Block] = []) throws {
    precondition(last.map { $0.sequence + 1 == entry.stamp.sequence } ?? true, "a gap in the sequence")
    let start = first ?? entry.stamp
    if entry.isReading, leavesOutReadings {
      leftOut += 1
    } else if entry.isReading {
      if model == nil { model = ReadingModel(first: start) }
      _ = model?.code(entry, &readings)
      readingCount += 1
    }
    if !entry.isReading || !entry.effects.isEmpty || !entry.mentions.isEmpty {
      Self.put(entry.stamp, after: lastKept, first: start, to: &kept)
      kept.put(byte: (entry.isReading ? 0 : Self.hasEvent) | (entry.mentions.isEmpty ? 0 : Self.hasMentions))
      if !entry.isReading { try BinaryEncoder.encode(entry.event, to: &kept) }
      kept.put(unsigned: UInt64(entry.effects.count))
      for effect in entry.effects { try BinaryEncoder.encode(effect, to: &kept) }
      if !entry.mentions.isEmpty { put(entry.mentions, of: entry.stamp.sequence) }
      lastKept = entry.stamp
    }
    for block in inputs where known.insert(block.digest).inserted {
      blocks.append(block)
      if !before.contains(block.digest) { blockBytes += block.bytes.count }
    }
    first = start
    last = entry.stamp
  }

  /// The bits of the byte before an entry of the kept section.
  static let hasEvent: UInt8 = 1
  static let hasMentions: UInt8 = 2

  /// The bit beside a block's kind: an earlier entry names it; how many entries earlier follows.
  static let isAgain: UInt8 = 0x80

  private mutating func put(_ mentions: [BlockMention], of sequence: UInt64) {
    kept.put(unsigned: UInt64(mentions.count))
    for mention in mentions {
      switch mention {
      case .named(let reference):
        kept.put(byte: reference.kind.rawValue)
        kept.bytes += reference.digest
      case .again(let kind, let entry):
        kept.put(byte: kind.rawValue | Self.isAgain)
        kept.put(unsigned: sequence - entry)
      }
    }
  }

  /// - Precondition: not empty.
  public func finish() -> Batch {
    guard let first, let last else { preconditionFailure("an empty batch") }
    var head = ByteWriter()
    head.put(unsigned: UInt64(Batch.formatVersion))
    head.put(unsigned: first.sequence)
    head.put(first.utc.milliseconds)
    head.put(first.monotonic.milliseconds)
    let keptSection = head.bytes + kept.bytes
    let readingsSection = finishedReadings()
    return Batch(
      first: first.sequence, last: last.sequence, firstAt: first.utc, lastAt: last.utc, kept: keptSection,
      readings: readingsSection, keptDigest: SHA256.digest(keptSection), readingsDigest: SHA256.digest(readingsSection),
      blocks: blocks)
  }

  /// Their number, and all of them; or 0, and how many were left out; nothing where there is none.
  private func finishedReadings() -> [UInt8] {
    guard readingCount + leftOut > 0 else { return [] }
    var writer = ByteWriter()
    writer.put(unsigned: UInt64(readingCount))
    if leavesOutReadings {
      writer.put(unsigned: UInt64(leftOut))
      return writer.bytes
    }
    return writer.bytes + readings.finish()
  }

  private static func put(_ stamp: EventStamp, after last: EventStamp?, first: EventStamp, to writer: inout ByteWriter) {
    let last = last ?? first
    writer.put(unsigned: stamp.sequence - last.sequence)
    writer.put(stamp.utc.milliseconds - last.utc.milliseconds)
    writer.put(stamp.monotonic.milliseconds - last.monotonic.milliseconds)
  }
}

extension Batch {
  /// How many raw readings were never written, because too much waited for a store that failed. Their section says so in place of them,
  /// and the chain covers it.
  public var readingsLeftOut: Int {
    guard let readings, !readings.isEmpty else { return 0 }
    var (head, section) = (ByteReader(kept), ByteReader(readings))
    // Forms 1 and 2 do not begin with the number of readings.
    guard let version = try? head.unsigned(), version >= 3, (try? section.unsigned()) == 0 else { return 0 }
    return Int(clamping: (try? section.unsigned()) ?? 0)
  }

  /// An entry, or what is left of one whose raw reading was thinned away or left out.
  public enum Remains: Hashable, Sendable {
    case whole(Entry)
    case thinned(EventStamp, effects: [Effect], mentions: [BlockMention] = [])

    public var stamp: EventStamp {
      switch self {
      case .whole(let entry): entry.stamp
      case .thinned(let stamp, _, _): stamp
      }
    }
    /// nil: it was a raw reading, which was thinned away or left out.
    public var event: Event? {
      if case .whole(let entry) = self { return entry.event }
      return nil
    }
    public var effects: [Effect] {
      switch self {
      case .whole(let entry): entry.effects
      case .thinned(_, let effects, _): effects
      }
    }
    public var mentions: [BlockMention] {
      switch self {
      case .whole(let entry): entry.mentions
      case .thinned(_, _, let mentions): mentions
      }
    }
  }

  /// The entries in order of sequence. Readings without effects that were thinned away or left out are missing.
  /// - Throws: `RecordFault` where a section is no such section.
  public func entries() throws(RecordFault) -> [Remains] {
    var reader = ByteReader(kept)
    let version = try reader.unsigned()
    guard (1...UInt64(Self.formatVersion)).contains(version) else {
      throw .otherVersion(Int(clamping: version), known: Self.formatVersion)
    }
    let sequence = try reader.unsigned()
    let utc = try reader.integer()
    let first = EventStamp(
      utc: Instant(milliseconds: utc), monotonic: Monotonic(milliseconds: try reader.integer()), sequence: sequence)
    var events = try version < 3 ? readFirstForm(from: first) : readEvents(from: first)
    var result: [Remains] = []
    var stamp = first
    while !reader.isAtEnd {
      stamp = try Self.stamp(after: stamp, &reader)
      let at = reader.position
      let flags = try reader.byte()
      guard flags < (version == 1 ? 2 : 4) else { throw .badValue("flags \(flags)", at: at) }
      let event = flags & BatchWriter.hasEvent != 0 ? try BinaryDecoder.decode(Event.self, from: &reader) : nil
      var effects: [Effect] = []
      for _ in 0..<(try reader.count()) { effects.append(try BinaryDecoder.decode(Effect.self, from: &reader)) }
      let mentions = flags & BatchWriter.hasMentions != 0 ? try Self.mentions(&reader, of: stamp.sequence, form: version) : []
      while let next = events.first, next.stamp.sequence < stamp.sequence { result.append(.whole(events.removeFirst())) }
      if let event {
        result.append(.whole(Entry(stamp: stamp, event: event, effects: effects, mentions: mentions)))
      } else if let next = events.first, next.stamp.sequence == stamp.sequence {
        events.removeFirst()
        result.append(.whole(Entry(stamp: stamp, event: next.event, effects: effects, mentions: mentions)))
      } else {
        result.append(.thinned(stamp, effects: effects, mentions: mentions))
      }
    }
    return result + events.map { .whole($0) }
  }

  private static func mentions(
    _ reader: inout ByteReader, of sequence: UInt64, form: UInt64
  ) throws(RecordFault) -> [BlockMention] {
    var result: [BlockMention] = []
    for _ in 0..<(try reader.count()) {
      let at = reader.position
      let kind = try reader.byte()
      if form >= 4, kind & BatchWriter.isAgain != 0 {
        let distance = try reader.unsigned()
        guard distance > 0, distance < sequence else { throw .badValue("a block of \(distance) entries before", at: at) }
        result.append(.again(BlockKind(rawValue: kind & ~BatchWriter.isAgain), entry: sequence - distance))
      } else {
        result.append(.named(BlockReference(kind: BlockKind(rawValue: kind), digest: try reader.bytes(32))))
      }
    }
    return result
  }

  private func readEvents(from first: EventStamp) throws(RecordFault) -> ArraySlice<Entry> {
    guard let readings, !readings.isEmpty else { return [] }
    var reader = ByteReader(readings)
    let count = try reader.unsigned()
    guard count <= last &- self.first &+ 1 else { throw .badLength(Int(clamping: count), at: 0) }
    var decoder = RangeDecoder(readings, from: reader.position)
    var model = ReadingModel(first: first)
    let unknown = Entry(stamp: first, event: .reading(MeterReading(meter: 0, current: nil, registers: 0)), effects: [])
    var result: [Entry] = []
    for _ in 0..<count {
      result.append(model.code(unknown, &decoder))
      if decoder.isBeyondEnd { throw .endsEarly(at: readings.count) }
    }
    return result[...]
  }

  private func readFirstForm(from first: EventStamp) throws(RecordFault) -> ArraySlice<Entry> {
    guard let readings else { return [] }
    var reader = ByteReader(readings)
    var coding = FirstReadingCoding()
    var result: [Entry] = []
    var stamp = first
    while !reader.isAtEnd {
      stamp = try Self.stamp(after: stamp, &reader)
      result.append(Entry(stamp: stamp, event: try coding.read(from: &reader), effects: []))
    }
    return result[...]
  }

  private static func stamp(after last: EventStamp, _ reader: inout ByteReader) throws(RecordFault) -> EventStamp {
    let step = try reader.unsigned()
    let utc = try reader.integer()
    return EventStamp(
      utc: Instant(milliseconds: last.utc.milliseconds &+ utc),
      monotonic: Monotonic(milliseconds: last.monotonic.milliseconds &+ (try reader.integer())), sequence: last.sequence &+ step)
  }
}
