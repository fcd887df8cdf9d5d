/// What a block is about. A number, once given, is never given to another kind.
public struct BlockKind: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
  public let rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// The hub as configured.
  public static let hub = BlockKind(rawValue: 1)
  /// What was known of all circuits.
  public static let circuits = BlockKind(rawValue: 2)
  /// What was known of up to `InputCoding.connectorsPerBlock` connectors.
  public static let connectors = BlockKind(rawValue: 3)
  /// Stations, limits from outside and alarms: what changes seldom.
  public static let surroundings = BlockKind(rawValue: 4)
  /// What the plan can do for the sessions; nothing is kept while there is none.
  public static let outlooks = BlockKind(rawValue: 5)
  /// What was known of all circuits and all connectors, where those are not more than `InputCoding.connectorsPerBlock`.
  public static let moment = BlockKind(rawValue: 6)

  public var description: String {
    switch self {
    case .hub: "hub"
    case .circuits: "circuits"
    case .connectors: "connectors"
    case .surroundings: "surroundings"
    case .outlooks: "outlooks"
    case .moment: "circuits and connectors"
    default: "kind \(rawValue)"
    }
  }
}

/// Bytes that are kept once, under the digest of their kind and themselves, however many entries name them.
public struct Block: Hashable, Sendable {
  public let kind: BlockKind
  public let bytes: [UInt8]
  public let digest: [UInt8]
  public init(_ kind: BlockKind, _ bytes: [UInt8]) {
    (self.kind, self.bytes) = (kind, bytes)
    var hash = SHA256()
    hash.update([kind.rawValue])
    hash.update(bytes)
    digest = hash.finish()
  }
  public var reference: BlockReference { BlockReference(kind: kind, digest: digest) }
}

/// What a block is found by.
public struct BlockReference: Hashable, Sendable {
  public let kind: BlockKind
  /// 32 bytes.
  public let digest: [UInt8]
  public init(kind: BlockKind, digest: [UInt8]) {
    precondition(digest.count == 32)
    (self.kind, self.digest) = (kind, digest)
  }
}

/// How an entry names a block: it stands in the entry's record, and so in the hash chain.
public enum BlockMention: Hashable, Sendable {
  case named(BlockReference)
  /// The block that this earlier entry names at the same place of its list.
  case again(BlockKind, entry: UInt64)

  public var kind: BlockKind {
    switch self {
    case .named(let reference): reference.kind
    case .again(let kind, _): kind
    }
  }
}

/// Where blocks are found again.
public protocol BlockSource {
  associatedtype Failure: Error
  /// What an entry mentions; nothing where there is no such entry.
  func mentions(of entry: UInt64) throws(Failure) -> [BlockMention]
  /// nil: it is not there.
  func bytes(of reference: BlockReference) throws(Failure) -> [UInt8]?
}

extension BlockSource {
  /// What is mentioned, place by place; nil: the entry that is pointed to names no such block there.
  public func references(_ mentions: [BlockMention]) throws(Failure) -> [BlockReference?] {
    var result: [BlockReference?] = []
    for (place, mention) in mentions.enumerated() {
      switch mention {
      case .named(let reference): result.append(reference)
      case .again(let kind, let entry):
        let there = try self.mentions(of: entry)
        if place < there.count, case .named(let reference) = there[place], reference.kind == kind {
          result.append(reference)
        } else {
          result.append(nil)
        }
      }
    }
    return result
  }
}
