/// What answers and bodies look like, as JSON Schema 2020-12.
extension OpenAPI {
  private static let phases = #"{"type":["array","null"],"items":{"type":"number"},"minItems":3,"maxItems":3}"#
  private static let time = #"{"type":"string","format":"date-time"}"#
  private static let noTime = #"{"type":["string","null"],"format":"date-time"}"#
  private static let text = #"{"type":"string"}"#
  private static let noText = #"{"type":["string","null"]}"#
  private static let number = #"{"type":"number"}"#
  private static let noNumber = #"{"type":["number","null"]}"#
  private static let whole = #"{"type":"integer"}"#
  private static let noWhole = #"{"type":["integer","null"]}"#
  private static let flag = #"{"type":"boolean"}"#

  private static func object(_ members: KeyValuePairs<String, String>, optional: [String] = [], open: Bool = false) -> String {
    let properties = members.map { #""\#($0.key)":\#($0.value)"# }.joined(separator: ",")
    let required = members.map(\.key).filter { !optional.contains($0) }.map { "\"\($0)\"" }.joined(separator: ",")
    return #"{"type":"object","properties":{\#(properties)},"required":[\#(required)],"additionalProperties":\#(open)}"#
  }
  private static func list(_ of: String) -> String { #"{"type":"array","items":\#(of)}"# }
  private static func named(_ name: String) -> String { ##"{"$ref":"#/components/schemas/\##(name)"}"## }
  private static func page(_ name: String, _ of: String) -> String { object(["at": time, name: list(named(of))] as KeyValuePairs) }

  private static let amount =
    #"{"type":"number","minimum":0,"maximum":10000,"multipleOf":0.001}"#
  private static let askedCurrent =
    #"{"oneOf":[\#(amount),{"type":"array","items":\#(amount),"minItems":3,"maxItems":3}],"description":"Amperes, for all phases or for L1, L2, L3"}"#
  private static let askedPower =
    #"{"type":"number","minimum":0,"maximum":100000000,"multipleOf":0.001,"description":"Watts over all phases"}"#
  private static func askedBlock(_ more: String = "") -> String {
    #"{"type":"object","properties":{"limit_a":\#(askedCurrent),"limit_w":\#(askedPower),"from":\#(time),"until":\#(time)},"oneOf":[{"required":["limit_a"]},{"required":["limit_w"]}],"additionalProperties":false\#(more)}"#
  }

  static let schemas: [(String, String)] = [
    (
      "Problem",
      object(["type": text, "title": text, "status": whole, "detail": text])
    ),
    ("OpenAPI", #"{"type":"object"}"#),
    ("Health", object(["status": text, "checks": #"{"type":"object","additionalProperties":{"type":"string"}}"#])),
    (
      "Reason",
      object(["code": text, "sentence": text, "circuit": noText, "phase": noText, "next": noTime])
    ),
    (
      "Circuit",
      object([
        "id": text, "parent": noText, "rating_a": phases, "limit_a": phases, "limit_source": text, "limit_until": noTime,
        "margin_a": number, "measured_a": phases, "reading_age_s": noNumber, "has_meter": flag, "other_load_a": phases,
        "worst_assumed_on": list(text), "committed_a": phases, "headroom_a": phases,
      ])
    ),
    (
      "Station",
      object([
        "id": text, "state": text, "profile": text, "connected": flag, "controlled": flag, "gap": noText, "vendor": noText,
        "model": noText, "firmware": noText, "clock_offset_s": noNumber, "trust": text, "commissioned": flag, "remarks": list(text),
        "link": object([
          "connected_for_s": noNumber, "heard_s_ago": noNumber, "lost_in_24_h": whole, "unanswered_in_24_h": whole,
          "answer_s": noNumber,
          "slowest_answer_s": noNumber,
        ]),
        "connectors": list(whole),
      ])
    ),
    (
      "Connector",
      object([
        "station": text, "number": whole, "circuit": text, "phases": list(text), "maximum_a": number, "fallback_a": number,
        "status": noText, "transaction": noWhole, "id_tag": noText, "offered_a": noNumber, "measured_a": phases,
        "measured_age_s": noNumber, "committed_a": phases, "energy_wh": number, "state_of_charge": noWhole, "priority": whole,
        "departure": noTime, "needed_wh": noNumber, "reason": named("Reason"),
      ])
    ),
    ("Alarm", object(["code": text, "about": text, "phase": noText, "sentence": text])),
    (
      "Block",
      object(["from": time, "until": noTime, "limit_a": phases, "limit_w": number], optional: ["limit_a", "limit_w"])
    ),
    (
      "Limit",
      object([
        "id": text, "source": text, "owner": text, "circuit": text, "blocks": list(named("Block")),
        "afterwards": #"{"type":["object","null"]}"#, "heartbeat_s": noNumber,
        "fallback": #"{"type":["array","null"],"items":\#(named("Block"))}"#,
        "needs_fresh_limit": flag, "relax_delay_s": number, "relax_ramp_s": number, "silent_since": noTime, "heard_s_ago": number,
        "in_force": #"{"oneOf":[\#(named("Block")),{"type":"null"}]}"#,
      ])
    ),
    (
      "Site",
      object([
        "id": text, "name": text, "time_zone": text, "at": time, "nominal_voltage_v": whole, "journal_ok": flag, "role": text,
        "circuits": list(named("Circuit")), "limits": list(named("Limit")), "stations": list(named("Station")),
        "connectors": list(named("Connector")), "alarms": list(named("Alarm")),
      ])
    ),
    ("Circuits", page("circuits", "Circuit")), ("Stations", page("stations", "Station")),
    ("Connectors", page("connectors", "Connector")), ("Sessions", page("sessions", "Connector")),
    ("Limits", page("limits", "Limit")),
    (
      "History",
      object([
        "circuit": text, "step_s": number, "until": time, "load_a": list(phases), "limit_a": list(phases),
      ])
    ),
    (
      "Transaction",
      object([
        "transaction": whole, "station": text, "connector": whole, "id_tag": text, "started_at": time, "meter_start_wh": number,
        "ended_at": noTime, "meter_stop_wh": noNumber, "reason": noText, "late": flag,
      ])
    ),
    ("Transactions", object(["transactions": list(named("Transaction"))])),
    (
      "Explanation",
      object(
        [
          "transaction": #"{"type":"object"}"#, "at": time, "applied": #"{"type":["object","null"]}"#,
          "on_its_way": #"{"type":["object","null"]}"#, "reason": #"{"type":["object","null"]}"#,
          "inputs": #"{"type":["object","null"]}"#, "history": list(#"{"type":"object"}"#), "not_known": list(text),
        ], optional: ["history"], open: true)
    ),
    ("Plan", object(["at": time, "planning": flag, "plan": #"{"type":["object","null"]}"#])),
    (
      "Reports",
      object([
        "reports": list(
          object([
            "report": text, "limit": text, "source": text, "circuit": text, "from": text, "ended": text, "met_s": noText,
            "above_wh": text, "quarters": text, "quarters_inside": text, "verdict": text,
          ]))
      ])
    ),
    ("Report", #"{"type":"object","required":["format","report","limit","source"]}"#),
    (
      "Configuration",
      object([
        "id": text, "name": text, "time_zone": text, "circuits": list(#"{"type":"object"}"#), "meters": list(#"{"type":"object"}"#),
        "stations": list(#"{"type":"object"}"#),
      ])
    ),
    (
      "Entry",
      object(["cursor": text, "sequence": whole, "at": time, "items": list(#"{"type":"object","required":["type"]}"#)])
    ),
    ("Events", object(["entries": list(named("Entry")), "next": text])),
    (
      "Done",
      object(
        [
          "request": text, "by": text, "at": time, "before": #"{"type":["object","null"]}"#, "command": noWhole, "outcome": noText,
          "configuration": #"{"type":["object","null"]}"#,
        ], optional: ["configuration"])
    ),
    (
      "LimitAsked",
      #"{"type":"object","additionalProperties":false,"properties":{"circuit":\#(text),"source":{"type":"string","minLength":1,"maxLength":80},"limit_a":\#(askedCurrent),"limit_w":\#(askedPower),"from":\#(time),"until":\#(time),"blocks":{"type":"array","minItems":1,"maxItems":500,"items":\#(askedBlock())},"afterwards":{"type":"object","properties":{"limit_a":\#(askedCurrent),"limit_w":\#(askedPower)},"oneOf":[{"required":["limit_a"]},{"required":["limit_w"]}],"additionalProperties":false},"heartbeat_s":{"type":"number","minimum":1,"maximum":86400},"fallback":{"type":"array","minItems":1,"maxItems":500,"items":\#(askedBlock())},"needs_fresh_limit":\#(flag)},"oneOf":[{"required":["limit_a"]},{"required":["limit_w"]},{"required":["blocks"]}],"dependentRequired":{"heartbeat_s":["fallback"],"fallback":["heartbeat_s"]},"examples":[{"limit_w":50000,"until":"2026-11-25T20:00:00Z"}]}"#
    ),
    (
      "Command",
      """
      {"type":"object","required":["command"],"additionalProperties":false,"properties":{
      "command":{"enum":[\(Bodies.commands.map { "\"\($0)\"" }.joined(separator: ","))]},
      "connector":{"type":"integer","minimum":0,"maximum":1000},"id_tag":{"type":"string","minLength":1,"maxLength":20},
      "transaction":{"type":"integer","minimum":0,"maximum":2147483647},"hard":\(flag),"operative":\(flag),
      "keys":{"type":"array","items":{"type":"string","minLength":1,"maxLength":50}},
      "key":{"type":"string","minLength":1,"maxLength":50},"value":{"type":"string","minLength":1,"maxLength":500},
      "message":{"enum":["boot","heartbeat","status","meter_values"]}}}
      """
    ),
    ("Priority", object(["priority": #"{"type":"integer","minimum":1,"maximum":1000}"#])),
    (
      "Need",
      object(
        ["departure": noTime, "energy_wh": #"{"type":["number","null"],"minimum":0,"maximum":1000000,"multipleOf":0.001}"#],
        optional: ["departure", "energy_wh"])
    ),
    ("Cap", object(["limit_a": #"{"oneOf":[\#(askedCurrent),{"type":"null"}]}"#], optional: ["limit_a"])),
    ("Maintenance", object(["on": flag])),
  ]
}
