import ChargingProfiles
import Quantities
import Site
import Testing

@testable import OCPP

/// Both sides of the protocol joined by a wire that loses nothing.
struct Wire {
  var central: CentralDialogue
  var station = StationSideDialogue()
  var events: [StationEvent] = []
  var stationEvents: [StationSideEvent] = []
  /// Every frame, with who sent it, in order.
  var frames: [(fromCentral: Bool, text: String)] = []

  init(_ change: (inout StationTraits) -> Void = { _ in }) {
    var traits = StationTraits(model: "test")
    change(&traits)
    central = CentralDialogue(stationID: "S1", traits: traits)
    deliver(central.opened(at: at(0)), at: at(0))
    deliver(station.opened(at: at(0)), at: at(0))
  }

  mutating func deliver(_ out: DialogueOutput, at now: Moment) {
    events += out.events
    for frame in out.frames {
      frames.append((true, frame))
      deliver(station.received(frame, at: now), at: now)
    }
  }
  mutating func deliver(_ out: StationSideOutput, at now: Moment) {
    stationEvents += out.events
    for frame in out.frames {
      frames.append((false, frame))
      deliver(central.received(frame, at: now), at: now)
    }
  }
  mutating func say(_ call: StationCall, _ seconds: Double) { deliver(station.send(call, at: at(seconds)), at: at(seconds)) }
  mutating func command(_ id: UInt64, _ command: StationCommand, _ seconds: Double, _ urgency: Urgency = .routine) {
    deliver(central.command(CommandID(id), command, urgency: urgency, at: at(seconds)), at: at(seconds))
  }
  mutating func answer(_ request: UInt64, _ answer: Answer, _ seconds: Double) {
    deliver(central.answer(RequestID(request), answer, at: at(seconds)), at: at(seconds))
  }
  /// Replies to the request that was made last.
  mutating func reply(_ reply: StationReply, _ seconds: Double) {
    guard case .asked(let id, _)? = stationEvents.last(where: { if case .asked = $0 { true } else { false } }) else { return }
    deliver(station.reply(id, reply, at: at(seconds)), at: at(seconds))
  }
}

@Suite struct ConversationTests {
  /// A whole session, with every command that the mind can give.
  static func session() -> Wire {
    var wire = Wire()
    wire.say(.boot(StationIdentity(vendor: "Maker", model: "Model", serial: "0001", firmware: "1.2")), 1)
    wire.answer(1, .boot(accepted: true, interval: .seconds(300)), 2)
    wire.say(.status(connector: 1, .preparing, at: noon + .seconds(3)), 3)
    wire.say(.authorise(idTag: "TAG"), 4)
    wire.answer(2, .authorise(.accepted), 4)
    wire.say(.start(connector: 1, idTag: "TAG", meterStart: .wattHours(1000), at: noon + .seconds(5)), 5)
    wire.answer(3, .start(transaction: 7, .accepted), 5)
    wire.command(1, .setProfile(connector: 1, profile(161)), 6, .increase)
    wire.reply(.status("Accepted"), 6)
    let sample = ConnectorSample(
      takenAt: noon + .seconds(10), current: PerPhase(.amperes(16), .amperes(15), .milliamperes(15_900)), power: .watts(10_700),
      voltage: PerPhase(all: .volts(230)), register: .wattHours(1100), offered: .amperes(16), stateOfCharge: 50)
    wire.say(.meterValues(connector: 1, transaction: 7, [MeterBlock(sample, at: noon + .seconds(10))]), 10)
    let commands: [(StationCommand, StationReply)] = [
      (.clearProfiles(ProfileFilter(connector: 1, purpose: .transaction, stackLevel: 0)), .status("Accepted")),
      (.clearProfiles(ProfileFilter(id: 4)), .status("Unknown")),
      (.setProfile(connector: 0, profile(110_000, .stationMaximum, unit: .watts)), .status("Accepted")),
      (
        .readComposite(connector: 1, duration: .seconds(600), unit: .amperes),
        .composite(connector: 1, start: noon, profile(161).schedule)
      ),
      (.trigger(.boot), .status("Accepted")), (.trigger(.heartbeat), .status("Accepted")),
      (.trigger(.status(connector: 1)), .status("NotImplemented")), (.trigger(.meterValues(connector: 0)), .status("Accepted")),
      (.changeAvailability(connector: 1, operative: false), .status("Scheduled")),
      (.remoteStart(connector: 1, idTag: "TAG"), .status("Accepted")),
      (.remoteStart(connector: nil, idTag: "TAG"), .status("Rejected")),
      (.remoteStop(transaction: 7), .status("Accepted")), (.unlock(connector: 1), .status("Unlocked")),
      (.reset(hard: false), .status("Accepted")), (.reset(hard: true), .status("Accepted")),
      (.getConfiguration(keys: []), .configuration([], unknown: [])),
      (
        .getConfiguration(keys: ["A", "B"]),
        .configuration([CommandOutcome.ConfigurationKey(key: "A", readOnly: true, value: "1")], unknown: ["B"])
      ),
      (.changeConfiguration(key: "A", value: "quote \" backslash \\ line\nend é"), .status("RebootRequired")),
      (.clearCache, .status("Accepted")), (.getDiagnostics(location: "ftp://host/folder"), .diagnostics(fileName: "log.zip")),
      (.clearCache, .fault(CallFault(.notSupported, "no cache"))),
    ]
    for (i, (command, reply)) in commands.enumerated() {
      wire.command(UInt64(10 + i), command, 20 + Double(i))
      wire.reply(reply, 20 + Double(i))
    }
    wire.say(.heartbeat, 50)
    wire.say(.diagnosticsStatus("Uploaded"), 51)
    wire.say(.firmwareStatus("Idle"), 52)
    wire.say(.dataTransfer(vendor: "Maker", message: "m", data: "d"), 53)
    wire.say(
      .stop(
        transaction: 7, idTag: "TAG", meterStop: .wattHours(2000), at: noon + .seconds(60), reason: "Local",
        [MeterBlock(sample, at: noon + .seconds(60), context: "Transaction.End")]), 60)
    wire.answer(4, .stop(.accepted), 60)
    wire.say(.other(action: "Frobnicate", payload: [:]), 61)
    wire.say(.status(connector: 1, .faulted, error: "GroundFailure", at: noon + .seconds(62)), 62)
    return wire
  }

  @Test func `a session from boot to stop is told to both sides, every command is answered, and nothing deviates`() {
    let wire = Self.session()
    let told = wire.events.filter { if case .outcome = $0 { false } else { true } }
    let sample = ConnectorSample(
      takenAt: noon + .seconds(10), current: PerPhase(.amperes(16), .amperes(15), .milliamperes(15_900)), power: .watts(10_700),
      voltage: PerPhase(all: .volts(230)), register: .wattHours(1100), offered: .amperes(16), stateOfCharge: 50)
    #expect(
      told.prefix(9) == [
        .connected, .booted(StationIdentity(vendor: "Maker", model: "Model", serial: "0001", firmware: "1.2"), RequestID(1)),
        .clock(offset: .zero), .status(connector: 1, .preparing, error: nil), .authorise(idTag: "TAG", RequestID(2)),
        .started(
          TransactionStart(
            connector: 1, idTag: "TAG", meterStart: .wattHours(1000), at: noon + .seconds(5), messageID: "s1-4"), RequestID(3)),
        .sampled(connector: 1, transaction: 7, sample),
        .stopped(
          TransactionStop(
            transaction: 7, idTag: "TAG", meterStop: .wattHours(2000), at: noon + .seconds(60), reason: "Local", messageID: "s1-10"),
          RequestID(4)),
        .deviated("Frobnicate: NotImplemented: unknown action: [2,\"s1-11\",\"Frobnicate\",{}]"),
      ])
    #expect(wire.stationEvents.contains(.answered(.authorise(idTag: "TAG"), .authorise(status: "Accepted"))))
    #expect(
      wire.stationEvents.contains(.answered(.heartbeat, .heartbeat(currentTime: noon + .seconds(50)))))
    #expect(!wire.stationEvents.contains { if case .broken = $0 { true } else { false } })
    let sent = wire.events.filter { if case .outcome(_, .sent) = $0 { true } else { false } }
    #expect(sent.count == 22)
    #expect(wire.events.contains(.outcome(CommandID(13), .composite(profile(161).schedule))))
    #expect(wire.events.contains(.outcome(CommandID(30), .refused("NotSupported"))))
  }

  @Test func `a profile arrives at the station as the mind gave it`() {
    var wire = Wire()
    let given = StationCommand.setProfile(connector: 2, profile(87, .transactionDefault, level: 3, id: 12))
    wire.command(1, given, 1)
    guard case .asked(_, let heard)? = wire.stationEvents.last else {
      Issue.record("the station was not asked")
      return
    }
    #expect(heard == given)
  }

  @Test func `a station says one thing at a time, and what is lost with the connection is known`() {
    var station = StationSideDialogue()
    _ = station.opened(at: at(0))
    #expect(station.send(.heartbeat, at: at(1)).frames.count == 1)
    #expect(station.send(.firmwareStatus("Idle"), at: at(1)).frames == [])
    #expect(station.nextDeadline == at(31).monotonic)
    let late = station.deadline(at: at(31))
    #expect(late.events == [.timedOut(.heartbeat)])
    #expect(late.frames.count == 1)
    #expect(station.closed(at: at(32)).events == [.lost(.firmwareStatus("Idle"))])
  }

  @Test func `a station refuses a profile that makes no sense with a property error (errata 3.38)`() {
    var station = StationSideDialogue()
    _ = station.opened(at: at(0))
    let bad = #"[2,"1","SetChargingProfile",{"connectorId":1,"csChargingProfiles":{"chargingProfileId":1}}]"#
    #expect(station.received(bad, at: at(1)).frames.map { $0.hasPrefix(#"[4,"1","PropertyConstraintViolation""#) } == [true])
    #expect(
      station.received(#"[2,"2","ReserveNow",{}]"#, at: at(1)).frames.map { $0.hasPrefix(#"[4,"2","NotSupported""#) } == [true])
  }
}
