import Control
import CSQLite
import Quantities
import Record
import Site

/// The journal's database, for the one thread that writes it.
final class JournalFile {
  let database: Database
  /// By how many entries the newest use of a block may be later than the one that is noted: a block that is named all the time is not
  /// written all the time.
  let useStep: Int
  private(set) var link: [UInt8]
  private(set) var last: UInt64
  /// The use that is noted of blocks that were kept lately.
  private var blockUses: [BlockReference: Int] = [:]
  /// The thinning that the chain tells of so far.
  private var chained: Retention

  /// Opens or makes the journal and brings its tables to the newest form.
  init(path: String, vfs: String?, useStep: Int = 100_000) throws(DatabaseError) {
    self.useStep = useStep
    database = try Database(path: path, vfs: vfs)
    try database.execute("PRAGMA auto_vacuum = INCREMENTAL")
    try database.execute("PRAGMA journal_mode = WAL")
    try database.execute("PRAGMA synchronous = FULL")
    try database.execute("PRAGMA foreign_keys = ON")
    let version = try database.query("PRAGMA user_version") { $0.integer(0) }.first ?? 0
    guard version <= Schema.migrations.count else {
      throw DatabaseError(code: SQLITE_SCHEMA, message: "written by a newer version (tables \(version))", action: "open \(path)")
    }
    for step in version..<Schema.migrations.count {
      try database.execute("BEGIN IMMEDIATE; \(Schema.migrations[step]) PRAGMA user_version = \(step + 1); COMMIT")
    }
    chained = try Retention(chainedIn: database)
    (link, last) = (Batch.genesis, 0)
    if let end = try database.query(
      "SELECT link, last FROM batches ORDER BY first DESC LIMIT 1", [], { ($0.blob(0), $0.unsigned(1)) }
    ).first {
      (link, last) = end
    }
  }

  /// Makes the batch durable, with all that is derived from it, in one transaction.
  func write(_ batch: Batch, snapshot: Snapshot?) throws(DatabaseError) {
    if last >= batch.last {
      // The commit that was reported as failed did reach the file: make sure that it stays, by writing it to its final place.
      try database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
      return
    }
    precondition(batch.first == last + 1, "a batch out of order")
    var batch = batch
    let retention = try Retention(in: database)
    if retention != chained { batch.marks = retention.marks }
    let next = batch.link(after: link)
    try database.execute("BEGIN IMMEDIATE")
    do {
      try insert(batch, link: next)
      try project(batch)
      if let snapshot { try insert(snapshot) }
      try database.execute("COMMIT")
    } catch {
      rollBack()
      throw error
    }
    (link, last, chained) = (next, batch.last, retention)
  }

  /// Rolls back if a transaction is open; where even this fails, the connection is given up by the caller and SQLite does it then.
  func rollBack() {
    forgetBlocks()
    _ = try? database.execute("ROLLBACK")
  }

  private func insert(_ batch: Batch, link: [UInt8]) throws(DatabaseError) {
    let kept = Packed(packing: batch.kept)
    try database.run(
      "INSERT INTO batches VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
      [
        .integer(Int(batch.first)), .integer(Int(batch.last)), .integer(batch.firstAt.milliseconds),
        .integer(batch.lastAt.milliseconds), .blob(kept.bytes), .blob(batch.readingsDigest), .blob(link),
        batch.marks.isEmpty ? .null : .blob(batch.marks), Cell(kept.size),
      ])
    for block in batch.blocks { try keep(block, usedBy: Int(batch.last)) }
    if let readings = batch.readings, !readings.isEmpty {
      try database.run("INSERT INTO raw_readings VALUES (?, ?)", [.integer(Int(batch.first)), .blob(readings)])
    }
  }

  private func keep(_ block: Block, usedBy sequence: Int) throws(DatabaseError) {
    if let noted = blockUses[block.reference], sequence - noted <= useStep { return }
    let (kind, key) = (Cell.integer(Int(block.kind.rawValue)), Cell.blob(block.reference.key))
    let kept = try database.query("SELECT id, used_sequence, bytes, size FROM kept_blocks WHERE key = ? AND kind = ?", [key, kind])
    {
      (id: $0.integer(0), usedBy: $0.integer(1), bytes: $0.packed(2, size: 3).unpacked)
    }.first { $0.bytes == block.bytes }
    var noted = sequence
    if let kept, sequence - kept.usedBy <= useStep {
      noted = kept.usedBy
    } else if let kept {
      try database.run("UPDATE kept_blocks SET used_sequence = ? WHERE id = ?", [.integer(sequence), .integer(kept.id)])
    } else {
      let packed = Packed(packing: block.bytes)
      try database.run(
        "INSERT INTO kept_blocks (kind, used_sequence, key, bytes, size) VALUES (?, ?, ?, ?, ?)",
        [kind, .integer(sequence), key, .blob(packed.bytes), Cell(packed.size)])
    }
    if blockUses.count >= 256 { blockUses = [:] }
    blockUses[block.reference] = noted
  }
  /// Nothing is taken for kept any more that was not looked up.
  func forgetBlocks() { blockUses = [:] }

  private func insert(_ snapshot: Snapshot) throws(DatabaseError) {
    let state = Packed(packing: snapshot.state)
    try database.run(
      "INSERT OR REPLACE INTO snapshots VALUES (?, ?, ?, ?, ?, ?, ?)",
      [
        .integer(Int(snapshot.stamp.sequence)), .integer(snapshot.stamp.utc.milliseconds),
        .integer(snapshot.stamp.monotonic.milliseconds), .text(snapshot.version), .blob(state.bytes), .blob(snapshot.digest),
        Cell(state.size),
      ])
  }

  private func project(_ batch: Batch) throws(DatabaseError) {
    guard try Projection.project(batch, into: database) else {
      throw DatabaseError(
        code: SQLITE_CORRUPT, message: "its entries cannot be read back", action: "read back batch \(batch.first)")
    }
  }
}
