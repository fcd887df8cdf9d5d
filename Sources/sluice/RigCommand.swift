import Documents
import Glibc
import LiveHub
import Loop
import Quantities
import Rig
import Simulation
import Site

/// `sluice rig SITE.json5`: the stations and meters of a site on real wires, without its controller, so that `sluice run` or
/// `sluice commission` can be tried against them from another terminal.
enum RigCommand {
  static let usage = """
    usage: sluice rig SITE.json5 [--load L1,L2,L1L2L3] [--largest-load A] [--slowest SECONDS] [--still] [--seed N] [--for SECONDS]
                      [--controller HOST:PORT] [--profiles FOLDER] [mistakes]
    mistakes, each as often as needed:
      --rotation STATION/NUMBER=STR   the connector is wired like this, whatever the site file has
      --ct METER=FACTOR               the meter counts FACTOR times what flows; -1: its transformers are turned
      --ct METER/L2=FACTOR            so on one of its own phases
      --quirk STATION=NAME            \(StationQuirk.allCases.map(\.rawValue).joined(separator: ", "))
    """
  private static let names = [
    "load", "largest-load", "slowest", "seed", "for", "controller", "profiles", "rotation", "ct", "quirk",
  ]

  /// - Returns: the exit status: 0 after an orderly end, 1 when it could not run, 2 when the command line is wrong.
  static func run(_ arguments: [String]) -> Int32 {
    do {
      let options = try CommandLineOptions(arguments, names: names, flags: ["still"])
      guard options.words.count == 1 else { throw CommandLineOptions.Misuse(description: "one site file is needed") }
      return try play(options)
    } catch let misuse as CommandLineOptions.Misuse {
      StandardError.write("\(misuse)\n\(usage)")
      return 2
    } catch {
      StandardError.write("\(error)")
      return 1
    }
  }

  private static func play(_ options: CommandLineOptions) throws -> Int32 {
    let plan = try HubPlan.read(options.words[0], profiles: options.text("profiles"))
    let (host, port) = try controller(options, plan)
    for meter in plan.site.hub.meters {
      if case .rtu(let device, _, _, _) = meter.bus {
        throw CommandLineOptions.Misuse(
          description: "meter \(meter.id) is on the serial line \(device); the rig has TCP meters only")
      }
    }
    var hub = plan.site.hub
    try wire(&hub, options)
    let rig = try Rig(hub, profiles: plan.meterProfiles, options: try rigOptions(options, hub))
    try rig.connect(host: host, port: port)
    print("rig of \(hub.id): \(hub.stations.count) stations call \(host):\(port), \(hub.meters.count) meters listen")
    let loop = try EventLoop()
    let ended = Latch()
    for signal in [SIGTERM, SIGINT] { loop.onSignal(signal) { ended.open() } }
    let length = try options.whole("for", in: 1...1_000_000).map { Duration.seconds($0) }
    let start = MonotonicTime.now
    while true {
      let left = length.map { $0 - (MonotonicTime.now - start) } ?? .seconds(5)
      if left <= .zero || ended.wait(patience: min(left, .seconds(5))) { break }
      show(try rig.current(), hub)
    }
    rig.stop()
    loop.stop()
    return 0
  }

  private static func show(_ report: Rig.Report, _ hub: Hub) {
    let circuits = hub.circuits.enumerated().map { k, circuit in
      let flow = report.flows[k]
      return "\(circuit.id) " + Phase.allCases.map { Words.amperes(flow[$0]) }.joined(separator: "/") + " A"
    }
    print("\(report.charging) charging; " + circuits.joined(separator: ", "))
    fflush(nil)
  }

  private static func controller(_ options: CommandLineOptions, _ plan: LiveHub.Plan) throws -> (String, UInt16) {
    if let text = options.text("controller") {
      guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
        throw CommandLineOptions.Misuse(description: "--controller is `\(text)`; expected HOST:PORT")
      }
      return (String(text[..<colon]), port)
    }
    guard let listener = plan.site.listeners.first(where: { $0.tls == nil && $0.port > 0 }) else {
      throw CommandLineOptions.Misuse(
        description: "the site has no listener without TLS on a fixed port; name one with --controller")
    }
    return (["0.0.0.0", "::"].contains(listener.address) ? "127.0.0.1" : listener.address, UInt16(clamping: listener.port))
  }

  /// How things really are, beside what the site file says.
  private static func wire(_ hub: inout Hub, _ options: CommandLineOptions) throws {
    for text in options.all("rotation") {
      let (name, value) = try pair(text, "rotation", "STATION/NUMBER=STR")
      let parts = name.split(separator: "/").map(String.init)
      guard parts.count == 2, let s = hub.stations.firstIndex(where: { $0.id == parts[0] }),
        let c = hub.stations[s].connectors.first(where: { "\(hub.connectors[$0].number)" == parts[1] }),
        let rotation = PhaseRotation(rawValue: value)
      else {
        throw CommandLineOptions.Misuse(
          description: "--rotation is `\(text)`; expected STATION/NUMBER=RST, RTS, SRT, STR, TRS or TSR")
      }
      hub.connectors[c].wiring = Connector.Wiring(conductors: hub.connectors[c].wiring?.conductors ?? .all, rotation: rotation)
    }
  }

  private static func rigOptions(_ options: CommandLineOptions, _ hub: Hub) throws -> Rig.Options {
    var rig = Rig.Options()
    rig.keepsPlaces = true
    rig.seed = UInt64(try options.whole("seed", in: 0...Int.max) ?? 1)
    rig.isStill = options.has("still")
    rig.slowest = .seconds(try options.whole("slowest", in: 1...30) ?? 15)
    rig.largestLoad = .amperes(try options.whole("largest-load", in: 6...1000) ?? 32)
    rig.loads = try (options.text("load")?.split(separator: ",").map(String.init) ?? []).map(conductors)
    for text in options.all("ct") {
      let (name, value) = try pair(text, "ct", "METER=FACTOR")
      let parts = name.split(separator: "/").map(String.init)
      guard let meter = hub.meters.firstIndex(where: { $0.id == parts[0] }), let factor = Double(value), abs(factor) <= 100 else {
        throw CommandLineOptions.Misuse(description: "--ct is `\(text)`; expected METER=FACTOR with a meter of the site file")
      }
      var wrong = rig.transformers[meter] ?? PerPhase(all: 1000)
      for phase in Phase.allCases where parts.count == 1 || parts[1] == phase.name { wrong[phase] = Int((factor * 1000).rounded()) }
      rig.transformers[meter] = wrong
    }
    for text in options.all("quirk") {
      let (name, value) = try pair(text, "quirk", "STATION=NAME")
      guard let station = hub.stations.firstIndex(where: { $0.id == name }), let quirk = StationQuirk(rawValue: value) else {
        throw CommandLineOptions.Misuse(description: "--quirk is `\(text)`; expected STATION=NAME, see --help for the names")
      }
      rig.quirks[station, default: []].append(quirk)
    }
    return rig
  }

  private static func conductors(_ text: String) throws -> Phases {
    let known: [String: Phases] = [
      "L1": .l1, "L2": .l2, "L3": .l3, "L1L2": [.l1, .l2], "L1L3": [.l1, .l3], "L2L3": [.l2, .l3], "L1L2L3": .all,
    ]
    guard let phases = known[text] else {
      throw CommandLineOptions.Misuse(
        description: "--load has `\(text)`; expected the station's conductors, such as L1, L2L3 or L1L2L3")
    }
    return phases
  }

  private static func pair(_ text: String, _ name: String, _ form: String) throws -> (String, String) {
    guard let equals = text.firstIndex(of: "=") else {
      throw CommandLineOptions.Misuse(description: "--\(name) is `\(text)`; expected \(form)")
    }
    return (String(text[..<equals]), String(text[text.index(after: equals)...]))
  }
}

/// Quantities in the words of the terminal and of protocols.
enum Words {
  static func amperes(_ current: Current) -> String {
    ExactNumber((current.raw + (current.raw < 0 ? -50 : 50)) / 100, decimals: 1).description
  }
  static func amperes(_ currents: PerPhase<Current>) -> String {
    Phase.allCases.map { amperes(currents[$0]) }.joined(separator: "/") + " A"
  }
  static func seconds(_ span: TimeSpan) -> String { ExactNumber((span.raw + 50) / 100, decimals: 1).description + " s" }
  static func names(_ phases: Phases) -> String {
    phases.isEmpty ? "none" : Phase.allCases.filter { phases.contains($0) }.map(\.name).joined(separator: ", ")
  }
  static func factor(_ permille: Int) -> String { ExactNumber(permille / 10, decimals: 2).description }
}
