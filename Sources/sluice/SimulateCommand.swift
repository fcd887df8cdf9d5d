import Analysis
import Documents
import Foundation
import Quantities
import Scenarios
import SiteFiles

/// `sluice simulate`: lives a scenario under several policies and seeds, and writes figures, tables and a report.
enum SimulateCommand {
  static let usage = """
    usage: sluice simulate SCENARIO.json5 --out DIR [--seed N | --seeds A..B] [--jobs N] [--policy A,B,...] [--days N]
                           [--from SESSIONS.csv] [--shard K/N] [--profiles FOLDER]
           sluice simulate SCENARIO.json5 --merge DIR... --out DIR
      --out DIR        summary.json, sessions.csv, load.csv, events.jsonl and report.html go there; sessions, load and events are those of
                       the first seed
      --seed N         the scenario's chances (default: what the scenario says); --seeds A..B several
      --jobs N         threads (default: one for each processor); the results are the same bytes
      --policy A,B     of \(Strategy.allCases.map(\.rawValue).joined(separator: ", ")) (default: what the scenario says)
      --days N         instead of the scenario's days
      --from FILE      recorded sessions instead of the scenario's vehicles: CSV, JSON or OCPI charge detail records
      --shard K/N      lives the K-th of N shares of the runs, for several processes or machines; --merge joins what they wrote (with the
                       same scenario, --days and --from), and lives the first seed again for tables and pictures
      --no-events      leaves events.jsonl out
    exit status: 0, or 1 when something of `must_hold` does not, 2 for a wrong command line, 130 when it was stopped (the results so far
    are written, and say so)
    """

  struct Wish {
    var scenario: Scenario
    var name: String
    var folder: String
    var seeds: [UInt64]
    var strategies: [Strategy]
    var jobs: Int
    var tellsEvents: Bool
    var share: Study.Share?
    /// Folders of shares to be joined; empty: there is something to be lived.
    var joins: [String]

    var study: Study { Study(scenario, name: name, seeds: seeds, strategies: strategies, share: share) }
  }

  static func run(_ arguments: [String]) throws -> Int32 {
    if arguments.isEmpty {
      print(usage)
      return arguments.isEmpty ? 2 : 0
    }
    let wish: Wish
    do { wish = try read(arguments) } catch let error as CommandLineOptions.Misuse {
      StandardError.write("sluice: \(error.description)\n\n\(usage)")
      return 2
    }
    return wish.joins.isEmpty ? try SimulateWork(wish, wish.study.plan).run() : try SimulateMerge(wish).run()
  }

  private static func read(_ arguments: [String]) throws -> Wish {
    let options = try CommandLineOptions(
      arguments, names: ["out", "seed", "seeds", "jobs", "policy", "days", "from", "profiles", "shard"],
      flags: ["no-events", "merge"])
    guard let path = options.words.first, options.has("merge") || options.words.count == 1 else {
      throw CommandLineOptions.Misuse(description: "one scenario file is needed")
    }
    if options.has("merge"), options.words.count < 2 {
      throw CommandLineOptions.Misuse(description: "--merge needs the folders that the shares wrote")
    }
    guard let folder = options.text("out") else { throw CommandLineOptions.Misuse(description: "--out DIR is needed") }
    var scenario = try ScenarioFile.read(path, profiles: try ProfileFolder.locate(named: options.text("profiles")))
    if let file = options.text("from") { try replaceVisits(of: &scenario, by: file) }
    if let days = try options.whole("days", in: 1...3660) { scenario.days = days }
    let name = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
    return Wish(
      scenario: scenario, name: name, folder: folder, seeds: try seeds(options) ?? [scenario.seed],
      strategies: try strategies(options) ?? scenario.strategies,
      jobs: try options.whole("jobs", in: 1...256) ?? ProcessInfo.processInfo.activeProcessorCount,
      tellsEvents: !options.has("no-events"),
      share: try share(options), joins: options.has("merge") ? Array(options.words.dropFirst()) : [])
  }

  private static func share(_ options: CommandLineOptions) throws -> Study.Share? {
    guard let text = options.text("shard") else { return nil }
    let numbers = text.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
    guard numbers.count == 2, let part = numbers[0], let of = numbers[1], of >= 1, (1...of).contains(part) else {
      throw CommandLineOptions.Misuse(description: "--shard is `\(text)`; expected K/N with K from 1 to N, like 3/16")
    }
    return Study.Share(part: part, of: of)
  }

  private static func seeds(_ options: CommandLineOptions) throws -> [UInt64]? {
    if let seed = try options.whole("seed", in: 0...Int.max) { return [UInt64(seed)] }
    guard let text = options.text("seeds") else { return nil }
    let ends = text.components(separatedBy: "..").map { UInt64($0) }
    guard ends.count == 2, let first = ends[0], let last = ends[1], first <= last, last - first < 100_000 else {
      throw CommandLineOptions.Misuse(description: "--seeds is `\(text)`; expected two whole numbers, like 1..100")
    }
    return Array(first...last)
  }

  private static func strategies(_ options: CommandLineOptions) throws -> [Strategy]? {
    guard let text = options.text("policy") else { return nil }
    return try text.split(separator: ",").map { word in
      guard let strategy = Strategy(rawValue: String(word)) else {
        throw CommandLineOptions.Misuse(
          description: "--policy names `\(word)`; expected some of \(Strategy.allCases.map(\.rawValue).joined(separator: ", "))")
      }
      return strategy
    }
  }

  /// The recorded sessions begin on the day of the first of them, and the scenario with them.
  private static func replaceVisits(of scenario: inout Scenario, by path: String) throws {
    let text = try ProfileFolder.read(path)
    let visits = try SessionRecords.read(text: text, name: path, localTime: scenario.localTime, hub: scenario.hub)
    guard let first = visits.first, let last = visits.last else { return }
    let midnight = scenario.localTime.instant(showing: scenario.localTime.shown(at: first.arrival).floored(to: .days(1)))
    scenario.start = midnight
    scenario.days = min(3660, max(1, ((last.departure - midnight).raw + 86_399_999) / 86_400_000))
    scenario.visits = .recorded(visits)
    scenario.sources.append("Sessions: \(URL(fileURLWithPath: path).lastPathComponent)")
  }
}
