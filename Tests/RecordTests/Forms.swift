import ChargingProfiles
import Control
import Quantities
import Site

/// Values with every member set, each to something else, for the tests that pin how they are written.
enum Forms {
  static func phases<Value: Quantity>(_ l1: Int, _ l2: Int, _ l3: Int) -> PerPhase<Value> {
    PerPhase(Value(raw: l1), Value(raw: l2), Value(raw: l3))
  }

  static var hub: Hub {
    var traits = StationTraits(model: "m")
    (traits.highestStackLevel, traits.maximumPeriods, traits.staticMaximum) = (8, 24, .amperes(20))
    traits.avoidedCalls = ["ClearCache"]
    var connector = Connector(station: 0, number: 1, circuit: 1)
    (connector.usualStay, connector.usualEnergy) = (.hours(3), .wattHours(9000))
    return Hub(
      id: "hub", name: "Hub", timeZone: "Europe/Berlin",
      circuits: [
        Circuit(id: "connection", rating: PerPhase(all: .amperes(63))),
        Circuit(
          id: "feeder", parent: 0, rating: phases(1, 2, 3),
          contract: ContractLimit(amount: .power(.watts(40_000)), window: .minutes(15), offset: .minutes(1)),
          baseWorst: phases(4, 5, 6), generation: phases(7, 8, 9), firmGeneration: phases(10, 11, 12),
          conductorRating: phases(13, 14, 15), measurement: Circuit.Measurement(meter: 0, rotation: .str, inverted: true),
          unbalanceLimit: .amperes(20), manualCap: phases(16, 17, 18), maintenance: true, margin: .amperes(2),
          arrivalReserve: .amperes(6)),
      ],
      meters: [
        Meter(id: "m1", profile: "p", bus: .tcp(host: "::1", port: 502), unit: 3),
        Meter(id: "m2", profile: "p", bus: .rtu(device: "/dev/ttyS0", baud: 9600, parity: "E", stopBits: 1)),
      ],
      stations: [Station(id: "A", state: .planned, traits: traits, trust: .accepted, connectors: 0..<1, idleCurrent: .amperes(1))],
      connectors: [connector], access: .anyone, planning: PlanningPolicy())
  }

  static var circuits: [HubView.CircuitView] {
    [
      HubView.CircuitView(
        limit: phases(63_000, 63_000, 50_000), limitSource: "fuse", measured: phases(31_000, -200, 7),
        readingAge: .milliseconds(40),
        base: phases(30_000, 0, 0), baseForCuts: phases(30_000, 1, 0), worst: [.l2, .l3], committed: phases(1000, 0, 7),
        reserve: phases(6000, 6000, 0)),
      HubView.CircuitView(
        limit: phases(1, 2, 3), limitSource: "a limit of somebody", measured: nil, readingAge: nil, base: .zero, baseForCuts: .zero,
        worst: [], committed: .zero, reserve: .zero),
    ]
  }
  static var connectors: [HubView.ConnectorView] {
    [
      HubView.ConnectorView(
        status: .charging, transaction: 12, idTag: nil, offered: .amperes(16), offerEnds: Monotonic(milliseconds: 605_000),
        measured: phases(15_900, 15_800, 0), measuredAge: .seconds(3), committed: phases(16_000, 16_000, 0),
        reason: .full(circuit: 1, phase: .l2), energy: .wattHours(4200), stateOfCharge: 55),
      HubView.ConnectorView(
        status: nil, transaction: nil, idTag: nil, offered: nil, offerEnds: nil, measured: nil, measuredAge: nil, committed: .zero,
        reason: .idle, energy: .zero, stateOfCharge: nil),
      HubView.ConnectorView(
        status: .charging, transaction: 11, idTag: nil, offered: .zero, offerEnds: nil, measured: .zero, measuredAge: .seconds(4),
        committed: .zero, reason: .full(circuit: 1, phase: .l2), energy: Energy(milliwattHours: 1), stateOfCharge: nil),
    ]
  }

  /// Readings of a meter and a connector, twice, with a digest of each of the three kinds.
  static var readings: [Event] {
    func meter(_ step: Int, _ registers: UInt64?) -> Event {
      .reading(
        MeterReading(
          meter: 1, age: .milliseconds(20 + step), current: phases(10_000 + step, 20_000, -3000),
          power: phases(2_300_000, 4_600_000 + step, -690_000), totalPower: Power(raw: 6_210_000 + step),
          voltage: phases(230_000, 230_100 - step, 229_900), imported: Energy(raw: 123_456_789 + step * 1700),
          exported: Energy(raw: 5), registers: registers))
    }
    func connector(_ step: Int) -> Event {
      .station(
        4,
        .sampled(
          connector: 2, transaction: 77,
          ConnectorSample(
            takenAt: noon + .milliseconds(step * 10_000 - 250), current: phases(16_000, 16_000 - step, 0),
            power: Power(raw: 7_360_000),
            voltage: phases(230_000, 231_000, 230_000 + step), register: .wattHours(1000 + step * 20), offered: .amperes(16),
            stateOfCharge: 40 + step)))
    }
    return [
      meter(0, nil), connector(0), meter(1, 0x0123_4567_89ab_cdef), meter(2, 0x0123_4567_89ab_cdef), connector(1),
      meter(2, 0x0123_4567_89ab_cdef),
    ]
  }
}
