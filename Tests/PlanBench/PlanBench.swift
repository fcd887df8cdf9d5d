import Foundation
import Glibc
import PlanningMemory
import Quantities
import Scheduling

/// Measures what has no file: the guard's shares in one slot, an arrival, and a cut limit at a thousand connectors; with
/// `cold CONNECTORS TIGHTNESS hourly|plain SEED GAP` a relaxed plan from nothing, in a process that has planned before, as its peer has.
/// Writes JSON. CPU time of this thread; the least of many runs, as each is the same work.
@main struct PlanBench {
  static func main() throws {
    if CommandLine.arguments.dropFirst().first == "cold" { return try cold(Array(CommandLine.arguments.dropFirst(2))) }
    let seeds = CommandLine.arguments.count > 1 ? Int(CommandLine.arguments[1]) ?? 5 : 5
    var (arrivals, arrivalGaps, cuts, mends, mendGaps): ([Double], [Double], [Double], [Double], [Double]) = ([], [], [], [], [])
    for seed in 1...seeds {
      var dice = SeededDice(seed: seed)
      var family = ProblemFamily()
      family.connectors = 1000
      var problem = family.problem(using: &dice)
      let whole = problem
      let late = problem.sessions.removeLast()
      let (planner, arena) = (Planner(gap: 3e-4, ofValue: true), Arena())
      let before = try LivePlan(problem, keys: Array(0..<999), planner: planner, arena: arena)
      var best = Double.infinity
      var gap = 0.0
      for _ in 0..<20 {
        var live = before
        live.remove(key: 0)  // Makes the copy's arrays its own: a controller keeps one.
        try live.insert(problem.sessions[0], key: 0)
        let began = milliseconds()
        try live.insert(late, key: 999)
        gap = live.gap
        best = min(best, milliseconds() - began)
      }
      arrivals.append(best)
      arrivalGaps.append(gap)
      let held = try LivePlan(whole, keys: Array(0..<1000), planner: planner, arena: arena)
      let loose = Planner(gap: 1e-3, ofValue: true)
      let low = PerPhase(0, 1, 2).map { phase in whole.circuits[0].limit[Phase(rawValue: phase)!][40] * 0.8 }
      var (cut, mend) = (Double.infinity, Double.infinity)
      for _ in 0..<5 {
        var live = held
        live.remove(key: 0)
        try live.insert(whole.sessions[0], key: 0)
        let began = milliseconds()
        try live.limit(circuit: 0, in: 40..<56, to: low)
        let feasible = milliseconds()
        if live.gap > 1e-3 { try live.improve(loose, arena: arena) }
        (cut, mend) = (min(cut, feasible - began), min(mend, milliseconds() - feasible))
        gap = live.gap
      }
      cuts.append(cut)
      mends.append(mend)
      mendGaps.append(gap)
    }
    let memory = try memoryOfTenThousand()
    print(
      "{\"memory_mb\":\(memory),\"guard_ms\":{\"1000\":\(guardTime(1000)),\"10000\":\(guardTime(10_000))},\"arrival_ms\":\(arrivals),"
        + "\"arrival_gap\":\(arrivalGaps),\"cut_ms\":\(cuts),\"mend_ms\":\(mends),\"mend_gap\":\(mendGaps)}")
  }

  static func cold(_ words: [String]) throws {
    guard words.count == 5, let connectors = Int(words[0]), let tightness = Double(words[1]), let seed = Int(words[3]),
      let gap = Double(words[4])
    else { fatalError("cold CONNECTORS TIGHTNESS hourly|plain SEED GAP") }
    var dice = SeededDice(seed: seed)
    var family = ProblemFamily()
    (family.connectors, family.tightness, family.hourlyPrices) = (connectors, tightness, words[2] == "hourly")
    let problem = family.problem(using: &dice)
    var (best, bound) = (Double.infinity, 0.0)
    for _ in 0..<5 {
      var nothing: WarmStart?
      let began = milliseconds()
      bound = try Planner(gap: gap, ofValue: true).relaxed(problem, warm: &nothing).bound
      best = min(best, milliseconds() - began)
    }
    print("{\"solve_ms\":\(best),\"bound_eur\":\(bound)}")
  }

  static func milliseconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) * 1000 + Double(time.tv_nsec) / 1e6
  }

  /// The most memory this process has held after a plan for ten thousand connectors, MB.
  static func memoryOfTenThousand() throws -> Int {
    var dice = SeededDice(seed: 1)
    var family = ProblemFamily()
    family.connectors = 10_000
    _ = try Planner(gap: 1e-3, ofValue: true).plan(family.problem(using: &dice))
    let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    for line in status.split(separator: "\n") where line.hasPrefix("VmHWM:") {
      return (line.split(whereSeparator: { !$0.isNumber }).first.flatMap { Int($0) } ?? 0) / 1024
    }
    return 0
  }

  static func guardTime(_ count: Int) -> Double {
    var dice = SeededDice(seed: 7)
    let (feeders, groups) = (count / 100, count * 9 / 100)
    var circuits = [FairShare.Circuit(parent: nil, room: PerPhase(all: .amperes(9 * count)))]
    for feeder in 0..<feeders { circuits.append(FairShare.Circuit(parent: 0, room: PerPhase(all: .amperes(700 + 5 * feeder)))) }
    for group in 0..<groups {
      circuits.append(
        FairShare.Circuit(parent: 1 + group % feeders, room: PerPhase(all: .amperes(Int.random(in: 60...250, using: &dice)))))
    }
    let claims = (0..<count).map { index in
      FairShare.Claim(
        circuit: feeders + 1 + index % groups, phases: index % 5 < 3 ? .all : Phases(rawValue: 1 << UInt8(index % 3)),
        floor: .amperes(6), cap: .amperes(Bool.random(using: &dice) ? 16 : 32), weight: Int.random(in: 1...100, using: &dice))
    }
    var workspace = FairShare.Workspace()
    var shares: [FairShare.Share] = []
    var best = Double.infinity
    for _ in 0..<(300_000 / count) {
      let began = milliseconds()
      FairShare.allocate(circuits: circuits, claims: claims, using: &workspace, into: &shares)
      best = min(best, milliseconds() - began)
    }
    return best
  }
}
