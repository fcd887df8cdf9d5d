import Documents
import Quantities
import Scenarios

extension Figures {
  func write(_ writer: inout JSONWriter) {
    writer.beginObject()
    writer.key("policy")
    writer.string(strategy.rawValue)
    writer.key("seed")
    writer.integer(Int(seed))
    let whole: [(String, Int)] = [("sessions", sessions), ("turned_away", turnedAway)]
    for (key, value) in whole {
      writer.key(key)
      writer.integer(value)
    }
    let reals: [(String, Double)] = [
      ("asked_kwh", asked), ("delivered_kwh", delivered), ("delivered_percent", deliveredPercent), ("demands_met_percent", met),
      ("peak_kw", peak), ("quarter_peak_kw", quarterPeak), ("energy_cost_eur", energyCost), ("peak_cost_eur", peakCost),
      ("unbalance_a", unbalance), ("held_back_kwh", heldBack), ("limit_used_percent", utilisation), ("jain", fairness),
    ]
    for (key, value) in reals {
      writer.key(key)
      writer.real(value)
    }
    if let utilisationWhileWaiting {
      writer.key("limit_used_while_waiting_percent")
      writer.real(utilisationWhileWaiting)
    }
    writer.key("kwh_short")
    writer.beginObject()
    for (name, value) in zip(Self.quantileNames, shortfalls) {
      writer.key(name)
      writer.real(value)
    }
    writer.endObject()
    writer.key("quarter_peaks_kw")
    writer.beginObject()
    for (month, kilowatts) in quarterPeaks {
      writer.key(month)
      writer.real(kilowatts)
    }
    writer.endObject()
    writer.key("profile_messages")
    writer.integer(profiles)
    writer.key("violations")
    writer.integer(violations)
    if let firstViolation { write(firstViolation, &writer) }
    writer.endObject()
  }

  private func write(_ violation: Outcome.Violation, _ writer: inout JSONWriter) {
    writer.key("first_violation")
    writer.beginObject()
    for (key, value) in [("step", violation.step), ("circuit", violation.circuit), ("phase", violation.phase.rawValue)] {
      writer.key(key)
      writer.integer(value)
    }
    writer.key("limit_a")
    writer.decimal(violation.limit.milliamperes, 3)
    writer.key("current_a")
    writer.decimal(violation.current.milliamperes, 3)
    writer.key("mean")
    writer.bool(violation.isMean)
    writer.endObject()
  }

  /// What `write` wrote.
  /// - Throws: what is wrong with it, and where.
  init(reading node: Node) throws(DocumentError) {
    func real(_ key: String) throws(DocumentError) -> Double { try node.number(at: key).double }
    guard let strategy = Strategy(rawValue: try node.string(at: "policy")) else {
      throw node.error(expected: "a policy of this program")
    }
    (self.strategy, seed) = (strategy, UInt64(try node.integer(at: "seed")))
    (sessions, turnedAway) = (try node.integer(at: "sessions"), try node.integer(at: "turned_away"))
    (asked, delivered, met) = (try real("asked_kwh"), try real("delivered_kwh"), try real("demands_met_percent"))
    peak = try real("peak_kw")
    (energyCost, peakCost) = (try real("energy_cost_eur"), try real("peak_cost_eur"))
    (unbalance, heldBack) = (try real("unbalance_a"), try real("held_back_kwh"))
    (utilisation, fairness) = (try real("limit_used_percent"), try real("jain"))
    utilisationWhileWaiting = node["limit_used_while_waiting_percent"]?.number?.double
    let short = try node.required(at: "kwh_short", expected: "the shortfalls")
    var shortfalls: [Double] = []
    for name in Self.quantileNames { shortfalls.append(try short.number(at: name).double) }
    self.shortfalls = shortfalls
    var peaks: [(month: String, kilowatts: Double)] = []
    for member in try node.required(at: "quarter_peaks_kw", expected: "the peaks").members {
      peaks.append((member.key, member.value.number?.double ?? 0))
    }
    quarterPeaks = peaks
    (profiles, violations) = (try node.integer(at: "profile_messages"), try node.integer(at: "violations"))
    firstViolation = try node["first_violation"].map { node throws(DocumentError) in try Outcome.Violation(reading: node) }
  }
  private static let quantileNames = ["p50", "p90", "p95", "p99", "most"]
}

extension Outcome.Violation {
  fileprivate init(reading node: Node) throws(DocumentError) {
    guard let phase = Phase(rawValue: try node.integer(at: "phase")) else { throw node.error(expected: "a phase from 0 to 2") }
    self.init(
      step: try node.integer(at: "step"), circuit: try node.integer(at: "circuit"), phase: phase,
      limit: Current(raw: try node.number(at: "limit_a").integer(scaledBy: 3) ?? 0),
      current: Current(raw: try node.number(at: "current_a").integer(scaledBy: 3) ?? 0), isMean: try node.bool(at: "mean"))
  }
}
