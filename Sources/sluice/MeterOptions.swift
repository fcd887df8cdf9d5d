import Documents
import Metering
import Site
import SiteFiles

/// The options of `sluice meter`.
struct MeterOptions {
  typealias Problem = MeterCommand.Problem
  private var values: [String: String] = [:]
  private(set) var watches = false

  private static let known: Set<String> = [
    "--profile", "--tcp", "--rtu", "--baud", "--parity", "--stop", "--unit", "--count", "--period", "--profiles", "--current",
    "--voltage", "--imported", "--exported",
  ]

  init(_ arguments: [String]) throws(Problem) {
    var rest = arguments[...]
    while let name = rest.popFirst() {
      if name == "--watch" {
        watches = true
      } else if Self.known.contains(name), let value = rest.popFirst() {
        values[name] = value
      } else {
        throw Problem("\(name): unknown, or without its value\n\(MeterCommand.usage)")
      }
    }
  }

  func text(_ name: String) -> String? { values[name] }
  func whole(_ name: String, _ range: ClosedRange<Int>, else absent: Int) throws(Problem) -> Int {
    guard let text = values[name] else { return absent }
    guard let value = Int(text), range.contains(value) else {
      throw Problem("\(name) \(text): expected a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }
  /// One or three numbers with at most three decimals, in thousandths; a single one counts for all three.
  func three(_ name: String, else absent: Int) throws(Problem) -> [Int] {
    guard let text = values[name] else { return [absent, absent, absent] }
    let parts = text.split(separator: ",").map { ExactNumber(String($0))?.integer(scaledBy: 3) }
    let numbers = parts.compactMap { $0 }
    guard numbers.count == parts.count, [1, 3].contains(numbers.count) else {
      throw Problem("\(name) \(text): expected one or three numbers, for example 10,11.5,-3")
    }
    return numbers.count == 1 ? [numbers[0], numbers[0], numbers[0]] : numbers
  }

  /// From `--tcp HOST[:PORT]` or `--rtu DEVICE`.
  func bus() throws(Problem) -> Meter.Bus {
    if values["--rtu"] != nil, values["--tcp"] != nil { throw Problem("--tcp and --rtu: expected one of them") }
    if let device = values["--rtu"] { return try serial(device) }
    guard let text = values["--tcp"] else { throw Problem("where? --tcp HOST[:PORT] or --rtu DEVICE\n\(MeterCommand.usage)") }
    guard let colon = text.lastIndex(of: ":"), !text.hasSuffix("]") else { return .tcp(host: Self.bare(text), port: 502) }
    guard let port = Int(text[text.index(after: colon)...]), (1...65535).contains(port), colon != text.startIndex else {
      throw Problem("--tcp \(text): expected HOST:PORT")
    }
    return .tcp(host: Self.bare(String(text[..<colon])), port: port)
  }
  private static func bare(_ host: String) -> String {
    host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
  }
  /// As people write it.
  static func words(_ bus: Meter.Bus) -> String {
    switch bus {
    case .tcp(let host, let port): "\(host):\(port)"
    case .rtu(let device, let baud, let parity, let stopBits): "\(device) (\(baud) 8\(parity)\(stopBits))"
    }
  }
  func serial(_ device: String) throws(Problem) -> Meter.Bus {
    let parity = values["--parity"] ?? "N"
    guard ["N", "E", "O"].contains(parity) else { throw Problem("--parity \(parity): expected N, E or O") }
    return .rtu(
      device: device, baud: try whole("--baud", 300...921600, else: 19200), parity: parity,
      stopBits: try whole("--stop", 1...2, else: 1))
  }

  // MARK: Profiles

  private func folder() throws(Problem) -> ProfileFolder {
    do throws(FileError) {
      return try ProfileFolder.locate(named: values["--profiles"])
    } catch { throw Problem(error.description) }
  }
  func profiles() throws(Problem) -> [MeterProfile] {
    let folder = try folder()
    var result: [MeterProfile] = []
    for name in folder.names(in: "meters") { result.append(try load(name, folder)) }
    return result
  }
  /// The one that `--profile` names.
  func profile() throws(Problem) -> MeterProfile {
    guard let name = values["--profile"] else { throw Problem("which model? --profile NAME; `sluice meter list` names them") }
    let folder = try folder()
    guard folder.names(in: "meters").contains(name) else {
      throw Problem("--profile \(name): not in \(folder.path)/meters; `sluice meter list` names them")
    }
    return try load(name, folder)
  }
  private func load(_ name: String, _ folder: ProfileFolder) throws(Problem) -> MeterProfile {
    let text: String
    do throws(FileError) { text = try folder.text("meters", name) } catch { throw Problem(error.description) }
    do throws(DocumentErrors) {
      return try MeterProfile(json5: text, name: name)
    } catch { throw Problem(error.description) }
  }
}
