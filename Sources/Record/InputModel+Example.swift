import Control
import Quantities
import Site

extension InputModel {
  /// A model that has seen a hub before: a block is too short to learn in it what is usual. Part of the form of the moments: another example
  /// is another form.
  static let experienced: InputModel = {
    var (model, unused) = (InputModel(), RangeEncoder())
    let stamp = EventStamp(utc: Instant(milliseconds: 0), monotonic: Monotonic(milliseconds: 90_000_000), sequence: 1)
    do {
      _ = try model.codeCircuits(exampleCircuits, at: stamp, &unused)
      _ = try model.codeConnectors(exampleConnectors[...], at: stamp, &unused)
    } catch {
      preconditionFailure("an example that cannot be written: \(error)")
    }
    return model
  }()

  private static func phases(_ l1: Int, _ l2: Int, _ l3: Int) -> PerPhase<Current> {
    PerPhase(.milliamperes(l1), .milliamperes(l2), .milliamperes(l3))
  }

  /// A connection with a building and two feeders, metered within the last second.
  private static let exampleCircuits: [HubView.CircuitView] = [
    circuit(
      125_000, phases(103_410, 98_720, 101_930), after: 310, base: phases(31_220, 27_840, 29_310), phases(72_940, 71_300, 73_280)),
    circuit(80_000, phases(36_480, 41_060, 38_900), after: 530, base: phases(0, 0, 0), phases(37_200, 41_900, 39_400)),
    circuit(80_000, phases(35_710, 29_820, 33_720), after: 530, base: phases(0, 0, 0), phases(36_100, 30_200, 34_500)),
  ]
  private static func circuit(
    _ limit: Int, _ measured: PerPhase<Current>, after age: Int, base: PerPhase<Current>, _ committed: PerPhase<Current>
  ) -> HubView.CircuitView {
    HubView.CircuitView(
      limit: phases(limit, limit, limit), limitSource: "rating", measured: measured, readingAge: .milliseconds(age), base: base,
      baseForCuts: base, worst: [], committed: committed, reserve: phases(6000, 6000, 6000))
  }

  private static let exampleConnectors: [HubView.ConnectorView] = [
    charging(1, 16_000, until: 90_580, phases(15_940, 15_910, 15_930), after: 4100, .maximum, wattHours: 6210),
    charging(2, 13_200, until: 90_580, phases(13_140, 13_100, 0), after: 4100, .full(circuit: 0, phase: .l1), wattHours: 11_734),
    free,
    charging(3, 13_200, until: 90_580, phases(13_110, 0, 0), after: 5300, .full(circuit: 0, phase: .l1), wattHours: 2096),
    charging(
      5, 12_400, until: 90_550, phases(12_310, 12_350, 12_330), after: 5300, .full(circuit: 1, phase: .l2), wattHours: 18_455),
    still(.suspendedEV, 4, 6000, until: 90_580, .demand, wattHours: 23_870),
    free,
    charging(7, 13_200, until: 90_580, phases(13_150, 13_120, 13_160), after: 800, .full(circuit: 0, phase: .l1), wattHours: 731),
    still(
      .suspendedEVSE, 6, 0, until: nil, .waiting(circuit: 0, phase: .l1, next: Instant(milliseconds: 900_000)), wattHours: 5120),
    charging(8, 9800, until: 90_520, phases(9730, 9760, 9720), after: 800, .awaitingRoom(circuit: 0, phase: .l1), wattHours: 3345),
    still(.preparing, 9, 6000, until: nil, .notControlled(.commissioning), wattHours: 0),
    free,
    charging(10, 12_400, until: 90_580, phases(12_330, 0, 0), after: 2600, .planned, wattHours: 14_402),
    free,
  ]
  private static let free = HubView.ConnectorView(
    status: .available, transaction: nil, idTag: nil, offered: nil, offerEnds: nil, measured: nil, measuredAge: nil,
    committed: .zero,
    reason: .idle, energy: .zero, stateOfCharge: nil)

  private static func charging(
    _ transaction: Int, _ offer: Int, until seconds: Int, _ measured: PerPhase<Current>, after age: Int, _ reason: Reason,
    wattHours: Int
  ) -> HubView.ConnectorView {
    HubView.ConnectorView(
      status: .charging, transaction: transaction, idTag: nil, offered: .milliamperes(offer),
      offerEnds: Monotonic(milliseconds: seconds * 1000), measured: measured, measuredAge: .milliseconds(age),
      committed: measured.map { $0 == .zero ? .zero : .milliamperes(offer) }, reason: reason, energy: .wattHours(wattHours),
      stateOfCharge: nil)
  }
  private static func still(
    _ status: ConnectorStatus, _ transaction: Int, _ offer: Int, until seconds: Int?, _ reason: Reason, wattHours: Int
  ) -> HubView.ConnectorView {
    HubView.ConnectorView(
      status: status, transaction: transaction, idTag: nil, offered: .milliamperes(offer),
      offerEnds: seconds.map { Monotonic(milliseconds: $0 * 1000) }, measured: .zero, measuredAge: .seconds(9),
      committed: phases(offer, offer, offer), reason: reason, energy: .wattHours(wattHours), stateOfCharge: nil)
  }
}
