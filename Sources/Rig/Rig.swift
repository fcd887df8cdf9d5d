import Loop
import Metering
import ModbusLink
import Quantities
import Simulation
import Site

/// Emulated stations with vehicles on real WebSockets, and emulated meters on real Modbus TCP: what a live hub sees of the world, in one
/// process with it. What the meters show is the load that wanders plus what the vehicles draw, summed through the tree of circuits.
public final class Rig: @unchecked Sendable {
  public struct Options: Hashable, Sendable {
    public var seed: UInt64 = 1
    /// Vehicles come, want and stay this many times faster; what happens on the wire keeps its pace.
    public var speed = 1
    /// Mean time until the next vehicle comes to a free connector, at speed 1.
    public var arrivals = TimeSpan.minutes(10)
    /// Meters listen where the site file has them; otherwise wherever there is a free port.
    public var keepsPlaces = false
    /// Instead of vehicles that come and go: at each connector a load on the first of these conductors, and whenever it is stopped from
    /// afar, one on the next.
    public var loads: [Phases] = []
    public var largestLoad = Current.amperes(32)
    /// The longest that a vehicle or load takes to follow.
    public var slowest = TimeSpan.seconds(15)
    /// Nothing but the connectors changes its load.
    public var isStill = false
    /// Per meter: what it counts of each of its own phases, in thousandths; negative: the transformer is turned.
    public var transformers: [Int: PerPhase<Int>] = [:]
    /// Per station: what it does wrong.
    public var quirks: [Int: [StationQuirk]] = [:]
    public init() {}
  }
  /// Why a rig cannot be built.
  public enum Flaw: Error, Hashable, Sendable, CustomStringConvertible {
    case server(ModbusServer.Flaw)
    case loop(String)
    case registers(meter: String, String)
    public var description: String {
      switch self {
      case .server(let flaw): "emulated meters: \(flaw)"
      case .loop(let what): "emulated stations: \(what)"
      case .registers(let meter, let what): "meter \(meter): \(what)"
      }
    }
  }
  /// What has happened so far.
  public struct Report: Hashable, Sendable {
    /// For each circuit of the hub.
    public var flows: [PerPhase<Current>]
    public var peaks: [PerPhase<Current>]
    /// Excesses beyond what a protective device bears, as sentences.
    public var violations: [String] = []
    public var energy = Energy.zero
    public var sessions = 0
    public var charging = 0
    /// Messages that stations received.
    public var messages = 0
  }

  /// The hub with its meters where the rig serves them.
  public let hub: Hub
  private let loop: EventLoop
  private let profiles: [MeterProfile]
  private let options: Options
  private let servers: [ModbusServer]
  private let boards: [EmulatedMeters]
  /// For each meter: which board.
  private let board: [Int]

  // On the loop's thread only.
  private let clock = RigClock()
  private var random: SeededRandom
  private var stations: [RigStation?] = []
  private var ground: HubGround
  private var report: Report
  private var nextArrival: [Int]
  private var imported: [Int]
  private var lastTag = 0
  /// Per connector: how many loads have been there.
  private var turns: [Int]
  private var (stirAt, jumpAt) = (0, 20_000)
  private var ticker: LoopTimer?
  private var flaw: Flaw?

  /// Starts the meters; stations come with `connect`.
  /// - Parameter profiles: one for each meter of the hub; register maps (no SunSpec discovery).
  public init(_ hub: Hub, profiles: [MeterProfile], options: Options = Options()) throws(Flaw) {
    do throws(LoopFault) { loop = try EventLoop() } catch { throw .loop(error.description) }
    (self.profiles, self.options) = (profiles, options)
    var random = SeededRandom(seed: options.seed)
    var (hub, buses, servers, boards, board) = (hub, [Meter.Bus](), [ModbusServer](), [EmulatedMeters](), [Int]())
    for i in hub.meters.indices {
      if let known = buses.firstIndex(of: hub.meters[i].bus) {
        board.append(known)
      } else {
        let meters = EmulatedMeters()
        board.append(buses.count)
        buses.append(hub.meters[i].bus)
        boards.append(meters)
        var port = 0
        if options.keepsPlaces, case .tcp(_, let place) = hub.meters[i].bus { port = place }
        do throws(ModbusServer.Flaw) { servers.append(try ModbusServer(tcp: port) { meters.answer(unit: $0, $1) }) } catch {
          throw .server(error)
        }
      }
      hub.meters[i].bus = .tcp(host: "127.0.0.1", port: servers[board[i]].port)
    }
    (self.hub, self.servers, self.boards, self.board) = (hub, servers, boards, board)
    ground = HubGround(hub: hub, steps: hub.circuits.map { $0.rating.smallest.raw * 6 / 100 }, seed: options.seed)
    let still = hub.circuits.map { _ in PerPhase<Current>.zero }
    report = Report(flows: still, peaks: still)
    // The first vehicles come soon, one after the other.
    nextArrival = hub.connectors.indices.map { _ in options.loads.isEmpty ? random.pick(3000...60_000) : 1000 }
    turns = hub.connectors.map { _ in 0 }
    imported = hub.meters.map { _ in 1_000_000 }
    self.random = random
    try loop.sync { [self] () throws(Flaw) in
      try show()
      ticker = loop.every(.milliseconds(100)) { [weak self] in self?.tick() }
    }
  }

  /// Lets all installed stations connect.
  public func connect(host: String = "127.0.0.1", port: UInt16) throws(Flaw) {
    try loop.sync { [self] () throws(Flaw) in
      for (index, station) in hub.stations.enumerated() {
        guard station.state == .installed else {
          stations.append(nil)
          continue
        }
        let emulated = EmulatedStation(
          station, connectors: Array(hub.connectors[station.connectors]), quirks: options.quirks[index] ?? [],
          epoch: clock.epoch,
          offset: random.pick(-1500...1500), random: SeededRandom(seed: options.seed, part: index))
        let wired = RigStation(emulated, loop: loop, clock: clock, patience: options.keepsPlaces ? 2 : 30)
        stations.append(wired)
        do throws(LoopFault) { try wired.connect(host: host, port: port) } catch { throw .loop(error.description) }
      }
    }
  }

  public func stop() {
    loop.sync { [self] in
      ticker?.cancel()
      for station in stations { station?.leave() }
    }
    let gone = Latch()
    loop.after(.milliseconds(500)) { gone.open() }
    gone.wait()
    for server in servers { server.stop() }
    loop.stop()
  }

  /// What has happened so far. From any thread.
  public func current() throws(Flaw) -> Report {
    try loop.sync { [self] () throws(Flaw) -> Report in
      if let flaw { throw flaw }
      var report = report
      report.messages = stations.map { $0?.received ?? 0 }.reduce(0, +)
      return report
    }
  }

  // MARK: The world

  private func tick() {
    let now = clock.now
    for station in stations { station?.wake() }
    if options.loads.isEmpty { arrive(at: now) } else { changeLoads(at: now) }
    if now >= stirAt, !options.isStill {
      ground.stir(jump: now >= jumpAt, at: now)
      stirAt = now + random.pick(500...2000)
      if now >= jumpAt { jumpAt = now + random.pick(10_000...60_000) }
    }
    (report.charging, report.energy) = (0, .zero)
    for station in stations {
      guard let station else { continue }
      report.energy += station.delivered()
      for (b, bay) in station.station.bays.enumerated() {
        ground.set(station.station.station.connectors.lowerBound + b, own: bay.flow, at: now)
        if bay.flow != .zero { report.charging += 1 }
      }
    }
    ground.look(at: now)
    report.flows = hub.circuits.indices.map { ground.current(of: $0) }
    report.peaks = hub.circuits.indices.map { ground.peak(of: $0) }
    report.violations = ground.violations
    do throws(Flaw) { try show() } catch { flaw = error }
  }

  private func arrive(at now: Int) {
    for index in hub.connectors.indices where nextArrival[index] <= now {
      let connector = hub.connectors[index]
      guard stations.indices.contains(connector.station), let station = stations[connector.station] else { continue }
      let wired = ground.conductors(of: index)
      let conductors = wired == .all ? random.choose([Phases.all, .all, .all, .l1, [.l1, .l2]]) : wired
      let energy = Energy.wattHours(random.pick(5000...40_000) / options.speed)
      let vehicle = Vehicle(
        conductors: conductors, maximum: .amperes(random.choose([16, 16, 32, 10, 20])), energy: energy, slowest: options.slowest)
      let stay = random.pick(1_200_000...10_800_000) / options.speed
      report.sessions += 1
      station.plugIn(
        index - hub.stations[connector.station].connectors.lowerBound, vehicle, idTag: newTag(), leaving: now + stay)
      nextArrival[index] = now + stay + random.wait(mean: max(1000, options.arrivals.milliseconds / options.speed))
    }
  }

  /// A tag that the site lets in.
  private func newTag() -> String {
    lastTag += 1
    if case .tags(let tags) = hub.access, !tags.isEmpty { return tags[lastTag % tags.count] }
    return "tag-\(lastTag)"
  }

  /// Test loads: the next one comes when the one before has been stopped from afar and taken away.
  private func changeLoads(at now: Int) {
    for index in hub.connectors.indices {
      let connector = hub.connectors[index]
      guard stations.indices.contains(connector.station), let station = stations[connector.station] else { continue }
      let b = index - hub.stations[connector.station].connectors.lowerBound
      let bay = station.station.bays[b]
      if bay.vehicle == nil, nextArrival[index] <= now {
        let wanted = options.loads[turns[index] % options.loads.count].intersection(ground.conductors(of: index))
        let load = Vehicle(
          conductors: wanted.isEmpty ? ground.conductors(of: index) : wanted, maximum: options.largestLoad,
          energy: .wattHours(500_000), slowest: options.slowest)
        turns[index] += 1
        report.sessions += 1
        station.plugIn(b, load, idTag: newTag(), leaving: Int.max / 4, within: 500...1500)
      } else if bay.vehicle != nil, bay.transaction == nil, bay.status == .finishing {
        station.unplug(b)
        nextArrival[index] = now + 2000
      }
    }
  }

  // MARK: Meters

  /// Puts what flows into the registers.
  private func show() throws(Flaw) {
    for (circuit, element) in hub.circuits.enumerated() {
      guard let measurement = element.measurement, let map = profiles[measurement.meter].map else { continue }
      var flow = report.flows[circuit]
      if measurement.inverted { flow = flow.map { -$0 } }
      var own = measurement.rotation.onDevice(flow)
      if let wrong = options.transformers[measurement.meter] {
        for phase in Phase.allCases { own[phase] = own[phase].scaled(wrong[phase], over: 1000) }
      }
      var values = MeterValues()
      var total = 0
      for (i, phase) in Phase.allCases.enumerated() {
        let voltage = 230_000 + random.pick(-800...800)
        let power = voltage * own[phase].raw / 1000
        values[MeterQuantity.voltages[i]] = voltage
        values[MeterQuantity.currents[i]] = own[phase].raw
        values[MeterQuantity.powers[i]] = power
        total += power
      }
      imported[measurement.meter] += abs(total) / 36_000
      values[.totalPower] = total
      (values[.imported], values[.exported], values[.frequency]) = (imported[measurement.meter], 0, 50_000)
      do throws(RegisterImage.Flaw) {
        var image = try RegisterImage(values, as: map)
        image.fillGaps(upTo: 64)
        boards[board[measurement.meter]].set(image, unit: hub.meters[measurement.meter].unit)
      } catch { throw .registers(meter: hub.meters[measurement.meter].id, "\(error)") }
    }
  }
}
