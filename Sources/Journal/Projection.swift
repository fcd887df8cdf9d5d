import Control
import Quantities
import Record

/// What the table of transactions shows of effects; all of it can be worked out again from the batches.
enum Projection {
  /// An empty table.
  static func inMemory() throws(DatabaseError) -> Database {
    let database = try Database(path: ":memory:")
    try database.execute(Schema.migrations[0])
    return database
  }

  /// - Returns: false: its entries cannot be read by this version.
  static func project(_ batch: Batch, into database: Database) throws(DatabaseError) -> Bool {
    guard let entries = try? batch.entries() else { return false }
    for remains in entries {
      for case .transaction(let change) in remains.effects { try project(change, at: remains.stamp, into: database) }
    }
    return true
  }

  static func project(_ change: TransactionChange, at stamp: EventStamp, into database: Database) throws(DatabaseError) {
    switch change {
    case .opened(let id, let station, let connector, let idTag, let meterStart, let at, let late):
      try database.run(
        """
        INSERT OR REPLACE INTO transactions
          (id, station, connector, id_tag, started_at_ms, meter_start_mwh, opened_sequence, late) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        """,
        [
          .integer(id), .integer(station), .integer(connector), .text(idTag), .integer(at.milliseconds),
          .integer(meterStart.milliwattHours), .integer(Int(stamp.sequence)), .integer(late ? 1 : 0),
        ])
    case .closed(let id, let meterStop, let at, let reason):
      try database.run(
        "UPDATE transactions SET ended_at_ms = ?, meter_stop_mwh = ?, reason = ?, closed_sequence = ? WHERE id = ?",
        [
          .integer(at.milliseconds), Cell(meterStop?.milliwattHours), .text(reason), .integer(Int(stamp.sequence)), .integer(id),
        ])
    case .orphanStop: return
    }
  }
}
