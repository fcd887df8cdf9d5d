import ChargingProfiles
import Quantities
import Site
import Testing

@testable import OCPP

@Suite struct EmulatedConfigurationTests {
  let can = StationCapabilities(
    acceptsAmperes: true, acceptsWatts: false, highestStackLevel: 3, maximumPeriods: 6, maximumProfiles: 4, connectors: 2)

  /// What is learnt of a station with this configuration, and the configuration afterwards.
  func learn(_ configuration: EmulatedConfiguration) -> (StationCapabilities?, EmulatedConfiguration) {
    var configuration = configuration
    var wire = Wire()
    wire.command(1, .learn(sampleInterval: .seconds(10)), 1)
    for second in 2..<40 {
      if case .outcome(_, .learned(let capabilities))? = wire.events.last { return (capabilities, configuration) }
      guard case .asked(_, let command)? = wire.stationEvents.last else { break }
      switch command {
      case .getConfiguration(let names): wire.reply(configuration.reply(to: names), Double(second))
      case .changeConfiguration(let key, let value): wire.reply(configuration.change(key, to: value), Double(second))
      default: break
      }
    }
    return (nil, configuration)
  }

  @Test func `what an emulated station can is what is learnt of it`() {
    let (learnt, after) = learn(EmulatedConfiguration(can))
    #expect(learnt?.acceptsAmperes == true)
    #expect(learnt?.acceptsWatts == false)
    #expect(learnt?.highestStackLevel == 3)
    #expect(learnt?.maximumPeriods == 6)
    #expect(learnt?.maximumProfiles == 4)
    #expect(learnt?.connectors == 2)
    #expect(learnt?.samplesCurrent == true)
    #expect(after.sampleInterval == .seconds(10))
    #expect(after.sampledMeasurands == EmulatedConfiguration.allMeasurands)
  }

  @Test func `one that gives a key at a time and has no Current.Import is learnt all the same`() {
    let poor = EmulatedConfiguration(can, keysAtOnce: 1, measurands: ["Energy.Active.Import.Register", "Power.Active.Import"])
    let (learnt, after) = learn(poor)
    #expect(learnt?.maximumPeriods == 6)
    #expect(learnt?.samplesCurrent == false)
    #expect(after.sampledMeasurands == ["Energy.Active.Import.Register", "Power.Active.Import"])
  }

  @Test func `an outcome becomes the reply that ends in the same outcome`() {
    let commands: [(StationCommand, CommandOutcome)] = [
      (limit(1, 60), .accepted), (limit(1, 60), .refused("NotSupported")), (limit(1, 60), .refused("Rejected")),
      (limit(1, 60), .refused("PropertyConstraintViolation")), (.unlock(connector: 1), .accepted),
      (.getDiagnostics(location: "ftp://h/"), .accepted), (.clearCache, .refused("NotSupported")),
      (.readComposite(connector: 1, duration: .seconds(60), unit: .amperes), .composite(profile(60).schedule)),
      (.readComposite(connector: 1, duration: .seconds(60), unit: .amperes), .refused("Rejected")),
      (.changeAvailability(connector: 0, operative: true), .refused("Scheduled")),
    ]
    for (command, outcome) in commands {
      var wire = Wire()
      wire.command(1, command, 1)
      guard let reply = StationReply(outcome, to: command, at: noon) else {
        Issue.record("no reply for \(outcome)")
        continue
      }
      wire.reply(reply, 2)
      #expect(wire.events.last == .outcome(CommandID(1), outcome))
    }
    #expect(StationReply(.lost, to: .clearCache, at: noon) == nil)
  }
}
