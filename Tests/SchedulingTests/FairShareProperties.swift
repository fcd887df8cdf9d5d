import Quantities
import Testing

@testable import Scheduling

@Suite struct FairShareProperties {
  struct Case {
    var circuits: [FairShare.Circuit] = []
    var claims: [FairShare.Claim] = []
  }

  /// Trees from a single circuit to long chains, rooms from below zero to plenty, every set of phases, weights from equal to wild.
  func random(_ seed: Int, largest: Int = 40) -> Case {
    var dice = Seeded(seed)
    var made = Case()
    let (deep, tight, wild) = (dice.chance(30), dice.whole(1...4), dice.chance(30))
    for index in 0..<dice.whole(1...9) {
      let parent = index == 0 || dice.chance(5) ? nil : deep ? index - 1 : dice.whole(0...(index - 1))
      let room = dice.chance(8) ? -5000...5000 : 3000...(60_000 * tight)
      let same = dice.whole(room)
      let even = dice.chance(50)
      made.circuits.append(
        FairShare.Circuit(
          parent: parent,
          room: PerPhase(0, 1, 2).map { _ in Current(milliamperes: even ? same : dice.whole(room)) }))
    }
    for _ in 0..<dice.whole(0...largest) {
      let floor = dice.chance(70) ? 6000 : dice.whole(1...9000)
      let cap = dice.chance(10) ? floor : floor + dice.whole(1...60_000)
      made.claims.append(
        FairShare.Claim(
          circuit: dice.whole(0...(made.circuits.count - 1)),
          phases: dice.chance(50) ? .all : Phases(rawValue: UInt8(dice.whole(1...7))), floor: Current(milliamperes: floor),
          cap: Current(milliamperes: cap), weight: wild ? dice.whole(1...1_000_000) : dice.whole(1...5)))
    }
    return made
  }

  /// Progressive filling in fractions, one freeze at a time, each level found by bisection: slow, and plain to read.
  func reference(_ world: Case, admitted: [Bool]) -> [Double] {
    func path(_ claim: FairShare.Claim) -> [Int] {
      var path = [claim.circuit]
      while let above = world.circuits[path[path.count - 1]].parent { path.append(above) }
      return path
    }
    let paths = world.claims.map(path)
    var fixed: [Double?] = admitted.map { $0 ? nil : 0 }
    func current(_ index: Int, _ level: Double) -> Double {
      let claim = world.claims[index]
      return fixed[index] ?? max(Double(claim.floor.raw), min(Double(claim.cap.raw), Double(claim.weight) * level))
    }
    func full(at level: Double) -> [(Int, Phase)] {
      var found: [(Int, Phase)] = []
      for circuit in world.circuits.indices {
        for phase in Phase.allCases {
          let users = world.claims.indices.filter { world.claims[$0].phases.contains(phase) && paths[$0].contains(circuit) }
          guard users.contains(where: { fixed[$0] == nil }) else { continue }
          let drawn = users.reduce(0.0) { $0 + current($1, level) }
          if drawn > Double(world.circuits[circuit].room[phase].raw) + 1e-7 { found.append((circuit, phase)) }
        }
      }
      return found
    }
    while fixed.contains(where: { $0 == nil }) {
      var (low, high) = (0.0, 70_000.0)
      if full(at: high).isEmpty {
        for index in fixed.indices where fixed[index] == nil { fixed[index] = current(index, high) }
        break
      }
      for _ in 0..<90 {
        let middle = (low + high) / 2
        if full(at: middle).isEmpty { low = middle } else { high = middle }
      }
      let necks = full(at: high)
      let stopped = world.claims.indices.filter { index in
        fixed[index] == nil && necks.contains { paths[index].contains($0.0) && world.claims[index].phases.contains($0.1) }
      }
      let values = stopped.map { current($0, low) }
      for (index, value) in zip(stopped, values) { fixed[index] = value }
    }
    return fixed.map { $0 ?? 0 }
  }

  @Test func `four thousand random trees: every share passes the bottleneck proof`() {
    var workspace = FairShare.Workspace()
    var shares: [FairShare.Share] = []
    for seed in 0..<4000 {
      let world = random(seed)
      FairShare.allocate(circuits: world.circuits, claims: world.claims, using: &workspace, into: &shares)
      let wrong = FairShare.bottleneckViolations(circuits: world.circuits, claims: world.claims, shares: shares)
      #expect(wrong.isEmpty, "seed \(seed): \(wrong)")
      for (claim, share) in zip(world.claims, shares) {
        #expect((share.binding == nil) == (share.current == claim.cap), "seed \(seed)")
      }
    }
  }

  @Test func `a thousand random trees: the shares are those of slow progressive filling, to the milliampere per claim`() {
    for seed in 10_000..<11_000 {
      let world = random(seed, largest: 14)
      let shares = FairShare.allocate(circuits: world.circuits, claims: world.claims)
      let slow = reference(world, admitted: shares.map { $0.current > .zero })
      let tolerance = 2 + 2 * Double(world.claims.count)
      for index in shares.indices {
        let (fast, exact) = (Double(shares[index].current.raw), slow[index])
        #expect(abs(fast - exact) <= tolerance, "seed \(seed) claim \(index): \(fast) is not \(exact)")
      }
    }
  }

  @Test func `memory kept from other problems changes nothing`() {
    var workspace = FairShare.Workspace()
    var shares: [FairShare.Share] = []
    for seed in 20_000..<20_300 {
      let world = random(seed)
      FairShare.allocate(circuits: world.circuits, claims: world.claims, using: &workspace, into: &shares)
      #expect(shares == FairShare.allocate(circuits: world.circuits, claims: world.claims), "seed \(seed)")
    }
  }

  @Test func `renaming the phases moves no share by more than a milliampere`() {
    for seed in 30_000..<30_500 {
      let world = random(seed)
      var turned = world
      for index in turned.circuits.indices {
        let room = world.circuits[index].room
        turned.circuits[index].room = PerPhase(room.l3, room.l1, room.l2)
      }
      for index in turned.claims.indices {
        let bits = world.claims[index].phases.rawValue
        turned.claims[index].phases = Phases(rawValue: ((bits << 1) | (bits >> 2)) & 7)
      }
      let plain = FairShare.allocate(circuits: world.circuits, claims: world.claims).map(\.current)
      let after = FairShare.allocate(circuits: turned.circuits, claims: turned.claims).map(\.current)
      // Two phases full at the same level are settled in the order of their names, which may move the last milliampere.
      for index in plain.indices { #expect(abs(plain[index].raw - after[index].raw) <= 1, "seed \(seed)") }
    }
  }

  @Test func `a circuit split into two of the same size in a row changes no share`() {
    for seed in 40_000..<40_500 {
      let world = random(seed)
      var split = Case()
      for circuit in world.circuits {
        split.circuits.append(FairShare.Circuit(parent: circuit.parent.map { 2 * $0 + 1 }, room: circuit.room))
        split.circuits.append(FairShare.Circuit(parent: split.circuits.count - 1, room: circuit.room))
      }
      split.claims = world.claims
      for index in split.claims.indices { split.claims[index].circuit = 2 * world.claims[index].circuit + 1 }
      let plain = FairShare.allocate(circuits: world.circuits, claims: world.claims).map(\.current)
      let double = FairShare.allocate(circuits: split.circuits, claims: split.claims).map(\.current)
      // A row and its double may be settled one after the other, each time rounded down to a milliampere.
      for index in plain.indices { #expect(abs(plain[index].raw - double[index].raw) <= plain.count, "seed \(seed)") }
    }
  }
}
