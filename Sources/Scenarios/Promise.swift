/// Something a scenario demands of its outcome. Each is a named checker with its reason; `must_hold` lists those wanted.
public struct Promise: Sendable, Hashable {
  public enum Kind: String, CaseIterable, Sendable {
    case limitsKept = "limits_kept"
    case demandsMet = "demands_met_percent_at_least"
    case energyDelivered = "energy_delivered_percent_at_least"
    case shortfall95 = "kwh_short_p95_at_most"
    case peak = "peak_kw_at_most"
    case quarterPeak = "quarter_peak_kw_at_most"
    case fairness = "jain_at_least"
    case unbalance = "unbalance_a_at_most"
    case cost = "cost_eur_at_most"

    /// Why one wants it.
    public var reason: String {
      switch self {
      case .limitsKept: "no circuit carries more than its lowest limit in any step, beyond what the uncontrolled load does alone"
      case .demandsMet: "drivers leave with what they came for"
      case .energyDelivered: "the energy asked for is delivered"
      case .shortfall95: "of twenty drivers nineteen lack no more"
      case .peak: "the connection's highest step stays below what is paid for"
      case .quarterPeak: "the billing meter's highest quarter of an hour stays below what is paid for"
      case .fairness: "what is lacking is shared: Jain's index of the parts delivered"
      case .unbalance: "no two phases of the connection differ by more"
      case .cost: "the energy costs no more"
      }
    }
    /// A flag has no number.
    public var isFlag: Bool { self == .limitsKept }
  }
  public var kind: Kind
  /// In the unit that the name says; 0 for a flag.
  public var bound: Double
  /// nil: of the controller's own strategies.
  public var strategies: [Strategy]?

  public init(kind: Kind, bound: Double = 0, strategies: [Strategy]? = nil) {
    (self.kind, self.bound, self.strategies) = (kind, bound, strategies)
  }
  public func concerns(_ strategy: Strategy) -> Bool { strategies?.contains(strategy) ?? strategy.isController }
}
