import Quantities
import Site
import Testing

@testable import Control

/// Limits that somebody outside sets, and what holds when they end or their sender falls silent.
@Suite struct LimitSeriesTests {
  /// A feeder of 63 A at which one vehicle draws 26 A beside a house of 10 A.
  private func world() -> World {
    var world = World(World.feeder(63, stations: 1))
    world.read(10)
    world.commission()
    world.plugIn(0)
    settle(&world, seconds: 60)
    return world
  }
  private func settle(_ world: inout World, seconds: Int) {
    for _ in 0..<(seconds / 5) {
      world.pass(.seconds(5))
      let drawn = world.mind.connectors[0].transaction == nil ? 0 : min(26, Int(world.offered(0) ?? 6))
      world.read(10 + drawn)
      world.draw(0, drawn)
    }
  }
  private func series(
    _ world: World, _ id: String = "dso", owner: String = "grid", amperes: Int, from: TimeSpan = .zero, lasts: TimeSpan? = nil,
    silence: LimitSeries.Silence? = nil, relaxing: LimitSeries.Relaxing = .atOnce
  ) -> LimitSeries {
    LimitSeries(
      id: id, source: "DSO", owner: owner, circuit: 0,
      blocks: [
        .init(
          from: world.utc + from, until: lasts.map { world.utc + from + $0 }, amount: .current(PerPhase(all: .amperes(amperes))))
      ], silence: silence, relaxing: relaxing)
  }
  private func fallback(_ amperes: Int) -> [LimitSeries.Block] {
    [.init(from: Instant(seconds: 0), until: nil, amount: .current(PerPhase(all: .amperes(amperes))))]
  }
  private func ask(_ world: inout World, _ order: Order) -> Reply? {
    for case .answered(let reply) in world.say(.asked(Request(id: "r", by: "test", order: order))) { return reply }
    return nil
  }
  private func limit(_ world: World) -> Current {
    let stamp = EventStamp(utc: world.utc, monotonic: world.monotonic, sequence: 1 << 40)
    return world.mind.view(at: stamp).circuits[0].limit.smallest
  }

  @Test func `a limit lowers the vehicle with the event that sets it, and lets it up when it ends`() {
    var world = world()
    let before = world.log.count
    #expect(ask(&world, .limit(series(world, amperes: 24, lasts: .minutes(5))))?.refusal == nil)
    let lowered = world.log[before...].contains { entry in
      if case .command(_, _, .setProfile, .decrease) = entry.effect { entry.at == world.monotonic } else { false }
    }
    #expect(lowered)
    #expect((world.offered(0) ?? 99) <= 14)
    settle(&world, seconds: 280)
    #expect(limit(world) == .amperes(24))
    settle(&world, seconds: 120)
    #expect(limit(world) == .amperes(63))
    #expect((world.offered(0) ?? 0) > 20)
  }

  @Test func `the lowest of all limits holds, and each is there with its source until it is withdrawn`() {
    var world = world()
    _ = ask(&world, .limit(series(world, "a", amperes: 40)))
    _ = ask(&world, .limit(series(world, "b", owner: "other", amperes: 30)))
    #expect(limit(world) == .amperes(30))
    #expect(ask(&world, .withdrawLimit(id: "b", owner: "grid", .atOnce))?.refusal == .notYours)
    #expect(limit(world) == .amperes(30))
    let reply = ask(&world, .withdrawLimit(id: "b", owner: nil, .atOnce))
    #expect(reply?.refusal == nil)
    if case .limit(let old) = reply?.before { #expect(old.id == "b") } else { Issue.record("what was before is not told") }
    #expect(limit(world) == .amperes(40))
    #expect(ask(&world, .limit(series(world, "a", owner: "thief", amperes: 63)))?.refusal == .notYours)
  }

  @Test func `a sender that falls silent is replaced by its fallback, a heartbeat brings the limit back`() {
    var world = world()
    let silence = LimitSeries.Silence(after: .seconds(60), fallback: fallback(20))
    _ = ask(&world, .limit(series(world, amperes: 50, silence: silence)))
    for _ in 0..<4 {
      settle(&world, seconds: 50)
      _ = ask(&world, .heartbeat(owner: "grid"))
      #expect(limit(world) == .amperes(50))
    }
    world.pass(.seconds(59))
    #expect(limit(world) == .amperes(50))
    world.pass(.seconds(2))
    #expect(limit(world) == .amperes(20))
    #expect(
      world.mind.view(at: .init(utc: world.utc, monotonic: world.monotonic, sequence: 1 << 40)).alarms.contains(
        .senderSilent(circuit: 0)))
    _ = ask(&world, .heartbeat(owner: "grid"))
    #expect(limit(world) == .amperes(50))
    #expect(
      !world.mind.view(at: .init(utc: world.utc, monotonic: world.monotonic, sequence: 1 << 40)).alarms.contains(
        .senderSilent(circuit: 0)))
  }

  @Test(arguments: [-1, 1]) func `the fallback of a silent sender holds through a step of our clock`(hours: Int) {
    var world = world()
    let silence = LimitSeries.Silence(after: .seconds(60), fallback: fallback(20))
    _ = ask(&world, .limit(series(world, amperes: 50, silence: silence)))
    world.pass(.seconds(61))
    #expect(limit(world) == .amperes(20))
    world.utc = world.utc + .hours(hours)
    world.say(.clockStepped(by: .hours(hours)))
    #expect(limit(world) == .amperes(20), "the silence began as long ago as before")
  }

  @Test(arguments: [-2, 2])
  func `a limit that holds goes on holding when our clock is set, and one for a while as long as it would have`(hours: Int) {
    var world = world()
    world.say(
      .limitSet(Limit(id: "failsafe-0", source: "DSO", circuit: 0, amount: .current(PerPhase(all: .amperes(40))), from: world.utc)))
    _ = ask(&world, .limit(series(world, "open", amperes: 30)))
    var timed = series(world, "timed", amperes: 20, lasts: .minutes(60))
    timed.lasts = .minutes(60)
    _ = ask(&world, .limit(timed))
    world.pass(.minutes(10))
    world.utc = world.utc + .hours(hours)
    world.say(.clockStepped(by: .hours(hours)))
    #expect(limit(world) == .amperes(20))
    world.pass(.minutes(49))
    #expect(limit(world) == .amperes(20))
    world.pass(.minutes(2))
    #expect(limit(world) == .amperes(30), "an hour after it was set")
    _ = ask(&world, .withdrawLimit(id: "open", owner: nil, .atOnce))
    #expect(limit(world) == .amperes(40), "what was set without an end holds since then")
  }

  @Test(arguments: [false, true])
  func `an offer that would last beyond the beginning of a limit is shortened as soon as that is known`(
    journalFails: Bool
  ) throws {
    var world = world()
    settle(&world, seconds: 30)
    if journalFails { world.say(.storeFailed) }
    let before = try #require(world.mind.connectors[0].beliefs.last)
    let begins = TimeSpan.minutes(3)
    #expect(try #require(before.until) > world.monotonic + begins)
    _ = ask(&world, .limit(series(world, amperes: 15, from: begins)))
    settle(&world, seconds: 5)
    let after = try #require(world.mind.connectors[0].beliefs.last)
    #expect(after.current == before.current, "the limit does not hold yet")
    #expect(try #require(after.until) < world.monotonic + begins)
    let sent = world.log.count
    settle(&world, seconds: 40)
    let again = world.log[sent...].count { if case .command(_, _, .setProfile, _) = $0.effect { true } else { false } }
    #expect(again <= 1, "once is enough")
    // The station hears nothing more: it falls back by itself before the limit begins.
    world.say(.station(0, .disconnected))
    world.pass(begins - .seconds(45))
    let now = world.monotonic
    #expect(world.mind.committed(0, at: now).largest <= .amperes(6) + .amperes(9))
  }

  @Test func `where it is asked for, only a fresh limit ends the silence`() {
    var world = world()
    let silence = LimitSeries.Silence(after: .seconds(120), fallback: fallback(18), needsFreshLimit: true)
    _ = ask(&world, .limit(series(world, amperes: 50, silence: silence)))
    world.pass(.seconds(121))
    _ = ask(&world, .heartbeat(owner: "grid"))
    #expect(limit(world) == .amperes(18))
    _ = ask(&world, .limit(series(world, amperes: 45, silence: silence)))
    #expect(limit(world) == .amperes(45))
  }

  @Test func `the failsafe of a circuit holds until somebody sets limits, and again when that one is silent or gone`() {
    var world = world()
    world.say(
      .limitSet(
        Limit(id: "failsafe-feeder", source: "failsafe", circuit: 0, amount: .current(PerPhase(all: .amperes(25))), from: world.utc)
      ))
    #expect(limit(world) == .amperes(25))
    let silence = LimitSeries.Silence(after: .seconds(60), fallback: fallback(40))
    _ = ask(&world, .limit(series(world, amperes: 50, silence: silence)))
    #expect(limit(world) == .amperes(50))
    world.pass(.seconds(61))
    #expect(limit(world) == .amperes(25))
    _ = ask(&world, .heartbeat(owner: "grid"))
    #expect(limit(world) == .amperes(50))
    _ = ask(&world, .withdrawLimit(id: "dso", owner: nil, .atOnce))
    #expect(limit(world) == .amperes(25))
  }

  @Test func `what ends is held for its delay and let up in steps, and a new lower limit does not wait for that`() {
    var world = world()
    let relaxing = LimitSeries.Relaxing(delay: .seconds(30), ramp: .seconds(60))
    _ = ask(&world, .limit(series(world, amperes: 20, lasts: .minutes(2), relaxing: relaxing)))
    settle(&world, seconds: 120)
    world.pass(.seconds(25))
    #expect(limit(world) == .amperes(20))
    var last = limit(world), steps = 0
    for _ in 0..<70 {
      world.pass(.seconds(1))
      let now = limit(world)
      #expect(now >= last)
      if now > last { steps += 1 }
      last = now
    }
    #expect(last == .amperes(63))
    #expect(steps >= 4)
    _ = ask(&world, .limit(series(world, amperes: 20, relaxing: relaxing)))
    _ = ask(&world, .withdrawLimit(id: "dso", owner: nil, relaxing))
    #expect(limit(world) == .amperes(20))
    _ = ask(&world, .limit(series(world, "urgent", amperes: 12)))
    #expect(limit(world) == .amperes(12))
  }

  @Test func `a limit that is replaced every second leaves little to let up, and nothing is let up earlier for that`() {
    var world = world()
    let relaxing = LimitSeries.Relaxing(delay: .seconds(60), ramp: .seconds(120))
    for _ in 0..<150 {
      world.pass(.seconds(1))
      for id in ["a", "b"] {
        _ = ask(&world, .limit(series(world, id, amperes: 20, relaxing: relaxing)))
        _ = ask(&world, .limit(series(world, id, amperes: 40, relaxing: relaxing)))
      }
      #expect(world.mind.tails.count <= SiteController.mostTails)
      #expect(limit(world) == .amperes(20))
    }
    for second in 1...180 {
      world.pass(.seconds(1))
      // In steps of 15 s from 20 to 40 A, a minute after the last was replaced.
      let steps = max(0, second - 60) / 15
      #expect(limit(world) <= Current(milliamperes: 20_000 + 2500 * steps), "after \(second) s")
    }
    #expect(limit(world) == .amperes(40))
    #expect(world.mind.tails.isEmpty)
  }

  @Test(arguments: 0..<60) func `whatever is set, withdrawn and left silent, no moment has a bound above any limit in force`(
    seed: UInt64
  ) {
    var random = SystemSeeded(seed: seed)
    var world = World(World.feeder(63, stations: 1))
    world.read(10)
    var known: [String: LimitSeries] = [:]
    for _ in 0..<40 {
      let id = "l\(random.pick(0...3))"
      switch random.pick(0...3) {
      case 0, 1:
        let series = LimitSeries(
          id: id, source: id, owner: "o", circuit: 0,
          blocks: [
            .init(
              from: world.utc + .seconds(random.pick(-60...300)), until: world.utc + .seconds(random.pick(301...900)),
              amount: .current(PerPhase(all: .amperes(random.pick(6...80)))))
          ], relaxing: .init(delay: .seconds(random.pick(0...60)), ramp: .seconds(random.pick(0...120))))
        if ask(&world, .limit(series))?.refusal == nil { known[id] = series }
      case 2:
        if ask(&world, .withdrawLimit(id: id, owner: nil, .init(delay: .seconds(random.pick(0...30)), ramp: .zero)))?.refusal == nil
        {
          known[id] = nil
        }
      default: world.pass(.seconds(random.pick(1...120)))
      }
      let inForce = known.values.flatMap(\.blocks).filter { $0.holds(at: world.utc) }.compactMap { block -> Current? in
        if case .current(let current) = block.amount { current.smallest } else { nil }
      }
      let bound = limit(world)
      #expect(bound <= inForce.min() ?? .amperes(63), "seed \(seed)")
      #expect(bound <= .amperes(63), "seed \(seed)")
    }
  }

  @Test func `an order names what was before, and one about nothing is refused`() {
    var world = world()
    #expect(ask(&world, .priority(connector: 0, 7))?.before == .priority(connector: 0, 100))
    #expect(ask(&world, .priority(connector: 0, 9))?.before == .priority(connector: 0, 7))
    #expect(ask(&world, .priority(connector: 4, 9))?.refusal == .unknown)
    #expect(ask(&world, .need(connector: 0, SessionNeed(energy: .wattHours(9000))))?.refusal == nil)
    #expect(ask(&world, .station(0, .unlock(connector: 3)))?.refusal == .unknown)
    #expect(ask(&world, .station(0, .unlock(connector: 1)))?.command != nil)
    #expect(ask(&world, .station(0, .remoteStop(transaction: 999)))?.refusal == .noSession)
    #expect(ask(&world, .station(0, .clearProfiles(.init())))?.refusal == .notOrderable)
    world.say(.station(0, .disconnected))
    #expect(ask(&world, .station(0, .reset(hard: false)))?.refusal == .notConnected)
  }
}

/// SplitMix64, so that a failing seed can be tried again.
private struct SystemSeeded {
  private var state: UInt64
  init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1 }
  mutating func pick(_ range: ClosedRange<Int>) -> Int {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    z ^= z >> 31
    return range.lowerBound + Int(z % UInt64(range.count))
  }
}
