import Glibc
import LiveHub
import Loop
import SiteFiles

/// `sluice run SITE.json5 [--state DIR] [--profiles FOLDER]`: the controller, until SIGTERM or SIGINT. SIGHUP reads the site file again.
enum RunCommand {
  static let usage = "usage: sluice run SITE.json5 [--state DIR] [--profiles FOLDER]"

  /// - Returns: the exit status: 0 after an orderly end, 1 when it could not start, 2 when the command line is wrong.
  static func run(_ arguments: [String]) -> Int32 {
    let options: CommandLineOptions
    do { options = try CommandLineOptions(arguments, names: ["state", "profiles"], flags: []) } catch {
      StandardError.write("\(error)\n\(usage)")
      return 2
    }
    guard options.words.count == 1 else {
      StandardError.write(usage)
      return 2
    }
    let path = options.words[0]
    let log = LogWriter()
    defer { log.finish() }
    let hub: LiveHub
    do {
      let plan = try HubPlan.read(path, profiles: options.text("profiles"))
      hub = try LiveHub(plan, state: options.text("state") ?? StateFolder.of(plan)) { log.write("\($0)") }
      let ports = try hub.start()
      for (listener, port) in zip(plan.site.listeners, ports) {
        log.write(
          "event=listening address=\(listener.address) port=\(port) tls=\(listener.tls != nil) "
            + "for=\(listener.purposes.map(\.rawValue).sorted().joined(separator: ","))")
      }
    } catch {
      log.write("\(error)")
      return 1
    }
    let signals = Mailbox<Int32>()
    for signal in [SIGTERM, SIGINT, SIGHUP] { hub.loop.onSignal(signal) { signals.post(signal) } }
    while let heard = signals.take(patience: nil), heard.allSatisfy({ $0 == SIGHUP }) {
      do { try hub.reload(try HubPlan.read(path, profiles: options.text("profiles"))) } catch {
        log.write("event=site_file_refused why=\"the old one stays in force\"\n\(error)")
      }
    }
    hub.stop()
    return 0
  }
}

/// What a live hub runs with, read from a site file.
enum HubPlan {
  static func read(_ path: String, profiles named: String?) throws -> LiveHub.Plan {
    let folder = try ProfileFolder.locate(named: named)
    let site = try SiteFile.read(path, profiles: folder)
    let profiles = try site.hub.meters.map { try folder.meter(named: $0.profile) }
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    let beside = parts.count > 1 ? parts.dropLast().joined(separator: "/") : "."
    return LiveHub.Plan(site: site, meterProfiles: profiles, folder: beside.isEmpty ? "/" : beside)
  }
}
