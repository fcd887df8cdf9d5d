import Quantities
import Site
import Testing

@testable import Control

/// Rule 21, the last step: a shunt trip.
@Suite struct TripTests {
  /// One vehicle that draws what it wants on a circuit of 20 A, whatever it is told.
  private func charging() -> World {
    var hub = World.feeder(20, stations: 1, baseWorst: 10)
    hub.circuits[0].shuntTrip = ShuntTrip(
      host: "h", port: 502, unit: 1, coil: 3, after: .seconds(30), pulse: .seconds(1))
    var world = World(hub)
    world.read(2)
    world.commission()
    world.plugIn(0)
    return world
  }
  private func stay(_ world: inout World, vehicle: Int, house: Int, seconds: Int) {
    for _ in 0..<seconds {
      world.pass(.seconds(1))
      world.draw(0, vehicle)
      world.read(PerPhase(all: .amperes(vehicle + house)))
    }
  }
  private func trips(_ world: World) -> [Monotonic] { world.log.compactMap { $0.effect == .trip(circuit: 0) ? $0.at : nil } }

  @Test func `a device is opened when vehicles keep it over its rating for as long as the site file says, and not before`() {
    var world = charging()
    let begin = world.monotonic
    stay(&world, vehicle: 22, house: 2, seconds: 29)
    #expect(trips(world).isEmpty)
    stay(&world, vehicle: 22, house: 2, seconds: 4)
    #expect(trips(world).count == 1)
    #expect(trips(world).first.map { $0 - begin >= .seconds(30) } ?? false)
    #expect(world.log.contains { $0.effect == .alarm(.tripped(circuit: 0), raised: true) })
  }

  @Test func `what the house draws alone opens nothing, nor does a limit that is no fuse`() {
    var world = charging()
    world.unplug(0)
    stay(&world, vehicle: 0, house: 25, seconds: 120)
    #expect(trips(world).isEmpty)
    world.plugIn(0)
    world.say(.order(.manualCap(circuit: 0, PerPhase(all: .amperes(8)))))
    stay(&world, vehicle: 10, house: 2, seconds: 120)
    #expect(trips(world).isEmpty)
  }

  @Test func `a switch that was not reached is tried again in ten seconds, one that was stays told until vehicles draw again`() {
    var world = charging()
    stay(&world, vehicle: 22, house: 2, seconds: 33)
    world.say(.tripped(circuit: 0, fault: "no connection"))
    stay(&world, vehicle: 22, house: 2, seconds: 12)
    #expect(trips(world).count == 2)
    world.say(.tripped(circuit: 0, fault: nil))
    stay(&world, vehicle: 0, house: 2, seconds: 300)
    #expect(trips(world).count == 2)
    #expect(world.mind.alarms.all.contains(.tripped(circuit: 0)))
    stay(&world, vehicle: 6, house: 2, seconds: 5)
    #expect(!world.mind.alarms.all.contains(.tripped(circuit: 0)))
  }
}
