import CFaultyVFS
import Glibc
import LiveHub
import Loop
import Quantities
import Site
import SiteFiles
import StationLink
import Testing
import Threads

@testable import LiveHub

/// Clocks that a test moves: they run as the machine's do, and jump when told.
final class TestClock: Sendable {
  private let shifts = Locked((wall: 0, monotonic: 0))

  /// Time passes that no timer has noticed.
  func pass(_ span: TimeSpan) { shifts.with { $0.monotonic += span.milliseconds } }
  /// Somebody sets the wall clock.
  func setWall(by step: TimeSpan) { shifts.with { $0.wall += step.milliseconds } }

  var clock: HubClock {
    let (shifts, system) = (shifts, HubClock.system)
    return HubClock(
      utc: { system.utc() + shifts.with { TimeSpan(milliseconds: $0.wall + $0.monotonic) } },
      monotonic: { system.monotonic() + shifts.with { TimeSpan(milliseconds: $0.monotonic) } })
  }
}

/// A hub on a port and a state directory of its own, with what it logs, on a clock that the test moves.
final class HubWorld {
  let folder: `A live hub`.Folder
  let time = TestClock()
  let hub: LiveHub
  let port: UInt16
  /// Of the listener for people, if the site has one.
  let window: UInt16
  let loop: EventLoop
  private let lines = Locked<[LogLine]>([])
  let talkers = Locked<[Talker]>([])

  init(_ text: String, folder: `A live hub`.Folder? = nil, vfs: String? = nil) throws {
    self.folder = try folder ?? `A live hub`.Folder()
    loop = try EventLoop()
    let lines = lines
    hub = try LiveHub(Self.plan(text), state: self.folder.path, clock: time.clock, vfs: vfs) { line in
      lines.with { $0.append(line) }
    }
    let ports = try hub.start()
    (port, window) = (try #require(ports.first), ports.last ?? 0)
  }

  /// A meter whose bus is a port where nobody listens; readings come from the test.
  static func plan(_ text: String) throws -> LiveHub.Plan {
    let profiles = try ProfileFolder.locate()
    var site = try SiteFile(text: text, name: "test.json5", catalogue: profiles.catalogue())
    for i in site.listeners.indices { site.listeners[i].port = 0 }
    return LiveHub.Plan(site: site, meterProfiles: try site.hub.meters.map { try profiles.meter(named: $0.profile) })
  }

  func stop() {
    hub.stop()
    for talker in talkers.with({ $0 }) { talker.vanish() }  // nothing may be left on a loop that stops
    loop.stop()
  }

  func pass(_ span: TimeSpan) {
    time.pass(span)
    hub.loop.sync { [hub] in hub.wake() }
  }
  func setWall(by step: TimeSpan) {
    time.setWall(by: step)
    hub.loop.sync { [hub] in hub.checkClock() }
  }
  func has(_ what: String, _ value: String = "") -> Bool {
    lines.with { $0.contains { line in line.what == what && (value.isEmpty || line.details.contains { $0.value == value }) } }
  }
  /// Whether that becomes true within 10 s.
  func becomes(_ isSo: () -> Bool) -> Bool {
    let end = MonotonicTime.now.advanced(by: .seconds(10))
    while MonotonicTime.now < end {
      if isSo() { return true }
      usleep(5000)
    }
    return isSo()
  }

  static func site(
    stations: [(id: String, state: String)] = [("one", "installed")], meter: Bool = false, cap: Int = 63, listen: String = ""
  )
    -> String
  {
    let list = stations.map { station in
      """
      { id: "\(station.id)", model: "ocpp-conformant", state: "\(station.state)", trust: "proven", circuit: "connection", connectors: [
        { number: 1, rotation: "RST", maximum_a: 16, fallback_a: 6 } ] },
      """
    }
    let meters = #"meters: [{ id: "grid", profile: "eastron-sdm630", tcp: "127.0.0.1:1", unit: 1, period_s: 1 }],"#
    return """
      {
        id: "world", name: "World", time_zone: "UTC", supply: "3x230/400 V", nominal_voltage_v: 230, access: { accept: "any" },
        listen: [{ address: "127.0.0.1", port: 8887 }, \(listen)], \(meter ? meters : "")
        connection: { id: "connection", limit_a: 63, manual_cap_a: \(cap), base_worst_a: 20 \(meter ? ", meter: { id: \"grid\", phases: \"RST\" }" : "") },
        stations: [ \(list.joined()) ],
      }
      """
  }
}

/// A station that accepts all it is asked, and keeps the profiles it is given.
final class Talker: Sendable {
  private let inbox = Mailbox<StationClient.Event>()
  private let answers = Locked<[String]>([])
  private let given = Locked<[String]>([])
  private let calls = Locked<[String]>([])
  private let client: Locked<StationClient?>
  private let isUp = Locked(false)

  init(_ world: HubWorld, id: String = "one") throws {
    let endpoint = try StationClient.Endpoint(host: "127.0.0.1", port: world.port, path: "/ocpp/\(id)")
    let (answers, given, calls, isUp) = (answers, given, calls, isUp)
    client = Locked(nil)
    let box = client
    let made = StationClient(loop: world.loop, endpoint: endpoint) { event in
      switch event {
      case .opened: isUp.with { $0 = true }
      case .closed: isUp.with { $0 = false }
      case .received(let bytes):
        let text = String(decoding: bytes, as: UTF8.self)
        let words = text.split(separator: "\"", omittingEmptySubsequences: false).map(String.init)
        guard text.hasPrefix("[2"), words.count > 3 else { return answers.with { $0.append(text) } }
        calls.with { $0.append(text) }
        let status =
          switch words[3] {
          case "GetConfiguration": "{\"configurationKey\":[]}"
          case "GetCompositeSchedule": "{\"status\":\"Rejected\"}"
          default: "{\"status\":\"Accepted\"}"
          }
        if words[3] == "SetChargingProfile" { given.with { $0.append(text) } }
        box.with { $0?.send(text: "[3,\"\(words[1])\",\(status)]") }
      }
    }
    client.with { $0 = made }
    world.talkers.with { $0.append(self) }
    made.connect()
  }

  var isConnected: Bool { isUp.with { $0 } }
  /// All that it was asked.
  var heard: [String] { calls.with { $0 } }
  /// Profiles of a transaction that came since the last call.
  func profiles() -> [String] {
    given.with { given in
      defer { given = [] }
      return given.filter { $0.contains("TxProfile") }
    }
  }
  func say(_ id: String, _ action: String, _ payload: String) {
    client.with { $0?.send(text: "[2,\"\(id)\",\"\(action)\",\(payload)]") }
  }
  func answer(_ id: String) -> String? { answers.with { $0.first { $0.hasPrefix("[3,\"\(id)\"") } } }
  func leave() { client.with { $0?.close() } }
  /// Cuts its connection and lets go of it.
  func vanish() {
    client.with { client in
      client?.abort()
      client = nil
    }
  }

  /// Connects, boots, is commissioned and starts a transaction.
  func charge(_ world: HubWorld) -> Bool {
    guard world.becomes({ self.isConnected }) else { return false }
    say("boot", "BootNotification", #"{"chargePointVendor":"V","chargePointModel":"M"}"#)
    guard world.becomes({ world.hub.view().view.stations[0].controlled }) else { return false }
    say("status", "StatusNotification", #"{"connectorId":1,"errorCode":"NoError","status":"Charging"}"#)
    say("start", "StartTransaction", #"{"connectorId":1,"idTag":"tag","meterStart":0,"timestamp":"\#(now(world))"}"#)
    return world.becomes { self.answer("start") != nil }
  }
  func now(_ world: HubWorld, less span: TimeSpan = .zero) -> String {
    String(LogLine("", at: world.hub.clock.utc() - span, [:]).description.split(separator: " ")[0].dropFirst(5))
  }
}

/// A disk of the test's own that misbehaves when told to.
final class FaultyDisk {
  private let disk: OpaquePointer
  init() throws { disk = try #require(faulty_disk_make()) }
  var vfs: String { String(cString: faulty_disk_name(disk)) }
  /// - Parameter kind: one of `FAULTY_...`, from the `after`-th write on.
  func arm(_ kind: Int, after writes: Int = 0) { faulty_disk_arm(disk, Int32(kind), writes) }
}
