import Quantities
import Testing

@testable import Scheduling

@Suite struct FairShareTests {
  typealias Circuit = FairShare.Circuit
  typealias Claim = FairShare.Claim

  func amps(_ value: Int) -> PerPhase<Current> { PerPhase(all: .amperes(value)) }
  func claim(at circuit: Int, _ phases: Phases = .all, upTo cap: Int = 32, weight: Int = 1) -> Claim {
    Claim(circuit: circuit, phases: phases, floor: .amperes(6), cap: .amperes(cap), weight: weight)
  }
  func currents(_ circuits: [Circuit], _ claims: [Claim]) -> [Int] {
    FairShare.allocate(circuits: circuits, claims: claims).map(\.current.milliamperes)
  }

  @Test func `equal claims share a circuit equally, and a small cap leaves the rest to the others`() {
    let site = [Circuit(parent: nil, room: amps(63))]
    #expect(currents(site, [claim(at: 0), claim(at: 0), claim(at: 0)]) == [21000, 21000, 21000])
    #expect(currents(site, [claim(at: 0, upTo: 13), claim(at: 0), claim(at: 0)]) == [13000, 25000, 25000])
  }

  @Test func `weights divide what is above, but never push anybody below the floor`() {
    let site = [Circuit(parent: nil, room: amps(36))]
    #expect(currents(site, [claim(at: 0, weight: 2), claim(at: 0, weight: 1)]) == [24000, 12000])
    #expect(currents(site, [claim(at: 0, weight: 8), claim(at: 0, weight: 1)]) == [30000, 6000])
  }

  @Test func `who finds no six amperes gets nothing and is told where`() {
    let circuits = [
      Circuit(parent: nil, room: amps(100)), Circuit(parent: 0, room: PerPhase(.amperes(32), .amperes(17), .amperes(32))),
    ]
    let shares = FairShare.allocate(circuits: circuits, claims: [claim(at: 1), claim(at: 1), claim(at: 1), claim(at: 1, .l1)])
    #expect(shares.map(\.current) == [.milliamperes(8500), .milliamperes(8500), .zero, .milliamperes(15000)])
    let neck = FairShare.Binding(circuit: 1, phase: .l2)
    #expect(shares.map(\.binding) == [neck, neck, neck, FairShare.Binding(circuit: 1, phase: .l1)])
  }

  @Test func `a full feeder stops its own claims only, and a circuit below zero admits nobody`() {
    let circuits = [
      Circuit(parent: nil, room: amps(80)), Circuit(parent: 0, room: amps(20)), Circuit(parent: 0, room: amps(-3)),
      Circuit(parent: 0, room: amps(63)),
    ]
    let claims = [claim(at: 1), claim(at: 1), claim(at: 2), claim(at: 3), claim(at: 3)]
    #expect(currents(circuits, claims) == [10000, 10000, 0, 30000, 30000])
    #expect(FairShare.allocate(circuits: circuits, claims: claims)[2].binding == FairShare.Binding(circuit: 2, phase: .l1))
  }

  @Test func `the order of admission is the order of the claims`() {
    let site = [Circuit(parent: nil, room: amps(13))]
    #expect(currents(site, [claim(at: 0), claim(at: 0), claim(at: 0)]) == [6500, 6500, 0])
  }

  @Test func `at its cap a claim names no binding, and nothing to share is no fault`() {
    let site = [Circuit(parent: nil, room: amps(400))]
    #expect(FairShare.allocate(circuits: site, claims: [claim(at: 0)]) == [FairShare.Share(current: .amperes(32), binding: nil)])
    #expect(FairShare.allocate(circuits: site, claims: []) == [])
    #expect(FairShare.allocate(circuits: [], claims: []) == [])
  }

  @Test func `the proof finds an unfair share, an overload and a needless refusal`() {
    let site = [Circuit(parent: nil, room: amps(32))]
    let claims = [claim(at: 0), claim(at: 0)]
    func violations(_ milliamperes: [Int]) -> [FairShare.Violation] {
      let shares = milliamperes.map { FairShare.Share(current: Current(milliamperes: $0), binding: nil) }
      return FairShare.bottleneckViolations(circuits: site, claims: claims, shares: shares)
    }
    #expect(violations([16000, 16000]) == [])
    #expect(violations([15000, 17000]) == [.noBottleneck(claim: 0)])
    #expect(violations([15000, 15000]) == [.noBottleneck(claim: 0), .noBottleneck(claim: 1)])
    #expect(violations([0, 32000]) == [.refusedWithRoom(claim: 0)])
    #expect(violations([5000, 27000]) == [.outOfRange(claim: 0)])
    #expect(violations([17000, 17000]).contains(.overRoom(FairShare.Binding(circuit: 0, phase: .l1), by: .amperes(2))))
  }
}
