import Quantities

extension Policy {
  /// Somebody who is there in a slot, for houses that go through the slots themselves.
  public struct Contender: Hashable, Sendable {
    public var circuit: Int
    public var phases: Phases
    /// The least useful current, and the most that it can take in this slot; the least is positive.
    public var least: Current
    public var most: Current
    /// Shares are floored to multiples of it; positive.
    public var step: Current
    /// The first slot of its stay, and the one after its last.
    public var from: Int
    public var until: Int
    /// What it lacks, as the current that would give it in one slot.
    public var lacking: Current
    public init(
      circuit: Int, phases: Phases, least: Current, most: Current, step: Current, from: Int, until: Int, lacking: Current
    ) {
      (self.circuit, self.phases, self.least, self.most, self.step) = (circuit, phases, least, most, step)
      (self.from, self.until, self.lacking) = (from, until, lacking)
    }
  }

  /// What each contender gets in one slot, in the order of `contenders`: zero, or from its least to its most.
  /// - Precondition: not `optimal`; parents stand before their children.
  /// - Complexity: O(*n* log *n* + *n* x depth).
  public func shares(_ circuits: [FairShare.Circuit], _ contenders: [Contender], slot: Int) -> [Current] {
    precondition(self != .optimal)
    if self == .uncontrolled { return contenders.map { $0.most.floored(to: $0.step) } }
    let keys = contenders.map { rank(from: $0.from, until: $0.until, lacking: $0.lacking.raw, most: $0.most.raw, in: slot) }
    let order = contenders.indices.filter { contenders[$0].most >= contenders[$0].least }.sorted { (keys[$0], $0) < (keys[$1], $1) }
    return self == .equalShare ? equally(circuits, contenders, order) : inTurn(circuits, contenders, order)
  }

  private func equally(_ circuits: [FairShare.Circuit], _ contenders: [Contender], _ order: [Int]) -> [Current] {
    var shares = [Current](repeating: .zero, count: contenders.count)
    let claims = order.map { i in
      let contender = contenders[i]
      return FairShare.Claim(circuit: contender.circuit, phases: contender.phases, floor: contender.least, cap: contender.most)
    }
    for (i, share) in zip(order, FairShare.allocate(circuits: circuits, claims: claims)) {
      shares[i] = Self.useful(share.current, contenders[i])
    }
    return shares
  }

  private func inTurn(_ circuits: [FairShare.Circuit], _ contenders: [Contender], _ order: [Int]) -> [Current] {
    var shares = [Current](repeating: .zero, count: contenders.count)
    var rooms = circuits.map(\.room)
    for i in order {
      let contender = contenders[i]
      var free = contender.most
      var place: Int? = contender.circuit
      while let k = place {
        for phase in Phase.allCases where contender.phases.contains(phase) { free = min(free, rooms[k][phase]) }
        place = circuits[k].parent
      }
      shares[i] = Self.useful(max(.zero, free), contender)
      place = contender.circuit
      while let k = place {
        rooms[k] -= PerPhase(shares[i], on: contender.phases)
        place = circuits[k].parent
      }
    }
    return shares
  }

  private static func useful(_ current: Current, _ contender: Contender) -> Current {
    let floored = current.floored(to: contender.step)
    return floored < contender.least ? .zero : floored
  }
}
