import Documents
import Quantities
import Site
import Testing

@testable import SiteFiles

@Suite struct SiteFileTests {
  @Test func `a site file becomes a hub`() throws {
    let file = try site(
      siteText(
        feeder: "margin_a: 1.5, curve: {points: [{times: 1.2, for_s: 30}], beyond_s: 4}, failsafe_a: [10, 11, 12]",
        second: "conductors: 1, rotation: 'TRS', maximum_a: 32, fallback_a: 0, priority: 7",
        more: "limits: [{circuit: 'grid', limit_kw: 4.2, source: 'grid operator', from: '2026-11-22T06:00:00+01:00'}], "
          + "settings: {horizon_s: 300}, listen: [{port: 443, tls: {certificate: 'c.pem', key: 'k.pem'}}]"))
    let hub = file.hub
    #expect(hub.circuits.map(\.id) == ["grid", "feeder"])
    #expect(hub.circuits[1].parent == 0)
    #expect(hub.circuits[0].rating == PerPhase(all: .amperes(40)))
    #expect(hub.circuits[0].measurement == Circuit.Measurement(meter: 0, rotation: .str, inverted: true))
    #expect(hub.circuits[1].margin == .milliamperes(1500))
    #expect(hub.circuits[1].curve == TripCurve(points: [.init(permille: 1200, time: .seconds(30))], beyond: .seconds(4)))
    #expect(file.failsafe == [nil, PerPhase(.amperes(10), .amperes(11), .amperes(12))])
    #expect(
      hub.meters == [Meter(id: "grid", profile: "sdm", bus: .tcp(host: "10.0.0.5", port: 502), unit: 3, period: .milliseconds(500))]
    )
    #expect(hub.stations[0].connectors == 0..<2)
    #expect(hub.stations[0].trust == .proven)
    #expect(hub.connectors[1].phases == .l3)
    #expect(hub.connectors[1].priority == 7)
    #expect(hub.settings.horizon == .seconds(300))
    #expect(hub.access == .tags(["CARD1"]))
    #expect(file.limits[0].amount == .power(.watts(4200)))
    #expect(file.limits[0].from == Instant(milliseconds: 1_795_323_600_000))
    #expect(file.listeners[0].tls == SiteFile.TLS(certificate: "c.pem", key: "k.pem"))
  }

  @Test func `who drew nothing is asked again after half an hour or two turns, unless the file says otherwise`() throws {
    #expect(try site(siteText(more: "settings: {rotation_min: 5}")).hub.settings.idlePause == .minutes(10))
    #expect(try site(siteText(more: "settings: {}")).hub.settings.idlePause == .minutes(30))
    #expect(try site(siteText(more: "settings: {rotation_min: 60}")).hub.settings.idlePause == .minutes(30))
    #expect(try site(siteText(more: "settings: {rotation_min: 5, idle_pause_min: 45}")).hub.settings.idlePause == .minutes(45))
  }

  @Test func `an unknown rotation counts on all three phases`() throws {
    let hub = try site(siteText(second: "conductors: 1, rotation: 'unknown', maximum_a: 16, fallback_a: 6")).hub
    #expect(hub.connectors[1].wiring == nil)
    #expect(hub.connectors[1].phases == .all)
  }

  @Test(arguments: ["3x230 V IT", "3x230 V delta"]) func `supplies that cannot be handled are refused by name`(_ supply: String) {
    let messages = complaints(siteText(supply: supply))
    #expect(messages.count == 1)
    #expect(messages.first?.contains("\"\(supply)\", which Sluice cannot handle") == true)
    #expect(messages.first?.hasPrefix("s.json5:2:22:") == true)
  }

  @Test func `all that is wrong is told at once, in the order of the text`() {
    let messages = complaints(
      siteText(
        limit: "'forty'", feeder: "maschine: 5, margn_a: 1", first: "rotation: 'RST', maximum_a: 16, fallback_a: 4",
        second: "rotation: 'XYZ', maximum_a: 5, fallback_a: 6", more: "limits: [{circuit: 'cellar', limit_a: 5, source: 'x'}]"))
    #expect(
      messages == [
        "s.json5:4:38: found `'forty'`, expected a current in amperes from 1 to 10000, or a list of three for L1, L2, L3",
        "s.json5:5:63: found the unknown key `maschine`, expected one of `id`, `limit_a`, `curve`, `contract`, `base_worst_a`, "
          + "`generation_a`, `count_generation_a`, `conductor_a`, `meter`, `unbalance_a`, `manual_cap_a`, `maintenance`, `margin_a`, "
          + "`arrival_reserve_a`, `failsafe_a`, `shunt_trip`, `circuits`",
        "s.json5:5:76: found the unknown key `margn_a`, expected `margin_a` perhaps",
        "s.json5:8:64: found `4`, expected 0, or from the minimum of 6 A to the maximum of 16 A",
        "s.json5:9:30: found `'XYZ'`, expected one of \"RST\", \"RTS\", \"SRT\", \"STR\", \"TRS\", \"TSR\", \"unknown\"",
        "s.json5:9:48: found `5`, expected at least the minimum of 6 A",
        "s.json5:9:63: found `6`, expected 0, or from the minimum of 6 A to the maximum of 5 A",
        "s.json5:10:22: found `'cellar'`, expected a circuit of this file: grid, feeder",
      ])
  }

  @Test(arguments: [
    ("model: 'able', password_hash: 'secret'", "never the password itself"),
    ("model: 'abel'", "a file of Profiles/stations: able, plain"),
    ("model: 'plain', static_maximum_a: 0", "a current in amperes from 1"),
    ("model: 'able', state: 'broken'", "\"planned\", \"installed\""),
  ])
  func `a wrong station is told`(_ station: String, _ expected: String) {
    let messages = complaints(siteText(station: station))
    #expect(messages.count == 1 && messages[0].contains(expected), "\(messages)")
  }

  @Test func `a fallback of 0 A is refused for a model that is not known to honour it, and those that do are named`() {
    let messages = complaints(siteText(station: "model: 'plain'", first: "rotation: 'RST', maximum_a: 16, fallback_a: 0"))
    #expect(messages.count == 1 && messages[0].contains("\"Plain\" is not known to honour a fallback of 0 A (these are: able)"))
  }

  @Test func `ids stand once, connector numbers count from 1, and a meter hangs on one bus`() {
    let text = siteText().replacing("number: 2", with: "number: 3").replacing("id: \"feeder\"", with: "id: \"grid\"")
      .replacing("tcp: \"10.0.0.5:502\"", with: "tcp: \"10.0.0.5\"").replacing("circuit: \"feeder\"", with: "circuit: \"grid\"")
    let messages = complaints(text)
    #expect(messages.contains { $0.contains("the numbers 1, 3") })
    #expect(messages.contains { $0.contains("\"grid\" twice") })
    #expect(messages.contains { $0.contains("expected \"host:port\"") })
  }

  @Test func `a meter without a register map is refused, and so is one that sees no phases`() {
    #expect(complaints(siteText().replacing("\"sdm\"", with: "\"smd\"")).first?.contains("Profiles/meters: sdm, total") == true)
    let total = complaints(siteText().replacing("\"sdm\"", with: "\"total\""))
    #expect(total.count == 1 && total[0].contains("cannot guard phases (no current per phase)"))
  }

  @Test func `a file that is no JSON5 is told with its place`() {
    #expect(complaints("{ id: \"x\",\n  name \"y\" }") == ["s.json5:2:8: found `\"y\"`, expected `:` after the key"])
  }
}

@Suite struct ShippedProfileTests {
  @Test func `every shipped station model reads, has its sources, and promises nothing that its 0 A breaks`() throws {
    let catalogue = try ProfileFolder.locate().catalogue()
    #expect(catalogue.stations.count >= 11)
    #expect(catalogue.stations.contains { $0.name == "generic" })
    for profile in catalogue.stations { #expect(!profile.sources.isEmpty, "\(profile.name)") }
    let abb = try #require(catalogue.stations.first { $0.name == "abb-terra-ac" })
    #expect(abb.traits.highestStackLevel == 0)
    #expect(abb.traits.zero == .refused)
  }
  @Test func `a model that loses control at 0 A may not rotate`() {
    #expect(throws: Documents.DocumentErrors.self) {
      try StationProfile(text: "{model: 'x', sources: ['y'], zero: 'losesControl', rotates: true}", name: "x")
    }
  }
  @Test func `the demonstration hub reads, fits, and has connectors that fall back to 0 A`() throws {
    let folder = try ProfileFolder.locate()
    let file = try SiteFile.read(folder.path + "/../Simulations/demo.site.json5", profiles: folder)
    #expect(file.hub.stations.count == 12)
    #expect(file.hub.connectors.count == 24)
    #expect(file.hub.connectors.filter { $0.fallback == .zero }.count == 8)
    #expect(SiteCheck(file).fits)
  }
}
