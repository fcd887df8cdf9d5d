import Quantities

/// Who could charge when, with what it is worth and what it costs: what the planner is asked. Amperes are RMS per used phase.
public struct PlanningProblem: Hashable, Sendable {
  public struct Circuit: Hashable, Sendable {
    /// The index of the circuit that feeds this one, an earlier element; nil only for the first, the site.
    public var parent: Int?
    /// Amperes per phase, at least zero: one value for all slots, or one per slot.
    public var limit: PerPhase<[Double]>
    /// The most, in amperes, by which the sums on two phases may differ in any slot.
    public var unbalance: Double?
    /// Amperes per phase, at least zero: a cap on the mean over each clock-aligned quarter of an hour, one value for all or one per
    /// quarter that the horizon touches. Slots must be shorter than a quarter and divide it.
    public var quarterLimit: PerPhase<[Double]>?
    public init(parent: Int?, limit: PerPhase<[Double]>, unbalance: Double? = nil, quarterLimit: PerPhase<[Double]>? = nil) {
      (self.parent, self.limit, self.unbalance, self.quarterLimit) = (parent, limit, unbalance, quarterLimit)
    }
  }
  /// A quantity of energy and what each kilowatt-hour of it is worth.
  public struct ValueStep: Hashable, Sendable {
    public var wattHours: Double
    public var euroPerKilowattHour: Double
    public init(wattHours: Double, euroPerKilowattHour: Double) {
      (self.wattHours, self.euroPerKilowattHour) = (wattHours, euroPerKilowattHour)
    }
  }
  public struct Session: Hashable, Sendable {
    public var circuit: Int
    public var phases: Phases
    /// Amperes; the plan's values are zero or between the two, on a grid of `step` (whole milliamperes).
    public var smallest: Double
    public var largest: Double
    public var step: Double
    /// The slots in which it may charge.
    public var window: Range<Int>
    /// In falling order of worth; together they are the demand.
    public var value: [ValueStep]
    public init(
      circuit: Int, phases: Phases, smallest: Double = 6, largest: Double, step: Double = 0.1, window: Range<Int>,
      value: [ValueStep]
    ) {
      (self.circuit, self.phases, self.smallest, self.largest) = (circuit, phases, smallest, largest)
      (self.step, self.window, self.value) = (step, window, value)
    }
    public var demand: Double { value.reduce(0) { $0 + $1.wattHours } }
  }

  public var slotMinutes: Int
  /// How many minutes after a full quarter of an hour the first slot begins, 0...14.
  public var minutesIntoQuarter = 0
  /// Phase to neutral.
  public var volts: Double
  /// EUR per kWh; one value per slot, which gives the number of slots.
  public var prices: [Double]
  /// A cost per kWh that grows linearly over the horizon to this value.
  public var early: Double
  /// EUR per kW of the highest site power in any slot.
  public var peak: Double
  /// Amperes, summed over the phases, that the site draws beside the sessions in each slot, as far as they count for the peak; negative
  /// where it feeds in. Empty: none. The peak that this alone makes costs nothing here: no plan can change it.
  public var peakBase: [Double] = []
  /// The highest that has been reached before the plan, amperes summed over the phases: what it costs is owed, so that no power up to it
  /// costs anything here.
  public var peakReached: Double = 0
  public var circuits: [Circuit]
  public var sessions: [Session]
  public var slots: Int { prices.count }

  public init(
    slotMinutes: Int, volts: Double = 230, prices: [Double], early: Double = 0.002, peak: Double = 0, circuits: [Circuit],
    sessions: [Session]
  ) {
    (self.slotMinutes, self.volts, self.prices, self.early, self.peak) = (slotMinutes, volts, prices, early, peak)
    (self.circuits, self.sessions) = (circuits, sessions)
  }

  /// Kilowatt-hours of one ampere of the session in one slot.
  func energyPerAmpere(_ session: Session) -> Double { Double(session.phases.count) * volts * Double(slotMinutes) / 60_000 }
  /// EUR per kWh in a slot, the early term included.
  func cost(_ slot: Int) -> Double { prices[slot] + early * Double(slot) / Double(slots) }
  /// The quarter of an hour in which a slot lies, and how many the horizon touches.
  func quarter(of slot: Int) -> Int { (minutesIntoQuarter + slot * slotMinutes) / 15 }
  /// How far below the peak that is owed anyway the base is in each slot, at most zero; empty where that does not matter.
  public var peakOffsets: [Double] {
    let owed = max(peakReached, peakBase.max() ?? 0)
    guard peak > 0, owed > 0 || !peakBase.isEmpty else { return [] }
    return (0..<slots).map { (peakBase.isEmpty ? 0 : peakBase[$0]) - owed }
  }
  public var quarters: Int { slots == 0 ? 0 : quarter(of: slots - 1) + 1 }
}

extension PlanningProblem {
  /// What is wrong with a problem, and where.
  public enum Flaw: Error, Hashable, Sendable {
    case noSlots, noCircuits
    case tooLarge(variables: Int, most: Int)
    /// Not a finite number in the range the field allows.
    case badNumber(field: String, found: Double)
    case badPrice(slot: Int, found: Double)
    case childBeforeParent(circuit: Int)
    case badLimitCount(circuit: Int, phase: Phase, found: Int, expected: Int)
    case badLimit(circuit: Int, phase: Phase, slot: Int, found: Double)
    case badUnbalance(circuit: Int, found: Double)
    /// Quarters need slots that are shorter than 15 minutes, divide them and begin with them.
    case noQuarters(circuit: Int, slotMinutes: Int)
    case badQuarterLimitCount(circuit: Int, phase: Phase, found: Int, expected: Int)
    case badQuarterLimit(circuit: Int, phase: Phase, quarter: Int, found: Double)
    case unknownCircuit(session: Int, found: Int)
    case noPhases(session: Int)
    case outsideHorizon(session: Int, window: Range<Int>)
    case badCurrents(session: Int, smallest: Double, largest: Double, step: Double)
    case badValue(session: Int, step: Int)
    /// Steps must fall: energy worth more comes first.
    case risingValue(session: Int, step: Int)
  }

  /// More variables (sessions times slots of their windows) than this are refused.
  public static let mostVariables = 10_000_000

  /// - Throws: the first flaw, reading in the order of the fields.
  public func validate() throws(Flaw) {
    guard slots > 0 else { throw .noSlots }
    guard !circuits.isEmpty else { throw .noCircuits }
    guard slotMinutes > 0, slotMinutes <= 1440 else { throw .badNumber(field: "slot_minutes", found: Double(slotMinutes)) }
    guard volts >= 1, volts <= 1000 else { throw .badNumber(field: "volts", found: volts) }
    guard early.isFinite, abs(early) <= 1e6 else { throw .badNumber(field: "early_eur_per_kwh", found: early) }
    guard peak >= 0, peak <= 1e6 else { throw .badNumber(field: "peak_eur_per_kw", found: peak) }
    for slot in prices.indices where !(abs(prices[slot]) <= 1e6) { throw .badPrice(slot: slot, found: prices[slot]) }
    guard peakBase.isEmpty || peakBase.count == slots else {
      throw .badNumber(field: "peak_base_a, whose count", found: Double(peakBase.count))
    }
    guard peakReached >= 0, peakReached <= 1e6 else { throw .badNumber(field: "peak_reached_a", found: peakReached) }
    for slot in peakBase.indices where !(abs(peakBase[slot]) <= 1e6) {
      throw .badNumber(field: "peak_base_a in slot \(slot)", found: peakBase[slot])
    }
    for index in circuits.indices { try validate(circuit: index) }
    for index in sessions.indices { try validate(session: index) }
    let variables = sessions.reduce(0) { $0 + $1.window.count }
    guard variables < Self.mostVariables else { throw .tooLarge(variables: variables, most: Self.mostVariables) }
    guard circuits.count * 3 * slots <= Self.mostVariables else {
      throw .tooLarge(variables: circuits.count * 3 * slots, most: Self.mostVariables)
    }
  }

  private func validate(circuit index: Int) throws(Flaw) {
    let circuit = circuits[index]
    guard index == 0 ? circuit.parent == nil : (0..<index).contains(circuit.parent ?? -1) else {
      throw .childBeforeParent(circuit: index)
    }
    for phase in Phase.allCases {
      let limit = circuit.limit[phase]
      guard limit.count == 1 || limit.count == slots else {
        throw .badLimitCount(circuit: index, phase: phase, found: limit.count, expected: slots)
      }
      for slot in limit.indices where !(limit[slot] >= 0 && limit[slot] <= 1e6) {
        throw .badLimit(circuit: index, phase: phase, slot: slot, found: limit[slot])
      }
    }
    if let most = circuit.unbalance, !(most >= 0 && most <= 1e6) { throw .badUnbalance(circuit: index, found: most) }
    guard let quarterLimit = circuit.quarterLimit else { return }
    guard slotMinutes < 15, 15 % slotMinutes == 0, minutesIntoQuarter % slotMinutes == 0, (0..<15).contains(minutesIntoQuarter)
    else { throw .noQuarters(circuit: index, slotMinutes: slotMinutes) }
    for phase in Phase.allCases {
      let limit = quarterLimit[phase]
      guard limit.count == 1 || limit.count == quarters else {
        throw .badQuarterLimitCount(circuit: index, phase: phase, found: limit.count, expected: quarters)
      }
      for quarter in limit.indices where !(limit[quarter] >= 0 && limit[quarter] <= 1e6) {
        throw .badQuarterLimit(circuit: index, phase: phase, quarter: quarter, found: limit[quarter])
      }
    }
  }

  func validate(session index: Int) throws(Flaw) { try validate(sessions[index], as: index) }

  func validate(_ session: Session, as index: Int) throws(Flaw) {
    guard circuits.indices.contains(session.circuit) else { throw .unknownCircuit(session: index, found: session.circuit) }
    guard !session.phases.isEmpty, session.phases.rawValue < 8 else { throw .noPhases(session: index) }
    guard session.window.lowerBound >= 0, session.window.upperBound <= slots, !session.window.isEmpty else {
      throw .outsideHorizon(session: index, window: session.window)
    }
    guard session.smallest >= 0, session.largest >= session.smallest, session.largest <= 1e5, session.step >= 0.001,
      session.step <= 1e5
    else {
      throw .badCurrents(session: index, smallest: session.smallest, largest: session.largest, step: session.step)
    }
    var demand = 0.0
    for (step, value) in session.value.enumerated() {
      demand += value.wattHours
      guard value.wattHours >= 0, demand <= 1e9, abs(value.euroPerKilowattHour) <= 1e6 else {
        throw .badValue(session: index, step: step)
      }
      guard step == 0 || value.euroPerKilowattHour <= session.value[step - 1].euroPerKilowattHour else {
        throw .risingValue(session: index, step: step)
      }
    }
  }
}
