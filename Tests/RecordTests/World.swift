import ChargingProfiles
import Control
import Quantities
import Record
import Site

/// A generator that anyone can write again: SplitMix64.
struct Dice {
  var seed: UInt64
  mutating func roll(_ bound: Int) -> Int {
    seed = seed &+ 0x9e37_79b9_7f4a_7c15
    var z = seed
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return Int((z ^ (z >> 31)) % UInt64(bound))
  }
  mutating func maybe<Value>(_ value: Value) -> Value? { roll(3) == 0 ? nil : value }
}

let noon = Instant(seconds: 1_767_614_400)  // 2026-01-05T12:00:00Z

func stamp(_ sequence: UInt64, after milliseconds: Int = 0) -> EventStamp {
  EventStamp(utc: noon + .milliseconds(milliseconds), monotonic: Monotonic(milliseconds: 5000 + milliseconds), sequence: sequence)
}

extension Dice {
  mutating func phases<Value: Quantity>(_ bound: Int) -> PerPhase<Value> {
    PerPhase(Value(raw: roll(bound) - bound / 4), Value(raw: roll(bound)), Value(raw: roll(bound)))
  }
  mutating func reading() -> MeterReading {
    MeterReading(
      meter: roll(3), age: .milliseconds(roll(300)), current: maybe(phases(80_000)), power: maybe(phases(18_000_000)),
      totalPower: maybe(Power(raw: roll(50_000_000) - 9_000_000)), voltage: maybe(phases(240_000)),
      imported: maybe(Energy(raw: roll(1 << 40))), exported: maybe(Energy(raw: roll(1 << 20))),
      registers: UInt64(roll(2)) &* 0xdead_beef_dead_beef)
  }
  mutating func sample() -> Event {
    let sample = ConnectorSample(
      takenAt: maybe(noon + .milliseconds(roll(1_000_000))), current: maybe(phases(32_000)),
      power: maybe(Power(raw: roll(22_000_000))),
      voltage: maybe(phases(240_000)), register: maybe(Energy(raw: roll(1 << 36))), offered: maybe(Current(raw: roll(32_000))),
      stateOfCharge: maybe(roll(101)))
    return .station(roll(5), .sampled(connector: 1 + roll(2), transaction: maybe(roll(1000)), sample))
  }
}

/// One of every kind of event that carries something worth losing.
func everyKindOfEvent() throws -> [Event] {
  var hub = Hub(id: "yard", circuits: [Circuit(id: "connection", rating: PerPhase(all: .amperes(63)))])
  hub.stations = [Station(id: "A", connectors: 0..<1)]
  hub.connectors = [Connector(station: 0, number: 1, circuit: 0)]
  let schedule = try Schedule(
    unit: .watts, duration: .hours(1), start: noon, periods: [.init(start: .zero, tenths: 110_000, phases: 3)], minimumTenths: 60)
  let profile = ChargingProfile(
    id: 4, stackLevel: 2, purpose: .transaction(id: nil), kind: .weekly, validFrom: noon, schedule: schedule)
  return [
    .configured(hub, version: "1.0 \u{1f50c}"), .restarted(version: "1.0"), .meterFault(meter: 1, .exception(2)),
    .meterFault(meter: 1, .silent), .station(3, .connected),
    .station(3, .booted(StationIdentity(vendor: "v", model: ""), RequestID(9))),
    .station(0, .clock(offset: .milliseconds(-70))), .station(0, .status(connector: 0, .suspendedEVSE, error: nil)),
    .station(0, .status(connector: 1, .faulted, error: "GroundFailure")),
    .station(
      1,
      .started(TransactionStart(connector: 1, idTag: "04A1", meterStart: .wattHours(5), at: nil, messageID: "m"), RequestID(.max))),
    .station(
      1, .stopped(TransactionStop(transaction: -1, idTag: nil, meterStop: .zero, at: noon, messageID: "n"), RequestID(0))),
    .station(2, .outcome(CommandID(7), .composite(nil))), .station(2, .outcome(CommandID(7), .composite(schedule))),
    .station(2, .outcome(CommandID(8), .learned(StationCapabilities(acceptsWatts: true, remarks: ["", "x"])))),
    .station(2, .outcome(CommandID(8), .configuration([.init(key: "k", readOnly: true, value: nil)], unknown: []))),
    .limitSet(Limit(id: "l", source: "DSO", circuit: 0, amount: .power(.watts(-4200)), from: noon)), .limitWithdrawn(id: "l"),
    .clockStepped(by: .seconds(-3)), .cancelled([CommandID(1), CommandID(2)]), .cancelled([]), .storeFailed, .deadline,
    .tripped(circuit: 0, fault: nil), .tripped(circuit: 1, fault: "no connection"),
    .trust(station: 0, .accepted), .order(.manualCap(circuit: 0, nil)), .order(.manualCap(circuit: 0, .zero)),
    .order(.hold(connector: 1, .amperes(6))), .order(.station(1, .setProfile(connector: 0, profile))),
    .order(.station(1, .clearProfiles(ProfileFilter(purpose: .transaction)))),
  ]
}
