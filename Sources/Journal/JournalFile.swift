import Control
import CSQLite
import Quantities
import Record
import Site

/// The journal's database, for the one thread that writes it.
final class JournalFile {
  private let database: Database
  private(set) var link: [UInt8]
  private(set) var last: UInt64

  /// Opens or makes the journal and brings its tables to the newest form.
  init(path: String, vfs: String?) throws(DatabaseError) {
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
    (link, last) = (Batch.genesis, 0)
    if let end = try database.query(
      "SELECT link, last FROM batches ORDER BY first DESC LIMIT 1", [], { ($0.blob(0), UInt64($0.integer(1))) }
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
    (link, last) = (next, batch.last)
  }

  /// Rolls back if a transaction is open; where even this fails, the connection is given up by the caller and SQLite does it then.
  private func rollBack() { _ = try? database.execute("ROLLBACK") }

  private func insert(_ batch: Batch, link: [UInt8]) throws(DatabaseError) {
    try database.run(
      "INSERT INTO batches VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
      [
        .integer(Int(batch.first)), .integer(Int(batch.last)), .integer(batch.firstAt.milliseconds),
        .integer(batch.lastAt.milliseconds), .blob(batch.kept), .blob(batch.keptDigest), .blob(batch.readingsDigest), .blob(link),
      ])
    if let readings = batch.readings, !readings.isEmpty {
      try database.run("INSERT OR IGNORE INTO blocks VALUES (?, ?)", [.blob(batch.readingsDigest), .blob(readings)])
    }
  }

  private func insert(_ snapshot: Snapshot) throws(DatabaseError) {
    try database.run(
      "INSERT OR REPLACE INTO snapshots VALUES (?, ?, ?, ?, ?, ?)",
      [
        .integer(Int(snapshot.stamp.sequence)), .integer(snapshot.stamp.utc.milliseconds),
        .integer(snapshot.stamp.monotonic.milliseconds), .text(snapshot.version), .blob(snapshot.state), .blob(snapshot.digest),
      ])
  }

  private func project(_ batch: Batch) throws(DatabaseError) {
    let entries: [Batch.Remains]
    do {
      entries = try batch.entries()
    } catch {
      throw DatabaseError(code: SQLITE_CORRUPT, message: "\(error)", action: "read back batch \(batch.first)")
    }
    for remains in entries {
      switch remains {
      case .whole(let entry):
        try Projection.project(entry.event, at: entry.stamp, into: database)
        for effect in entry.effects { try Projection.project(effect, at: entry.stamp, into: database) }
      case .thinned(let stamp, let effects):
        for effect in effects { try Projection.project(effect, at: stamp, into: database) }
      }
    }
  }

  /// Deletes raw readings older than `cutoff` that no transaction needs which ended after `transactionsSince`, and the snapshots before
  /// `cutoff` but the first of each version. The chain stays verifiable.
  /// - Returns: the number of blocks deleted.
  func thin(before cutoff: Instant, transactionsSince: Instant) throws(DatabaseError) -> Int {
    let before = try database.query("SELECT count(*) FROM blocks") { $0.integer(0) }.first ?? 0
    try database.execute("BEGIN IMMEDIATE")
    do {
      try database.run(
        """
        DELETE FROM blocks WHERE digest IN (
          SELECT readings_digest FROM batches b WHERE b.last_at_ms < ?1 AND NOT EXISTS (
            SELECT 1 FROM transactions t WHERE t.opened_sequence <= b.last
              AND (t.closed_sequence IS NULL OR t.closed_sequence >= b.first AND t.ended_at_ms >= ?2)))
        AND digest NOT IN (SELECT readings_digest FROM batches WHERE last_at_ms >= ?1)
        """, [.integer(cutoff.milliseconds), .integer(transactionsSince.milliseconds)])
      try database.run(
        """
        DELETE FROM snapshots WHERE at_ms < ?1
          AND sequence NOT IN (SELECT min(sequence) FROM snapshots GROUP BY version)
          AND sequence <> (SELECT max(sequence) FROM snapshots)
        """, [.integer(cutoff.milliseconds)])
      try database.execute("COMMIT")
    } catch {
      rollBack()
      throw error
    }
    try database.execute("PRAGMA incremental_vacuum(2000)")
    return before - (try database.query("SELECT count(*) FROM blocks") { $0.integer(0) }.first ?? 0)
  }
}
