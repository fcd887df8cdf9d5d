import ChargingProfiles
import Documents
import Foundation
import OCPP
import Quantities
import Site

/// `sluice composite PROFILES.json --start T --duration S`: the composite schedule of a station's profiles, as a station would
/// answer GetCompositeSchedule.
enum CompositeCommand {
  static let usage = """
    usage: sluice composite PROFILES.json --start TIME --duration SECONDS [--unit A|W] [--connector N]
                            [--transaction-start TIME] [--voltage V] [--local-limit A] [--readings octt|libocpp|microocpp]
      PROFILES.json: {"profiles": [{"connectorId": 1, "csChargingProfiles": {...}}, ...]}, in order of installation
      TIME: e.g. 2026-01-05T12:00:00Z; --readings: whose reading of OCPP's ambiguities
    """

  /// What was wrong with the command line or the file, for people.
  private struct Complaint: Error {
    var text: String
    init(_ text: String) { self.text = text }
  }
  private struct Options {
    var file = ""
    var start: Instant?
    var duration: Int?
    var unit = StationTraits.RateUnit.amperes
    var connector = 1
    var transactionStart: Instant?
    var voltage = 230
    var localLimit: Int?
    var readings = Ambiguities.octt
  }

  /// - Returns: the exit status: 0, 1 for a file or query that gives no schedule, 2 for wrong use.
  static func run(_ arguments: [String]) -> Int32 {
    let options: Options
    do {
      options = try parse(arguments)
    } catch {
      complain("\(error.text)\n\(usage)")
      return 2
    }
    do {
      print(ProfileOnWire.value(of: try schedule(options)).pretty())
      return 0
    } catch {
      complain(error.text)
      return 1
    }
  }

  private static func parse(_ arguments: [String]) throws(Complaint) -> Options {
    var options = Options()
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      guard argument.hasPrefix("--") else {
        guard options.file.isEmpty else { throw Complaint("one file is enough, found \(argument) too") }
        options.file = argument
        continue
      }
      guard let value = rest.popFirst() else { throw Complaint("\(argument) needs a value") }
      switch argument {
      case "--start": options.start = try time(value, argument)
      case "--transaction-start": options.transactionStart = try time(value, argument)
      case "--duration": options.duration = try number(value, argument, 1...315_360_000)
      case "--connector": options.connector = try number(value, argument, 0...1000)
      case "--voltage": options.voltage = try number(value, argument, 1...1000)
      case "--local-limit": options.localLimit = try number(value, argument, 0...10_000)
      case "--unit":
        guard let unit = StationTraits.RateUnit(rawValue: value) else { throw Complaint("--unit is A or W, not \(value)") }
        options.unit = unit
      case "--readings":
        switch value {
        case "octt": options.readings = .octt
        case "libocpp": options.readings = .libocpp
        case "microocpp": options.readings = .microOcpp
        default: throw Complaint("--readings is octt, libocpp or microocpp, not \(value)")
        }
      default: throw Complaint("unknown option \(argument)")
      }
    }
    if options.file.isEmpty { throw Complaint("which file?") }
    if options.start == nil { throw Complaint("--start is missing") }
    if options.duration == nil { throw Complaint("--duration is missing") }
    return options
  }

  private static func time(_ text: String, _ option: String) throws(Complaint) -> Instant {
    guard let stamp = Timestamp(text), stamp.hasZone else {
      throw Complaint("\(option): \(text) is no time with a zone such as 2026-01-05T12:00:00Z")
    }
    return Instant(milliseconds: stamp.milliseconds)
  }

  private static func number(_ text: String, _ option: String, _ range: ClosedRange<Int>) throws(Complaint) -> Int {
    guard let value = Int(text), range.contains(value) else {
      throw Complaint("\(option) is a whole number from \(range.lowerBound) to \(range.upperBound), not \(text)")
    }
    return value
  }

  private static func schedule(_ options: Options) throws(Complaint) -> Schedule {
    guard let start = options.start, let duration = options.duration else { throw Complaint("--start and --duration are missing") }
    let profiles = try read(options.file)
    let connectors = max(1, options.connector, profiles.map(\.connector).max() ?? 1)
    var store = ProfileStore(
      connectors: connectors, capacity: .init(highestStackLevel: .max, maximumPeriods: .max, maximumProfiles: .max),
      ambiguities: options.readings)
    if let begin = options.transactionStart {
      let places = Set(profiles.filter { isOwn($0.profile) }.map(\.connector) + [options.connector]).subtracting([0]).sorted()
      for place in places {
        let named = profiles.filter { $0.connector == place }.compactMap { transaction(of: $0.profile) }.first
        store.begin(transaction: named ?? place, connector: place, at: begin)
      }
    }
    for (position, entry) in profiles.enumerated() {
      do {
        var profile = entry.profile
        if profile.purpose == .transaction(id: nil),
          let running = store.transactions.first(where: { $0.connector == entry.connector })
        {
          profile.purpose = .transaction(id: running.id)
        }
        try store.install(profile, connector: entry.connector, at: start)
      } catch {
        let hint = if case .noTransaction = error { " (give --transaction-start)" } else { "" }
        throw Complaint("\(options.file): profile \(position + 1) is rejected: \(error)\(hint)")
      }
    }
    let query = CompositeQuery(
      connector: options.connector, from: start, duration: .seconds(duration), unit: options.unit,
      transactionStart: options.transactionStart, nominalVoltage: .volts(options.voltage),
      localLimit: options.localLimit.map { Current.amperes($0) })
    guard let schedule = store.composite(query) else { throw Complaint("no schedule for connector \(options.connector)") }
    return schedule.lowered()
  }

  private static func isOwn(_ profile: ChargingProfile) -> Bool {
    if case .transaction = profile.purpose { return true }
    return false
  }
  private static func transaction(of profile: ChargingProfile) -> Int? {
    if case .transaction(let id) = profile.purpose { return id }
    return nil
  }

  private static func read(_ file: String) throws(Complaint) -> [(connector: Int, profile: ChargingProfile)] {
    let text: String
    do {
      text = try String(contentsOfFile: file, encoding: .utf8)
    } catch {
      throw Complaint("\(file) cannot be read: \(error.localizedDescription)")
    }
    do {
      let list = try Document(json5: text, name: file).root.required(at: "profiles", expected: "a list of profiles")
      guard list.kind == .array else { throw list.error(expected: "a list of profiles") }
      var result: [(Int, ChargingProfile)] = []
      for node in list.elements {
        let connector = try node.integer(at: "connectorId")
        guard (0...1000).contains(connector) else {
          throw (node["connectorId"] ?? node).error(expected: "a connector from 0 to 1000")
        }
        let profile = try node.required(at: "csChargingProfiles", expected: "a profile")
        do throws(ProfileOnWire.Flaw) { result.append((connector, try ProfileOnWire.profile(profile))) } catch {
          throw place(of: error, in: profile)
        }
      }
      return result
    } catch {
      throw Complaint("\(error)")
    }
  }

  /// The flaw, with its line.
  private static func place(of flaw: ProfileOnWire.Flaw, in profile: Node) -> DocumentError {
    let schedule: Schedule.Flaw
    switch flaw {
    case .document(let error): return error
    case .schedule(let flaw): schedule = flaw
    }
    let list = profile["chargingSchedule"]?["chargingSchedulePeriod"] ?? profile
    let periods = Array(list.elements)
    func member(_ name: String, of period: Int) -> Node { periods[period][name] ?? periods[period] }
    return switch schedule {
    case .noPeriods: list.error(expected: "at least one period")
    case .lateStart: member("startPeriod", of: 0).error(expected: "0: the first period begins with the schedule")
    case .outOfOrder(let i): member("startPeriod", of: i).error(expected: "more seconds than the period before it has")
    case .negativeLimit(let i): member("limit", of: i).error(expected: "a limit from 0")
    case .phases(let i, _): member("numberPhases", of: i).error(expected: "1, 2 or 3")
    }
  }

  private static func complain(_ text: String) { FileHandle.standardError.write(Data("sluice: \(text)\n".utf8)) }
}
