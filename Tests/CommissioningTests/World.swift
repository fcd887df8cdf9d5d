import Quantities
import Site

@testable import Commissioning

/// A generator of numbers that gives the same ones for the same seed (SplitMix64).
struct Dice {
  private var state: UInt64
  init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1 }
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
  mutating func pick(_ range: ClosedRange<Int>) -> Int { range.lowerBound + Int(next() % UInt64(range.count)) }
}

/// One connector on one circuit with one meter, as it really is.
struct Bench {
  var rotation = PhaseRotation.rst
  /// The station's own conductors that the load uses.
  var load = Phases.all
  /// What the meter counts of each circuit phase, thousandths.
  var factors = PerPhase(1000, 1000, 1000)
  /// How far the rest of the circuit trembles, mA, and how it steps: at which step of the test, on which phase, by how much.
  var noise = 100
  var baseSteps: [(step: Int, phase: Phase, amperes: Int)] = []
  /// The most the vehicle takes, and how long it ramps.
  var most = Current.amperes(32)
  var ramp = TimeSpan.seconds(3)
  var dice: Dice
  var base = PerPhase(5000, 7000, 6000)
  private var time = 0

  init(seed: UInt64) { dice = Dice(seed) }

  /// A step from `low` to `high` or back, watched as a run watches it: eight readings before, the ramp, eight after.
  mutating func step(_ number: Int, from: Current, to: Current) -> StepRecord {
    let begin = time
    var (station, meter) = ([LevelSample](), [LevelSample]())
    let (old, new) = (min(from, most).raw, min(to, most).raw)
    let sent = begin + 8000
    let there = sent + 1000 + ramp.raw
    let middle = sent + ramp.raw / 2
    for at in stride(from: begin, through: there + 9000, by: 1000) {
      let share = at <= sent + 1000 ? 0 : min(1000, (at - sent - 1000) * 1000 / max(1, ramp.raw))
      let level = old + (new - old) * share / 1000
      var own = PerPhase<Current>.zero
      for phase in Phase.allCases where load.contains(phase) { own[phase] = Current(raw: level) }
      station.append(LevelSample(at: Monotonic(milliseconds: at), current: own))
      var flow = rotation.onCircuit(own).map(\.raw)
      for phase in Phase.allCases {
        if at >= middle, at < middle + 1000 {
          for jump in baseSteps where jump.step == number && jump.phase == phase { base[phase] += jump.amperes * 1000 }
        }
        flow[phase] = (flow[phase] + base[phase] + dice.pick(-noise...noise)) * factors[phase] / 1000
      }
      meter.append(LevelSample(at: Monotonic(milliseconds: at), current: flow.map { Current(raw: $0) }))
    }
    time = there + 10_000
    return StepRecord(
      from: from, to: to, begin: Monotonic(milliseconds: begin), sent: Monotonic(milliseconds: sent),
      settled: Monotonic(milliseconds: there + 1000), end: Monotonic(milliseconds: there + 9000), station: station, meter: meter)
  }

  /// As many steps as it takes, at most `most`, up and down in turn.
  mutating func test(steps: Int = 8, low: Current = .amperes(6), high: Current = .amperes(16)) -> (
    judgement: WiringJudgement, flaws: [StepFlaw], findings: [StepFinding]
  ) {
    var (findings, flaws) = ([StepFinding](), [StepFlaw]())
    for n in 0..<steps {
      let record = step(n, from: n % 2 == 0 ? low : high, to: n % 2 == 0 ? high : low)
      do throws(StepFlaw) { findings.append(try record.judge()) } catch { flaws.append(error) }
      let judgement = WiringJudgement(findings)
      if judgement.open.isEmpty, !judgement.evidence.isEmpty { return (judgement, flaws, findings) }
    }
    return (WiringJudgement(findings), flaws, findings)
  }
}
