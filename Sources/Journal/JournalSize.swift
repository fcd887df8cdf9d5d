import Quantities
import Record

/// What a journal takes on the disk, by kind of record and by day (UTC).
public struct JournalSize: Hashable, Sendable {
  public struct Part: Hashable, Sendable {
    public var name: String
    /// Of what it names; of what lies beside the records: pages.
    public var count: Int
    public var bytes: Int
    public var bytesEach: Double { count == 0 ? 0 : Double(bytes) / Double(count) }
  }
  public struct Day: Hashable, Sendable {
    public var start: Instant
    public var entries: Int
    public var kept: Int
    public var readings: Int
    public var blocks: Int
    public var snapshots: Int
  }
  public var parts: [Part] = []
  public var days: [Day] = []
  public var entries: UInt64 = 0
  /// From the first to the last entry.
  public var span = TimeSpan.zero
  /// The database file, without what its write-ahead log still holds.
  public var fileBytes = 0

  public var recordBytes: Int { parts.reduce(0) { $0 + $1.bytes } }
  /// What the file grows by in a day at the pace of the whole span; nil: the span is empty.
  public var bytesPerDay: Int? {
    span > .zero ? Int(Double(fileBytes) / Double(span.raw) * Double(TimeSpan.days(1).raw)) : nil
  }
  public var bytesPerEntry: Int { entries == 0 ? 0 : fileBytes / Int(clamping: entries) }
}

extension JournalReader {
  /// - Complexity: reads the whole journal.
  public func size() throws(DatabaseError) -> JournalSize {
    var size = JournalSize()
    if let span = try span() { (size.entries, size.span) = (span.entries, span.last - span.first) }
    func parts(_ sql: String, _ name: (Database.Row) -> String) throws(DatabaseError) {
      size.parts += try database.query(sql) { JournalSize.Part(name: name($0), count: $0.integer(0), bytes: $0.integer(1)) }
    }
    let readings = try countOfReadings()
    try parts("SELECT \(Int(clamping: size.entries) - readings), coalesce(sum(length(kept)), 0) FROM batches") { _ in
      "events and effects"
    }
    try parts("SELECT \(readings), coalesce(sum(length(k.bytes)), 0) FROM batches b JOIN \(readingsOfBatch)") { _ in "raw readings"
    }
    if keepsBlocks {
      try parts("SELECT count(*), sum(length(bytes)), kind FROM kept_blocks GROUP BY kind ORDER BY kind") { row in
        "blocks: \(BlockKind(rawValue: UInt8(clamping: row.integer(2))))"
      }
    }
    try parts("SELECT count(*), coalesce(sum(length(state)), 0) FROM snapshots") { _ in "snapshots" }
    let pages = try database.query("PRAGMA page_count") { $0.integer(0) }.first ?? 0
    let free = try database.query("PRAGMA freelist_count") { $0.integer(0) }.first ?? 0
    size.fileBytes = (pages - free) * (try database.query("PRAGMA page_size") { $0.integer(0) }.first ?? 0)
    size.parts.append(
      JournalSize.Part(name: "links, tables and indexes", count: pages - free, bytes: max(0, size.fileBytes - size.recordBytes)))
    try days(&size)
    return size
  }

  /// Raw readings that are still there, and can be read.
  private func countOfReadings() throws(DatabaseError) -> Int {
    var count = 0
    try batches(1...UInt64(Int.max)) { batch in
      for case .whole(let entry) in (try? batch.entries()) ?? [] where entry.isReading { count += 1 }
      return true
    }
    return count
  }

  private func days(_ size: inout JournalSize) throws(DatabaseError) {
    let day = TimeSpan.days(1).raw
    var days = try database.query(
      """
      SELECT b.last_at_ms / \(day), sum(b.last - b.first + 1), sum(length(b.kept)), coalesce(sum(length(k.bytes)), 0)
      FROM batches b LEFT JOIN \(readingsOfBatch) GROUP BY 1 ORDER BY 1
      """
    ) { row in
      JournalSize.Day(
        start: Instant(milliseconds: row.integer(0) * day), entries: row.integer(1), kept: row.integer(2), readings: row.integer(3),
        blocks: 0, snapshots: 0)
    }
    func add(_ path: WritableKeyPath<JournalSize.Day, Int>, _ sql: String) throws(DatabaseError) {
      for (start, bytes) in try database.query(sql, [], { (Instant(milliseconds: $0.integer(0) * day), $0.integer(1)) }) {
        if let place = days.firstIndex(where: { $0.start == start }) { days[place][keyPath: path] += bytes }
      }
    }
    if keepsBlocks {
      try add(
        \.blocks,
        """
        SELECT (SELECT last_at_ms FROM batches WHERE first = (SELECT max(first) FROM batches WHERE first <= used_sequence)) / \(day),
          sum(length(bytes)) FROM kept_blocks GROUP BY 1
        """)
    }
    try add(\.snapshots, "SELECT at_ms / \(day), sum(length(state)) FROM snapshots GROUP BY 1")
    size.days = days
  }
}
