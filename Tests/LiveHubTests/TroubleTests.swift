import CFaultyVFS
import Control
import Journal
import LiveHub
import Quantities
import Site
import Testing

@testable import LiveHub

/// What a live hub does when its site file changes, its disk fails, or a station comes twice.
@Suite(.serialized) struct `A live hub in trouble` {
  @Test func `stations that a new site file adds may come, those it removes or plans must go, the others are not disturbed`() throws
  {
    let world = try HubWorld(HubWorld.site(stations: [("one", "installed"), ("two", "installed"), ("three", "installed")]))
    let stations = try ["one", "two", "three"].map { try Talker(world, id: $0) }
    #expect(world.becomes { stations.allSatisfy(\.isConnected) })
    try world.hub.reload(
      HubWorld.plan(HubWorld.site(stations: [("one", "installed"), ("three", "planned"), ("four", "installed")])))
    #expect(world.becomes { !stations[1].isConnected && !stations[2].isConnected })
    #expect(stations[0].isConnected)
    let fourth = try Talker(world, id: "four")
    #expect(world.becomes { fourth.isConnected })
    stations[0].say("beat", "Heartbeat", "{}")
    #expect(world.becomes { stations[0].answer("beat") != nil })
    world.stop()
  }

  @Test func `a limit that a new site file lowers reaches a charging station, a refused file changes nothing`() throws {
    let world = try HubWorld(HubWorld.site())
    let station = try Talker(world)
    #expect(station.charge(world))
    #expect(world.becomes { world.hub.view().view.connectors[0].offered == .amperes(16) })
    _ = station.profiles()
    var wrong = try HubWorld.plan(HubWorld.site())
    wrong.site.hub.circuits[0].baseWorst = PerPhase(all: .amperes(60))
    #expect(throws: LiveHub.Flaw.self) { try world.hub.reload(wrong) }
    #expect(world.hub.view().view.connectors[0].offered == .amperes(16))
    try world.hub.reload(HubWorld.plan(HubWorld.site(cap: 30)))
    #expect(world.becomes { world.hub.view().view.connectors[0].offered.map { $0 <= .amperes(10) } ?? false })
    #expect(world.becomes { !station.profiles().isEmpty })
    world.stop()
  }

  @Test func `it ends with thousands of events waiting, and keeps all of them and nothing that comes later`() throws {
    let world = try HubWorld(HubWorld.site())
    let station = try Talker(world)
    #expect(station.charge(world))
    let hub = world.hub
    let waiting = 3000
    let before = hub.loop.sync { () -> UInt64 in
      // It has just said something, and rests until that is written: as much as this comes meanwhile.
      hub.hasSpoken = true
      for _ in 0..<waiting { hub.think(.station(0, .status(connector: 1, .charging, error: nil))) }
      hub.isStopping = true  // as `stop` begins, which comes from another thread
      return hub.driver.stamp.sequence
    }
    station.say("late", "StatusNotification", #"{"connectorId":1,"errorCode":"NoError","status":"Finishing"}"#)
    let left = hub.loop.sync { hub.waiting.count }
    #expect(left > 0)
    world.stop()
    #expect(hub.waiting.isEmpty)
    #expect(hub.driver.stamp.sequence >= before + UInt64(left))
    #expect(hub.driver.isDurable)
    #expect(station.answer("late") == nil)
    let kept = try JournalReader(path: JournalStore.path(in: world.folder.path)).restore()
    #expect(kept?.stamp == hub.driver.stamp)
    #expect(kept?.controller.view(at: hub.driver.stamp).connectors[0].status == .charging)
    let again = try HubWorld(HubWorld.site(), folder: world.folder)
    again.stop()
  }

  @Test func `between two thoughts the loop is let go on, however many events wait`() throws {
    let world = try HubWorld(HubWorld.site())
    let hub = world.hub
    let waiting = 10_000
    let left = hub.loop.sync { () -> Int in
      for _ in 0..<waiting { hub.waiting.append(.clockStepped(by: .zero)) }
      hub.think(.clockStepped(by: .zero))
      return hub.waiting.count
    }
    #expect(left > 0)
    #expect(world.becomes { hub.loop.sync { hub.waiting.isEmpty } })
    world.stop()
  }

  @Test func `the newest connection of a station counts, and the end of the older one takes nothing from it`() throws {
    let world = try HubWorld(HubWorld.site())
    let first = try Talker(world)
    #expect(world.becomes { first.isConnected })
    let second = try Talker(world)
    #expect(world.becomes { second.isConnected && !first.isConnected })
    second.say("beat", "Heartbeat", "{}")
    #expect(world.becomes { second.answer("beat") != nil })
    #expect(world.hub.view().view.stations[0].connected)
    world.stop()
  }

  @Test func `with a disk that keeps nothing, it says so, raises nothing, and answers no transaction that it could not keep`()
    throws
  {
    let disk = try FaultyDisk()
    let world = try HubWorld(HubWorld.site(), vfs: disk.vfs)
    let station = try Talker(world)
    #expect(world.becomes { station.isConnected })
    station.say("boot", "BootNotification", #"{"chargePointVendor":"V","chargePointModel":"M"}"#)
    #expect(world.becomes { world.hub.view().view.stations[0].controlled })
    disk.arm(FAULTY_FULL)
    station.say("status", "StatusNotification", #"{"connectorId":1,"errorCode":"NoError","status":"Charging"}"#)
    station.say(
      "start", "StartTransaction", #"{"connectorId":1,"idTag":"tag","meterStart":0,"timestamp":"\#(station.now(world))"}"#)
    #expect(world.becomes { world.has("alarm", "store_failed") })
    station.say("beat", "Heartbeat", "{}")
    #expect(world.becomes { station.answer("beat") != nil })
    #expect(station.answer("start") == nil)
    #expect(world.hub.view().view.storeFailed)
    #expect(world.hub.view().view.connectors[0].offered.map { $0 <= .amperes(6) } ?? true)
    disk.arm(FAULTY_NONE)
    world.pass(.minutes(1))
    #expect(world.becomes { station.answer("start") != nil })
    #expect(world.becomes { world.hub.view().view.connectors[0].offered == .amperes(16) })
    world.stop()
  }

  @Test func `after a restart a running transaction is offered current again when its station is back`() throws {
    let world = try HubWorld(HubWorld.site())
    let station = try Talker(world)
    #expect(station.charge(world))
    let transaction = try #require(world.hub.view().view.connectors[0].transaction)
    world.stop()
    let again = try HubWorld(HubWorld.site(), folder: world.folder)
    #expect(again.hub.view().view.connectors[0].transaction == transaction)
    // Until it is heard: the fallback, or what it was offered before.
    #expect(again.hub.view().view.connectors[0].committed.l1 >= .amperes(6))
    let back = try Talker(again)
    #expect(again.becomes { back.isConnected })
    var profiles: [String] = []
    #expect(
      again.becomes {
        profiles += back.profiles()
        return profiles.contains { $0.contains("\"transactionId\":\(transaction)") }
      })
    again.stop()
  }
}

@Suite struct `Events that wait` {
  @Test func `what is read and set goes before what stations say, each in the order in which it came`() {
    var backlog = Backlog()
    var (set, said) = ([Int](), [Int]())
    for number in 0..<5000 {
      if number % 7 == 0 {
        backlog.append(.limitWithdrawn(id: "\(number)"))
        set.append(number)
      } else {
        backlog.append(.station(number, .connected))
        said.append(number)
      }
    }
    #expect(backlog.count == 5000)
    var seen: [Int] = []
    while let event = backlog.popFirst() {
      switch event {
      case .limitWithdrawn(let id): seen.append(Int(id) ?? -1)
      case .station(let number, _): seen.append(number)
      default: Issue.record("\(event)")
      }
    }
    #expect(seen == set + said)
    #expect(backlog.isEmpty)
  }
}
