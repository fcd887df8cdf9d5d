import Control
import Documents
import Quantities
import Scenarios
import Site

/// The billing meter of the connection: energy by quarters of an hour, the highest of each month.
struct QuarterMeter {
  private var quarter: Int?
  /// W x ms.
  private var work = 0
  private var month = ""

  mutating func add(_ watts: Int, _ span: Int, at now: Instant, month: String, _ outcome: inout Outcome) {
    let place = now.floored(to: .minutes(15)).milliseconds
    if place != quarter {
      close(&outcome)
      (quarter, work, self.month) = (place, 0, month)
    }
    work += watts * span
  }
  private func close(_ outcome: inout Outcome) {
    guard quarter != nil else { return }
    let kilowatts = Double(work) / 900_000_000
    if outcome.quarterPeaks.last?.month != month {
      outcome.quarterPeaks.append((month, kilowatts))
    } else if kilowatts > outcome.quarterPeaks[outcome.quarterPeaks.count - 1].kilowatts {
      outcome.quarterPeaks[outcome.quarterPeaks.count - 1].kilowatts = kilowatts
    }
  }
  mutating func finish(_ outcome: inout Outcome, _ hub: Hub) {
    close(&outcome)
    quarter = nil
  }
}

extension Run {
  /// The step happens: vehicles take their energy, and what flowed is written down.
  func drawAndRecord(_ now: Instant) {
    var charges = base.map { $0 * span }
    var vehicles = 0
    var (present, waiting) = (0, 0)
    for c in occupied {
      guard var occupant = occupants[c] else { continue }
      let wish = occupant.wish
      if !occupant.isFull {
        present += 1
        if occupant.draw == 0 { waiting += 1 }
      }
      let possible = min(wish * span * occupant.conductors, occupant.need)
      let each = occupant.take(span)
      outcome.heldBack += kilowattHours(max(0, possible - each * occupant.conductors))
      vehicles += each * occupant.conductors
      for k in ancestors[hub.connectors[c].circuit] {
        for phase in Phase.allCases where occupant.phases.contains(phase) { charges[k * 3 + phase.rawValue] += each }
      }
      noteChange(c, occupant)
      occupants[c] = occupant
    }
    record(charges, vehicles: vehicles, present, waiting, now)
  }

  private func kilowattHours(_ charge: Int) -> Double { Double(charge) * Double(hub.nominalVoltage.raw) / 3.6e15 }

  private func record(_ charges: [Int], vehicles: Int, _ present: Int, _ waiting: Int, _ now: Instant) {
    let volts = hub.nominalVoltage.raw / 1000
    let root = (0..<3).map { charges[$0] / span }
    let watts = root.reduce(0, +) * volts / 1000
    let limit = (0..<3).map { min(limits.lowest[$0], limits.means[0]?[Phase.allCases[$0]].raw ?? .max) }.reduce(0, +) * volts / 1000
    outcome.load.append(Int32(clamping: watts))
    outcome.vehicles.append(Int32(clamping: vehicles / span * volts / 1000))
    outcome.limit.append(Int32(clamping: limit))
    outcome.present.append(Int16(clamping: present))
    outcome.waiting.append(Int16(clamping: waiting))
    outcome.energyCost += kilowattHours(vehicles) * Double(story.prices[step]) / 1_000_000
    outcome.largestUnbalance = max(outcome.largestUnbalance, Current(raw: (root.max() ?? 0) - (root.min() ?? 0)))
    let month = String(Timestamp.text(scenario.localTime.shown(at: now).milliseconds).prefix(7))
    quarter.add(watts, span, at: now, month: month, &outcome)
    if options.keepsDetails { for charge in charges { outcome.currents.append(Int32(clamping: charge / span)) } }
    check(charges, now)
  }

  /// A milliampere is what rounding may add.
  private static let tolerance = 1

  private func check(_ charges: [Int], _ now: Instant) {
    for cell in charges.indices {
      let current = charges[cell] / span
      let bound = max(limits.lowest[cell], base[cell])
      if current > bound + Self.tolerance { violate(cell, limits.lowest[cell], current, isMean: false) }
    }
    for k in hub.circuits.indices {
      guard let contract = hub.circuits[k].contract, let means = limits.means[k] else { continue }
      let begins = (now - contract.offset).floored(to: contract.window) + contract.offset
      for phase in Phase.allCases {
        let cell = k * 3 + phase.rawValue
        if now - begins < scenario.step { windows[cell] = 0 }
        windows[cell] += max(0, charges[cell])
      }
      guard now + scenario.step >= begins + contract.window else { continue }
      checkMean(k, contract, means)
    }
  }

  private func checkMean(_ k: Int, _ contract: ContractLimit, _ means: PerPhase<Current>) {
    let mean = (0..<3).map { windows[k * 3 + $0] / contract.window.raw }
    if case .power = contract.amount {
      let allowed = means.sum.raw
      if mean.reduce(0, +) > allowed + 3 * Self.tolerance, mean.reduce(0, +) > (0..<3).map({ base[k * 3 + $0] }).reduce(0, +) {
        violate(k * 3, allowed, mean.reduce(0, +), isMean: true)
      }
    } else {
      for phase in Phase.allCases where mean[phase.rawValue] > max(means[phase].raw, base[k * 3 + phase.rawValue]) + Self.tolerance
      {
        violate(k * 3 + phase.rawValue, means[phase].raw, mean[phase.rawValue], isMean: true)
      }
    }
  }

  private func violate(_ cell: Int, _ limit: Int, _ current: Int, isMean: Bool) {
    let found = Outcome.Violation(
      step: step, circuit: cell / 3, phase: Phase.allCases[cell % 3], limit: Current(raw: limit), current: Current(raw: current),
      isMean: isMean)
    outcome.violationCount += 1
    note(scenario.instant(step: step), found)
    if outcome.violations.count < 2 {
      outcome.violations.append(found)
    } else if current - limit > (outcome.violations[1].current - outcome.violations[1].limit).raw {
      outcome.violations[1] = found
    }
  }

  private func noteChange(_ c: Int, _ occupant: Occupant) {
    guard options.keepsDetails, lastChange[c].offer != occupant.offer || lastChange[c].draw != occupant.draw else { return }
    lastChange[c] = (occupant.offer, occupant.draw)
    outcome.changes.append(
      Outcome.Change(
        step: Int32(step), connector: Int16(clamping: c), offer: Int32(clamping: occupant.offer),
        draw: Int32(clamping: occupant.draw)))
  }
}
