import Control
import Foundation
import Journal
import Quantities
import Record
import Site

/// `sluice journal`: checks the hash chain of a journal, and thinks all that it holds again.
enum JournalCommand {
  static let usage = """
    usage: sluice journal verify STATE [--link HEX]
                                          the hash chain: is everything as it was recorded?
           sluice journal replay STATE [--version V]
                                          thinks again what was recorded, works each plan out again from what was
                                          asked, and compares, bit for bit
           sluice journal list STATE      transactions, newest first
           sluice journal size STATE      bytes by kind of record and by day
      STATE: the state directory of a hub, or its journal.sqlite
      --version: whose recordings; without it, those of the newest snapshot
      --link: what an earlier `verify` printed, kept elsewhere: whether the chain still goes through it
    """

  /// - Returns: the exit status: 0, 1 for a breach, a difference or a journal that cannot be read, 2 for wrong use.
  static func run(_ arguments: [String]) -> Int32 {
    guard arguments.count >= 2, ["verify", "replay", "list", "size"].contains(arguments[0]) else { return complain(usage, 2) }
    var (version, link): (String?, [UInt8]?) = (nil, nil)
    switch Array(arguments.dropFirst(2)) {
    case []: break
    case let rest where rest.count == 2 && rest[0] == "--version" && arguments[0] == "replay": version = rest[1]
    case let rest where rest.count == 2 && rest[0] == "--link" && arguments[0] == "verify":
      link = LimitsCommand.bytes(rest[1])
      guard link?.count == 32 else { return complain("--link is `\(rest[1])`; expected 64 hexadecimal digits", 2) }
    case let rest: return complain("not understood: \(rest.joined(separator: " "))\n\(usage)", 2)
    }
    do {
      let reader = try JournalReader(path: try StateFolder.journal(in: arguments[1]))
      switch arguments[0] {
      case "verify":
        if let link, try !reader.passes(link) { return complain("broken: the chain does not go through that link (any more)", 1) }
        return verify(try reader.verify())
      case "replay": return replay(try reader.replay(version: try version ?? reader.snapshot()?.version ?? ""))
      case "size": return size(try reader.size())
      default:
        let hub = try reader.newestHub()
        for transaction in try reader.transactions() { print(line(transaction, hub)) }
        return 0
      }
    } catch {
      return complain("\(error)", 1)
    }
  }

  private static func verify(_ report: Verification) -> Int32 {
    let perEntry = report.entries == 0 ? 0 : report.bytes / Int(clamping: report.entries)
    print(
      "batches=\(report.batches) entries=\(report.entries) thinned=\(report.thinned) references=\(report.references) thinned_references=\(report.thinnedReferences) bytes=\(report.bytes) bytes_per_entry=\(perEntry)"
    )
    if report.leftOut > 0 {
      print("left_out=\(report.leftOut): raw readings that were not recorded while the journal could not be written for long")
    }
    if let age = report.youngestThinned { print("youngest_thinned_h=\(age.milliseconds / 3_600_000)") }
    if report.unconfirmed > 0 {
      print(
        "unconfirmed=\(report.unconfirmed): said to be thinned, but by no batch of the chain: thinned after the newest batch, or taken away"
      )
    }
    print("link=\(report.link.map { String(format: "%02x", $0) }.joined())")
    if let breach = report.breach { return complain("broken: \(breach)", 1) }
    print(
      "whole, as far as it goes: that nothing is missing at its end is told by a link of an earlier day, kept elsewhere (--link)")
    return 0
  }

  private static func size(_ size: JournalSize) -> Int32 {
    for part in size.parts {
      let share = size.fileBytes == 0 ? 0 : part.bytes * 1000 / size.fileBytes
      print(
        columns([
          (part.name, 28), ("\(part.count)", -10), ("\(part.bytes) B", -16), ("\(share / 10).\(share % 10) %", -9),
          (String(format: "%.1f each", part.bytesEach), -16),
        ]))
    }
    print(columns([("file", 28), ("", -10), ("\(size.fileBytes) B", -16)]))
    print("\nday (UTC)      entries    events, effects   raw readings         inputs      snapshots")
    for day in size.days {
      print(
        columns([
          (String(time(day.start).prefix(10)), 12), ("\(day.entries)", -10), ("\(day.kept) B", -19), ("\(day.readings) B", -15),
          ("\(day.blocks) B", -15), ("\(day.snapshots) B", -15),
        ]))
    }
    print("\nentries=\(size.entries) span_s=\(size.span.milliseconds / 1000) bytes_per_entry=\(size.bytesPerEntry)")
    if let perDay = size.bytesPerDay {
      // A journal begins with what is kept once: tables, snapshots, the hub itself.
      let doubt = size.span < .hours(1) ? ", from the first \(size.span.milliseconds / 60_000) min: later ones take less" : ""
      print("projected: \(perDay / 1_000_000).\(perDay / 100_000 % 10) MB a day at this pace\(doubt)")
    }
    return 0
  }
  private static func columns(_ cells: [(text: String, width: Int)]) -> String {
    cells.map { cell in
      let blanks = String(repeating: " ", count: max(1, abs(cell.width) - cell.text.count))
      return cell.width < 0 ? blanks + cell.text : cell.text + blanks
    }.joined()
  }

  private static func replay(_ report: ReplayReport) -> Int32 {
    for text in report.passedOver { print("passed over: \(text)") }
    for text in report.faults { print("not thought again: \(text)") }
    for stretch in report.stretches { print("thought again: \(stretch.lowerBound)...\(stretch.upperBound)") }
    print("plans=\(report.plans) worked out again, \(report.plansWithoutRequest) whose request was recorded before")
    if let difference = report.planDifference { tell(difference) }
    guard let difference = report.difference else {
      print("events=\(report.events) differences=\(report.planDifference == nil ? 0 : 1)")
      return report.planDifference == nil && report.faults.isEmpty ? 0 : 1
    }
    print("first difference at \(difference.stamp.sequence), \(difference.event)")
    for effect in difference.recorded where !difference.recomputed.contains(effect) { print("  recorded only:   \(effect)") }
    for effect in difference.recomputed where !difference.recorded.contains(effect) { print("  recomputed only: \(effect)") }
    return 1
  }

  private static func tell(_ difference: Replay.PlanDifference) {
    let (recorded, recomputed) = (difference.recorded, difference.recomputed)
    print("plan \(recorded.id), entry \(difference.stamp.sequence), came out otherwise:")
    if recorded.fingerprint != recomputed.fingerprint {
      print("  it was worked out from another request: \(recorded.fingerprint), recorded is \(recomputed.fingerprint)")
    }
    if recorded.iterations != recomputed.iterations {
      print("  \(recorded.iterations) steps recorded, \(recomputed.iterations) now")
    }
    for session in recorded.sessions {
      let now = recomputed.sessions.first { $0.connector == session.connector }
      if now != session {
        print(
          "  connector \(session.connector): \(session.currents.map(\.milliamperes)) mA recorded, \(now?.currents.map(\.milliamperes) ?? []) now"
        )
      }
    }
  }

  private static func line(_ transaction: JournalReader.TransactionRecord, _ hub: Hub?) -> String {
    // The number of a station is all that the table has; the hub as it was kept last has its name.
    let name = hub.flatMap { $0.stations.indices.contains(transaction.station) ? $0.stations[transaction.station].id : nil }
    var text =
      "id=\(transaction.id) station=\(name ?? "#\(transaction.station)") connector=\(transaction.connector) from=\(time(transaction.startedAt))"
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
