import Glibc
import Metering
import ModbusLink
import Site

/// `sluice meter serve`: an emulated meter with fixed values, until a signal ends it.
struct MeterServing {
  typealias Problem = MeterCommand.Problem
  private let profile: MeterProfile
  private let unit: Int
  private let port: Int?
  private let line: Meter.Bus?
  private let values: MeterValues

  init(_ options: MeterOptions) throws(Problem) {
    profile = try options.profile()
    unit = try options.whole("--unit", 0...255, else: profile.defaultUnit)
    if let device = options.text("--rtu") {
      (port, line) = (nil, try options.serial(device))
    } else {
      guard options.text("--tcp") != nil else { throw Problem("where? --tcp PORT or --rtu DEVICE") }
      (port, line) = (try options.whole("--tcp", 0...65535, else: 0), nil)
    }
    let currents = try options.three("--current", else: 0)
    let voltages = try options.three("--voltage", else: 230_000)
    var values = MeterValues()
    let present = profile.map?.phases ?? .all
    var total = 0
    for i in 0..<3 where present.isEmpty || present.contains([.l1, .l2, .l3][i]) {
      let power = voltages[i] * currents[i] / 1000
      (values[Self.voltages[i]], values[Self.currents[i]], values[Self.powers[i]]) = (voltages[i], currents[i], power)
      total += power
    }
    values[.totalPower] = total
    values[.imported] = try options.whole("--imported", 0...1_000_000_000_000, else: 0) * 1000
    values[.exported] = try options.whole("--exported", 0...1_000_000_000_000, else: 0) * 1000
    values[.frequency] = 50_000
    self.values = values
  }
  private static let voltages: [MeterQuantity] = [.voltage1, .voltage2, .voltage3]
  private static let currents: [MeterQuantity] = [.current1, .current2, .current3]
  private static let powers: [MeterQuantity] = [.power1, .power2, .power3]

  func run() throws(Problem) -> Int32 {
    let meters = EmulatedMeters()
    meters.set(try image(), unit: unit)
    let server = try start(meters)
    print("\(profile.meter): unit \(unit) on \(line.map(MeterOptions.words) ?? "127.0.0.1:\(server.port)")")
    fflush(nil)
    var ends = sigset_t()
    sigemptyset(&ends)
    sigaddset(&ends, SIGINT)
    sigaddset(&ends, SIGTERM)
    var signal: Int32 = 0
    sigwait(&ends, &signal)
    server.stop()
    return 0
  }

  private func start(_ meters: EmulatedMeters) throws(Problem) -> ModbusServer {
    var ends = sigset_t()
    sigemptyset(&ends)
    sigaddset(&ends, SIGINT)
    sigaddset(&ends, SIGTERM)
    pthread_sigmask(SIG_BLOCK, &ends, nil)  // before the server's thread is made: it inherits this
    let (unit, line) = (unit, line)
    do throws(ModbusServer.Flaw) {
      guard let line else { return try ModbusServer(tcp: port ?? 0) { meters.answer(unit: $0, $1) } }
      return try ModbusServer(rtu: line, unit: unit) { meters.answer(unit: $0, $1) }
    } catch { throw Problem("cannot serve: \(error)", status: 1) }
  }

  private func image() throws(Problem) -> RegisterImage {
    do throws(RegisterImage.Flaw) {
      switch profile.layout {
      case .registers(let map):
        var image = try RegisterImage(values, as: map)
        image.fillGaps(upTo: 64)
        for mark in profile.identification {
          if let words = mark.anyOf.first { image.put(words, function: mark.range.function, at: mark.range.address) }
        }
        return image
      case .sunSpec(let bases):
        guard let layout = SunSpecLayout(model: 203) else { preconditionFailure("203 is a meter model") }
        return try layout.image(values, base: bases.first ?? 40000, maker: "Sluice", device: "emulated meter")
      }
    } catch {
      switch error {
      case .doesNotFit(let quantity, let milli): throw Problem("\(quantity.name): \(milli) thousandths do not fit the registers")
      }
    }
  }
}
