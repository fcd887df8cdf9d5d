import ChargingProfiles
import Quantities
import Site
import Testing

@testable import Control

@Suite struct GuardTests {
  /// Both vehicles plugged in, each drawing its fallback, the rest of the load at `base`.
  private func two(_ rating: Int = 63, base: Int = 10) -> World {
    var world = World(World.feeder(rating, stations: 2))
    world.read(base)
    world.commission()
    world.plugIn(0)
    world.plugIn(1)
    settle(&world, base: base)
    return world
  }

  /// Vehicles draw what they are offered, the meter says so, for two minutes.
  private func settle(_ world: inout World, base: Int, seconds: Int = 120) {
    for _ in 0..<(seconds / 5) {
      world.pass(.seconds(5))
      let drawn = world.hub.connectors.indices.map { c -> Int in
        world.mind.connectors[c].transaction == nil ? 0 : min(32, Int(world.offered(c) ?? 6))
      }
      world.read(base + drawn.reduce(0, +))
      for c in drawn.indices where world.mind.connectors[c].transaction != nil { world.draw(c, drawn[c]) }
      world.read(base + drawn.reduce(0, +))
    }
  }

  @Test func `two vehicles share what the house leaves of the feeder`() {
    let world = two()
    #expect(world.offered(0) == 26.5)
    #expect(world.offered(1) == 26.5)
  }

  @Test func `a rising house lowers both vehicles at once, on the reading that shows it`() {
    var world = two()
    let before = world.log.count
    world.read(10 + 20 + 52)
    let lowered = world.log[before...].filter { if case .command(_, _, .setProfile, .decrease) = $0.effect { true } else { false } }
    #expect(lowered.count == 2)
    #expect(lowered.allSatisfy { $0.at == world.monotonic })
    #expect((world.offered(0) ?? 99) + (world.offered(1) ?? 99) <= 63 - 30 + 1)
  }

  @Test func `a silent meter counts as the configured worst load, never as no load`() {
    var world = two()
    world.pass(.seconds(6))
    #expect(world.mind.view(at: EventStamp(utc: world.utc, monotonic: world.monotonic, sequence: 9999)).circuits[0].baseIsWorst)
    #expect((world.offered(0) ?? 99) + (world.offered(1) ?? 99) <= 63 - 20)
  }

  @Test func `nothing is raised before the decrease it lives on has been measured`() {
    var world = World(World.feeder(40, stations: 2))
    world.read(0)
    world.commission()
    world.plugIn(0)
    settle(&world, base: 0)
    #expect(world.offered(0) == 32)
    world.plugIn(1)
    // The first vehicle has been told to draw less, but still draws 32 A: the second stays at what is left.
    for _ in 0..<6 {
      world.pass(.seconds(5))
      world.draw(0, 32)
      world.read(38)
    }
    #expect((world.offered(0) ?? 99) < 32)
    #expect((world.offered(1) ?? 6) <= 8)
  }

  @Test func `every offer above the fallback ends in the fallback within the horizon`() {
    let world = two()
    var seen = 0
    for (_, effect) in world.log {
      guard case .command(_, _, .setProfile(_, let profile), _) = effect, case .transaction = profile.purpose else { continue }
      guard profile.schedule.periods[0].tenths > 60 else { continue }
      seen += 1
      #expect(profile.schedule.periods.last?.tenths == 60)
      #expect(profile.schedule.periods.last.map { $0.start <= .minutes(11) } ?? false)
    }
    #expect(seen > 2)
  }

  @Test func `when there is not enough for all, some get the minimum and the others wait for their turn`() {
    var world = World(World.feeder(16, stations: 4, baseWorst: 4, fallback: 0))
    world.read(2)
    world.commission()
    for c in 0..<4 { world.plugIn(c) }
    settle(&world, base: 2)
    let served = (0..<4).filter { (world.offered($0) ?? 0) >= 6 }
    #expect(served.count == 2)
    var everServed = Set(served)
    for _ in 0..<9 {
      settle(&world, base: 2, seconds: 300)
      everServed.formUnion((0..<4).filter { (world.offered($0) ?? 0) >= 6 })
      #expect((0..<4).map { world.offered($0) ?? 0 }.reduce(0, +) <= 14)
    }
    #expect(everServed == [0, 1, 2, 3])
  }

  @Test func `who draws nothing makes way for those that want its current, and is asked again, less and less often`() {
    var world = World(World.feeder(36, stations: 3, baseWorst: 6, fallback: 0))
    world.read(2)
    world.commission()
    for c in 0..<3 { world.plugIn(c) }
    var sleeps = true
    /// The most that the first is offered meanwhile.
    func pass(minutes: Int) -> Double {
      var most = 0.0
      for tick in 0..<(minutes * 12) {
        world.pass(.seconds(5))
        let drawn = (0..<3).map { c in sleeps && c == 0 ? 0 : Int(world.offered(c) ?? 0) }
        for c in drawn.indices { world.draw(c, drawn[c]) }
        world.read(PerPhase(all: .amperes(2 + drawn.reduce(0, +)) + .milliamperes(tick % 2)))
        most = max(most, world.offered(0) ?? 0)
      }
      return most
    }
    #expect(pass(minutes: 10) >= 6)
    #expect(world.offered(0) == 0 && (1...2).allSatisfy { (world.offered($0) ?? 0) >= 16 }, "34 A are for two")
    #expect(pass(minutes: 30) == 6, "it is asked again with its least")
    _ = pass(minutes: 10)
    #expect(world.offered(0) == 0 && world.mind.connectors[0].cycles == 0)
    #expect(pass(minutes: 40) == 0, "and after that an hour later")
    sleeps = false
    #expect(pass(minutes: 30) >= 10, "that it woke up is seen when it is asked")
  }

  @Test func `after a step of the clock samples count again, however far back it was`() {
    var world = World(World.feeder(63, stations: 1))
    world.read(10)
    world.commission()
    world.plugIn(0)
    world.pass(.minutes(2))
    world.draw(0, 6)
    let step = TimeSpan.zero - .hours(1)
    world.utc = world.utc + step
    world.say(.clockStepped(by: step))
    world.say(.station(0, .clock(offset: .zero)))
    world.pass(.seconds(10))
    world.draw(0, 5)
    #expect(world.mind.connectors[0].newest?.current.largest == .amperes(5))
  }

  @Test func `an unchanged reading has no effects`() {
    var world = two()
    let reading = MeterReading(meter: 0, current: PerPhase(all: .amperes(63)), registers: 42)
    world.say(.reading(reading))
    world.say(.reading(reading))
    #expect(world.say(.reading(reading)).isEmpty)
  }

  /// Of vehicles whose phases nobody knows, all that is measured may be load of the house: rises are worked out from more load than shares.
  @Test func `who waits for room that is never confirmed gets it after a turn of the rotation`() {
    var hub = World.feeder(30, stations: 3, baseWorst: 5, fallback: 0)
    for c in 0...1 { hub.connectors[c].wiring = nil }
    var world = World(hub)
    world.read(2)
    world.commission()
    world.plugIn(0)
    world.plugIn(1)
    func pass(_ seconds: Int) -> Double {
      var most = 0.0
      for _ in 0..<(seconds / 5) {
        world.pass(.seconds(5))
        let drawn = (0..<3).map { c in world.mind.connectors[c].transaction == nil ? 0 : min(6, Int(world.offered(c) ?? 0)) }
        for c in drawn.indices where world.mind.connectors[c].transaction != nil { world.draw(c, drawn[c]) }
        world.read(PerPhase(.amperes(2 + drawn.reduce(0, +)), .amperes(2 + drawn[2]), .amperes(2 + drawn[2])))
        most = max(most, world.offered(2) ?? 0)
      }
      return most
    }
    _ = pass(300)
    #expect((world.offered(0) ?? 0) >= 6 && (world.offered(1) ?? 0) >= 6)
    world.plugIn(2)
    #expect(pass(600) < 6, "the test needs a vehicle that waits")
    #expect(pass(1800) >= 6)
  }

  @Test func `a minimum that cannot be paused is renewed while its circuit is over, and does not end in more`() {
    var hub = World.feeder(20, stations: 1, baseWorst: 30, fallback: 10)
    hub.stations[0].traits.zero = .refused
    var world = World(hub)
    world.read(5)
    world.commission()
    world.plugIn(0)
    settle(&world, base: 5)
    settle(&world, base: 18, seconds: 4000)
    #expect(world.offered(0) == 6)
    #expect(world.mind.committed(0, at: world.monotonic, through: .minutes(10)).l1 == .amperes(6))
  }
}
