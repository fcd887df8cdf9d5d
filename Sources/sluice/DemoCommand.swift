import Control
import Glibc
import LiveHub
import Loop
import Quantities
import Rig
import Site
import SiteFiles
import Threads

/// `sluice demo`: the real controller with emulated stations, vehicles and meters on real wires, in one process.
enum DemoCommand {
  static let usage =
    "usage: sluice demo [--for TIME] [--speed N] [--seed N] [--plain] [--site SITE.json5] [--state DIR] [--window PORT] [--profiles FOLDER]"

  /// - Returns: the exit status: 0 no limit was violated beyond its trip curve, 1 one was or it could not run, 2 wrong command line.
  static func run(_ arguments: [String]) -> Int32 {
    do {
      let options = try CommandLineOptions(
        arguments, names: ["for", "speed", "seed", "site", "state", "profiles", "window"], flags: ["plain"])
      guard options.words.isEmpty else { throw CommandLineOptions.Misuse(description: "unexpected \(options.words[0])") }
      var rig = Rig.Options()
      rig.speed = try options.whole("speed", in: 1...1000) ?? 1
      rig.seed = UInt64(try options.whole("seed", in: 0...Int.max) ?? 1)
      let length = try options.text("for").map(duration)
      let path = try options.text("site") ?? demoSite()
      return try live(
        path, rig, profiles: options.text("profiles"), state: options.text("state"),
        window: try options.whole("window", in: 0...65535), length: length,
        isPlain: options.has("plain") || isatty(STDOUT_FILENO) == 0)
    } catch let misuse as CommandLineOptions.Misuse {
      StandardError.write("\(misuse)\n\(usage)")
      return 2
    } catch {
      StandardError.write("\(error)")
      return 1
    }
  }

  private static func live(
    _ path: String, _ options: Rig.Options, profiles: String?, state named: String?, window: Int?, length: TimeSpan?, isPlain: Bool
  ) throws -> Int32 {
    var plan = try HubPlan.read(path, profiles: profiles)
    let rig = try Rig(plan.site.hub, profiles: plan.meterProfiles, options: options)
    plan.site.hub = rig.hub
    plan.site.listeners = try listeners(of: plan.site, window: window)
    // A journal that was asked for stays; otherwise it goes with the demonstration.
    let temporary = named == nil ? try TemporaryFolder() : nil
    defer { temporary?.remove() }
    guard let state = named ?? temporary?.path else { preconditionFailure("neither a folder nor one to make") }
    let lines = Locked<[LogLine]>([])
    let hub = try LiveHub(plan, state: state) { line in
      lines.with { lines in
        lines.append(line)
        if lines.count > 200 { lines.removeFirst(100) }
      }
    }
    let ports = try hub.start()
    let port = ports[0]
    let ended = Latch()
    for signal in [SIGTERM, SIGINT] { hub.loop.onSignal(signal) { ended.open() } }
    try rig.connect(port: port)
    let start = MonotonicTime.now
    var table = DemoTable(isPlain: isPlain)
    table.begin(port: Int(port), window: ports.count > 1 ? Int(ports[1]) : nil, hub: rig.hub)
    while true {
      let elapsed = MonotonicTime.now - start
      let left = length.map { Duration.milliseconds($0.milliseconds) - elapsed }
      if let left, left <= .zero { break }
      if ended.wait(patience: min(isPlain ? .seconds(5) : .seconds(1), left ?? .seconds(5))) { break }
      table.show(hub.view(), rig: try rig.current(), elapsed: MonotonicTime.now - start, events: lines.with { $0 })
    }
    let (report, last) = (try rig.current(), hub.view())
    table.end()
    rig.stop()
    hub.stop()
    print(DemoSummary(hub: rig.hub, report: report, counts: last.counts, elapsed: MonotonicTime.now - start).text)
    if let named { print("its journal: sluice journal list \(named), and sluice explain TRANSACTION --state \(named)") }
    return report.violations.isEmpty ? 0 : 1
  }

  /// A port of the system's choice for the stations, and the window for whoever sits at this machine.
  private static func listeners(of site: SiteFile, window: Int?) throws -> [SiteFile.Listener] {
    guard var stations = site.listeners.first(where: { $0.purposes.contains(.stations) }) else {
      throw CommandLineOptions.Misuse(description: "the site has no listener for stations")
    }
    (stations.address, stations.port, stations.tls, stations.purposes) = ("127.0.0.1", 0, nil, [.stations])
    var people = site.listeners.first { $0.purposes.contains(.people) } ?? stations
    (people.address, people.port, people.tls) = ("127.0.0.1", window ?? people.port, nil)
    people.purposes = [.people, .gridOperator]
    if people.loopbackRole == nil { people.loopbackRole = .administrator }
    return [stations, people]
  }

  /// `90s`, `2m`, `1h`, or whole seconds.
  private static func duration(_ text: String) throws -> TimeSpan {
    let scales: [Character: Int] = ["s": 1, "m": 60, "h": 3600]
    let scale = text.last.flatMap { scales[$0] }
    guard let number = Int(scale == nil ? text : String(text.dropLast())), (1...1_000_000).contains(number) else {
      throw CommandLineOptions.Misuse(description: "--for is `\(text)`; expected a time such as 90s, 2m or 1h")
    }
    return .seconds(number * (scale ?? 1))
  }

  /// The demonstration's site file, which stands beside the folder with the profiles.
  private static func demoSite() throws -> String {
    let profiles = try ProfileFolder.locate().path
    return profiles.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
      + "/Simulations/demo.site.json5"
  }
}

/// A folder for the journal of a demonstration, which goes with it.
private struct TemporaryFolder {
  struct Flaw: Error, CustomStringConvertible {
    var description: String
  }
  let path: String
  init() throws {
    var template = Array("/tmp/sluice-demo-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else {
      throw Flaw(description: "no folder for the demonstration's journal in /tmp: \(String(cString: strerror(errno)))")
    }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
  func remove() {
    for name in ["journal.sqlite", "journal.sqlite-wal", "journal.sqlite-shm", "lock", "tokens.json", "limit-key"] {
      unlink("\(path)/\(name)")
    }
    let reports = ReportFolder(state: path)
    for name in reports.names() { for ending in ["json", "sig"] { unlink("\(reports.path)/\(name).\(ending)") } }
    rmdir(reports.path)
    rmdir(path)
  }
}
