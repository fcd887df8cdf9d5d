import ChargingProfiles
import Quantities
import Site
import Testing

@testable import OCPP

@Suite struct CommandTests {
  /// The outcome of `command` when the station answers with `payload`.
  func outcome(_ command: StationCommand, _ payload: String) -> CommandOutcome? {
    var dialogue = openDialogue()
    let sent = dialogue.command(CommandID(1), command, urgency: .routine, at: at(0))
    let out = dialogue.received("[3,\"\(messageID(sent.frames.first ?? ""))\",\(payload)]", at: at(1))
    guard case .outcome(_, let outcome)? = out.told.first else { return nil }
    return outcome
  }
  func frame(_ command: StationCommand) -> String? {
    var dialogue = openDialogue()
    return dialogue.command(CommandID(1), command, urgency: .routine, at: at(0)).frames.first
  }

  @Test func `a profile for a transaction is written as OCPP 1.6 §6.43 wants it, its limit as 16.1 and nothing longer`() {
    #expect(
      frame(limit(1, 161))
        == "[2,\"1-1\",\"SetChargingProfile\",{\"connectorId\":1,\"csChargingProfiles\":{\"chargingProfileId\":1,\"transactionId\":7,"
        + "\"stackLevel\":0,\"chargingProfilePurpose\":\"TxProfile\",\"chargingProfileKind\":\"Absolute\",\"chargingSchedule\":{"
        + "\"startSchedule\":\"2026-05-04T10:00:00Z\",\"chargingRateUnit\":\"A\","
        + "\"chargingSchedulePeriod\":[{\"startPeriod\":0,\"limit\":16.1}]}}}]")
  }

  @Test func `profiles on connectors where they cannot be are not sent (OCPP 1.6 §3.13.1)`() {
    for command: StationCommand in [
      .setProfile(connector: 1, profile(60, .stationMaximum)), .setProfile(connector: 0, profile(60, .transaction(id: 1))),
      .setProfile(connector: 1, profile(60, .transaction(id: nil))),
    ] {
      #expect(frame(command) == nil)
    }
  }

  @Test func `what a person typed too long is refused and not sent`() {
    var dialogue = openDialogue()
    let out = dialogue.command(
      CommandID(1), .remoteStart(connector: 1, idTag: "123456789012345678901"), urgency: .routine, at: at(0))
    #expect(out.frames == [])
    #expect(out.events == [.outcome(CommandID(1), .refused("not sent: idTag is longer than 20 characters"))])
  }

  @Test func `calls that a model does not bear are not sent`() {
    var dialogue = openDialogue { $0.avoidedCalls = ["ChangeAvailability"] }  // EN+: evcc template
    let out = dialogue.command(
      CommandID(1), .changeAvailability(connector: 1, operative: false), urgency: .routine, at: at(0))
    #expect(out.frames == [])
    #expect(out.events == [.outcome(CommandID(1), .refused("not sent: the model does not bear it"))])
  }

  @Test func `a word that says no is a refusal with that word, and what says neither yes nor no is no answer`() {
    #expect(outcome(limit(1, 60), #"{"status":"Accepted"}"#) == .accepted)
    #expect(outcome(limit(1, 60), #"{"status":"NotSupported"}"#) == .refused("NotSupported"))
    for neither in ["{}", "null", #"{"stat?s":"Accepted"}"#, #"{"status":"Acce?ted"}"#, #"{"status":4}"#] {
      #expect(outcome(limit(1, 60), neither) == .timedOut, "\(neither)")
    }
    #expect(outcome(.unlock(connector: 1), #"{"status":"Unlocked"}"#) == .accepted)
    #expect(outcome(.changeAvailability(connector: 1, operative: true), #"{"status":"Scheduled"}"#) == .refused("Scheduled"))
    #expect(outcome(.changeConfiguration(key: "a", value: "b"), #"{"status":"RebootRequired"}"#) == .refused("RebootRequired"))
    #expect(outcome(.clearProfiles(ProfileFilter()), #"{"status":"Unknown"}"#) == .accepted)
    #expect(outcome(.getDiagnostics(location: "ftp://h/x"), #"{"fileName":"a.zip"}"#) == .accepted)
    #expect(outcome(.getDiagnostics(location: "ftp://h/x"), "{}") == .refused("no file"))
  }

  @Test func `a CALLERROR refuses with its code`() {
    var dialogue = openDialogue()
    let sent = dialogue.command(CommandID(1), limit(1, 60), urgency: .decrease, at: at(0))
    let out = dialogue.received("[4,\"\(messageID(sent.frames[0]))\",\"NotSupported\",\"\",{}]", at: at(1))
    #expect(out.events == [.outcome(CommandID(1), .refused("NotSupported"))])
  }

  @Test func `a composite schedule is read, smeared binary fractions put right and finer limits rounded up`() throws {
    let command = StationCommand.readComposite(connector: 1, duration: .seconds(600), unit: .amperes)
    let answer = """
      {"status":"Accepted","connectorId":1,"scheduleStart":"2026-05-04T10:00:00Z","chargingSchedule":{"chargingRateUnit":"A",\
      "duration":600,"chargingSchedulePeriod":[{"startPeriod":0,"limit":16.100000381},{"startPeriod":300,"limit":6.04}]}}
      """
    let expected = try Schedule(
      unit: .amperes, duration: .seconds(600),
      periods: [Schedule.Period(start: .zero, tenths: 161), Schedule.Period(start: .seconds(300), tenths: 61)])
    #expect(outcome(command, answer) == .composite(expected))
    #expect(outcome(command, #"{"status":"Accepted"}"#) == .composite(nil))
    #expect(outcome(command, #"{"status":"Accepted","chargingSchedule":{}}"#) == .composite(nil))  // evcc#16002
    #expect(outcome(command, #"{"status":"Rejected"}"#) == .refused("Rejected"))
  }

  @Test func `configuration keys come back as they are, unknown ones apart`() {
    let answer =
      #"{"configurationKey":[{"key":"A","readonly":true,"value":"1"},{"readonly":false},{"key":"B","readonly":false}],"unknownKey":["C"]}"#
    #expect(
      outcome(.getConfiguration(keys: ["A", "B", "C"]), answer)
        == .configuration(
          [
            CommandOutcome.ConfigurationKey(key: "A", readOnly: true, value: "1"),
            CommandOutcome.ConfigurationKey(key: "B", readOnly: false, value: nil),
          ], unknown: ["C"]))
  }

  @Test func `a trigger for the station itself names no connector`() {
    #expect(
      frame(.trigger(.status(connector: 0))) == "[2,\"1-1\",\"TriggerMessage\",{\"requestedMessage\":\"StatusNotification\"}]")
    #expect(
      frame(.trigger(.meterValues(connector: 2)))
        == "[2,\"1-1\",\"TriggerMessage\",{\"requestedMessage\":\"MeterValues\",\"connectorId\":2}]")
  }
}
