import ChargingProfiles
import Control
import Documents
import Quantities
import Record
import Site

extension Explanation {
  /// The explanation for machines: one object; times are UTC, currents in `_a`, ages in `_s`, energies in `_wh`.
  /// - Parameter history: with every profile of the transaction.
  public func json(history: Bool) -> String {
    var writer = JSONWriter(reserving: 4096)
    writer.beginObject()
    write(subject, &writer)
    writer.member("at", at)
    writer.key("applied")
    if let life = moment.applied { write(life, &writer) } else { writer.null() }
    writer.key("on_its_way")
    if let life = moment.onItsWay { write(life, &writer) } else { writer.null() }
    writer.key("reason")
    if let reason = moment.reason { write(reason, &writer) } else { writer.null() }
    writer.key("plan")
    if let outlook = moment.outlook { write(outlook, &writer) } else { writer.null() }
    writer.key("inputs")
    if let inputs { write(inputs, &writer) } else { writer.null() }
    if history {
      writer.key("history")
      writer.beginArray()
      for life in story.profiles { write(life, &writer) }
      writer.endArray()
    }
    writer.key("not_known")
    writer.beginArray()
    for gap in gaps { writer.string(gap) }
    writer.endArray()
    writer.endObject()
    return writer.text
  }

  private var sentences: Sentences { Sentences(hub ?? Hub(id: "", circuits: [])) }
  private static func text(_ instant: Instant) -> String { Timestamp.text(instant.milliseconds) }

  private func write(_ subject: Subject, _ writer: inout JSONWriter) {
    writer.key("transaction")
    writer.beginObject()
    writer.member("id", subject.id)
    writer.member("station", sentences.station(subject.station))
    writer.member("connector", subject.number)
    writer.member("started_at", subject.startedAt)
    writer.member("ended_at", subject.endedAt)
    writer.member("end_reason", subject.endReason)
    writer.member("energy_wh", subject.energy?.wattHours)
    writer.member("late", subject.late)
    writer.endObject()
  }

  private func write(_ reason: Reason, _ writer: inout JSONWriter) {
    writer.beginObject()
    writer.member("sentence", sentences.reason(reason, time: Self.text))
    let binding = Sentences.binding(reason)
    writer.member("circuit", binding.map { sentences.circuit($0.circuit) })
    writer.member("phase", binding?.phase.name)
    writer.endObject()
  }

  private func write(_ outlook: Outlook, _ writer: inout JSONWriter) {
    writer.beginObject()
    writer.member("sentence", sentences.outlook(outlook, time: Self.text))
    writer.member("wanted_wh", outlook.wanted.wattHours)
    writer.member("short_wh", outlook.short.wattHours)
    writer.member("departure", outlook.departure)
    writer.member("is_estimate", outlook.isEstimate)
    writer.member("planned_at", outlook.plannedAt)
    writer.key("held_back")
    writer.beginArray()
    for neck in outlook.necks {
      writer.beginObject()
      writer.member("circuit", sentences.circuit(neck.circuit))
      writer.key("phases")
      writer.beginArray()
      for phase in Phase.allCases where neck.phases.contains(phase) { writer.string(phase.name) }
      writer.endArray()
      writer.member("from", neck.from)
      writer.member("until", neck.until)
      writer.endObject()
    }
    writer.endArray()
    writer.endObject()
  }

  private func write(_ life: ProfileLife, _ writer: inout JSONWriter) {
    writer.beginObject()
    writer.member("command", Int(clamping: life.command.value))
    writer.member("entry", Int(clamping: life.stamp.sequence))
    writer.member("decided_at", life.stamp.utc)
    writer.member("offer_a", life.offer)
    writer.key("reason")
    write(life.reason, &writer)
    writer.member("profile", life.profile?.id)
    writer.key("periods")
    writer.beginArray()
    for period in life.periods(transactionStart: subject.startedAt) {
      writer.beginObject()
      writer.member("from", period.from)
      writer.key("limit")
      writer.decimal(period.tenths, 1)
      writer.member("unit", period.unit.rawValue)
      writer.endObject()
    }
    writer.endArray()
    writer.member("sent_at", life.sentAt)
    writer.member("answer", Self.word(life.outcome))
    if case .refused(let status) = life.outcome { writer.member("status", status) }
    writer.member("answered_at", life.answeredAt)
    writer.member("answer_s", life.answerTime)
    writer.member("superseded_by", life.supersededBy.map { Int(clamping: $0.value) })
    writer.member("superseded_at", life.supersededAt)
    writer.member("followed", Self.word(life.following))
    writer.member("drawn_a", life.drawn?.most)
    writer.member("drawn_at", life.drawn?.at)
    writer.endObject()
  }

  private static func word(_ outcome: ProfileLife.Outcome?) -> String? {
    switch outcome {
    case .accepted: "accepted"
    case .refused: "refused"
    case .timedOut: "timed_out"
    case .lost: "connection_lost"
    case .superseded: "superseded"
    case .cancelled: "cancelled"
    case nil: nil
    }
  }
  private static func word(_ following: ProfileLife.Following) -> String {
    switch following {
    case .neverInForce: "never_in_force"
    case .tooShort: "too_short"
    case .notMeasured: "not_measured"
    case .followed: "yes"
    case .exceeded: "no"
    }
  }

  private func write(_ inputs: Inputs, _ writer: inout JSONWriter) {
    writer.beginObject()
    writer.member("of_another_session", inputsAreOthers)
    writer.member("entry", Int(clamping: inputs.stamp.sequence))
    writer.member("at", inputs.stamp.utc)
    writer.key("circuits")
    writer.beginArray()
    for budget in budgets { write(budget, &writer) }
    writer.endArray()
    writer.key("limits")
    writer.beginArray()
    for limit in inputs.view.limits { write(limit, &writer) }
    writer.endArray()
    writer.key("sessions")
    writer.beginArray()
    for session in sessions { write(session, &writer) }
    writer.endArray()
    writer.key("alarms")
    writer.beginArray()
    for alarm in inputs.view.alarms { writer.string(sentences.alarm(alarm)) }
    writer.endArray()
    writer.endObject()
  }

  private func write(_ budget: Budget, _ writer: inout JSONWriter) {
    writer.beginObject()
    writer.member("id", sentences.circuit(budget.circuit))
    writer.member("limit_a", budget.limit)
    writer.member("limit_source", budget.limitSource)
    writer.member("margin_a", budget.margin)
    writer.member("other_load_a", budget.base)
    writer.key("other_load_is_worst_on")
    writer.beginArray()
    for phase in Phase.allCases where budget.worst.contains(phase) { writer.string(phase.name) }
    writer.endArray()
    writer.member("vehicles_offered_a", budget.offered)
    writer.member("vehicles_committed_a", budget.committed)
    writer.member("left_is_of_committed", budget.isConfirmed)
    writer.member("stations_a", budget.stations)
    writer.member("arrival_reserve_a", budget.reserve)
    writer.member("left_a", budget.left)
    writer.member("measured_a", budget.measured)
    writer.member("reading_age_s", budget.readingAge)
    writer.endObject()
  }

  private func write(_ limit: Limit, _ writer: inout JSONWriter) {
    writer.beginObject()
    writer.member("id", limit.id)
    writer.member("source", limit.source)
    writer.member("circuit", sentences.circuit(limit.circuit))
    switch limit.amount {
    case .current(let current): writer.member("limit_a", current)
    case .power(let power):
      writer.key("limit_w")
      writer.decimal(power.raw, 3)
    }
    writer.member("from", limit.from)
    writer.member("until", limit.until)
    writer.endObject()
  }

  private func write(_ session: Session, _ writer: inout JSONWriter) {
    writer.beginObject()
    writer.member("connector", sentences.connector(session.connector))
    writer.member("transaction", session.view.transaction)
    writer.member("status", session.view.status?.rawValue)
    writer.member("offered_a", session.view.offered)
    writer.member("measured_a", session.view.measured)
    writer.member("measured_age_s", session.view.measuredAge)
    writer.member("committed_a", session.view.committed)
    writer.key("reason")
    write(session.view.reason, &writer)
    writer.key("plan")
    if let outlook = session.view.outlook { write(outlook, &writer) } else { writer.null() }
    writer.endObject()
  }
}

extension JSONWriter {
  fileprivate mutating func member(_ name: String, _ value: Int?) {
    key(name)
    if let value { integer(value) } else { null() }
  }
  fileprivate mutating func member(_ name: String, _ value: Bool) {
    key(name)
    bool(value)
  }
  fileprivate mutating func member(_ name: String, _ value: String?) {
    key(name)
    if let value { string(value) } else { null() }
  }
  fileprivate mutating func member(_ name: String, _ value: Instant?) {
    member(name, value.map { Timestamp.text($0.milliseconds) })
  }
  fileprivate mutating func member(_ name: String, _ value: TimeSpan?) {
    key(name)
    if let value { decimal(value.milliseconds, 3) } else { null() }
  }
  fileprivate mutating func member(_ name: String, _ value: Current?) {
    key(name)
    if let value { decimal(value.milliamperes, 3) } else { null() }
  }
  fileprivate mutating func member(_ name: String, _ value: PerPhase<Current>?) {
    key(name)
    guard let value else { return null() }
    beginArray()
    for phase in Phase.allCases { decimal(value[phase].milliamperes, 3) }
    endArray()
  }
}
