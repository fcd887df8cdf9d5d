import ChargingProfiles
import Quantities
import Site
import Testing

@testable import Control

/// A hub that looks ahead: what it asks, what it makes of the answer, and what it does without one.
@Suite struct PlanningTests {
  static let noon = Instant(seconds: 1_799_971_200)  // 2027-01-15T00:00:00Z, a Friday

  static func hub(_ rating: Int = 100, stations: Int = 3, baseWorst: Int = 20, _ change: (inout PlanningPolicy) -> Void = { _ in })
    -> Hub
  {
    var hub = World.feeder(rating, stations: stations, baseWorst: baseWorst)
    var policy = PlanningPolicy()
    policy.price = .microEuros(250_000)
    change(&policy)
    hub.planning = policy
    return hub
  }

  /// Plugged in, read, and controlled. The first question was asked when the first vehicle came; once that is answered the newest asks
  /// about all of them.
  static func world(_ hub: Hub, base: Int = 10, tariff: Tariff? = nil, needs: [Int: SessionNeed] = [:]) throws -> World {
    var world = World(hub)
    if let tariff { world.say(.tariff(tariff)) }
    world.read(base)
    world.commission()
    for c in hub.connectors.indices { world.plugIn(c) }
    for (c, need) in needs.sorted(by: { $0.key < $1.key }) { world.say(.order(.need(connector: c, need))) }
    // Until the vehicles are known.
    for _ in 0..<180 { live(&world, base) }
    try answer(&world)
    let count = requests(world).count
    for _ in 0..<60 where requests(world).count == count { live(&world, base) }
    return world
  }

  /// A second in which the vehicles draw what they are offered, or what is said.
  static func live(_ world: inout World, _ base: Int, draws: [Int: Int] = [:]) {
    world.pass(.seconds(1))
    var sum = 0
    for c in world.hub.connectors.indices {
      let drawn = min(draws[c] ?? 32, Int(world.offered(c) ?? 6))
      sum += drawn
      world.draw(c, drawn)
    }
    world.read(PerPhase(all: .amperes(base + sum) + .milliamperes(Int(world.sequence % 7))))
  }

  static func requests(_ world: World) -> [PlanRequest] {
    world.log.compactMap { if case .plan(let request) = $0.effect { request } else { nil } }
  }
  @discardableResult static func answer(_ world: inout World) throws -> Planned {
    let request = try #require(requests(world).last)
    let planned = request.solve()
    world.say(.planned(planned))
    return planned
  }
  /// Cheap from `hours` on, dear before.
  static func tariff(_ start: Instant, cheapAfter hours: Int) -> Tariff {
    Tariff(
      steps: [
        .init(from: start - .hours(1), price: .microEuros(900_000)),
        .init(from: start + .hours(hours), price: .microEuros(100_000)),
      ], until: start + .hours(48))
  }

  @Test func `the same events ask for the same plan, and the same request has the same answer`() throws {
    let (one, other) = (try Self.world(Self.hub()), try Self.world(Self.hub()))
    let request = try #require(Self.requests(one).last)
    #expect(Self.requests(one) == Self.requests(other) && !request.sessions.isEmpty)
    #expect(request.solve() == request.solve())
    var changed = request
    changed.sessions[0].energy += .wattHours(1)
    #expect(changed.fingerprint != request.fingerprint && request.solve().fingerprint == request.fingerprint)
  }

  @Test func `the guard shares without a plan, and one that is not its own, or old, changes nothing`() throws {
    var world = World(Self.hub(60))
    world.read(10)
    world.commission()
    for c in 0..<3 { world.plugIn(c) }
    for _ in 0..<50 { Self.live(&world, 10) }
    #expect((0..<3).allSatisfy { (world.offered($0) ?? 0) >= 10 }, "50 A for three, and no answer to the planner's question")
    var stray = try #require(Self.requests(world).last).solve()
    stray.id += 100
    for s in stray.sessions.indices { stray.sessions[s].currents = [] }
    world.say(.planned(stray))
    for _ in 0..<5 { Self.live(&world, 10) }
    #expect(world.mind.planning.plan == nil && (0..<3).allSatisfy { (world.offered($0) ?? 0) >= 10 })
    // An answer that is taken, and then never renewed: after an hour it is no wish any more.
    var dear = try Self.world(Self.hub(60), tariff: Self.tariff(world.utc, cheapAfter: 3))
    try Self.answer(&dear)
    #expect(dear.mind.wish(0, stamp(dear)) != nil && dear.mind.view(at: stamp(dear)).connectors[0].outlook != nil)
    for minute in 0..<80 {
      dear.pass(.minutes(1))
      dear.read(40 + minute % 2)
    }
    #expect(dear.mind.wish(0, stamp(dear)) == nil && dear.mind.view(at: stamp(dear)).connectors[0].outlook == nil)
  }

  func stamp(_ world: World) -> EventStamp {
    EventStamp(utc: world.utc, monotonic: world.monotonic, sequence: world.sequence + 1)
  }

  @Test func `who can wait for cheap hours waits, and a tariff that changes under way changes the plan`() throws {
    let start = World(Self.hub()).utc
    let need = SessionNeed(departure: start + .hours(10), energy: .wattHours(12_000))
    var world = try Self.world(Self.hub(), tariff: Self.tariff(start, cheapAfter: 4), needs: [0: need, 1: need, 2: need])
    let planned = try Self.answer(&world)
    #expect(planned.sessions.count == 3 && planned.sessions.allSatisfy { !$0.isEstimate })
    for session in planned.sessions {
      let early = session.currents.prefix(15).filter { $0 > .zero }
      #expect(early.isEmpty && session.unserved < .wattHours(100), "\(session.currents)")
    }
    let count = Self.requests(world).count
    world.say(.tariff(Tariff(steps: [.init(from: start - .hours(1), price: .microEuros(100_000))], until: start + .hours(48))))
    world.pass(.seconds(70))
    world.read(10)
    #expect(Self.requests(world).count > count)
    let cheap = try Self.answer(&world)
    #expect(cheap.sessions.allSatisfy { ($0.currents.first ?? .zero) >= .amperes(6) })
  }

  @Test func `what one vehicle does not take goes to those behind their plan first`() throws {
    // All want what there is within two hours but the third, which has until tomorrow and may wait for cheap hours. What the second does
    // not take goes to the first, which is behind, not to the third.
    let start = World(Self.hub()).utc
    let urgent = SessionNeed(departure: start + .hours(2), energy: .wattHours(40_000))
    let patient = SessionNeed(departure: start + .hours(20), energy: .wattHours(9000))
    var world = try Self.world(
      Self.hub(60), tariff: Self.tariff(start, cheapAfter: 12), needs: [0: urgent, 1: urgent, 2: patient])
    try Self.answer(&world)
    for _ in 0..<300 { Self.live(&world, 10, draws: [1: 8]) }
    let (first, third) = (world.mind.wish(0, stamp(world)), world.mind.wish(2, stamp(world)))
    #expect(
      (first?.target ?? .zero) >= .amperes(6) && (third?.target ?? .amperes(32)) <= .amperes(6), "\(String(describing: third))")
    #expect((world.offered(0) ?? 0) >= 28, "\(String(describing: world.offered(0)))")
    #expect((world.offered(2) ?? 0) <= 6, "\(String(describing: world.offered(2)))")
  }

  @Test func `departure and energy are stated as estimates unless somebody or the site file says them`() throws {
    var hub = Self.hub()
    hub.connectors[1].usualDeparture = .minutes(7 * 60 + 30)
    hub.connectors[1].usualEnergy = .wattHours(20_000)
    let start = World(hub).utc
    let need = SessionNeed(departure: start + .hours(5), energy: .wattHours(9000))
    let world = try Self.world(hub, needs: [2: need])
    let sessions = try #require(Self.requests(world).last).sessions
    #expect(sessions.first { $0.connector == 0 }?.isEstimate == true)
    let usual = try #require(sessions.first { $0.connector == 1 })
    #expect(!usual.isEstimate && usual.energy == .wattHours(20_000))
    #expect(hub.localTime.shown(at: usual.departure).millisecondOfDay == 27_000_000)
    let said = try #require(sessions.first { $0.connector == 2 })
    #expect(!said.isEstimate && said.energy == .wattHours(9000) && said.departure == start + .hours(5))
  }

  @Test func `a shortfall is seen when it is planned, with the circuit and the hours`() throws {
    let start = World(Self.hub()).utc
    let need = SessionNeed(departure: start + .hours(1), energy: .wattHours(15_000))
    // 100 A less 75 A of other load: 25 A for three vehicles, 17 kW.
    var world = try Self.world(Self.hub(100, baseWorst: 75), base: 75, needs: [0: need, 1: need, 2: need])
    try Self.answer(&world)
    let view = world.mind.view(at: stamp(world))
    let outlooks = view.connectors.compactMap(\.outlook)
    #expect(outlooks.count == 3)
    let short = outlooks.reduce(Energy.zero) { $0 + $1.short }
    #expect(short > .wattHours(20_000) && short < .wattHours(33_000), "\(short)")
    let worst = try #require(outlooks.max { $0.short < $1.short })
    #expect(worst.wanted == .wattHours(15_000) && worst.departure == start + .hours(1))
    #expect(worst.necks.first?.circuit == 0 && worst.necks.first?.phases == .all)
    if let neck = worst.necks.first { #expect(neck.from >= worst.plannedAt - .minutes(15) && neck.until <= start + .hours(2)) }
    // With time enough nothing is short.
    let late = SessionNeed(departure: start + .hours(20), energy: .wattHours(15_000))
    var calm = try Self.world(Self.hub(), needs: [0: late, 1: late, 2: late])
    try Self.answer(&calm)
    #expect(calm.mind.view(at: stamp(calm)).connectors.allSatisfy { $0.outlook?.short == .zero })
  }

  private func wish(_ world: World, _ amperes: Int?, hours: Int) -> Order {
    let block = amperes.map {
      LimitSeries.Block(
        from: world.utc - .hours(1), until: world.utc + .hours(hours), amount: .current(PerPhase(all: .amperes($0))))
    }
    return .optimum(LimitSeries(id: "wish", source: "provider", owner: "oscp", circuit: 0, blocks: block.map { [$0] } ?? []))
  }

  @Test func `what somebody outside would like is kept to by the plan, as far as nobody lacks energy for it`() throws {
    let start = World(Self.hub()).utc
    let need = SessionNeed(departure: start + .hours(10), energy: .wattHours(12_000))
    var world = try Self.world(Self.hub(), needs: [0: need, 1: need, 2: need])
    func most(_ planned: Planned) -> Current {
      (0..<16).map { slot in
        planned.sessions.reduce(Current.zero) { $0 + ($1.currents.indices.contains(slot) ? $1.currents[slot] : .zero) }
      }.max() ?? .zero
    }
    #expect(most(try Self.answer(&world)) > .amperes(30))
    let limit = world.mind.view(at: stamp(world)).circuits[0].limit
    world.say(.order(wish(world, 30, hours: 20)))
    world.pass(.seconds(70))
    Self.live(&world, 10)
    let planned = try Self.answer(&world)
    #expect(most(planned) <= .amperes(20), "30 A, of which 10 A are drawn already: \(most(planned))")
    // Less than the least current makes in a slot.
    #expect(planned.sessions.allSatisfy { $0.unserved < .wattHours(1035) }, "\(planned.sessions.map(\.unserved))")
    #expect(world.mind.view(at: stamp(world)).circuits[0].limit == limit, "a wish is no limit")
    // Who would lack energy takes what the limits leave.
    let urgent = SessionNeed(departure: world.utc + .hours(1), energy: .wattHours(60_000))
    for c in 0..<3 { world.say(.order(.need(connector: c, urgent))) }
    for _ in 0..<80 { Self.live(&world, 10) }
    try Self.answer(&world)
    for _ in 0..<80 { Self.live(&world, 10) }
    let offered = (0..<3).reduce(0.0) { $0 + (world.offered($1) ?? 0) }
    #expect(offered > 60, "\(offered) A")
    world.say(.order(wish(world, nil, hours: 1)))
    #expect(world.mind.optima.isEmpty)
  }

  @Test func `a wish is kept over a new site file, and answered for like a limit`() throws {
    var world = try Self.world(Self.hub())
    world.say(.asked(Request(id: "1", by: "oscp", order: wish(world, 30, hours: 2))))
    world.say(.configured(Self.hub(120), version: "test"))
    #expect(world.mind.optima.map(\.circuit) == [0])
    var other = wish(world, 40, hours: 2)
    if case .optimum(var series) = other {
      series.owner = "somebody"
      other = .optimum(series)
    }
    let refused = world.say(.asked(Request(id: "2", by: "somebody", order: other))).contains { effect in
      if case .answered(let reply) = effect { reply.refusal == .notYours } else { false }
    }
    #expect(refused)
  }

  // MARK: Statistics

  @Test func `statistics of a large site stay below a megabyte, and give back what they were told`() throws {
    var stays = StayStatistics()
    var loads = LoadStatistics()
    let start = Self.noon
    for quarter in 0..<(4 * 672) {
      let at = start + .minutes(15) * quarter
      loads.notice(PerPhase(all: .amperes(quarter % 96)), until: at)
      loads.notice(PerPhase(all: .amperes(quarter % 96)), until: at + .minutes(14))
      if quarter % 4 == 0 { stays.add(arrival: at, stay: .hours(3), energy: .wattHours(11_000)) }
    }
    let next = start + .minutes(15) * (4 * 672)
    #expect(loads.quantiles(500, at: next + .minutes(15) * 30) == PerPhase(all: .amperes(30)))
    #expect(stays.stay(arrival: next, soFar: .zero, permille: 250) == .hours(3), "the beginning of its class")
    #expect(stays.energy(arrival: next, soFar: .zero, permille: 500) == .wattHours(12_000))
    // Two bytes a class and a mean, of the 56 circuits of which statistics are kept.
    let bytes =
      2 * 168 * (StayStatistics.stayClasses + StayStatistics.energyClasses) + 56 * 2 * 3 * LoadStatistics.weeks
      * LoadStatistics.quarters
    #expect(bytes < 1_000_000)
    for _ in 0..<100_000 { stays.add(arrival: next, stay: .hours(3), energy: .wattHours(11_000)) }
    #expect(stays.stay(arrival: next, soFar: .zero, permille: 250) == .hours(3))
  }

  @Test func `costs follow the median of the load, limits what is hardly ever exceeded`() throws {
    var hub = Self.hub(100) { policy in
      policy.feedIn = .microEuros(50_000)
      policy.peakPrice = 1_000_000
    }
    hub.circuits[0].generation = PerPhase(all: .amperes(40))
    var world = World(hub)
    // Three weeks in four the roof feeds in 20 A at this hour, in one it rains.
    let quarter = world.utc.floored(to: .minutes(15))
    var loads = LoadStatistics()
    for week in 1...4 {
      for near in -2...6 {
        let at = quarter - .days(7) * week + .minutes(15) * near
        let load = PerPhase(all: Current.amperes(week == 2 ? 10 : -20))
        loads.notice(load, until: at)
        loads.notice(load, until: at + .minutes(14))
      }
      loads.pause()
    }
    world.mind.planning.loads = [loads]
    world.read(-20)
    world.commission()
    for c in 0..<3 { world.plugIn(c) }
    world.read(-20)
    try Self.answer(&world)
    for _ in 0..<15 { Self.live(&world, -20) }
    let request = try #require(Self.requests(world).last)
    // 60 A of surplus, phases summed, for 288 A of vehicles: a fifth of the way from 0.25 to 0.05.
    #expect(request.prices[0] < .microEuros(215_000) && request.prices[0] > .microEuros(200_000), "\(request.prices[0])")
    #expect(request.prices[90] == .microEuros(250_000))
    // What is seen of it between the samples of the vehicles differs a little.
    #expect(request.peakBase[0] < .amperes(-55) && request.peakBase[0] > .amperes(-75), "\(request.peakBase[0])")
    // The room allows for the rain, and counts no generation.
    #expect(request.circuits[0].room.l1[0] <= .amperes(100))
  }

  @Test func `the highest quarter of an hour of the month is kept, and begun anew with the next`() {
    let start = Self.noon + .days(15)  // 30 January
    var peak = MonthPeak()
    // With a second of 900 A that a mean hardly sees.
    for second in 0...1800 { peak.notice(.amperes(second == 1000 ? 900 : 30), until: start + .seconds(second)) }
    #expect(peak.highest == .milliamperes(30_966), "\(peak.highest)")
    for second in 1801...2700 { peak.notice(.amperes(60), until: start + .seconds(second)) }
    #expect(peak.highest == .amperes(60), "\(peak.highest)")
    peak.notice(.amperes(10), until: start + .hours(1))
    // What is fed in, and what nobody saw, counts as nothing.
    peak.notice(.amperes(-500), until: start + .hours(2))
    peak.pause()
    peak.notice(.amperes(500), until: start + .hours(3))
    peak.notice(.amperes(5), until: start + .hours(4))
    #expect(peak.highest <= .amperes(60))
    // Nor does a controller that was away for hours know what was drawn meanwhile.
    peak.notice(.amperes(90), until: start + .hours(5))
    #expect(peak.highest == .amperes(60))
    // Looked at seldom, as in steps of a simulation.
    for step in 1...3 { peak.notice(.amperes(90), until: start + .hours(5) + .minutes(15) * step) }
    #expect(peak.highest == .amperes(90))
    peak.notice(.amperes(20), until: start + .days(2) - .minutes(1))
    #expect(peak.highest == .amperes(90))
    for minute in [5, 15, 20] { peak.notice(.amperes(20), until: start + .days(2) + .minutes(minute)) }
    #expect(peak.highest == .amperes(20), "February")
    // Clocks put back an hour: the hour that comes twice is counted twice, and nothing else.
    peak.notice(.amperes(20), until: start + .days(2) - .minutes(40))
    #expect(peak.highest <= .amperes(20))
  }

  @Test func `what the month has reached is told to the planner, whose plan makes use of it`() throws {
    func currents(priced: Bool, reached: Bool) throws -> (Planned, PlanRequest) {
      var world = World(
        Self.hub(100) { policy in
          policy.peakPrice = priced ? 50_000_000 : 0
          // Not worth a new peak.
          (policy.firstWorth, policy.laterWorth) = (.microEuros(400_000), .microEuros(400_000))
        })
      world.read(10)
      world.commission()
      if reached {
        for _ in 0..<1900 {
          world.pass(.seconds(1))
          world.read(PerPhase(all: .amperes(70) + .milliamperes(Int(world.sequence % 7))))
        }
      }
      for c in 0..<3 { world.plugIn(c) }
      for _ in 0..<180 { Self.live(&world, 10) }
      let count = Self.requests(world).count
      try Self.answer(&world)
      for _ in 0..<60 where Self.requests(world).count == count { Self.live(&world, 10) }
      return (try Self.answer(&world), try #require(Self.requests(world).last))
    }
    let (free, plain) = try currents(priced: false, reached: false)
    let (avoided, early) = try currents(priced: true, reached: false)
    let (owed, late) = try currents(priced: true, reached: true)
    func energy(_ planned: Planned) -> Int { planned.sessions.reduce(0) { $0 + $1.currents.reduce(0) { $0 + $1.raw } } }
    #expect(plain.peakReached == nil && early.peakReached.map { $0 < .amperes(130) } == true)
    #expect(late.peakReached.map { $0 > .amperes(200) && $0 <= .amperes(211) } == true, "\(String(describing: late.peakReached))")
    #expect(energy(owed) == energy(free) && energy(avoided) < energy(free), "\(energy(free)), \(energy(avoided)), \(energy(owed))")
  }

  // MARK: Unattended hours

  /// 100 A, 20 A of them the worst of the other load, three connectors of 6 A fallback: 62 A are left when nobody is spoken to.
  private func unattended() throws -> World {
    let start = World(Self.hub()).utc
    let need = SessionNeed(departure: start + .hours(6), energy: .wattHours(60_000))
    var world = try Self.world(Self.hub(), needs: [0: need, 1: need, 2: need])
    try Self.answer(&world)
    for _ in 0..<400 { Self.live(&world, 10) }
    return world
  }
  private func profile(_ world: World, _ c: Int) -> ChargingProfile? {
    for (_, effect) in world.log.reversed() {
      if case .command(_, c, .setProfile(1, let profile), _) = effect, case .transaction = profile.purpose { return profile }
    }
    return nil
  }

  @Test func `the plan's hours ride in the profile, within what is left when everything is at its worst`() throws {
    let world = try unattended()
    var sum = 20_000
    for c in 0..<3 {
      let periods = try #require(profile(world, c)).schedule.periods
      #expect(periods.last?.tenths == 60, "it ends in the fallback: \(periods)")
      #expect(periods.dropFirst().allSatisfy { $0.tenths >= 60 && $0.tenths <= periods[0].tenths })
      sum += world.mind.facts.known[c].settled.l1.raw
    }
    #expect(sum <= 100_000, "\(sum)")
    let longest = (0..<3).contains { c in (profile(world, c)?.schedule.periods.count ?? 0) > 2 }
    #expect(longest, "62 A are enough for at least one vehicle to go on")
  }

  @Test func `a station that holds two periods, or is not proven, falls back as before`() throws {
    var hub = Self.hub()
    hub.stations[0].traits.maximumPeriods = 2
    hub.stations[1].trust = .accepted
    let start = World(hub).utc
    let need = SessionNeed(departure: start + .hours(6), energy: .wattHours(60_000))
    var world = try Self.world(hub, needs: [0: need, 1: need])
    try Self.answer(&world)
    for _ in 0..<400 { Self.live(&world, 10) }
    #expect((profile(world, 0)?.schedule.periods.count ?? 0) <= 2)
    #expect((profile(world, 1)?.schedule.periods.count ?? 0) <= 2)
  }

  @Test func `a departure thousands of years away, and loads beyond all proportion, do no more than lead to no plan`() throws {
    let never = SessionNeed(departure: Instant(milliseconds: 253_402_300_799_000), energy: .wattHours(50_000))
    var world = try Self.world(Self.hub { $0.peakPrice = 4_000_000 }, needs: [0: never])
    let planned = try #require(world.mind.planInForce)
    #expect(planned.sessions.contains { $0.departure == never.departure })
    Self.live(&world, 10)
    #expect(world.mind.facts.wishes?.entries[0] != nil)
    var request = try #require(Self.requests(world).last)
    request.voltage = .zero
    #expect(request.solve().sessions.isEmpty)
    world.say(.planned(request.solve()))
    for _ in 0..<30 { Self.live(&world, 10) }
    #expect((world.offered(1) ?? 0) >= 6, "what there is is shared all the same")
  }
}
