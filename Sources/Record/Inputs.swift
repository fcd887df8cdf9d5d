import Control
import Quantities
import Site

/// What the mind knew when it had just decided: the hub and the view of it, as they are kept in blocks for two years. Id tags and
/// passwords are no inputs of a current, and are left out.
public struct Inputs: Hashable, Sendable {
  public var stamp: EventStamp
  public var hub: Hub
  /// What is known of it, and what each connector has.
  public var view: HubView

  /// Why inputs cannot be had.
  public enum Fault: Error, Hashable, Sendable, CustomStringConvertible {
    /// The entry mentions no blocks.
    case notKept
    case missing(BlockKind)
    /// Its bytes are not those that were recorded.
    case changed(BlockKind)
    /// Written by another version, or for another purpose.
    case unreadable(BlockKind, RecordFault)
    public var description: String {
      switch self {
      case .notKept: "no inputs were kept with it"
      case .missing(let kind): "the block with the \(kind) is not there any more"
      case .changed(let kind): "the block with the \(kind) has other bytes than were recorded"
      case .unreadable(let kind, .otherVersion(let found, let known)):
        "the block with the \(kind) has form \(found); this version reads form \(known)"
      case .unreadable(let kind, let fault): "the block with the \(kind) cannot be read: \(fault)"
      }
    }
  }

  public init(stamp: EventStamp, hub: Hub, view: HubView) { (self.stamp, self.hub, self.view) = (stamp, hub, view) }

  /// The mind's view of the moment.
  public init(of controller: SiteController, at stamp: EventStamp) {
    self.init(stamp: stamp, hub: Self.withoutSecrets(controller.hub), view: controller.view(at: stamp))
    for c in view.connectors.indices { view.connectors[c].idTag = nil }
  }

  /// The hub alone, where another block is missing or cannot be read: it still has the names.
  public static func hub<Source: BlockSource>(_ mentions: [BlockMention], from source: Source) throws(Source.Failure) -> Hub? {
    let references = try source.references(mentions)
    guard let reference = references.compactMap({ $0 }).first(where: { $0.kind == .hub }),
      let bytes = try source.bytes(of: reference),
      Block(.hub, bytes).digest == reference.digest
    else { return nil }
    return try? InputCoding.hub(bytes)
  }

  static func withoutSecrets(_ hub: Hub) -> Hub {
    var hub = hub
    hub.access = .anyone
    for s in hub.stations.indices { hub.stations[s].passwordHash = nil }
    return hub
  }

  /// Puts the inputs of an entry together again.
  /// - Parameter mentions: of the entry with that stamp.
  /// - Throws: `Fault`, `Source.Failure`.
  public init<Source: BlockSource>(_ mentions: [BlockMention], at stamp: EventStamp, from source: Source) throws {
    if mentions.isEmpty { throw Fault.notKept }
    let references = try source.references(mentions)
    var hub: Hub?
    var view = HubView()
    var outlooks: [(transaction: Int, outlook: Outlook)] = []
    for (mention, reference) in zip(mentions, references) {
      guard let reference, let bytes = try source.bytes(of: reference) else { throw Fault.missing(mention.kind) }
      guard Block(reference.kind, bytes).digest == reference.digest else { throw Fault.changed(reference.kind) }
      do throws(RecordFault) {
        switch reference.kind {
        case .hub: hub = try InputCoding.hub(bytes)
        case .moment: (view.circuits, view.connectors) = try InputCoding.moment(bytes, at: stamp)
        case .circuits: view.circuits = try InputCoding.circuits(bytes, at: stamp)
        case .connectors: view.connectors += try InputCoding.connectors(bytes, at: stamp)
        case .surroundings: try InputCoding.surroundings(bytes, into: &view)
        case .outlooks: outlooks = try InputCoding.outlooks(bytes)
        default: continue
        }
      } catch { throw Fault.unreadable(reference.kind, error) }
    }
    for (transaction, outlook) in outlooks {
      for c in view.connectors.indices where view.connectors[c].transaction == transaction { view.connectors[c].outlook = outlook }
    }
    guard let hub else { throw Fault.missing(.hub) }
    guard view.circuits.count == hub.circuits.count else { throw Fault.missing(.circuits) }
    guard view.connectors.count == hub.connectors.count else { throw Fault.missing(.connectors) }
    guard view.stations.count == hub.stations.count else { throw Fault.missing(.surroundings) }
    self.init(stamp: stamp, hub: hub, view: view)
  }
}

/// Takes the inputs of decisions as blocks. What has not changed since the last time is neither written nor hashed again, and what the mind
/// says has not been touched is not even looked at: most events concern one station of thousands.
struct InputKeeper: Sendable {
  private struct Kept<Value: Equatable & Sendable>: Sendable {
    var value: Value
    var block: Block
  }
  private struct Group: Sendable {
    /// The largest revision among its connectors.
    var revision: UInt64
    var kept: Kept<[UInt8]>?
  }
  private struct Surroundings: Equatable, Sendable {
    /// The largest revision among its stations.
    var revision: UInt64
    var storeFailed: Bool
    var limits: [Limit]
    var alarms: [Alarm]
  }
  private var hub: Kept<Hub>?
  private var circuits: Kept<[UInt8]>?
  private var connectors: [Group] = []
  private var stations: [(revision: UInt64, bytes: [UInt8])] = []
  private var surroundings: [Kept<Surroundings>?] = []
  /// By the plan that they come from.
  private var outlooks: Kept<UInt64>?
  /// What was named last at each place of the list, and by which entry.
  private var named: [(reference: BlockReference, entry: UInt64)] = []

  /// A profile for a transaction leaves with these effects.
  static func areNeeded(_ effects: [Effect]) -> Bool {
    effects.contains { effect in
      if case .decided(let decision) = effect { return decision.command != nil && decision.transaction != nil }
      return false
    }
  }

  /// - Parameter controller: as it was when it had just handled the event of that stamp.
  /// - Returns: the blocks with the mind's view at `stamp`, some of them the same as before, and how its entry mentions them.
  /// - Throws: what a value's own coding throws; the synthesized ones throw nothing.
  mutating func take(_ controller: SiteController, at stamp: EventStamp) throws -> (blocks: [Block], mentions: [BlockMention]) {
    var blocks = [try hubBlock(controller.hub)]
    if controller.connectorRevisions.count <= InputCoding.connectorsPerBlock {
      blocks.append(Block(.moment, try momentBytes(controller, at: stamp)))
    } else {
      blocks.append(Self.block(.circuits, try InputCoding.bytes(controller.circuitViews(at: stamp), at: stamp), &circuits))
      blocks += try connectorBlocks(controller, at: stamp)
    }
    blocks += try surroundingsBlocks(controller, at: stamp)
    if let outlooks = try outlooksBlock(controller, at: stamp) { blocks.append(outlooks) }
    return (blocks, blocks.enumerated().map { place, block in mention(block.reference, at: place, of: stamp.sequence) })
  }

  /// So many entries later a block is named by its digest again: a batch that is damaged takes no more with it.
  static let namesAnewAfter: UInt64 = 1000

  private mutating func mention(_ reference: BlockReference, at place: Int, of entry: UInt64) -> BlockMention {
    if named.indices.contains(place) {
      if named[place].reference == reference, entry - named[place].entry < Self.namesAnewAfter {
        return .again(reference.kind, entry: named[place].entry)
      }
      named[place] = (reference, entry)
    } else {
      named.append((reference, entry))
    }
    return .named(reference)
  }

  private func momentBytes(_ controller: SiteController, at stamp: EventStamp) throws -> [UInt8] {
    let connectors = controller.connectorRevisions.indices.map { controller.connectorView($0, at: stamp) }
    return try InputCoding.moment(circuits: controller.circuitViews(at: stamp), connectors: connectors[...], at: stamp)
  }

  private mutating func outlooksBlock(_ controller: SiteController, at stamp: EventStamp) throws -> Block? {
    guard let plan = controller.outlookPlan(at: stamp) else { return nil }
    if let outlooks, outlooks.value == plan { return outlooks.block }
    let block = Block(.outlooks, try InputCoding.bytes(controller.outlooks(at: stamp)))
    outlooks = Kept(value: plan, block: block)
    return block
  }

  private mutating func hubBlock(_ present: Hub) throws -> Block {
    if let hub, hub.value == present { return hub.block }
    let block = Block(.hub, try InputCoding.bytes(Inputs.withoutSecrets(present)))
    hub = Kept(value: present, block: block)
    return block
  }

  private mutating func connectorBlocks(_ controller: SiteController, at stamp: EventStamp) throws -> [Block] {
    let revisions = controller.connectorRevisions
    let starts = Array(stride(from: 0, to: revisions.count, by: InputCoding.connectorsPerBlock))
    if connectors.count != starts.count { connectors = starts.map { _ in Group(revision: 0, kept: nil) } }
    return try starts.enumerated().map { place, start in
      let range = start..<min(start + InputCoding.connectorsPerBlock, revisions.count)
      let newest = revisions[range].max() ?? 0
      if newest == connectors[place].revision, let kept = connectors[place].kept { return kept.block }
      let views = range.map { controller.connectorView($0, at: stamp) }
      connectors[place].revision = newest
      return Self.block(.connectors, try InputCoding.bytes(views[...], at: stamp), &connectors[place].kept)
    }
  }

  private mutating func surroundingsBlocks(_ controller: SiteController, at stamp: EventStamp) throws -> [Block] {
    let revisions = controller.stationRevisions
    if stations.count != revisions.count { (stations, surroundings) = (revisions.map { _ in (0, []) }, []) }
    var ranges = [revisions.indices]
    if revisions.count > InputCoding.stationsPerBlock {
      let starts = stride(from: 0, to: revisions.count, by: InputCoding.stationsPerBlock)
      ranges = starts.map { $0..<min($0 + InputCoding.stationsPerBlock, revisions.count) } + [revisions.count..<revisions.count]
    }
    if surroundings.count != ranges.count { surroundings = ranges.map { _ in nil } }
    let (limits, alarms) = (controller.limits(at: stamp), controller.raisedAlarms)
    return try ranges.enumerated().map { place, range in
      let isLast = place == ranges.count - 1
      let present = Surroundings(
        revision: revisions[range].max() ?? 0, storeFailed: controller.storeHasFailed, limits: isLast ? limits : [],
        alarms: isLast ? alarms : [])
      return try surroundingsBlock(present, range, place, controller)
    }
  }

  private mutating func surroundingsBlock(
    _ present: Surroundings, _ range: Range<Int>, _ place: Int, _ controller: SiteController
  ) throws -> Block {
    if let kept = surroundings[place], kept.value == present { return kept.block }
    let revisions = controller.stationRevisions
    var all: [UInt8] = []
    for s in range {
      if stations[s].revision != revisions[s] { stations[s] = (revisions[s], try InputCoding.bytes(controller.stationView(s))) }
      all += stations[s].bytes
    }
    let bytes = try InputCoding.surroundings(
      storeFailed: present.storeFailed, count: range.count, stations: all, limits: present.limits, alarms: present.alarms)
    let block = surroundings[place].flatMap { $0.block.bytes == bytes ? $0.block : nil } ?? Block(.surroundings, bytes)
    surroundings[place] = Kept(value: present, block: block)
    return block
  }

  private static func block(_ kind: BlockKind, _ bytes: [UInt8], _ kept: inout Kept<[UInt8]>?) -> Block {
    if let kept, kept.value == bytes { return kept.block }
    let block = Block(kind, bytes)
    kept = Kept(value: bytes, block: block)
    return block
  }
}
