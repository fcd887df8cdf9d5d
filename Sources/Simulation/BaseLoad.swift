import Quantities
import Site

/// The load on one circuit that nobody controls: it steps and trembles between minus the generation and the declared worst.
struct BaseLoad: Sendable {
  /// mA per phase, in circuit order.
  private(set) var now: [Int] = [0, 0, 0]
  let worst: [Int]
  let generation: [Int]
  /// Largest step upwards, mA: what the time-current points of the devices above bear until vehicles have reacted.
  let step: Int

  init(_ circuit: Circuit, step: Int, _ random: inout SeededRandom) {
    worst = Phase.allCases.map { circuit.baseWorst[$0].raw }
    generation = Phase.allCases.map { circuit.generation[$0].raw }
    self.step = step
    for p in 0..<3 { now[p] = worst[p] > 0 ? random.pick(0...worst[p] / 2) : 0 }
  }

  /// A tremble of up to 2 % or 300 mA.
  mutating func tremble(_ random: inout SeededRandom) {
    for p in 0..<3 where worst[p] > 0 || generation[p] > 0 { move(p, random.pick(-300...300)) }
  }

  /// A load is switched on or off on one phase or on all.
  mutating func jump(_ random: inout SeededRandom) {
    let up = random.chance(500)
    let amount = random.pick(0...max(1, up ? step : worst.max() ?? 1))
    let phases = random.chance(400) ? [0, 1, 2] : [random.pick(0...2)]
    for p in phases { move(p, up ? amount : -amount) }
  }

  private mutating func move(_ p: Int, _ amount: Int) { now[p] = min(worst[p], max(-generation[p], now[p] + amount)) }
}
