import Quantities
import Site

extension SiteController {
  /// Takes a meter's reading to the circuits that it measures.
  /// - Returns: whether anything needs to be reconsidered; an unchanged reading only becomes younger.
  /// - Complexity: O(circuits), and O(circuits) without allocating for an unchanged reading.
  mutating func take(_ reading: MeterReading, at now: EventStamp, _ out: inout [Effect]) -> Bool {
    guard hub.meters.indices.contains(reading.meter), let own = reading.current else { return false }
    let sampled = now.monotonic - reading.age
    var changed = false
    for k in hub.circuits.indices {
      guard let measurement = hub.circuits[k].measurement, measurement.meter == reading.meter else { continue }
      let wasStale = isStale(k, at: now.monotonic)
      if circuits[k].registers == reading.registers, circuits[k].reading != nil {
        circuits[k].readAt = sampled
        if wasStale || isFrozen(k, at: now.monotonic) { changed = true }
        continue
      }
      guard isPlausible(reading) else { continue }
      changed = true
      circuits[k].registers = reading.registers
      circuits[k].registersSince = now.monotonic
      circuits[k].readAt = sampled
      let turned = measurement.rotation.onCircuit(own)
      circuits[k].reading = measurement.inverted ? turned.map { -$0 } : turned
      circuits[k].totalPower = reading.totalPower.map { measurement.inverted ? -$0 : $0 }
      circuits[k].register = measurement.inverted ? reading.exported : reading.imported
      set(.meterFrozen(meter: reading.meter), raised: false, &out)
      noticeMovement(k, now.monotonic)
    }
    return changed
  }

  /// Rule 12: |P| above V x I x 1.1 + tolerance is refused; a low power factor is legitimate.
  func isPlausible(_ reading: MeterReading) -> Bool {
    guard let current = reading.current else { return false }
    let tolerance = Power.watts(50)
    for phase in Phase.allCases {
      if current[phase].magnitude > .amperes(20_000) { return false }
      if let total = reading.totalPower, total.magnitude > .watts(20_000_000) { return false }
      guard let power = reading.power?[phase] else { continue }
      let voltage = reading.voltage?[phase] ?? .volts(253)
      let most = current[phase].magnitude.power(at: voltage, phases: 1).scaled(11, over: 10) + tolerance
      if power.magnitude > most { return false }
    }
    return true
  }

  /// Rule 12: a phase on which the vehicles alone draw more than the meter sees, for three of its periods and until each was measured again, is
  /// suspect.
  private mutating func doubt(
    _ k: Int, vehicles: PerPhase<Current>, _ reading: PerPhase<Current>, _ now: Monotonic, _ out: inout [Effect]
  ) {
    let declared = generation(below: k)
    for phase in Phase.allCases {
      let contradicts = vehicles[phase] > reading[phase] + declared[phase] + .amperes(1)
      circuits[k].contradictedSince[phase] = contradicts ? circuits[k].contradictedSince[phase] ?? now : nil
      set(.meterSuspect(circuit: k, phase: phase), raised: isSuspect(k, phase, now), &out)
    }
  }

  /// Rule 13: no reading for several periods, or the same raw registers for long on a live circuit.
  func isStale(_ circuit: Int, at now: Monotonic) -> Bool {
    guard let measurement = hub.circuits[circuit].measurement, let readAt = circuits[circuit].readAt else { return true }
    return now - readAt > staleAfter(measurement.meter) || isFrozen(circuit, at: now)
  }

  func staleAfter(_ meter: Int) -> TimeSpan { hub.meters[meter].period * hub.settings.stalePeriods }

  /// Only a live circuit moves: one that reads nothing at all on any phase may well stand still.
  func isFrozen(_ circuit: Int, at now: Monotonic) -> Bool {
    guard let since = circuits[circuit].registersSince, let reading = circuits[circuit].reading else { return false }
    guard now - since > hub.settings.frozenAfter else { return false }
    return reading.map { $0.magnitude }.largest > .milliamperes(500)
  }

  /// The declared generation of a circuit and all below it.
  func generation(below circuit: Int) -> PerPhase<Current> { siteFacts.generationBelow[circuit] }

  /// Bounds on what the vehicles below a circuit drew when its meter took its newest sample. The facts are those of now.
  /// - Complexity: O(1), and O(connectors below) with each new sample.
  mutating func vehicleCurrent(below circuit: Int, at sampled: Monotonic, now: Monotonic) -> Draw {
    if let kept = facts.draws[circuit], kept.sampled == sampled { return kept.all }
    let draws = draws(below: circuit, at: sampled, now: now)
    facts.keep(draws, circuit: circuit)
    return draws.all
  }

  func draws(below circuit: Int, at sampled: Monotonic, now: Monotonic) -> Draws {
    Draws(sampled: sampled, siteFacts.connectorsBelow[circuit].map { draw($0, at: sampled, now: now) })
  }

  func draw(_ c: Int, at sampled: Monotonic, now: Monotonic) -> Draw {
    Draw(lowest: lowestDraw(c, at: sampled, now: now), highest: highestDraw(c, at: sampled, now: now))
  }

  /// Rule 11: the lower of the samples that bracket `sample`, and of what it was told since the newest of them; nothing if that is older
  /// than two intervals or the phases are unknown.
  func lowestDraw(_ c: Int, at sample: Monotonic, now: Monotonic) -> PerPhase<Current> {
    guard hub.connectors[c].wiring != nil, let newest = connectors[c].newest, isFresh(newest.at, c, now) else { return .zero }
    let least = newest.least ?? newest.current
    guard newest.at > sample else { return least.minimum(leastAllowed(c, since: newest.at)) }
    return connectors[c].before.map { least.minimum($0.least ?? $0.current) } ?? least
  }

  /// What it may have been told to go down to since it was measured.
  private func leastAllowed(_ c: Int, since measured: Monotonic) -> PerPhase<Current> {
    guard let sent = connectors[c].lastSent, sent >= measured, let least = connectors[c].beliefs.lazy.map(\.current).min() else {
      return PerPhase(all: hardwareMaximum(c))
    }
    return PerPhase(all: least < minimum(c) ? .zero : least)
  }

  /// The most it may have drawn: about what was measured around `sample` when that is known, no more than what is committed now.
  func highestDraw(_ c: Int, at sample: Monotonic, now: Monotonic) -> PerPhase<Current> {
    guard let newest = connectors[c].newest, isFresh(newest.at, c, now), newest.at >= sample else {
      return facts.known[c].committed
    }
    let measured = newest.current.maximum(connectors[c].before?.current ?? newest.current)
    let most = PerPhase(hub.settings.followTolerance, on: phases(c)) + measured
    return most.minimum(facts.known[c].committed.maximum(measured))
  }

  func isFresh(_ at: Monotonic, _ c: Int, _ now: Monotonic) -> Bool { now - at <= freshness(c) }

  /// How old the newest sample may be.
  func freshness(_ c: Int) -> TimeSpan { station(of: c).traits.sampleInterval * 2 + .seconds(2) }

  /// Brings each circuit's uncontrolled load up to date (rules 3, 11, 13).
  /// - Returns: per circuit: as it counts for rises and for cuts, and whether it is the configured worst.
  mutating func updateBases(_ now: EventStamp, _ out: inout [Effect]) -> [Base] {
    var bases = [Base](repeating: Base(rises: .zero, cuts: .zero, worst: PerPhase(all: true)), count: circuits.count)
    var own = hub.circuits.map { $0.baseWorst }
    var ownCuts = own
    for k in hub.circuits.indices.reversed() {
      // `own` has gathered the children's loads by now: what counts when this circuit has no reading.
      bases[k].rises = own[k]
      bases[k].cuts = ownCuts[k]
      if let measurement = hub.circuits[k].measurement {
        let stale = isStale(k, at: now.monotonic)
        set(.meterStale(meter: measurement.meter), raised: stale && !isFrozen(k, at: now.monotonic), &out)
        set(.meterFrozen(meter: measurement.meter), raised: stale && isFrozen(k, at: now.monotonic), &out)
        judgeSteps(k, now.monotonic, &out)
        if !stale { measure(k, now, &bases[k], &out) } else { forgetMeasure(k) }
      }
      if let parent = hub.circuits[k].parent {
        for phase in Phase.allCases {
          // Rule 3: what is generated below gives the parent no more room than it gives here.
          own[parent][phase] = own[parent][phase] + counted(bases[k].rises[phase], k, phase)
          ownCuts[parent][phase] = ownCuts[parent][phase] + counted(bases[k].cuts[phase], k, phase)
        }
      }
    }
    return bases
  }

  private mutating func forgetMeasure(_ k: Int) {
    (circuits[k].baseForCuts, circuits[k].contradictedSince) = (nil, PerPhase(all: nil))
  }

  private mutating func measure(_ k: Int, _ now: EventStamp, _ base: inout Base, _ out: inout [Effect]) {
    guard let reading = circuits[k].reading, let readAt = circuits[k].readAt else { return }
    let vehicles = vehicleCurrent(below: k, at: readAt, now: now.monotonic)
    doubt(k, vehicles: vehicles.lowest, reading, now.monotonic, &out)
    let declared = generation(below: k)
    // The load lies between these two; it is taken to be what it was unless the reading proves otherwise.
    let most = (reading - vehicles.lowest).maximum(declared.map { -$0 })
    let least = (reading - vehicles.highest).maximum(declared.map { -$0 })
    let before = circuits[k].baseForCuts ?? most
    var cuts = before.maximum(least).minimum(most)
    // Rule 21: what is over its limit for long is taken to be the load, whatever vehicles of which nothing is measured might draw.
    for phase in Phase.allCases {
      if let since = circuits[k].overSince[phase], now.monotonic - since >= hub.settings.excessPatience {
        cuts[phase] = most[phase]
      }
    }
    circuits[k].baseForCuts = cuts
    circuits[k].notice(most, at: now.monotonic, span: sampleInterval * 2)
    let rises = circuits[k].baseForRises
    for phase in Phase.allCases where !isSuspect(k, phase, now.monotonic) {
      if mayRise(k, phase, now.monotonic) { base.rises[phase] = rises[phase] }
      base.cuts[phase] = cuts[phase]
      base.worst[phase] = false
    }
  }

  /// The longest sampling interval of the hub.
  var sampleInterval: TimeSpan { siteFacts.sampleInterval }
}

/// The load of a circuit that is not controlled.
struct Base {
  var rises: PerPhase<Current>
  var cuts: PerPhase<Current>
  /// The configured worst stands in for a reading.
  var worst: PerPhase<Bool>
}
