import Documents
import Quantities
import Scenarios

extension Study {
  /// Why summaries cannot be joined.
  public enum JoinFault: Error, CustomStringConvertible {
    case unreadable(DocumentError)
    case twice(strategy: Strategy, seed: UInt64, name: String)
    public var description: String {
      switch self {
      case .unreadable(let error): error.description
      case .twice(let strategy, let seed, let name): "\(name): the run of \(strategy.rawValue) with seed \(seed) is there already"
      }
    }
  }

  /// The study of which these are the summaries of its shares, in any order. It has the figures of all runs and the details of none; where
  /// runs are missing it is not complete.
  /// - Parameter summaries: each with the name of its file.
  public init(joining summaries: [(name: String, json: [UInt8])], of scenario: Scenario, name: String) throws(JoinFault) {
    var head: (seeds: [UInt64], strategies: [Strategy], days: Int)?
    var found: [Figures] = []
    var (days, isWhole) = (scenario.days, true)
    for (file, json) in summaries {
      do throws(DocumentError) {
        let root = try Document(json, dialect: .json, name: file, longest: 1 << 30).root
        let seeds = try root.required(at: "seeds", expected: "seeds").elements.compactMap { $0.integer.map { UInt64($0) } }
        let strategies = try root.required(at: "policies", expected: "policies").elements.compactMap {
          $0.string.flatMap { Strategy(rawValue: $0) }
        }
        let lived = try root.integer(at: "days")
        if head == nil { head = (seeds, strategies, lived) }
        (days, isWhole) = (min(days, try root.integer(at: "days_lived")), try root.bool(at: "complete") && isWhole)
        for node in try root.required(at: "runs", expected: "runs").elements { found.append(try Figures(reading: node)) }
        guard let first = head, first.seeds != seeds || first.strategies != strategies || first.days != lived else { continue }
        isWhole = false
        throw root.error(found: "other seeds, policies or days than in \(summaries[0].name)", expected: "a share of the same study")
      } catch { throw .unreadable(error) }
    }
    self.init(scenario, name: name, seeds: head?.seeds ?? [], strategies: head?.strategies ?? [])
    for (strategy, seed) in plan {
      let runs = found.filter { $0.strategy == strategy && $0.seed == seed }
      guard runs.count < 2 else { throw .twice(strategy: strategy, seed: seed, name: name) }
      figures += runs
    }
    self.days = days
    isComplete = isWhole && figures.count == plan.count
  }

  /// Adds the details of the first seed's runs, lived again.
  /// - Returns: the strategies whose figures are others than those joined: another scenario, or another version of this program.
  public mutating func add(details outcomes: [(Outcome, Figures)]) -> [Strategy] {
    detailed = outcomes.map { $0.0 }
    return outcomes.filter { pair in
      guard let joined = figures.first(where: { $0.strategy == pair.1.strategy && $0.seed == pair.1.seed }) else { return false }
      return joined.delivered != pair.1.delivered || joined.peak != pair.1.peak || joined.energyCost != pair.1.energyCost
    }.map(\.1.strategy)
  }
}
