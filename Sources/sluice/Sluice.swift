import Glibc

/// The door: the command line.
@main struct Sluice {
  private struct Command: Sendable {
    var name: String
    var summary: String
    var usage: String
    var run: @Sendable ([String]) throws -> Int32
  }

  private static let commands: [Command] = [
    Command(name: "run", summary: "controls a charging hub until it is told to stop", usage: RunCommand.usage, run: RunCommand.run),
    Command(
      name: "demo", summary: "runs the controller with emulated stations, vehicles and meters on real wires",
      usage: DemoCommand.usage, run: DemoCommand.run),
    Command(
      name: "commission", summary: "tests how each station is wired, whether it obeys and falls back, and writes a protocol",
      usage: CommissionCommand.usage, run: CommissionCommand.run),
    Command(
      name: "rig", summary: "plays the stations and meters of a site, with mistakes on request", usage: RigCommand.usage,
      run: RigCommand.run),
    Command(
      name: "check", summary: "says what is wrong with a site file, or prints the site with its margins", usage: CheckCommand.usage,
      run: CheckCommand.run),
    Command(
      name: "meter", summary: "reads, recognises or emulates a Modbus meter", usage: MeterCommand.usage, run: MeterCommand.run),
    Command(
      name: "composite", summary: "prints the composite schedule of charging profiles", usage: CompositeCommand.usage,
      run: CompositeCommand.run),
    Command(
      name: "explain", summary: "says why a transaction had the current it had", usage: ExplainCommand.usage,
      run: ExplainCommand.run),
    Command(
      name: "journal", summary: "verifies the journal's hash chain, replays its decisions, or measures it",
      usage: JournalCommand.usage, run: JournalCommand.run),
    Command(
      name: "token", summary: "makes, lists and revokes the tokens with which people and programs come in",
      usage: TokenCommand.usage, run: TokenCommand.run),
    Command(
      name: "password", summary: "makes the hash of a station's password for the site file", usage: PasswordCommand.usage,
      run: PasswordCommand.run),
    Command(
      name: "limits", summary: "shows how limits from outside were kept, signed", usage: LimitsCommand.usage, run: LimitsCommand.run
    ),
    Command(name: "plan", summary: "computes or checks a charging plan", usage: PlanCommand.usage, run: PlanCommand.run),
    Command(name: "problem", summary: "writes a seeded planning problem", usage: ProblemCommand.usage, run: ProblemCommand.run),
    Command(
      name: "simulate", summary: "lives a scenario under several policies, and writes figures, tables and a report",
      usage: SimulateCommand.usage, run: SimulateCommand.run),
    Command(
      name: "torture", summary: "lives random hubs through random days and checks every rule", usage: TortureCommand.usage,
      run: TortureCommand.run),
  ]

  static func main() {
    let arguments = Array(CommandLine.arguments.dropFirst())
    guard let name = arguments.first, !["help", "--help", "-h"].contains(name) else {
      print(usage)
      exit(arguments.isEmpty ? 2 : 0)
    }
    guard let command = commands.first(where: { $0.name == name }) else {
      complain("there is no command '\(name)'\n\n\(usage)")
      exit(2)
    }
    let rest = Array(arguments.dropFirst())
    if rest.contains("--help") || rest.contains("-h") {
      print(command.usage)
      exit(0)
    }
    do {
      exit(try command.run(rest))
    } catch let misuse as CommandLineOptions.Misuse {
      complain("\(misuse)\n\(command.usage)")
      exit(2)
    } catch {
      complain("\(error)")
      exit(1)
    }
  }

  private static var usage: String {
    let width = commands.map { $0.name.count }.max() ?? 0
    let lines = commands.map { "  \($0.name)\(String(repeating: " ", count: width - $0.name.count + 2))\($0.summary)" }
    return "usage: sluice COMMAND ...\n\n" + lines.joined(separator: "\n")
  }

  private static func complain(_ text: String) {
    let line = "sluice: \(text)\n"
    _ = line.withCString { write(2, $0, strlen($0)) }
  }
}
