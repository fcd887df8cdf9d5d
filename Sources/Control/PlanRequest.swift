import PlanningMemory
import Quantities
import Scheduling
import Site

/// What the planner is asked, in whole numbers: kept in the journal, so that the same plan can be worked out again anywhere.
public struct PlanRequest: Hashable, Sendable, Codable {
  public struct Circuit: Hashable, Sendable, Codable {
    public var parent: Int?
    /// What vehicles may draw together; one value per slot.
    public var room: PerPhase<[Current]>
  }
  public struct Session: Hashable, Sendable, Codable {
    public var connector: Int
    public var transaction: Int
    public var circuit: Int
    public var phases: Phases
    public var smallest: Current
    public var largest: Current
    public var step: Current
    /// It may charge in the slots before this one.
    public var slots: Int
    /// When it leaves; it may be beyond the horizon.
    public var departure: Instant
    /// What it still needs, and what it had when that was asked, at `asked`.
    public var energy: Energy
    public var taken: Energy
    /// Thousandths by which its energy is worth more than the policy says.
    public var worth: Int
    /// Departure or energy is what the hub has learnt to expect, not what was said.
    public var isEstimate: Bool
  }
  public var id: UInt64
  public var asked: Instant
  /// The start of the slot in which it was asked.
  public var start: Instant
  public var slot: TimeSpan
  /// One per slot, CO2 and expected feed-in included.
  @RunLength public var prices: [EnergyPrice]
  /// The load at the connection that counts for the peak, phases summed, one per slot; empty where peaks cost nothing.
  @RunLength public var peakBase: [Current]
  /// The highest mean of a quarter of an hour that the connection has had in this month, phases summed; nil where peaks cost nothing.
  public var peakReached: Current?
  /// Phase to neutral.
  public var voltage: Voltage
  public var policy: PlanningPolicy
  public var circuits: [Circuit]
  public var sessions: [Session]

  /// The planner's answer. The same on every machine: the bound is a number of steps. A problem out of all proportion, as only false readings
  /// make it, has a plan that says nothing.
  /// - Complexity: see `Planner`; tens of milliseconds for a thousand sessions.
  public func solve() -> Planned {
    let planner = Planner(gap: 1e-3, mostIterations: policy.iterations, ofValue: true)
    var cold: WarmStart?
    do throws(PlanningProblem.Flaw) {
      return Planned(self, try planner.plan(problem, keys: nil, warm: &cold))
    } catch {
      return Planned(nothingOf: self)
    }
  }

  /// The answer of a planner that remembers the plan before, for houses that ask for very many: as good, not the same bits as `solve`.
  /// - Parameters:
  ///   - planner: its gap and its count of steps are used.
  ///   - warm: what the plan before left there, or nil; afterwards what this one leaves.
  public func solve(_ planner: Planner, warm: inout WarmStart?, arena: Arena) -> Planned {
    do throws(PlanningProblem.Flaw) {
      return Planned(self, try planner.plan(problem, keys: sessions.map(\.transaction), warm: &warm, arena: arena))
    } catch {
      return Planned(nothingOf: self)
    }
  }

  /// Of everything it says: tells whether two requests are the same.
  public var fingerprint: UInt64 {
    var hash = Fingerprint()
    hash.add([
      Int(truncatingIfNeeded: id), asked.milliseconds, start.milliseconds, slot.raw, voltage.raw, policy.peakPrice,
      policy.iterations,
    ])
    hash.add([policy.firstWorth.raw, policy.firstPart.raw, policy.laterWorth.raw])
    hash.add(prices.map(\.raw))
    hash.add(peakBase.map(\.raw))
    if let peakReached { hash.add([peakReached.raw]) }
    for circuit in circuits {
      hash.add([circuit.parent ?? -1])
      for phase in Phase.allCases { hash.add(circuit.room[phase].map(\.raw)) }
    }
    for session in sessions {
      hash.add([session.connector, session.transaction, session.circuit, Int(session.phases.rawValue), session.smallest.raw])
      hash.add([session.largest.raw, session.step.raw, session.slots, session.energy.raw, session.taken.raw, session.worth])
      hash.add([session.departure.milliseconds, session.isEstimate ? 1 : 0])
    }
    return hash.value
  }

  /// The same question as the planner takes it.
  public var problem: PlanningProblem {
    var problem = PlanningProblem(
      slotMinutes: slot.raw / 60_000, volts: Double(voltage.raw) / 1000, prices: prices.map(\.euros),
      early: 0.002, peak: Double(policy.peakPrice) / 1_000_000,
      circuits: circuits.map { circuit in
        PlanningProblem.Circuit(parent: circuit.parent, limit: circuit.room.map { $0.map { Double($0.raw) / 1000 } })
      },
      sessions: sessions.map { session in
        PlanningProblem.Session(
          circuit: session.circuit, phases: session.phases, smallest: Double(session.smallest.raw) / 1000,
          largest: Double(session.largest.raw) / 1000, step: Double(session.step.raw) / 1000, window: 0..<session.slots,
          value: values(session))
      })
    problem.peakBase = peakBase.map { min(1e6, max(-1e6, Double($0.raw) / 1000)) }
    problem.peakReached = Double(peakReached?.raw ?? 0) / 1000
    return problem
  }

  private func values(_ session: Session) -> [PlanningProblem.ValueStep] {
    let first = min(session.energy, policy.firstPart)
    func worth(_ price: EnergyPrice) -> Double { price.scaled(session.worth, over: 1000).euros }
    var steps = [PlanningProblem.ValueStep(wattHours: Double(first.wattHours), euroPerKilowattHour: worth(policy.firstWorth))]
    if session.energy > first {
      steps.append(
        PlanningProblem.ValueStep(
          wattHours: Double((session.energy - first).wattHours), euroPerKilowattHour: worth(policy.laterWorth)))
    }
    return steps
  }
}

/// FNV-1a over whole numbers.
private struct Fingerprint {
  private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325
  mutating func add(_ numbers: [Int]) {
    for number in numbers + [numbers.count] {
      var rest = UInt64(bitPattern: Int64(number))
      for _ in 0..<8 {
        value = (value ^ (rest & 0xFF)) &* 0x0000_0100_0000_01B3
        rest >>= 8
      }
    }
  }
}

/// A plan, as far as the guard and those who ask why need it.
public struct Planned: Hashable, Sendable, Codable {
  public struct Session: Hashable, Sendable, Codable {
    public var connector: Int
    public var transaction: Int
    /// Per used phase, one per slot from the plan's start; 0 A after the last.
    @RunLength public var currents: [Current]
    /// What it still needed when the plan was made, and what of that the plan cannot give it.
    public var needed: Energy
    public var unserved: Energy
    /// What it had when the plan was asked for, and when that was.
    public var taken: Energy
    public var asked: Instant
    /// When it is expected to leave; it may be beyond the plan.
    public var departure: Instant
    public var isEstimate: Bool
    /// What holds it back, where something is unserved: the dearest first.
    public var necks: [Neck]
  }
  /// A limit that holds the plan back.
  public struct Neck: Hashable, Sendable, Codable {
    public var circuit: Int
    public var phase: Phase
    /// First and last slot of one stretch.
    public var first: Int
    public var last: Int
    /// Micro-euros that one more ampere in each of these slots would be worth.
    public var worth: Int
  }
  public var id: UInt64
  public var fingerprint: UInt64
  public var iterations: Int
  public var start: Instant
  public var slot: TimeSpan
  public var slots: Int
  /// In the order of their connectors, each once.
  public var sessions: [Session]
  /// The dearest first, at most sixteen.
  public var necks: [Neck]

  /// A plan of which nobody hears anything: what there is is shared from moment to moment.
  init(nothingOf request: PlanRequest) {
    (id, fingerprint, iterations) = (request.id, request.fingerprint, 0)
    (start, slot, slots, sessions, necks) = (request.start, request.slot, request.prices.count, [], [])
  }

  init(_ request: PlanRequest, _ plan: Plan) {
    (id, fingerprint, iterations) = (request.id, request.fingerprint, plan.iterations)
    (start, slot, slots) = (request.start, request.slot, request.prices.count)
    sessions = request.sessions.indices.map { i in
      let session = request.sessions[i]
      var currents = plan.currents[i]
      while currents.last == .zero { currents.removeLast() }
      return Session(
        connector: session.connector, transaction: session.transaction, currents: currents, needed: session.energy,
        unserved: .wattHours(Int(plan.unserved[i].rounded(.down))), taken: session.taken, asked: request.asked,
        departure: session.departure, isEstimate: session.isEstimate,
        necks: plan.heldBack[i].map { Neck($0.circuit, $0.phase, $0.slots, $0.euroPerAmpere) })
    }
    sessions.sort { $0.connector < $1.connector }
    necks = Self.stretches(plan.binding)
  }

  /// Neighbouring slots of one circuit and phase in one.
  private static func stretches(_ binding: [Plan.Neck]) -> [Neck] {
    var found: [Neck] = []
    let ordered = binding.sorted { ($0.circuit, $0.phase.rawValue, $0.slot) < ($1.circuit, $1.phase.rawValue, $1.slot) }
    for neck in ordered {
      let worth = Int((neck.euroPerAmpere * 1_000_000).rounded())
      if let last = found.last, last.circuit == neck.circuit, last.phase == neck.phase, last.last + 1 == neck.slot {
        found[found.count - 1].last = neck.slot
        found[found.count - 1].worth += worth
      } else {
        found.append(Neck(circuit: neck.circuit, phase: neck.phase, first: neck.slot, last: neck.slot, worth: worth))
      }
    }
    let order = found.indices.sorted { (-found[$0].worth, $0) < (-found[$1].worth, $1) }
    return order.prefix(16).map { found[$0] }
  }

  /// The session of a transaction, if the plan knows it. O(log *n*).
  func session(_ connector: Int, _ transaction: Int) -> Session? {
    var (low, high) = (0, sessions.count)
    while low < high {
      let middle = (low + high) / 2
      if sessions[middle].connector < connector { low = middle + 1 } else { high = middle }
    }
    guard low < sessions.count, sessions[low].connector == connector, sessions[low].transaction == transaction else { return nil }
    return sessions[low]
  }
  /// Which slot holds an instant; nil: none of the plan's.
  func slot(at instant: Instant) -> Int? {
    instant < start ? nil : (instant - start).raw / slot.raw
  }
}

extension Planned.Neck {
  fileprivate init(_ circuit: Int, _ phase: Phase, _ slots: Range<Int>, _ euro: Double) {
    self.init(
      circuit: circuit, phase: phase, first: slots.lowerBound, last: slots.upperBound - 1, worth: Int((euro * 1_000_000).rounded()))
  }
}

/// Equal phases are written once, equal neighbours too.
extension PlanRequest.Circuit {
  private struct Written: Codable {
    var parent: Int?
    var rooms: [RunLength<Current>]
  }
  public init(from decoder: any Decoder) throws {
    let written = try Written(from: decoder)
    guard [1, 3].contains(written.rooms.count) else {
      throw DecodingError.dataCorrupted(.init(codingPath: [], debugDescription: "\(written.rooms.count) phases"))
    }
    let rooms = written.rooms.map(\.wrappedValue)
    (parent, room) = (written.parent, PerPhase(rooms[0], rooms[rooms.count / 2], rooms[rooms.count - 1]))
  }
  public func encode(to encoder: any Encoder) throws {
    let rooms = room.l1 == room.l2 && room.l2 == room.l3 ? [room.l1] : [room.l1, room.l2, room.l3]
    try Written(parent: parent, rooms: rooms.map { RunLength(wrappedValue: $0) }).encode(to: encoder)
  }
}
