import Dispatch
import Quantities
import Record

/// The durable store: SQLite in WAL mode with a full sync for each commit, on a thread of its own. While one batch is being written the
/// driver gathers the next: that is the group commit.
public final class JournalStore: Store, Sendable {
  private let path: String
  private let vfs: String?
  private let queue = DispatchQueue(label: "journal", qos: .userInitiated)
  private let found = Locked<[StoreReport]>([])
  private let writer: Locked<JournalFile?>
  private let announce: @Sendable () -> Void

  /// Opens or makes the journal.
  /// - Parameters:
  ///   - path: of the database file; its folder exists.
  ///   - vfs: a registered SQLite VFS, for tests; nil: SQLite's own.
  ///   - announce: called on the store's thread when there is something in `reports`.
  public init(path: String, vfs: String? = nil, announce: @escaping @Sendable () -> Void) throws(DatabaseError) {
    let file = try JournalFile(path: path, vfs: vfs)
    (self.path, self.vfs, self.announce) = (path, vfs, announce)
    writer = Locked(file)
  }

  /// The path of the journal in a state directory.
  public static func path(in directory: String) -> String { directory + "/journal.sqlite" }

  public func submit(_ batch: Batch, snapshot: Snapshot?, at now: Monotonic) {
    queue.async { [self] in
      let report = attempt { file throws(DatabaseError) in try file.write(batch, snapshot: snapshot) }
      let result: StoreReport =
        switch report {
        case nil: .durable(through: batch.last)
        case .some(let fault): .failed(first: batch.first, fault)
        }
      found.with { $0.append(result) }
      announce()
    }
  }

  public func reports(at now: Monotonic) -> [StoreReport] {
    found.with { reports in
      defer { reports = [] }
      return reports
    }
  }

  /// Thins old raw readings, between two batches.
  /// - Parameter done: called on the store's thread with the number of blocks deleted, or what went wrong.
  public func thin(
    before cutoff: Instant, transactionsSince: Instant, done: @escaping @Sendable (Result<Int, StoreFault>) -> Void
  ) {
    queue.async { [self] in
      var deleted = 0
      let fault = attempt { file throws(DatabaseError) in
        deleted = try file.thin(before: cutoff, transactionsSince: transactionsSince)
      }
      done(fault.map { .failure($0) } ?? .success(deleted))
    }
  }

  /// Waits for all that was submitted.
  public func flush() { queue.sync {} }

  /// Waits for all that was submitted, and closes the file.
  public func close() {
    queue.sync { writer.with { $0 = nil } }
  }

  /// Runs `work` on the connection; after any failure the connection is given up, and made anew at the next attempt: what SQLite
  /// believes of a file after an input/output error is not to be trusted.
  private func attempt(_ work: (JournalFile) throws(DatabaseError) -> Void) -> StoreFault? {
    writer.with { held -> StoreFault? in
      do throws(DatabaseError) {
        let file: JournalFile
        if let open = held { file = open } else { file = try JournalFile(path: path, vfs: vfs) }
        held = nil
        try work(file)
        held = file
        return nil
      } catch {
        return error.isFull ? .full : .broken(error.description)
      }
    }
  }
}
