import Control
import Quantities
import Site

/// The mind brought back from what a store kept.
public struct Restored: Sendable {
  public var controller: SiteController
  public var stamp: EventStamp
  /// Where thinking again gave something else than recorded; the recorded effects are what happened.
  public var difference: Replay.Difference?

  /// Thinks again what was recorded after the snapshot.
  /// - Throws: `Replay.Fault`, when the stretch cannot be read or is not whole.
  public init(snapshot: Snapshot?, batches: [Batch]) throws(Replay.Fault) {
    var replay = try Replay(from: snapshot)
    for batch in batches { try replay.feed(batch) }
    (controller, stamp, difference) = (replay.controller, replay.stamp, replay.difference)
  }
}

/// Thinks recorded events again and compares what comes out with what was recorded, bit for bit.
public struct Replay: Sendable {
  public enum Fault: Error, Hashable, Sendable {
    case unreadable(sequence: UInt64, RecordFault)
    /// A raw reading with this sequence was thinned away or left out, or entries are missing before it.
    case notWhole(sequence: UInt64)
    /// The stretch begins without a snapshot, and not with the first event.
    case noSnapshot(first: UInt64)
  }
  public struct Difference: Hashable, Sendable {
    public var stamp: EventStamp
    public var event: Event
    public var recorded: [Effect]
    public var recomputed: [Effect]
  }
  /// A plan that came out otherwise than it was recorded, from the request that was recorded.
  public struct PlanDifference: Hashable, Sendable {
    public var stamp: EventStamp
    public var recorded: Planned
    public var recomputed: Planned
  }
  public private(set) var controller: SiteController
  public private(set) var stamp: EventStamp
  public private(set) var events = 0
  /// The first one met.
  public private(set) var difference: Difference?
  /// Plans that were worked out again, and those whose request lies before the stretch.
  public private(set) var plans = 0
  public private(set) var plansWithoutRequest = 0
  /// The first one met.
  public private(set) var planDifference: PlanDifference?
  private let recomputesPlans: Bool
  /// What was asked and has not been answered, in rising order of number.
  private var requests: [PlanRequest] = []

  /// - Parameters:
  ///   - snapshot: where to begin; nil: at the first event.
  ///   - recomputesPlans: work each plan out again from its recorded request, and compare: takes as long as it took then.
  public init(from snapshot: Snapshot?, recomputesPlans: Bool = false) throws(Fault) {
    self.recomputesPlans = recomputesPlans
    guard let snapshot else {
      controller = SiteController()
      stamp = EventStamp(utc: Instant(milliseconds: 0), monotonic: Monotonic(milliseconds: 0), sequence: 0)
      return
    }
    do {
      controller = try BinaryDecoder.decodeNamed(SiteController.self, from: snapshot.state)
    } catch {
      throw .unreadable(sequence: snapshot.stamp.sequence, error)
    }
    stamp = snapshot.stamp
  }

  /// Thinks the batch's entries that are later than what is known. A batch that ends before is passed over.
  public mutating func feed(_ batch: Batch) throws(Fault) {
    guard batch.last > stamp.sequence else { return }
    let entries: [Batch.Remains]
    do {
      entries = try batch.entries()
    } catch {
      throw .unreadable(sequence: batch.first, error)
    }
    for remains in entries {
      switch remains {
      case .thinned(let at, _, _):
        if at.sequence > stamp.sequence { throw .notWhole(sequence: at.sequence) }
      case .whole(let entry):
        if entry.stamp.sequence > stamp.sequence { try think(entry) }
      }
    }
    if stamp.sequence != batch.last { throw .notWhole(sequence: stamp.sequence + 1) }
  }

  private mutating func think(_ entry: Entry) throws(Fault) {
    guard entry.stamp.sequence == stamp.sequence + 1 else {
      if stamp.sequence == 0 { throw .noSnapshot(first: entry.stamp.sequence) }
      throw .notWhole(sequence: stamp.sequence + 1)
    }
    let effects = controller.handle(entry.event, at: entry.stamp)
    if effects != entry.effects, difference == nil {
      difference = Difference(stamp: entry.stamp, event: entry.event, recorded: entry.effects, recomputed: effects)
    }
    if recomputesPlans { recompute(entry) }
    stamp = entry.stamp
    events += 1
  }

  private mutating func recompute(_ entry: Entry) {
    if case .planned(let recorded) = entry.event {
      if let place = requests.firstIndex(where: { $0.id == recorded.id }) {
        plans += 1
        let recomputed = requests.remove(at: place).solve()
        if recomputed != recorded, planDifference == nil {
          planDifference = PlanDifference(stamp: entry.stamp, recorded: recorded, recomputed: recomputed)
        }
      } else {
        plansWithoutRequest += 1
      }
    }
    for case .plan(let request) in entry.effects {
      // Whoever asks anew has given the one before up; it may still come, late.
      if requests.count > 3 { requests.removeFirst() }
      requests.append(request)
    }
  }
}
