import Documents
import Foundation
import Quantities
import Scheduling

/// `sluice problem`: writes a realistic, seeded planning problem to standard output or a file.
enum ProblemCommand {
  static let usage = """
    usage: sluice problem [--connectors 100] [--seed 1] [--slots 96|288] [--tight 2] [--peak 0] [--single-phase] [--hourly]
             [--topology wide|deep] [--out PROBLEM.json5]
    """

  static func run(_ arguments: [String]) throws -> Int32 {
    let options = try CommandLineOptions(
      arguments, names: ["connectors", "seed", "slots", "tight", "peak", "topology", "out"], flags: ["single-phase", "hourly"])
    if let word = options.words.first { throw CommandLineOptions.Misuse(description: "not understood: \(word)") }
    var family = ProblemFamily()
    family.connectors = try options.whole("connectors", in: 1...100_000) ?? 100
    family.slots = try options.whole("slots", in: 24...1440) ?? 96
    guard 1440 % family.slots == 0, family.slots % 24 == 0 else {
      throw CommandLineOptions.Misuse(description: "--slots must divide each hour of a day: 24, 48, 96, 144, 288, ...")
    }
    family.tightness = try options.real("tight", in: 0.01...100) ?? 2
    family.peak = try options.real("peak", in: 0...1000) ?? 0
    (family.singlePhase, family.hourlyPrices) = (options.has("single-phase"), options.has("hourly"))
    let topology = options.text("topology") ?? "wide"
    guard ["wide", "deep"].contains(topology) else {
      throw CommandLineOptions.Misuse(description: "--topology is `\(topology)`; expected wide or deep")
    }
    family.deep = topology == "deep"
    var dice = SeededDice(seed: try options.whole("seed", in: 0...Int.max) ?? 1)
    let bytes = written(family.problem(using: &dice))
    if let path = options.text("out") {
      try PlanCommand.write(bytes, to: path)
    } else {
      FileHandle.standardOutput.write(Data(bytes + [10]))
    }
    return 0
  }

  private static func written(_ problem: PlanningProblem) -> [UInt8] {
    var json = JSONWriter(reserving: 1 << 20)
    json.beginObject()
    json.text("format", ProblemFile.format)
    json.text("start", "2026-11-22T06:00:00Z")
    json.whole("slot_minutes", problem.slotMinutes)
    json.whole("slots", problem.slots)
    json.real("volts", problem.volts)
    list("price_eur_per_kwh", problem.prices, &json)
    json.real("early_eur_per_kwh", problem.early)
    json.real("peak_eur_per_kw", problem.peak)
    json.key("circuits")
    json.beginArray()
    for (index, circuit) in problem.circuits.enumerated() { write(circuit, index, &json) }
    json.endArray()
    json.key("sessions")
    json.beginArray()
    for (index, session) in problem.sessions.enumerated() { write(session, index, &json) }
    json.endArray()
    json.endObject()
    return json.bytes
  }

  private static func list(_ key: String?, _ values: [Double], _ json: inout JSONWriter) {
    if let key { json.key(key) }
    json.beginArray()
    for value in values { json.real(value) }
    json.endArray()
  }

  private static func circuitName(_ index: Int) -> String { index == 0 ? "site" : "circuit-\(index)" }

  private static func write(_ circuit: PlanningProblem.Circuit, _ index: Int, _ json: inout JSONWriter) {
    json.beginObject()
    json.text("id", circuitName(index))
    if let parent = circuit.parent { json.text("parent", circuitName(parent)) }
    json.key("limit_a")
    json.beginArray()
    for phase in Phase.allCases { list(nil, circuit.limit[phase], &json) }
    json.endArray()
    json.endObject()
  }

  private static func write(_ session: PlanningProblem.Session, _ index: Int, _ json: inout JSONWriter) {
    json.beginObject()
    json.text("id", "s\(index + 1)")
    json.text("circuit", circuitName(session.circuit))
    list("phases", Phase.allCases.filter(session.phases.contains).map { Double($0.rawValue + 1) }, &json)
    json.real("max_a", session.largest)
    json.real("min_a", session.smallest)
    json.real("step_a", session.step)
    json.whole("arrive", session.window.lowerBound)
    json.whole("depart", session.window.upperBound)
    json.key("value")
    json.beginArray()
    for step in session.value {
      json.beginObject()
      json.real("wh", step.wattHours)
      json.real("eur_per_kwh", step.euroPerKilowattHour)
      json.endObject()
    }
    json.endArray()
    json.endObject()
  }
}
