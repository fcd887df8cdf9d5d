import Loop
import Metering
import ModbusLink
import OCPP
import Quantities
import Simulation
import Site
import StationLink

/// A whole hub of emulated stations, vehicles and meters on real wires: OCPP-J over WebSockets, Modbus TCP. For the demo and for tests.
///
/// Stations connect to the central system at `host`:`port`, meters listen where the hub's site file says. Time comes from `clock`, which
/// may run faster than the real one as long as the central system's runs with it.
public final class HubRig: @unchecked Sendable {
  public struct Options: Sendable {
    public var seed: UInt64 = 1
    /// The central system.
    public var host = "127.0.0.1"
    public var port: UInt16 = 9000
    /// Mean time between a departure and the next arrival at one connector.
    public var arrivals = TimeSpan.minutes(30)
    /// How many thousandths of the connectors have a vehicle from the start.
    public var presentAtStart = 500
    /// Mean time between lost connections; zero: none.
    public var linkLoss = TimeSpan.zero
    /// Id tags of the vehicles, in turn.
    public var idTags = ["demo"]
    /// Per station id; absent: none asked.
    public var passwords: [String: String] = [:]
    /// Quirks by station id.
    public var quirks: [String: [StationQuirk]] = [:]
    public var callTimeout = TimeSpan.seconds(30)
    public init() {}
  }
  /// What really is, whatever the controller believes.
  public struct Truth: Sendable {
    /// Per circuit.
    public var currents: [PerPhase<Current>]
    public var peaks: [PerPhase<Current>]
    public var delivered: Energy
    public var sessions: Int
    public var connectedStations: Int
    public var messages: Int
    /// Excesses beyond the time-current points, as sentences.
    public var violations: [String]
  }
  public enum Flaw: Error, Sendable {
    case noProfile(meter: String, profile: String)
    case image(meter: String, RegisterImage.Flaw)
    case server(meter: String, ModbusServer.Flaw)
    case loop(LoopFault)
  }

  public let hub: Hub
  public let options: Options
  private let loop: EventLoop
  private let clock: @Sendable () -> Moment
  private let began: Moment
  private var ground: HubGround
  private var stations: [RigStation] = []
  private var maps: [RegisterMap]
  /// One emulated bus for each address, and the meters' place on it.
  private var buses: [(host: String, port: Int, meters: EmulatedMeters)] = []
  private var busOf: [Int] = []
  private var servers: [ModbusServer] = []
  private var ticker: LoopTimer?
  private var random: SeededRandom
  private var arrivals: [Int]
  private var stirAt = 0, jumpAt = 60_000, linkLossAt = Int.max, shownAt = -1_000
  private var sessions = 0
  private var imported: [Int]
  private var fault: Flaw?

  /// - Parameters:
  ///   - profiles: the register maps that the hub's meters name.
  ///   - clock: both clocks of the house, perhaps faster than real ones.
  /// - Throws: a meter without a register map, or a loop that cannot be made.
  public init(hub: Hub, profiles: [String: MeterProfile], options: Options, clock: @escaping @Sendable () -> Moment) throws(Flaw) {
    (self.hub, self.options, self.clock) = (hub, options, clock)
    do { loop = try EventLoop() } catch { throw .loop(error) }
    began = clock()
    maps = []
    for meter in hub.meters {
      guard let map = profiles[meter.profile]?.map else { throw .noProfile(meter: meter.id, profile: meter.profile) }
      maps.append(map)
    }
    let steps = hub.circuits.map { $0.rating.l1.raw * 6 / 100 }
    ground = HubGround(hub: hub, steps: steps, seed: options.seed)
    random = SeededRandom(seed: options.seed, part: 4)
    arrivals = Array(repeating: 0, count: hub.connectors.count)
    imported = Array(repeating: 0, count: hub.circuits.count)
    for meter in hub.meters {
      guard case .tcp(let host, let port) = meter.bus else {
        busOf.append(-1)
        continue
      }
      if let known = buses.firstIndex(where: { $0.host == host && $0.port == port }) {
        busOf.append(known)
      } else {
        busOf.append(buses.count)
        buses.append((host, port, EmulatedMeters()))
      }
    }
    for c in arrivals.indices {
      arrivals[c] = random.chance(options.presentAtStart) ? random.pick(0...60_000) : random.wait(mean: options.arrivals.raw)
    }
    if options.linkLoss > .zero { linkLossAt = random.wait(mean: options.linkLoss.raw) }
    for s in hub.stations.indices where hub.stations[s].state == .installed {
      let emulated = EmulatedStation(
        hub.stations[s], connectors: hub.stations[s].connectors.map { hub.connectors[$0] },
        quirks: options.quirks[hub.stations[s].id] ?? [], epoch: began.utc, offset: random.pick(-900...900),
        random: SeededRandom(seed: options.seed, part: 1000 + s))
      stations.append(RigStation(emulated, loop: loop, callTimeout: options.callTimeout, began: began, clock: clock))
    }
  }

  /// Opens the meters and connects the stations.
  /// - Throws: a port that cannot be listened on, a name that cannot be resolved, values that do not fit a register map.
  public func start() throws(Flaw) {
    for m in hub.meters.indices { try show(m) }
    for bus in buses {
      let meters = bus.meters
      do {
        servers.append(try ModbusServer(tcp: bus.port, host: bus.host) { unit, range in meters.answer(unit: unit, range) })
      } catch { throw .server(meter: "\(bus.host):\(bus.port)", error) }
    }
    for station in stations {
      let id = station.station.station.id
      do {
        var endpoint = try StationClient.Endpoint(host: options.host, port: options.port, path: "/ocpp/\(id)")
        if let password = options.passwords[id] { (endpoint.user, endpoint.password) = (id, password) }
        let ready = endpoint
        loop.run { station.start(ready) }
      } catch { throw .loop(error) }
    }
    ticker = loop.every(.milliseconds(20)) { [weak self] in self?.tick() }
  }

  /// Closes everything and waits for it.
  public func stop() {
    ticker?.cancel()
    loop.sync { for station in self.stations { station.stop() } }
    for server in servers { server.stop() }
    loop.stop()
  }

  public func truth() -> Truth {
    loop.sync {
      self.ground.look(at: self.now)
      return Truth(
        currents: self.hub.circuits.indices.map { self.ground.current(of: $0) },
        peaks: self.hub.circuits.indices.map { self.ground.peak(of: $0) },
        delivered: self.stations.reduce(.zero) { $0 + $1.delivered() }, sessions: self.sessions,
        connectedStations: self.stations.filter { $0.station.isOnline }.count,
        messages: self.stations.reduce(0) { $0 + $1.messages },
        violations: self.ground.violations)
    }
  }

  /// Makes a meter freeze, fall silent or answer again.
  public func setMood(_ mood: EmulatedMeters.Mood, meter: Int) {
    guard busOf[meter] >= 0 else { return }
    buses[busOf[meter]].meters.setMood(mood, unit: hub.meters[meter].unit)
  }

  /// What went wrong while running, if anything.
  public func firstFault() -> Flaw? { loop.sync { self.fault } }

  private var now: Int { (clock().monotonic - began.monotonic).raw }

  private func tick() {
    let now = now
    arrive(at: now)
    for station in stations {
      station.wake()
      for (b, bay) in station.station.bays.enumerated() {
        ground.set(station.station.station.connectors.lowerBound + b, own: bay.flow, at: now)
      }
    }
    if now >= stirAt {
      ground.stir(jump: now >= jumpAt, at: now)
      if now >= jumpAt { jumpAt = now + random.pick(60_000...300_000) }
      stirAt = now + random.pick(1000...4000)
    }
    if now >= linkLossAt {
      stations[random.pick(0...stations.count - 1)].dropLink()
      linkLossAt = now + random.wait(mean: options.linkLoss.raw)
    }
    if now - shownAt >= 200 {
      account(now - shownAt)
      shownAt = now
      do throws(Flaw) { for m in hub.meters.indices { try show(m) } } catch { if fault == nil { fault = error } }
    }
  }

  private func arrive(at now: Int) {
    for station in stations {
      for b in station.station.bays.indices {
        let c = station.station.station.connectors.lowerBound + b
        guard now >= arrivals[c], station.station.bays[b].vehicle == nil else { continue }
        let wired = ground.conductors(of: c)
        let conductors = wired == .all ? random.choose([Phases.all, .all, .l1]) : wired
        let vehicle = Vehicle(
          conductors: conductors, maximum: .amperes(random.choose([16, 16, 32, 32])),
          energy: .wattHours(random.pick(4000...40_000)),
          slowest: .seconds(20))
        let stay = random.pick(1_200_000...10_800_000)
        station.plugIn(b, vehicle, idTag: options.idTags[sessions % options.idTags.count], leaving: now + stay)
        sessions += 1
        arrivals[c] = now + stay + random.wait(mean: options.arrivals.raw)
      }
    }
  }

  /// The energy registers go on, in mA x ms over the phases that import.
  private func account(_ span: Int) {
    for k in hub.circuits.indices { imported[k] += max(0, ground.current(of: k).sum.raw) * span }
  }

  /// Puts what a meter sees into its registers.
  private func show(_ m: Int) throws(Flaw) {
    guard busOf[m] >= 0, let k = hub.circuits.firstIndex(where: { $0.measurement?.meter == m }) else { return }
    guard let measurement = hub.circuits[k].measurement else { return }
    var current = ground.current(of: k)
    if measurement.inverted { current = current.map { -$0 } }
    let own = measurement.rotation.onDevice(current)
    var values = MeterValues()
    let volts = [MeterQuantity.voltage1, .voltage2, .voltage3]
    let amperes = [MeterQuantity.current1, .current2, .current3]
    let watts = [MeterQuantity.power1, .power2, .power3]
    var total = 0
    for phase in Phase.allCases {
      let power = own[phase].power(at: .volts(230), phases: 1)
      values[volts[phase.rawValue]] = 230_000
      values[amperes[phase.rawValue]] = own[phase].raw
      values[watts[phase.rawValue]] = power.raw
      total += power.raw
    }
    values[.totalPower] = total
    values[.imported] = imported[k] / 3_600_000 * 230
    values[.exported] = 0
    values[.frequency] = 50_000
    do { buses[busOf[m]].meters.set(try RegisterImage(values, as: maps[m]), unit: hub.meters[m].unit) } catch {
      throw .image(meter: hub.meters[m].id, error)
    }
  }
}
