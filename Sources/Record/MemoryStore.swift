import Quantities

/// A store in memory, in virtual time: with delays and failures drawn from a seed, and a crash that loses what was not durable.
public struct MemoryStore: Store, Sendable {
  /// How the imagined disk behaves. Chances are in thousandths.
  public struct Disk: Hashable, Sendable {
    public var shortest: TimeSpan
    public var longest: TimeSpan
    public var failureChance: Int
    public init(shortest: TimeSpan = .milliseconds(2), longest: TimeSpan = .milliseconds(20), failureChance: Int = 0) {
      precondition(shortest >= .zero && longest >= shortest && (0...1000).contains(failureChance))
      (self.shortest, self.longest, self.failureChance) = (shortest, longest, failureChance)
    }
  }
  public var disk: Disk
  /// Set from outside: everything submitted fails with it until it is nil again.
  public var fault: StoreFault?
  /// Keep the batches, for replay; otherwise only the last snapshot and what came after it, as a restart needs.
  public var keepsAll: Bool
  public private(set) var batches: [Batch] = []
  public private(set) var snapshot: Snapshot?
  /// The chain's last link.
  public private(set) var link = Batch.genesis
  public private(set) var bytes = 0
  private var underWay: (batch: Batch, snapshot: Snapshot?, done: Monotonic, fault: StoreFault?)?
  private var seed: UInt64

  public init(seed: UInt64, disk: Disk = Disk(), keepsAll: Bool = false) {
    (self.seed, self.disk, self.keepsAll) = (seed, disk, keepsAll)
  }

  public var nextReport: Monotonic? { underWay?.done }

  public mutating func submit(_ batch: Batch, snapshot: Snapshot?, at now: Monotonic) {
    precondition(underWay == nil, "one batch at a time")
    let delay = disk.shortest.raw + random(disk.longest.raw - disk.shortest.raw + 1)
    let fails = random(1000) < disk.failureChance
    underWay = (batch, snapshot, now + TimeSpan(raw: delay), fault ?? (fails ? .broken("input/output error") : nil))
  }

  public mutating func reports(at now: Monotonic) -> [StoreReport] {
    guard let task = underWay, task.done <= now else { return [] }
    underWay = nil
    if let fault = task.fault { return [.failed(first: task.batch.first, fault)] }
    link = task.batch.link(after: link)
    bytes += task.batch.kept.count + (task.batch.readings?.count ?? 0)
    batches.append(task.batch)
    if let new = task.snapshot {
      snapshot = new
      if !keepsAll { batches.removeAll() }
    }
    return [.durable(through: task.batch.last)]
  }

  /// The process is killed: what was under way is lost.
  public mutating func crash() { underWay = nil }

  private mutating func random(_ bound: Int) -> Int {
    seed = seed &+ 0x9e37_79b9_7f4a_7c15
    var z = seed
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return Int((z ^ (z >> 31)) % UInt64(max(1, bound)))
  }
}

/// The blocks of batches that were kept in memory.
public struct MemoryBlocks: BlockSource, Sendable {
  public var bytes: [BlockReference: [UInt8]] = [:]
  private var mentions: [UInt64: [BlockMention]] = [:]
  public init() {}
  public init(_ batches: [Batch]) throws(RecordFault) { for batch in batches { try add(batch) } }

  public mutating func add(_ batch: Batch) throws(RecordFault) {
    for block in batch.blocks { bytes[block.reference] = block.bytes }
    for entry in try batch.entries() where !entry.mentions.isEmpty { mentions[entry.stamp.sequence] = entry.mentions }
  }
  public func mentions(of entry: UInt64) -> [BlockMention] { mentions[entry] ?? [] }
  public func bytes(of reference: BlockReference) -> [UInt8]? { bytes[reference] }
}
