import Documents
import Foundation
import Quantities
import Scheduling

/// Checks a plan against its problem with arithmetic of its own: whole milliamperes from the decimals of the file.
enum PlanCheck {
  static func run(_ bytes: [UInt8], name: String, against file: ProblemFile) throws -> Int32 {
    let document = try Document(bytes, dialect: .json, name: name, longest: ProblemFile.longest)
    let problem = file.problem
    if document.root["relaxed"]?.bool == true {
      return report(["this is a relaxed plan (--relaxed): it keeps no grid and no least currents"])
    }
    var wrong: [String] = []
    var currents: [[Int]] = []
    for (i, node) in try document.root.required(at: "sessions", expected: "the sessions").elements.enumerated() {
      guard i < file.sessionNames.count else { break }
      if try node.string(at: "id") != file.sessionNames[i] { wrong.append("session \(i + 1) is not \(file.sessionNames[i])") }
      let amps = try node.required(at: "amps", expected: "a current per slot").elements.map {
        $0.number?.integer(scaledBy: 3) ?? -1
      }
      if amps.count != problem.sessions[i].window.count { wrong.append("\(file.sessionNames[i]): \(amps.count) currents") }
      currents.append(amps)
    }
    guard currents.count == problem.sessions.count, wrong.isEmpty else {
      return report(wrong + ["\(currents.count) sessions of \(problem.sessions.count)"])
    }
    var used = [Int](repeating: 0, count: problem.circuits.count * 3 * problem.slots)
    var euro = 0.0
    var power = [Double](repeating: 0, count: problem.slots)
    for (i, session) in problem.sessions.enumerated() {
      let unit = Double(session.phases.count) * problem.volts / 1000 * Double(problem.slotMinutes) / 60
      let (least, most, step) = (session.smallest * 1000, session.largest * 1000, Int((session.step * 1000).rounded()))
      var energy = 0.0
      var last = session.window.lowerBound
      for (slot, current) in zip(session.window, currents[i]) where current != 0 {
        if Double(current) < least - 1e-6 || Double(current) > most + 1e-6 || current % step != 0 {
          wrong.append("\(file.sessionNames[i]) slot \(slot): \(current) mA is not allowed")
        }
        last = slot
        let energyHere = Double(current) / 1000 * unit
        energy += energyHere
        euro -= energyHere * (problem.prices[slot] + problem.early * Double(slot) / Double(problem.slots))
        power[slot] += Double(current) / 1000 * Double(session.phases.count) * problem.volts / 1000
        var circuit: Int? = session.circuit
        while let k = circuit {
          for phase in Phase.allCases where session.phases.contains(phase) {
            used[(k * 3 + phase.rawValue) * problem.slots + slot] += current
          }
          circuit = problem.circuits[k].parent
        }
      }
      // The vehicle, or the energy meter, ends the last slot: what reaches past the demand is not drawn.
      let excess = max(0, energy - session.demand / 1000)
      if excess >= Double(step) / 1000 * unit + 1e-6 {
        wrong.append("\(file.sessionNames[i]) gets \(energy * 1000) Wh of \(session.demand)")
      }
      euro += excess * (problem.prices[last] + problem.early * Double(last) / Double(problem.slots))
      energy -= excess
      for value in session.value {
        let part = min(energy, value.wattHours / 1000)
        euro += part * value.euroPerKilowattHour
        energy -= part
      }
    }
    // The peak that the base alone makes, or that was reached before, costs nothing.
    let owed = max(problem.peakReached, problem.peakBase.max() ?? 0)
    let most = power.indices.map {
      power[$0] + ((problem.peakBase.isEmpty ? 0 : problem.peakBase[$0]) - owed) * problem.volts / 1000
    }.max()
    euro -= problem.peak * max(0, most ?? 0)
    for (k, circuit) in problem.circuits.enumerated() {
      for phase in Phase.allCases {
        for slot in 0..<problem.slots {
          let limit = circuit.limit[phase].count == 1 ? circuit.limit[phase][0] : circuit.limit[phase][slot]
          let drawn = used[(k * 3 + phase.rawValue) * problem.slots + slot]
          if Double(drawn) > limit * 1000 + 1e-6 {
            wrong.append("\(file.circuitNames[k]) \(phase.name) slot \(slot): \(drawn) mA of \(limit) A")
          }
        }
      }
    }
    wrong += sideExcesses(used, file)
    let said = try document.root.number(at: "objective_eur").double
    if abs(said - euro) > 1e-6 * max(1, abs(euro)) { wrong.append("objective_eur is \(said), but the plan is worth \(euro)") }
    let bound = try document.root.number(at: "bound_eur").double
    if euro > bound + 1e-6 * max(1, abs(bound)) { wrong.append("the plan is worth \(euro), more than its bound \(bound)") }
    return report(wrong)
  }

  /// What breaks the balance of phases or the mean of a quarter.
  private static func sideExcesses(_ used: [Int], _ file: ProblemFile) -> [String] {
    let problem = file.problem
    var wrong: [String] = []
    for (k, circuit) in problem.circuits.enumerated() {
      func drawn(_ phase: Int, _ slot: Int) -> Int { used[(k * 3 + phase) * problem.slots + slot] }
      if let most = circuit.unbalance {
        for slot in 0..<problem.slots {
          let sums = (0..<3).map { drawn($0, slot) }
          let apart = sums.max()! - sums.min()!
          if Double(apart) > most * 1000 + 1e-6 {
            wrong.append("\(file.circuitNames[k]) slot \(slot): phases \(apart) mA apart, \(most) A allowed")
          }
        }
      }
      guard let limits = circuit.quarterLimit else { continue }
      let perQuarter = 15 / problem.slotMinutes
      for phase in Phase.allCases {
        var sums: [Int: Int] = [:]
        for slot in 0..<problem.slots {
          sums[(problem.minutesIntoQuarter + slot * problem.slotMinutes) / 15, default: 0] += drawn(phase.rawValue, slot)
        }
        for (quarter, sum) in sums.sorted(by: { $0.key < $1.key }) {
          let limit = limits[phase][limits[phase].count == 1 ? 0 : quarter]
          if Double(sum) > limit * 1000 * Double(perQuarter) + 1e-6 {
            wrong.append("\(file.circuitNames[k]) \(phase.name) quarter \(quarter): mean \(sum / perQuarter) mA of \(limit) A")
          }
        }
      }
    }
    return wrong
  }

  private static func report(_ wrong: [String]) -> Int32 {
    for line in wrong { print(line) }
    if wrong.isEmpty { print("the plan keeps every limit and is worth what it says") }
    return wrong.isEmpty ? 0 : 1
  }
}
