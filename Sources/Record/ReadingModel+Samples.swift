import Quantities
import Site

/// A connector's last sample, as far as the next one is expected from it.
struct ConnectorMemory: Sendable {
  var sample: ConnectorSample
  var transaction: Int?
  var shape: UInt8
  /// When it reached the mind.
  var at: Instant
}

extension ReadingModel {
  mutating func codeSample<Coder: DecisionCoder>(
    _ given: ConnectorSample, _ transaction: Int?, _ place: Int, _ stamp: EventStamp, _ coder: inout Coder
  ) -> (ConnectorSample, Int?) {
    let before = devices[place].connector
    let neighbour = lastConnector.flatMap { devices[$0].connector }
    let like = before ?? neighbour
    let shape = codeShape(
      Self.shape([
        given.takenAt != nil, given.current != nil, given.power != nil, given.voltage != nil, given.register != nil,
        given.offered != nil, given.stateOfCharge != nil, transaction != nil,
      ]), .connectorShape, last: like?.shape, &coder)
    var result = ConnectorSample(takenAt: nil)
    let isFirst = before == nil
    let session =
      shape & 128 == 0
      ? nil : code(transaction ?? 0, isFirst ? .firstTransaction : .transaction, expecting: like?.transaction ?? 0, &coder)
    if shape & 1 != 0 { result.takenAt = codeTaken(given.takenAt, like, stamp, &coder) }
    if shape & 32 != 0 {
      let expected = like?.sample.offered?.raw ?? 0
      result.offered = Current(
        raw: code(given.offered?.raw ?? 0, isFirst ? .firstOffer : .offer, expecting: expected, &coder))
    }
    if shape & 2 != 0 { result.current = codeCurrent(given, before, offered: result.offered, &coder) }
    if shape & 8 != 0 { result.voltage = codeVoltage(given, like, &coder) }
    if shape & 4 != 0 { result.power = codePower(given, result, before, &coder) }
    if shape & 16 != 0 { result.register = codeRegister(given, result, before, stamp, &coder) }
    if shape & 64 != 0 {
      result.stateOfCharge = code(given.stateOfCharge ?? 0, .charge, expecting: like?.sample.stateOfCharge ?? 0, &coder)
    }
    devices[place].connector = ConnectorMemory(sample: result, transaction: session, shape: shape, at: stamp.utc)
    return (result, session)
  }

  /// Expected: now, or as long before it reached the mind as the last one.
  private mutating func codeTaken<Coder: DecisionCoder>(
    _ given: Instant?, _ like: ConnectorMemory?, _ stamp: EventStamp, _ coder: inout Coder
  ) -> Instant {
    let now = stamp.utc.milliseconds
    var late = 0
    if let like, let taken = like.sample.takenAt { late = like.at.milliseconds &- taken.milliseconds }
    return Instant(
      milliseconds: taken.code(given?.milliseconds ?? 0, [now, now &- late], &numbers[Number.taken.rawValue], &coder))
  }

  /// Expected: what it is offered, the same as the conductor before; or as the last time; or nothing.
  private mutating func codeCurrent<Coder: DecisionCoder>(
    _ given: ConnectorSample, _ before: ConnectorMemory?, offered: Current?, _ coder: inout Coder
  ) -> PerPhase<Current> {
    var (current, neighbour) = (PerPhase<Current>.zero, offered?.raw ?? 0)
    for phase in Phase.allCases {
      neighbour = sampleCurrents[phase.rawValue].code(
        given.current?[phase].raw ?? 0, [neighbour, before?.sample.current?[phase].raw ?? 0, 0],
        &numbers[Number.sampleCurrent.rawValue], &coder)
      current[phase] = Current(raw: neighbour)
    }
    return current
  }

  private mutating func codeVoltage<Coder: DecisionCoder>(
    _ given: ConnectorSample, _ like: ConnectorMemory?, _ coder: inout Coder
  ) -> PerPhase<Voltage> {
    var (voltage, neighbour) = (PerPhase<Voltage>.zero, Self.nominal)
    for phase in Phase.allCases {
      let expected = like?.sample.voltage?[phase].raw ?? neighbour
      neighbour = code(given.voltage?[phase].raw ?? 0, .sampleVoltage, expecting: expected, &coder)
      voltage[phase] = Voltage(raw: neighbour)
    }
    return voltage
  }

  private mutating func codePower<Coder: DecisionCoder>(
    _ given: ConnectorSample, _ result: ConnectorSample, _ before: ConnectorMemory?, _ coder: inout Coder
  ) -> Power {
    var apparent = 0
    for phase in Phase.allCases {
      let voltage = result.voltage?[phase].raw ?? Self.nominal
      apparent &+= Self.scaled(voltage, result.current?[phase].raw ?? 0, over: 1000)
    }
    return Power(
      raw: samplePower.code(
        given.power?.raw ?? 0, [apparent, before?.sample.power?.raw ?? apparent], &numbers[Number.samplePower.rawValue], &coder))
  }

  /// Mostly whole watt-hours. Expected: the last one, or what the power has added to it.
  private mutating func codeRegister<Coder: DecisionCoder>(
    _ given: ConnectorSample, _ result: ConnectorSample, _ before: ConnectorMemory?, _ stamp: EventStamp, _ coder: inout Coder
  ) -> Energy {
    let last = before?.sample.register?.raw ?? 0
    let value = given.register?.raw ?? 0
    let unit = code(value % 1000 == 0 && last % 1000 == 0, .wattHours, &coder) ? 1000 : 1
    guard let before, before.sample.register != nil else {
      return Energy(raw: code(value / unit, .firstRegister, expecting: 0, &coder) &* unit)
    }
    let span = stamp.utc.milliseconds &- before.at.milliseconds
    let added = Self.scaled(max(0, result.power?.raw ?? 0), span, over: 3_600_000)
    let guesses = [last / unit, (last &+ added) / unit]
    return Energy(raw: sampleEnergy.code(value / unit, guesses, &numbers[Number.register.rawValue], &coder) &* unit)
  }
}
