import Commissioning
import Documents
import Glibc
import LiveHub
import Loop
import Quantities
import Site

/// `sluice commission SITE.json5`: runs the hub like `sluice run`, and tests its stations one after the other.
enum CommissionCommand {
  static let usage = """
    usage: sluice commission SITE.json5 [--station ID]... [--installer NAME] [--loads N] [--yes] [--reset-hard] [--no-power-cycle]
                             [--no-link-loss] [--patience SECONDS] [--state DIR] [--protocol PATH] [--profiles FOLDER]
      --loads N       N different loads will be plugged in one after the other where one does not tell all
      --yes           asks nothing: whoever starts it sees to the loads
      --reset-hard    consent to cycle the power by Reset Hard instead of asking somebody to switch it off and on
      --protocol PATH where PATH.json and PATH.html are written; by default beside the state directory
    exit status: 0 all passed, 1 something failed, 2 wrong command line, 3 nothing failed and not all was proven, or it was interrupted
    """

  static func run(_ arguments: [String]) -> Int32 {
    do {
      let options = try CommandLineOptions(
        arguments, names: ["station", "installer", "loads", "patience", "state", "protocol", "profiles"],
        flags: ["yes", "reset-hard", "no-power-cycle", "no-link-loss"])
      guard options.words.count == 1 else { throw CommandLineOptions.Misuse(description: "one site file is needed") }
      return try commission(options)
    } catch let misuse as CommandLineOptions.Misuse {
      StandardError.write("\(misuse)\n\(usage)")
      return 2
    } catch {
      StandardError.write("\(error)")
      return 1
    }
  }

  private static func commission(_ options: CommandLineOptions) throws -> Int32 {
    let path = options.words[0]
    let plan = try HubPlan.read(path, profiles: options.text("profiles"))
    let wish = try wish(options, plan.site.hub)
    let state = options.text("state") ?? StateFolder.of(plan)
    let log = LogWriter()
    defer { log.finish() }
    let hub = try LiveHub(plan, state: state, isTrial: true) { log.write("\($0)") }
    let stop = Latch()
    for signal in [SIGTERM, SIGINT] { hub.loop.onSignal(signal) { stop.open() } }
    hub.loop.onSignal(SIGHUP) { log.write("event=site_file_unread why=\"not while stations are being commissioned\"") }
    let ports = try hub.start()
    for (listener, port) in zip(plan.site.listeners, ports) {
      log.write("event=listening address=\(listener.address) port=\(port) tls=\(listener.tls != nil)")
    }
    let desk = CommissionDesk(
      path: options.text("protocol") ?? beside(state, plan.site.hub), asks: !options.has("yes") && isatty(STDIN_FILENO) == 1,
      stop: stop)
    let record = Commissioner(hub, wish, desk: desk, stop: stop).run()
    hub.stop()
    log.finish()  // its last lines before the summary
    desk.sum(up: record)
    if let fault = desk.fault {
      log.write("\(fault)")
      return 1
    }
    switch record.outcome {
    case .passed: return 0
    case .failed: return 1
    case .open: return 3
    }
  }

  private static func wish(_ options: CommandLineOptions, _ hub: Hub) throws -> CommissioningWish {
    var wish = CommissioningWish()
    wish.stations = options.all("station")
    for id in wish.stations where !hub.stations.contains(where: { $0.id == id && $0.state == .installed }) {
      let known = hub.stations.filter { $0.state == .installed }.map(\.id).joined(separator: ", ")
      throw CommandLineOptions.Misuse(description: "--station is `\(id)`; expected an installed station of the site file: \(known)")
    }
    wish.installer = options.text("installer")
    wish.loads = try options.whole("loads", in: 1...6) ?? 1
    wish.patience = .seconds(try options.whole("patience", in: 5...86_400) ?? 900)
    wish.skipsLinkLoss = options.has("no-link-loss")
    wish.powerCycle = options.has("no-power-cycle") ? .skipped : options.has("reset-hard") ? .reset : .asked
    return wish
  }

  /// Next to the state directory, named for the site and the moment.
  private static func beside(_ state: String, _ hub: Hub) -> String {
    var folder = state
    while folder.count > 1, folder.hasSuffix("/") { folder.removeLast() }
    let parent = folder.lastIndex(of: "/").map { String(folder[...$0]) } ?? ""
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    let stamp = Timestamp.text(time.tv_sec * 1000).prefix(19).filter { $0.isNumber || $0 == "T" }
    return "\(parent)\(hub.id)-commissioning-\(stamp)Z"
  }
}
