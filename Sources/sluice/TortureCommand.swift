import Glibc
import Metering
import Simulation
import SiteFiles

/// `sluice torture`: random hubs, random days, every fault; each invariant is checked after every step.
enum TortureCommand {
  static let usage = """
    usage: sluice torture [--seed N | --seeds A..B] [--hours H] [--calm | --everything | --frantic] [--quirks] [--connectors N] [--replay] [--digest]
                          [--wire] [--trace A..B] [--limit-trials N]
      --seed N        one hub (default 1); --seeds A..B several
      --hours H       simulated hours of each (default 24)
      --calm          nothing goes wrong; --everything: all faults on each day (default: a mixture by seed); --frantic: all of them five times
                      as often, and vehicles that come and go all the time
      --quirks        stations also do what no trait declares
      --connectors N  at most so many connectors (default 24)
      --wire          between controller and stations are OCPP frames, and register words of real models between it and its meters;
                      frames get lost, late, doubled and spoilt, in a mixture by seed (default: events, and readings on change)
      --replay        a second controller thinks everything again and must agree
      --digest        prints a digest of everything that left the mind: the same on every machine
      --limit-trials N  N full hubs, from --seed on, are limited to 150 kW: how long that takes
      --trace A..B    prints all that enters and leaves the mind from second A to second B, and what it knows every now and then
    """

  private struct Wish {
    var seeds: ClosedRange<UInt64> = 1...1
    var hours = 24
    var faults: Faults?
    var isFrantic: Bool { faults == .frantic }
    var generator = HubGenerator.Options()
    var wire: [MeterProfile]?
    var replays = false
    var digests = false
    var traced: ClosedRange<Int>?
    var limitTrials: Int?
  }

  /// - Returns: 0 when every invariant held, 1 when one did not, 2 for arguments that make no sense.
  static func run(_ arguments: [String]) -> Int32 {
    guard var wish = parse(arguments) else {
      print(usage)
      return 2
    }
    if wish.wire != nil {
      do { wish.wire = try ProfileFolder.locate().catalogue().meters } catch {
        StandardError.write("sluice torture: \(error)")
        return 2
      }
    }
    if let count = wish.limitTrials { return LimitTrialsCommand.run(count, firstSeed: wish.seeds.lowerBound) }
    var failed = 0
    var total = Report()
    let begin = PlanCommand.cpuMilliseconds()
    for seed in wish.seeds {
      var options = Simulation.Options()
      options.faults = wish.faults ?? .mixed(seed: seed)
      options.wire = wish.wire.map { Wire(faults: wish.faults == Faults.none ? .none : .mixed(seed: seed), meters: $0) }
      if wish.isFrantic { options.arrivals = 900 }
      options.checksReplay = wish.replays
      options.digestsEffects = wish.digests
      options.traced = wish.traced
      options.trace = { print($0) }
      let simulation = Simulation(seed: seed, made: HubGenerator.make(seed: seed, wish.generator), options: options)
      simulation.run(until: wish.hours * 3_600_000)
      let report = simulation.report
      print(line(report))
      if wish.digests { print("effects of seed \(seed): \(report.effectsDigest)") }
      fflush(nil)
      for finding in report.findings {
        print("  FOUND \(finding)")
        for event in finding.history.suffix(8) { print("        \(event.prefix(200))") }
      }
      failed += report.findings.isEmpty ? 0 : 1
      total.events += report.events
      total.milliseconds += report.milliseconds
      total.caution += report.caution
    }
    let (took, hours) = (PlanCommand.cpuMilliseconds() - begin, Double(total.milliseconds) / 3_600_000)
    print(
      "\(wish.seeds.count) hubs, \(rounded(hours)) hub-hours, \(total.events) events in \(rounded(took / 1000)) s of CPU: "
        + "\(rounded(hours * 60_000 / took)) hub-hours a minute, caution \(rounded(Double(total.caution) / 10 / Double(wish.seeds.count))) % in the mean; "
        + "\(failed) hubs with findings")
    return failed == 0 ? 0 : 1
  }

  private static func rounded(_ value: Double) -> Double { (value * 10).rounded() / 10 }

  private static func line(_ report: Report) -> String {
    let peak = report.peaks.map { max($0.l1, $0.l2, $0.l3) }.max() ?? 0
    let share = report.asked > .zero ? report.delivered.wattHours * 100 / max(1, report.asked.wattHours) : 0
    return
      "seed \(report.seed): \(report.connectors) connectors, \(report.circuits) circuits, \(report.sessions) sessions, "
      + "\(report.delivered.wattHours / 1000) of \(report.asked.wattHours / 1000) kWh (\(share) %), peak \(peak / 10) % of a rating, "
      + "caution \(report.caution / 10) %, apart \(report.apart / 1000) s, \(report.events) events, \(report.commands) commands, "
      + (report.frames > 0 ? "\(report.frames) frames, " : "")
      + "\(report.findings.count) findings"
  }

  private static func parse(_ arguments: [String]) -> Wish? {
    var wish = Wish()
    var rest = arguments[...]
    while let option = rest.popFirst() {
      switch option {
      case "--calm": wish.faults = Faults.none
      case "--everything": wish.faults = .everything
      case "--frantic": wish.faults = .frantic
      case "--quirks": wish.generator.undeclaredQuirks = true
      case "--replay": wish.replays = true
      case "--wire": wish.wire = []
      case "--digest": wish.digests = true
      case "--seed":
        guard let seed = rest.popFirst().flatMap({ UInt64($0) }) else { return nil }
        wish.seeds = seed...seed
      case "--seeds":
        guard let seeds: ClosedRange<UInt64> = range(rest.popFirst()) else { return nil }
        wish.seeds = seeds
      case "--trace":
        guard let span: ClosedRange<Int> = range(rest.popFirst()) else { return nil }
        wish.traced = span
      case "--hours":
        guard let hours = rest.popFirst().flatMap({ Int($0) }), hours > 0 else { return nil }
        wish.hours = hours
      case "--limit-trials":
        guard let count = rest.popFirst().flatMap({ Int($0) }), count > 0 else { return nil }
        wish.limitTrials = count
      case "--connectors":
        guard let count = rest.popFirst().flatMap({ Int($0) }), count > 0 else { return nil }
        wish.generator.mostConnectors = count
      default: return nil
      }
    }
    return wish
  }

  private static func range<N: FixedWidthInteger>(_ text: String?) -> ClosedRange<N>? {
    let ends = text?.split(separator: ".").compactMap { N($0) } ?? []
    return ends.count == 2 && ends[0] <= ends[1] ? ends[0]...ends[1] : nil
  }
}
