import Control
import Documents
import Quantities
import Scenarios
import Site

/// What happened, a line of JSON each: `at`, `policy`, `what`, and what belongs to it.
extension Run {
  private func line(_ now: Instant, _ what: String, _ more: (inout JSONWriter) -> Void) {
    guard let tell = options.tell else { return }
    var writer = JSONWriter()
    writer.beginObject()
    writer.key("at")
    writer.string(Timestamp.text(now.milliseconds))
    writer.key("policy")
    writer.string(outcome.strategy.rawValue)
    writer.key("what")
    writer.string(what)
    more(&writer)
    writer.endObject()
    tell(writer.bytes)
  }
  private func name(_ c: Int) -> String { "\(hub.stations[hub.connectors[c].station].id)/\(hub.connectors[c].number)" }

  /// A vehicle comes or goes.
  func note(_ now: Instant, _ what: String, _ c: Int) {
    guard options.tell != nil, let occupant = occupants[c] else { return }
    let visit = story.visits[occupant.visit]
    line(now, what) { writer in
      writer.key("connector")
      writer.string(name(c))
      writer.key("crowd")
      writer.string(visit.crowd)
      writer.key("asked_kwh")
      writer.decimal(visit.energy.wattHours, 3)
      writer.key("delivered_kwh")
      writer.decimal(occupant.energy.wattHours, 3)
    }
  }

  func note(_ now: Instant, _ decision: Decision) {
    guard options.tell != nil else { return }
    line(now, "offer") { writer in
      writer.key("connector")
      writer.string(name(decision.connector))
      writer.key("offer_a")
      writer.decimal(decision.offer.milliamperes, 3)
      writer.key("reason")
      writer.string("\(decision.reason.word(hub))")
    }
  }

  func note(_ now: Instant, _ alarm: Alarm, raised: Bool) {
    line(now, raised ? "alarm" : "alarm over") { writer in
      writer.key("alarm")
      writer.string("\(alarm)")
    }
  }

  func note(_ now: Instant, _ limit: Limit) {
    line(now, "limit told") { writer in
      writer.key("source")
      writer.string(limit.source)
      writer.key("circuit")
      writer.string(hub.circuits[limit.circuit].id)
      writer.key("from")
      writer.string(Timestamp.text(limit.from.milliseconds))
    }
  }

  func note(_ now: Instant, _ fault: Fault, ends: Bool) {
    guard options.tell != nil, ends || now - fault.from < scenario.step else { return }
    line(now, ends ? "fault over" : "fault") { writer in
      writer.key("fault")
      writer.string(fault.kind.rawValue)
      writer.key("place")
      writer.string(fault.kind == .meterSilent ? hub.meters[fault.place].id : hub.stations[fault.place].id)
    }
  }

  func note(_ now: Instant, _ violation: Outcome.Violation) {
    line(now, violation.isMean ? "mean above limit" : "current above limit") { writer in
      writer.key("circuit")
      writer.string(hub.circuits[violation.circuit].id)
      writer.key("phase")
      writer.string(violation.phase.name)
      writer.key("current_a")
      writer.decimal(violation.current.milliamperes, 3)
      writer.key("limit_a")
      writer.decimal(violation.limit.milliamperes, 3)
    }
  }
}

extension Reason {
  /// In a word or two, for a line of JSON; sentences are made by `Explanation`.
  fileprivate func word(_ hub: Hub) -> String {
    switch self {
    case .idle: "idle"
    case .maximum: "all it can take"
    case .demand: "takes less"
    case .full(let circuit, let phase): "\(hub.circuits[circuit].id) \(phase.name) is full"
    case .waiting(let circuit, let phase, _): "waits for \(hub.circuits[circuit].id) \(phase.name)"
    case .later: "later by plan"
    case .planned: "by plan"
    case .awaitingRoom(let circuit, let phase): "awaits room on \(hub.circuits[circuit].id) \(phase.name)"
    case .notControlled: "not controlled"
    case .storeFailed: "no journal"
    case .held: "held"
    }
  }
}
