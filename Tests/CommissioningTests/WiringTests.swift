import Quantities
import Site
import Testing

@testable import Commissioning

@Suite struct `A step test` {
  static let single = [Phases.l1, .l2, .l3]

  @Test(arguments: PhaseRotation.allCases) func `finds the phase of each conductor, and with two loads the whole order`(
    rotation: PhaseRotation
  ) {
    for seed: UInt64 in 1...40 {
      var findings: [StepFinding] = []
      for load in [Phases.l1, .l2] {
        var bench = Bench(seed: seed)
        (bench.rotation, bench.load, bench.noise) = (rotation, load, 400)
        let (judgement, _, found) = bench.test()
        #expect(judgement.evidence.first?.phases == rotation.onCircuit(load), "seed \(seed)")
        #expect(judgement.rotations.contains(rotation), "seed \(seed)")
        findings += found
      }
      #expect(WiringJudgement(findings).rotations == [rotation], "seed \(seed)")
    }
  }

  @Test func `on three phases proves their transformers, and leaves the order open`() {
    for seed: UInt64 in 1...40 {
      var bench = Bench(seed: seed)
      bench.rotation = PhaseRotation.allCases[Int(seed) % 6]
      let (judgement, _, _) = bench.test()
      #expect(judgement.rotations == PhaseRotation.allCases, "seed \(seed)")
      #expect(Phase.allCases.allSatisfy { judgement.transformers[$0]?.isRight == true }, "seed \(seed)")
      let verdict = WiringVerdict(judgement, wiring: Connector.Wiring(rotation: .str))
      #expect(verdict.outcome == .open, "seed \(seed)")
    }
  }

  @Test(arguments: [2000, 5000, 500, 200, -1000, -2000]) func `names a meter that counts wrong, on all phases and on one`(
    factor: Int
  ) {
    for seed: UInt64 in 1...40 {
      var bench = Bench(seed: seed)
      var dice = Dice(seed)
      let one = Phase.allCases[dice.pick(0...2)]
      if seed % 2 == 0 { bench.factors = PerPhase(all: factor) } else { bench.factors[one] = factor }
      let (judgement, _, _) = bench.test()
      for phase in Phase.allCases {
        let found = judgement.transformers[phase]
        #expect((found?.isRight ?? false) == (bench.factors[phase] == 1000), "seed \(seed)")
        guard let found, bench.factors[phase] != 1000 else { continue }
        #expect(found.isTurned == (factor < 0), "seed \(seed)")
        guard let ratio = found.likelyRatio else {
          #expect(factor == -1000, "seed \(seed)")
          continue
        }
        #expect(ratio.numerator * 1000 == abs(factor) * ratio.denominator, "seed \(seed)")
      }
      let verdict = WiringVerdict(judgement, wiring: Connector.Wiring())
      #expect(verdict.outcome == .failed, "seed \(seed)")
    }
  }

  @Test func `never proves a wrong phase or factor, whatever the rest of the circuit does`() {
    var proven = 0
    for seed: UInt64 in 1...600 {
      var dice = Dice(seed)
      var bench = Bench(seed: seed)
      bench.rotation = PhaseRotation.allCases[dice.pick(0...5)]
      bench.load = [Phases.all, .l1, .l2, .l3, [.l1, .l2]][dice.pick(0...4)]
      bench.noise = dice.pick(0...2500)
      bench.ramp = .seconds(dice.pick(0...30))
      for _ in 0..<dice.pick(0...6) {
        bench.baseSteps.append((dice.pick(0...7), Phase.allCases[dice.pick(0...2)], dice.pick(-12...12)))
      }
      let (judgement, _, _) = bench.test()
      for found in judgement.evidence {
        proven += 1
        #expect(found.conductors == bench.load, "seed \(seed)")
        #expect(found.phases == bench.rotation.onCircuit(bench.load), "seed \(seed)")
        for phase in Phase.allCases { if let factor = found.factors[phase] { #expect(abs(factor - 1000) <= 250, "seed \(seed)") } }
      }
      #expect(judgement.rotations.contains(bench.rotation), "seed \(seed)")
    }
    #expect(proven > 200)
  }

  @Test func `is not deceived by a base load that steps in the middle of one test`() {
    for seed: UInt64 in 1...60 {
      var dice = Dice(seed)
      var bench = Bench(seed: seed)
      bench.rotation = PhaseRotation.allCases[Int(seed) % 6]
      bench.load = Self.single[dice.pick(0...2)]
      bench.baseSteps = [(dice.pick(0...2), Phase.allCases[dice.pick(0...2)], dice.pick(0...1) == 0 ? -10 : 10)]
      let (judgement, _, findings) = bench.test()
      #expect(judgement.evidence.first?.phases == bench.rotation.onCircuit(bench.load), "seed \(seed)")
      #expect(findings.count <= 7, "seed \(seed)")
    }
  }

  @Test func `says that a circuit is too noisy instead of guessing`() {
    for seed: UInt64 in 1...30 {
      var bench = Bench(seed: seed)
      bench.noise = 6000
      let (judgement, flaws, _) = bench.test()
      #expect(judgement.evidence.isEmpty, "seed \(seed)")
      #expect(flaws.contains { if case .tooNoisy = $0 { true } else { false } }, "seed \(seed)")
    }
  }

  @Test func `uses what a vehicle takes, and says when that is too little`() {
    for seed: UInt64 in 1...20 {
      var bench = Bench(seed: seed)
      bench.most = .amperes(10)
      #expect(bench.test().judgement.evidence.first?.phases == .all, "seed \(seed)")
      var small = Bench(seed: seed)
      small.most = .amperes(8)
      let (judgement, flaws, _) = small.test()
      #expect(judgement.evidence.isEmpty, "seed \(seed)")
      #expect(flaws.first == .tooSmall(.amperes(2)), "seed \(seed)")
    }
  }

  @Test func `sees a dead transformer and a connector that is elsewhere`() {
    var dead = Bench(seed: 1)
    dead.factors.l2 = 0
    let one = WiringVerdict(dead.test().judgement, wiring: Connector.Wiring())
    #expect(one.faults.contains(.missing(.l2)))
    #expect(one.outcome == .failed)
    var elsewhere = Bench(seed: 1)
    elsewhere.factors = PerPhase(0, 0, 0)
    #expect(WiringVerdict(elsewhere.test().judgement, wiring: Connector.Wiring()).faults.first == .unseen)
  }

  @Test func `asks for a step up and a step down before it believes`() {
    var bench = Bench(seed: 3)
    var up: [StepFinding] = []
    for n in 0..<6 where n % 2 == 0 {
      if let found = try? bench.step(n, from: .amperes(6), to: .amperes(16)).judge() { up.append(found) }
    }
    #expect(up.count == 3)
    #expect(WiringJudgement(up).evidence.isEmpty)
  }

  @Test func `gives the reaction from the offer to half of the step`() throws {
    var bench = Bench(seed: 4)
    (bench.ramp, bench.noise) = (.seconds(20), 0)
    let found = try bench.step(0, from: .amperes(6), to: .amperes(16)).judge()
    #expect(found.reaction == .seconds(11))
  }

  @Test func `compares with the site file and names the rotation that is right`() {
    var bench = Bench(seed: 5)
    (bench.rotation, bench.load) = (.srt, .l1)
    let judgement = bench.test().judgement
    let wrong = WiringVerdict(judgement, wiring: Connector.Wiring(conductors: .l1, rotation: .rst))
    #expect(wrong.faults == [.otherRotation([.srt])])
    let right = WiringVerdict(judgement, wiring: Connector.Wiring(conductors: .l1, rotation: .str))
    #expect(right.outcome == .passed)  // conductor 1 is on L2 in both
    let unknown = WiringVerdict(judgement, wiring: nil)
    #expect(unknown.faults.contains(.unknownRotation([.srt])))
  }
}

@Suite struct `A link-loss test` {
  static func readings(_ currents: [Int], from: Int) -> [LevelSample] {
    currents.enumerated().map {
      LevelSample(at: Monotonic(milliseconds: from + $0.offset * 1000), current: PerPhase(Current(raw: $0.element), .zero, .zero))
    }
  }
  static let evidence = WiringEvidence(conductors: .l1, phases: .l1, factors: PerPhase(1000, nil, nil), agreeing: 3, steps: 3)

  @Test func `sees the fall once three readings in a row show it`() throws {
    var watch = try #require(
      DropWatch(before: Self.readings([20_000, 20_200, 19_900], from: 0), fall: .amperes(10), evidence: Self.evidence))
    for reading in Self.readings([20_000, 10_000, 19_000, 10_100, 10_200], from: 5000) { watch.see(reading) }
    #expect(!watch.hasFallen)
    watch.see(Self.readings([10_000], from: 11_000)[0])
    #expect(watch.hasFallen)
    #expect(watch.since == Monotonic(milliseconds: 8000))
  }

  @Test func `does not take a smaller load's end for it, nor judge without evidence`() throws {
    var watch = try #require(
      DropWatch(before: Self.readings([20_000, 20_000, 20_000], from: 0), fall: .amperes(10), evidence: Self.evidence))
    for reading in Self.readings([14_000, 14_000, 14_000, 14_000], from: 5000) { watch.see(reading) }
    #expect(!watch.hasFallen)
    var blind = Self.evidence
    blind.phases = []
    #expect(DropWatch(before: Self.readings([1, 1, 1], from: 0), fall: .amperes(10), evidence: blind) == nil)
    #expect(DropWatch(before: Self.readings([1, 1, 1], from: 0), fall: .amperes(2), evidence: Self.evidence) == nil)
  }

  @Test func `sees it through a meter that is turned round`() throws {
    var turned = Self.evidence
    turned.factors.l1 = -1000
    var watch = try #require(
      DropWatch(before: Self.readings([-20_000, -20_000, -20_000], from: 0), fall: .amperes(10), evidence: turned))
    for reading in Self.readings([-10_000, -10_000, -10_000], from: 5000) { watch.see(reading) }
    #expect(watch.hasFallen)
  }
}
