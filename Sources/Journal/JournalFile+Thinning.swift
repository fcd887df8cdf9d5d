import Quantities
import Record

/// What is thinned away: everything of its kind that was recorded before these instants.
public struct ThinningCutoffs: Hashable, Sendable {
  /// Raw readings, and all but the first snapshot of each version.
  public var readings: Instant
  /// The inputs of decisions.
  public var inputs: Instant
  /// - Parameters:
  ///   - rawDays, inputDays: how long they are kept, whole days.
  public init(now: Instant, rawDays: Int, inputDays: Int) {
    readings = now - .days(rawDays)
    inputs = now - .days(inputDays)
  }
}

/// What a thinning took away.
public struct Thinned: Hashable, Sendable {
  /// Batches whose raw readings went.
  public var readings = 0
  public var blocks = 0
  public var snapshots = 0
  /// Pages given back to the file system.
  public var pages = 0
  public init() {}
  static func + (a: Thinned, b: Thinned) -> Thinned {
    var sum = a
    sum.readings += b.readings
    sum.blocks += b.blocks
    sum.snapshots += b.snapshots
    sum.pages += b.pages
    return sum
  }
}

extension JournalFile {
  /// How much one piece does, so that a batch which comes meanwhile waits a few milliseconds at most.
  private static let batchesPerPiece = 64
  private static let blocksPerPiece = 128
  private static let pagesPerPiece = 128

  /// Does the next small piece of thinning, in a transaction of its own. The chain stays verifiable: how far thinning has come is
  /// noted in the same transaction.
  /// - Returns: what it took away; nil: there is nothing left to do.
  func thinPiece(_ cutoffs: ThinningCutoffs) throws(DatabaseError) -> Thinned? {
    for step in ThinningStep.allCases {
      try database.execute("BEGIN IMMEDIATE")
      do throws(DatabaseError) {
        let thinned = try take(step, cutoffs)
        try database.execute("COMMIT")
        if let thinned { return thinned }
      } catch {
        rollBack()
        throw error
      }
    }
    return try giveBackPages()
  }

  /// What thinning may take for the present at the latest (`RecordedTime`); nil: too little is recorded to say.
  func latestPresent() throws(DatabaseError) -> Instant? {
    guard let newest = try time("SELECT last_at_ms FROM batches ORDER BY last_at_ms DESC LIMIT 1") else { return nil }
    return try RecordedTime.latestPresent(
      newest: newest,
      first: { (instant: Instant) throws(DatabaseError) -> Instant? in
        try time("SELECT last_at_ms FROM batches WHERE last_at_ms >= ? ORDER BY last_at_ms LIMIT 1", instant)
      },
      last: { (instant: Instant) throws(DatabaseError) -> Instant? in
        try time("SELECT last_at_ms FROM batches WHERE last_at_ms < ? ORDER BY last_at_ms DESC LIMIT 1", instant)
      })
  }
  private func time(_ sql: String, _ instant: Instant? = nil) throws(DatabaseError) -> Instant? {
    let cells: [Cell] = instant.map { [.integer($0.milliseconds)] } ?? []
    return try database.query(sql, cells) { Instant(milliseconds: $0.integer(0)) }.first
  }

  private enum ThinningStep: CaseIterable { case readings, earlyReadings, reachOfBlocks, blocks, snapshots }

  private func take(_ step: ThinningStep, _ cutoffs: ThinningCutoffs) throws(DatabaseError) -> Thinned? {
    switch step {
    case .readings: try thinReadings("readings", before: cutoffs.readings, upTo: UInt64(Int.max))
    case .earlyReadings: try thinReadings("early readings", before: cutoffs.inputs, upTo: try through("inputs since"))
    case .reachOfBlocks: try passOver("blocks", before: cutoffs.inputs)
    case .blocks: try thinBlocks()
    case .snapshots: try thinSnapshots(before: cutoffs.readings)
    }
  }

  private func through(_ what: String) throws(DatabaseError) -> UInt64 {
    try database.query("SELECT through FROM retention WHERE what = ?", [.text(what)]) { $0.unsigned(0) }.first ?? 0
  }
  private func note(_ what: String, through: UInt64) throws(DatabaseError) {
    try database.run("UPDATE retention SET through = ? WHERE what = ?", [.integer(Int(through)), .text(what)])
  }
  private func changes() throws(DatabaseError) -> Int { try database.query("SELECT changes()") { $0.integer(0) }.first ?? 0 }

  private struct Old {
    var first: Int
    var last: UInt64
  }
  /// The next batches after what `what` has reached, in order, as long as they are old: a batch behind a younger one waits for it, so
  /// that a wall clock which was wrong for a while thins nothing early.
  private func old(_ what: String, before cutoff: Instant, upTo last: UInt64) throws(DatabaseError) -> [Old] {
    var result: [Old] = []
    // The newest snapshot and what came after it are what a restart needs.
    try database.each(
      """
      SELECT first, last, last_at_ms FROM batches WHERE first > ?1 AND last <= ?2
        AND last <= (SELECT max(sequence) FROM snapshots) ORDER BY first LIMIT ?3
      """, [.integer(Int(try through(what))), .integer(Int(clamping: last)), .integer(Self.batchesPerPiece)]
    ) { row in
      guard row.integer(2) < cutoff.milliseconds else { return false }
      result.append(Old(first: row.integer(0), last: row.unsigned(1)))
      return true
    }
    return result
  }

  private func thinReadings(_ what: String, before cutoff: Instant, upTo last: UInt64) throws(DatabaseError) -> Thinned? {
    let batches = try old(what, before: cutoff, upTo: last)
    guard let end = batches.last else { return nil }
    var thinned = Thinned()
    try database.run(
      "DELETE FROM raw_readings WHERE first BETWEEN ? AND ?", [.integer(batches[0].first), .integer(end.first)])
    thinned.readings = try changes()
    try note(what, through: end.last)
    return thinned
  }

  private func passOver(_ what: String, before cutoff: Instant) throws(DatabaseError) -> Thinned? {
    guard let end = try old(what, before: cutoff, upTo: UInt64(Int.max)).last else { return nil }
    try note(what, through: end.last)
    return Thinned()
  }

  private func thinBlocks() throws(DatabaseError) -> Thinned? {
    try database.run(
      "DELETE FROM kept_blocks WHERE id IN (SELECT id FROM kept_blocks WHERE used_sequence <= ?1 ORDER BY used_sequence LIMIT ?2)",
      [.integer(Int(clamping: try through("blocks")) - useStep), .integer(Self.blocksPerPiece)])
    var thinned = Thinned()
    thinned.blocks = try changes()
    if thinned.blocks > 0 { forgetBlocks() }
    return thinned.blocks > 0 ? thinned : nil
  }

  private func thinSnapshots(before cutoff: Instant) throws(DatabaseError) -> Thinned? {
    try database.run(
      """
      DELETE FROM snapshots WHERE sequence IN (SELECT sequence FROM snapshots WHERE at_ms < ?1
        AND sequence NOT IN (SELECT min(sequence) FROM snapshots GROUP BY version)
        AND sequence <> (SELECT max(sequence) FROM snapshots) ORDER BY sequence LIMIT 8)
      """, [.integer(cutoff.milliseconds)])
    var thinned = Thinned()
    thinned.snapshots = try changes()
    return thinned.snapshots > 0 ? thinned : nil
  }

  /// Free pages are used again by what comes next; only when they are many does the file become smaller.
  private func giveBackPages() throws(DatabaseError) -> Thinned? {
    func number(_ pragma: String) throws(DatabaseError) -> Int {
      try database.query("PRAGMA \(pragma)") { $0.integer(0) }.first ?? 0
    }
    let free = try number("freelist_count")
    guard free > Self.pagesPerPiece, free > (try number("page_count")) / 8 else { return nil }
    try database.execute("PRAGMA incremental_vacuum(\(Self.pagesPerPiece))")
    var thinned = Thinned()
    thinned.pages = free - (try number("freelist_count"))
    return thinned.pages > 0 ? thinned : nil
  }
}
