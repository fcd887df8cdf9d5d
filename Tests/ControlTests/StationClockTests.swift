import ChargingProfiles
import Quantities
import Site
import Testing

@testable import Control

/// Rule 17: what becomes of offers when a clock is set.
@Suite struct StationClockTests {
  private func hub(_ kind: StationTraits.ProfileKind, fallback: Int) -> Hub {
    var hub = World.feeder(63, stations: 1, fallback: fallback)
    hub.stations[0].traits.profileKind = kind
    return hub
  }

  private func charging(_ hub: Hub) -> World {
    var world = World(hub)
    world.read(5)
    world.commission()
    world.plugIn(0)
    world.say(.station(0, .clock(offset: .zero)))
    for _ in 0..<24 {
      world.pass(.seconds(5))
      world.read(5)
    }
    return world
  }

  private func committed(_ world: World, after span: TimeSpan) -> Current {
    world.mind.committed(0, at: world.monotonic + span).l1
  }

  @Test func `a relative schedule whose station's clock is set is replaced by the fallback, and counts until that is followed`() {
    var world = charging(hub(.relative, fallback: 0))
    #expect(world.offered(0) == 32)
    world.answers = false
    world.say(.station(0, .clock(offset: .hours(-1))))
    world.say(.station(0, .clock(offset: .zero)))
    #expect(committed(world, after: .hours(1)) == .amperes(32), "it may hold the offer for an hour longer")
    #expect(world.offered(0) == 0, "it has to give back what it cannot be trusted to end")
    guard case .setProfile(_, let profile)? = world.unanswered.last?.2 else {
      Issue.record("no profile was sent")
      return
    }
    #expect(profile.schedule.periods.count == 1)
  }

  @Test func `an absolute offer counts as long as it may last when our own clock is set back`() {
    var world = charging(hub(.absolute, fallback: 6))
    #expect(world.offered(0) == 32)
    world.answers = false
    world.say(.station(0, .disconnected))
    world.say(.clockStepped(by: .hours(-1)))
    #expect(committed(world, after: .minutes(45)) == .amperes(32))
    #expect(committed(world, after: .minutes(75)) == .amperes(6))
  }

  @Test func `a station whose clock follows ours is not allowed for twice`() {
    var world = charging(hub(.absolute, fallback: 6))
    world.answers = false
    world.say(.clockStepped(by: .hours(-1)))
    world.say(.station(0, .clock(offset: .zero)))
    world.say(.station(0, .disconnected))
    #expect(committed(world, after: .minutes(45)) == .amperes(32))
    #expect(committed(world, after: .minutes(75)) == .amperes(6))
  }

  @Test(arguments: [true, false]) func `a station that takes W is offered enough to charge with at any voltage`(divides: Bool) {
    var hub = World.feeder(63, stations: 1, fallback: 0)
    (hub.stations[0].traits.rateUnit, hub.stations[0].traits.dividesWatts) = (.watts, divides)
    hub.circuits[0].baseWorst = PerPhase(all: .amperes(20))
    let world = charging(hub)
    let mind = world.mind
    let watts =
      RateConversion(traits: mind.traits(0), supply: .ac, phases: 3, voltage: hub.settings.lowestVoltage)
      .lowered(mind.minimum(0)).tenths / 10
    #expect(watts >= 6 * 3 * 253)
    #expect(Double(watts) <= 6.2 * 3 * 253)
    #expect(world.offered(0).map { $0 >= Double(watts) } ?? false)
  }

  @Test func `a station that counts from nobody knows where is told to draw nothing while somebody works at its circuit`() {
    var world = charging(hub(.relative, fallback: 10))
    world.say(.station(0, .clock(offset: .hours(-1))))
    world.say(.station(0, .clock(offset: .zero)))
    #expect(world.offered(0) == 10)
    world.say(.order(.maintenance(circuit: 0, true)))
    #expect(world.offered(0) == 0)
    #expect(committed(world, after: .minutes(5)) == .amperes(32), "nothing is counted on it")
    world.say(.order(.maintenance(circuit: 0, false)))
    world.pass(.minutes(1))
    #expect(world.offered(0) == 10)
  }
}
