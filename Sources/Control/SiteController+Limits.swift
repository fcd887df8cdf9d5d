import Quantities
import Site

/// What bounds a circuit now.
struct Bound {
  var current: PerPhase<Current>
  var source: Source
  /// When the next lower limit begins; offers end before that.
  var nextChange: Instant?

  enum Source: Hashable {
    case fuse, manual, maintenance, contract, unbalance
    case limit(Int)
  }
}

extension SiteController {
  /// How long before a known limit begins it is acted on.
  var anticipation: TimeSpan { hub.settings.guardTime + .seconds(10) }

  /// The lowest of all limits in force on each circuit, per phase.
  mutating func bounds(_ bases: [Base], _ now: EventStamp) -> [Bound] {
    hub.circuits.indices.map { k in
      let circuit = hub.circuits[k]
      var bound = Bound(current: circuit.rating, source: .fuse)
      bound.lower(to: circuit.manualCap, .manual)
      bound.lower(to: circuits[k].orderedCap, .manual)
      if circuit.maintenance || circuits[k].isUnderWorks { bound.lower(to: .zero, .maintenance) }
      for (place, limit) in limits.enumerated() where limit.circuit == k && limit.until.map({ $0 > now.utc }) ?? true {
        let current = self.current(of: limit.amount, circuit: k)
        if limit.from <= now.utc + anticipation {
          bound.lower(to: current, .limit(place))
        } else if current.smallest < bound.current.largest {
          bound.nextChange = min(bound.nextChange ?? limit.from, limit.from)
        }
      }
      if let contract = circuit.contract { bound.lower(to: contractBudget(contract, k, bases[k], now), .contract) }
      if let unbalance = circuit.unbalanceLimit, let reading = circuits[k].reading, !isStale(k, at: now.monotonic) {
        bound.lower(to: PerPhase(all: max(.zero, reading.smallest) + unbalance), .unbalance)
      }
      return bound
    }
  }

  func current(of amount: Limit.Amount, circuit: Int) -> PerPhase<Current> {
    switch amount {
    case .current(let current): current
    case .power(let power): PerPhase(all: power.current(at: highestVoltage, phases: 3))
    }
  }

  /// The highest plausible voltage: a limit in W becomes the fewest amperes.
  var highestVoltage: Voltage { hub.nominalVoltage.scaled(11, over: 10) }

  /// Rule 4: (limit x window - so far) / max(time left, reaction time).
  private mutating func contractBudget(_ contract: ContractLimit, _ k: Int, _ base: Base, _ now: EventStamp) -> PerPhase<Current> {
    let start = (now.utc - contract.offset).floored(to: contract.window) + contract.offset
    account(contract, k, base, now, start: start)
    guard let state = circuits[k].contract else { return hub.circuits[k].rating }
    let left = max(start + contract.window - now.utc, reactionTime)
    switch contract.amount {
    case .current(let mean):
      return PerPhase(
        budget(mean.l1, contract.window, state.chargeSoFar.l1, left), budget(mean.l2, contract.window, state.chargeSoFar.l2, left),
        budget(mean.l3, contract.window, state.chargeSoFar.l3, left))
    case .power(let mean):
      let work = mean.raw.multipliedReportingOverflow(by: contract.window.raw).partialValue - state.workSoFar
      let power = Power(raw: max(0, work) / left.raw)
      return PerPhase(all: power.current(at: highestVoltage, phases: 3))
    }
  }

  private func budget(_ mean: Current, _ window: TimeSpan, _ soFar: Int, _ left: TimeSpan) -> Current {
    Current(raw: max(0, mean.raw * window.raw - soFar) / left.raw)
  }

  /// Adds what was drawn since the last time; time that no meter saw counts at the worst, until its energy register tells.
  private mutating func account(_ contract: ContractLimit, _ k: Int, _ base: Base, _ now: EventStamp, start: Instant) {
    var state = circuits[k].contract ?? unseen(k, until: now.utc, windowStart: start)
    if state.windowStart != start {
      state = ContractState(windowStart: start, accountedUntil: start, chargeSoFar: PerPhase(0, 0, 0), workSoFar: 0)
    }
    let span = max(.zero, now.utc - state.accountedUntil)
    let stale = isStale(k, at: now.monotonic)
    let drawn = stale ? hub.circuits[k].rating : (circuits[k].reading ?? .zero).maximum(.zero)
    for phase in Phase.allCases { state.chargeSoFar[phase] += drawn[phase].raw * span.raw }
    let power = stale ? nil : circuits[k].totalPower.map { max(.zero, $0) }
    state.add(
      (power ?? drawn.sum.power(at: highestVoltage, phases: 1)).raw * span.raw, isSeen: !stale,
      register: stale ? nil : circuits[k].register)
    state.accountedUntil = max(state.accountedUntil, now.utc)
    circuits[k].contract = state
  }

  /// A window of which nothing is known so far: counted at the rating.
  private func unseen(_ k: Int, until now: Instant, windowStart: Instant) -> ContractState {
    let rating = hub.circuits[k].rating
    let span = (now - windowStart).raw
    return ContractState(
      windowStart: windowStart, accountedUntil: now, chargeSoFar: rating.map { $0.raw * span },
      workSoFar: rating.sum.power(at: highestVoltage, phases: 1).raw * span)
  }

  /// No rises in the last 60 s of a contract window (rule 4).
  func windowIsClosing(_ k: Int, _ now: EventStamp) -> Bool {
    guard let contract = hub.circuits[k].contract else { return false }
    let start = (now.utc - contract.offset).floored(to: contract.window) + contract.offset
    return start + contract.window - now.utc <= .seconds(60)
  }

  /// R: from a change of load to its effect at the meter.
  var reactionTime: TimeSpan { siteFacts.reactionTime }
}

extension Bound {
  fileprivate mutating func lower(to other: PerPhase<Current>?, _ source: Source) {
    guard let other else { return }
    let lowered = current.minimum(other)
    if lowered != current { (current, self.source) = (lowered, source) }
  }
}
