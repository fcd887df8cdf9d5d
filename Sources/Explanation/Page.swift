import ChargingProfiles
import Control
import Quantities
import Record
import Site

/// An explanation as a page that an electrician can read.
public struct Page {
  let explanation: Explanation
  let clock: WallClock
  let sentences: Sentences
  /// The day of the page: times of another day are written with their date.
  private let day: Int

  public init(_ explanation: Explanation, clock: WallClock) {
    (self.explanation, self.clock) = (explanation, clock)
    sentences = Sentences(explanation.hub ?? Hub(id: "", circuits: []))
    day = Self.day(explanation.at, clock)
  }

  /// - Parameters:
  ///   - history: with every profile of the transaction.
  ///   - assumption: what was assumed about the moment asked for; nil: nothing.
  public func text(history: Bool, assumption: String? = nil) -> String {
    var lines = head
    lines += ["", "At \(dated(explanation.at)) \(clock.zone)\(assumption.map { " (\($0))" } ?? "")", ""]
    lines += profile + [""] + inputs
    if history { lines += [""] + self.history }
    if !explanation.gaps.isEmpty { lines += ["", "What is not known"] + explanation.gaps.map { "  \($0)" } }
    return lines.joined(separator: "\n")
  }

  // MARK: The transaction

  private var head: [String] {
    let subject = explanation.subject
    var lines = ["Transaction \(subject.id) at \(sentences.station(subject.station)), connector \(subject.number)"]
    lines.append("  began   \(dated(subject.startedAt))\(subject.late ? ", reported after the fact" : "")")
    if let end = subject.endedAt {
      lines.append(
        "  ended   \(dated(end)), after \(Figures.seconds(end - subject.startedAt)): \(subject.endReason ?? "no reason given")")
    } else {
      lines.append("  runs    \(explanation.story.lastStamp.map { "newest entry \(dated($0.utc))" } ?? "")")
    }
    if let energy = subject.energy { lines.append("  energy  \(Figures.kilowattHours(energy))") }
    return lines
  }

  // MARK: The moment

  private var profile: [String] {
    var lines: [String] = []
    if let life = explanation.moment.applied {
      lines.append(row("Profile", schedule(life)))
      lines.append(
        row("", "decided \(time(life.stamp.utc)) (entry \(life.stamp.sequence)), command \(life.command.value)\(kind(life))"))
      lines.append(row("Answer", answer(life)))
      lines.append(row("Followed", followed(life)))
      lines.append(row("Why", sentences.reason(life.reason, time: time)))
    } else {
      lines.append(row("Profile", "none of its own applied yet: the station had its fallback\(fallback)"))
    }
    if let reason = explanation.moment.reason, reason != explanation.moment.applied?.reason,
      let since = explanation.moment.reasonSince
    {
      lines.append(
        row(explanation.moment.applied == nil ? "Why" : "", "Since \(time(since)): \(sentences.reason(reason, time: time))"))
    }
    if let outlook = explanation.moment.outlook { lines.append(row("Plan", sentences.outlook(outlook, time: time))) }
    if let next = explanation.moment.onItsWay {
      lines.append(row("On its way", "\(schedule(next)); decided \(time(next.stamp.utc)), \(answer(next))"))
    }
    return lines
  }

  private var fallback: String {
    guard let c = explanation.connector, let hub = explanation.hub else { return "" }
    return ", \(Figures.offer(hub.connectors[c].fallback)) A"
  }

  /// `16.0 A until 13:15:02, then 6.0 A`.
  private func schedule(_ life: ProfileLife) -> String {
    let periods = life.periods(transactionStart: explanation.subject.startedAt)
    guard !periods.isEmpty else { return "\(Figures.offer(life.offer)) A" }
    var text = ""
    for (place, period) in periods.enumerated() {
      if place > 0 { text += " until \(time(period.from)), then " }
      text += "\(Figures.tenths(period.tenths, per: 10)) \(period.unit.rawValue)"
    }
    if periods[0].unit == .watts { text += " (for \(Figures.offer(life.offer)) A)" }
    return text
  }

  private func kind(_ life: ProfileLife) -> String {
    let urgency =
      switch life.urgency {
      case .decrease: ", to lower or hold the current"
      case .increase: ", to raise the current or to let it last"
      case .routine, nil: ""
      }
    return (life.profile.map { ", profile \($0.id) on level \($0.stackLevel)" } ?? "") + urgency
  }

  private func answer(_ life: ProfileLife) -> String {
    let after = life.answerTime.map { " after \(Figures.seconds($0))" } ?? ""
    let sent = life.sentAt.map { ", sent \(time($0))" } ?? ""
    return switch life.outcome {
    case .accepted: "accepted\(after)\(sent)"
    case .refused(let status): "refused (\(status))\(after)\(sent)"
    case .timedOut: "none in time: it may apply or not\(sent)"
    case .lost: "none: the connection was lost\(after); it may apply or not\(sent)"
    case .superseded: "never sent: a newer one took its place"
    case .cancelled: "never sent: its room was needed for a decrease"
    case nil: life.sentAt == nil ? "not sent yet" : "not answered yet\(sent)"
    }
  }

  private func followed(_ life: ProfileLife) -> String {
    switch life.following {
    case .neverInForce: return "it never applied"
    case .tooShort(let reaction):
      let patience = "the \(Figures.seconds(reaction)) that station and vehicle may take"
      return life.supersededAt.map { "replaced \(time($0)), before \(patience)" }
        ?? "not known: it applied for less than \(patience)"
    case .notMeasured: return "not measured while it applied"
    case .followed(let drawn): return "yes: at most \(most(drawn)), offered \(Figures.offer(life.offer)) A"
    case .exceeded(let drawn): return "NO: up to \(most(drawn)), offered \(Figures.offer(life.offer)) A"
    }
  }
  private func most(_ drawn: ProfileLife.Drawn) -> String {
    let when =
      drawn.samples == 1 ? "at \(time(drawn.at))" : "in \(drawn.samples) samples from \(time(drawn.first)) to \(time(drawn.last))"
    return "\(Figures.amperes(drawn.most)) A \(when)"
  }

  // MARK: The inputs

  private var inputs: [String] {
    guard let inputs = explanation.inputs else {
      return [
        explanation.moment.applied == nil
          ? "Nothing was sent for it, and so no inputs were kept." : "Its inputs are not at hand: see below."
      ]
    }
    var lines = [
      (explanation.inputsAreOthers
        ? "What the hub was like at \(time(inputs.stamp.utc)), the last time before that anything was sent"
        : "What it was worked out from, at \(time(inputs.stamp.utc))") + ": amperes per phase, from the connector to the grid"
    ]
    for budget in explanation.budgets { lines += [""] + table(budget) }
    let limits = inputs.view.limits.filter { limit in explanation.budgets.contains { $0.circuit == limit.circuit } }
    if !limits.isEmpty { lines += ["", "Limits from outside in force"] + limits.map { "  \(sentences.limit($0, time: time))" } }
    lines += ["", "Vehicles behind \(sentences.circuit(explanation.binding?.circuit ?? 0))"] + sessions
    let alarms = inputs.view.alarms.filter { isNear($0) }
    if !alarms.isEmpty { lines += ["", "Warnings that stood"] + alarms.map { "  \(sentences.alarm($0))" } }
    return lines
  }

  private func table(_ budget: Explanation.Budget) -> [String] {
    let binding = explanation.binding.flatMap { $0.circuit == budget.circuit ? $0.phase : nil }
    var lines = [
      "  " + cells([(sentences.circuit(budget.circuit), 24)] + Phase.allCases.map { (($0 == binding ? "> " : "") + $0.name, -9) })
        + (binding == nil ? "" : "   binding on \(binding?.name ?? "")")
    ]
    func line(_ name: String, _ value: PerPhase<Current>, _ note: String = "") {
      lines.append(
        "    " + cells([(name, 22)] + Phase.allCases.map { (Figures.amperes(value[$0]), -9) }) + (note.isEmpty ? "" : "   \(note)"))
    }
    line("limit", budget.limit, "by \(sentences.source(budget.limitSource))")
    if budget.margin > .zero { line("margin", negative(PerPhase(all: budget.margin))) }
    line("other load", negative(budget.base), load(budget))
    if budget.isConfirmed {
      line("vehicles, as counted", negative(budget.committed), "until they are measured lower")
    } else {
      line("vehicles, as offered", negative(budget.offered), budget.offered == budget.committed ? "" : counted(budget))
    }
    if budget.stations != .zero { line("stations themselves", negative(budget.stations)) }
    if budget.reserve != .zero { line("for an arrival", negative(budget.reserve), "kept free for the next vehicle") }
    line("left", budget.left, promise(budget))
    return lines
  }

  /// What is left may be meant for others already.
  private func promise(_ budget: Explanation.Budget) -> String {
    guard !budget.isConfirmed, budget.left.largest >= .smallestOffer else { return "" }
    let waiting = explanation.waiting(behind: budget.circuit)
    if waiting == 0 { return "" }
    return "\(waiting) \(waiting == 1 ? "vehicle has" : "vehicles have") a share in it as soon as a measurement confirms the room"
  }
  private func counted(_ budget: Explanation.Budget) -> String {
    "counted at \(Figures.phases(budget.committed)) until they are measured lower"
  }
  private func negative(_ value: PerPhase<Current>) -> PerPhase<Current> { value.map { .zero - $0 } }

  private func load(_ budget: Explanation.Budget) -> String {
    guard let age = budget.readingAge else { return "the worst of the site file: no meter reading" }
    let reading =
      budget.measured.map { "the meter read \(Figures.phases($0)), \(Figures.seconds(age)) before" }
      ?? "the last reading was \(Figures.seconds(age)) old"
    let worst = Phase.allCases.filter { budget.worst.contains($0) }.map(\.name).joined(separator: " ")
    return budget.worst.isEmpty ? reading : "\(budget.worst == .all ? "" : "on \(worst) ")the worst of the site file; \(reading)"
  }

  private var sessions: [String] {
    var lines = [
      "  "
        + cells([
          ("connector", 20), ("transaction", -12), ("offered", -9), ("measured", -18), ("age", -8), ("counted at", -18), ("", 2),
          ("why", 0),
        ])
    ]
    for session in explanation.sessions {
      let view = session.view
      let isOwn = session.connector == explanation.connector
      lines.append(
        (isOwn ? "> " : "  ")
          + cells([
            (sentences.connector(session.connector), 20), (view.transaction.map(String.init) ?? "-", -12),
            (view.offered.map(Figures.offer) ?? "-", -9), (three(view.measured), -18),
            (view.measuredAge.map(Figures.seconds) ?? "-", -8), (three(view.committed), -18), ("", 2),
            (sentences.short(view.reason), 0),
          ]))
    }
    return lines
  }
  private func three(_ value: PerPhase<Current>?) -> String {
    value.map { value in Phase.allCases.map { Figures.amperes(value[$0]) }.joined(separator: " ") } ?? "-"
  }

  /// It concerns a circuit on the way or the connector itself.
  private func isNear(_ alarm: Alarm) -> Bool {
    let circuits = explanation.budgets.map(\.circuit)
    switch alarm {
    case .meterStale(let meter), .meterFrozen(let meter):
      return circuits.contains { explanation.hub?.circuits[$0].measurement?.meter == meter }
    case .meterSuspect(let circuit, _), .baseAboveLimit(let circuit, _), .overLimit(let circuit, _):
      return circuits.contains(circuit)
    case .stationLost(let station), .fallbackRefused(let station), .clockWrong(let station):
      return station == explanation.subject.station
    case .notFollowing(let c), .uncontrollable(let c), .unknownSupply(let c): return c == explanation.connector
    case .senderSilent(let circuit), .tripped(let circuit): return circuits.contains(circuit)
    case .storeFailed: return true
    }
  }

  // MARK: The history

  private var history: [String] {
    let lives = explanation.story.profiles
    if lives.isEmpty { return ["History: no profile was sent for it"] }
    var lines = [
      "History: \(lives.count) profiles",
      "  "
        + cells([
          ("decided", 20), ("offer A", -8), ("", 3), ("answer", 28), ("drawn A", -8), ("", 2), ("followed", 14), ("replaced", 20),
          ("why", 0),
        ]),
    ]
    for life in lives {
      lines.append(
        (life.command == explanation.moment.applied?.command ? "> " : "  ")
          + cells([
            (time(life.stamp.utc), 20), (Figures.offer(life.offer), -8), ("", 3), (shortAnswer(life), 28), (drawn(life), -8),
            ("", 2),
            (shortFollowed(life), 14), (life.supersededAt.map { time($0) } ?? "-", 20), (sentences.short(life.reason), 0),
          ]))
    }
    return lines
  }
  private func shortAnswer(_ life: ProfileLife) -> String {
    let after = life.answerTime.map { ", \(Figures.seconds($0))" } ?? ""
    return switch life.outcome {
    case .accepted: "accepted\(after)"
    case .refused(let status): "refused: \(status)\(after)"
    case .timedOut: "timed out"
    case .lost: "connection lost"
    case .superseded: "superseded unsent"
    case .cancelled: "cancelled unsent"
    case nil: life.sentAt == nil ? "not sent" : "not answered"
    }
  }
  private func drawn(_ life: ProfileLife) -> String { life.drawn.map { Figures.amperes($0.most) } ?? "-" }
  private func shortFollowed(_ life: ProfileLife) -> String {
    switch life.following {
    case .neverInForce: "-"
    case .tooShort: "too short"
    case .notMeasured: "not measured"
    case .followed: "yes"
    case .exceeded: "NO"
    }
  }

  // MARK: Layout

  private func row(_ name: String, _ text: String) -> String { "  " + cells([(name, 12), (text, 0)]) }
  /// A width below zero puts the text at the right.
  private func cells(_ cells: [(text: String, width: Int)]) -> String {
    var line = cells.reduce(into: "") { line, cell in
      let blanks = String(
        repeating: " ", count: max(cell.width == 0 || cell.text.isEmpty ? 0 : 1, abs(cell.width) - cell.text.count))
      line += cell.width < 0 ? blanks + cell.text : cell.width == 0 ? cell.text : cell.text + blanks
    }
    while line.last == " " { line.removeLast() }
    return line
  }

  private static func day(_ instant: Instant, _ clock: WallClock) -> Int {
    (instant + clock.offset(instant)).floored(to: .days(1)).milliseconds
  }
  private func time(_ instant: Instant) -> String {
    Self.day(instant, clock) == day ? String(dated(instant).dropFirst(11)) : dated(instant)
  }
  private func dated(_ instant: Instant) -> String { clock.text(instant) }
}
