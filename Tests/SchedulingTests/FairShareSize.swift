import Quantities
import Testing

@testable import Scheduling

@Suite struct FairShareSize {
  @Test func `ten thousand claims below a thousand circuits pass the bottleneck proof`() {
    var dice = Seeded(7)
    var circuits = [FairShare.Circuit(parent: nil, room: PerPhase(all: .amperes(90_000)))]
    for feeder in 0..<100 { circuits.append(FairShare.Circuit(parent: 0, room: PerPhase(all: .amperes(700 + 5 * feeder)))) }
    for group in 0..<900 {
      circuits.append(FairShare.Circuit(parent: 1 + group % 100, room: PerPhase(all: .amperes(dice.whole(60...250)))))
    }
    let claims = (0..<10_000).map { index in
      FairShare.Claim(
        circuit: 101 + index % 900, phases: index % 5 < 3 ? .all : Phases(rawValue: 1 << UInt8(index % 3)), floor: .amperes(6),
        cap: .amperes(dice.chance(50) ? 16 : 32), weight: dice.whole(1...100))
    }
    var workspace = FairShare.Workspace()
    var shares: [FairShare.Share] = []
    let clock = ContinuousClock()
    var best = Duration.seconds(99)
    for _ in 0..<5 {
      best = min(best, clock.measure { FairShare.allocate(circuits: circuits, claims: claims, using: &workspace, into: &shares) })
    }
    print("10,000 claims shared in \(best)")
    #expect(shares.contains { $0.binding?.circuit ?? 0 > 100 } && shares.contains { $0.binding == nil })
    #expect(FairShare.bottleneckViolations(circuits: circuits, claims: claims, shares: shares).isEmpty)
  }
}
