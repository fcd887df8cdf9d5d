import ChargingProfiles
import Control
import Quantities
import Site
import Testing

@testable import Simulation

@Suite struct ChanceTests {
  /// Source: the published sequence of SplitMix64 for the seed 1234567.
  @Test func `the same seed gives the same numbers as everywhere`() {
    var random = SeededRandom(seed: 1_234_567)
    let expected: [UInt64] = [
      6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423, 4_593_380_528_125_082_431,
      16_408_922_859_458_223_821,
    ]
    for value in expected { #expect(random.next() == value) }
  }

  @Test func `what happens at the same time happens in the order in which it was planned`() {
    var timeline = Timeline<String>()
    for (at, item) in [(5, "e"), (3, "b"), (3, "c"), (1, "a"), (4, "d")] { timeline.add(item, at: at) }
    var order = ""
    while let next = timeline.removeFirst() { order += next.item }
    #expect(order == "abcde")
  }
}

@Suite struct ExcessWatchTests {
  @Test func `a fuse bears a tenth more for a minute, not longer`() {
    var watch = ExcessWatch(rating: .amperes(100), curve: .standard)
    #expect(watch.change(to: 109_000, at: 0) == nil)
    #expect(watch.change(to: 108_000, at: 60_000) == nil)
    #expect(watch.change(to: 50_000, at: 60_001)?.above == 100_000)
  }

  @Test func `a short peak below the curve is no violation, and the time starts anew`() {
    var watch = ExcessWatch(rating: .amperes(100), curve: .standard)
    #expect(watch.change(to: 150_000, at: 0) == nil)
    #expect(watch.change(to: 90_000, at: 4900) == nil)
    #expect(watch.change(to: 150_000, at: 5000) == nil)
    #expect(watch.change(to: 90_000, at: 10_001)?.above == 145_000)
  }
}

@Suite struct EmulatedStationTests {
  private func station(_ quirks: [StationQuirk] = [], fallback: Int = 8) -> EmulatedStation {
    EmulatedStation(
      Station(id: "s", connectors: 0..<1),
      connectors: [Connector(station: 0, number: 1, circuit: 0, fallback: .amperes(fallback))], quirks: quirks,
      epoch: Simulation.epoch, offset: 0, random: SeededRandom(seed: 1))
  }

  /// Plugs a vehicle in and lets the central system say yes to everything.
  private func charge(_ station: inout EmulatedStation, until end: Int) {
    station.connect(at: 0, boots: true)
    station.plugIn(
      0, Vehicle(conductors: .all, maximum: .amperes(32), energy: .wattHours(60_000)), idTag: "t", leaving: 7_200_000, at: 0)
    run(&station, from: 0, to: end)
  }

  private func run(_ station: inout EmulatedStation, from start: Int, to end: Int) {
    var now = start
    while true {
      while !station.said.isEmpty {
        switch station.said.removeFirst() {
        case .authorise(_, let ticket): station.hear(.authorise(.accepted), ticket: ticket, at: now)
        case .start(_, let ticket): station.hear(.start(transaction: 7, .accepted), ticket: ticket, at: now)
        default: break
        }
      }
      guard station.nextWake <= end else { break }
      now = max(now, station.nextWake)
      station.wake(at: now)
    }
  }

  private func grant(_ offer: Int, fallback: Int = 8, until: Int, at now: Int) -> StationCommand {
    let utc = Simulation.epoch + TimeSpan(raw: now)
    let grant = ChargingProfile.grant(
      id: 201, transaction: 7, route: .transaction, offer: .amperes(offer), until: Simulation.epoch + TimeSpan(raw: until),
      fallback: .amperes(fallback), now: utc, transactionStart: nil, traits: StationTraits(model: "m"), supply: .ac, phases: 3,
      voltage: .volts(207), stackLevel: 5)
    return .setProfile(connector: 1, grant.profile)
  }

  @Test func `a vehicle that nobody speaks to draws the fallback`() {
    var station = station()
    charge(&station, until: 120_000)
    #expect(station.bays[0].draw == 8000)
    #expect(station.bays[0].status == .charging)
    #expect(station.bays[0].transaction?.id == 7)
  }

  @Test func `an offer is followed within the reaction times and ends in the fallback by itself`() {
    var station = station()
    charge(&station, until: 120_000)
    #expect(station.receive(grant(20, until: 720_000, at: 120_000), at: 120_000) == .accepted)
    run(&station, from: 120_000, to: 170_000)
    #expect(station.bays[0].draw == 20_000)
    run(&station, from: 170_000, to: 719_000)
    #expect(station.bays[0].draw == 20_000)
    run(&station, from: 719_000, to: 770_000)
    #expect(station.bays[0].draw == 8000)
  }

  @Test func `0 A suspends the vehicle and a new offer resumes it`() {
    var station = station()
    charge(&station, until: 120_000)
    _ = station.receive(grant(0, until: 3_600_000, at: 120_000), at: 120_000)
    run(&station, from: 120_000, to: 170_000)
    #expect(station.bays[0].draw == 0)
    #expect(station.bays[0].status == .suspendedEVSE)
    _ = station.receive(grant(10, until: 3_600_000, at: 170_000), at: 170_000)
    run(&station, from: 170_000, to: 220_000)
    #expect(station.bays[0].draw == 10_000)
  }

  @Test func `a station that ignores profiles says yes and draws what it likes`() {
    var station = station([.acceptsButIgnores])
    charge(&station, until: 120_000)
    #expect(station.receive(grant(6, until: 720_000, at: 120_000), at: 120_000) == .accepted)
    run(&station, from: 120_000, to: 170_000)
    #expect(station.bays[0].draw == 32_000)
  }

  @Test func `without a link a transaction is kept and told later`() {
    var station = station()
    station.plugIn(
      0, Vehicle(conductors: .l1, maximum: .amperes(16), energy: .wattHours(1000)), idTag: "t", leaving: 600_000, at: 0)
    run(&station, from: 0, to: 700_000)
    #expect(station.said.isEmpty)
    station.connect(at: 700_000, boots: false)
    let told = station.said.compactMap { message -> String? in
      switch message {
      case .start: "start"
      case .stop: "stop"
      default: nil
      }
    }
    #expect(told == ["start", "stop"])
  }
}

@Suite struct HubGeneratorTests {
  @Test func `the fallbacks and the worst base load of every random hub fit below its fuses`() {
    for seed in 1...300 as ClosedRange<UInt64> {
      let hub = HubGenerator.make(seed: seed).hub
      for k in hub.circuits.indices {
        var sum = PerPhase<Current>.zero
        for other in hub.circuits.indices where HubGenerator.isBelow(other, k, hub.circuits) {
          sum += hub.circuits[other].baseWorst
        }
        for connector in hub.connectors where HubGenerator.isBelow(connector.circuit, k, hub.circuits) {
          sum += PerPhase(connector.fallback, on: connector.phases)
        }
        for phase in Phase.allCases {
          #expect(sum[phase] <= hub.circuits[k].rating[phase], "seed \(seed) circuit \(k) \(phase.name)")
        }
      }
    }
  }

  @Test func `the same seed makes the same hub`() {
    #expect(HubGenerator.make(seed: 9).hub == HubGenerator.make(seed: 9).hub)
    #expect(HubGenerator.make(seed: 9).hub != HubGenerator.make(seed: 10).hub)
  }
}
