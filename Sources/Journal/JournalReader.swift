import CSQLite
import Control
import Quantities
import Record
import Site

/// Reads a journal, also while it is being written.
public final class JournalReader {
  let database: Database
  /// The form of its tables; a journal is brought to the newest form only by the controller that writes it.
  let tables: Int
  var keepsBlocks: Bool { tables >= 2 }
  var keptSize: String { tables >= 5 ? "kept_size" : "NULL" }
  /// What entries that were asked for lately mention.
  var mentioned: [UInt64: [BlockMention]] = [:]
  /// The table of raw readings, joined to `batches b` as `k`.
  var readingsOfBatch: String { tables >= 3 ? "raw_readings k ON k.first = b.first" : "blocks k ON k.digest = b.readings_digest" }

  /// - Parameter path: of the database file.
  public init(path: String) throws(DatabaseError) {
    database = try Database(path: path, readOnly: true)
    tables = try database.query("PRAGMA user_version") { $0.integer(0) }.first ?? 0
    guard tables <= Schema.migrations.count else {
      throw DatabaseError(code: SQLITE_SCHEMA, message: "written by a newer version (tables \(tables))", action: "read \(path)")
    }
  }

  /// Everything that `work` reads is of one moment, whatever is written meanwhile.
  public func atOneMoment<Value>(_ work: () throws -> Value) throws -> Value {
    try database.execute("BEGIN")
    defer { _ = try? database.execute("ROLLBACK") }
    return try work()
  }

  /// A transaction as the journal has it.
  public struct TransactionRecord: Hashable, Sendable {
    public var id: Int
    public var station: Int
    public var connector: Int
    public var idTag: String
    public var startedAt: Instant
    public var meterStart: Energy
    public var openedSequence: UInt64
    /// It was reported after the fact.
    public var late: Bool
    /// nil: it runs.
    public var endedAt: Instant?
    public var meterStop: Energy?
    public var reason: String?
    public var closedSequence: UInt64?
  }

  /// - Parameter id: nil: all, newest first, at most `limit`.
  public func transactions(id: Int? = nil, limit: Int = 1000) throws(DatabaseError) -> [TransactionRecord] {
    try Self.transactions(of: database, id: id, limit: limit)
  }
  static func allTransactions(of database: Database) throws(DatabaseError) -> [TransactionRecord] {
    try transactions(of: database, id: nil, limit: -1)
  }
  private static func transactions(of database: Database, id: Int?, limit: Int) throws(DatabaseError) -> [TransactionRecord] {
    try database.query(
      """
      SELECT id, station, connector, id_tag, started_at_ms, meter_start_mwh, opened_sequence, late, ended_at_ms, meter_stop_mwh,
        reason, closed_sequence FROM transactions WHERE ?1 IS NULL OR id = ?1 ORDER BY opened_sequence DESC, id LIMIT ?2
      """, [Cell(id), .integer(limit)]
    ) { row in
      TransactionRecord(
        id: row.integer(0), station: row.integer(1), connector: row.integer(2), idTag: row.text(3),
        startedAt: Instant(milliseconds: row.integer(4)), meterStart: Energy(milliwattHours: row.integer(5)),
        openedSequence: row.unsigned(6), late: row.integer(7) == 1,
        endedAt: row.optionalInteger(8).map { Instant(milliseconds: $0) },
        meterStop: row.optionalInteger(9).map { Energy(milliwattHours: $0) }, reason: row.optionalText(10),
        closedSequence: row.optionalInteger(11).map { UInt64(clamping: $0) })
    }
  }

  /// Walks the batches that hold sequences of `range`, in order, until `visit` says false.
  public func batches(_ range: ClosedRange<UInt64>, _ visit: (Batch) -> Bool) throws(DatabaseError) {
    try links(range) { batch, _, _ in visit(batch) }
  }

  /// The newest snapshot at or before `sequence`, whose digest is right.
  public func snapshot(upTo sequence: UInt64 = UInt64(Int.max), version: String? = nil) throws(DatabaseError) -> Snapshot? {
    var result: Snapshot?
    try database.each(
      "SELECT \(snapshotColumns) FROM snapshots WHERE (?1 IS NULL OR version = ?1) AND sequence <= ?2 ORDER BY sequence DESC",
      [Cell(version), .integer(Int(clamping: sequence))]
    ) { row in
      result = Self.snapshot(row)
      return result == nil
    }
    return result
  }

  private var snapshotColumns: String {
    "sequence, at_ms, monotonic_ms, version, state, digest, \(tables >= 5 ? "state_size" : "NULL")"
  }
  /// nil: its bytes are not those that were recorded.
  private static func snapshot(_ row: Database.Row) -> Snapshot? {
    let stamp = EventStamp(
      utc: Instant(milliseconds: row.integer(1)), monotonic: Monotonic(milliseconds: row.integer(2)),
      sequence: row.unsigned(0))
    let snapshot = Snapshot(stamp: stamp, version: row.text(3), state: row.packed(4, size: 6).unpacked)
    return snapshot.digest == row.blob(5) ? snapshot : nil
  }

  func snapshots(version: String?) throws(DatabaseError) -> [Snapshot] {
    try database.query(
      "SELECT \(snapshotColumns) FROM snapshots WHERE ?1 IS NULL OR version = ?1 ORDER BY sequence", [Cell(version)],
      Self.snapshot
    ).compactMap { $0 }
  }

  func countOfSnapshots() throws(DatabaseError) -> Int {
    try database.query("SELECT count(*) FROM snapshots") { $0.integer(0) }.first ?? 0
  }

  /// - Parameter visit: a batch, whether it is as its link says, and the link.
  func links(_ range: ClosedRange<UInt64>, _ visit: (Batch, Bool, [UInt8]) -> Bool) throws(DatabaseError) {
    let empty = SHA256.digest([])
    try database.each(
      """
      SELECT b.first, b.last, b.first_at_ms, b.last_at_ms, b.kept, b.readings_digest, b.link, k.bytes,
        \(tables >= 4 ? "b.marks" : "NULL"), \(keptSize), (SELECT link FROM batches p WHERE p.first < b.first ORDER BY p.first DESC LIMIT 1)
      FROM batches b LEFT JOIN \(readingsOfBatch)
      WHERE b.first >= coalesce((SELECT max(first) FROM batches WHERE first <= ?1), 0) AND b.last >= ?1 AND b.first <= ?2
      ORDER BY b.first
      """, [.integer(Int(clamping: range.lowerBound)), .integer(Int(clamping: range.upperBound))]
    ) { row in
      let (kept, digest, link) = (row.packed(4, size: 9).unpacked, row.blob(5), row.blob(6))
      // Whatever stands there now is read: what is wrong with it, its link says.
      var batch = Batch(
        first: row.unsigned(0), last: row.unsigned(1),
        firstAt: Instant(milliseconds: row.integer(2)),
        lastAt: Instant(milliseconds: row.integer(3)), kept: kept, readings: digest == empty ? [] : row.optionalBlob(7),
        keptDigest: SHA256.digest(kept), readingsDigest: digest)
      batch.marks = row.blob(8)
      let isWhole = batch.readingsAreWhole && batch.link(after: row.optionalBlob(10) ?? Batch.genesis) == link
      return visit(batch, isWhole, link)
    }
  }

  /// The mind as the journal has it; nil: the journal is empty.
  /// - Throws: `Verification.Breach` where what it is to be made of has other bytes than were recorded, `RecordFault`, `DatabaseError`.
  public func restore() throws -> Restored? {
    let snapshot = try snapshot()
    var batches: [Batch] = []
    var broken: UInt64?
    try links(((snapshot?.stamp.sequence ?? 0) + 1)...UInt64(Int.max)) { batch, isWhole, _ in
      batches.append(batch)
      if !isWhole { broken = batch.first }
      return isWhole
    }
    // Nobody's fuse hangs on what somebody else wrote: without a controller the stations fall back.
    if let broken { throw Verification.Breach.link(first: broken) }
    if snapshot == nil && batches.isEmpty { return nil }
    return try Restored(snapshot: snapshot, batches: batches)
  }
}
