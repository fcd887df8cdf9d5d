import Dispatch
import Documents
import Foundation
import Quantities
import Scheduling
import SiteFiles

/// `sluice plan`: reads a problem, works out a plan and writes it; or checks a plan that somebody wrote.
enum PlanCommand {
  static let usage = """
    usage: sluice plan PROBLEM.json5 [--out PLAN.json] [--policy \(Policy.allCases.map(\.rawValue).joined(separator: "|"))]
             [--gap 1e-4 [--gap-of-value]] [--iterations 3000] [--budget-ms N] [--threads 1] [--relaxed]
           sluice plan --check PLAN.json PROBLEM.json5
      --gap: how far the relaxed plan may be from the best one (`relaxed_gap`); the gap of the final plan, in whole steps, is told with it
    """

  static func run(_ arguments: [String]) throws -> Int32 {
    let options = try CommandLineOptions(
      arguments, names: ["out", "policy", "gap", "iterations", "budget-ms", "threads", "check"], flags: ["gap-of-value", "relaxed"])
    guard options.words.count == 1, let path = options.words.first else {
      throw CommandLineOptions.Misuse(description: "expected one problem")
    }
    let began = cpuMilliseconds()
    let file = try ProblemFile(try bytes(path), name: path)
    if let plan = options.text("check") { return try PlanCheck.run(try bytes(plan), name: plan, against: file) }
    let word = options.text("policy") ?? Policy.optimal.rawValue
    guard let policy = Policy(rawValue: word) else {
      throw CommandLineOptions.Misuse(
        description: "--policy is `\(word)`; expected one of \(Policy.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    let threads = try options.whole("threads", in: 1...64) ?? 1
    let read = cpuMilliseconds()
    let budget = try options.real("budget-ms", in: 0...1e9)
    var planner = Planner(
      gap: try options.real("gap", in: 0...1) ?? 1e-4, mostIterations: try options.whole("iterations", in: 0...1_000_000) ?? 3000,
      ofValue: options.has("gap-of-value"))
    if threads > 1 { planner.workers = workers(threads) }
    var nothing: WarmStart?
    var solved: Double?
    let mayContinue: (Planner.Stage) -> Bool = { stage in
      let now = cpuMilliseconds()
      if stage == .finishing && solved == nil { solved = now }
      return budget.map { now - read < $0 } ?? true
    }
    let writer = PlanWriter(file, policy, threads)
    let json: [UInt8]
    if options.has("relaxed") {
      guard policy == .optimal else { throw CommandLineOptions.Misuse(description: "--relaxed goes with --policy optimal only") }
      let outcome = try planner.relaxed(file.problem, warm: &nothing, mayContinue: mayContinue)
      json = writer.written(outcome, times: [("read", read - began), ("solve", cpuMilliseconds() - read)])
    } else {
      let plan = try planner.plan(file.problem, warm: &nothing, mayContinue: mayContinue)
      let finished = cpuMilliseconds()
      let outcome = policy == .optimal ? nil : try policy.outcome(of: file.problem)
      let end = solved ?? finished
      json = writer.written(plan, outcome, times: [("read", read - began), ("solve", end - read), ("finish", finished - end)])
    }
    if let out = options.text("out") {
      try write(json, to: out)
    } else {
      FileHandle.standardOutput.write(Data(json + [10]))
    }
    return 0
  }

  static func write(_ bytes: [UInt8], to path: String) throws {
    do { try Data(bytes).write(to: URL(fileURLWithPath: path)) } catch {
      throw FileError(path: path, reason: "cannot be written: \(String(cString: strerror(errno)))")
    }
  }

  private static func bytes(_ path: String) throws -> [UInt8] { Array(try ProfileFolder.read(path).utf8) }

  static func cpuMilliseconds() -> Double { Double(clock()) * 1000 / Double(CLOCKS_PER_SEC) }

  /// At most `threads` at a time take the next piece each.
  private static func workers(_ threads: Int) -> Workers {
    { count, work in
      DispatchQueue.concurrentPerform(iterations: min(threads, count)) { thread in
        for index in stride(from: thread, to: count, by: min(threads, count)) { work(index) }
      }
    }
  }
}
