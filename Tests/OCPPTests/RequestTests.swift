import ChargingProfiles
import Quantities
import Site
import Testing

@testable import OCPP

@Suite struct RequestTests {
  let start = #"[2,"a1","StartTransaction",{"connectorId":1,"idTag":"TAG","meterStart":1500,"timestamp":"2026-05-04T10:00:00Z"}]"#
  let stop = #"[2,"a2","StopTransaction",{"transactionId":7,"meterStop":2500,"timestamp":"2026-05-04T11:00:00Z"}]"#

  @Test func `heartbeats, status, meter values and notifications are answered at once`() {
    var dialogue = openDialogue()
    for (call, answer) in [
      (#"[2,"1","Heartbeat",{}]"#, #"[3,"1",{"currentTime":"2026-05-04T10:00:05Z"}]"#),
      (#"[2,"2","StatusNotification",{"connectorId":1,"errorCode":"NoError","status":"Available"}]"#, #"[3,"2",{}]"#),
      (#"[2,"3","MeterValues",{"connectorId":1,"meterValue":[]}]"#, #"[3,"3",{}]"#),
      (#"[2,"4","DataTransfer",{"vendorId":"X"}]"#, #"[3,"4",{"status":"UnknownVendorId"}]"#),
      (#"[2,"5","DiagnosticsStatusNotification",{"status":"Idle"}]"#, #"[3,"5",{}]"#),
      (#"[2,"6","FirmwareStatusNotification",{"status":"Idle"}]"#, #"[3,"6",{}]"#),
      (#"[2,"7","SecurityEventNotification",{"type":"T","timestamp":"2026-05-04T10:00:05Z"}]"#, #"[3,"7",{}]"#),
    ] {
      #expect(dialogue.received(call, at: at(5)).frames == [answer])
    }
  }

  @Test func `a start waits for the mind's answer`() {
    var dialogue = openDialogue()
    let out = dialogue.received(start, at: at(1))
    let told = TransactionStart(connector: 1, idTag: "TAG", meterStart: .wattHours(1500), at: noon, messageID: "a1")
    #expect(out.frames == [])
    #expect(out.events == [.started(told, RequestID(1))])
    #expect(
      dialogue.answer(RequestID(1), .start(transaction: 42, .accepted), at: at(2)).frames
        == [#"[3,"a1",{"transactionId":42,"idTagInfo":{"status":"Accepted"}}]"#])
  }

  @Test func `the same start sent many times is one request with one answer (MicroOcpp#50)`() {
    var dialogue = openDialogue()
    #expect(dialogue.received(start, at: at(1)).told.count == 1)
    for second in 2...5 { #expect(dialogue.received(start, at: at(Double(second))).told == []) }
    let answer = dialogue.answer(RequestID(1), .start(transaction: 42, .accepted), at: at(6)).frames
    #expect(answer.count == 1)
    #expect(dialogue.received(start, at: at(7)).frames == answer)
  }

  @Test func `a message id used again for another start is another start`() {
    var dialogue = openDialogue()
    _ = dialogue.received(start, at: at(1))
    let other = dialogue.received(replacing("TAG", in: start, by: "TAB"), at: at(2))
    guard case .started(let told, RequestID(2))? = other.told.first else {
      Issue.record("a second start was expected, found \(other.told)")
      return
    }
    #expect(told.idTag == "TAB")
  }

  @Test func `a stop for a transaction that nobody knows is told, and can be answered (ConnectorIO#199, steve#156)`() {
    var dialogue = openDialogue()
    let out = dialogue.received(stop, at: at(3601))
    let told = TransactionStop(
      transaction: 7, idTag: nil, meterStop: .wattHours(2500), at: noon + .hours(1), reason: "Local", messageID: "a2")
    #expect(out.events == [.stopped(told, RequestID(1))])
    #expect(dialogue.answer(RequestID(1), .stop(nil), at: at(3602)).frames == [#"[3,"a2",{}]"#])
  }

  @Test func `an id tag is asked about as it came`() {
    var dialogue = openDialogue()
    #expect(
      dialogue.received(#"[2,"1","Authorize",{"idTag":"04:a1:Ff"}]"#, at: at(1)).events
        == [.authorise(idTag: "04:a1:Ff", RequestID(1))])
    #expect(
      dialogue.answer(RequestID(1), .authorise(.blocked), at: at(1)).frames == [#"[3,"1",{"idTagInfo":{"status":"Blocked"}}]"#])
  }

  @Test func `what is wrong with a call is said with the code of OCPP-J table 7, and the connection is kept`() {
    var dialogue = openDialogue()
    for (call, code) in [
      (#"[2,"1","Frobnicate",{}]"#, "NotImplemented"),
      (#"[2,"1","SetChargingProfile",{}]"#, "NotSupported"),
      (#"[2,"1","ReserveNow",{}]"#, "NotSupported"),
      (#"[2,"1","Heartbeat"]"#, "ProtocolError"),
      (#"[2,"1","Heartbeat",[]]"#, "FormationViolation"),
      (#"[2,"1","Heartbeat",{"a":"#, "FormationViolation"),
      (#"[2,"1",5,{}]"#, "FormationViolation"),
      (#"[2,"1","StatusNotification",{"errorCode":"NoError","status":"Available"}]"#, "OccurenceConstraintViolation"),
      (#"[2,"1","StatusNotification",{"connectorId":1,"errorCode":"NoError"}]"#, "OccurenceConstraintViolation"),
      (#"[2,"1","StatusNotification",{"connectorId":"x","errorCode":"NoError","status":"Available"}]"#, "TypeConstraintViolation"),
      (#"[2,"1","StatusNotification",{"connectorId":1,"errorCode":"NoError","status":{}}]"#, "TypeConstraintViolation"),
      (#"[2,"1","StatusNotification",{"connectorId":1,"errorCode":"NoError","status":"Sleeping"}]"#, "PropertyConstraintViolation"),
      (
        #"[2,"1","StatusNotification",{"connectorId":-1,"errorCode":"NoError","status":"Available"}]"#,
        "PropertyConstraintViolation"
      ),
      (#"[2,"1","MeterValues",{"connectorId":1,"meterValue":5}]"#, "TypeConstraintViolation"),
      (#"[2,"1","MeterValues",{"connectorId":1}]"#, "OccurenceConstraintViolation"),
      (#"[2,"1","Authorize",{}]"#, "OccurenceConstraintViolation"),
      (#"[2,"1","Authorize",{"idTag":""}]"#, "PropertyConstraintViolation"),
      (#"[2,"1","DataTransfer",{}]"#, "OccurenceConstraintViolation"),
    ] {
      let out = dialogue.received(call, at: at(1))
      #expect(out.frames.count == 1 && out.frames[0].hasPrefix("[4,\"1\",\"\(code)\","), "\(call) -> \(out.frames)")
      #expect(out.told == [])
    }
    #expect(dialogue.received(#"[2,"9","Heartbeat",{}]"#, at: at(2)).frames.count == 1)
  }

  @Test func `what names no message cannot be answered and is told with its raw frame (OCPP-J §4.2.3)`() {
    for text in ["", "hello", "{}", "[]", "[2]", #"[2,null,"Heartbeat",{}]"#, #"[9,"1",{}]"#, #"[2,"1"#] {
      var dialogue = openDialogue()
      let out = dialogue.received(text, at: at(1))
      #expect(out.frames == [], "\(text)")
      #expect(out.deviations.map(\.frame) == [text])
      guard case .deviated(let sentence)? = out.events.first else {
        Issue.record("no event for \(text)")
        continue
      }
      #expect(sentence.hasSuffix(text))
    }
  }

  @Test func `the same deviation is told once an hour, so that a wrong station does not fill the record`() {
    var dialogue = openDialogue()
    let bad = #"[2,"1","Heartbeat",null]"#
    #expect(dialogue.received(bad, at: at(1)).deviations.count == 1)
    for second in 2...100 { #expect(dialogue.received(bad, at: at(Double(second))).deviations == []) }
    #expect(dialogue.received(bad, at: at(3601)).deviations.count == 1)
  }

  @Test func `requests that nobody answers are bounded`() {
    var dialogue = openDialogue()
    var refused = 0
    for i in 1...40 {
      refused += dialogue.received("[2,\"\(i)\",\"Authorize\",{\"idTag\":\"T\(i)\"}]", at: at(1)).frames.count
    }
    #expect(refused == 40 - WireChoices.waitingRequests)
  }

  @Test func `a number for a message id is echoed as a number`() {
    var dialogue = openDialogue()
    #expect(dialogue.received(#"[2,12,"Heartbeat",{}]"#, at: at(5)).frames == [#"[3,12,{"currentTime":"2026-05-04T10:00:05Z"}]"#])
  }
}
