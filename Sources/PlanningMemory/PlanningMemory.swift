/// A session as the kernels see it.
@frozen public struct SessionRow: BitwiseCopyable, Sendable {
  /// Its vectors are `offset..<offset + count` in the arrays of a value per session and slot; the first holds slot `first` · 8.
  public var offset = 0
  public var first = 0
  public var count = 0
  /// The slots in which it may charge.
  public var start = 0
  public var end = 0
  public var circuit = 0
  /// Bits of the phases it uses.
  public var phases = 0
  /// Its value steps in `worth` and `reach`; at least one.
  public var steps = 0
  public var stepCount = 0
  /// Amperes.
  public var most = 0.0
  /// kWh per ampere and slot.
  public var unit = 0.0
  /// Step size: one over what the rows of limits that it touches add up to.
  public var pace: Float = 1
  public init() {}
}

/// Vectors that stand together, `start..<end`.
@frozen public struct VectorRun: BitwiseCopyable, Sendable {
  public var start = 0
  public var end = 0
  public init() {}
}

/// A planning problem and the state of its solution in memory. Time runs in vectors of eight slots; arrays "per limit" hold for each
/// circuit and phase one vector per eight slots; sessions are sorted by circuit.
public struct PlanningMemory: Sendable {
  public typealias Lanes = SIMD8<Float>
  public typealias Wide = SIMD8<Double>
  public var slots = 0
  /// Vectors per limit, phase and session-wide row.
  public var chunks = 0
  public var circuits = 0
  public var sessions = 0

  // The problem.
  public let rows: Slab<SessionRow>
  /// For each circuit its parent, or -1; its sessions are `firstSession[k]..<endSession[k]`; which sets of phases these have.
  public let parent: Slab<Int32>
  public let firstSession: Slab<Int32>
  public let endSession: Slab<Int32>
  public let masks: Slab<UInt8>
  /// Runs of vectors per limit in which any limit can bind; those of a circuit are `firstRun[k]..<firstRun[k + 1]`.
  public let runs: Slab<VectorRun>
  public let firstRun: Slab<Int32>
  /// EUR per ampere-slot of each value step, falling; the ampere-slots up to its end.
  public let worth: Slab<Float>
  public let reach: Slab<Float>
  public let exactWorth: Slab<Double>
  public let exactReach: Slab<Double>
  /// EUR per kWh, slot by slot; kWh per ampere, slot and phase.
  public let cost: Slab<Lanes>
  public let exactCost: Slab<Wide>
  public var unit: Double
  /// Added to the cost of a session's first and last vector, where they reach out of its window: by the slots outside.
  public let before: Slab<Lanes>
  public let after: Slab<Lanes>
  public let exactBefore: Slab<Wide>
  public let exactAfter: Slab<Wide>
  /// Per limit: amperes; one over the sessions that may draw there, or zero where it cannot bind; and how many they are.
  public let limit: Slab<Lanes>
  public let exactLimit: Slab<Wide>
  public let sigma: Slab<Lanes>
  public let users: Slab<Lanes>

  // The iteration: what the last step proposed, where it stands, where the last restart was.
  public let plan: Slab<Lanes>
  public let standing: Slab<Lanes>
  public let anchor: Slab<Lanes>
  /// What is added to a session's cost in a slot, EUR per ampere-slot: how a plan is led towards currents of use. Empty if unused.
  public var tilt: Slab<Lanes>
  public let price: Slab<Lanes>
  public let priceStanding: Slab<Lanes>
  public let priceAnchor: Slab<Lanes>
  /// What other rows than the limits (balance, quarters, peak) add to the standing price of a circuit's phases. Empty if unused.
  public var extra: Slab<Lanes>
  /// The worth of the last ampere-slot of each session, EUR, and the value step where the search for it ended.
  public let energyPrice: Slab<Float>
  public let place: Slab<Int32>
  /// The price of an ampere with those of all circuits above, and the sums of the currents.
  public let path: Slab<Lanes>
  public let sums: Slab<Lanes>
  /// What each circuit adds to the residual.
  public let residual: Slab<Double>

  // The proof.
  public let exactPath: Slab<Wide>
  /// What each session could gain at most at the prices, EUR.
  public let gain: Slab<Double>

  public init(
    slots: Int, circuits: Int, sessions: Int, vectors: Int, steps: Int, unit: Double, in arena: Arena
  ) {
    (self.slots, self.circuits, self.sessions, self.unit) = (slots, circuits, sessions, unit)
    let chunks = (slots + 7) / 8
    self.chunks = chunks
    let limits = circuits * 3 * chunks
    rows = arena.slab(sessions, SessionRow())
    parent = arena.slab(circuits, -1)
    firstSession = arena.slab(circuits, 0)
    endSession = arena.slab(circuits, 0)
    masks = arena.slab(circuits, 0)
    runs = arena.slab(limits, VectorRun())
    firstRun = arena.slab(circuits + 1, 0)
    worth = arena.slab(steps, 0)
    reach = arena.slab(steps, 0)
    exactWorth = arena.slab(steps, 0)
    exactReach = arena.slab(steps, 0)
    cost = arena.slab(chunks, .zero)
    exactCost = arena.slab(chunks, .zero)
    before = arena.slab(8, .zero)
    after = arena.slab(9, .zero)
    exactBefore = arena.slab(8, .zero)
    exactAfter = arena.slab(9, .zero)
    limit = arena.slab(limits, .zero)
    exactLimit = arena.slab(limits, .zero)
    sigma = arena.slab(limits, .zero)
    users = arena.slab(limits, .zero)
    plan = arena.slab(vectors, .zero)
    standing = arena.slab(vectors, .zero)
    anchor = arena.slab(vectors, .zero)
    tilt = arena.slab(0, .zero)
    price = arena.slab(limits, .zero)
    priceStanding = arena.slab(limits, .zero)
    priceAnchor = arena.slab(limits, .zero)
    extra = arena.slab(0, .zero)
    energyPrice = arena.slab(sessions, 0)
    place = arena.slab(sessions, 0)
    path = arena.slab(limits, .zero)
    sums = arena.slab(limits, .zero)
    residual = arena.slab(circuits, 0)
    exactPath = arena.slab(limits, .zero)
    gain = arena.slab(sessions, 0)
  }
}

extension PlanningMemory {
  /// Traps unless all that the kernels reach by what the memory itself says (windows, offsets, steps, parents) lies within its slabs.
  /// - Complexity: O(sessions + circuits): once for each problem.
  public func requireWhole() {
    let limits = circuits * 3 * chunks
    precondition(slots > 0 && chunks == (slots + 7) / 8 && cost.count == chunks && exactCost.count == chunks)
    for count in [
      limit.count, sigma.count, users.count, price.count, priceStanding.count, priceAnchor.count, path.count, sums.count,
    ] {
      precondition(count == limits)
    }
    precondition(runs.count == limits && firstRun.count == circuits + 1)
    precondition(exactLimit.count == limits && exactPath.count == limits && (extra.count == 0 || extra.count == limits))
    precondition(standing.count == plan.count && anchor.count == plan.count && (tilt.count == 0 || tilt.count == plan.count))
    precondition(before.count == 8 && after.count == 9 && exactBefore.count == 8 && exactAfter.count == 9)
    for count in [parent.count, firstSession.count, endSession.count, masks.count, residual.count] {
      precondition(count == circuits)
    }
    for k in 0..<circuits {
      precondition(parent[k] >= -1 && Int(parent[k]) < k && (k == 0 || parent[k] >= 0))
      precondition(firstSession[k] >= 0 && firstSession[k] <= endSession[k] && Int(endSession[k]) <= sessions)
      precondition(firstRun[k] >= 0 && firstRun[k] <= firstRun[k + 1] && Int(firstRun[k + 1]) <= limits)
      for r in Int(firstRun[k])..<Int(firstRun[k + 1]) {
        precondition(runs[r].start >= k * 3 * chunks && runs[r].start <= runs[r].end && runs[r].end <= (k + 1) * 3 * chunks)
      }
    }
    for count in [rows.count, energyPrice.count, place.count, gain.count] { precondition(count == sessions) }
    for count in [reach.count, exactWorth.count, exactReach.count] { precondition(count == worth.count) }
    for at in 0..<sessions {
      let row = rows[at]
      precondition(row.offset >= 0 && row.count > 0 && row.offset + row.count <= plan.count)
      precondition(row.first >= 0 && row.first + row.count <= chunks && row.start / 8 == row.first)
      precondition(row.end > (row.first + row.count - 1) * 8 && row.end <= (row.first + row.count) * 8)
      precondition(row.steps >= 0 && row.stepCount > 0 && row.steps + row.stepCount <= worth.count)
      precondition((1...7).contains(row.phases) && (0..<circuits).contains(row.circuit))
      precondition(place[at] >= 0 && Int(place[at]) < row.stepCount)
    }
  }
}
