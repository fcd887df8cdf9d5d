import ChargingProfiles
import Quantities
import Site
import Testing

@testable import OCPP

/// Commissioning against stations that answer in different ways.
@Suite struct LearningTests {
  /// A station's configuration: how it answers GetConfiguration and ChangeConfiguration.
  struct Keys {
    var values: [(key: String, value: String)]
    var keysAtOnce = 20
    var change: (String, String) -> StationReply? = { _, _ in .status("Accepted") }
    var givesConfiguration = true
  }
  struct Run {
    var capabilities: StationCapabilities?
    var asked: [StationCommand] = []
    var outcomes: [CommandOutcome] = []
  }

  /// Both ends talk until nobody has anything to say; a request without a reply runs out of time.
  func learn(_ keys: Keys, _ change: (inout StationTraits) -> Void = { _ in }) -> Run {
    var central = openDialogue(change)
    var station = StationSideDialogue()
    var seconds = 1.0
    _ = station.opened(at: at(0))
    var run = Run()
    var out = central.command(CommandID(1), .learn(sampleInterval: .seconds(10)), urgency: .routine, at: at(seconds))
    for _ in 0..<100 {
      for case .outcome(CommandID(1), let outcome) in out.events {
        run.outcomes.append(outcome)
        if case .learned(let capabilities) = outcome { run.capabilities = capabilities }
      }
      if run.capabilities != nil { return run }
      var frames: [String] = []
      for frame in out.frames {
        for case .asked(let id, let command) in station.received(frame, at: at(seconds)).events {
          run.asked.append(command)
          if let reply = reply(command, keys) { frames += station.reply(id, reply, at: at(seconds)).frames }
        }
      }
      seconds += 1
      out = DialogueOutput()
      for frame in frames {
        let heard = central.received(frame, at: at(seconds))
        out.frames += heard.frames
        out.events += heard.events
      }
      if frames.isEmpty {
        seconds += 30
        out = central.deadline(at: at(seconds))
      }
    }
    return run
  }

  func reply(_ command: StationCommand, _ keys: Keys) -> StationReply? {
    switch command {
    case .getConfiguration(let names):
      guard keys.givesConfiguration else { return nil }
      if names.count > keys.keysAtOnce { return .fault(CallFault(.occurrenceConstraintViolation, "too many keys")) }
      let known = keys.values.filter { value in names.contains { $0.lowercased() == value.key.lowercased() } }
      let unknown = names.filter { name in !keys.values.contains { $0.key.lowercased() == name.lowercased() } }
      return .configuration(
        known.map { CommandOutcome.ConfigurationKey(key: $0.key, readOnly: false, value: $0.value) }, unknown: unknown)
    case .changeConfiguration(let key, let value): return keys.change(key, value)
    default: return .fault(CallFault(.notSupported, ""))
    }
  }

  let good: [(key: String, value: String)] = [
    ("ChargingScheduleAllowedChargingRateUnit", "Current,Power"), ("ChargeProfileMaxStackLevel", "8"),
    ("ChargingScheduleMaxPeriods", "24"), ("MaxChargingProfilesInstalled", "10"), ("NumberOfConnectors", "2"),
    ("ConnectorSwitch3to1PhaseSupported", "false"), ("MeterValueSampleInterval", "60"),
    ("MeterValuesSampledData", "Energy.Active.Import.Register"),
  ]

  @Test func `a good station says all it can and is set to sample what control needs`() {
    let run = learn(Keys(values: good))
    #expect(
      run.capabilities
        == StationCapabilities(
          acceptsAmperes: true, acceptsWatts: true, highestStackLevel: 8, maximumPeriods: 24, maximumProfiles: 10, connectors: 2,
          switchesPhases: false, sampleInterval: 10, samplesCurrent: true))
    #expect(run.outcomes.first == .sent)
    #expect(run.asked.count == 4)
    #expect(run.asked.suffix(2).first == .changeConfiguration(key: "MeterValueSampleInterval", value: "10"))
    #expect(
      run.asked.last
        == .changeConfiguration(
          key: "MeterValuesSampledData",
          value: "Energy.Active.Import.Register,Power.Active.Import,Current.Import,Current.Offered,Voltage,SoC"))
  }

  @Test func `a station that answers one key at a time is asked one at a time (EVBox, evcc#14721)`() {
    let run = learn(Keys(values: good + [("GetConfigurationMaxKeys", "1")], keysAtOnce: 1))
    #expect(run.capabilities?.maximumPeriods == 24)
    for command in run.asked {
      if case .getConfiguration(let names) = command { #expect(names.count == 1) }
    }
  }

  @Test func `a station that does not say how many keys it bears is asked one at a time once it refuses`() {
    let run = learn(Keys(values: good, keysAtOnce: 1))
    #expect(run.capabilities?.highestStackLevel == 8)
    #expect(run.capabilities?.connectors == 2)
  }

  @Test func `keys in another case, quotes, blanks and W for Power are understood (evcc#16186, #16255)`() {
    let run = learn(
      Keys(values: [
        ("chargingscheduleallowedchargingrateunit", "\"W\""), ("chargeProfileMaxStackLevel", " 3 "),
        ("meterValueSampleInterval", "10"), ("MeterValuesSampledData", "\"Current.Import, Voltage\""),
      ]))
    #expect(run.capabilities?.acceptsAmperes == false)
    #expect(run.capabilities?.acceptsWatts == true)
    #expect(run.capabilities?.highestStackLevel == 3)
    #expect(run.capabilities?.maximumPeriods == nil)
    #expect(run.capabilities?.remarks.contains("ChargingScheduleMaxPeriods: not said") == true)
  }

  @Test func `a list with one unsupported measurand is refused as a whole, so smaller ones are tried`() {
    let run = learn(
      Keys(
        values: good,
        change: { key, value in
          .status(key == "MeterValuesSampledData" && (value.contains("SoC") || value.contains("Offered")) ? "Rejected" : "Accepted")
        }))
    #expect(run.capabilities?.samplesCurrent == true)
    #expect(
      run.asked.last
        == .changeConfiguration(
          key: "MeterValuesSampledData", value: "Energy.Active.Import.Register,Power.Active.Import,Current.Import,Voltage"))
  }

  @Test func `a station with a least interval gets the next longer one (Easee 30 s, Mennekes 60 s)`() {
    let run = learn(
      Keys(
        values: good.filter { $0.key != "MeterValueSampleInterval" },
        change: { key, value in
          .status(key == "MeterValueSampleInterval" && value == "10" ? "Rejected" : "Accepted")
        }))
    #expect(run.capabilities?.sampleInterval == 30)
  }

  @Test func `what is right already is not written again (flash wears, libocpp#543)`() {
    let all = Learning.measurands[0].joined(separator: ", ")
    let values =
      good.filter { !$0.key.hasPrefix("MeterValue") } + [("MeterValueSampleInterval", "10"), ("MeterValuesSampledData", all)]
    let run = learn(Keys(values: values))
    #expect(!run.asked.contains { if case .changeConfiguration = $0 { true } else { false } })
    #expect(run.capabilities?.samplesCurrent == true)
  }

  @Test func `a station that refuses everything is learnt nothing of, and the remarks say why`() {
    let run = learn(Keys(values: [], change: { _, _ in .fault(CallFault(.notImplemented, "")) }))
    #expect(run.capabilities?.acceptsAmperes == nil)
    #expect(run.capabilities?.sampleInterval == nil)
    #expect(run.capabilities?.samplesCurrent == nil)
    #expect(run.capabilities?.remarks.isEmpty == false)
  }

  @Test func `a station that hangs on each call is left alone after two (EN+, evcc#30113)`() {
    let run = learn(Keys(values: good, change: { _, _ in nil }, givesConfiguration: false))
    #expect(run.asked.count == 2)
    #expect(run.capabilities?.remarks.contains("gave up after 2 calls without an answer") == true)
  }

  @Test func `a model that reboots when asked for its measurands is never asked (ABB Terra AC, lbbrhzn#1275)`() {
    let run = learn(Keys(values: good)) { $0.avoidedCalls = ["GetConfiguration:MeterValuesSampledData"] }
    for command in run.asked {
      if case .getConfiguration(let names) = command { #expect(!names.contains("MeterValuesSampledData")) }
    }
    #expect(run.capabilities?.samplesCurrent == true)
    let silent = learn(Keys(values: good)) { $0.avoidedCalls = ["GetConfiguration", "ChangeConfiguration"] }
    #expect(silent.asked == [])
    #expect(silent.capabilities?.remarks.count == 3)
  }

  @Test func `what is urgent goes between the steps of learning`() {
    var dialogue = openDialogue()
    let first = dialogue.command(CommandID(1), .learn(sampleInterval: .seconds(10)), urgency: .routine, at: at(0))
    _ = dialogue.command(CommandID(2), limit(1, 60), urgency: .decrease, at: at(0))
    let next = dialogue.received("[3,\"\(messageID(first.frames[0]))\",{\"unknownKey\":[\"GetConfigurationMaxKeys\"]}]", at: at(1))
    #expect(next.frames.map(action) == ["SetChargingProfile"])
  }
}
