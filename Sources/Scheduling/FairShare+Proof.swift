import Quantities

extension FairShare {
  /// A place where shares are not what `allocate` promises.
  public enum Violation: Hashable, Sendable {
    /// The shares below a circuit draw more than its room.
    case overRoom(Binding, by: Current)
    /// A share that is neither zero nor between the claim's floor and its cap.
    case outOfRange(claim: Int)
    /// A claim was refused although its floor fitted beside those admitted before it.
    case refusedWithRoom(claim: Int)
    /// An admitted claim below its cap without a full circuit and phase on its path where nobody above the floor has a larger
    /// share for its weight.
    case noBottleneck(claim: Int)
  }

  /// Proves an allocation by the bottleneck condition, which only the max-min fair shares fulfil; empty when all is well.
  ///
  /// Shares are whole milliamperes, so a circuit counts as full when less than a milliampere per claim below it is left, and shares
  /// are compared to within one milliampere.
  /// - Complexity: O(*n*² · depth) at worst: a check for tests and audits, not for the guard's path.
  /// - Source: Bertsekas & Gallager, *Data Networks*, 2nd ed. (1992), §6.5.2, the bottleneck arc.
  public static func bottleneckViolations(circuits: [Circuit], claims: [Claim], shares: [Share]) -> [Violation] {
    precondition(shares.count == claims.count)
    var audit = Audit(circuits: circuits, claims: claims, shares: shares)
    return audit.overRoom() + audit.badShares()
  }

  private struct Audit {
    let circuits: [Circuit]
    let claims: [Claim]
    let shares: [Share]
    /// For each circuit the claims at it and below it.
    var below: [[Int]]

    init(circuits: [Circuit], claims: [Claim], shares: [Share]) {
      (self.circuits, self.claims, self.shares) = (circuits, claims, shares)
      below = Array(repeating: [], count: circuits.count)
      for claim in claims.indices { for circuit in path(of: claim) { below[circuit].append(claim) } }
    }

    func path(of claim: Int) -> [Int] {
      var path = [claims[claim].circuit]
      while let above = circuits[path[path.count - 1]].parent { path.append(above) }
      return path
    }

    func users(_ circuit: Int, _ phase: Phase) -> [Int] { below[circuit].filter { claims[$0].phases.contains(phase) } }

    func overRoom() -> [Violation] {
      var found: [Violation] = []
      for circuit in circuits.indices {
        for phase in Phase.allCases {
          let drawn = users(circuit, phase).reduce(0) { $0 + shares[$1].current.raw }
          let over = drawn - max(0, circuits[circuit].room[phase].raw)
          if over > 0 { found.append(.overRoom(Binding(circuit: circuit, phase: phase), by: Current(raw: over))) }
        }
      }
      return found
    }

    mutating func badShares() -> [Violation] {
      var found: [Violation] = []
      for index in claims.indices {
        let (claim, current) = (claims[index], shares[index].current)
        if current == .zero {
          if !wasRefusedRightly(index) { found.append(.refusedWithRoom(claim: index)) }
        } else if current < claim.floor || current > claim.cap {
          found.append(.outOfRange(claim: index))
        } else if current < claim.cap && !hasBottleneck(index) {
          found.append(.noBottleneck(claim: index))
        }
      }
      return found
    }

    func wasRefusedRightly(_ index: Int) -> Bool {
      path(of: index).contains { circuit in
        Phase.allCases.contains { phase in
          guard claims[index].phases.contains(phase) else { return false }
          let before = users(circuit, phase).filter { $0 < index && shares[$0].current > .zero }
          let floors = before.reduce(0) { $0 + claims[$1].floor.raw }
          return circuits[circuit].room[phase].raw - floors < claims[index].floor.raw
        }
      }
    }

    func hasBottleneck(_ index: Int) -> Bool {
      path(of: index).contains { circuit in
        Phase.allCases.contains { phase in
          claims[index].phases.contains(phase) && isFull(circuit, phase) && isLargest(index, among: users(circuit, phase))
        }
      }
    }

    func isFull(_ circuit: Int, _ phase: Phase) -> Bool {
      let all = users(circuit, phase)
      let drawn = all.reduce(0) { $0 + shares[$1].current.raw }
      let weight = all.reduce(0) { $0 + claims[$1].weight }
      return circuits[circuit].room[phase].raw - drawn <= all.count + weight >> FairShare.fraction
    }

    func isLargest(_ index: Int, among others: [Int]) -> Bool {
      let (mine, weight) = (shares[index].current.raw, claims[index].weight)
      return others.allSatisfy { other in
        let (share, claim) = (shares[other].current, claims[other])
        return share <= claim.floor || (share.raw - 1) * weight < (mine + 1) * claim.weight
      }
    }
  }
}
