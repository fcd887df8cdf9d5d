import Documents
import Glibc
import Metering
import ModbusLink
import Quantities
import Site
import Threads

/// `sluice meter read`: polls one meter and prints what it says.
struct MeterReader {
  typealias Problem = MeterCommand.Problem
  private let profile: MeterProfile
  private let bus: Meter.Bus
  private let unit: Int
  /// nil: without end.
  private let count: Int?
  private let period: TimeSpan

  init(_ options: MeterOptions) throws(Problem) {
    profile = try options.profile()
    bus = try options.bus()
    unit = try options.whole("--unit", 0...255, else: profile.defaultUnit)
    count = options.watches ? nil : try options.whole("--count", 1...1_000_000, else: 1)
    period = .milliseconds(try options.whole("--period", 50...3_600_000, else: 1000))
  }

  func run() throws(Problem) -> Int32 {
    print("\(profile.meter), unit \(unit)")
    for note in profile.notes { print("note: \(note)") }
    if let unfit = profile.unfit { print("not for limiting phases: \(unfit)") }
    let inbox = MeterInbox()
    let meter = MeterBus(
      bus, units: [.init(meter: 0, unit: unit, period: period, layout: profile.layout, everything: true)],
      discovered: { _, found in inbox.put(found) }, deliver: { inbox.put($0) })
    do throws(MeterBus.Flaw) { try meter.start() } catch { throw Problem("cannot open \(MeterOptions.words(bus)): \(error)") }
    defer { meter.stop() }
    var decoder = profile.map.map { MeterDecoder($0, everything: true) }
    var shown = 0
    var bad = false
    while shown < count ?? Int.max {
      switch inbox.take() {
      case .found(let found):
        print("SunSpec model \(found.model) at \(found.address): \(found.maker) \(found.device)")
        if let unfit = found.unfit { print("not for limiting phases: \(unfit)") }
        decoder = MeterDecoder(found.map, everything: true)
      case .report(let report):
        show(report, decoder)
        if case .fault = report.outcome { bad = true }
        shown += 1
      }
    }
    return bad ? 1 : 0
  }

  private func show(_ report: MeterReport, _ decoder: MeterDecoder?) {
    print("")
    if let decoder, report.words.count == decoder.plan.wordCount {
      let (values, _) = decoder.values(in: report.words)
      for quantity in MeterQuantity.allCases where decoder.map.has(quantity) {
        show(quantity, values[quantity], words(of: quantity, decoder, report.words))
      }
    }
    switch report.outcome {
    case .reading(let reading):
      print("plausible; age \(reading.age.milliseconds) ms; registers \(String(reading.registers, radix: 16))")
    case .fault(.implausible(let name)): print("REFUSED: \(name) cannot be right")
    case .fault(.exception(let code)): print("REFUSED: Modbus exception \(code)")
    case .fault(.silent): print("NO ANSWER, even to the second try")
    case .fault(.unreachable): print("NO CONNECTION to \(MeterOptions.words(bus)): \(whyUnreachable())")
    }
    fflush(nil)
  }

  /// Tries once more, and says what the system says of it.
  private func whyUnreachable() -> String {
    guard let connection = MeterConnection(bus) else { return "no such address" }
    let error = connection.connect(timeout: .seconds(1))
    return error == 0 ? "lost, and there again now" : String(cString: strerror(error))
  }

  private func show(_ quantity: MeterQuantity, _ value: Int?, _ words: String) {
    let number = value.map { ExactNumber($0, decimals: 3).description } ?? "-"
    print(
      MeterCommand.pad(quantity.name, 16) + MeterCommand.right(number, 14) + " " + MeterCommand.pad(quantity.dimension.symbol, 4)
        + words)
  }

  private func words(of quantity: MeterQuantity, _ decoder: MeterDecoder, _ words: [UInt16]) -> String {
    var result = ""
    for register in decoder.map.registers where register.reads == quantity {
      let span = WordRange(function: register.function, address: register.address, count: register.format.width)
      guard let offset = decoder.plan.offset(of: span) else { continue }
      result += "  \(register.address):"
      for word in words[offset..<offset + span.count] { result += " " + MeterCommand.hexadecimal(word) }
    }
    return result
  }
}

/// Hands reports from the bus's thread to the command's.
final class MeterInbox: @unchecked Sendable {
  enum Item { case found(SunSpecDiscovery.Found), report(MeterReport) }
  private let condition = Condition()
  private var items: [Item] = []

  func put(_ found: SunSpecDiscovery.Found) { add([.found(found)]) }
  func put(_ reports: [MeterReport]) { add(reports.map { .report($0) }) }
  private func add(_ more: [Item]) { condition.change { items += more } }
  /// Waits for the next one.
  func take() -> Item {
    guard let item = condition.wait(patience: nil, until: { items.isEmpty ? nil : items.removeFirst() }) else {
      preconditionFailure("a wait without end that ended")
    }
    return item
  }
}
