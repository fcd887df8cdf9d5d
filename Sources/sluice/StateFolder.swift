import Glibc
import Journal
import LiveHub

/// Where a hub's state is.
enum StateFolder {
  struct Flaw: Error, CustomStringConvertible {
    var description: String
  }
  /// As the site file says, relative to it; otherwise a folder beside it, named for the site.
  static func of(_ plan: LiveHub.Plan) -> String {
    let folder = plan.site.stateFolder ?? "\(plan.site.hub.id)-state"
    return folder.hasPrefix("/") ? folder : "\(plan.folder)/\(folder)"
  }
  static func named(in site: String, profiles: String?) throws -> String { of(try HubPlan.read(site, profiles: profiles)) }

  /// What a command line says: `--state DIR`, or a site file behind the first `count` words.
  static func chosen(_ options: CommandLineOptions, after count: Int) throws -> String {
    let rest = options.words.dropFirst(count)
    guard rest.count <= 1, (rest.count == 1) != (options.text("state") != nil) else {
      throw CommandLineOptions.Misuse(description: "expected either --state DIR or a site file")
    }
    return try options.text("state") ?? named(in: rest.first ?? "", profiles: options.text("profiles"))
  }

  /// The same; it is there.
  static func existing(_ options: CommandLineOptions, after count: Int) throws -> String {
    let folder = try chosen(options, after: count)
    var status = stat()
    guard stat(folder, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
      throw Flaw(description: "\(folder): there is no such folder; a hub's state is in one once it has run, or has tokens")
    }
    return folder
  }

  /// The journal in a state directory; the path of a journal is one itself.
  static func journal(in path: String) throws(Flaw) -> String {
    var status = stat()
    guard stat(path, &status) == 0 else { throw Flaw(description: "\(path): no such file or folder") }
    let file = status.st_mode & S_IFMT == S_IFDIR ? JournalStore.path(in: path) : path
    guard stat(file, &status) == 0 else { throw Flaw(description: "\(file): there is no journal in this state directory") }
    return file
  }
}
