import Control
import Foundation
import Journal
import Quantities
import Record
import Site

/// `sluice journal`: checks the hash chain of a journal, and thinks all that it holds again.
enum JournalCommand {
  static let usage = """
    usage: sluice journal verify STATE    the hash chain: is everything as it was recorded?
           sluice journal replay STATE [--version V]
                                          thinks again what was recorded, and compares, bit for bit
           sluice journal list STATE      transactions, newest first
      STATE: the state directory of a hub, or its journal.sqlite
      --version: whose recordings; without it, those of the newest snapshot
    """

  /// - Returns: the exit status: 0, 1 for a breach, a difference or a journal that cannot be read, 2 for wrong use.
  static func run(_ arguments: [String]) -> Int32 {
    if arguments.contains("--help") || arguments.contains("-h") {
      print(usage)
      return 0
    }
    guard arguments.count >= 2, ["verify", "replay", "list"].contains(arguments[0]) else { return complain(usage, 2) }
    var version: String?
    switch Array(arguments.dropFirst(2)) {
    case []: break
    case let rest where rest.count == 2 && rest[0] == "--version" && arguments[0] == "replay": version = rest[1]
    case let rest: return complain("not understood: \(rest.joined(separator: " "))\n\(usage)", 2)
    }
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: arguments[1], isDirectory: &isFolder) else {
      return complain("\(arguments[1]): no such file or folder", 1)
    }
    do {
      let reader = try JournalReader(path: isFolder.boolValue ? JournalStore.path(in: arguments[1]) : arguments[1])
      switch arguments[0] {
      case "verify": return verify(try reader.verify())
      case "replay": return replay(try reader.replay(version: try version ?? reader.snapshot()?.version ?? ""))
      default:
        for transaction in try reader.transactions() { print(line(transaction)) }
        return 0
      }
    } catch {
      return complain("\(error)", 1)
    }
  }

  private static func verify(_ report: Verification) -> Int32 {
    let perEntry = report.entries == 0 ? 0 : report.bytes / Int(clamping: report.entries)
    print(
      "batches=\(report.batches) entries=\(report.entries) thinned=\(report.thinned) bytes=\(report.bytes) bytes_per_entry=\(perEntry)"
    )
    print("link=\(report.link.map { String(format: "%02x", $0) }.joined())")
    if let breach = report.breach { return complain("broken: \(breach)", 1) }
    print("whole")
    return 0
  }

  private static func replay(_ report: ReplayReport) -> Int32 {
    for text in report.passedOver { print("passed over: \(text)") }
    for stretch in report.stretches { print("thought again: \(stretch.lowerBound)...\(stretch.upperBound)") }
    guard let difference = report.difference else {
      print("events=\(report.events) differences=0")
      return 0
    }
    print("first difference at \(difference.stamp.sequence), \(difference.event)")
    for effect in difference.recorded where !difference.recomputed.contains(effect) { print("  recorded only:   \(effect)") }
    for effect in difference.recomputed where !difference.recorded.contains(effect) { print("  recomputed only: \(effect)") }
    return 1
  }

  private static func line(_ transaction: JournalReader.TransactionRecord) -> String {
    var text =
      "id=\(transaction.id) station=\(transaction.station) connector=\(transaction.connector) from=\(time(transaction.startedAt))"
    if let end = transaction.endedAt { text += " to=\(time(end)) reason=\(transaction.reason ?? "")" }
    if let stop = transaction.meterStop { text += " energy_wh=\((stop - transaction.meterStart).wattHours)" }
    return text
  }

  private static func time(_ instant: Instant) -> String {
    Date(timeIntervalSince1970: Double(instant.milliseconds) / 1000).ISO8601Format()
  }

  private static func complain(_ text: String, _ status: Int32) -> Int32 {
    FileHandle.standardError.write(Data("sluice: \(text)\n".utf8))
    return status
  }
}
