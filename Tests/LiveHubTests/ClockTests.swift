import LiveHub
import Quantities
import Site
import Testing

@testable import LiveHub

/// What a live hub makes of time (rules 13, 14, 17).
@Suite struct `A live hub's clock` {
  @Test(arguments: [TimeSpan.minutes(60), .zero - .minutes(60), .seconds(5), .zero - .seconds(5)])
  func `a wall clock that is set is an event, and every profile is written anew in the new time`(step: TimeSpan) throws {
    let world = try HubWorld(HubWorld.site())
    let station = try Talker(world)
    #expect(station.charge(world))
    #expect(world.becomes { !station.profiles().isEmpty })
    world.setWall(by: step)
    #expect(world.has("clock_stepped"))
    // Whoever seems an hour ahead since is believed to be so as long as what was heard before counts: five minutes.
    // And no station is sent more than a profile in ten seconds where nothing has to be lowered.
    world.pass(step < .zero ? .minutes(6) : .seconds(11))
    // The station hears the new time and says so.
    station.say("again", "Heartbeat", "{}")
    station.say(
      "live", "StatusNotification",
      #"{"connectorId":1,"errorCode":"NoError","status":"Charging","timestamp":"\#(station.now(world))"}"#)
    // A profile begins a little in the past, which may be the hour before.
    let hours = Set([.zero, .minutes(2)].map { station.now(world, less: $0).prefix(13) })
    var anew: [String] = []
    #expect(
      world.becomes {
        anew += station.profiles()
        return anew.contains { profile in
          hours.contains { profile.contains("startSchedule\":\"\($0)") }
            || profile.contains("startSchedule") && step.magnitude < .minutes(1)
        }
      }, "no profile in the hours \(hours): \(anew)")
    world.stop()
  }

  @Test func `a limit that holds goes on holding when the hub comes up with a clock that is hours behind`() throws {
    let first = try HubWorld(HubWorld.site())
    first.setWall(by: .hours(2))
    let hub = first.hub
    hub.loop.sync {
      let blocks = [LimitSeries.Block(from: hub.utc, until: nil, amount: .current(PerPhase(all: .amperes(40))))]
      hub.think(.order(.limit(LimitSeries(id: "dso", source: "DSO", owner: "o", circuit: 0, blocks: blocks))))
    }
    #expect(first.hub.view().view.circuits[0].limit == PerPhase(all: .amperes(40)))
    first.stop()
    let second = try HubWorld(HubWorld.site(), folder: first.folder)
    #expect(second.hub.view().view.circuits[0].limit == PerPhase(all: .amperes(40)))
    #expect(second.has("clock_stepped"))
    second.stop()
  }

  @Test(arguments: [TimeSpan.days(30), .zero - .days(30)])
  func `limits by the clock on the wall are worked out anew as soon as that is set`(step: TimeSpan) throws {
    let always = #"calendar: [{ id: "day", source: "contract", limit_a: 45, from: "00:00", until: "24:00" }], connection:"#
    let world = try HubWorld(HubWorld.site().replacing("connection:", with: always))
    #expect(world.hub.view().view.circuits[0].limit == PerPhase(all: .amperes(45)))
    world.setWall(by: step)
    #expect(world.hub.view().view.circuits[0].limit == PerPhase(all: .amperes(45)))
    world.stop()
  }

  @Test func `a clock that is slewed is followed without an event`() throws {
    let world = try HubWorld(HubWorld.site())
    for _ in 0..<20 { world.setWall(by: .milliseconds(900)) }
    #expect(!world.has("clock_stepped"))
    world.stop()
  }

  @Test func `a start alone proves no clock: reports stay until two weeks are recorded`() throws {
    let world = try HubWorld(HubWorld.site())
    let reports = ReportFolder(state: world.folder.path)
    try reports.write("20010101-old", json: "{}", signature: "00")
    let hub = world.hub
    hub.loop.sync { hub.thin() }
    #expect(world.becomes { world.has("thinning_put_off") })
    world.stop()
    #expect(reports.has("20010101-old"))
  }

  @Test func `of too many reports the oldest go, and those of the last month only where there are far too many`() throws {
    let folder = try `A live hub`.Folder(), reports = ReportFolder(state: folder.path)
    defer { withExtendedLifetime(folder) {} }
    for day in 11...29 { try reports.write("200101\(day)T000000-dso-0", json: "{}", signature: "00") }
    func days() -> [String] { reports.names().map { String($0.prefix(8).suffix(2)) } }
    reports.thin(before: "20010113", sparing: "20010120", most: 100, mostYoung: 200)
    #expect(days().first == "13" && days().count == 17)
    reports.thin(before: "20010101", sparing: "20010115", most: 5, mostYoung: 20)
    #expect(days().first == "15" && days().count == 15, "what is young is spared")
    reports.thin(before: nil, sparing: "20010120", most: 12, mostYoung: 20)
    #expect(days().first == "18" && days().count == 12)
    reports.thin(before: nil, sparing: nil, most: 5, mostYoung: 12)
    #expect(days().count == 12, "no clock is proven: all may be young")
    reports.thin(before: nil, sparing: nil, most: 5, mostYoung: 4)
    #expect(days() == ["26", "27", "28", "29"])
  }

  @Test func `a meter that says nothing for five periods counts as its worst`() throws {
    let world = try HubWorld(HubWorld.site(meter: true))
    let current = PerPhase<Current>(all: .amperes(3))
    let hub = world.hub
    hub.loop.sync { hub.think(.reading(MeterReading(meter: 0, current: current, registers: 1))) }
    #expect(world.hub.view().view.circuits[0].measured == current)
    #expect(world.hub.view().view.circuits[0].base == current)
    world.pass(.seconds(4))
    #expect(world.hub.view().view.circuits[0].measured == current)
    world.pass(.seconds(2))
    #expect(world.hub.view().view.circuits[0].measured == nil)
    #expect(world.hub.view().view.circuits[0].base == PerPhase(all: .amperes(20)))
    #expect(world.has("alarm", "meter_stale"))
    world.stop()
  }

  @Test func `an offer is refreshed at half of its time, and is over when it was not`() throws {
    let world = try HubWorld(HubWorld.site())
    let station = try Talker(world)
    #expect(station.charge(world))
    #expect(world.becomes { world.hub.view().view.connectors[0].offered == .amperes(16) })
    #expect(world.becomes { !station.profiles().isEmpty })
    let ends = try #require(world.hub.view().view.connectors[0].offerEnds)
    world.pass(.minutes(2))
    #expect(station.profiles().isEmpty)
    world.pass(.minutes(4))
    #expect(world.becomes { !station.profiles().isEmpty })
    #expect(world.becomes { world.hub.view().view.connectors[0].offerEnds.map { $0 > ends } ?? false })
    station.leave()
    #expect(world.becomes { !world.hub.view().view.stations[0].connected })
    world.pass(.minutes(12))
    let view = world.hub.view().view.connectors[0]
    #expect(view.offered == nil)
    #expect(view.committed == PerPhase(all: .amperes(6)))
    world.stop()
  }
}
