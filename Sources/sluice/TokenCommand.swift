import Documents
import Glibc
import LiveHub
import Quantities
import Site
import Window

/// `sluice token`: who may come to the window, and as what.
enum TokenCommand {
  static let usage = """
    usage: sluice token make NAME --role ROLE (--state DIR | SITE.json5)
           sluice token list (--state DIR | SITE.json5)
           sluice token revoke NAME (--state DIR | SITE.json5)
      ROLE: viewer, operator, grid-operator or administrator
      --state DIR: the state directory of a hub; it may be in use, and heeds a change at once
      `make` prints the token once: only its digest is kept
    """

  /// - Returns: the exit status: 0, 1 when it cannot be done, 2 when the command line is wrong.
  static func run(_ arguments: [String]) -> Int32 {
    do {
      let options = try CommandLineOptions(arguments, names: ["role", "state", "profiles"], flags: [])
      guard let verb = options.words.first, ["make", "list", "revoke"].contains(verb) else {
        throw CommandLineOptions.Misuse(description: "expected make, list or revoke")
      }
      let name = verb == "list" ? nil : options.words.dropFirst().first
      if verb != "list", name == nil { throw CommandLineOptions.Misuse(description: "\(verb) needs a name") }
      let count = verb == "list" ? 1 : 2
      let state = try verb == "make" ? StateFolder.chosen(options, after: count) : StateFolder.existing(options, after: count)
      let file = TokenFile(state: state)
      switch verb {
      case "make": try make(name ?? "", role: options.text("role"), file, state)
      case "revoke": try revoke(name ?? "", file)
      default: try list(file)
      }
      return 0
    } catch let misuse as CommandLineOptions.Misuse {
      StandardError.write("\(misuse)\n\(usage)")
      return 2
    } catch {
      StandardError.write("sluice: \(error)")
      return 1
    }
  }

  private struct Flaw: Error, CustomStringConvertible {
    var description: String
  }

  private static func make(_ name: String, role text: String?, _ file: TokenFile, _ state: String) throws {
    guard let text, let role = Role(rawValue: text) else {
      let all = Role.allCases.map(\.rawValue).joined(separator: ", ")
      throw CommandLineOptions.Misuse(description: "--role is `\(text ?? "")`; expected one of \(all)")
    }
    let isPlain =
      (1...48).contains(name.utf8.count) && name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) }
    guard isPlain else { throw CommandLineOptions.Misuse(description: "the name is `\(name)`; expected letters, digits and - _ .") }
    guard mkdir(state, 0o750) == 0 || errno == EEXIST else {
      throw Flaw(description: "\(state): cannot be made: \(String(cString: strerror(errno)))")
    }
    var tokens = try file.read()
    guard !tokens.holders.contains(where: { $0.name == name }) else {
      throw Flaw(description: "there is a token for \(name) already: revoke it, or take another name")
    }
    var random = SystemRandomNumberGenerator()
    let token = Tokens.text(of: (0..<32).map { _ in UInt8.random(in: 0...255, using: &random) })
    let now = Instant(seconds: time(nil))
    tokens.holders.append(.init(name: name, role: role, digest: Tokens.digest(of: token), made: now))
    try file.write(tokens)
    print(token)
  }

  private static func revoke(_ name: String, _ file: TokenFile) throws {
    var tokens = try file.read()
    guard tokens.holders.contains(where: { $0.name == name }) else {
      let names = tokens.holders.map(\.name).joined(separator: ", ")
      throw Flaw(description: "there is no token for \(name); there are: \(names.isEmpty ? "none" : names)")
    }
    tokens.holders.removeAll { $0.name == name }
    try file.write(tokens)
    print("\(name) is revoked")
  }

  private static func list(_ file: TokenFile) throws {
    for holder in try file.read().holders {
      print("\(holder.name)  \(holder.role.rawValue)  made \(Timestamp.text(holder.made.milliseconds))")
    }
  }
}
