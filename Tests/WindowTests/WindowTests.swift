import Documents
import Loop
import Quantities
import Site
import Testing

@testable import Window

@Suite struct WindowTests {
  @Test func `a token lets its holder in, any other text nobody, and the file keeps the digest only`() throws {
    let token = Tokens.text(of: Array(0..<32))
    var tokens = Tokens([
      .init(name: "ann", role: .operator, digest: Tokens.digest(of: token), made: Instant(seconds: 1_800_000_000)),
      .init(name: "bob", role: .viewer, digest: Tokens.digest(of: "other"), made: Instant(seconds: 1_800_000_001)),
    ])
    #expect(tokens.holder(of: token)?.name == "ann")
    for wrong in ["", String(token.dropLast()), token + "0", token.uppercased(), "sluice_"] {
      #expect(tokens.holder(of: wrong) == nil)
    }
    #expect(!tokens.json.contains(token))
    #expect(try Tokens(json: tokens.json, name: "tokens.json") == tokens)
    tokens.holders.removeAll { $0.name == "ann" }
    #expect(tokens.holder(of: token) == nil)
    #expect(throws: DocumentErrors.self) {
      try Tokens(json: #"{"tokens":[{"name":"x","role":"king","sha256":"00","made":"2026-01-01T00:00:00Z"}]}"#, name: "t")
    }
  }

  @Test func `only those who answer for the hub see an id tag whole`() {
    for role in Role.allCases {
      let shown = Audience(name: "x", role: role).shown("DEADBEEF01")
      let isWhole = role == .operator || role == .administrator
      #expect((shown == "DEADBEEF01") == isWhole)
      if !isWhole { #expect(shown == "DE********") }
      #expect(Audience(name: "x", role: role).shown("A") != nil)
    }
  }

  @Test func `every endpoint is found by its path, another method is told which there are, another path is none`() throws {
    for endpoint in Endpoint.all {
      let path = endpoint.template.map { $0.hasPrefix("{") ? "x" : $0 }
      let (found, values) = try Endpoint.find(endpoint.method, path)
      #expect(found.operation == endpoint.operation)
      #expect(values.count == endpoint.template.count { $0.hasPrefix("{") })
    }
    let wrong = #expect(throws: Problem.self) { try Endpoint.find(.delete, ["v1", "site"]) }
    #expect(wrong?.status == 405 && wrong?.allowed == "GET")
    #expect(throws: Problem.self) { try Endpoint.find(.get, ["v2"]) }
  }

  @Test func `nothing under v1 is open to anybody, and a grid operator reaches nothing of stations and vehicles`() {
    for endpoint in Endpoint.all where endpoint.template.first == "v1" {
      #expect(endpoint.roles?.isEmpty == false, "\(endpoint.path)")
    }
    let open = Endpoint.all.filter { $0.roles?.contains(.gridOperator) ?? false }.map(\.operation)
    #expect(
      Set(open) == [
        .site, .circuits, .circuit, .history, .events, .stream, .limits, .limit, .reports, .report, .putLimit, .deleteLimit,
        .heartbeat,
      ])
    for endpoint in Endpoint.all where endpoint.method != .get {
      #expect(!(endpoint.roles?.contains(.viewer) ?? true), "a viewer changes nothing: \(endpoint.path)")
    }
  }

  @Test func `the OpenAPI document is JSON, has every endpoint, and refers to nothing that it lacks`() throws {
    let document = try Document(json: OpenAPI.json, name: "openapi.json")
    let paths = try #require(document.root["paths"])
    for endpoint in Endpoint.all {
      #expect(paths[endpoint.path]?[endpoint.method.rawValue.lowercased()] != nil, "\(endpoint.path)")
    }
    let known = Set((document.root["components"]?["schemas"]?.members).map { $0.map(\.key) } ?? [])
    let parts = OpenAPI.json.split(separator: "#/components/schemas/").dropFirst().map { $0.prefix { $0 != "\"" } }
    #expect(parts.count > 30)
    for part in parts { #expect(known.contains(String(part)), "\(part)") }
  }

  @Test func `a limit is read as one value or as blocks, in A per phase or in W`() throws {
    let now = Instant(seconds: 1_800_000_000)
    let one = try Bodies.limit(Array(#"{"limit_a":[16,20.5,32],"until":"2027-01-15T09:00:00Z"}"#.utf8), now: now)
    #expect(
      one.blocks == [
        .init(
          from: now, until: Instant(seconds: 1_800_003_600),
          amount: .current(PerPhase(.amperes(16), .milliamperes(20_500), .amperes(32))))
      ])
    let two = try Bodies.limit(
      Array(
        #"{"blocks":[{"limit_w":50000,"from":"2027-01-15T09:00:00Z","until":"2027-01-15T10:00:00Z"},{"limit_w":0,"from":"2027-01-15T10:00:00Z"}],"heartbeat_s":120,"fallback":[{"limit_a":6}],"needs_fresh_limit":true}"#
          .utf8), now: now)
    #expect(two.blocks.count == 2 && two.silence?.needsFreshLimit == true && two.silence?.after == .minutes(2))
  }

  @Test(arguments: [
    ("", 400), ("[]", 422), ("{}", 422), (#"{"limit_a":-1}"#, 422), (#"{"limit_a":6,"limit_w":7}"#, 422),
    (#"{"limit_a":[1,2]}"#, 422),
    (#"{"limit_a":6,"until":"2020-01-01T00:00:00Z"}"#, 422), (#"{"limit_a":6,"heartbeat_s":60}"#, 422),
    (#"{"limit_a":6,"heartbeat_s":60,"fallback":[{"limit_a":6,"until":"2028-01-01T00:00:00Z"}]}"#, 422),
    (#"{"limit_a":6,"limt":7}"#, 422), (#"{"limit_a":6,"afterwards":{"limit_a":7}}"#, 422), (#"{"limit_a":1e999}"#, 422),
    (#"{"limit_a":6,"limit_a":7}"#, 400), (#"{"blocks":[]}"#, 422),
    (#"{"blocks":[{"limit_a":6},{"limit_a":7}]}"#, 422),
  ]) func `a wrong limit is told with its place and what would be right`(body: String, status: Int) {
    let problem = #expect(throws: Problem.self) { try Bodies.limit(Array(body.utf8), now: Instant(seconds: 1_800_000_000)) }
    #expect(problem?.status == status, "\(body): \(String(describing: problem))")
    #expect(problem?.detail.contains("expected") == true)
  }

  @Test func `commands are read with what they need and nothing else`() throws {
    #expect(try Bodies.command(Array(#"{"command":"unlock","connector":2}"#.utf8)) == .unlock(connector: 2))
    #expect(try Bodies.command(Array(#"{"command":"remote_start","id_tag":"A"}"#.utf8)) == .remoteStart(connector: nil, idTag: "A"))
    for wrong in [
      #"{"command":"unlock"}"#, #"{"command":"explode"}"#, #"{"command":"reset","connector":1}"#,
      #"{"command":"remote_start","id_tag":"123456789012345678901"}"#, #"{"command":"set_profile"}"#,
    ] {
      #expect(throws: Problem.self) { try Bodies.command(Array(wrong.utf8)) }
    }
  }

  @Test func `a cursor reads back as it was given, and no other text is one`() {
    let cursor = Cursor(sequence: 1234, run: 77)
    #expect(Cursor(cursor.text) == cursor)
    for wrong in ["", "1", "-", "1-", "-1", "1-2-3", "a-1", "9223372036854775808-1", "5-9", " 1-1"] {
      #expect(Cursor(wrong) == nil, "\(wrong)")
    }
  }
}
