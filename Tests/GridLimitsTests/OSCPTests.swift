import Documents
import Quantities
import Site
import Testing

@testable import GridLimits

/// The flexibility provider's side of OSCP 2.0 (Open Charge Alliance, OSCP 2.0 specification, §2.6 and §3).
@Suite struct OSCPTests {
  private let noon = Instant(seconds: 1_800_014_400)
  private func dialogue(_ state: OSCPDialogue.State = .init()) -> OSCPDialogue {
    OSCPDialogue(
      .init(
        group: "hub-1", baseURL: "https://hub/oscp/2.0", firstToken: "token-A-of-sixteen", interval: .seconds(60),
        voltage: .volts(253), fallback: .current(PerPhase(all: .amperes(40)))), state: state)
  }
  private func say(
    _ dialogue: inout OSCPDialogue, _ path: String, _ body: String, token: String = "C", method: String = "POST",
    id: String? = "id-1"
  ) -> (answer: OSCPDialogue.Answer, actions: [OSCPDialogue.Action]) {
    dialogue.receive(
      method, path: path, authorization: "Token \(token)", requestID: id, body: Array(body.utf8), now: noon, freshToken: "C")
  }
  private static let register = #"{"token":"B","version_url":[{"version":"2.0","base_url":"http://cp/oscp/cp/2.0"}]}"#
  private func registered() -> OSCPDialogue {
    var dialogue = dialogue()
    _ = say(&dialogue, "register", Self.register, token: "token-A-of-sixteen")
    return dialogue
  }
  private func handshaken() -> OSCPDialogue {
    var dialogue = registered()
    _ = say(&dialogue, "handshake", #"{"required_behaviour":{"heartbeat_interval":30,"measurement_configuration":["CONTINUOUS"]}}"#)
    return dialogue
  }
  @Test func `a forecast beyond all proportion is refused with its place, or counts as no bound`() throws {
    var dialogue = handshaken()
    let short =
      #"{"group_id":"hub-1","type":"CONSUMPTION","forecasted_blocks":[{"capacity":1000000000,"phase":"ALL","unit":"KWH","start_time":"2026-11-26T18:00:00.000Z","end_time":"2026-11-26T18:00:00.001Z"}]}"#
    #expect(say(&dialogue, "update_group_capacity_forecast", short).answer.status == 400)
    let late = short.replacing("2026-11-26T18:00:00.001Z", with: "9999-12-31T23:59:59-01:00")
    #expect(say(&dialogue, "update_group_capacity_forecast", late).answer.status == 400)
    let large = try OSCPForecast(Array(forecast("CONSUMPTION", [(1_000_000_000, "KWH", "ALL", 0, 1)]).utf8), voltage: .volts(253))
    #expect(large.blocks.map(\.amount) == [.power(.watts(100_000_000))])
  }

  private func forecast(_ type: String, _ blocks: [(Double, String, String, Int, Int)]) -> String {
    let list = blocks.map {
      #"{"capacity":\#($0.0),"unit":"\#($0.1)","phase":"\#($0.2)","start_time":"\#(Timestamp.text((noon + .minutes($0.3)).milliseconds))","end_time":"\#(Timestamp.text((noon + .minutes($0.4)).milliseconds))"}"#
    }
    return #"{"group_id":"hub-1","type":"\#(type)","forecasted_blocks":[\#(list.joined(separator: ","))]}"#
  }

  @Test func `a registration trades the first token for one of each side, and names the message that it answers`() {
    var dialogue = dialogue()
    #expect(say(&dialogue, "register", Self.register, token: "wrong").answer.status == 401)
    #expect(say(&dialogue, "heartbeat", "{}", token: "token-A-of-sixteen").answer.status == 401)
    let (answer, actions) = say(&dialogue, "register", Self.register, token: "token-A-of-sixteen")
    #expect(answer.status == 204)
    guard case .post(let path, let json, let correlation) = actions.first else {
      Issue.record("no registration back")
      return
    }
    #expect(path == "register" && correlation == "id-1")
    #expect(json == #"{"token":"C","version_url":[{"version":"2.0","base_url":"https://hub/oscp/2.0"}]}"#)
    #expect(dialogue.state.theirs == "B" && dialogue.state.baseURL == "http://cp/oscp/cp/2.0")
    #expect(
      say(&dialogue, "register", #"{"token":"B","version_url":[{"version":"1.0","base_url":"http://x"}]}"#).answer.status == 400)
  }

  @Test func `nothing is taken before a handshake, which is acknowledged with what we want in turn`() {
    var dialogue = registered()
    #expect(say(&dialogue, "heartbeat", #"{"offline_mode_at":"2027-01-15T12:00:00Z"}"#).answer.status == 403)
    let (answer, actions) = say(
      &dialogue, "handshake", #"{"required_behaviour":{"heartbeat_interval":30,"measurement_configuration":[]}}"#)
    #expect(answer.status == 204)
    #expect(
      actions.first
        == .post(
          path: "handshake_acknowledge",
          json: #"{"required_behaviour":{"heartbeat_interval":60,"measurement_configuration":["CONTINUOUS"]}}"#, correlation: "id-1"
        ))
    #expect(
      dialogue.heartbeat(now: noon)
        == .post(path: "heartbeat", json: #"{"offline_mode_at":"2027-01-15T12:00:30Z"}"#, correlation: nil))
    #expect(say(&dialogue, "heartbeat", "{}").actions == [.heard])
    #expect(say(&dialogue, "heartbeat", "{}", id: nil).answer.status == 400)
  }

  @Test func `a forecast becomes a limit with the fallback for silence, which only a handshake ends`() {
    var dialogue = handshaken()
    _ = say(&dialogue, "update_group_capacity_forecast", forecast("FALLBACK_CONSUMPTION", [(20, "KW", "ALL", 0, 600)]))
    let (answer, actions) = say(
      &dialogue, "update_group_capacity_forecast",
      forecast("CONSUMPTION", [(50, "KW", "ALL", 0, 60), (100, "A", "UNKNOWN", 60, 120)]), id: "id-9")
    #expect(answer.status == 204)
    guard case .limit(let blocks, let silence) = actions.last else {
      Issue.record("no limit")
      return
    }
    #expect(
      blocks == [
        .init(from: noon, until: noon + .hours(1), amount: .power(.watts(50_000))),
        .init(from: noon + .hours(1), until: noon + .hours(2), amount: .current(PerPhase(all: .amperes(100)))),
      ])
    #expect(silence.after == .seconds(60) && silence.needsFreshLimit)
    #expect(
      silence.fallback.map(\.amount) == [
        .current(PerPhase(all: .amperes(40))), .power(.watts(20_000)), .current(PerPhase(all: .amperes(40))),
      ])
    #expect(silence.fallback.last?.until == nil)
    #expect(LimitSeries(id: "x", source: "", owner: "", circuit: 0, blocks: blocks, silence: silence).isOrderly)
    #expect(
      dialogue.complianceError("no")
        == .post(path: "group_capacity_compliance_error", json: #"{"message":"no"}"#, correlation: "id-9"))
    let again = say(&dialogue, "handshake", "{}")
    if case .limit(let same, _) = again.actions.last { #expect(same == blocks) } else { Issue.record("no fresh limit") }
  }

  @Test func `one phase is limited alone, energy is its mean power, and where blocks overlap the lowest holds`() throws {
    let one = try OSCPForecast(
      Array(forecast("CONSUMPTION", [(30, "A", "TWO", 0, 60), (12_650, "W", "ONE", 30, 90)]).utf8), voltage: .volts(253))
    #expect(one.blocks.count == 3)
    guard case .current(let middle) = one.blocks[1].amount else {
      Issue.record("no current")
      return
    }
    #expect(middle == PerPhase(.amperes(50), .amperes(30), .amperes(10_000)))
    let energy = try OSCPForecast(Array(forecast("CONSUMPTION", [(10, "KWH", "ALL", 0, 30)]).utf8), voltage: .volts(253))
    #expect(energy.blocks.map(\.amount) == [.power(.watts(20_000))])
    let both = try OSCPForecast(
      Array(forecast("CONSUMPTION", [(50, "KW", "ALL", 0, 60), (30, "KW", "ALL", 15, 30)]).utf8), voltage: .volts(253))
    #expect(both.blocks.map(\.amount) == [.power(.watts(50_000)), .power(.watts(30_000)), .power(.watts(50_000))])
  }

  @Test func `a newer forecast replaces the time it speaks of and leaves the rest`() {
    var dialogue = handshaken()
    _ = say(&dialogue, "update_group_capacity_forecast", forecast("CONSUMPTION", [(50, "KW", "ALL", 0, 180)]))
    _ = say(&dialogue, "update_group_capacity_forecast", forecast("CONSUMPTION", [(10, "KW", "ALL", 60, 90)]))
    #expect(dialogue.state.consumption.map(\.amount) == [.power(.watts(50_000)), .power(.watts(10_000)), .power(.watts(50_000))])
    #expect(dialogue.state.consumption.map(\.until) == [noon + .minutes(60), noon + .minutes(90), noon + .minutes(180)])
  }

  @Test func `what is over goes, and a forecast of too many blocks, or too far ahead, is refused`() throws {
    var dialogue = handshaken()
    func says(_ type: String, _ blocks: [(Double, String, String, Int, Int)]) -> OSCPDialogue.Answer {
      say(&dialogue, "update_group_capacity_forecast", forecast(type, blocks)).answer
    }
    func minutes(_ range: Range<Int>) -> [(Double, String, String, Int, Int)] {
      range.map { (Double($0 % 2 + 10), "KW", "ALL", $0, $0 + 1) }
    }
    #expect(says("CONSUMPTION", minutes(-500..<0)).status == 204)
    #expect(dialogue.state.consumption.count == 1, "a forecast that is over is not none")
    #expect(says("CONSUMPTION", minutes(0..<1000)).status == 204)
    #expect(dialogue.state.consumption.count == 1000)
    let before = dialogue.state
    let answer = says("CONSUMPTION", minutes(1000..<1001))
    #expect(answer.status == 400 && answer.detail?.contains("at most 1000") == true, "\(answer)")
    #expect(says("CONSUMPTION", minutes(0..<1001)).detail?.contains("at most 1000 blocks") == true)
    #expect(dialogue.state == before)
    #expect(says("CONSUMPTION", minutes(999..<1000)).status == 204)
    let week = 8 * 24 * 60
    #expect(says("FALLBACK_CONSUMPTION", [(9, "KW", "ALL", 0, 10), (9, "KW", "ALL", week + 1, week + 2)]).status == 400)
    #expect(dialogue.state.fallback.isEmpty)
    #expect(says("FALLBACK_CONSUMPTION", [(9, "KW", "ALL", week, week + 900)]).status == 204)
    #expect(says("OPTIMUM", minutes(-10..<10)).status == 204)
    #expect(dialogue.state.optimum.count == 10)
    #expect(try OSCPDialogue.State(json: dialogue.state.json, name: "oscp.json") == dialogue.state)
    #expect(dialogue.state.json.utf8.count < 1 << 20)
  }

  @Test func `what is longer than anybody's token is not kept`() {
    var dialogue = registered()
    let before = dialogue.state
    let long = String(repeating: "x", count: 5000)
    let register = #"{"token":"\#(long)","version_url":[{"version":"2.0","base_url":"http://cp"}]}"#
    let answer = say(&dialogue, "register", register).answer
    #expect(answer.status == 400 && answer.detail?.contains("xxx") == false)
    #expect(say(&dialogue, "handshake", "{}", id: long).answer.status == 400)
    #expect(dialogue.state == before)
  }

  @Test func `an optimum is a wish: it is kept and told, and bounds nothing`() throws {
    var dialogue = handshaken()
    let (answer, actions) = say(&dialogue, "update_group_capacity_forecast", forecast("OPTIMUM", [(30, "KW", "ALL", 0, 60)]))
    #expect(answer.status == 204)
    #expect(actions == [.heard, .wish([.init(from: noon, until: noon + .hours(1), amount: .power(.watts(30_000)))])])
    #expect(dialogue.state.consumption.isEmpty)
    #expect(try OSCPDialogue.State(json: dialogue.state.json, name: "oscp.json") == dialogue.state)
    _ = say(&dialogue, "register", "", method: "DELETE")
    #expect(dialogue.state.optimum.isEmpty)
  }

  private func adjustment(_ dialogue: inout OSCPDialogue, _ missing: Int, minutes: Int = 30, at later: TimeSpan = .zero) -> String?
  {
    let shortage = OSCPDialogue.Shortage(
      from: noon + .minutes(15), until: noon + .minutes(15 + minutes), missing: .wattHours(missing))
    guard
      case .post("adjust_group_capacity_forecast", let json, "id-1") = dialogue.adjustment(
        [shortage], most: PerPhase(all: .amperes(200)), at: noon + later)
    else { return nil }
    return json
  }

  @Test func `where energy lacks, the forecast and what is missing beside it are asked for, once`() {
    var dialogue = handshaken()
    #expect(adjustment(&dialogue, 5000) == nil, "no forecast bounds anything")
    _ = say(
      &dialogue, "update_group_capacity_forecast", forecast("CONSUMPTION", [(20, "KW", "ALL", 0, 30), (10, "KW", "ALL", 30, 90)]))
    // 5 kWh in 30 minutes are 10 kW more.
    #expect(
      adjustment(&dialogue, 5000)
        == #"{"group_id":"hub-1","type":"CONSUMPTION","forecasted_blocks":[{"capacity":30000,"phase":"ALL","unit":"W","start_time":"2027-01-15T12:15:00Z","end_time":"2027-01-15T12:30:00Z"},{"capacity":20000,"phase":"ALL","unit":"W","start_time":"2027-01-15T12:30:00Z","end_time":"2027-01-15T12:45:00Z"}]}"#
    )
    #expect(adjustment(&dialogue, 5000, at: .minutes(5)) == nil, "the same again")
    #expect(adjustment(&dialogue, 7000, at: .seconds(30)) == nil, "too soon")
    #expect(adjustment(&dialogue, 7000, at: .minutes(2))?.contains(#""capacity":34000"#) == true)
    #expect(adjustment(&dialogue, 7000, at: .minutes(20)) != nil, "it still lacks")
    #expect(adjustment(&dialogue, 0, at: .hours(1)) == nil)
    // No more than the connection bears: 3 x 200 A x 253 V.
    #expect(adjustment(&dialogue, 900_000, at: .hours(1))?.contains(#""capacity":151800"#) == true)
  }

  @Test func `what only a wish withholds is not asked for, and phases that are not limited are not spoken of`() {
    var dialogue = handshaken()
    _ = say(&dialogue, "update_group_capacity_forecast", forecast("CONSUMPTION", [(50, "KW", "ALL", 0, 90)]))
    _ = say(&dialogue, "update_group_capacity_forecast", forecast("OPTIMUM", [(20, "KW", "ALL", 0, 90)]))
    #expect(adjustment(&dialogue, 15_000) == nil, "30 kW more fit below the forecast")
    #expect(adjustment(&dialogue, 20_000)?.contains(#""capacity":60000"#) == true)
    var single = handshaken()
    _ = say(&single, "update_group_capacity_forecast", forecast("CONSUMPTION", [(16, "A", "TWO", 0, 90)]))
    let asked = adjustment(&single, 3000)
    #expect(
      asked?.contains(#""capacity":24,"phase":"TWO","unit":"A""#) == true && asked?.contains("ALL") == false, "\(asked ?? "")")
  }

  @Test(arguments: [
    "", "{}", #"{"group_id":"hub-1","type":"CONSUMPTION","forecasted_blocks":[]}"#,
    #"{"group_id":"hub-1","type":"X","forecasted_blocks":[{}]}"#,
    #"{"group_id":"hub-1","type":"CONSUMPTION","forecasted_blocks":[{"capacity":-1,"unit":"A","phase":"ALL","start_time":"2027-01-15T12:00:00Z","end_time":"2027-01-15T13:00:00Z"}]}"#,
    #"{"group_id":"hub-1","type":"CONSUMPTION","forecasted_blocks":[{"capacity":1,"unit":"A","phase":"ALL","start_time":"2027-01-15T13:00:00Z","end_time":"2027-01-15T12:00:00Z"}]}"#,
  ]) func `a wrong forecast is refused and changes nothing`(body: String) {
    var dialogue = handshaken()
    let before = dialogue.state
    let (answer, actions) = say(&dialogue, "update_group_capacity_forecast", body)
    #expect(answer.status == 400 && actions.isEmpty && answer.detail?.contains("expected") == true)
    #expect(dialogue.state == before)
  }

  @Test func `what is remembered reads back as it was written`() throws {
    var dialogue = handshaken()
    _ = say(
      &dialogue, "update_group_capacity_forecast", forecast("CONSUMPTION", [(50, "KW", "ALL", 0, 180), (16, "A", "ONE", 200, 210)]))
    #expect(try OSCPDialogue.State(json: dialogue.state.json, name: "oscp.json") == dialogue.state)
    #expect(throws: DocumentErrors.self) { try OSCPDialogue.State(json: #"{"ours":7}"#, name: "oscp.json") }
  }
}
