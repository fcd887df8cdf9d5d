import ChargingProfiles
import Control
import OCPP
import Quantities
import Record
import Site

/// The other house of the mind: a hub in virtual time with emulated stations, vehicles and meters. The same seed gives the same run.
/// - Event fidelity: stations say events and are told commands; meters tell on change, and at the latest before they would be stale.
/// - Wire fidelity: OCPP-J frames between mind and stations, register words between mind and meters.
public final class Simulation {
  public struct Options: Sendable {
    public var faults = Faults.none
    /// Keeps the whole journal and thinks it again at the end.
    public var checksReplay = false
    /// Keeps the inputs of decisions in the journal, as a live hub does.
    public var keepsInputs = false
    public var disk = MemoryStore.Disk()
    /// Wire fidelity; nil: event fidelity.
    public var wire: Wire?
    /// Mean time between arrivals at one connector, in seconds.
    public var arrivals = 7200
    /// The hub as the controller is told it, if that is not as it is: a wrong site file.
    public var believed: Hub?
    /// How long a plan may take, ms.
    public var slowestPlan = 3000
    /// Keeps the texts of the newest events for a finding.
    public var history = 60
    /// Makes `Report.effectsDigest`.
    public var digestsEffects = false
    /// Seconds in which everything that enters and leaves the mind is told to `trace`.
    public var traced: ClosedRange<Int>?
    public var trace: @Sendable (String) -> Void = { _ in }
    public init() {}
  }
  enum Item {
    case wake(Int, generation: Int)
    case meter(Int)
    case arrive(StationCommand, CommandID, station: Int, link: Int)
    case outcome(CommandID, CommandOutcome, station: Int, link: Int)
    case frame([UInt8], station: Int, link: Int, isUp: Bool)
    case told(StationEvent, station: Int, start: Int)
    case say(EmulatedStation.Said, station: Int, link: Int)
    case wireDeadline(station: Int)
    case words(meter: Int, [UInt16]?)
    case timeOut(CommandID, station: Int, link: Int)
    case answer(Answer, ticket: Int, station: Int, link: Int)
    case hear(StationEvent, station: Int, link: Int)
    case setClock(station: Int, link: Int)
    case mindWake
    case lost(CommandID, station: Int)
    case breakStore, mendStore
    case tremble, jump
    case arrival(connector: Int)
    case beginWorks, endWorks(Int), readSiteFile
    case senderSpeaks, senderBeats(Int), senderIsMissed(Int)
    case loseLink, rebootSome, troubleMeter, stopMind, startMind, stepClock, setLimit, die
    case withdraw(String)
    case connect(Int)
    case limitBegins
    case planned(Planned)
    case changeTariff
    case audit
  }

  public let seed: UInt64
  public let made: HubGenerator.Made
  public let options: Options
  public internal(set) var mind: Mind
  public internal(set) var stations: [EmulatedStation]
  public internal(set) var meters: [EmulatedMeter]
  public internal(set) var report = Report()
  /// True milliseconds since the start.
  public internal(set) var now = 0
  var hub: Hub { made.hub }
  static let epoch = Instant(seconds: 1_790_000_000)

  var effectsSoFar = SHA256()
  var timeline = Timeline<Item>()
  var random: SeededRandom
  /// For what was thought of later, so that the earlier days stay as they are.
  var dice: SeededRandom
  /// For what was thought of later still.
  var chance: SeededRandom
  var sender = LimitSender()
  /// What works hold each circuit at: the limit that is watched, by circuit.
  var underWorks: [Int: String] = [:]
  var bases: [BaseLoad]
  /// mA per circuit and phase: index circuit x 3 + phase.
  var flows: [Int]
  var baseFlows: [Int]
  var wildFlows: [Int]
  /// What `baseFlows` were when an increase last left for a station below.
  var baseFlowsWhenSent: [Int]
  /// Per station: when it last lost its link, and what `flows` were then.
  var cuts: [(at: Int, flows: [Int])?] = []
  var connectorFlows: [PerPhase<Current>]
  /// How each connector is really wired.
  let wiring: [Connector.Wiring]
  let ancestors: [[Int]]
  var watches: [ExcessWatch]
  var limitWatches: [LimitWatch] = []
  var contracts: [ContractWatch]
  var peaks: [Int]
  /// At event fidelity.
  var queues: [CommandQueue]
  /// At wire fidelity: to each station, and to each meter.
  var wires: [VirtualWire] = []
  var meterLines: [MeterLine] = []
  /// How often a process with a mind has begun.
  var starts = 0
  var links: [Int]
  var wakes: [Int]
  var wakeAt: [Int]
  var lastUp: [Int]
  var lastDown: [Int]
  /// Transaction messages without an answer so far: sent again on the next connection.
  var pending: [[(ticket: Int, said: EmulatedStation.Said)]]
  var tickets: [UInt64: (station: Int, ticket: Int)] = [:]
  var answered: Set<UInt64> = []
  var lastRequest: UInt64 = 0
  var lastTag = 0
  var lastLimit = 0
  var wallOffset = 0
  var isMindUp = true
  var isDead = false
  var diedAt: Int?
  /// Which start of which station got a transaction id.
  var toldIDs: [Int: (Int, Int)] = [:]
  /// Per connector: the newest command with a profile for its transaction that left the mind.
  var newestCommand: [CommandID?]
  /// Per connector: when the plan was last seen to let it wait.
  var waitedByPlanAt: [Int]
  /// What was said from outside since the last restart, and at which step.
  var told: [(sequence: Int, event: Event)] = []
  var recent: [(Int, Event)] = []
  var recentPlace = 0
  var toldOffset: [Int?]
  var cautionSum = 0
  var cautionCount = 0
  var lastReading: [(registers: UInt64, at: Int, heard: Int)]
  /// Since when nothing has disturbed the ground: base jump, limit, arrival, restart, link.
  var disturbedAt = 0
  var found: Set<String> = []
  /// Deadlines in a row within ten seconds.
  var wakings = 0
  var wakingsSince = 0
  /// The mind asks to be woken without end: the run stops.
  var isStuck = false

  public init(seed: UInt64, made: HubGenerator.Made, options: Options = Options()) {
    (self.seed, self.made, self.options) = (seed, made, options)
    let hub = made.hub
    var random = SeededRandom(seed: seed, part: 2)
    mind = Mind(seed: seed, disk: options.disk, keepsAll: options.checksReplay, keepsInputs: options.keepsInputs)
    stations = hub.stations.indices.map { s in
      let skew = made.quirks[s].contains(.skewedClock) ? 15_000 : made.quirks[s].contains(.wrongClock) ? 300_000 : 1500
      return EmulatedStation(
        hub.stations[s], connectors: hub.stations[s].connectors.map { hub.connectors[$0] }, quirks: made.quirks[s],
        epoch: Self.epoch, offset: random.pick(-skew...skew), random: SeededRandom(seed: seed, part: 1000 + s))
    }
    meters = hub.circuits.indices.compactMap { k in
      hub.circuits[k].measurement.map { EmulatedMeter(circuit: k, measurement: $0, period: hub.meters[$0.meter].period.raw) }
    }
    contracts = hub.circuits.indices.compactMap { k in
      hub.circuits[k].contract.map { ContractWatch(circuit: k, contract: $0, utc: Self.epoch.milliseconds) }
    }
    for m in meters.indices where hub.circuits[meters[m].circuit].contract != nil { meters[m].register = 1_000_000_000 }
    bases = hub.circuits.indices.map { BaseLoad(hub.circuits[$0], step: made.steps[$0], &random) }
    let cells = hub.circuits.count * 3
    (flows, baseFlows, wildFlows) = (
      [Int](repeating: 0, count: cells), [Int](repeating: 0, count: cells), [Int](repeating: 0, count: cells)
    )
    (peaks, baseFlowsWhenSent) = (flows, flows)
    connectorFlows = Array(repeating: .zero, count: hub.connectors.count)
    wiring = hub.connectors.map { $0.wiring ?? Connector.Wiring(conductors: .all, rotation: random.choose(PhaseRotation.allCases)) }
    ancestors = hub.circuits.indices.map { k in
      var path = [k]
      while let parent = hub.circuits[path[path.count - 1]].parent { path.append(parent) }
      return path
    }
    watches = hub.circuits.flatMap { circuit in
      Phase.allCases.map {
        ExcessWatch(
          rating: circuit.rating[$0] + .milliamperes(options.wire == nil ? 0 : Wire.rounding), curve: circuit.curve)
      }
    }
    let count = hub.stations.count
    cuts = Array(repeating: nil, count: count)
    queues = (0..<count).map { _ in CommandQueue() }
    (links, wakes) = (Array(repeating: 0, count: count), Array(repeating: 0, count: count))
    wakeAt = Array(repeating: Int.max, count: count)
    (lastUp, lastDown) = (Array(repeating: 0, count: count), Array(repeating: 0, count: count))
    pending = Array(repeating: [], count: count)
    toldOffset = Array(repeating: nil, count: count)
    waitedByPlanAt = Array(repeating: -1, count: hub.connectors.count)
    newestCommand = Array(repeating: nil, count: hub.connectors.count)
    lastReading = Array(repeating: (0, -1_000_000, -1_000_000), count: hub.meters.count)
    self.random = random
    (dice, chance) = (SeededRandom(seed: seed, part: 6), SeededRandom(seed: seed, part: 9))
    (report.seed, report.connectors, report.circuits) = (seed, hub.connectors.count, hub.circuits.count)
    begin()
  }

  private func begin() {
    layWires()
    layMeterLines()
    for k in bases.indices { applyBase(k, from: [0, 0, 0]) }
    think(.configured(options.believed ?? hub, version: "simulation"))
    if hub.planning != nil { timeline.add(.changeTariff, at: 1000) }
    for m in meters.indices { timeline.add(.meter(m), at: random.pick(0...1000)) }
    for s in stations.indices {
      timeline.add(.connect(s), at: random.pick(500...20_000))
      rewake(s)
    }
    for c in hub.connectors.indices { timeline.add(.arrival(connector: c), at: random.wait(mean: options.arrivals * 500)) }
    timeline.add(.tremble, at: 3000)
    timeline.add(.jump, at: 30_000)
    timeline.add(.audit, at: 5000)
    let faults = options.faults
    schedule(.loseLink, faults.linkLoss)
    schedule(.rebootSome, faults.reboot)
    schedule(.troubleMeter, faults.meterTrouble)
    schedule(.stopMind, faults.restart)
    schedule(.stepClock, faults.clockStep)
    schedule(.setLimit, faults.limit)
    schedule(.breakStore, faults.storeFailure)
    if faults.works > 0 { timeline.add(.beginWorks, at: dice.wait(mean: faults.works * 1000)) }
    if faults.sender > 0 { timeline.add(.senderSpeaks, at: chance.wait(mean: faults.sender * 1000)) }
    if faults.siteFile > 0 { timeline.add(.readSiteFile, at: dice.wait(mean: faults.siteFile * 1000)) }
    if let death = faults.death { timeline.add(.die, at: death * 1000) }
  }

  func schedule(_ item: Item, _ seconds: Int) {
    if seconds > 0 { timeline.add(item, at: now + random.wait(mean: seconds * 1000)) }
  }

  /// Lets virtual time pass until `end`, ms from the start.
  public func run(until end: Int) {
    while let next = timeline.nextTime, next <= end {
      guard let (at, item) = timeline.removeFirst() else { break }
      now = at
      happen(item)
      if isStuck || report.findings.count >= 5 { break }
    }
    if !isStuck, report.findings.count < 5 { now = max(now, end) }
    finishWatches()
    finishReport()
  }

  // MARK: The mind

  var utc: Instant { Self.epoch + TimeSpan(raw: now + wallOffset) }

  /// One event reaches the mind; its effects go their ways.
  func think(_ event: Event) {
    guard isMindUp, !isDead else { return }
    remember(event)
    trace { "-> \(event)" }
    let effects = mind.handle(event, utc: utc, monotonic: now)
    checkQuiet(event, effects)
    for effect in effects { carryOut(effect) }
    rewakeMind()
  }

  /// What somebody outside says, who hears whether it was kept and otherwise says it again after a restart.
  func tell(_ event: Event) {
    think(event)
    told.append((mind.steps, event))
  }

  /// Says again what the mind does not know after a restart.
  func tellAgain(from kept: Int) {
    let lost = told.filter { $0.sequence > kept }
    told = []
    for (_, event) in lost { tell(event) }
  }

  /// The mind's deadline, or a report of its store, has come.
  func wakeMind() {
    guard isMindUp, !isDead else { return }
    mind.scheduledWake = Int.max
    if let due = mind.nextWake, due <= now {
      checkWakings()
      for effect in mind.wake(utc: utc, monotonic: now) { carryOut(effect) }
    }
    rewakeMind()
  }

  func rewakeMind() {
    guard let due = mind.nextWake, max(now, due) < mind.scheduledWake else { return }
    mind.scheduledWake = max(now, due)
    timeline.add(.mindWake, at: mind.scheduledWake)
  }

  private func digest(_ effect: Effect) {
    do {
      effectsSoFar.update(try BinaryEncoder.encode(now) + BinaryEncoder.encode(effect))
    } catch {
      preconditionFailure("an effect that cannot be written: \(error)")
    }
  }

  private func remember(_ event: Event) {
    guard options.history > 0 else { return }
    switch event {
    case .reading, .deadline, .station(_, .sampled), .station(_, .outcome(_, .sent)): return
    default: break
    }
    if recent.count < options.history {
      recent.append((now, event))
    } else {
      recent[recentPlace % options.history] = (now, event)
      recentPlace += 1
    }
  }

  /// Tells what happens while it is to be told.
  func trace(_ words: () -> String) {
    guard let span = options.traced, span.contains(now / 1000) else { return }
    options.trace("\(now) \(words())")
  }

  private func carryOut(_ effect: Effect) {
    trace { "<- \(effect)" }
    if options.digestsEffects { digest(effect) }
    switch effect {
    case .command(let id, let s, let command, let urgency):
      report.commands += 1
      checkForm(command, s)
      if case .setProfile = command, urgency == .increase { noteBase(s) }
      checkOrder(id, command, urgency, s)
      if isOnWire { return self.command(id, command, urgency, s) }
      guard stations[s].isOnline else {
        timeline.add(.lost(id, station: s), at: now)
        return
      }
      let superseded = queues[s].put(id, command, urgency)
      for old in superseded { timeline.add(.outcome(old, .superseded, station: s, link: links[s]), at: now) }
      pump(s)
    case .answer(let s, let request, let answer):
      if !answered.insert(request.value).inserted {
        find(.transactions, "request \(request.value) of station \(s) was answered twice")
      }
      if isOnWire { return self.answer(request, answer, s) }
      guard let (station, ticket) = tickets[request.value], station == s else { return }
      if case .start(let id, _) = answer { checkBegun(id, s, ticket) }
      timeline.add(.answer(answer, ticket: ticket, station: s, link: links[s]), at: down(s))
    case .plan(let request): solve(request)
    case .transaction, .decided, .alarm, .answered, .trip: break
    }
  }

  /// The same start told again has the same answer; another start never has.
  func checkBegun(_ transaction: Int, _ s: Int, _ ticket: Int) {
    let told = toldIDs[transaction] ?? (s, ticket)
    if told != (s, ticket) { find(.transactions, "transaction id \(transaction) given to stations \(told.0) and \(s)") }
    toldIDs[transaction] = (s, ticket)
  }

  /// The planner works beside the mind: its answer comes some time later, or never.
  private func solve(_ request: PlanRequest) {
    report.plans += 1
    guard !random.chance(options.faults.lostPlans) else { return }
    timeline.add(.planned(request.solve()), at: now + random.pick(5...options.slowestPlan))
  }

  /// Sends the next command if the call before has ended.
  func pump(_ s: Int) {
    guard stations[s].isOnline, let entry = queues[s].next() else { return }
    timeline.add(.outcome(entry.id, .sent, station: s, link: links[s]), at: now)
    timeline.add(.timeOut(entry.id, station: s, link: links[s]), at: now + hub.stations[s].traits.callTimeout.raw)
    guard !random.chance(options.faults.lostCommands) else { return }
    timeline.add(.arrive(entry.command, entry.id, station: s, link: links[s]), at: down(s))
  }

  /// When what is sent now arrives, in the order of sending.
  func down(_ s: Int) -> Int {
    lastDown[s] = max(lastDown[s], now + random.pick(20...300))
    return lastDown[s]
  }
  func up(_ s: Int, delay: Int = 0) -> Int {
    lastUp[s] = max(lastUp[s], now + random.pick(20...300))
    return lastUp[s] + delay
  }
}
