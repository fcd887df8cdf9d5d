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
    /// The entry names no blocks.
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
  public static func hub<Failure: Error>(
    _ references: [BlockReference], fetch: (BlockReference) throws(Failure) -> [UInt8]?
  ) throws(Failure) -> Hub? {
    guard let reference = references.first(where: { $0.kind == .hub }), let bytes = try fetch(reference),
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
  /// - Parameter fetch: the bytes of a block; nil: it is not there.
  public init<Failure: Error>(
    _ references: [BlockReference], at stamp: EventStamp, fetch: (BlockReference) throws(Failure) -> [UInt8]?
  ) throws {
    if references.isEmpty { throw Fault.notKept }
    var hub: Hub?
    var view = HubView()
    for reference in references {
      guard let bytes = try fetch(reference) else { throw Fault.missing(reference.kind) }
      guard Block(reference.kind, bytes).digest == reference.digest else { throw Fault.changed(reference.kind) }
      do throws(RecordFault) {
        switch reference.kind {
        case .hub: hub = try InputCoding.hub(bytes)
        case .circuits: view.circuits = try InputCoding.circuits(bytes, at: stamp)
        case .connectors: view.connectors += try InputCoding.connectors(bytes, at: stamp)
        case .surroundings: try InputCoding.surroundings(bytes, into: &view)
        default: continue
        }
      } catch { throw Fault.unreadable(reference.kind, error) }
    }
    guard let hub else { throw Fault.missing(.hub) }
    guard view.circuits.count == hub.circuits.count else { throw Fault.missing(.circuits) }
    guard view.connectors.count == hub.connectors.count else { throw Fault.missing(.connectors) }
    guard view.stations.count == hub.stations.count else { throw Fault.missing(.surroundings) }
    self.init(stamp: stamp, hub: hub, view: view)
  }
}

/// Takes the inputs of decisions as blocks. What has not changed since the last time is neither written nor hashed again.
struct InputKeeper: Sendable {
  private struct Kept<Value: Equatable & Sendable>: Sendable {
    var value: Value
    var block: Block
  }
  private var hub: Kept<Hub>?
  private var circuits: Kept<[UInt8]>?
  private var connectors: [Kept<[UInt8]>] = []
  private var surroundings: Kept<[UInt8]>?

  /// A profile for a transaction leaves with these effects.
  static func areNeeded(_ effects: [Effect]) -> Bool {
    effects.contains { effect in
      if case .decided(let decision) = effect { return decision.command != nil && decision.transaction != nil }
      return false
    }
  }

  /// - Returns: the blocks with the mind's view at `stamp`, some of them the same as before.
  /// - Throws: what a value's own coding throws; the synthesized ones throw nothing.
  mutating func take(_ controller: SiteController, at stamp: EventStamp) throws -> [Block] {
    let view = controller.view(at: stamp)
    var blocks: [Block] = []
    if let hub, hub.value == controller.hub {
      blocks.append(hub.block)
    } else {
      let block = Block(.hub, try InputCoding.bytes(Inputs.withoutSecrets(controller.hub)))
      hub = Kept(value: controller.hub, block: block)
      blocks.append(block)
    }
    blocks.append(Self.block(.circuits, try InputCoding.bytes(view.circuits, at: stamp), &circuits))
    var place = 0
    for start in stride(from: 0, to: view.connectors.count, by: InputCoding.connectorsPerBlock) {
      let end = min(start + InputCoding.connectorsPerBlock, view.connectors.count)
      var kept = connectors.indices.contains(place) ? connectors[place] : nil
      blocks.append(Self.block(.connectors, try InputCoding.bytes(view.connectors[start..<end], at: stamp), &kept))
      if let kept { if connectors.indices.contains(place) { connectors[place] = kept } else { connectors.append(kept) } }
      place += 1
    }
    blocks.append(Self.block(.surroundings, try InputCoding.surroundings(of: view), &surroundings))
    return blocks
  }

  private static func block(_ kind: BlockKind, _ bytes: [UInt8], _ kept: inout Kept<[UInt8]>?) -> Block {
    if let kept, kept.value == bytes { return kept.block }
    let block = Block(kind, bytes)
    kept = Kept(value: bytes, block: block)
    return block
  }
}
