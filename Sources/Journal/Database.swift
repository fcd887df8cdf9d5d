import CSQLite

/// What SQLite said went wrong.
public struct DatabaseError: Error, Hashable, Sendable, CustomStringConvertible {
  /// SQLite's extended result code.
  public var code: Int32
  public var message: String
  /// What was being done.
  public var action: String
  public var isFull: Bool { code & 0xff == SQLITE_FULL }
  public var description: String { "\(action): \(message) (SQLite \(code))" }
}

/// A value in a column.
enum Cell {
  case integer(Int)
  case text(String)
  case blob([UInt8])
  case null
  init(_ value: Int?) { self = value.map { .integer($0) } ?? .null }
  init(_ value: String?) { self = value.map { .text($0) } ?? .null }
}

/// A thin hold on one SQLite connection. Used by one thread at a time.
final class Database {
  private var handle: OpaquePointer?
  private var prepared: [String: OpaquePointer] = [:]

  /// - Parameter vfs: nil: SQLite's own.
  init(path: String, readOnly: Bool = false, vfs: String? = nil) throws(DatabaseError) {
    let flags = readOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
    let code = sqlite3_open_v2(path, &handle, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, vfs)
    guard code == SQLITE_OK else {
      let error = failure(code, "open \(path)")
      sqlite3_close_v2(handle)
      handle = nil
      throw error
    }
    sqlite3_busy_timeout(handle, 5000)
  }
  deinit {
    for statement in prepared.values { sqlite3_finalize(statement) }
    sqlite3_close_v2(handle)
  }

  /// No text and no blob may be longer: less than SQLite's own limit, for tests.
  func limitValues(to bytes: Int) { sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, Int32(clamping: bytes)) }

  func execute(_ sql: String) throws(DatabaseError) {
    let code = sqlite3_exec(handle, sql, nil, nil, nil)
    if code != SQLITE_OK { throw failure(code, String(sql.prefix(40))) }
  }

  func run(_ sql: String, _ cells: [Cell] = []) throws(DatabaseError) {
    let rows = try query(sql, cells) { _ in 0 }
    precondition(rows.isEmpty, "a statement that gives rows")
  }

  /// - Returns: what `read` made of each row.
  func query<Value>(_ sql: String, _ cells: [Cell] = [], _ read: (Row) -> Value) throws(DatabaseError) -> [Value] {
    var result: [Value] = []
    try each(sql, cells) { row in
      result.append(read(row))
      return true
    }
    return result
  }

  /// Walks the rows until `visit` says false.
  func each(_ sql: String, _ cells: [Cell] = [], _ visit: (Row) -> Bool) throws(DatabaseError) {
    let statement = try statement(sql)
    defer {
      sqlite3_reset(statement)
      sqlite3_clear_bindings(statement)
      if statement != prepared[sql] { sqlite3_finalize(statement) }
    }
    for (i, cell) in cells.enumerated() { try bind(cell, at: Int32(i + 1), statement, sql) }
    while true {
      switch sqlite3_step(statement) {
      case SQLITE_ROW: if !visit(Row(statement: statement)) { return }
      case SQLITE_DONE: return
      case let code: throw failure(code, String(sql.prefix(60)))
      }
    }
  }

  struct Row {
    let statement: OpaquePointer
    func isNull(_ column: Int32) -> Bool { sqlite3_column_type(statement, column) == SQLITE_NULL }
    /// Numbers of entries are never below zero; a changed one counts as zero.
    func unsigned(_ column: Int32) -> UInt64 { UInt64(clamping: integer(column)) }
    func integer(_ column: Int32) -> Int { Int(sqlite3_column_int64(statement, column)) }
    func optionalInteger(_ column: Int32) -> Int? { isNull(column) ? nil : integer(column) }
    func text(_ column: Int32) -> String { sqlite3_column_text(statement, column).map { String(cString: $0) } ?? "" }
    func optionalText(_ column: Int32) -> String? { isNull(column) ? nil : text(column) }
    func blob(_ column: Int32) -> [UInt8] {
      let count = Int(sqlite3_column_bytes(statement, column))
      guard count > 0, let start = sqlite3_column_blob(statement, column) else { return [] }
      return Array(UnsafeRawBufferPointer(start: start, count: count))
    }
    func packed(_ column: Int32, size: Int32) -> Packed { Packed(blob(column), size: optionalInteger(size)) }
    func optionalBlob(_ column: Int32) -> [UInt8]? { isNull(column) ? nil : blob(column) }
  }

  /// Kept for the next time, unless the kept one is being walked just now.
  private func statement(_ sql: String) throws(DatabaseError) -> OpaquePointer {
    let isWalked = prepared[sql].map { sqlite3_stmt_busy($0) != 0 } ?? false
    if !isWalked, let statement = prepared[sql] { return statement }
    var statement: OpaquePointer?
    let code = sqlite3_prepare_v3(handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil)
    guard code == SQLITE_OK, let statement else { throw failure(code, String(sql.prefix(60))) }
    if !isWalked { prepared[sql] = statement }
    return statement
  }

  private func bind(_ cell: Cell, at place: Int32, _ statement: OpaquePointer, _ sql: String) throws(DatabaseError) {
    // SQLITE_TRANSIENT: SQLite takes its own copy.
    let copy = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
    let code =
      switch cell {
      case .integer(let value): sqlite3_bind_int64(statement, place, Int64(value))
      case .text(let value): sqlite3_bind_text(statement, place, value, -1, copy)
      case .blob(let value) where value.isEmpty: sqlite3_bind_zeroblob(statement, place, 0)
      case .blob(let value): sqlite3_bind_blob64(statement, place, value, UInt64(value.count), copy)
      case .null: sqlite3_bind_null(statement, place)
      }
    precondition(code != SQLITE_RANGE && code != SQLITE_MISUSE, "a statement with other places than values")
    // Too large a value, or no memory for it.
    if code != SQLITE_OK { throw failure(code, String(sql.prefix(60))) }
  }

  private func failure(_ code: Int32, _ action: String) -> DatabaseError {
    let message = handle.map { String(cString: sqlite3_errmsg($0)) } ?? String(cString: sqlite3_errstr(code))
    return DatabaseError(code: handle.map { sqlite3_extended_errcode($0) } ?? code, message: message, action: action)
  }
}
