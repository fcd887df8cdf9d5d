import Dispatch
import Glibc
import Quantities
import Simulation
import Threads

/// `sluice torture --limit-trials N`: how long full hubs take to meet a limit of 150 kW, by how fast their vehicles are and how many
/// stations do not obey.
enum LimitTrialsCommand {
  /// - Returns: 0 when what is promised held in 999 of 1000 trials and no rule was broken, else 1.
  static func run(_ count: Int, firstSeed: UInt64) -> Int32 {
    print(
      "\(count) trials of each kind, seeds \(firstSeed) to \(firstSeed + UInt64(count) - 1): 26 to 30 connectors that draw 380 to 400 kW (with stations that do not obey: at least 285) are limited to 150 kW."
    )
    print(
      "From the limit to the last moment above it at the connection, in s. Of the vehicles, 70 % follow their pilot signal after 1 to 5 s,"
    )
    print(
      "25 % after 5 to 15 s, 5 % after 15 to 30 s, each always after the same time and none later than is said; stations take 0.2 to 5 s."
    )
    print(row("", "p50", "p90", "p99", "p99.9", "worst", "within 20 s", "within 30 s", "above, kWh", "CPU s"))
    var isKept = true
    for kind in LimitTrials.kinds {
      let begin = clock()
      let trials = LimitTrials(kind, live(kind, count, firstSeed))
      let spent = Double(clock() - begin) / Double(CLOCKS_PER_SEC)
      tell(trials, spent)
      isKept = isKept && judge(trials)
      fflush(nil)
    }
    return isKept ? 0 : 1
  }

  private static func live(_ kind: LimitTrials.Kind, _ count: Int, _ first: UInt64) -> [LimitTrial.Outcome] {
    let found = Locked([LimitTrial.Outcome?](repeating: nil, count: count))
    DispatchQueue.concurrentPerform(iterations: count) { place in
      let trial = LimitTrial(seed: first + UInt64(place), slowest: kind.slowest, disobedient: kind.disobedient)
      let outcome = trial.run()
      found.with { $0[place] = outcome }
    }
    return found.with { $0.compactMap { $0 } }
  }

  private static func tell(_ trials: LimitTrials, _ spent: Double) {
    let quantiles = [500, 900, 990, 999, 1000].map { seconds(trials.quantile($0)) }
    let above = trials.outcomes.reduce(Energy.zero) { $0 + $1.above }
    let mean = Double(above.milliwattHours) / 1e6 / Double(max(1, trials.times.count))
    let shares = [20, 30].map { "\(trials.met(within: .seconds($0)))" }
    print(row([trials.kind.name] + quantiles + shares + [fixed(mean, 2), fixed(spent, 0)]))
  }

  /// What was promised and is not, and what the checkers of the rules have found.
  private static func judge(_ trials: LimitTrials) -> Bool {
    var isKept = trials.unfilled == 0
    if !isKept { print("  \(trials.unfilled) hubs were not full within six minutes") }
    for outcome in trials.outcomes {
      for finding in outcome.findings {
        print("  FOUND \(finding)")
        isKept = false
      }
    }
    guard let promised = trials.kind.promised else { return isKept }
    let late = trials.outcomes.filter { $0.met.map { $0 > promised } ?? false }
    guard late.count * 1000 > trials.outcomes.count else { return isKept }
    let seeds = late.prefix(10).map { "\($0.seed)" }.joined(separator: " ")
    print("  MISSED: \(late.count) of \(trials.outcomes.count) took longer than \(seconds(promised)) s: seeds \(seeds)")
    return false
  }

  private static func seconds(_ span: TimeSpan?) -> String { span.map { fixed(Double($0.milliseconds) / 1000, 1) } ?? "-" }
  private static func fixed(_ value: Double, _ digits: Int) -> String {
    let scale = digits == 0 ? 1.0 : digits == 1 ? 10 : 100
    let whole = Int((value * scale).rounded())
    guard digits > 0 else { return "\(whole)" }
    let rest = "\(whole % Int(scale))"
    return "\(whole / Int(scale))." + String(repeating: "0", count: digits - rest.count) + rest
  }
  private static func row(_ cells: String...) -> String { row(cells) }
  private static func row(_ cells: [String]) -> String {
    cells.enumerated().map { place, cell in
      let padding = String(repeating: " ", count: max(1, (place == 0 ? 30 : place < 6 ? 7 : 12) - cell.count))
      return place == 0 ? cell + padding : padding + cell
    }.joined()
  }
}
