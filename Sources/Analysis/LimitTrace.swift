import Quantities
import Scenarios
import Site

/// The lowest limit that holds on each circuit and phase in a step, as physics and bills see it.
struct LimitTrace {
  private let hub: Hub
  private let limits: [Limit]
  /// mA, index circuit x 3 + phase.
  private(set) var lowest: [Int]
  /// Without outside limits and means: fuses and caps set by hand.
  private let standing: [Int]
  /// The contract's mean on each circuit as a current per phase; nil: none.
  let means: [PerPhase<Current>?]

  init(_ hub: Hub, _ story: Story) {
    self.hub = hub
    limits = story.limits.map(\.limit)
    means = hub.circuits.map { circuit in
      circuit.contract.map { Self.current(Self.amount($0), hub) }
    }
    standing = hub.circuits.flatMap { circuit in
      Phase.allCases.map { phase in
        circuit.maintenance ? 0 : min(circuit.rating[phase], circuit.manualCap?[phase] ?? circuit.rating[phase]).raw
      }
    }
    lowest = standing
  }

  private static func amount(_ contract: ContractLimit) -> Limit.Amount {
    switch contract.amount {
    case .current(let current): .current(current)
    case .power(let power): .power(power)
    }
  }
  private static func current(_ amount: Limit.Amount, _ hub: Hub) -> PerPhase<Current> {
    switch amount {
    case .current(let current): current
    case .power(let power): PerPhase(all: power.current(at: hub.nominalVoltage, phases: 3))
    }
  }

  /// - Returns: whether some limit is another than before.
  mutating func move(to now: Instant) -> Bool {
    let before = lowest
    lowest = standing
    for limit in limits where limit.from <= now && limit.until.map({ now < $0 }) ?? true {
      let current = Self.current(limit.amount, hub)
      for phase in Phase.allCases {
        let cell = limit.circuit * 3 + phase.rawValue
        lowest[cell] = min(lowest[cell], current[phase].raw)
      }
    }
    return lowest != before
  }

  /// What vehicles may draw on each circuit beside `base`, for policies that see the present exactly: generation gives no room, and a mean
  /// is held in every step.
  func rooms(base: [Int]) -> [PerPhase<Current>] {
    hub.circuits.indices.map { k in
      var room = PerPhase<Current>.zero
      for phase in Phase.allCases {
        let cell = k * 3 + phase.rawValue
        let limit = min(lowest[cell], means[k]?[phase].raw ?? .max)
        let firm = -hub.circuits[k].firmGeneration[phase].raw
        room[phase] = Current(raw: limit - hub.circuits[k].margin.raw - max(base[cell], firm))
      }
      return room
    }
  }
}
