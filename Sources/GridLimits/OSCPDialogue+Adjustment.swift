import Documents
import Quantities
import Site

/// AdjustGroupCapacityForecast: more is asked for where the forecast leaves vehicles without what they need. Source: OSCP 2.0, §3.5.
extension OSCPDialogue {
  /// Energy that the plan cannot give for want of capacity, and when capacity would help.
  public struct Shortage: Hashable, Sendable {
    public var from: Instant
    public var until: Instant
    public var missing: Energy
    public init(from: Instant, until: Instant, missing: Energy) {
      (self.from, self.until, self.missing) = (from, until, missing)
    }
  }
  struct Asked: Hashable, Sendable {
    var blocks: [LimitSeries.Block]
    /// The forecast that it answered.
    var forecast: String
    var at: Instant
  }
  /// The same question is not asked again within a quarter of an hour, and no other within a minute.
  private static let repetition = TimeSpan.minutes(15)
  private static let patience = TimeSpan.minutes(1)

  /// What is to be asked for, in the forecast's own unit, rounded up to whole kW or A.
  /// - Parameters:
  ///   - shortages: may overlap; then their needs add up.
  ///   - most: what the circuit bears: nobody asks for more.
  /// - Returns: nil: nothing is lacking, it was asked just now, or nobody is there to be asked.
  public mutating func adjustment(_ shortages: [Shortage], most: PerPhase<Current>, at now: Instant) -> Action? {
    guard state.isHandshaken, let forecast = state.forecastID else { return nil }
    let blocks = needs(shortages, most)
    guard !blocks.isEmpty else { return nil }
    if let asked, asked.forecast == forecast {
      if now - asked.at < (asked.blocks == blocks ? Self.repetition : Self.patience) { return nil }
    }
    asked = Asked(blocks: blocks, forecast: forecast, at: now)
    let json: DocumentValue = .object([
      .init("group_id", .string(settings.group)), .init("type", "CONSUMPTION"),
      .init("forecasted_blocks", .array(blocks.flatMap(Self.json))),
    ])
    return .post(path: "adjust_group_capacity_forecast", json: json.json, correlation: forecast)
  }

  /// Per stretch of time in which a forecast holds: it, and what is lacking beside.
  private func needs(_ shortages: [Shortage], _ most: PerPhase<Current>) -> [LimitSeries.Block] {
    let known = state.consumption.flatMap { [$0.from] + ($0.until.map { [$0] } ?? []) }
    let edges = Set(shortages.flatMap { [$0.from, $0.until] } + known).sorted()
    var found: [LimitSeries.Block] = []
    for (from, until) in zip(edges, edges.dropFirst()) {
      let here = shortages.filter { $0.from <= from && until <= $0.until && $0.missing > .zero }
      let block = state.consumption.first { $0.from <= from && $0.until.map { until <= $0 } ?? true }
      guard !here.isEmpty, let block else { continue }
      let missing = here.reduce(Power.zero) { $0 + $1.missing.meanPower(over: $1.until - $1.from) }
      // Where the plan keeps to a wish below the forecast, only what goes beyond the forecast has to be asked for.
      let wish = state.optimum.first { $0.from <= from && $0.until.map { until <= $0 } ?? true }?.amount
      let wanted = more(than: block.amount, missing - kept(below: block.amount, by: wish), most)
      guard wanted != block.amount else { continue }
      if let last = found.last, last.until == from, last.amount == wanted {
        found[found.count - 1].until = until
      } else {
        found.append(.init(from: from, until: until, amount: wanted))
      }
    }
    return found
  }

  /// What a wish keeps free below a forecast of the same unit.
  private func kept(below amount: Limit.Amount, by wish: Limit.Amount?) -> Power {
    switch (amount, wish) {
    case (.power(let most), .power(let wish)): max(.zero, most - wish)
    case (.current(let most), .current(let wish)):
      (most - wish.minimum(most)).smallest.power(at: settings.voltage, phases: 3)
    default: .zero
    }
  }

  private func more(than amount: Limit.Amount, _ missing: Power, _ most: PerPhase<Current>) -> Limit.Amount {
    guard missing > .zero else { return amount }
    switch amount {
    case .power(let power):
      let bearable = most.sum.power(at: settings.voltage, phases: 1)
      let whole = Power(raw: ((power + missing).raw + 999_999) / 1_000_000 * 1_000_000)
      return .power(max(power, min(whole, bearable)))
    case .current(let current):
      let extra = missing.current(at: settings.voltage, phases: 3)
      let wanted = current.map { Current(raw: ($0.raw + extra.raw + 999) / 1000 * 1000) }.minimum(most)
      return .current(wanted.maximum(current))
    }
  }

  /// One object for all phases, or one for each that is limited.
  private static func json(_ block: LimitSeries.Block) -> [DocumentValue] {
    func object(_ capacity: Int, _ unit: DocumentValue, _ phase: DocumentValue) -> DocumentValue {
      .object([
        .init("capacity", .decimal(capacity, 3)), .init("phase", phase), .init("unit", unit),
        .init("start_time", .string(Timestamp.text(block.from.milliseconds))),
        .init("end_time", .string(Timestamp.text((block.until ?? block.from).milliseconds))),
      ])
    }
    switch block.amount {
    case .power(let power): return [object(power.raw, "W", "ALL")]
    case .current(let current):
      if current.smallest == current.largest { return [object(current.l1.raw, "A", "ALL")] }
      let names: PerPhase<DocumentValue> = PerPhase("ONE", "TWO", "THREE")
      return Phase.allCases.filter { current[$0] < OSCPForecast.unbounded }.map { object(current[$0].raw, "A", names[$0]) }
    }
  }
}
