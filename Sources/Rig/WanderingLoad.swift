import Quantities
import Simulation
import Site

/// The load of a circuit that nobody controls: it wanders and jumps between nothing and the declared worst.
struct WanderingLoad: Sendable {
  private let worst: PerPhase<Current>
  private(set) var now: PerPhase<Current>
  private var nextJump: Int

  init(_ circuit: Circuit, _ random: inout SeededRandom) {
    worst = circuit.baseWorst
    now = worst.map { $0.scaled(random.pick(300...600), over: 1000) }
    nextJump = random.pick(5000...20_000)
  }

  /// - Parameter time: ms since the start.
  mutating func move(at time: Int, _ random: inout SeededRandom) {
    for phase in Phase.allCases where worst[phase] > .zero { change(phase, by: random.pick(-40...40)) }
    guard time >= nextJump else { return }
    nextJump = time + random.pick(8000...40_000)
    // A motor starts or stops on one phase, or a load on all.
    let amount = worst.largest.raw / 4
    let step = random.pick(-amount...amount)
    for phase in random.chance(400) ? Phase.allCases : [random.choose(Phase.allCases)] { change(phase, by: step) }
  }

  private mutating func change(_ phase: Phase, by amount: Int) {
    now[phase] = min(worst[phase], max(.zero, now[phase] + Current(raw: amount)))
  }
}
