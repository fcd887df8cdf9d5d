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

  public var description: String {
    switch self {
    case .hub: "hub"
    case .circuits: "circuits"
    case .connectors: "connectors"
    case .surroundings: "surroundings"
    case .outlooks: "outlooks"
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

/// How an entry names a block: it stands in the entry's record, and so in the hash chain.
public struct BlockReference: Hashable, Sendable {
  public let kind: BlockKind
  /// 32 bytes.
  public let digest: [UInt8]
  public init(kind: BlockKind, digest: [UInt8]) {
    precondition(digest.count == 32)
    (self.kind, self.digest) = (kind, digest)
  }
}
