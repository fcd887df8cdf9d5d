import Quantities
import Site

/// A meter on a circuit, with its own phase order and sign; it samples on change and at the latest before it would be stale.
public struct EmulatedMeter: Sendable {
  public enum Trouble: Hashable, Sendable {
    case none
    /// No answers.
    case silent
    /// The same registers again and again.
    case frozen
    /// One reading far off, then sane again.
    case jumping
    /// Words without sense; only where there are words.
    case babbling
  }
  public let circuit: Int
  public let measurement: Circuit.Measurement
  public let period: Int
  public var trouble = Trouble.none
  public var troubleUntil = 0
  var isChanged = true
  var lastSampled = Int.min / 2
  var last: MeterReading?
  var silentSince: Int?
  /// Of energy towards what is measured, mWh; nil: it has none. It shows steps of 10 Wh.
  var register: Int?
  /// mW·ms beyond `register`.
  private var uncounted = 0
  private var countedUntil = 0

  init(circuit: Int, measurement: Circuit.Measurement, period: Int) {
    (self.circuit, self.measurement, self.period) = (circuit, measurement, period)
  }

  /// `flow` (mA, circuit order) has been flowing until `now`.
  mutating func count(_ flow: ArraySlice<Int>, until now: Int) {
    guard let whole = register else { return }
    uncounted += max(0, flow.reduce(0, +)) * 230 * (now - countedUntil)
    countedUntil = now
    register = whole + uncounted / 3_600_000
    uncounted %= 3_600_000
  }

  /// Reads `flow` (mA, circuit order).
  mutating func read(_ flow: [Int], at now: Int, _ random: inout SeededRandom) -> MeterReading? {
    if trouble != .none, now >= troubleUntil { trouble = .none }
    lastSampled = now
    switch trouble {
    case .silent: return nil
    case .frozen: if let last { return last }
    case .none, .jumping, .babbling: break
    }
    var values = PerPhase(Current(raw: flow[0]), Current(raw: flow[1]), Current(raw: flow[2]))
    if trouble == .jumping, random.chance(300) { values = values.map { Current(raw: $0.raw * 3) } }
    if measurement.inverted { values = values.map { -$0 } }
    let own = measurement.rotation.onDevice(values)
    let power = own.map { $0.power(at: .volts(230), phases: 1) }
    count(flow[...], until: now)
    let counted = register.map { Energy(raw: $0 / 10_000 * 10_000) }
    let reading = MeterReading(
      meter: measurement.meter, age: .milliseconds(random.pick(10...80)), current: own, power: power, totalPower: power.sum,
      voltage: PerPhase(all: .volts(230)), imported: measurement.inverted ? nil : counted,
      exported: measurement.inverted ? counted : nil)
    last = reading
    isChanged = false
    return reading
  }
}
