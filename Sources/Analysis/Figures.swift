import Quantities
import Scenarios

/// The figures of one outcome, as summary, table and report show them; rounded to thousandths, so that they are the same when they are read
/// from a file.
public struct Figures: Sendable {
  public let strategy: Strategy
  public let seed: UInt64
  public let sessions: Int
  public let turnedAway: Int
  public let asked: Double
  public let delivered: Double
  /// Of the sessions that ended, percent whose shortfall nobody notices.
  public let met: Double
  /// kWh short per session: median, 90, 95, 99 percent, most.
  public let shortfalls: [Double]
  public let peak: Double
  public let quarterPeaks: [(month: String, kilowatts: Double)]
  public let energyCost: Double
  public let peakCost: Double
  public let unbalance: Double
  public let heldBack: Double
  /// Percent of what the connection could have carried, in all steps and in those in which some vehicle waited.
  public let utilisation: Double
  public let utilisationWhileWaiting: Double?
  /// Jain's index over the parts delivered, 0...1. Source: Jain, Chiu, Hawe, DEC-TR-301 (1984).
  public let fairness: Double
  public let profiles: Int
  public let violations: Int
  public let firstViolation: Outcome.Violation?
  public var cost: Double { energyCost + peakCost }
  public var deliveredPercent: Double { asked > 0 ? delivered / asked * 100 : 100 }
  public var quarterPeak: Double { quarterPeaks.map(\.kilowatts).max() ?? 0 }

  /// The parts of the shortfall distribution that are told.
  public static let quantiles = [500, 900, 950, 990, 1000]
  /// A demand counts as met with at most this lacking: a fiftieth of it, or 0.1 kWh, less than a kilometre's drive.
  public static func unnoticed(of asked: Energy) -> Energy { max(.wattHours(100), asked / 50) }

  public init(_ outcome: Outcome, _ scenario: Scenario, _ story: Story) {
    (strategy, seed, turnedAway) = (outcome.strategy, outcome.seed, story.turnedAway)
    let ended = outcome.sessions.filter { !$0.isOpen }
    sessions = ended.count
    asked = Decimal.rounded(ended.reduce(0) { $0 + $1.asked.kilowattHours })
    delivered = Decimal.rounded(ended.reduce(0) { $0 + $1.delivered.kilowattHours })
    let good = ended.count { $0.shortfall <= Self.unnoticed(of: $0.asked) }
    met = Decimal.rounded(ended.isEmpty ? 100 : Double(good) * 100 / Double(ended.count))
    let sorted = ended.map(\.shortfall).sorted()
    shortfalls = Self.quantiles.map { Decimal.rounded(Self.quantile($0, sorted)) }
    peak = Double(outcome.load.max() ?? 0) / 1000
    quarterPeaks = outcome.quarterPeaks.map { ($0.month, Decimal.rounded($0.kilowatts)) }
    energyCost = Decimal.rounded(outcome.energyCost)
    peakCost = Decimal.rounded(outcome.quarterPeaks.reduce(0) { $0 + max(0, $1.kilowatts) * scenario.prices.monthlyPeak })
    unbalance = outcome.largestUnbalance.amperes
    heldBack = Decimal.rounded(outcome.heldBack)
    utilisation = Decimal.rounded(Self.part(outcome, of: outcome.load.indices) ?? 0)
    utilisationWhileWaiting = Self.part(outcome, of: outcome.load.indices.filter { outcome.waiting[$0] > 0 }).map(Decimal.rounded)
    fairness = Decimal.rounded(Self.jain(ended))
    (profiles, violations, firstViolation) = (outcome.profiles, outcome.violationCount, outcome.violations.first)
  }

  private static func quantile(_ permille: Int, _ sorted: [Energy]) -> Double {
    guard !sorted.isEmpty else { return 0 }
    return sorted[max(0, min(sorted.count - 1, (sorted.count * permille + 999) / 1000 - 1))].kilowattHours
  }

  private static func part<Steps: Sequence<Int>>(_ outcome: Outcome, of steps: Steps) -> Double? {
    var (load, limit) = (0, 0)
    for step in steps {
      load += max(0, Int(outcome.load[step]))
      limit += Int(outcome.limit[step])
    }
    return limit > 0 ? Double(load) * 100 / Double(limit) : nil
  }

  private static func jain(_ sessions: [Outcome.Session]) -> Double {
    var (sum, squares, count) = (0.0, 0.0, 0.0)
    for session in sessions where session.asked > .zero {
      let part = session.delivered.kilowattHours / session.asked.kilowattHours
      sum += part
      squares += part * part
      count += 1
    }
    return squares > 0 ? sum * sum / (count * squares) : 1
  }
}

extension Energy {
  public var kilowattHours: Double { Double(milliwattHours) / 1_000_000 }
}

/// What a promise of the scenario found.
public struct PromiseResult: Sendable {
  public let promise: Promise
  public let strategy: Strategy
  public let seed: UInt64
  public let holds: Bool
  /// What was found, and what would have been right.
  public let words: String

  init(_ promise: Promise, _ figures: Figures, _ scenario: Scenario) {
    (self.promise, strategy, seed) = (promise, figures.strategy, figures.seed)
    let bound = promise.bound
    func least(_ value: Double, _ what: String) -> (Bool, String) {
      (value >= bound, "\(what) \(Decimal.text(value, 3)), at least \(Decimal.text(bound, 3))")
    }
    func most(_ value: Double, _ what: String) -> (Bool, String) {
      (value <= bound, "\(what) \(Decimal.text(value, 3)), at most \(Decimal.text(bound, 3))")
    }
    (holds, words) =
      switch promise.kind {
      case .limitsKept: (figures.violations == 0, Self.limits(figures, scenario))
      case .demandsMet: least(figures.met, "demands met, percent:")
      case .energyDelivered: least(figures.deliveredPercent, "energy delivered, percent:")
      case .shortfall95: most(figures.shortfalls[2], "kWh short of 95 percent of the sessions:")
      case .peak: most(figures.peak, "peak, kW:")
      case .quarterPeak: most(figures.quarterPeak, "highest quarter of an hour, kW:")
      case .fairness: least(figures.fairness, "Jain's index:")
      case .unbalance: most(figures.unbalance, "largest unbalance, A:")
      case .cost: most(figures.cost, "cost, EUR:")
      }
  }

  private static func limits(_ figures: Figures, _ scenario: Scenario) -> String {
    guard let first = figures.firstViolation else { return "no limit was passed" }
    let circuit = scenario.hub.circuits[first.circuit].id
    return
      "\(figures.violations) times a limit was passed, first \(Decimal.time(scenario, first.step)) on \(circuit) \(first.phase.name): "
      + "\(Decimal.text(first.current.amperes, 3)) A of \(Decimal.text(first.limit.amperes, 3)) A"
  }
}
