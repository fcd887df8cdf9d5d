import Control
import Documents
import Explanation
import Quantities
import Site

/// Values of the mind as they stand in answers and in the stream: a word for programs, a sentence for people.
extension Picture {
  static func write(_ reason: Reason, _ sentences: Sentences, _ writer: inout JSONWriter) {
    let binding = Sentences.binding(reason)
    writer.object {
      $0.member("code", code(reason))
      $0.member("sentence", sentences.reason(reason, time: JSONWriter.text))
      $0.member("circuit", binding.map { sentences.circuit($0.circuit) })
      $0.member("phase", binding?.phase.name)
      $0.member("next", next(reason))
    }
  }

  private static func code(_ reason: Reason) -> String {
    switch reason {
    case .idle: "idle"
    case .maximum: "maximum"
    case .demand: "demand"
    case .full: "full"
    case .waiting: "waiting"
    case .later: "later"
    case .planned: "planned"
    case .awaitingRoom: "awaiting_room"
    case .notControlled(let gap): "not_controlled_" + code(gap)
    case .storeFailed: "store_failed"
    case .held: "held"
    }
  }
  private static func code(_ gap: ControlGap) -> String {
    switch gap {
    case .disconnected: "disconnected"
    case .commissioning: "commissioning"
    case .fallbackRefused: "fallback_refused"
    case .clock: "clock"
    case .disobedient: "disobedient"
    case .planned: "planned"
    }
  }
  private static func next(_ reason: Reason) -> Instant? {
    switch reason {
    case .waiting(_, _, let next), .later(let next): next
    default: nil
    }
  }

  static func members(of series: LimitSeries, _ hub: Hub, _ writer: inout JSONWriter) {
    writer.member("id", series.id)
    writer.member("source", series.source)
    writer.member("owner", series.owner)
    writer.member("circuit", hub.circuits.indices.contains(series.circuit) ? hub.circuits[series.circuit].id : "")
    writer.array("blocks", series.blocks) { write($1, &$0) }
    writer.key("afterwards")
    if let amount = series.afterwards { writer.object { $0.members(of: amount) } } else { writer.null() }
    writer.member("heartbeat_s", series.silence?.after)
    writer.key("fallback")
    if let fallback = series.silence?.fallback {
      writer.array(nil, fallback) { write($1, &$0) }
    } else {
      writer.null()
    }
    writer.member("needs_fresh_limit", series.silence?.needsFreshLimit ?? false)
    writer.member("relax_delay_s", series.relaxing.delay)
    writer.member("relax_ramp_s", series.relaxing.ramp)
  }

  static func write(_ block: LimitSeries.Block, _ writer: inout JSONWriter) {
    writer.object {
      $0.member("from", block.from)
      $0.member("until", block.until)
      $0.members(of: block.amount)
    }
  }

  static func members(of alarm: Alarm, _ sentences: Sentences, _ writer: inout JSONWriter) {
    let hub = sentences.hub
    func meter(_ index: Int) -> String { hub.meters.indices.contains(index) ? hub.meters[index].id : "\(index)" }
    let (code, about, phase): (String, String, Phase?) =
      switch alarm {
      case .meterStale(let m): ("meter_stale", meter(m), nil)
      case .meterFrozen(let m): ("meter_frozen", meter(m), nil)
      case .meterSuspect(let k, let phase): ("meter_suspect", sentences.circuit(k), phase)
      case .stationLost(let s): ("station_lost", sentences.station(s), nil)
      case .fallbackRefused(let s): ("fallback_refused", sentences.station(s), nil)
      case .notFollowing(let c): ("not_following", sentences.connector(c), nil)
      case .uncontrollable(let c): ("uncontrollable", sentences.connector(c), nil)
      case .clockWrong(let s): ("clock_wrong", sentences.station(s), nil)
      case .baseAboveLimit(let k, let phase): ("base_above_limit", sentences.circuit(k), phase)
      case .overLimit(let k, let phase): ("over_limit", sentences.circuit(k), phase)
      case .storeFailed: ("store_failed", hub.id, nil)
      case .unknownSupply(let c): ("unknown_supply", sentences.connector(c), nil)
      case .senderSilent(let k): ("sender_silent", sentences.circuit(k), nil)
      case .tripped(let k): ("tripped", sentences.circuit(k), nil)
      }
    writer.member("code", code)
    writer.member("about", about)
    writer.member("phase", phase?.name)
    writer.member("sentence", sentences.alarm(alarm))
  }
}
