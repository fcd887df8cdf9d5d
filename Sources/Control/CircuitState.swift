import Quantities
import Site

/// What is known of one circuit: its newest reading and the load below it that is not controlled.
struct CircuitState: Sendable, Codable {
  /// In circuit order, import positive; as the meter gave it last.
  var reading: PerPhase<Current>?
  var totalPower: Power?
  /// The meter's register of what flowed towards the vehicles; nil: it has none.
  var register: Energy?
  /// When the sample was taken.
  var readAt: Monotonic?
  /// Digest of the raw registers, and since when it has been the same.
  var registers: UInt64 = 0
  var registersSince: Monotonic?
  /// Since when the vehicles alone draw more than the meter sees (rule 12).
  var contradictedSince: PerPhase<Monotonic?> = PerPhase(all: nil)
  /// Whether the reading moves with the vehicles below (rule 12).
  var movement = MovingRange()
  var pendingStep: PerPhase<PendingStep?> = PerPhase(all: nil)
  var missesSteps = PerPhase(all: false)
  /// The largest uncontrolled load of this and of the bucket before; together they span at least one sample interval (rule 11).
  var bucketStart: Monotonic?
  var bucket: PerPhase<Current> = .zero
  var bucketBefore: PerPhase<Current>?
  /// The uncontrolled load that the newest reading proves, as it counts for cuts.
  var baseForCuts: PerPhase<Current>?
  var contract: ContractState?
  /// What was ordered by hand, beside the site file: a cap, and works.
  var orderedCap: PerPhase<Current>?
  var isUnderWorks = false
  /// A phase has been over its limit since.
  var overSince: PerPhase<Monotonic?> = PerPhase(all: nil)
}

/// The running window of a contractual mean (rule 4).
struct ContractState: Sendable, Codable {
  var windowStart: Instant
  var accountedUntil: Instant
  /// Current x time of the window so far, mA·ms per phase; what was not seen is counted at its worst.
  var chargeSoFar: PerPhase<Int>
  /// Power x time of the window so far, mW·ms.
  var workSoFar: Int
  /// The meter's energy register when it last moved, and `workSoFar` then.
  var anchor: Anchor?

  struct Anchor: Sendable, Codable {
    var register: Energy
    var work: Int
  }

  /// What the register has counted since it last moved replaces what was worked out from samples, or counted at its worst. A register
  /// that moved back was replaced: it counts from now on.
  mutating func follow(_ register: Energy) {
    guard let last = anchor, register >= last.register else {
      anchor = Anchor(register: register, work: workSoFar)
      return
    }
    guard register > last.register else { return }
    let work = (register - last.register).raw.multipliedReportingOverflow(by: 3_600_000)
    workSoFar = work.overflow ? .max / 2 : last.work + work.partialValue
    anchor = Anchor(register: register, work: workSoFar)
  }
}

extension CircuitState {
  /// Keeps the largest uncontrolled load over at least `span`, at most twice that.
  mutating func notice(_ base: PerPhase<Current>, at now: Monotonic, span: TimeSpan) {
    guard let start = bucketStart else {
      (bucketStart, bucket, bucketBefore) = (now, base, nil)
      return
    }
    if now - start >= span {
      bucketBefore = now - start >= span * 2 ? nil : bucket
      (bucketStart, bucket) = (now, base)
    } else {
      bucket = bucket.maximum(base)
    }
  }

  /// The uncontrolled load as it counts for rises: the largest of the last interval.
  var baseForRises: PerPhase<Current> { bucketBefore.map { bucket.maximum($0) } ?? bucket }
}
