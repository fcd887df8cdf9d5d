import ChargingProfiles
import Quantities
import Site
import Testing

@testable import Control

/// Where hundreds speak at once, the mind thinks about what they say together.
@Suite struct GatheringTests {
  /// All plugged in, each drawing 9 A, beside a base load of 100 A.
  private func crowd(_ count: Int) -> World {
    var world = World(World.feeder(count * 9 + 200, stations: count))
    world.read(100)
    world.commission()
    for c in 0..<count { world.plugIn(c) }
    for _ in 0..<12 {
      world.pass(.seconds(5))
      for c in 0..<count { world.draw(c, Int(world.offered(c) ?? 6)) }
      world.read(100 + (0..<count).map { Int(world.offered($0) ?? 6) }.reduce(0, +))
    }
    return world
  }

  @Test func `a reading and a limit are acted on at once, however many have not been heard yet`() throws {
    var world = crowd(300)
    world.answers = false
    world.read(100 + 300 * 9 + 1000)
    let lowered = world.unanswered.count
    #expect(lowered == 300)
    for (id, station, _) in world.unanswered { world.say(.station(station, .outcome(id, .sent))) }
    let limit = Limit(id: "l", source: "test", circuit: 0, amount: .current(PerPhase(all: .amperes(2400))), from: world.utc)
    world.unanswered = []
    world.say(.limitSet(limit))
    #expect(!world.unanswered.isEmpty)
  }

  @Test func `what hundreds answer is thought about together, as soon as a thought would take`() throws {
    var world = crowd(300)
    world.answers = false
    world.read(100 + 300 * 9 + 1000)
    let before = world.log.count
    let committed = world.mind.view(at: EventStamp(utc: world.utc, monotonic: world.monotonic, sequence: 1 << 40)).circuits[0]
      .committed
    for (id, station, _) in world.unanswered {
      world.say(.station(station, .outcome(id, .sent)))
      world.say(.station(station, .outcome(id, .accepted)))
    }
    #expect(world.log.count == before)
    let deadline = try #require(world.mind.nextDeadline)
    #expect(deadline <= world.monotonic + .milliseconds(300 / 100))
    // What they said counts already.
    let stamp = EventStamp(utc: world.utc, monotonic: world.monotonic, sequence: 1 << 40)
    #expect(world.mind.view(at: stamp).circuits[0].committed.l1 <= committed.l1)
    #expect(world.mind.outdatedFacts(at: stamp).isEmpty)
    world.pass(.milliseconds(3))
    #expect(world.mind.nextDeadline.map { $0 > world.monotonic } ?? true)
  }

  @Test func `a refusal is thought about at once, and so is every word where there are few`() throws {
    var world = crowd(300)
    world.answers = false
    world.read(100 + 300 * 9 + 1000)
    let (id, station, _) = try #require(world.unanswered.first)
    world.say(.station(station, .outcome(id, .refused("Rejected"))))
    #expect(world.mind.connectors[station].retryAt != nil)
    #expect(world.mind.nextDeadline.map { $0 > world.monotonic + .milliseconds(3) } ?? true)
    var few = crowd(99)
    few.answers = false
    few.read(100 + 99 * 9 + 300)
    let (first, place, _) = try #require(few.unanswered.first)
    #expect(
      few.mind.gathers(
        .station(place, .outcome(first, .accepted)), at: EventStamp(utc: few.utc, monotonic: few.monotonic, sequence: 1 << 40))
        == false)
    #expect(place == 0)
  }
}
