import ChargingProfiles
import Quantities
import Site
import Testing

@testable import OCPP

/// Things real stations do; each costs the bad member at most.
@Suite struct QuirkTests {
  func heard(_ action: String, _ payload: String, seconds: Double = 1) -> DialogueOutput {
    var dialogue = openDialogue()
    return dialogue.received("[2,\"m\",\"\(action)\",\(payload)]", at: at(seconds))
  }
  func values(_ values: String, timestamp: String = "2026-05-04T10:00:00Z") -> DialogueOutput {
    heard(
      "MeterValues",
      "{\"connectorId\":1,\"transactionId\":7,\"meterValue\":[{\"timestamp\":\"\(timestamp)\",\"sampledValue\":[\(values)]}]}")
  }
  func value(_ value: String, _ measurand: String, _ unit: String, _ phase: String? = nil) -> String {
    "{\"value\":\"\(value)\",\"measurand\":\"\(measurand)\",\"unit\":\"\(unit)\"" + (phase.map { ",\"phase\":\"\($0)\"" } ?? "")
      + "}"
  }

  @Test func `a comma too many in sampledValue loses nothing else (ZJ Beny, lbbrhzn#1078)`() {
    let out = heard(
      "MeterValues",
      #"{"connectorId":1,"meterValue":[{"timestamp":"2026-05-04T10:00:00Z","sampledValue":[,{"value":"1500"}]}]}"#)
    #expect(out.samples.map(\.register) == [.wattHours(1500)])
    #expect(out.frames == [#"[3,"m",{}]"#])
    #expect(out.deviations.count == 1)
  }

  @Test func `a member without a value loses that member (AEFA, lbbrhzn#2032)`() {
    let out = heard(
      "MeterValues",
      #"{"connectorId":1,"transactionId":,"meterValue":[{"timestamp":"2026-05-04T10:00:00Z","sampledValue":[{"value":"1500"}]}]}"#)
    #expect(out.told.count == 2)
    #expect(out.told.last == .sampled(connector: 1, transaction: nil, ConnectorSample(takenAt: noon, register: .wattHours(1500))))
  }

  @Test func `null for an empty payload is a heartbeat all the same (steve#1109)`() {
    #expect(heard("Heartbeat", "null").frames == [#"[3,"m",{"currentTime":"2026-05-04T10:00:01Z"}]"#])
  }

  @Test func `an empty vendor boots (evcc#32184)`() {
    #expect(
      heard("BootNotification", #"{"chargePointVendor":"","chargePointModel":"M"}"#).told
        == [.booted(StationIdentity(vendor: "", model: "M"), RequestID(1))])
  }

  @Test func `empty lists, empty values and line breaks before numbers (evcc#15612)`() {
    #expect(values("").samples == [])
    let out = values(
      value("", "Power.Active.Import", "W") + "," + value("\\n239.14", "Voltage", "V", "L1-N") + ","
        + value("1000", "Energy.Active.Import.Register", "Wh"))
    #expect(
      out.samples == [
        ConnectorSample(
          takenAt: noon, voltage: PerPhase(Voltage(millivolts: 239_140), .zero, .zero), register: .wattHours(1000))
      ])
    #expect(out.deviations.map(\.what) == ["MeterValues: value of Power.Active.Import is no number"])
  }

  @Test func `a bad unit loses its own value and no other (lbbrhzn#1576, #1627)`() {
    let out = values(
      value("50", "Frequency", "Hz") + "," + value("30", "Temperature", "Celcius") + ","
        + value("5", "Power.Active.Import", "furlong") + ","
        + value("16.0", "Current.Import", "A", "L1"))
    #expect(out.samples == [ConnectorSample(takenAt: noon, current: PerPhase(.amperes(16), .zero, .zero))])
  }

  @Test func `a fractional meterStop stops (ocpp-cp-simulator#83)`() {
    let out = heard("StopTransaction", #"{"transactionId":7,"meterStop":26008.333,"timestamp":"2026-05-04T10:00:00Z"}"#)
    guard case .stopped(let stop, _)? = out.told.first else {
      Issue.record("no stop in \(out.told)")
      return
    }
    #expect(stop.meterStop == Energy(milliwattHours: 26_008_333))
  }

  @Test func `unknown members, a long tag and a member of another message are tolerated and told (steve#1460, evcc#14579)`() {
    let out = heard("Authorize", #"{"idTag":"0123456789012345678901234","connectorId":1}"#)
    #expect(out.told == [.authorise(idTag: "0123456789012345678901234", RequestID(1))])
    #expect(
      out.deviations.map(\.what) == ["Authorize: unknown member connectorId", "Authorize: idTag is longer than 20 characters"])
  }

  @Test func `a text far beyond its limit is cut; a tag is not, for it might become another's`() {
    let long = String(repeating: "x", count: 60_000)
    let status = heard(
      "StatusNotification", #"{"connectorId":1,"status":"Faulted","errorCode":"OtherError","info":"\#(long)"}"#)
    #expect(status.told == [.status(connector: 1, .faulted, error: "OtherError; " + String(repeating: "x", count: 200))])
    #expect(status.deviations.map(\.what) == ["StatusNotification: info is longer than 50 characters"])
    let authorise = heard("Authorize", #"{"idTag":"\#(long)"}"#)
    #expect(authorise.told.isEmpty && authorise.frames.first?.contains("PropertyConstraintViolation") == true)
    let start = heard(
      "StartTransaction", #"{"connectorId":1,"idTag":"\#(long)","meterStart":0,"timestamp":"2026-05-04T10:00:00Z"}"#)
    #expect(
      start.told == [
        .started(TransactionStart(connector: 1, idTag: "", meterStart: .zero, at: noon, messageID: "m"), RequestID(1))
      ])
  }

  @Test func `a message id that is too long is remembered short, and still is not another's`() {
    func remembered(_ id: String) -> String? {
      var dialogue = openDialogue()
      let payload = #"{"transactionId":7,"meterStop":1,"timestamp":"2026-05-04T10:00:00Z"}"#
      let out = dialogue.received("[2,\"\(id)\",\"StopTransaction\",\(payload)]", at: at(1))
      if case .stopped(let stop, _)? = out.told.first { return stop.messageID }
      return nil
    }
    let allowed = String(repeating: "a", count: 36), long = String(repeating: "a", count: 50_000)
    #expect(remembered(allowed) == allowed)
    #expect(remembered(long).map { $0.count <= 36 } == true)
    #expect(remembered(long) == remembered(long) && remembered(long) != remembered(long + "b"))
  }

  @Test func `one message tells a few deviations, none of them long`() {
    let unknown = (0..<3000).map { #""m\#($0)":1"# }.joined(separator: ",")
    for out in [heard("Heartbeat", "{\(unknown)}"), heard(String(repeating: "x", count: 60_000), "{}")] {
      #expect((1...16).contains(out.deviations.count) && out.deviations.allSatisfy { $0.what.count <= 500 })
      #expect(out.frames.count == 1)
    }
  }

  @Test func `1970 is no time (MicroOcpp#311)`() {
    let start = heard("StartTransaction", #"{"connectorId":1,"idTag":"T","meterStart":0,"timestamp":"1970-01-01T00:00:12Z"}"#)
    #expect(
      start.told == [
        .started(TransactionStart(connector: 1, idTag: "T", meterStart: .zero, at: nil, messageID: "m"), RequestID(1))
      ])
    let sample = values(value("16.0", "Current.Import", "A", "L2"), timestamp: "1970-01-01T00:00:12Z")
    #expect(
      sample.told == [
        .sampled(connector: 1, transaction: 7, ConnectorSample(takenAt: nil, current: PerPhase(.zero, .amperes(16), .zero)))
      ])
  }

  @Test func `a time without a zone is UTC, an offset is honoured (evcc#10399, OCPP 1.6 §3.15)`() {
    let bare = values(value("1", "Energy.Active.Import.Register", "kWh"), timestamp: "2026-05-04T10:00:00")
    #expect(bare.samples.map(\.takenAt) == [noon])
    #expect(bare.deviations.map(\.what) == ["MeterValues: timestamp has no zone"])
    let offset = values(value("1", "Energy.Active.Import.Register", "kWh"), timestamp: "2026-05-04T12:00:00.250+02:00")
    #expect(offset.samples == [ConnectorSample(takenAt: noon + .milliseconds(250), register: .wattHours(1000))])
    #expect(offset.deviations == [])
  }

  @Test func `blocks out of order come out in order (evcc#15623)`() {
    let blocks = ["10:00:20", "10:00:00", "10:00:10"].map {
      "{\"timestamp\":\"2026-05-04T\($0)Z\",\"sampledValue\":[{\"value\":\"1\"}]}"
    }
    let out = heard("MeterValues", "{\"connectorId\":1,\"meterValue\":[\(blocks.joined(separator: ","))]}", seconds: 21)
    #expect(out.samples.map(\.takenAt) == [noon, noon + .seconds(10), noon + .seconds(20)])
  }

  @Test func `a replayed sample tells its register and no current`() {
    var dialogue = openDialogue()
    func message(_ time: String) -> String {
      "[2,\"m\",\"MeterValues\",{\"connectorId\":1,\"meterValue\":[{\"timestamp\":\"2026-05-04T\(time)Z\",\"sampledValue\":["
        + value("16.0", "Current.Import", "A", "L1") + "," + value("500", "Energy.Active.Import.Register", "Wh") + "]}]}]"
    }
    #expect(dialogue.received(message("10:00:30"), at: at(30)).samples.map(\.current) == [PerPhase(.amperes(16), .zero, .zero)])
    #expect(
      dialogue.received(message("10:00:10"), at: at(31)).samples
        == [ConnectorSample(takenAt: noon + .seconds(10), register: .wattHours(500))])
    #expect(
      dialogue.received(message("09:30:00"), at: at(32)).samples
        == [ConnectorSample(takenAt: noon - .minutes(30), register: .wattHours(500))])
    #expect(dialogue.received(message("10:00:40"), at: at(40)).samples.map(\.current) == [PerPhase(.amperes(16), .zero, .zero)])
  }

  @Test
  func `transaction ids of -1, 0 and below mean none in meter values, and stay what they are in a stop (libocpp#495, ocpp-rpc#82)`()
  {
    for id in [-1, 0, -1234] {
      let sample = heard(
        "MeterValues",
        "{\"connectorId\":1,\"transactionId\":\(id),\"meterValue\":[{\"timestamp\":\"2026-05-04T10:00:00Z\",\"sampledValue\":[{\"value\":\"1\"}]}]}"
      )
      #expect(sample.told.last == .sampled(connector: 1, transaction: nil, ConnectorSample(takenAt: noon, register: .wattHours(1))))
      let stop = heard("StopTransaction", "{\"transactionId\":\(id),\"meterStop\":1,\"timestamp\":\"2026-05-04T10:00:00Z\"}")
      guard case .stopped(let told, _)? = stop.told.first else {
        Issue.record("no stop in \(stop.told)")
        continue
      }
      #expect(told.transaction == id)
    }
  }

  @Test func `a stop that has lost almost everything is still a stop, for one that is refused is repeated for ever (steve#156)`() {
    for payload in ["{}", "null", #"{"transactionId":"x","meterStop":{},"timestamp":5,"reason":7,"transactionData":"?"}"#] {
      guard case .stopped(let told, RequestID(1))? = heard("StopTransaction", payload).told.first else {
        Issue.record("no stop for \(payload)")
        continue
      }
      #expect(told.transaction == -1)
      #expect(told.meterStop == .zero)
    }
  }

  @Test func `a negative meterStop is told as it is (ocpp-go#114)`() {
    guard
      case .stopped(let told, _)? = heard(
        "StopTransaction", #"{"transactionId":1,"meterStop":-1,"timestamp":"2026-05-04T10:00:00Z"}"#
      ).told.first
    else {
      Issue.record("no stop")
      return
    }
    #expect(told.meterStop == .wattHours(-1))
  }

  @Test func `units, phases and totals: kWh, kW, L1-N, per phase without a total, a total without phases (evcc#19405)`() {
    let phases = ["L1", "L2-N", "L3"].map { value("2.3", "Power.Active.Import", "kW", $0) }
    let registers = ["L1", "L2", "L3"].map { value("0.5", "Energy.Active.Import.Register", "kWh", $0) }
    let out = values((phases + registers + [value("16.0", "Current.Import", "A")]).joined(separator: ","))
    #expect(
      out.samples == [
        ConnectorSample(takenAt: noon, current: PerPhase(all: .amperes(16)), power: .watts(6900), register: .wattHours(1500))
      ])
  }

  @Test func `a phase that cannot be read is not taken for zero`() {
    let out = values(
      value("16.0", "Current.Import", "A", "L1") + "," + value("?", "Current.Import", "A", "L2") + ","
        + value("16.0", "Current.Import", "A", "L3")
        + "," + value("7000", "Power.Active.Import", "W"))
    #expect(out.samples == [ConnectorSample(takenAt: noon, power: .watts(7000))])
  }

  @Test
  func `the outlet is believed before the inlet, signed data is no number, nonsense charge is left out (steve#816, evcc#29652)`() {
    let out = values(
      #"{"value":"32","measurand":"Current.Import","unit":"A","phase":"L1","location":"Inlet"},"#
        + #"{"value":"16","measurand":"Current.Import","unit":"A","phase":"L1","location":"Outlet"},"#
        + #"{"value":"AP;0;3;XYZ","format":"SignedData"},"# + value("250", "SoC", "Percent") + ","
        + value("13.5", "Current.Offered", "A"))
    #expect(
      out.samples == [
        ConnectorSample(takenAt: noon, current: PerPhase(.amperes(16), .zero, .zero), offered: .milliamperes(13_500))
      ])
    #expect(out.deviations == [])
  }

  @Test func `numbers as texts and texts as numbers are taken`() {
    let out = heard("StartTransaction", #"{"connectorId":"2","idTag":12345,"meterStart":"100","timestamp":"2026-05-04T10:00:00Z"}"#)
    #expect(
      out.told == [
        .started(
          TransactionStart(connector: 2, idTag: "12345", meterStart: .wattHours(100), at: noon, messageID: "m"), RequestID(1))
      ])
  }

  @Test func `an error at Finishing is told with what the vendor says of it`() {
    let out = heard(
      "StatusNotification",
      #"{"connectorId":1,"errorCode":"OtherError","info":"door","status":"Finishing","vendorErrorCode":"E7"}"#)
    #expect(out.told == [.status(connector: 1, .finishing, error: "OtherError; E7; door")])
  }

  @Test func `registers beyond all proportion are left out`() {
    #expect(values(value("1e30", "Energy.Active.Import.Register", "kWh")).samples == [])
    #expect(values(value("99999999999999999999999999", "Current.Import", "A", "L1")).samples == [])
    for current in ["-999999999999", "10001", "-340000"] {
      #expect(values(value(current, "Current.Import", "A", "L1")).samples == [])
    }
    #expect(values(value("100001", "Power.Active.Import", "kW")).samples == [])
    #expect(values(value("-20", "Current.Import", "A", "L1")).samples.first?.current?.l1 == .amperes(-20), "it may feed in")
  }
}
