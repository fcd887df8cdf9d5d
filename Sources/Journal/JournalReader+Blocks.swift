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

  /// The bytes of a kept block, as they stand there now; nil: it is not there.
  public func bytes(of reference: BlockReference) throws(DatabaseError) -> [UInt8]? {
    guard keepsBlocks else { return nil }
    return try database.query("SELECT bytes FROM kept_blocks WHERE digest = ?", [.blob(reference.digest)]) { $0.blob(0) }.first
  }

  /// The inputs that were kept with an entry.
  /// - Throws: `Inputs.Fault`, `DatabaseError`.
  public func inputs(of entry: Batch.Remains) throws -> Inputs {
    try Inputs(entry.references, at: entry.stamp) { (reference) throws(DatabaseError) in try bytes(of: reference) }
  }

  /// The first block whose bytes are not those of its digest.
  func changedBlock() throws(DatabaseError) -> Int? {
    guard keepsBlocks else { return nil }
    var result: Int?
    try database.each("SELECT id, kind, digest, bytes FROM kept_blocks ORDER BY id") { row in
      let kind = BlockKind(rawValue: UInt8(clamping: row.integer(1)))
      if Block(kind, row.blob(3)).digest != row.blob(2) { result = row.integer(0) }
      return result == nil
    }
    return result
  }

  func isKept(_ reference: BlockReference) throws(DatabaseError) -> Bool {
    try !database.query("SELECT 1 FROM kept_blocks WHERE digest = ?", [.blob(reference.digest)]) { _ in true }.isEmpty
  }

  /// The first and the last entry that the journal holds, with their times; nil: it is empty.
  public func span() throws(DatabaseError) -> (first: Instant, last: Instant, entries: UInt64)? {
    try database.query(
      """
      SELECT (SELECT first_at_ms FROM batches ORDER BY first LIMIT 1), last_at_ms, last FROM batches ORDER BY first DESC LIMIT 1
      """
    ) { (Instant(milliseconds: $0.integer(0)), Instant(milliseconds: $0.integer(1)), UInt64($0.integer(2))) }.first
  }
}
