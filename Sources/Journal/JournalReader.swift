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
  /// A step in the life of a command about profiles.
  public struct ProfileStep: Hashable, Sendable {
    public var command: CommandID
    public var sequence: UInt64
    public var at: Instant
    /// -1: cancelled inside, before it had a station.
    public var station: Int
    public var connector: Int?
    public var transaction: Int?
    public var what: String
  }
  /// What a connector was offered, and why.
  public struct DecisionRecord: Hashable, Sendable {
    public var sequence: UInt64
    public var connector: Int
    public var at: Instant
    public var transaction: Int?
    public var offer: Current
    public var command: CommandID?
    public var reason: String
  }

  /// - Parameter id: nil: all, newest first, at most `limit`.
  public func transactions(id: Int? = nil, limit: Int = 1000) throws(DatabaseError) -> [TransactionRecord] {
    try database.query(
      """
      SELECT id, station, connector, id_tag, started_at_ms, meter_start_mwh, opened_sequence, late, ended_at_ms, meter_stop_mwh,
        reason, closed_sequence FROM transactions WHERE ?1 IS NULL OR id = ?1 ORDER BY opened_sequence DESC LIMIT ?2
      """, [Cell(id), .integer(limit)]
    ) { row in
      TransactionRecord(
        id: row.integer(0), station: row.integer(1), connector: row.integer(2), idTag: row.text(3),
        startedAt: Instant(milliseconds: row.integer(4)), meterStart: Energy(milliwattHours: row.integer(5)),
        openedSequence: UInt64(row.integer(6)), late: row.integer(7) == 1,
        endedAt: row.optionalInteger(8).map { Instant(milliseconds: $0) },
        meterStop: row.optionalInteger(9).map { Energy(milliwattHours: $0) }, reason: row.optionalText(10),
        closedSequence: row.optionalInteger(11).map { UInt64($0) })
    }
  }

  /// Every decision about a transaction, oldest first.
  public func decisions(transaction: Int) throws(DatabaseError) -> [DecisionRecord] {
    try database.query(
      """
      SELECT sequence, connector, at_ms, transaction_id, offer_ma, command, reason FROM decisions WHERE transaction_id = ?
      ORDER BY sequence
      """, [.integer(transaction)]
    ) { row in
      DecisionRecord(
        sequence: UInt64(row.integer(0)), connector: row.integer(1), at: Instant(milliseconds: row.integer(2)),
        transaction: row.optionalInteger(3), offer: Current(milliamperes: row.integer(4)),
        command: row.optionalInteger(5).map { CommandID(UInt64(UInt(bitPattern: $0))) }, reason: row.text(6))
    }
  }

  /// What became of a command about profiles, oldest first.
  public func steps(of command: CommandID) throws(DatabaseError) -> [ProfileStep] {
    try database.query(
      """
      SELECT command, sequence, at_ms, station, connector, transaction_id, what FROM profile_commands WHERE command = ?
      ORDER BY sequence
      """, [.integer(Int(bitPattern: UInt(command.value)))], Self.step)
  }

  /// Every step of every command about profiles of a transaction, oldest first.
  public func profileSteps(transaction: Int) throws(DatabaseError) -> [ProfileStep] {
    try database.query(
      """
      SELECT command, sequence, at_ms, station, connector, transaction_id, what FROM profile_commands
      WHERE command IN (SELECT command FROM decisions WHERE transaction_id = ? AND command IS NOT NULL) ORDER BY sequence
      """, [.integer(transaction)], Self.step)
  }

  /// Everything that was recorded while a transaction ran, or up to now: its inputs, in order. A part that cannot be read is left out.
  public func entries(of transaction: TransactionRecord, _ visit: (Batch.Remains) -> Bool) throws(DatabaseError) {
    let last = transaction.closedSequence ?? UInt64(Int.max)
    let range = transaction.openedSequence...max(last, transaction.openedSequence)
    try batches(range) { batch in
      guard let entries = try? batch.entries() else { return true }
      for remains in entries {
        if range.contains(remains.stamp.sequence), !visit(remains) { return false }
      }
      return true
    }
  }

  private static func step(_ row: Database.Row) -> ProfileStep {
    ProfileStep(
      command: CommandID(UInt64(UInt(bitPattern: row.integer(0)))), sequence: UInt64(row.integer(1)),
      at: Instant(milliseconds: row.integer(2)), station: row.integer(3), connector: row.optionalInteger(4),
      transaction: row.optionalInteger(5), what: row.text(6))
  }

  /// Walks the batches that hold sequences of `range`, in order, until `visit` says false.
  public func batches(_ range: ClosedRange<UInt64>, _ visit: (Batch) -> Bool) throws(DatabaseError) {
    try links(range) { batch, _ in visit(batch) }
  }

  /// The newest snapshot at or before `sequence`, whose digest is right.
  public func snapshot(upTo sequence: UInt64 = UInt64(Int.max), version: String? = nil) throws(DatabaseError) -> Snapshot? {
    var result: Snapshot?
    try database.each(
      "SELECT \(Self.snapshotColumns) FROM snapshots WHERE (?1 IS NULL OR version = ?1) AND sequence <= ?2 ORDER BY sequence DESC",
      [Cell(version), .integer(Int(clamping: sequence))]
    ) { row in
      result = Self.snapshot(row)
      return result == nil
    }
    return result
  }

  private static let snapshotColumns = "sequence, at_ms, monotonic_ms, version, state, digest"
  /// nil: its bytes are not those that were recorded.
  private static func snapshot(_ row: Database.Row) -> Snapshot? {
    let stamp = EventStamp(
      utc: Instant(milliseconds: row.integer(1)), monotonic: Monotonic(milliseconds: row.integer(2)),
      sequence: UInt64(row.integer(0)))
    let snapshot = Snapshot(stamp: stamp, version: row.text(3), state: row.blob(4))
    return snapshot.digest == row.blob(5) ? snapshot : nil
  }

  func snapshots(version: String?) throws(DatabaseError) -> [Snapshot] {
    try database.query(
      "SELECT \(Self.snapshotColumns) FROM snapshots WHERE ?1 IS NULL OR version = ?1 ORDER BY sequence", [Cell(version)],
      Self.snapshot
    ).compactMap { $0 }
  }

  func countOfSnapshots() throws(DatabaseError) -> Int {
    try database.query("SELECT count(*) FROM snapshots") { $0.integer(0) }.first ?? 0
  }

  func links(_ range: ClosedRange<UInt64>, _ visit: (Batch, [UInt8]) -> Bool) throws(DatabaseError) {
    let empty = SHA256.digest([])
    try database.each(
      """
      SELECT b.first, b.last, b.first_at_ms, b.last_at_ms, b.kept, b.kept_digest, b.readings_digest, b.link, k.bytes
      FROM batches b LEFT JOIN \(readingsOfBatch)
      WHERE b.first >= coalesce((SELECT max(first) FROM batches WHERE first <= ?1), 0) AND b.last >= ?1 AND b.first <= ?2
      ORDER BY b.first
      """, [.integer(Int(clamping: range.lowerBound)), .integer(Int(clamping: range.upperBound))]
    ) { row in
      let digest = row.blob(6)
      let batch = Batch(
        first: UInt64(row.integer(0)), last: UInt64(row.integer(1)), firstAt: Instant(milliseconds: row.integer(2)),
        lastAt: Instant(milliseconds: row.integer(3)), kept: row.blob(4), readings: digest == empty ? [] : row.optionalBlob(8),
        keptDigest: row.blob(5), readingsDigest: digest)
      return visit(batch, row.blob(7))
    }
  }

  /// The mind as the journal has it; nil: the journal is empty.
  public func restore() throws -> Restored? {
    let snapshot = try snapshot()
    var batches: [Batch] = []
    try self.batches(((snapshot?.stamp.sequence ?? 0) + 1)...UInt64(Int.max)) { batch in
      batches.append(batch)
      return true
    }
    if snapshot == nil && batches.isEmpty { return nil }
    return try Restored(snapshot: snapshot, batches: batches)
  }
}
