import ChargingProfiles
import Quantities
import Site
import Testing

@testable import Control

/// Orders of events after which a circuit could exceed its limit.
@Suite struct ReviewTests {
  private func charging(_ hub: Hub, base: Int, until offered: Double = 32) -> World {
    var world = World(hub)
    world.read(base)
    world.commission()
    world.plugIn(0)
    for _ in 0..<24 {
      world.pass(.seconds(5))
      world.read(base)
    }
    #expect(world.offered(0) == offered)
    return world
  }

  private func committed(_ world: World, _ c: Int = 0, after span: TimeSpan = .zero) -> Current {
    world.mind.committed(c, at: world.monotonic + span).l1
  }

  private func base(_ world: World, _ circuit: Int) -> PerPhase<Current> {
    world.mind.view(at: EventStamp(utc: world.utc, monotonic: world.monotonic, sequence: 99_999)).circuits[circuit].base
  }

  /// Answers all that waits.
  private func answer(_ world: inout World, _ outcome: (StationCommand) -> CommandOutcome) {
    let waiting = world.unanswered
    world.unanswered = []
    for (id, station, command) in waiting {
      world.say(.station(station, .outcome(id, .sent)))
      world.say(.station(station, .outcome(id, outcome(command))))
    }
  }

  private func isForTransaction(_ command: StationCommand) -> Bool {
    if case .setProfile(_, let profile) = command, case .transaction = profile.purpose { true } else { false }
  }

  @Test func `a station that refuses a decrease is asked by its other route`() {
    var world = charging(World.feeder(40, stations: 1), base: 5)
    world.answers = false
    world.read(25 + 32)
    for _ in 0..<120 {
      world.pass(.seconds(1))
      world.read(25 + 32)
      answer(&world) { isForTransaction($0) ? .refused("Rejected") : .accepted }
    }
    let others = world.log.filter {
      if case .command(_, _, .setProfile(1, let profile), _) = $0.effect, profile.id > 200 {
        profile.purpose == .transactionDefault
      } else {
        false
      }
    }
    #expect(!others.isEmpty, "two minutes of refusals and it was never asked in another way")
    let asked = world.log.filter {
      $0.at > .init(milliseconds: 120_000) && { if case .command = $0 { true } else { false } }($0.effect)
    }
    #expect(asked.count < 60, "it is asked again as fast as it refuses")
  }

  @Test func `offers below the fallback are counted when two of them become one`() {
    var hub = World.feeder(63, stations: 1, fallback: 16)
    hub.connectors[0].maximum = .amperes(32)
    var world = charging(hub, base: 5)
    let now = world.monotonic
    var beliefs: [Belief] = []
    for n in 0..<8 {
      beliefs.append(
        Belief(
          command: CommandID(UInt64(9000 + n)), current: n == 0 ? .zero : .amperes(6), until: now + .minutes(5 + 5 * n),
          after: .amperes(16),
          progress: .unanswered))
    }
    world.mind.connectors[0].beliefs = beliefs
    world.mind.connectors[0].newest = nil
    #expect(committed(world, after: .minutes(6)) == .amperes(16))
    world.answers = false
    world.read(75)
    #expect(world.mind.connectors[0].beliefs.count == 8)
    #expect(committed(world, after: .minutes(6)) == .amperes(16))
  }

  @Test func `an offer counts on when its transaction begins once more without a stop`() {
    var world = charging(World.feeder(40, stations: 1), base: 5)
    world.say(.storeFailed)
    let start = TransactionStart(connector: 1, idTag: "tag", meterStart: .zero, at: nil, messageID: "again")
    world.say(.station(0, .started(start, RequestID(77))))
    #expect(committed(world) == .amperes(32))
  }

  /// The first route stops answering, the second is taken, and the vehicle draws little for a while.
  private func rerouted() -> World {
    var world = charging(World.feeder(40, stations: 1), base: 5)
    world.answers = false
    world.read(25 + 8)
    for _ in 0..<200 {
      world.pass(.seconds(1))
      world.draw(0, 8)
      world.read(25 + 8)
      answer(&world) { isForTransaction($0) ? .timedOut : .accepted }
    }
    return world
  }

  @Test func `what the first route left in force counts until it ends`() {
    let world = rerouted()
    #expect(world.mind.connectors[0].route == 1)
    #expect(committed(world) == .amperes(32), "a TxProfile prevails over a TxDefaultProfile")
  }

  @Test func `what a default profile offers counts for the vehicle that comes next`() {
    // Held at 20 A by the second route and disobeyed; the next try goes by the first route again.
    var world = charging(World.feeder(63, stations: 1), base: 5)
    world.mind.connectors[0].route = 1
    world.say(.order(.hold(connector: 0, .amperes(20))))
    for _ in 0..<120 where !world.mind.connectors[0].uncontrollable {
      world.pass(.seconds(5))
      world.draw(0, 32)
      world.read(5 + 32)
    }
    #expect(world.mind.connectors[0].uncontrollable && world.mind.connectors[0].route == 0)
    world.unplug(0)
    world.pass(.seconds(30))
    #expect(committed(world) >= .amperes(20), "a TxDefaultProfile does not end with the transaction")
  }

  @Test(arguments: [[], [.remoteStop], [.changeAvailability, .remoteStop]] as [[Settings.LastResort]])
  func `what the site file has as last resorts, and no more, is done to a vehicle that follows nothing`(
    resorts: [Settings.LastResort]
  ) {
    var hub = World.feeder(40, stations: 1)
    hub.settings.lastResorts = resorts
    var world = charging(hub, base: 5)
    for _ in 0..<240 {
      world.pass(.seconds(5))
      world.draw(0, 32)
      world.read(20 + 32)
    }
    let done = world.log.compactMap { entry -> Settings.LastResort? in
      guard case .command(_, _, let command, _) = entry.effect else { return nil }
      switch command {
      case .changeAvailability(1, operative: false): return .changeAvailability
      case .remoteStop(transaction: 1): return .remoteStop
      default: return nil
      }
    }
    #expect(done == resorts)
  }

  @Test func `a vehicle that draws more than it is told is told to fall back when its circuit is over`() {
    var world = charging(World.feeder(63, stations: 1), base: 5)
    world.say(.order(.hold(connector: 0, .amperes(20))))
    for _ in 0..<240 where !world.mind.connectors[0].uncontrollable {
      world.pass(.seconds(5))
      world.draw(0, 23)
      world.read(5 + 23)
    }
    #expect(world.mind.connectors[0].uncontrollable)
    world.say(.order(.hold(connector: 0, nil)))
    world.read(45 + 23)
    world.pass(.seconds(15))
    world.read(46 + 23)
    #expect(world.offered(0).map { $0 <= 6 } ?? false, "it hears, whatever else it does")
  }

  @Test func `a transaction told late is asked for, and gets its share once its connector shows that it runs`() {
    var world = World(World.feeder(63, stations: 1, fallback: 0))
    world.read(5)
    world.commission()
    let start = TransactionStart(connector: 1, idTag: "t", meterStart: .zero, at: world.utc - .hours(2), messageID: "late")
    world.say(.station(0, .started(start, RequestID(7))))
    let asked = world.log.contains { entry in
      if case .command(_, 0, .trigger(.status(connector: 1)), _) = entry.effect { true } else { false }
    }
    #expect(asked)
    world.pass(.minutes(1))
    world.read(6)
    #expect(world.offered(0) ?? 0 == 0, "it may have ended long ago")
    world.say(.station(0, .status(connector: 1, .suspendedEVSE, error: nil)))
    for second in 0..<60 {
      world.pass(.seconds(1))
      world.read(5 + second % 2)
    }
    #expect(world.offered(0).map { $0 >= 6 } ?? false)
  }

  @Test func `a sample taken before a decrease confirms nothing, however late it comes`() {
    var world = charging(World.feeder(40, stations: 1), base: 5)
    let taken = world.utc
    world.pass(.seconds(2))
    world.read(20 + 32)
    #expect(world.offered(0).map { $0 < 20 } ?? false)
    world.pass(.seconds(20))
    let sample = ConnectorSample(takenAt: taken, current: PerPhase(all: .amperes(5)))
    world.say(.station(0, .sampled(connector: 1, transaction: nil, sample)))
    #expect(committed(world) == .amperes(32))
  }

  @Test func `samples are heard after a station's clock came back from the future`() {
    var world = charging(World.feeder(63, stations: 1, baseWorst: 20), base: 5)
    let early = ConnectorSample(takenAt: world.utc + .hours(2), current: PerPhase(all: .amperes(10)))
    world.say(.station(0, .sampled(connector: 1, transaction: nil, early)))
    world.say(.station(0, .clock(offset: .zero)))
    world.pass(.minutes(1))
    world.draw(0, 31)
    #expect(world.mind.connectors[0].newest?.current.l1 == .amperes(31))
  }

  @Test func `a connector of which nothing was heard may have a vehicle`() {
    var world = World(World.feeder(63, stations: 1))
    world.read(5)
    world.say(.station(0, .connected))
    world.say(.station(0, .booted(StationIdentity(vendor: "v", model: "m"), RequestID(1))))
    #expect(world.mind.stations[0].stage == .controlled)
    #expect(committed(world) == .amperes(6))
  }

  @Test func `a vehicle that came while the link was down counts when it is up again`() {
    var world = World(World.feeder(63, stations: 1))
    world.read(5)
    world.commission()
    world.say(.station(0, .disconnected))
    world.pass(.minutes(5))
    world.say(.station(0, .connected))
    world.pass(.minutes(1))
    #expect(world.mind.stations[0].stage == .controlled)
    #expect(committed(world) == .amperes(6), "what it said before it was away is no longer known")
  }

  @Test func `a station whose clock is wrong is lowered to its fallback when its circuit is over`() {
    var world = charging(World.feeder(40, stations: 1), base: 5)
    world.say(.station(0, .clock(offset: .zero)))
    world.say(.station(0, .clock(offset: .seconds(45))))
    world.draw(0, 32)
    for _ in 0..<60 {
      world.pass(.seconds(1))
      world.read(30 + 32)
    }
    #expect(world.offered(0).map { $0 <= 6 } ?? false, "62 A through a fuse of 40 A, and nothing is said to a station that hears")
  }

  @Test func `our own clock is set back while a station's is not known`() {
    var world = charging(World.feeder(63, stations: 1), base: 5)
    #expect(world.mind.stations[0].clockOffset == nil)
    world.answers = false
    world.say(.station(0, .disconnected))
    world.say(.clockStepped(by: .hours(-1)))
    #expect(committed(world, after: .minutes(45)) == .amperes(32), "it may have taken our time over")
  }

  @Test func `a neighbour counts at its fallback while an offer at its station outlives a power failure`() {
    var hub = World.feeder(40, stations: 2, fallback: 10)
    hub.stations = [Station(id: "s", connectors: 0..<2)]
    for c in 0..<2 { (hub.connectors[c].station, hub.connectors[c].number) = (0, c + 1) }
    var world = World(hub)
    world.read(5)
    world.commission()
    world.plugIn(0)
    world.plugIn(1)
    func unheard(_ world: World) -> Current {
      world.mind.committed(0, at: world.monotonic, through: hub.settings.horizon).l1
    }
    let low = Belief(
      command: CommandID(900), current: .amperes(6), until: nil, after: .amperes(6), progress: .accepted(world.monotonic))
    world.mind.connectors[0].beliefs = [low]
    world.say(.deadline)
    #expect(unheard(world) == .amperes(6))
    world.mind.connectors[0].beliefs = [low]
    world.mind.connectors[1].route = 1
    world.say(.deadline)
    #expect(unheard(world) == .amperes(10), "its low offer ends with its transaction, the neighbour's does not")
  }

  @Test func `a station is controlled though the journal never lets go what would clear its leftovers`() {
    var world = World(World.feeder(40, stations: 1))
    world.read(5)
    world.answers = false
    world.say(.storeFailed)
    world.say(.station(0, .connected))
    world.say(.station(0, .booted(StationIdentity(vendor: "v", model: "m"), RequestID(1))))
    world.say(.station(0, .status(connector: 1, .available, error: nil)))
    for _ in 0..<10 {
      let waiting = world.unanswered
      world.unanswered = []
      for (id, station, command) in waiting {
        if case .clearProfiles = command { world.say(.cancelled([id])) } else { world.reply(id, station, command) }
      }
    }
    #expect(world.mind.stations[0].stage == .controlled)
  }

  @Test func `an offer that outlives transactions does not hide the fallback, which may have replaced it`() {
    var world = charging(World.feeder(40, stations: 1), base: 5)
    world.unplug(0)
    // Told to draw nothing by a way that does not end with the transaction; then its station was commissioned again.
    world.mind.connectors[0].beliefs = [
      Belief(
        command: CommandID(900), current: .zero, until: world.monotonic + .minutes(30), after: .amperes(6),
        progress: .unanswered, route: .transactionDefault)
    ]
    world.answers = false
    world.read(40)
    world.plugIn(0)
    #expect(committed(world) == .amperes(6))
  }

  @Test func `a relative offer that outlives transactions begins anew with the next`() {
    var hub = World.feeder(40, stations: 1)
    hub.stations[0].traits.profileKind = .relative
    var world = charging(hub, base: 5)
    world.unplug(0)
    world.mind.connectors[0].beliefs = [
      Belief(
        command: CommandID(900), current: .amperes(16), until: world.monotonic - .minutes(5), after: .amperes(6),
        progress: .accepted(world.monotonic), route: .transactionDefault)
    ]
    world.answers = false
    world.read(40)
    world.plugIn(0)
    #expect(committed(world) == .amperes(16))
  }

  @Test func `a station that is due is seen to with whatever comes first`() {
    var world = World(World.feeder(40, stations: 1))
    world.read(5)
    world.say(.station(0, .connected))
    // It never boots; a reading comes just when it should have.
    world.utc = world.utc + .seconds(6)
    world.monotonic = world.monotonic + .seconds(6)
    world.read(6)
    #expect(world.mind.stations[0].stage == .controlled)
  }

  @Test func `alarms stay raised when the site file is read again`() {
    var world = charging(World.feeder(40, stations: 2), base: 5)
    world.say(.station(0, .disconnected))
    world.say(.storeFailed)
    var hub = world.hub
    // The first station is the second now.
    hub.stations.swapAt(0, 1)
    (hub.stations[0].connectors, hub.stations[1].connectors) = (0..<1, 1..<2)
    world.say(.configured(hub, version: "test"))
    #expect(world.mind.raisedAlarms.contains(.stationLost(station: 1)))
    #expect(world.mind.raisedAlarms.contains(.storeFailed))
    #expect(!world.mind.raisedAlarms.contains(.stationLost(station: 0)))
  }

  @Test func `an offer counts on when a new site file calls its station planned`() {
    var world = charging(World.feeder(63, stations: 1), base: 5)
    var hub = world.hub
    hub.stations[0].state = .planned
    world.say(.configured(hub, version: "test"))
    #expect(committed(world) == .amperes(32))
  }

  @Test func `an offer counts on when a new site file has its station no more, until it has ended there`() {
    var world = charging(World.feeder(63, stations: 2), base: 5)
    var hub = world.hub
    hub.stations = [hub.stations[1]]
    hub.stations[0].connectors = 0..<1
    hub.connectors = [hub.connectors[1]]
    hub.connectors[0].station = 0
    world.say(.configured(hub, version: "test"))
    let view = world.mind.view(at: EventStamp(utc: world.utc, monotonic: world.monotonic, sequence: world.sequence))
    #expect(view.circuits[0].committed.l1 >= .amperes(32), "a vehicle of the station that left may draw 32 A for the rest of H")
    world.pass(hub.settings.horizon + .minutes(2))
    let later = world.mind.view(at: EventStamp(utc: world.utc, monotonic: world.monotonic, sequence: world.sequence))
    #expect(later.circuits[0].committed.l1 <= .amperes(6))
  }

  @Test func `the plan's hours count on when a new site file calls their station planned, or has it no more`() {
    for stays in [true, false] {
      var world = charging(World.feeder(63, stations: 2), base: 5)
      let last = world.mind.connectors[0].beliefs.count - 1
      world.mind.connectors[0].beliefs[last].after = .amperes(20)
      var hub = world.hub
      if stays {
        hub.stations[0].state = .planned
      } else {
        hub.stations = [hub.stations[1]]
        hub.stations[0].connectors = 0..<1
        hub.connectors = [hub.connectors[1]]
        hub.connectors[0].station = 0
      }
      world.say(.configured(hub, version: "test"))
      world.pass(.hours(2))
      let view = world.mind.view(at: EventStamp(utc: world.utc, monotonic: world.monotonic, sequence: world.sequence))
      #expect(view.circuits[0].committed.l1 >= .amperes(20), "\(stays)")
    }
  }

  @Test func `works and limits at a circuit hold on below the one above it when a new site file names it otherwise`() {
    for isLimit in [true, false] {
      var hub = World.feeder(63, stations: 1)
      hub.circuits.insert(Circuit(id: "grid", rating: PerPhase(all: .amperes(63))), at: 0)
      hub.circuits[1].parent = 0
      hub.connectors[0].circuit = 1
      var world = charging(hub, base: 5)
      if isLimit {
        let limit = Limit(id: "l", source: "grid", circuit: 1, amount: .current(.zero), from: world.utc)
        world.say(.limitSet(limit))
      } else {
        world.say(.order(.maintenance(circuit: 1, true)))
      }
      hub.circuits[1].id = "feeder of another name"
      world.say(.configured(hub, version: "test"))
      let view = world.mind.view(at: EventStamp(utc: world.utc, monotonic: world.monotonic, sequence: world.sequence))
      #expect(view.circuits[0].limit == .zero, "somebody may have his hands in there; a limit: \(isLimit)")
    }
  }

  @Test func `what rides beyond an offer is sent anew when another bound is set`() {
    var world = charging(World.feeder(63, stations: 1), base: 5)
    let last = world.mind.connectors[0].beliefs.count - 1
    world.mind.connectors[0].beliefs[last].after = .amperes(20)
    let before = world.log.count
    world.pass(.seconds(15))
    world.read(6)
    world.say(
      .limitSet(
        Limit(id: "l", source: "grid", circuit: 0, amount: .current(PerPhase(all: .amperes(50))), from: world.utc + .hours(3))))
    world.pass(.seconds(1))
    world.read(5)
    let sent = world.log[before...].contains { entry in
      if case .command(_, 0, .setProfile(connector: 1, _), _) = entry.effect { true } else { false }
    }
    #expect(sent)
  }

  @Test func `an energy register corrects what nobody saw, and is not believed against what was measured`() {
    let (minute, kilowatts) = (60_000, 50_000_000)
    func window(_ minutes: [(seen: Bool, register: Int?)]) -> Int {
      var state = ContractState(
        windowStart: Instant(seconds: 0), accountedUntil: Instant(seconds: 0), chargeSoFar: PerPhase(0, 0, 0), workSoFar: 0)
      // 50 kW when seen, 150 kW for the worst.
      for (seen, register) in minutes {
        state.add((seen ? kilowatts : kilowatts * 3) * minute, isSeen: seen, register: register.map { Energy.wattHours($0) })
      }
      return state.workSoFar / 3_600_000 / 1000  // Wh
    }
    let honest = window([(true, 0), (true, 833), (true, 1667), (false, nil), (false, nil), (true, 4167)])
    #expect((4900...6500).contains(honest), "5000 Wh have flowed: \(honest)")
    #expect(window([(true, 0), (true, 833), (false, nil), (false, nil)]) >= 6600, "nobody has seen it yet")
    #expect(window([(true, 0), (true, 1), (true, 2), (true, 3)]) >= 2900, "a register in the wrong unit")
    #expect(window([(true, 7), (false, nil), (false, nil), (true, 7)]) >= 6600, "a register that stands still")
    #expect(window([(true, 900), (true, 1733), (true, 3), (true, 836)]) >= 2900, "a register that was replaced")
    #expect(window([(true, 0), (true, 4_000_000_000_000)]) > 1_000_000, "an absurd one leaves nothing for the window")
  }

  @Test func `the power of three phases is not taken for the least current of each`() {
    var world = World(World.feeder(40, stations: 1))
    world.read(20)
    world.commission()
    world.plugIn(0)
    var drawn = 6.0
    for second in 0..<180 {
      world.pass(.seconds(1))
      drawn = min(32, world.offered(0) ?? 6)
      world.read(20 + Int(drawn))
      if second % 10 == 9 {
        let sample = ConnectorSample(takenAt: world.utc, power: .watts(Int(drawn * 3 * 230)))
        world.say(.station(0, .sampled(connector: 1, transaction: nil, sample)))
      }
      #expect(20 + drawn <= 40)
    }
  }

  @Test func `generation below gives no room to a circuit without a reading`() {
    var hub = World.feeder(63, stations: 1, baseWorst: 40)
    hub.meters.append(Meter(id: "pv", profile: "p", bus: .tcp(host: "h", port: 503)))
    hub.circuits.append(
      Circuit(
        id: "pv", parent: 0, rating: PerPhase(all: .amperes(63)), generation: PerPhase(all: .amperes(50)),
        measurement: Circuit.Measurement(meter: 1)))
    var world = World(hub)
    world.read(PerPhase(all: .amperes(-50)), meter: 1)
    world.pass(.seconds(1))
    world.read(PerPhase(all: .amperes(-49)), meter: 1)
    #expect(base(world, 0).l1 >= .amperes(40), "a cloud takes the sun away in 10 s")
  }

  @Test func `an offer is not made to last beyond the low offers that it lives on`() {
    var world = World(World.feeder(40, stations: 4, baseWorst: 10, fallback: 6))
    world.read(2)
    world.commission()
    for c in 0..<4 { world.plugIn(c) }
    for c in 1..<4 { world.say(.order(.hold(connector: c, .zero))) }
    world.mind.connectors[1].beliefs = []
    // The others were told 0 A and follow; then their clocks go wrong, and nobody refreshes what they were told.
    for c in 1..<4 {
      world.mind.connectors[c].beliefs = [
        Belief(
          command: CommandID(UInt64(9000 + c)), current: .zero, until: world.monotonic + .minutes(30), after: .amperes(6),
          progress: .accepted(world.monotonic), confirmed: true)
      ]
      world.say(.station(c, .clock(offset: .seconds(25))))
    }
    var worst = Current.zero
    for _ in 0..<(29 * 12) {
      world.pass(.seconds(5))
      let drawn = min(32, Int(world.offered(0) ?? 6))
      world.read(2 + drawn)
      world.draw(0, drawn)
      let horizon = TimeSpan.minutes(10) + world.hub.settings.guardTime
      for ahead in stride(from: 0, through: horizon.raw, by: 10_000) {
        let at = world.monotonic + .milliseconds(ahead)
        worst = max(worst, (0..<4).map { world.mind.committed($0, at: at).l1 }.reduce(.zero, +) + .amperes(2))
      }
    }
    #expect(worst <= .amperes(40), "when all stations hear nothing more")
  }

  @Test func `a station whose fallback is not proven counts at its maximum among the unheard`() {
    var hub = World.feeder(63, stations: 2, baseWorst: 20)
    hub.stations[1].trust = .accepted
    var world = World(hub)
    world.read(5)
    world.commission()
    world.plugIn(0)
    world.plugIn(1)
    for _ in 0..<60 {
      world.pass(.seconds(5))
      let (a, b) = (min(32, Int(world.offered(0) ?? 6)), min(32, Int(world.offered(1) ?? 6)))
      world.draw(0, a)
      world.draw(1, b)
      world.read(5 + a + b)
    }
    world.say(.order(.hold(connector: 1, .amperes(10))))
    for _ in 0..<60 {
      world.pass(.seconds(5))
      let (a, b) = (min(32, Int(world.offered(0) ?? 6)), min(32, Int(world.offered(1) ?? 6)))
      world.draw(0, a)
      world.draw(1, b)
      world.read(5 + a + b)
    }
    world.answers = false
    world.say(.station(0, .disconnected))
    world.say(.station(1, .disconnected))
    #expect(committed(world, 0) + committed(world, 1) + .amperes(5) <= .amperes(63))
  }

  @Test func `an old stop that names no transaction does not end the one that runs`() {
    var world = charging(World.feeder(63, stations: 1), base: 5)
    let stop = TransactionStop(
      transaction: -1, idTag: nil, meterStop: .zero, at: world.utc + .hours(-3), reason: "Local", messageID: "old")
    world.say(.station(0, .stopped(stop, RequestID(88))))
    #expect(world.mind.connectors[0].transaction != nil)
    #expect(committed(world) == .amperes(32))
  }

  @Test func `after a boot whose questions are not answered profiles still go to the level of those that are in force`() {
    var world = charging(World.feeder(40, stations: 1), base: 5)
    world.answers = false
    world.say(.station(0, .booted(StationIdentity(vendor: "v", model: "m"), RequestID(99))))
    for _ in 0..<10 {
      world.pass(.seconds(1))
      world.read(30)
      answer(&world) { if case .learn = $0 { .timedOut } else { .accepted } }
    }
    var levels: [Int] = []
    for (_, effect) in world.log {
      guard case .command(_, _, .setProfile(1, let profile), _) = effect, case .transaction = profile.purpose else { continue }
      levels.append(profile.stackLevel)
    }
    #expect(Set(levels) == [8])
  }

  @Test func `a station that loses control after a pause is not paused`() {
    var hub = World.feeder(40, stations: 1)
    (hub.stations[0].traits.zero, hub.stations[0].traits.rotates) = (.losesControl, false)
    var world = charging(hub, base: 5)
    world.read(36 + 32)
    let paused = world.offered(0) == 0
    for _ in 0..<24 {
      world.pass(.seconds(5))
      world.read(10)
      world.draw(0, 0)
    }
    #expect(!paused || committed(world) == .amperes(32), "full current follows a pause, whatever is offered")
  }

  @Test func `a meter that shows nothing at all while a vehicle draws is not believed`() {
    var world = World(World.feeder(40, stations: 1))
    world.read(20)
    world.commission()
    world.plugIn(0)
    for second in 0..<120 {
      world.pass(.seconds(1))
      if second % 5 == 0 { world.draw(0, 16) }
      world.read(20 + 16)
    }
    for second in 0..<60 {
      world.pass(.seconds(1))
      world.say(.reading(MeterReading(meter: 0, current: .zero, registers: 7)))
      if second % 5 == 0 { world.draw(0, 16) }
    }
    #expect(base(world, 0).l1 == .amperes(20))
  }

  @Test func `a circuit in maintenance by hand stays so when a new site file comes`() {
    var world = World(World.feeder(40, stations: 1))
    world.say(.order(.maintenance(circuit: 0, true)))
    world.say(.configured(world.hub, version: "test"))
    let view = world.mind.view(at: EventStamp(utc: world.utc, monotonic: world.monotonic, sequence: 99_999))
    #expect(view.circuits[0].limit == .zero)
  }

  private func start(_ world: inout World, _ station: Int, _ start: TransactionStart, request: UInt64) -> Int? {
    for case .answer(_, _, .start(let id, _)) in world.say(.station(station, .started(start, RequestID(request)))) { return id }
    return nil
  }

  @Test func `a message id that is used again for something else is no repeat`() throws {
    var world = World(World.feeder(63, stations: 1))
    world.read(5)
    world.commission()
    let first = TransactionStart(connector: 1, idTag: "a", meterStart: .zero, at: world.utc, messageID: "1")
    let one = try #require(start(&world, 0, first, request: 901))
    #expect(start(&world, 0, first, request: 902) == one, "the same again")
    let end = TransactionStop(transaction: one, idTag: nil, meterStop: .wattHours(10), at: world.utc, messageID: "2")
    world.say(.station(0, .stopped(end, RequestID(903))))
    #expect(world.mind.connectors[0].transaction == nil)
    // It boots, and counts from 1 again.
    world.pass(.minutes(1))
    var second = first
    (second.meterStart, second.at) = (.wattHours(10), world.utc)
    let two = try #require(start(&world, 0, second, request: 904))
    #expect(two != one && world.mind.connectors[0].transaction?.id == two)
    let last = TransactionStop(transaction: two, idTag: nil, meterStop: .wattHours(30), at: world.utc, messageID: "2")
    world.say(.station(0, .stopped(last, RequestID(905))))
    #expect(world.mind.connectors[0].transaction == nil)
    let closed = world.log.compactMap { if case .transaction(.closed(let id, _, _, _)) = $0.effect { id } else { nil } }
    #expect(closed == [one, two])
  }

  @Test func `a start that was queued after the open transaction ends it, and takes its place`() throws {
    var world = World(World.feeder(63, stations: 1))
    world.read(5)
    world.commission()
    world.plugIn(0)
    let one = try #require(world.mind.connectors[0].transaction?.id)
    world.say(.station(0, .disconnected))
    world.pass(.minutes(10))
    // Meanwhile it ended, which was lost, and another one began.
    let queued = TransactionStart(connector: 1, idTag: "b", meterStart: .wattHours(50), at: world.utc - .minutes(5), messageID: "9")
    world.say(.station(0, .connected))
    world.say(.station(0, .clock(offset: .zero)))
    let two = try #require(start(&world, 0, queued, request: 911))
    #expect(world.mind.connectors[0].transaction?.id == two)
    let closed = world.log.compactMap { if case .transaction(.closed(let id, _, _, _)) = $0.effect { id } else { nil } }
    #expect(closed == [one])
  }

  @Test func `a vehicle counts on all phases again when its link was lost or it has paused`() {
    var hub = World.feeder(63, stations: 1)
    hub.settings.narrowsPhases = true
    func narrowed() -> World {
      var world = charging(hub, base: 5)
      for _ in 0..<30 {
        world.pass(.seconds(5))
        world.read(PerPhase(.amperes(21), .amperes(5), .amperes(5)))
        world.say(
          .station(
            0,
            .sampled(connector: 1, transaction: nil, ConnectorSample(takenAt: world.utc, current: PerPhase(.amperes(16), on: .l1))))
        )
      }
      #expect(world.mind.phases(0) == .l1)
      return world
    }
    var lost = narrowed()
    lost.say(.station(0, .disconnected))
    #expect(lost.mind.phases(0) == .all && committed(lost) == lost.mind.committed(0, at: lost.monotonic).l3)
    var paused = narrowed()
    paused.say(.limitSet(Limit(id: "x", source: "x", circuit: 0, amount: .current(PerPhase(all: .amperes(7))), from: paused.utc)))
    for _ in 0..<12 {
      paused.pass(.seconds(5))
      paused.read(5)
      paused.draw(0, 0)
    }
    #expect((paused.offered(0) ?? 9) < 6 && paused.mind.phases(0) == .all)
  }
}
