import Foundation
import Metering
import Quantities
import Site

@testable import ModbusLink

/// Collects reports and lets a test wait for what it needs, without sleeping.
final class ReportBox: @unchecked Sendable {
  private let condition = NSCondition()
  private var reports: [MeterReport] = []
  func put(_ more: [MeterReport]) {
    condition.lock()
    reports += more
    condition.broadcast()
    condition.unlock()
  }
  /// Waits until the reports fulfil `isEnough`.
  /// - Returns: all reports; nil when that takes more than `seconds`.
  func wait(_ seconds: Double = 20, until isEnough: ([MeterReport]) -> Bool) -> [MeterReport]? {
    let deadline = Date(timeIntervalSinceNow: seconds)
    condition.lock()
    defer { condition.unlock() }
    while !isEnough(reports) {
      guard condition.wait(until: deadline) else { return nil }
    }
    return reports
  }
}

extension MeterReport {
  var reading: MeterReading? { if case .reading(let reading) = outcome { reading } else { nil } }
  var fault: MeterFault? { if case .fault(let fault) = outcome { fault } else { nil } }
}

/// An SDM630's currents, voltages and powers: float32 of 230 V, 10 A, 2300 W and their like, from the published encoding.
enum Example {
  static let map = RegisterMap(
    registers: (0..<3).flatMap { i in
      [
        Register(reads: [.voltage1, .voltage2, .voltage3][i], function: 4, address: 2 * i, format: .float32, scale: Scale(1000)),
        Register(
          reads: [.current1, .current2, .current3][i], function: 4, address: 6 + 2 * i, format: .float32, scale: Scale(1000)),
        Register(reads: [.power1, .power2, .power3][i], function: 4, address: 12 + 2 * i, format: .float32, scale: Scale(1000)),
      ]
    } + [Register(reads: .totalPower, function: 4, address: 52, format: .float32, scale: Scale(1000))],
    largestRequest: 50, takesSignFromPower: true)

  /// 10 A on each phase at 230 V, 6900 W in all.
  static let image: RegisterImage = {
    var image = RegisterImage()
    image.put([0x4366, 0, 0x4366, 0, 0x4366, 0], function: 4, at: 0)
    image.put([0x4120, 0, 0x4120, 0, 0x4120, 0], function: 4, at: 6)
    image.put([0x450F, 0xC000, 0x450F, 0xC000, 0x450F, 0xC000], function: 4, at: 12)
    image.put([0x45D7, 0xA000], function: 4, at: 52)
    return image
  }()

  /// A link to a meter at each bus.
  static func link(_ buses: Meter.Bus..., unit: Int = 1, deliver: @escaping MeterBus.Delivery) -> MeterLink {
    MeterLink(
      buses.enumerated().map {
        Meter(id: "meter \($0.offset)", profile: "example", bus: $0.element, unit: unit, period: .milliseconds(100))
      }, profiles: buses.map { _ in MeterProfile(name: "example", meter: "Example", source: "", layout: .registers(map)) },
      deliver: deliver)
  }

  static func unit(_ meter: Int, _ unit: Int, period: TimeSpan = .milliseconds(100)) -> MeterBus.Unit {
    MeterBus.Unit(meter: meter, unit: unit, period: period, layout: .registers(map))
  }
}
