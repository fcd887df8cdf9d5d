import ChargingProfiles
import Control
import Dispatch
import Documents
import Glibc
import Journal
import LiveHub
import Loop
import Quantities
import Record
import Site
import Testing
import Window

@testable import LiveHub

/// What a live hub shows and takes at its window.
@Suite(.serialized) struct `A live hub's window` {
  private static let people = #"{ address: "127.0.0.1", port: 8080, for: ["people"], loopback_without_token: "operator" }"#

  private func ask(_ port: UInt16, _ line: String, body: String = "", _ fields: [String] = []) throws -> (status: Int, body: String)
  {
    try Wire.ask(port, line, body: body, fields)
  }

  @Test func `a limit over HTTP lowers a charging station, is answered once durable, and holds after a restart`() throws {
    let site = HubWorld.site(listen: Self.people)
    var world = try HubWorld(site)
    let station = try Talker(world)
    #expect(station.charge(world))
    #expect(world.becomes { world.hub.view().view.connectors[0].offered == .amperes(16) })
    _ = station.profiles()
    let put = try ask(world.window, "PUT /v1/limits/dso", body: #"{"limit_a":30,"source":"DSO"}"#)
    #expect(put.status == 200, "\(put.body)")
    #expect(world.becomes { !station.profiles().isEmpty })
    #expect(world.hub.view().view.connectors[0].offered.map { $0 <= .amperes(10) } ?? false)
    #expect(try ask(world.window, "GET /v1/circuits/connection").body.contains(#""limit_a":[30,30,30],"limit_source":"DSO""#))
    let folder = world.folder
    world.stop()
    world = try HubWorld(site, folder: folder)
    #expect(try ask(world.window, "GET /v1/limits/dso").body.contains(#""source":"DSO""#))
    #expect(world.hub.view().view.circuits[0].limit.smallest == .amperes(30))
    let withdrawn = try ask(world.window, "DELETE /v1/limits/dso")
    #expect(withdrawn.status == 200 && withdrawn.body.contains(#""id":"dso""#), "\(withdrawn.body)")
    #expect(world.hub.view().view.circuits[0].limit.smallest == .amperes(63))
    world.stop()
  }

  @Test func `a command comes back with what the station said, and the journal tells who gave it`() throws {
    let world = try HubWorld(HubWorld.site(listen: Self.people))
    let station = try Talker(world)
    #expect(station.charge(world))
    let unlock = try ask(world.window, "POST /v1/stations/one/commands", body: #"{"command":"clear_cache"}"#)
    #expect(unlock.status == 200 && unlock.body.contains(#""outcome":"accepted""#), "\(unlock.body)")
    let priority = try ask(world.window, "PUT /v1/connectors/one/1/priority", body: #"{"priority":7}"#)
    #expect(priority.body.contains(#""priority":100"#), "\(priority.body)")
    let events = try ask(world.window, "GET /v1/events?limit=1000").body
    #expect(events.contains(#""by":"this-machine (operator)""#))
    #expect(events.contains(#""type":"reply""#))
    station.leave()
    #expect(world.becomes { !world.hub.view().view.stations[0].connected })
    #expect(try ask(world.window, "POST /v1/stations/one/commands", body: #"{"command":"clear_cache"}"#).status == 409)
    world.stop()
  }

  @Test func `a station's secret reaches the station, and nobody who reads the journal`() throws {
    let world = try HubWorld(HubWorld.site(listen: Self.people))
    let station = try Talker(world)
    #expect(station.charge(world))
    let secret = "correct-horse-battery-staple"
    let done = try ask(
      world.window, "POST /v1/stations/one/commands",
      body: #"{"command":"change_configuration","key":"AuthorizationKey","value":"\#(secret)"}"#)
    #expect(done.status == 200 && done.body.contains(#""outcome":"accepted""#), "\(done.body)")
    #expect(station.heard.contains { $0.contains("ChangeConfiguration") && $0.contains(secret) })
    #expect(try !ask(world.window, "GET /v1/events?limit=1000").body.contains(secret))
    // What is no secret is there to be found.
    let plain = "nine-lives-of-a-cat"
    _ = try ask(
      world.window, "POST /v1/stations/one/commands", body: #"{"command":"change_configuration","key":"Motto","value":"\#(plain)"}"#
    )
    world.stop()
    var isFound = false
    func look(_ bytes: [UInt8], _ place: String) {
      let text = String(decoding: bytes, as: UTF8.self)
      isFound = isFound || text.contains(plain)
      #expect(!text.contains(secret), "\(place)")
    }
    // What lies there deflated, as it was before.
    let reader = try JournalReader(path: world.folder.path + "/journal.sqlite")
    try reader.batches(1...UInt64(Int.max)) { batch in
      look(batch.kept, "batch \(batch.first)")
      return true
    }
    look(try #require(try reader.snapshot()).state, "the snapshot")
    for name in ["journal.sqlite", "journal.sqlite-wal"] {
      guard let file = fopen(world.folder.path + "/" + name, "r") else { continue }
      defer { fclose(file) }
      fseek(file, 0, SEEK_END)
      var bytes = [UInt8](repeating: 0, count: ftell(file))
      rewind(file)
      fread(&bytes, 1, bytes.count, file)
      look(bytes, name)
    }
    #expect(isFound)
  }

  @Test func `a password's hash matches it alone, and is read again from what is printed`() throws {
    let hash = try #require(PasswordHash.made(of: "a key of a station"))
    let read = try #require(PasswordHash(hash.text))
    #expect(read == hash && read.matches("a key of a station") && !read.matches("a key of a statioN") && !read.matches(""))
    #expect(PasswordHash.made(of: "a key of a station")?.salt != hash.salt)
    // RFC 7914, section 11: PBKDF2-HMAC-SHA-256 of "Password" with the salt "NaCl".
    let known = try #require(
      PasswordHash(
        "pbkdf2$sha256$80000$4e61436c$4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56"
          + "a1d425a1225833549adb841b51c9b3176a272bdebba1d078478f62b397f33c8d"))
    #expect(known.matches("Password") && !known.matches("password"))
    for text in ["", "pbkdf2", "scrypt$16384$8$1$00$", "pbkdf2$sha1$80000$4e61436c$4ddcd8f60b98be21830cee5ef22701f9"] {
      #expect(PasswordHash(text) == nil, "\(text)")
    }
  }

  @Test func `a secret is opened once, and what is not known any more is not sent`() {
    var secrets = Secrets()
    let order = Order.station(3, .changeConfiguration(key: "AuthorizationKey", value: "0123456789abcdef"))
    guard case .station(3, let sealed) = secrets.seal(order) else {
      Issue.record("another order")
      return
    }
    #expect(sealed != .changeConfiguration(key: "AuthorizationKey", value: "0123456789abcdef"))
    #expect(secrets.open(sealed) == .changeConfiguration(key: "AuthorizationKey", value: "0123456789abcdef"))
    #expect(secrets.open(sealed) == nil)
    let plain = StationCommand.changeConfiguration(key: "HeartbeatInterval", value: "300")
    #expect(secrets.seal(.station(1, plain)) == .station(1, plain) && secrets.open(plain) == plain)
    for (key, isSecret) in [
      ("AuthorizationKey", true), ("WebPassword", true), ("GetConfigurationMaxKeys", false), ("MeterValueSampleInterval", false),
    ] {
      #expect(StationCommand.isSecret(configurationKey: key) == isSecret)
    }
    let told = StationEvent.outcome(
      CommandID(4),
      .configuration(
        [.init(key: "AuthorizationKey", readOnly: false, value: "x"), .init(key: "A", readOnly: true, value: "y")], unknown: []))
    #expect(
      Secrets.masked(told)
        == .outcome(
          CommandID(4),
          .configuration(
            [.init(key: "AuthorizationKey", readOnly: false, value: nil), .init(key: "A", readOnly: true, value: "y")], unknown: [])
        ))
  }

  @Test func `a site file that opens other doors is taken without them, and says so`() throws {
    let world = try HubWorld(HubWorld.site(listen: Self.people))
    let oscp =
      #"{ address: "127.0.0.1", port: 9999, for: ["people"] }], oscp: { group_id: "g", base_url: "http://h/oscp/2.0", token_file: "t", source: "p", fallback_a: 60 }, limits: ["#
    try world.hub.reload(HubWorld.plan(HubWorld.site(listen: oscp)))
    #expect(world.has("listeners_unchanged") && world.has("oscp_unchanged") && !world.has("limit_server_unchanged"))
    #expect(try ask(world.window, "GET /v1/site").status == 200)
    world.stop()
  }

  @Test func `while a sender is silent the report is of its fallback`() throws {
    let world = try HubWorld(HubWorld.site(listen: Self.people))
    let body = #"{"limit_a":50,"source":"DSO","heartbeat_s":20,"fallback":[{"limit_a":40}]}"#
    #expect(try ask(world.window, "PUT /v1/limits/dso", body: body).status == 200)
    world.pass(.seconds(25))
    world.setWall(by: .zero)  // has it look at its clock
    #expect(world.hub.view().view.circuits[0].limit.smallest == .amperes(40))
    world.pass(.seconds(10))
    #expect(try ask(world.window, "POST /v1/limits/heartbeat").status == 200)
    world.setWall(by: .zero)  // has it look at its clock
    world.pass(.seconds(10))
    #expect(try ask(world.window, "DELETE /v1/limits/dso").status == 200)
    world.stop()
    let folder = ReportFolder(state: world.folder.path)
    let reports = try folder.names().map { try folder.read($0).json }
    #expect(reports.count == 3, "\(reports)")
    #expect(reports.map { $0.contains(#""source":"DSO, silent""#) } == [false, true, false])
    #expect(reports.map { $0.contains(#""limit_a":[40,40,40]"#) } == [false, true, false])
  }

  @Test func `how well a station is reached is shown: its answers, how long it has been there, and lost connections`() throws {
    let world = try HubWorld(HubWorld.site(listen: Self.people))
    let link = { world.hub.loop.sync { [hub = world.hub] in hub.picture().links[0] } }
    #expect(link() == LinkQuality())
    let station = try Talker(world)
    #expect(station.charge(world))
    #expect(world.becomes { !link().answers.isEmpty })
    world.pass(.seconds(100))
    let held = link()
    #expect(held.connectedFor.map { $0 >= .seconds(100) && $0 < .seconds(120) } == true && held.lost == 0, "\(held)")
    #expect(
      held.heardAgo.map { $0 <= .seconds(120) } == true, "\(held)")
    let shown = try #require(try Document(json: try ask(world.window, "GET /v1/stations/one").body).root["link"])
    #expect(
      shown["connected_for_s"]?.number.map { $0.double >= 100 } == true && shown["lost_in_24_h"]?.integer == 0, "\(shown.source)")
    station.vanish()
    #expect(world.becomes { link().lost == 1 })
    #expect(link().connectedFor == nil)
    world.pass(.hours(25))
    #expect(link().lost == 0)
    world.stop()
  }

  @Test func `a report goes on where the controller was stopped, and says for how long nobody saw anything`() throws {
    let site = HubWorld.site(meter: true, listen: Self.people)
    var world = try HubWorld(site)
    func reads(_ amperes: Int) {
      world.hub.loop.sync { [hub = world.hub] in
        hub.think(.reading(MeterReading(meter: 0, current: PerPhase(all: .amperes(amperes)))))
      }
    }
    let began = world.time.clock.utc()
    #expect(try ask(world.window, "PUT /v1/limits/dso", body: #"{"limit_a":30,"source":"DSO"}"#).status == 200)
    reads(40)
    world.pass(.seconds(10))
    reads(25)
    let folder = world.folder
    world.stop()
    // The clock of the next controller has gone on for two minutes.
    world = try HubWorld(site, folder: folder)
    world.pass(.seconds(120))
    reads(26)
    world.pass(.seconds(10))
    reads(27)
    #expect(try ask(world.window, "DELETE /v1/limits/dso").status == 200)
    world.stop()
    let reports = try ReportFolder(state: folder.path).names().map { try ReportFolder(state: folder.path).read($0).json }
    #expect(reports.count == 1, "\(reports)")
    let report = try Document(json: try #require(reports.first)).root
    #expect(report["resumed"]?.bool == false)
    let text = report["received"]?.string ?? ""
    #expect(Timestamp(text).map { abs($0.milliseconds - began.milliseconds) < 5000 } ?? false, "\(text) and \(began)")
    #expect((9...13).contains(report["met_s"]?.number?.double ?? 0), "the reading of the first controller")
    #expect(report["largest_excess_a"]?.number?.double == 10)
    #expect(report["samples"]?.number?.double == 4)
    #expect((100...125).contains(report["unseen_s"]?.number?.double ?? 0), "\(reports)")
  }

  @Test func `each request has the status that fits it`() throws {
    let world = try HubWorld(HubWorld.site(listen: Self.people))
    for (line, body, status) in [
      ("GET /v1/site", "", 200), ("GET /v1/site?x=%zz", "", 400), ("GET /v1/nothing", "", 404), ("POST /v1/site", "{}", 405),
      ("PUT /v1/limits/x", "", 400), ("PUT /v1/limits/x", "{", 400), ("PUT /v1/limits/x", "{}", 422),
      ("PUT /v1/limits/x%20y", #"{"limit_a":9}"#, 422),
      ("DELETE /v1/limits/x", "", 404), ("GET /v1/transactions/99", "", 404), ("GET /v1/events?after=5-9", "", 422),
      ("PUT /v1/connectors/one/7/priority", #"{"priority":1}"#, 404), ("GET /v1/plan", "", 200), ("GET /v1/configuration", "", 200),
      ("GET /openapi.json", "", 200), ("GET /metrics", "", 200), ("GET /healthz", "", 200), ("GET /readyz", "", 200),
      ("GET /", "", 200),
      ("HEAD /v1/site", "", 200),
    ] {
      let answer = try ask(world.window, line, body: body)
      #expect(answer.status == status, "\(line) \(body): \(answer)")
    }
    world.stop()
  }

  private static var onePort: String {
    HubWorld.site().split(separator: "{ address: \"127.0.0.1\", port: 8887 }", maxSplits: 1).joined(
      separator: #"{ address: "127.0.0.1", port: 8887, for: ["stations", "people"], loopback_without_token: "viewer" }"#)
  }

  @Test func `stations and people share one port where the site file says so`() throws {
    let world = try HubWorld(Self.onePort)
    let station = try Talker(world)
    #expect(station.charge(world))
    let site = try ask(world.port, "GET /v1/site")
    #expect(site.status == 200 && site.body.contains(#""id_tag":"ta**""#), "\(site.body)")
    #expect(try ask(world.port, "PUT /v1/limits/x", body: #"{"limit_a":9}"#).status == 403)
    let follower = try Wire(port: world.port)
    follower.write("GET /v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
    #expect(follower.read { $0.contains("retry: ") }.hasPrefix("HTTP/1.1 200 "))
    station.say("beat", "StatusNotification", #"{"connectorId":1,"errorCode":"NoError","status":"SuspendedEV"}"#)
    #expect(follower.read { $0.contains("SuspendedEV") }.contains(#""type":"status""#))
    world.stop()
  }

  @Test func `however long somebody reads the newest entries, the guard goes on, and whoever follows at its port is told`() throws {
    let world = try HubWorld(Self.onePort)
    let desk = try #require(world.hub.desk)
    let station = try Talker(world)
    #expect(station.charge(world))
    let follower = try Wire(port: world.port)
    follower.write("GET /v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
    #expect(follower.read { $0.contains("retry: ") }.hasPrefix("HTTP/1.1 200 "))
    #expect(world.becomes { desk.streams.with { !$0.isEmpty } })
    let held = Latch(), release = Latch()
    desk.reading.async {
      desk.entries.with { _ in
        held.open()
        release.wait()
      }
    }
    held.wait()
    station.say("status", "StatusNotification", #"{"connectorId":1,"errorCode":"NoError","status":"SuspendedEV"}"#)
    #expect(world.becomes { station.answer("status") != nil })
    // By then those who follow are about to be told.
    let later = Latch()
    world.hub.loop.after(.milliseconds(200)) { later.open() }
    #expect(later.wait(patience: .seconds(10)))
    station.say("beat", "Heartbeat", "{}")
    #expect(world.becomes { station.answer("beat") != nil })
    release.open()
    #expect(follower.read { $0.contains("SuspendedEV") }.contains(#""type":"status""#))
    world.stop()
  }

  @Test func `what a capacity provider says is kept where it changes something, and not with each heartbeat`() throws {
    let folder = try `A live hub`.Folder()
    let first = "token-A-of-sixteen", file = folder.path + "/capacity-provider", kept = folder.path + "/oscp.json"
    try StateFile.replace(file, with: Array(first.utf8))
    defer { for path in [file, kept] { unlink(path) } }
    let url = "http://127.0.0.1:1/oscp/2.0"
    let oscp = #"{ group_id: "g", base_url: "\#(url)", token_file: "\#(file)", source: "p", fallback_a: 60 }"#
    let listen = #"{ address: "127.0.0.1", port: 9999, for: ["grid-operator"] }], oscp: \#(oscp), limits: ["#
    let world = try HubWorld(HubWorld.site(listen: listen), folder: folder)
    func post(_ path: String, _ token: String, _ body: String) throws -> Int {
      let fields = ["Authorization: Token \(token)", "X-Request-ID: 1"]
      return try ask(world.window, "POST /oscp/2.0/\(path)", body: body, fields).status
    }
    func place() -> UInt {
      var status = stat()
      return stat(kept, &status) == 0 ? UInt(status.st_ino) : 0
    }
    func handshake(_ seconds: Int) -> String { #"{"required_behaviour":{"heartbeat_interval":\#(seconds)}}"# }
    let register = #"{"token":"B","version_url":[{"version":"2.0","base_url":"\#(url)"}]}"#
    #expect(try post("register", first, register) == 204)
    let text = String(decoding: try #require(try StateFile.read(kept)), as: UTF8.self)
    let ours = try #require(try Document(json: text).root["ours"]?.string)
    #expect(try post("handshake", ours, handshake(30)) == 204)
    let before = place()
    #expect(before != 0)
    #expect(try post("heartbeat", ours, "{}") == 204)
    #expect(try post("handshake", ours, handshake(30)) == 204)
    #expect(place() == before)
    #expect(try post("handshake", ours, handshake(60)) == 204)
    #expect(place() != before)
    world.stop()
  }

  @Test func `an oscp.json that cannot be read is set aside, and the hub starts with the fallback of its site file`() throws {
    let folder = try `A live hub`.Folder()
    let file = folder.path + "/capacity-provider", kept = folder.path + "/oscp.json", aside = kept + ".unreadable"
    try StateFile.replace(file, with: Array("token-A-of-sixteen".utf8))
    try StateFile.replace(kept, with: Array(#"{"ours":"#.utf8))
    defer { for path in [file, kept, aside] { unlink(path) } }
    let oscp = #"{ group_id: "g", base_url: "http://h/oscp/2.0", token_file: "\#(file)", source: "p", fallback_a: 40 }"#
    let listen = #"{ address: "127.0.0.1", port: 9999, for: ["grid-operator"] }], oscp: \#(oscp), limits: ["#
    let world = try HubWorld(HubWorld.site(listen: listen), folder: folder)
    #expect(world.has("oscp_set_aside", aside))
    #expect(access(kept, F_OK) != 0 && access(aside, F_OK) == 0)
    #expect(world.becomes { world.hub.view().view.circuits[0].limit == PerPhase(all: .amperes(40)) })
    world.stop()
  }

  @Test func `a stream goes on where its client was, through an orderly restart`() throws {
    let site = HubWorld.site(listen: Self.people)
    var world = try HubWorld(site)
    let first = try Wire(port: world.window)
    first.write("GET /v1/stream?after=0-0 HTTP/1.1\r\nHost: localhost\r\n\r\n")
    var station = try Talker(world)
    #expect(station.charge(world))
    let heard = first.read { $0.contains("transaction_opened") }
    let before = cursors(heard)
    #expect(before.first == 1)
    let last = try #require(heard.split(separator: "\nid: ").last?.prefix { $0 != "\n" })
    world.stop()
    world = try HubWorld(site, folder: world.folder)
    station = try Talker(world)
    let second = try Wire(port: world.window)
    second.write("GET /v1/stream HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: \(last)\r\n\r\n")
    let after = cursors(second.read { $0.contains("\"connected\":true") })
    let all = before.filter { $0 <= UInt64(last.prefix { $0 != "-" }) ?? 0 } + after
    #expect(all == all.sorted() && Set(all).count == all.count, "\(all)")
    let everything = try ask(world.window, "GET /v1/events?after=0-0&limit=1000").body
    let known = everything.split(separator: #""sequence":"#).dropFirst().compactMap { UInt64($0.prefix { $0.isNumber }) }
    #expect(Set(known.filter { $0 <= all.last ?? 0 }) == Set(all))
    world.stop()
  }

  private func cursors(_ text: String) -> [UInt64] {
    text.split(separator: "\nid: ").dropFirst().compactMap { UInt64($0.prefix { $0.isNumber }) }
  }
}

@Suite struct `The newest entries` {
  @Test func `what nobody took in time is forgotten whole, so that what is left has no gap`() {
    let entries = NewestEntries(most: 4)
    func add(_ numbers: ClosedRange<UInt64>) {
      for number in numbers {
        let stamp = EventStamp(utc: Instant(milliseconds: 0), monotonic: Monotonic(milliseconds: 0), sequence: number)
        entries.add(Entry(stamp: stamp, event: .clockStepped(by: .zero), effects: []), coded: 8, durableThrough: 0)
      }
    }
    let audience = Audience(name: "somebody", role: .viewer)
    let feed = Feed(Hub(id: "", circuits: []), for: audience)
    add(1...3)
    #expect(entries.with { $0.oldest } == 1 && entries.with { $0.newest } == 3)
    add(4...9)
    #expect(entries.with { $0.oldest } == 8 && entries.with { $0.newest } == 9)
    #expect(entries.with { $0.portion(after: 3, count: 10, feed, audience, run: 1)?.through } == nil)
    add(10...11)
    #expect(entries.with { $0.portion(after: 7, count: 10, feed, audience, run: 1)?.through } == 11)
  }

  @Test func `large ones are kept by what they take, one at least, and what is not durable a little longer`() {
    func span(_ count: UInt64, coded: Int, durableThrough: UInt64) -> ClosedRange<UInt64>? {
      var ring = EntryRing(mostBytes: 20_000)
      for number in 1...count {
        let stamp = EventStamp(utc: Instant(milliseconds: 0), monotonic: Monotonic(milliseconds: 0), sequence: number)
        let entry = Entry(stamp: stamp, event: .clockStepped(by: .zero), effects: [])
        ring.add(entry, bytes: EntryRing.bytes(coded: coded), durableThrough: durableThrough)
      }
      guard let oldest = ring.oldest, let newest = ring.newest else { return nil }
      return oldest...newest
    }
    #expect(EntryRing.bytes(coded: 1000) == 5024)
    #expect(span(9, coded: 1000, durableThrough: 9) == 7...9)
    #expect(span(9, coded: 1000, durableThrough: 0) == 3...9)
    #expect(span(9, coded: 1 << 20, durableThrough: 9) == 9...9)
    let entries = NewestEntries(mostBytes: 20_000)
    for number: UInt64 in 1...9 {
      let stamp = EventStamp(utc: Instant(milliseconds: 0), monotonic: Monotonic(milliseconds: 0), sequence: number)
      entries.add(Entry(stamp: stamp, event: .clockStepped(by: .zero), effects: []), coded: 1000, durableThrough: 9)
    }
    #expect(entries.with { $0.newest } == 9 && entries.with { $0.oldest } == 7)
  }
}

/// A plain TCP client; reads wait at most ten seconds.
final class Wire {
  private let descriptor: Int32
  init(port: UInt16) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var patience = timeval(tv_sec: 10, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
    try #require(result == 0)
  }
  deinit { close(descriptor) }
  func write(_ text: String) {
    let bytes = Array(text.utf8)
    send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
  }
  /// One request on a connection of its own.
  static func ask(_ port: UInt16, _ line: String, body: String = "", _ fields: [String] = []) throws -> (status: Int, body: String)
  {
    let socket = try Wire(port: port)
    let length = body.isEmpty ? "" : "Content-Length: \(body.utf8.count)\r\n"
    socket.write("\(line) HTTP/1.1\r\nHost: localhost\r\n\(length)" + fields.map { $0 + "\r\n" }.joined() + "\r\n" + body)
    let text = socket.readToEnd()
    guard let status = text.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else { return (0, text) }
    let parts = text.split(separator: "\r\n\r\n", maxSplits: 1, omittingEmptySubsequences: false)
    return (status, parts.count > 1 ? String(parts[1]) : "")
  }
  func readToEnd() -> String { read { _ in false } }
  func read(until enough: (String) -> Bool) -> String {
    var all: [UInt8] = [], buffer = [UInt8](repeating: 0, count: 65536)
    while true {
      let got = recv(descriptor, &buffer, buffer.count, 0)
      guard got > 0 else { break }
      all += buffer.prefix(got)
      if enough(String(decoding: all, as: UTF8.self)) { break }
    }
    return String(decoding: all, as: UTF8.self)
  }
}
