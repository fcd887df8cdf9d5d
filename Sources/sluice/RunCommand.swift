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
    let hub: LiveHub
    do {
      let plan = try HubPlan.read(path, profiles: options.text("profiles"))
      hub = try LiveHub(plan, state: options.text("state") ?? state(of: plan, at: path)) { StandardError.write("\($0)") }
      let ports = try hub.start()
      for (listener, port) in zip(plan.site.listeners, ports) {
        StandardError.write("event=listening address=\(listener.address) port=\(port) tls=\(listener.tls != nil)")
      }
    } catch {
      StandardError.write("\(error)")
      return 1
    }
    let ended = Latch()
    for signal in [SIGTERM, SIGINT] { hub.loop.onSignal(signal) { ended.open() } }
    let again = Mailbox<Bool>()
    hub.loop.onSignal(SIGHUP) { again.post(true) }
    while !ended.wait(patience: .milliseconds(200)) {
      guard !again.take().isEmpty else { continue }
      do { try hub.reload(try HubPlan.read(path, profiles: options.text("profiles"))) } catch {
        StandardError.write("event=site_file_refused why=\"the old one stays in force\"\n\(error)")
      }
    }
    hub.stop()
    return 0
  }

  /// The state directory: as the site file says, relative to it; otherwise a folder beside it, named for the site.
  static func state(of plan: LiveHub.Plan, at path: String) -> String {
    let folder = plan.site.stateFolder ?? "\(plan.site.hub.id)-state"
    return folder.hasPrefix("/") ? folder : "\(plan.folder)/\(folder)"
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
