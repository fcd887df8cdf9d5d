import ChargingProfiles
import Quantities
import Site
import Testing

@testable import Control

@Suite struct `What a commissioning run proved` {
  static let device = StationIdentity(vendor: "V", model: "M", serial: "1", firmware: "1.0")

  static func world(_ trust: FallbackTrust = .none) -> World {
    var hub = World.feeder(63, stations: 1)
    hub.stations[0].trust = trust
    var world = World(hub)
    boot(&world, device)
    return world
  }
  static func boot(_ world: inout World, _ device: StationIdentity) {
    world.say(.station(0, .connected))
    world.say(.station(0, .booted(device, RequestID(1))))
  }
  static func trust(_ world: World) -> FallbackTrust { world.mind.stations[0].trust }

  @Test func `is forgotten with another firmware or another device, and counts again when the device comes back`() {
    var other = Self.device, newer = Self.device
    (other.serial, newer.firmware) = ("2", "1.1")
    for changed in [other, newer] {
      var world = Self.world()
      world.say(.trust(station: 0, .proven))
      #expect(Self.trust(world) == .proven)
      Self.boot(&world, Self.device)
      #expect(Self.trust(world) == .proven)
      Self.boot(&world, changed)
      #expect(Self.trust(world) == .accepted)
      #expect(world.mind.commissionedTrust["s0"] == nil)
      Self.boot(&world, Self.device)
      #expect(Self.trust(world) == .proven)
      #expect(world.mind.commissionedTrust["s0"] == .proven)
    }
  }

  @Test func `survives a restart, and a site file that says the same as before`() {
    var world = Self.world()
    world.say(.trust(station: 0, .proven))
    world.say(.restarted(version: "test"))
    #expect(Self.trust(world) == .proven)
    world.say(.configured(world.hub, version: "test"))
    #expect(Self.trust(world) == .proven)
  }

  @Test func `is not outdone by a site file that claims more, and is taken back by one that claims less`() {
    var world = Self.world()
    world.say(.trust(station: 0, .accepted))
    var bold = world.hub
    bold.stations[0].trust = .proven
    world.say(.configured(bold, version: "test"))
    #expect(Self.trust(world) == .accepted)

    var proven = Self.world(.accepted)
    proven.say(.trust(station: 0, .proven))
    var humble = proven.hub
    humble.stations[0].trust = .none
    proven.say(.configured(humble, version: "test"))
    #expect(Self.trust(proven) == FallbackTrust.none)
    Self.boot(&proven, Self.device)
    #expect(Self.trust(proven) == FallbackTrust.none)
  }

  @Test func `does not count while it is being doubted, nor is the doubt kept over a restart`() {
    var world = Self.world()
    world.say(.trust(station: 0, .proven))
    world.say(.station(0, .disconnected))
    #expect(world.mind.committed(0, at: world.monotonic).l1 == .amperes(6))
    world.say(.order(.doubt(station: 0, true)))
    #expect(world.mind.committed(0, at: world.monotonic).l1 == .amperes(32))
    world.say(.restarted(version: "test"))
    #expect(world.mind.committed(0, at: world.monotonic).l1 == .amperes(6))
  }

  @Test func `a hold ends with the restart, and never lifts a station without a dead-man above its fallback`() {
    var hub = World.feeder(63, stations: 1)
    hub.stations[0].traits.deadMan = false
    var world = World(hub)
    world.say(.order(.hold(connector: 0, .amperes(16))))
    #expect(world.mind.connectors[0].hold == .amperes(16))
    world.say(.restarted(version: "test"))
    #expect(world.mind.connectors[0].hold == nil)
  }
}
