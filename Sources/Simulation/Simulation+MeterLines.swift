import Control
import Metering
import Quantities
import Site

/// The Modbus line to one meter, in virtual time: the poller's requests, and the words of a real model's registers.
struct MeterLine {
  let map: RegisterMap
  var poller: Poller
  var decoder: MeterDecoder
  /// What its registers held when the first request of a reading came; nil: it does not answer.
  var image: RegisterImage?
  var words: [UInt16] = []
  var firstSent = 0
}

extension Simulation {
  /// A model for each meter, of those that can hold what its circuit may carry.
  func layMeterLines() {
    guard let wire = options.wire else { return }
    // Each has its counters.
    for m in meters.indices { meters[m].register = 1_000_000_000 }
    let maps = wire.meters.filter { $0.unfit == nil }.compactMap(\.map)
    meterLines = meters.map { meter in
      let most = Int(hub.circuits[meter.circuit].rating.largest.raw) * 3
      let fitting = maps.filter { map in
        [-most, most].allSatisfy { current in
          do throws(RegisterImage.Flaw) {
            _ = try RegisterImage(Self.values(PerPhase(all: Current(raw: current)), imported: 0, exported: 0), as: map)
            return true
          } catch { return false }
        }
      }
      precondition(!fitting.isEmpty, "no model of meter can show \(most) mA")
      let map = chance.choose(fitting)
      let decoder = MeterDecoder(map, meter: meter.measurement.meter)
      return MeterLine(
        map: map,
        poller: Poller(
          periods: [.milliseconds(meter.period)], requests: [decoder.plan.ranges.count], start: Monotonic(milliseconds: now)),
        decoder: decoder)
    }
  }

  private static func values(_ current: PerPhase<Current>, imported: Int, exported: Int) -> MeterValues {
    var values = MeterValues()
    var total = 0
    for (i, phase) in Phase.allCases.enumerated() {
      let power = current[phase].power(at: .volts(230), phases: 1).milliwatts
      values[MeterQuantity.voltages[i]] = 230_000
      values[MeterQuantity.currents[i]] = current[phase].raw
      values[MeterQuantity.powers[i]] = power
      total += power
    }
    (values[.totalPower], values[.frequency]) = (total, 50_000)
    (values[.imported], values[.exported]) = (imported, exported)
    return values
  }

  /// The poller's next request.
  func ask(_ m: Int) {
    switch meterLines[m].poller.next(at: Monotonic(milliseconds: now)) {
    case .idle(let due): timeline.add(.meter(m), at: max(now + 1, due.milliseconds))
    case .ask(_, let request, let timeout):
      if request == 0 {
        meterLines[m].words = []
        meterLines[m].firstSent = now
        meterLines[m].image = image(m)
      }
      guard let image = meterLines[m].image else { return timeline.add(.words(meter: m, nil), at: now + timeout.raw) }
      let range = meterLines[m].decoder.plan.ranges[request]
      guard var words = image.words(range) else { preconditionFailure("a meter without the registers of its model") }
      if meters[m].trouble == .babbling { words = words.map { _ in UInt16(chance.pick(0...0xFFFF)) } }
      timeline.add(.words(meter: m, words), at: now + chance.pick(5...40))
    }
  }

  private func image(_ m: Int) -> RegisterImage? {
    let k = meters[m].circuit
    guard let reading = meters[m].read(Array(flows[k * 3..<k * 3 + 3]), at: now, &random), let current = reading.current else {
      return nil
    }
    let values = Self.values(
      current, imported: reading.imported?.milliwattHours ?? 0, exported: reading.exported?.milliwattHours ?? 0)
    do throws(RegisterImage.Flaw) {
      var image = try RegisterImage(values, as: meterLines[m].map)
      image.fillGaps(upTo: 120)
      return image
    } catch { preconditionFailure("meter \(m) cannot show \(values): \(error)") }
  }

  /// An answer has come, or the time for it has passed.
  func heard(_ words: [UInt16]?, _ m: Int) {
    let verdict = meterLines[m].poller.report(words == nil ? .silent : .words, of: 0, at: Monotonic(milliseconds: now))
    meterLines[m].words += words ?? []
    switch verdict {
    case .more, .retry: break
    case .missed: think(.meterFault(meter: meters[m].measurement.meter, .silent))
    case .complete:
      switch meterLines[m].decoder.decode(meterLines[m].words, age: .milliseconds(now - meterLines[m].firstSent)) {
      case .reading(let reading): think(.reading(reading))
      case .fault(let fault): think(.meterFault(meter: meters[m].measurement.meter, fault))
      }
    }
    ask(m)
  }
}
