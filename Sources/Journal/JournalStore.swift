import Dispatch
import Quantities
import Record
import Threads

/// The durable store: SQLite in WAL mode with a full sync for each commit, on a thread of its own. While one batch is being written the
/// driver gathers the next: that is the group commit.
public final class JournalStore: Store, Sendable {
  private let path: String
  private let vfs: String?
  private let queue = DispatchQueue(label: "journal", qos: .userInitiated)
  private let found = Locked<[StoreReport]>([])
  private let writer: Locked<Held>
  private let announce: @Sendable () -> Void

  /// The connection; only the queue's work touches it.
  private struct Held {
    var file: JournalFile?
    var isClosed = false
  }

  /// Opens or makes the journal.
  /// - Parameters:
  ///   - path: of the database file; its folder exists.
  ///   - vfs: a registered SQLite VFS, for tests; nil: SQLite's own.
  ///   - announce: called on the store's thread when there is something in `reports`.
  public init(path: String, vfs: String? = nil, announce: @escaping @Sendable () -> Void) throws(DatabaseError) {
    let file = try JournalFile(path: path, vfs: vfs)
    (self.path, self.vfs, self.announce) = (path, vfs, announce)
    writer = Locked(Held(file: file))
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

  /// Says what thinning may take for the present at the latest, whatever the wall clock says: a leap of time is believed only after two
  /// weeks of recording.
  /// - Parameter done: called on the store's thread; nil: too little is recorded to say.
  public func latestPresent(done: @escaping @Sendable (Result<Instant?, StoreFault>) -> Void) {
    queue.async { [self] in
      if writer.with({ $0.isClosed }) { return done(.success(nil)) }
      var latest: Instant?
      let fault = attempt { file throws(DatabaseError) in latest = try file.latestPresent() }
      if let fault { return done(.failure(fault)) }
      done(.success(latest))
    }
  }

  /// Thins what is old away, piece by piece on the store's thread: a batch that is submitted meanwhile waits for one piece at most.
  /// - Parameter done: called on the store's thread with what was thinned, or what went wrong.
  public func thin(_ cutoffs: ThinningCutoffs, done: @escaping @Sendable (Result<Thinned, StoreFault>) -> Void) {
    thin(cutoffs, soFar: Thinned(), done: done)
  }

  private func thin(_ cutoffs: ThinningCutoffs, soFar: Thinned, done: @escaping @Sendable (Result<Thinned, StoreFault>) -> Void) {
    queue.async { [self] in
      // A store that was closed in between is not opened again for this; the next one goes on.
      if writer.with({ $0.isClosed }) { return done(.success(soFar)) }
      var piece: Thinned?
      let fault = attempt { file throws(DatabaseError) in piece = try file.thinPiece(cutoffs) }
      if let fault { return done(.failure(fault)) }
      guard let piece else { return done(.success(soFar)) }
      thin(cutoffs, soFar: soFar + piece, done: done)
    }
  }

  /// Waits for all that was submitted.
  public func flush() { queue.sync {} }

  /// Waits for all that was submitted, and closes the file.
  public func close() {
    queue.sync {
      writer.with { held in
        held.file = nil
        held.isClosed = true
      }
    }
  }

  /// Runs `work` on the connection; after any failure the connection is given up, and made anew at the next attempt: what SQLite
  /// believes of a file after an input/output error is not to be trusted.
  private func attempt(_ work: (JournalFile) throws(DatabaseError) -> Void) -> StoreFault? {
    writer.with { held -> StoreFault? in
      do throws(DatabaseError) {
        let file: JournalFile
        if let open = held.file { file = open } else { file = try JournalFile(path: path, vfs: vfs) }
        held.file = nil
        try work(file)
        held.file = file
        return nil
      } catch {
        return error.isFull ? .full : .broken(error.description)
      }
    }
  }
}
