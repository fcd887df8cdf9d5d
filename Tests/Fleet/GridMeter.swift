import Loop
import Metering
import ModbusLink
import SiteFiles
import Threads

/// A Modbus TCP meter at the connection: a base load on each phase beside what the stations draw.
final class GridMeter: Sendable {
  private struct Load {
    var base = 0.0
    var draws = [0.0, 0.0, 0.0]
    /// When the meter first answered with registers that show the newest base, by the monotonic clock; nil: they have not been asked for
    /// since.
    var answeredAt: Double? = 0
    /// The load as the registers show it, and as they showed it before the base changed.
    var image = RegisterImage()
    var before = RegisterImage()
  }
  private let load = Locked(Load())
  private let map: RegisterMap
  private let server: Locked<ModbusServer?> = Locked(nil)

  init(folder: String, profile name: String, port: Int) throws {
    guard let map = try ProfileFolder.locate(named: folder).meter(named: name).map else {
      preconditionFailure("\(name) is no register map")
    }
    self.map = map
    show()
    let (load) = (load)
    let started = try ModbusServer(tcp: port) { _, range in
      load.with { load in
        if load.answeredAt == nil, load.image.words(range) != load.before.words(range) { load.answeredAt = monotonicMilliseconds() }
        return load.image.words(range).map { .words($0) } ?? .exception(2)
      }
    }
    server.with { $0 = started }
  }

  func add(_ amperes: Double, phase: Int) {
    load.with { $0.draws[phase] += amperes }
    show()
  }
  func setBase(_ amperes: Double) {
    load.with { ($0.base, $0.answeredAt, $0.before) = (amperes, nil, $0.image) }
    show()
  }
  /// Milliseconds of the monotonic clock; 0: not yet.
  var changeAnswered: Double { load.with { $0.answeredAt ?? 0 } }

  private static let voltages: [MeterQuantity] = [.voltage1, .voltage2, .voltage3]
  private static let currents: [MeterQuantity] = [.current1, .current2, .current3]
  private static let powers: [MeterQuantity] = [.power1, .power2, .power3]

  private func show() {
    load.with { load in
      var values = MeterValues()
      var total = 0
      for i in 0..<3 {
        let current = Int((load.base + load.draws[i]) * 1000)
        let power = current * 230
        (values[Self.voltages[i]], values[Self.currents[i]], values[Self.powers[i]]) = (230_000, current, power)
        total += power
      }
      values[.totalPower] = total
      (values[.imported], values[.exported], values[.frequency]) = (1_000_000, 0, 50_000)
      guard var image = try? RegisterImage(values, as: map) else { preconditionFailure("the load does not fit the registers") }
      image.fillGaps(upTo: 64)
      load.image = image
    }
  }
}
