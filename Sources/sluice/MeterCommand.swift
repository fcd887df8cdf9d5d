import Documents
import Glibc
import Metering
import ModbusLink
import Quantities
import Site
import SiteFiles

/// `sluice meter`: read one meter, recognise a model, or be a small emulated meter.
enum MeterCommand {
  static let usage = """
    usage: sluice meter read --profile NAME WHERE [--unit N] [--count N | --watch] [--period MS] [--profiles DIR]
           sluice meter probe WHERE [--unit N] [--profiles DIR]
           sluice meter serve --profile NAME (--tcp PORT | --rtu DEVICE) [--unit N] [--current A[,A,A]] [--voltage V[,V,V]]
                              [--imported Wh] [--exported Wh] [--profiles DIR]
           sluice meter list [--profiles DIR]
    WHERE: --tcp HOST[:PORT]  or  --rtu DEVICE [--baud 19200] [--parity N|E|O] [--stop 1|2]
    """

  /// - Returns: the exit status: 0; 1 when the meter did not answer or cannot be believed; 2 when the command is wrong.
  static func run(_ arguments: [String]) -> Int32 {
    do throws(Problem) {
      let options = try MeterOptions(Array(arguments.dropFirst()))
      switch arguments.first {
      case "read": return try MeterReader(options).run()
      case "probe": return try MeterProbe(options).run()
      case "serve": return try MeterServing(options).run()
      case "list": return try list(options)
      default: throw Problem(usage, status: 2)
      }
    } catch {
      let text = error.message + "\n"
      write(2, text, text.utf8.count)
      return error.status
    }
  }

  private static func list(_ options: MeterOptions) throws(Problem) -> Int32 {
    for profile in try options.profiles() {
      print(pad(profile.name, 28) + profile.meter + (profile.unfit.map { "  (not for limiting: \($0))" } ?? ""))
    }
    return 0
  }

  struct Problem: Error {
    var message: String
    var status: Int32
    init(_ message: String, status: Int32 = 2) { (self.message, self.status) = (message, status) }
  }

  static func pad(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }
  static func right(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }
  static func hexadecimal(_ word: UInt16) -> String {
    let digits = String(word, radix: 16, uppercase: true)
    return String(repeating: "0", count: 4 - digits.count) + digits
  }
}
