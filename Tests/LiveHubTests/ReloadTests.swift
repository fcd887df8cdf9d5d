import Control
import LiveHub
import Loop
import Quantities
import Site
import Testing

@testable import LiveHub
@testable import ModbusLink

/// What is under way while another site file comes into force.
@Suite(.serialized) struct `Another site file` {
  private static let people = #"{ address: "127.0.0.1", port: 8080, for: ["people"], loopback_without_token: "operator" }"#
  private static let stations = [("one", "installed"), ("two", "installed")].map { (id: $0.0, state: $0.1) }

  @Test func `what the meters of the old file still report is not taken for that of the new one's`() throws {
    let world = try HubWorld(HubWorld.site(meter: true))
    let hub = world.hub
    func readings(reported generation: Int) -> Int {
      hub.loop.sync { () -> Int in
        let before = hub.counts.readings
        let reading = MeterReading(meter: 0, current: PerPhase(all: .amperes(5)))
        hub.heard([MeterReport(meter: 0, received: hub.monotonic, outcome: .reading(reading), words: [])], generation: generation)
        return hub.counts.readings - before
      }
    }
    let (first, old) = hub.loop.sync { (hub.meterGeneration, hub.meterLink) }
    #expect(readings(reported: first) == 1)
    // The same meters: their link goes on.
    try hub.reload(HubWorld.plan(HubWorld.site(meter: true, cap: 50)))
    #expect(hub.loop.sync { hub.meterLink === old } && readings(reported: first) == 1)
    var next = try HubWorld.plan(HubWorld.site(meter: true))
    next.site.hub.meters[0].unit = 2
    try hub.reload(next)
    #expect(hub.loop.sync { hub.meterLink != nil && hub.meterLink !== old })
    #expect(readings(reported: first) == 0 && readings(reported: first + 1) == 1)
    try hub.reload(HubWorld.plan(HubWorld.site()))
    #expect(hub.loop.sync { hub.meterLink == nil } && readings(reported: first + 1) == 0)
    world.stop()
  }

  @Test func `where its meters cannot be read nothing of it comes into force, and the meters before are read on`() throws {
    let world = try HubWorld(HubWorld.site(meter: true))
    let hub = world.hub
    let (generation, link) = hub.loop.sync { (hub.meterGeneration, hub.meterLink) }
    var next = try HubWorld.plan(HubWorld.site(meter: true, cap: 30))
    next.site.hub.meters[0].bus = .rtu(device: "/dev/null", baud: 19_200, parity: "X", stopBits: 1)
    let wrong = next
    #expect {
      try hub.reload(wrong)
    } throws: { error in
      if case .meters(_) = error as? LiveHub.Flaw { true } else { false }
    }
    #expect(!world.has("reconfigured"))
    #expect(hub.loop.sync { hub.plan.site.hub == hub.driver.controller.hub && hub.plan.site.hub != wrong.site.hub })
    #expect(hub.loop.sync { hub.meterLink === link && hub.meterGeneration == generation })
    world.stop()
  }

  @Test func `the mind goes by it as soon as it is in force, whatever has yet to leave`() throws {
    let world = try HubWorld(HubWorld.site(stations: Self.stations))
    let hub = world.hub
    let next = try HubWorld.plan(HubWorld.site(stations: Self.stations.reversed()))
    let isSeen = hub.loop.sync { () -> Bool in
      // It has just said something, and rests until that is written.
      hub.hasSpoken = true
      hub.think(.clockStepped(by: .zero))
      return (try? hub.reload(next)) != nil && hub.driver.controller.hub == next.site.hub
    }
    #expect(isSeen)
    world.stop()
  }

  @Test func `an order that was made from a picture of the old one is refused, and the next is of the new one`() throws {
    let world = try HubWorld(HubWorld.site(stations: Self.stations, listen: Self.people))
    let desk = try #require(world.hub.desk)
    let old = world.hub.loop.sync { [hub = world.hub] in hub.picture() }
    try world.hub.reload(HubWorld.plan(HubWorld.site(stations: Self.stations.reversed(), listen: Self.people)))
    #expect(desk.state.with { $0.picture?.picture.hub != old.hub })
    // As one that was on its way meanwhile, and fresh for long.
    desk.state.with { $0.picture = (old, MonotonicTime.now.advanced(by: .seconds(60))) }
    let line = "PUT /v1/connectors/one/1/priority", body = #"{"priority":7}"#
    let refused = try Wire.ask(world.window, line, body: body)
    #expect(refused.status == 409 && refused.body.contains("Another site file"), "\(refused)")
    #expect(try Wire.ask(world.window, line, body: body).status == 200)
    let picture = world.hub.loop.sync { [hub = world.hub] in hub.picture() }
    #expect(picture.hub.stations.map(\.id) == ["two", "one"])
    #expect(picture.ordered.map { $0.priority } == [nil, 7])
    world.stop()
  }
}
