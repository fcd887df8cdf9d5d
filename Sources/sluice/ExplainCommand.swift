import Documents
import Explanation
import Glibc
import Journal
import Quantities
import SiteFiles

/// `sluice explain TRANSACTION`: why it had the current that it had.
enum ExplainCommand {
  static let usage = """
    usage: sluice explain TRANSACTION [--at TIME] (--state DIR | SITE.json5) [--json] [--profiles FOLDER]
      TRANSACTION: its number; `sluice journal list STATE` shows them
      --at TIME: 2026-11-25T18:07:00+01:00, or 18:07 on this machine's clock, on the transaction's day; without it the transaction's
        last moment, or now while it runs, with the history of all its profiles
      --state DIR: the state directory of a hub, or its journal.sqlite; it may be in use
      SITE.json5: the site file, whose state directory is meant
      --json: for machines
    """

  /// - Returns: the exit status: 0, 1 when it cannot be explained, 2 when the command line is wrong.
  static func run(_ arguments: [String]) -> Int32 {
    do {
      let options = try CommandLineOptions(arguments, names: ["at", "state", "profiles"], flags: ["json"])
      guard let word = options.words.first, options.words.count <= 2, (options.words.count == 2) != (options.text("state") != nil)
      else { throw CommandLineOptions.Misuse(description: "expected a transaction, and either --state DIR or a site file") }
      guard let id = Int(word) else {
        throw CommandLineOptions.Misuse(description: "the transaction is `\(word)`; expected its number")
      }
      let asked = try options.text("at").map { try TimeAsked($0) }
      let state = try options.text("state") ?? StateFolder.named(in: options.words[1], profiles: options.text("profiles"))
      try explain(id, asked, journal: StateFolder.journal(in: state), isJSON: options.has("json"))
      return 0
    } catch let misuse as CommandLineOptions.Misuse {
      StandardError.write("\(misuse)\n\(usage)")
      return 2
    } catch {
      StandardError.write("sluice: \(error)")
      return 1
    }
  }

  private static func explain(_ id: Int, _ asked: TimeAsked?, journal: String, isJSON: Bool) throws {
    let reader = try JournalReader(path: journal)
    var at: Instant?
    var assumption: String?
    if let asked {
      guard let record = try reader.transactions(id: id).first else {
        _ = try reader.explain(transaction: id)
        return
      }
      (at, assumption) = try asked.instant(from: record.startedAt, to: record.endedAt)
    }
    let explanation = try reader.explain(transaction: id, at: at)
    if asked == nil { assumption = explanation.subject.endedAt == nil ? "now: the newest entry" : "the transaction's end" }
    if isJSON {
      print(explanation.json(history: asked == nil))
    } else {
      print(Page(explanation, clock: LocalTime.clock).text(history: asked == nil, assumption: assumption))
    }
  }
}

/// A time as it was typed.
enum TimeAsked {
  case instant(Instant)
  /// Seconds after midnight, on this machine's clock.
  case timeOfDay(Int)

  init(_ text: String) throws(CommandLineOptions.Misuse) {
    if let time = Timestamp(text), time.hasZone {
      self = .instant(Instant(milliseconds: time.milliseconds))
      return
    }
    let parts = text.split(separator: ":", omittingEmptySubsequences: false).map { $0.count == 2 ? Int($0) ?? -1 : -1 }
    guard parts.count == 2 || parts.count == 3, (0...23).contains(parts[0]), (0...59).contains(parts[1]),
      parts.count == 2 || (0...59).contains(parts[2])
    else {
      throw CommandLineOptions.Misuse(
        description: "--at is `\(text)`; expected a time with its zone such as 2026-11-25T18:07:00+01:00, or 18:07, or 18:07:30")
    }
    self = .timeOfDay(parts[0] * 3600 + parts[1] * 60 + (parts.count == 3 ? parts[2] : 0))
  }

  /// - Parameters:
  ///   - start: of the transaction.
  ///   - end: nil: it runs.
  /// - Returns: the instant, and what was assumed.
  /// - Throws: for a time of day that it did not live through.
  func instant(from start: Instant, to end: Instant?) throws(CommandLineOptions.Misuse) -> (Instant, String?) {
    switch self {
    case .instant(let instant): return (instant, nil)
    case .timeOfDay(let seconds):
      var day = LocalTime.midnight(before: start)
      // A minute holds the transaction's beginning if the transaction began in it.
      var asked = LocalTime.instant(seconds, after: day)
      if asked < start, asked + .minutes(1) > start { asked = start }
      var which = "the day on which the transaction began"
      while asked < start {
        day = LocalTime.midnight(before: day + .hours(36))
        asked = LocalTime.instant(seconds, after: day)
        which = "the day after the transaction began"
      }
      if let end, asked > end {
        let clock = LocalTime.clock
        throw CommandLineOptions.Misuse(
          description: "--at is not within the transaction; expected a time from \(clock.text(start)) to \(clock.text(end))")
      }
      return (asked, "the date was assumed: \(which), on this machine's clock, \(LocalTime.clock.zone)")
    }
  }
}

/// This machine's time zone.
enum LocalTime {
  static let clock = WallClock(zone: zone) { .seconds(local($0).tm_gmtoff) }

  private static var zone: String {
    tzset()
    var now = time(nil)
    var parts = tm()
    localtime_r(&now, &parts)
    return parts.tm_zone.map { String(cString: $0) } ?? "local time"
  }
  private static func local(_ instant: Instant) -> tm {
    var seconds = time_t(instant.floored(to: .seconds(1)).milliseconds / 1000)
    var parts = tm()
    localtime_r(&seconds, &parts)
    return parts
  }
  static func midnight(before instant: Instant) -> Instant { self.instant(0, on: local(instant)) }
  static func instant(_ seconds: Int, after midnight: Instant) -> Instant { instant(seconds, on: local(midnight)) }
  /// A time of day on a date; mktime knows what summer time does to it.
  private static func instant(_ seconds: Int, on date: tm) -> Instant {
    var parts = date
    (parts.tm_hour, parts.tm_min, parts.tm_sec) = (Int32(seconds / 3600), Int32(seconds / 60 % 60), Int32(seconds % 60))
    parts.tm_isdst = -1
    return Instant(seconds: mktime(&parts))
  }
}
