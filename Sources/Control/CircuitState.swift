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
  /// A phase has been over the rating of its device since, with vehicles below; and when that device was last told to open.
  var overRatingSince: Monotonic?
  var trippedAt: Monotonic?
}

/// The running window of a contractual mean (rule 4).
struct ContractState: Sendable, Codable {
  var windowStart: Instant
  var accountedUntil: Instant
  /// Current x time of the window so far, mA·ms per phase; what was not seen is counted at its worst.
  var chargeSoFar: PerPhase<Int>
  /// Power x time of the window so far, mW·ms.
  var workSoFar: Int
  /// What the meter's energy register has counted in this window; nil: it has not been read.
  private(set) var counter: RegisterCount?

  init(windowStart: Instant, accountedUntil: Instant, chargeSoFar: PerPhase<Int>, workSoFar: Int) {
    (self.windowStart, self.accountedUntil) = (windowStart, accountedUntil)
    (self.chargeSoFar, self.workSoFar) = (chargeSoFar, workSoFar)
  }

  /// - Parameters:
  ///   - work: mW·ms since the last time.
  ///   - isSeen: from a sample; otherwise at its worst.
  ///   - register: nil: it is not read now.
  mutating func add(_ work: Int, isSeen: Bool, register: Energy?) {
    counter?.add(work, isSeen: isSeen)
    workSoFar = counter?.workSoFar ?? workSoFar + work
    guard let register else { return }
    if counter?.read(register) ?? false {
      workSoFar = counter?.workSoFar ?? workSoFar
    } else {
      counter = RegisterCount(register, before: workSoFar)
    }
  }

  /// Another meter counts from now on.
  mutating func forgetRegister() { counter = nil }
}

/// What a meter's energy register says of a window, beside what was worked out from samples. mW·ms.
struct RegisterCount: Sendable, Codable {
  /// When it was read first in the window, and what had been counted until then.
  private var first: Energy
  private var before: Int
  private var last: Energy
  /// Until the last reading: from samples, and at its worst where nobody saw it.
  private var measured = 0
  private var unseen = 0
  /// Since the last reading.
  private var newlyMeasured = 0
  private var newlyUnseen = 0
  /// The largest step between two readings that followed each other: what the register may lag behind.
  private var largestStep = 0
  /// No window has more: sums of these stay in 64 bits.
  private static let most = Int.max / 16

  init(_ register: Energy, before: Int) { (first, self.before, last) = (register, min(before, Self.most), register) }

  mutating func add(_ work: Int, isSeen: Bool) {
    if isSeen { newlyMeasured = min(Self.most, newlyMeasured + work) } else { newlyUnseen = min(Self.most, newlyUnseen + work) }
  }

  /// - Returns: false: it has moved back, so it is another register.
  mutating func read(_ register: Energy) -> Bool {
    guard register >= last else { return false }
    if newlyUnseen == 0 { largestStep = max(largestStep, Self.work(register - last)) }
    last = register
    (measured, unseen) = (min(Self.most, measured + newlyMeasured), min(Self.most, unseen + newlyUnseen))
    (newlyMeasured, newlyUnseen) = (0, 0)
    return true
  }

  /// The samples' sum, until the last reading as far as the register bears it out: at least what it has counted, at most that, a tenth, and
  /// a step. One that does not move bears nothing out; and one that counts much less than was measured is not believed (rule 4).
  var workSoFar: Int {
    let counted = Self.work(last - first)
    let most = largestStep > 0 ? counted + counted / 10 + largestStep : Self.most
    return before + max(min(measured + unseen, most), counted, measured / 10 * 9) + newlyMeasured + newlyUnseen
  }

  private static func work(_ energy: Energy) -> Int {
    let product = energy.raw.multipliedReportingOverflow(by: 3_600_000)
    return product.overflow ? most : min(product.partialValue, most)
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
