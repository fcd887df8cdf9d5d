import ChargingProfiles
import Glibc
import LiveHub
import Loop
import Metering
import OCPP
import Quantities
import Site
import SiteFiles
import StationLink
import Testing

@Suite struct `A live hub` {
  /// One station with a password, one without, one that is only planned; password and salt of station `locked` are `secret` and 0x01.
  static let site = """
    {
      id: "small", name: "Small hub", time_zone: "UTC", supply: "3x230/400 V", nominal_voltage_v: 230, access: { accept: "any" },
      listen: [{ address: "127.0.0.1", port: 8887 }],
      connection: { id: "connection", limit_a: 63, base_worst_a: 0 },
      stations: [
        { id: "open", model: "ocpp-conformant", trust: "proven", circuit: "connection", connectors: [
          { number: 1, rotation: "RST", maximum_a: 16, fallback_a: 6 } ] },
        { id: "locked", model: "ocpp-conformant", trust: "proven", circuit: "connection",
          password_hash: "pbkdf2$sha256$1000$01$\(hash)", connectors: [
          { number: 1, rotation: "RST", maximum_a: 16, fallback_a: 6 } ] },
        { id: "later", model: "ocpp-conformant", state: "planned", circuit: "connection", connectors: [
          { number: 1, rotation: "RST", maximum_a: 16, fallback_a: 6 } ] },
      ],
    }
    """
  /// PBKDF2-HMAC-SHA256 of `secret` with the salt 0x01 and 1000 rounds, by Python's hashlib.
  static let hash = "7c8fcb142ba562ca0236ea18d9bdf1b6054fbc9c27ad6a0d60fdaac5c3c2a7d9"

  final class Folder {
    let path: String
    init() throws {
      var template = Array("/tmp/sluice-test-XXXXXX".utf8CString)
      try #require(mkdtemp(&template) != nil)
      path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
    deinit {
      for name in ["journal.sqlite", "journal.sqlite-wal", "journal.sqlite-shm", "lock", "tokens.json", "limit-key"] {
        unlink("\(path)/\(name)")
      }
      let reports = ReportFolder(state: path)
      for name in reports.names() { for ending in ["json", "sig"] { unlink("\(reports.path)/\(name).\(ending)") } }
      unlink("\(reports.path)/under-way")
      rmdir(reports.path)
      rmdir(path)
    }
  }

  func plan() throws -> LiveHub.Plan {
    var site = try SiteFile(text: Self.site, name: "small.json5", catalogue: ProfileFolder.locate().catalogue())
    site.listeners[0].port = 0
    return LiveHub.Plan(site: site, meterProfiles: [])
  }

  /// A station at the end of a wire that says one thing after the other and waits for each answer.
  final class Caller: Sendable {
    let events = Mailbox<StationClient.Event>()
    let client: StationClient
    init(_ loop: EventLoop, id: String, port: UInt16, password: String? = nil) throws {
      var endpoint = try StationClient.Endpoint(host: "127.0.0.1", port: port, path: "/ocpp/\(id)")
      if let password { (endpoint.user, endpoint.password) = (id, password) }
      let box = events
      client = StationClient(loop: loop, endpoint: endpoint) { box.post($0) }
      client.connect()
    }
    /// The first event that `wanted` makes something of, within 10 s.
    func wait<Value>(for wanted: (StationClient.Event) -> Value?) -> Value? {
      let end = MonotonicTime.now.advanced(by: .seconds(10))
      while MonotonicTime.now < end {
        for event in events.take(patience: .milliseconds(100)) ?? [] { if let value = wanted(event) { return value } }
      }
      return nil
    }
    /// The answer to a CALL with the message id `id`, as text.
    func ask(_ id: String, _ action: String, _ payload: String) -> String? {
      client.send(text: "[2,\"\(id)\",\"\(action)\",\(payload)]")
      return wait { event in
        guard case .received(let bytes) = event else { return nil }
        let text = String(decoding: bytes, as: UTF8.self)
        return text.hasPrefix("[3,\"\(id)\"") ? text : nil
      }
    }
    var isOpen: Bool { wait { if case .opened = $0 { true } else { nil } } ?? false }
    var refusal: Int? { wait { if case .closed(.refused(let status)) = $0 { status } else { nil } } }
  }

  @Test func `a transaction is still known after a restart on the same state`() throws {
    let folder = try Folder()
    let loop = try EventLoop()
    let first = try LiveHub(plan(), state: folder.path) { _ in }
    let caller = try Caller(loop, id: "open", port: try #require(first.start().first))
    #expect(caller.isOpen)
    #expect(
      caller.ask("a", "BootNotification", #"{"chargePointVendor":"V","chargePointModel":"M"}"#)?.contains("Accepted") == true)
    let start = #"{"connectorId":1,"idTag":"tag","meterStart":1000,"timestamp":"2026-01-01T00:00:00Z"}"#
    let answer = try #require(caller.ask("b", "StartTransaction", start))
    #expect(answer.contains("Accepted"))
    let transaction = try #require(first.view().view.connectors[0].transaction)
    #expect(answer.contains("\"transactionId\":\(transaction)"))
    first.stop()

    let second = try LiveHub(plan(), state: folder.path) { _ in }
    let port = try #require(second.start().first)
    #expect(second.view().view.connectors[0].transaction == transaction)
    let again = try Caller(loop, id: "open", port: port)
    #expect(again.isOpen)
    let stop = #"{"transactionId":\#(transaction),"meterStop":2000,"timestamp":"2026-01-01T01:00:00Z"}"#
    #expect(again.ask("c", "StopTransaction", stop) != nil)
    #expect(second.view().view.connectors[0].transaction == nil)
    second.stop()
    loop.stop()
  }

  @Test func `who is unknown, planned or without the password stays outside`() throws {
    let folder = try Folder()
    let loop = try EventLoop()
    let hub = try LiveHub(plan(), state: folder.path) { _ in }
    let port = try #require(hub.start().first)
    #expect(try Caller(loop, id: "nobody", port: port).refusal == 404)
    #expect(try Caller(loop, id: "later", port: port).refusal == 404)
    #expect(try Caller(loop, id: "locked", port: port).refusal == 401)
    #expect(try Caller(loop, id: "locked", port: port, password: "wrong").refusal == 401)
    #expect(try Caller(loop, id: "locked", port: port, password: "secret").isOpen)
    hub.stop()
    loop.stop()
  }

  @Test func `one state directory has one controller`() throws {
    let folder = try Folder()
    let first = try StateDirectory(path: folder.path)
    #expect(throws: StateDirectory.Flaw.inUse(path: folder.path)) { try StateDirectory(path: folder.path) }
    withExtendedLifetime(first) {}
  }

  @Test func `a hub does not go on in the journal of another, but under another name`() throws {
    let folder = try Folder()
    let first = try LiveHub(plan(), state: folder.path) { _ in }
    _ = try first.start()
    first.stop()
    var other = try plan()
    other.site.hub.id = "other"
    let renamed = other
    for s in other.site.hub.stations.indices { other.site.hub.stations[s].id += "-b" }
    #expect {
      try LiveHub(other, state: folder.path) { _ in }
    } throws: { error in
      if case .otherHub(_, kept: "small", named: "other") = error as? LiveHub.Flaw { true } else { false }
    }
    let second = try LiveHub(renamed, state: folder.path) { _ in }
    _ = try second.start()
    second.stop()
  }

  @Test func `a plan that does not hold is refused and the old one stays`() throws {
    let folder = try Folder()
    let hub = try LiveHub(plan(), state: folder.path) { _ in }
    _ = try hub.start()
    var wrong = try plan()
    wrong.site.hub.circuits[0].rating = PerPhase(all: .amperes(6))
    #expect(throws: LiveHub.Flaw.self) { try hub.reload(wrong) }
    #expect(hub.view().hub.circuits[0].rating.l1 == .amperes(63))
    var right = try plan()
    right.site.hub.circuits[0].rating = PerPhase(all: .amperes(50))
    try hub.reload(right)
    #expect(hub.view().hub.circuits[0].rating.l1 == .amperes(50))
    hub.stop()
  }
}
