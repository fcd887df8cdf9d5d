import Documents
import Foundation
import Quantities
import Scheduling

/// `sluice plan`: reads a problem, works out a plan and writes it; or checks a plan that somebody wrote.
enum PlanCommand {
  static let usage = """
    sluice plan PROBLEM.json5 [--out PLAN.json] [--policy \(Policy.allCases.map(\.rawValue).joined(separator: "|"))]
                [--gap 1e-4 [--gap-of-value]] [--iterations 3000] [--budget-ms N] [--threads 1]
    sluice plan --check PLAN.json PROBLEM.json5
    """

  static func run(_ arguments: [String]) throws -> Int32 {
    let options = try CommandLineOptions(
      arguments, names: ["out", "policy", "gap", "iterations", "budget-ms", "threads", "check"], flags: ["gap-of-value"])
    guard options.words.count == 1, let path = options.words.first else { throw CommandLineOptions.Misuse(description: usage) }
    let began = cpuMilliseconds()
    let file = try ProblemFile(try bytes(path), name: path)
    if let plan = options.text("check") { return try PlanCheck.run(try bytes(plan), name: plan, against: file) }
    let word = options.text("policy") ?? Policy.optimal.rawValue
    guard let policy = Policy(rawValue: word) else {
      throw CommandLineOptions.Misuse(
        description: "--policy is `\(word)`; expected one of \(Policy.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    _ = try options.whole("threads", in: 1...64)
    let read = cpuMilliseconds()
    let budget = try options.real("budget-ms", in: 0...1e9)
    let planner = Planner(
      gap: try options.real("gap", in: 0...1) ?? 1e-4, mostIterations: try options.whole("iterations", in: 0...1_000_000) ?? 3000,
      ofValue: options.has("gap-of-value"))
    var nothing: WarmStart?
    var solved: Double?
    let plan = try planner.plan(file.problem, warm: &nothing) { stage in
      let now = cpuMilliseconds()
      if stage == .finishing && solved == nil { solved = now }
      return budget.map { now - read < $0 } ?? true
    }
    let finished = cpuMilliseconds()
    let outcome = policy == .optimal ? nil : try policy.outcome(of: file.problem)
    let json = written(
      plan, outcome, policy, file,
      times: [("read", read - began), ("solve", (solved ?? finished) - read), ("finish", finished - (solved ?? finished))])
    if let out = options.text("out") {
      try Data(json).write(to: URL(fileURLWithPath: out))
    } else {
      FileHandle.standardOutput.write(Data(json + [10]))
    }
    return 0
  }

  private static func bytes(_ path: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(fileURLWithPath: path))) }

  static func cpuMilliseconds() -> Double { Double(clock()) * 1000 / Double(CLOCKS_PER_SEC) }

  private static func written(
    _ plan: Plan, _ outcome: PolicyOutcome?, _ policy: Policy, _ file: ProblemFile, times: [(String, Double)]
  ) -> [UInt8] {
    var json = JSONWriter(reserving: 1 << 20)
    let objective = outcome?.objective ?? plan.objective
    json.beginObject()
    json.text("format", "sluice-plan-1")
    json.text("policy", policy.rawValue)
    json.real("bound_eur", plan.bound)
    json.real("relaxed_eur", plan.relaxed)
    json.real("objective_eur", objective)
    json.real("relaxed_gap", plan.relaxedGap)
    json.real("gap", (plan.bound - objective) / max(abs(objective), 1e-9))
    json.key("cpu_ms")
    json.beginObject()
    for (name, value) in times { json.real(name, (value * 1000).rounded() / 1000) }
    json.endObject()
    json.whole("iterations", plan.iterations)
    json.whole("threads", 1)
    if let overload = outcome?.overload {
      json.key("overload")
      json.beginObject()
      json.text("circuit", file.circuitNames[overload.circuit])
      json.whole("phase", overload.phase.rawValue + 1)
      json.whole("slot", overload.slot)
      json.real("excess_a", overload.excess.amperes)
      json.endObject()
    }
    json.key("sessions")
    json.beginArray()
    for i in file.sessionNames.indices {
      let energy = outcome?.energy[i] ?? plan.energy[i]
      json.beginObject()
      json.text("id", file.sessionNames[i])
      json.real("wh", (energy * 1000).rounded() / 1000)
      json.real("unserved_wh", (max(0, file.problem.sessions[i].demand - energy) * 1000).rounded() / 1000)
      json.key("amps")
      json.beginArray()
      for current in outcome?.currents[i] ?? plan.currents[i] { json.decimal(current.milliamperes, 3) }
      json.endArray()
      json.endObject()
    }
    json.endArray()
    json.key("binding")
    json.beginArray()
    for neck in plan.binding {
      json.beginObject()
      json.text("circuit", file.circuitNames[neck.circuit])
      json.whole("phase", neck.phase.rawValue + 1)
      json.whole("slot", neck.slot)
      json.real("shadow_eur_per_a", neck.euroPerAmpere)
      json.endObject()
    }
    json.endArray()
    json.endObject()
    return json.bytes
  }
}
