import Control
import Quantities
import Record

extension JournalReader {
  public func retention() throws(DatabaseError) -> Retention {
    keepsBlocks ? try Retention(in: database) : Retention(inputsSince: UInt64(Int.max))
  }

  /// The thinning that the chain itself tells of.
  func chainedRetention() throws(DatabaseError) -> Retention {
    tables >= 4 ? try Retention(chainedIn: database) : Retention()
  }

  /// Whether the chain goes through a link.
  public func passes(_ link: [UInt8]) throws(DatabaseError) -> Bool {
    try !database.query("SELECT 1 FROM batches WHERE link = ?", [.blob(link)]) { _ in true }.isEmpty
  }

  /// The inputs that were kept with an entry.
  /// - Throws: `Inputs.Fault`, `DatabaseError`.
  public func inputs(of entry: Batch.Remains) throws -> Inputs { try Inputs(entry.mentions, at: entry.stamp, from: self) }

  /// The first block whose bytes are not those of its digest.
  func changedBlock() throws(DatabaseError) -> Int? {
    guard keepsBlocks else { return nil }
    var result: Int?
    try database.each("SELECT id, kind, \(keyOfBlock), bytes, \(sizeOfBlock) FROM kept_blocks ORDER BY id") { row in
      let kind = BlockKind(rawValue: UInt8(clamping: row.integer(1)))
      if Block(kind, row.packed(3, size: 4).unpacked).reference.key != row.blob(2) { result = row.integer(0) }
      return result == nil
    }
    return result
  }
  private var keyOfBlock: String { tables >= 5 ? "key" : "substr(digest, 1, 8)" }
  fileprivate var sizeOfBlock: String { tables >= 5 ? "size" : "NULL" }

  /// The first and the last entry that the journal holds, with their times; nil: it is empty.
  public func span() throws(DatabaseError) -> (first: Instant, last: Instant, entries: UInt64)? {
    try database.query(
      """
      SELECT (SELECT first_at_ms FROM batches ORDER BY first LIMIT 1), last_at_ms, last FROM batches ORDER BY first DESC LIMIT 1
      """
    ) { (Instant(milliseconds: $0.integer(0)), Instant(milliseconds: $0.integer(1)), $0.unsigned(2)) }.first
  }
}

extension BlockReference {
  /// What the table of blocks is searched by: blocks that have it in common are told apart by their bytes.
  var key: [UInt8] { Array(digest.prefix(8)) }
}

extension JournalReader: BlockSource {
  /// The bytes of a kept block, as they stand there now: whoever asks compares.
  public func bytes(of reference: BlockReference) throws(DatabaseError) -> [UInt8]? { try row(of: reference)?.bytes }

  /// The row of a kept block. Where none has the digest, one that is found by its key: it has other bytes than were recorded.
  func row(of reference: BlockReference) throws(DatabaseError) -> (id: Int, bytes: [UInt8])? {
    guard keepsBlocks else { return nil }
    let (condition, key) = tables >= 5 ? ("key = ?", reference.key) : ("digest = ?", reference.digest)
    let found = try database.query("SELECT id, bytes, \(sizeOfBlock) FROM kept_blocks WHERE \(condition)", [.blob(key)]) {
      (id: $0.integer(0), bytes: $0.packed(1, size: 2).unpacked)
    }
    return found.first { Block(reference.kind, $0.bytes).reference == reference } ?? found.first
  }

  /// What is not as it was recorded mentions nothing.
  public func mentions(of entry: UInt64) throws(DatabaseError) -> [BlockMention] {
    if let known = mentioned[entry] { return known }
    var found: [BlockMention]?
    try links(entry...entry) { batch, isWhole, _ in
      if isWhole { found = (try? batch.entries())?.first { $0.stamp.sequence == entry }?.mentions }
      return false
    }
    guard let found else { return [] }
    if mentioned.count > 64 { mentioned = [:] }
    mentioned[entry] = found
    return found
  }
}
