import Control
import Quantities
import Record
import Site

/// What the hash chain of a journal says of it.
public struct Verification: Hashable, Sendable {
  /// The first thing that is not as it was recorded.
  public enum Breach: Error, Hashable, Sendable, CustomStringConvertible {
    case gap(after: UInt64, next: UInt64)
    case otherReadings(first: UInt64)
    case link(first: UInt64)
    /// The table of transactions says of this one what the entries do not.
    case transaction(id: Int)
    case snapshots(Int)
    /// Raw readings that were never thinned are missing.
    case readings(first: UInt64)
    /// A block that an entry names, and that was never thinned, is missing.
    case missing(BlockKind, sequence: UInt64)
    /// A block has other bytes than were recorded: the row of the table.
    case block(row: Int)
    public var description: String {
      switch self {
      case .gap(let after, let next): "after entry \(after) comes entry \(next): what stood between is missing"
      case .otherReadings(let first): "the batch that begins with \(first) has other raw readings than were recorded"
      case .link(let first): "the chain breaks at the batch that begins with \(first): it has other bytes than were recorded"
      case .transaction(let id): "the table of transactions has transaction \(id) otherwise than the entries"
      case .readings(let first): "the raw readings of the batch that begins with \(first) are missing and were never thinned"
      case .missing(let kind, let sequence): "the block with the \(kind) of entry \(sequence) is missing and was never thinned"
      case .block(let row): "the block in row \(row) has other bytes than were recorded"
      case .snapshots(let count): "\(count) snapshots have other bytes than were recorded"
      }
    }
  }
  public var batches = 0
  public var entries: UInt64 = 0
  /// Batches whose raw readings were thinned away.
  public var thinned = 0
  /// Raw readings that were never written, because too much waited for a store that failed; where they were thinned since, not counted.
  public var leftOut = 0
  /// How often entries name blocks, and how often such a block was thinned away.
  public var references = 0
  public var thinnedReferences = 0
  /// Of both, what only the table of thinning says, and no batch since confirms: thinned after the newest batch, or taken away by somebody.
  public var unconfirmed = 0
  /// How old raw readings were at the least when they were thinned, by the batches that tell of it; nil: none tells.
  public var youngestThinned: TimeSpan?
  public var bytes = 0
  /// The chain's last link: kept elsewhere, it proves that nothing before it was changed.
  public var link = Batch.genesis
  public var breach: Breach?
}

/// What thinking all again gave.
public struct ReplayReport: Hashable, Sendable {
  public var events = 0
  /// Stretches thought again, each from a snapshot or the beginning.
  public var stretches: [ClosedRange<UInt64>] = []
  public var difference: Replay.Difference?
  /// Plans that were worked out again from their requests, those whose request lies before what was thought again, and the first that
  /// came out otherwise than recorded.
  public var plans = 0
  public var plansWithoutRequest = 0
  public var planDifference: Replay.PlanDifference?
  /// Why parts were passed over: thinned away, left out, or recorded by another version.
  public var passedOver: [String] = []
  /// What should have been there to be thought again, and was not: other bytes than were recorded, or a version that recorded nothing.
  public var faults: [String] = []
}

extension JournalReader {
  public func verify() throws(DatabaseError) -> Verification {
    var result = Verification()
    var last: UInt64 = 0
    let limits = (said: try retention(), chained: try chainedRetention())
    var named: Set<[UInt8]> = []
    var failure: DatabaseError?
    // The transactions that the entries tell of, as the table should have them; nil: some entries are of a form that is not read any more.
    var expected: Database? = try Projection.inMemory()
    try links(1...UInt64(Int.max)) { batch, _, link in
      if batch.first != last + 1 { result.breach = .gap(after: last, next: batch.first) }
      result.link = batch.link(after: result.link)
      if result.breach == nil, result.link != link { result.breach = .link(first: batch.first) }
      if result.breach == nil, !batch.readingsAreWhole { result.breach = .otherReadings(first: batch.first) }
      last = batch.last
      result.batches += 1
      result.entries &+= batch.last &- batch.first &+ 1
      if batch.readings == nil {
        result.thinned += 1
        if !limits.chained.mayLackReadings(first: batch.first) {
          result.unconfirmed += 1
          if result.breach == nil, !limits.said.mayLackReadings(first: batch.first) {
            result.breach = .readings(first: batch.first)
          }
        }
      }
      result.leftOut += batch.readingsLeftOut
      result.bytes += batch.kept.count + (batch.readings?.count ?? 0)
      do throws(DatabaseError) {
        if !batch.marks.isEmpty { try noteAge(of: batch, &result) }
        if result.breach == nil { try checkReferences(of: batch, limits, &named, &result) }
        if result.breach == nil, let database = expected, try !Projection.project(batch, into: database) { expected = nil }
      } catch { failure = error }
      return result.breach == nil && failure == nil
    }
    if let failure { throw failure }
    if result.breach == nil, let row = try changedBlock() { result.breach = .block(row: row) }
    if result.breach == nil, let expected, let id = try firstDifference(from: expected) { result.breach = .transaction(id: id) }
    let wrong = try countOfSnapshots() - snapshots(version: nil).count
    if result.breach == nil, wrong > 0 { result.breach = .snapshots(wrong) }
    return result
  }

  /// The first transaction that the table has otherwise than `expected`.
  private func firstDifference(from expected: Database) throws(DatabaseError) -> Int? {
    let (told, kept) = (try Self.allTransactions(of: expected), try Self.allTransactions(of: database))
    if told == kept { return nil }
    let ids = Set(told).symmetricDifference(kept).map(\.id)
    return ids.min()
  }

  /// How old the newest readings are that a batch says were thinned before it.
  private func noteAge(of batch: Batch, _ result: inout Verification) throws(DatabaseError) {
    // Marks that cannot be read are others than were recorded, which the link says.
    guard let marks = try? Retention(marks: batch.marks) else { return }
    let through = max(marks.readings > marks.inputsSince ? marks.readings : 0, marks.earlyReadings)
    let newest = try database.query(
      "SELECT last_at_ms FROM batches WHERE first <= ? ORDER BY first DESC LIMIT 1", [.integer(Int(clamping: through))]
    ) { Instant(milliseconds: $0.integer(0)) }.first
    guard let newest else { return }
    result.youngestThinned = min(result.youngestThinned ?? (batch.lastAt - newest), batch.lastAt - newest)
  }

  /// - Parameter named: digests that were found lately.
  private func checkReferences(
    of batch: Batch, _ limits: (said: Retention, chained: Retention), _ named: inout Set<[UInt8]>, _ result: inout Verification
  ) throws(DatabaseError) {
    guard keepsBlocks else { return }
    // A batch of another form is whole by its digest; what it names cannot be said.
    guard let entries = try? batch.entries() else { return }
    for entry in entries {
      for (mention, reference) in zip(entry.mentions, try references(entry.mentions)) {
        result.references += 1
        if let reference, named.contains(reference.digest) { continue }
        if let reference, let row = try row(of: reference) {
          guard Block(reference.kind, row.bytes).reference == reference else {
            result.breach = .block(row: row.id)
            return
          }
          if named.count > 10_000 { named = [] }
          named.insert(reference.digest)
        } else if entry.stamp.sequence <= max(limits.said.blocks, limits.chained.blocks) {
          result.thinnedReferences += 1
          if entry.stamp.sequence > limits.chained.blocks { result.unconfirmed += 1 }
        } else {
          result.breach = .missing(mention.kind, sequence: entry.stamp.sequence)
          return
        }
      }
    }
  }

  /// Thinks again everything that `version` recorded and that is not thinned, stretch by stretch.
  public func replay(version: String) throws(DatabaseError) -> ReplayReport {
    var report = ReplayReport()
    var starts: [Snapshot?] = []
    for snapshot in try snapshots(version: version) { starts.append(snapshot) }
    if try recordedBy(version, first: 1) { starts.insert(nil, at: 0) }
    if starts.isEmpty { report.faults.append("nothing was recorded by version \(version)") }
    try passOverThinned(&starts, &report)
    var done: UInt64 = 0
    var isFirst = true
    for start in starts where isFirst || (start?.stamp.sequence ?? 0) > done {
      isFirst = false
      done = max(done, try stretch(from: start, version: version, &report))
      if report.difference != nil || report.planDifference != nil { break }
    }
    return report
  }

  /// Leaves out the starts whose next raw readings were thinned away, and says where thinking begins again.
  private func passOverThinned(_ starts: inout [Snapshot?], _ report: inout ReplayReport) throws(DatabaseError) {
    let retention = try retention()
    let count = starts.count
    starts.removeAll { retention.mayLackReadings(first: ($0?.stamp.sequence ?? 0) + 1) }
    guard starts.count < count else { return }
    let thinned = max(retention.readings, retention.earlyReadings)
    let next = starts.compactMap { $0?.stamp.sequence }.first { $0 >= thinned }
    report.passedOver.append(
      "up to \(thinned): raw readings were thinned away; "
        + (next.map { "begins again at the snapshot of entry \($0)" } ?? "no snapshot since"))
  }

  /// Whether the entry `first` was recorded by `version`: it configures or restarts a mind of that version.
  private func recordedBy(_ version: String, first: UInt64) throws(DatabaseError) -> Bool {
    var result = false
    try batches(first...first) { batch in
      if let entries = try? batch.entries(), case .whole(let entry)? = entries.first {
        switch entry.event {
        case .configured(_, version), .restarted(version): result = true
        default: break
        }
      }
      return false
    }
    return result
  }

  /// - Returns: the last sequence that was thought again.
  private func stretch(from start: Snapshot?, version: String, _ report: inout ReplayReport) throws(DatabaseError) -> UInt64 {
    let from = (start?.stamp.sequence ?? 0) + 1
    var replay: Replay
    do {
      replay = try Replay(from: start, recomputesPlans: true)
    } catch {
      report.faults.append("the snapshot at \(from - 1) cannot be read: \(error)")
      return from - 1
    }
    var stop: String?
    try links(from...UInt64(Int.max)) { batch, isWhole, _ in
      guard isWhole else {
        report.faults.append("from \(batch.first) on: the batch has other bytes than were recorded")
        return false
      }
      if let other = Self.otherVersion(batch, than: version) {
        stop = "from \(other.sequence) on: other version, \(other.version)"
        return false
      }
      if batch.readingsLeftOut > 0 {
        stop = "\(batch.first) to \(batch.last): \(batch.readingsLeftOut) raw readings were left out, for the store had failed"
        return false
      }
      do {
        try replay.feed(batch)
      } catch {
        report.faults.append("from \(replay.stamp.sequence + 1) on: \(error)")
        return false
      }
      return replay.difference == nil && replay.planDifference == nil
    }
    if let stop { report.passedOver.append(stop) }
    report.events += replay.events
    report.difference = replay.difference
    (report.plans, report.plansWithoutRequest) = (
      report.plans + replay.plans, report.plansWithoutRequest + replay.plansWithoutRequest
    )
    report.planDifference = replay.planDifference
    if replay.stamp.sequence >= from { report.stretches.append(from...replay.stamp.sequence) }
    return replay.stamp.sequence
  }

  private static func otherVersion(_ batch: Batch, than version: String) -> (sequence: UInt64, version: String)? {
    guard let entries = try? batch.entries() else { return nil }
    for case .whole(let entry) in entries {
      switch entry.event {
      case .restarted(let other) where other != version: return (entry.stamp.sequence, other)
      default: continue
      }
    }
    return nil
  }
}
