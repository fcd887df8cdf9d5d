import Control
import Explanation
import Quantities
import Record
import Site

/// Why a transaction cannot be explained.
public enum ExplainingFault: Error, Hashable, Sendable, CustomStringConvertible {
  /// The journal's times and entries, if it has any, and its newest transactions.
  case unknown(transaction: Int, from: Instant?, newest: [Int])
  case outside(at: Instant, from: Instant, to: Instant)
  public var description: String {
    switch self {
    case .unknown(let id, nil, _): "there is no transaction \(id): the journal is empty"
    case .unknown(let id, .some(let from), let newest):
      "there is no transaction \(id) in this journal, which begins \(WallClock.utc.text(from)) UTC; "
        + (newest.isEmpty
          ? "it holds no transaction" : "the newest are \(newest.map(String.init).joined(separator: ", ")) (`sluice journal list`)")
    case .outside(let at, let from, let to):
      "\(WallClock.utc.text(at)) UTC is not in the transaction; expected a time from \(WallClock.utc.text(from)) to \(WallClock.utc.text(to)) UTC"
    }
  }
}

extension JournalReader {
  /// Explains a transaction from the record itself: the tables only say where to look, and bytes that are not those of the chain's
  /// digests are not used. May run while the journal is being written.
  /// - Parameter at: a moment; nil: the transaction's last, or the newest entry while it runs.
  /// - Throws: `ExplainingFault`, `DatabaseError`.
  /// - Complexity: reads what was recorded while the transaction ran.
  public func explain(transaction id: Int, at: Instant? = nil) throws -> Explanation {
    try atOneMoment {
      guard let record = try transactions(id: id).first else {
        throw ExplainingFault.unknown(transaction: id, from: try span()?.first, newest: try transactions(limit: 5).map(\.id))
      }
      let newest = try span()?.last ?? record.startedAt
      let last = record.endedAt ?? max(newest, record.startedAt)
      if let at, at < record.startedAt || at > last { throw ExplainingFault.outside(at: at, from: record.startedAt, to: last) }
      var gaps: [String] = []
      let moment = at ?? last
      let (story, nearest) = try story(of: record, until: last, moment, &gaps)
      let applied = story.moment(at: moment).applied
      let inputs = try applied.map { life in try self.inputs(of: life, &gaps) } ?? nearest
      let hub = try inputs == nil ? story.hub ?? hubOfBlocks(story) ?? hubOfSnapshot(near: record.openedSequence) : nil
      let subject = Explanation.Subject(
        id: id, station: record.station, number: record.connector, startedAt: record.startedAt, endedAt: record.endedAt,
        endReason: record.reason, energy: record.meterStop.map { $0 - record.meterStart }, late: record.late)
      return Explanation(subject, story, at: moment, inputs: inputs, inputsAreOthers: applied == nil, hub: hub, gaps: gaps)
    }
  }

  /// - Returns: the story, and the newest inputs that were kept with any decision of the hub up to `moment`.
  private func story(
    of record: TransactionRecord, until end: Instant, _ moment: Instant, _ gaps: inout [String]
  ) throws -> (TransactionStory, Inputs?) {
    var nearest: Batch.Remains?
    var story = TransactionStory(transaction: record.id)
    var failure: (any Error)?
    var (thinnedThrough, leftOutThrough) = (Instant?.none, Instant?.none)
    try links(record.openedSequence...UInt64(Int.max)) { batch, isWhole, _ in
      if record.endedAt != nil, batch.first > (record.closedSequence ?? 0), batch.firstAt > end + Self.patience { return false }
      guard isWhole else {
        gaps.append("Entries \(batch.first) to \(batch.last) have other bytes than were recorded; they are not used.")
        return true
      }
      let entries: [Batch.Remains]
      do throws(RecordFault) { entries = try batch.entries() } catch {
        gaps.append("Entries \(batch.first) to \(batch.last) cannot be read by this version: \(error).")
        return true
      }
      let wereLeftOut = batch.readingsLeftOut > 0
      let lacksReadings = batch.readings == nil || wereLeftOut
      if lacksReadings, batch.first <= record.closedSequence ?? UInt64(Int.max) {
        if wereLeftOut { leftOutThrough = batch.lastAt } else { thinnedThrough = batch.lastAt }
      }
      for entry in entries where entry.stamp.sequence >= record.openedSequence {
        if !entry.mentions.isEmpty, entry.stamp.utc <= moment { nearest = entry }
        story.take(entry, lacksReadings: lacksReadings) { entry in
          // What is wrong with a block is said where the block is explained.
          do { return try inputs(of: entry) } catch let fault as DatabaseError { failure = fault } catch {}
          return nil
        }
      }
      return failure == nil
    }
    if let failure { throw failure }
    if let thinnedThrough {
      gaps.append(
        "Raw readings up to \(WallClock.utc.text(thinnedThrough)) UTC were thinned away: what the vehicle drew then is taken from the "
          + "inputs of decisions, between which it is not known.")
    }
    if let leftOutThrough {
      gaps.append(
        "Raw readings up to \(WallClock.utc.text(leftOutThrough)) UTC were left out where the journal could not be written for long: what "
          + "the vehicle drew then is taken from the inputs of decisions, between which it is not known.")
    }
    story.finish(at: record.endedAt ?? max(end, story.lastStamp?.utc ?? end))
    let seen = nearest.flatMap { entry in try? inputs(of: entry) }
    return (story, seen)
  }

  private func inputs(of life: ProfileLife, _ gaps: inout [String]) throws(DatabaseError) -> Inputs? {
    let retention = try retention()
    do {
      return try Inputs(life.mentions, at: life.stamp, from: self)
    } catch let fault as DatabaseError {
      throw fault
    } catch let fault as Inputs.Fault {
      switch fault {
      case .notKept where life.stamp.sequence <= retention.inputsSince:
        gaps.append("The inputs: profile \(life.command.value) was decided before this journal kept them.")
      case .missing where life.stamp.sequence <= retention.blocks:
        gaps.append("The inputs: they are older than the site file wants them kept, and were thinned away.")
      default: gaps.append("The inputs: \(fault).")
      }
    } catch {
      gaps.append("The inputs: \(error).")
    }
    return nil
  }

  /// The hub as it was kept with any profile of the transaction.
  private func hubOfBlocks(_ story: TransactionStory) throws(DatabaseError) -> Hub? {
    for life in story.profiles {
      if let hub = try Inputs.hub(life.mentions, from: self) { return hub }
    }
    return nil
  }

  /// The hub as the newest snapshot has it; nil: there is none that can be read.
  public func newestHub() throws(DatabaseError) -> Hub? { try hubOfSnapshot(near: UInt64(Int.max)) }

  /// The hub as a snapshot nearby has it, for its names.
  private func hubOfSnapshot(near sequence: UInt64) throws(DatabaseError) -> Hub? {
    let all = try snapshots(version: nil)
    let near = all.last { $0.stamp.sequence <= sequence } ?? all.first
    return near.flatMap { try? BinaryDecoder.decodeNamed(SiteController.self, from: $0.state).hub }
  }
}
