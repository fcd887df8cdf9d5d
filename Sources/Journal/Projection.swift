import ChargingProfiles
import Control
import Quantities
import Record
import Site

/// What the tables show of events and effects; all of it can be worked out again from the batches.
enum Projection {
  static func project(_ effect: Effect, at stamp: EventStamp, into database: Database) throws(DatabaseError) {
    switch effect {
    case .transaction(let change): try project(change, at: stamp, into: database)
    case .decided(let decision):
      try database.run(
        "INSERT OR REPLACE INTO decisions VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
          .integer(Int(stamp.sequence)), .integer(decision.connector), .integer(stamp.utc.milliseconds),
          Cell(decision.transaction), .integer(max(0, decision.offer.milliamperes)),
          Cell(decision.command.map { Int(bitPattern: UInt($0.value)) }),
          .text("\(decision.reason)"),
        ])
    case .command(let id, let station, let command, let urgency):
      guard let place = place(of: command) else { return }
      try row(
        id, stamp, station: station, connector: place.connector, transaction: place.transaction, "\(place.what) \(urgency)",
        database)
    case .answer, .alarm, .plan: return
    }
  }

  static func project(_ event: Event, at stamp: EventStamp, into database: Database) throws(DatabaseError) {
    switch event {
    case .station(let station, .outcome(let id, let outcome)):
      let known = try database.query(
        "SELECT connector, transaction_id FROM profile_commands WHERE command = ? LIMIT 1",
        [.integer(Int(bitPattern: UInt(id.value)))]
      ) { ($0.optionalInteger(0), $0.optionalInteger(1)) }.first
      guard let known else { return }
      try row(id, stamp, station: station, connector: known.0, transaction: known.1, name(of: outcome), database)
    case .cancelled(let ids):
      for id in ids { try row(id, stamp, station: -1, connector: nil, transaction: nil, "cancelled before it was sent", database) }
    default: return
    }
  }

  private static func row(
    _ id: CommandID, _ stamp: EventStamp, station: Int, connector: Int?, transaction: Int?, _ what: String, _ database: Database
  ) throws(DatabaseError) {
    try database.run(
      "INSERT OR IGNORE INTO profile_commands VALUES (?, ?, ?, ?, ?, ?, ?)",
      [
        .integer(Int(bitPattern: UInt(id.value))), .integer(Int(stamp.sequence)), .integer(stamp.utc.milliseconds),
        .integer(station), Cell(connector), Cell(transaction), .text(what),
      ])
  }

  private static func place(of command: StationCommand) -> (what: String, connector: Int?, transaction: Int?)? {
    switch command {
    case .setProfile(let connector, let profile):
      var transaction: Int?
      if case .transaction(let id) = profile.purpose { transaction = id }
      return ("set", connector, transaction)
    case .clearProfiles(let filter): return ("clear", filter.connector, nil)
    case .readComposite(let connector, _, _): return ("read", connector, nil)
    default: return nil
    }
  }

  private static func name(of outcome: CommandOutcome) -> String {
    switch outcome {
    case .sent: "sent"
    case .superseded: "superseded"
    case .accepted: "accepted"
    case .refused(let status): "refused: \(status)"
    case .timedOut: "timed out"
    case .lost: "lost"
    case .learned: "learned"
    case .composite: "read back"
    case .configuration: "configuration"
    }
  }

  private static func project(_ change: TransactionChange, at stamp: EventStamp, into database: Database) throws(DatabaseError) {
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
