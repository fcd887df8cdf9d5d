import Documents
import Glibc
import GridLimits
import LiveHub
import SiteFiles

/// `sluice limits`: how limits from outside were kept, event by event, with the signature that proves it.
enum LimitsCommand {
  static let usage = """
    usage: sluice limits list (--state DIR | SITE.json5)
           sluice limits report NAME [--format json|csv|html] (--state DIR | SITE.json5)
           sluice limits verify NAME.json NAME.sig --key HEX
           sluice limits key (--state DIR | SITE.json5)
      NAME: as `list` prints it; `report` checks the signature first
      key: prints the public key, by which anybody can check a report
    """

  /// - Returns: the exit status: 0, 1 when it cannot be done or a signature is wrong, 2 when the command line is wrong.
  static func run(_ arguments: [String]) -> Int32 {
    do {
      let options = try CommandLineOptions(arguments, names: ["state", "format", "key", "profiles"], flags: [])
      switch options.words.first {
      case "list": try list(StateFolder.existing(options, after: 1))
      case "key": print(hexadecimal(try SigningKey(state: StateFolder.existing(options, after: 1), makes: false).publicKey))
      case "report":
        guard options.words.count >= 2 else { throw CommandLineOptions.Misuse(description: "report needs a name") }
        try report(options.words[1], format: options.text("format") ?? "json", StateFolder.existing(options, after: 2))
      case "verify":
        guard options.words.count == 3, let key = options.text("key").flatMap(bytes) else {
          throw CommandLineOptions.Misuse(description: "verify needs NAME.json, NAME.sig and --key of 64 hexadecimal digits")
        }
        try verify(options.words[1], options.words[2], key)
      default: throw CommandLineOptions.Misuse(description: "expected list, report, verify or key")
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

  private static func list(_ state: String) throws {
    let folder = ReportFolder(state: state)
    for name in folder.names() {
      let forms = try ReportForms(json: try folder.read(name).json, name: name)
      print("\(name)  \(forms.text("circuit"))  \(forms.text("source"))  \(forms.verdict)")
    }
  }

  private static func report(_ name: String, format: String, _ state: String) throws {
    guard ReportFolder.isName(name) else { throw CommandLineOptions.Misuse(description: "`\(name)` is no name of a report") }
    let (json, signature) = try ReportFolder(state: state).read(name)
    let key = try SigningKey(state: state, makes: false).publicKey
    guard let given = bytes(signature), SigningKey.verifies(given, of: Array(json.utf8), by: key) else {
      throw Flaw(description: "\(name): its signature is not that of this hub's key: it was changed, or is another hub's")
    }
    let forms = try ReportForms(json: json, name: name)
    switch format {
    case "json": print(json)
    case "csv": print(forms.csv, terminator: "")
    case "html": print(forms.html(signature: signature, key: hexadecimal(key)))
    default: throw CommandLineOptions.Misuse(description: "--format is `\(format)`; expected json, csv or html")
    }
  }

  private static func verify(_ report: String, _ signature: String, _ key: [UInt8]) throws {
    let json = try ProfileFolder.read(report), text = try ProfileFolder.read(signature)
    guard let given = bytes(String(text.prefix { !$0.isWhitespace })), SigningKey.verifies(given, of: Array(json.utf8), by: key)
    else {
      throw Flaw(description: "\(report): the signature is not of these bytes by this key")
    }
    print("the signature is right")
  }

  static func bytes(_ text: String) -> [UInt8]? {
    let digits = text.compactMap(\.hexDigitValue)
    guard digits.count == text.count, digits.count % 2 == 0, !digits.isEmpty else { return nil }
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
  }
  private static func hexadecimal(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }
}
