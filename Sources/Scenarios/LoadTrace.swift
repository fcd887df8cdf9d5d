import Quantities
import Simulation
import Site

/// The loads that nobody controls, drawn: the current of each circuit's own loads in each step. What would exceed the worst that the
/// site declares is cut to that, as it would be by whoever declared it.
public struct LoadTrace: Sendable {
  private let cells: Int
  /// mA, index step x cells + circuit x 3 + phase; empty: there are none.
  private var currents: [Int32] = []

  /// What draws at circuit `k` itself, in circuit order, import positive.
  public func current(step: Int, circuit k: Int) -> PerPhase<Current> {
    guard !currents.isEmpty else { return .zero }
    let at = step * cells + k * 3
    return PerPhase(
      Current(raw: Int(currents[at])), Current(raw: Int(currents[at + 1])), Current(raw: Int(currents[at + 2])))
  }
  public func isSame(step: Int, as other: Int) -> Bool {
    currents.isEmpty || currents[step * cells..<(step + 1) * cells] == currents[other * cells..<(other + 1) * cells]
  }

  init(_ scenario: Scenario, seed: UInt64) {
    let hub = scenario.hub
    cells = hub.circuits.count * 3
    guard !scenario.loads.isEmpty else { return }
    let volts = Double(hub.nominalVoltage.raw) / 1000
    var sums = [Double](repeating: 0, count: scenario.steps * cells)
    for (i, source) in scenario.loads.enumerated() {
      var random = SeededRandom(seed: seed, part: 200 + i)
      let kilowatts = Self.kilowatts(source, scenario, &random)
      for step in 0..<scenario.steps {
        for p in 0..<3 { sums[step * cells + source.circuit * 3 + p] += kilowatts[step] * 1000 * source.parts[p] / volts }
      }
    }
    currents = sums.indices.map { at in
      let circuit = hub.circuits[at % cells / 3]
      let phase = Phase.allCases[at % 3]
      let current = Int((sums[at] * 1000).rounded())
      return Int32(clamping: min(circuit.baseWorst[phase].raw, max(-circuit.generation[phase].raw, current)))
    }
  }

  private static func kilowatts(_ source: LoadSource, _ scenario: Scenario, _ random: inout SeededRandom) -> [Double] {
    var result: [Double] = []
    result.reserveCapacity(scenario.steps)
    let (variation, days) = (source.variation, Set(scenario.dayStarts))
    var (day, month, place) = (1.0, 0, 0)
    for step in 0..<scenario.steps {
      let instant = scenario.instant(step: step)
      if days.contains(step) {
        day = 1 + Double(random.pick(-variation...variation)) / 1000
        month = scenario.localTime.shown(at: instant).monthOfYear - 1
      }
      // A step varies by a third of what a day does.
      let factor = max(0, day + Double(random.pick(-variation...variation)) / 3000)
      let (weekday, millisecond) = scenario.local(instant)
      switch source.shape {
      case .weekly(let table): result.append(straight(table[weekday], millisecond) * factor)
      case .solar(let peak, let table): result.append(-peak * straight(table[month], millisecond) * factor)
      case .series(let steps):
        while place + 1 < steps.count, steps[place + 1].from <= instant { place += 1 }
        result.append(steps[place].from <= instant ? steps[place].kilowatts * factor : 0)
      }
    }
    return result
  }

  /// Hourly means, joined by straight lines between the middles of the hours.
  private static func straight(_ hours: [Double], _ millisecond: Int) -> Double {
    let place = Double(millisecond) / 3_600_000 - 0.5
    let before = Int(place.rounded(.down))
    let part = place - Double(before)
    return hours[(before + 24) % 24] * (1 - part) + hours[(before + 1) % 24] * part
  }
}
