import ChargingProfiles
import Control
import Documents
import Explanation
import Quantities
import Record
import Site

/// Entries of the journal as the stream and `/v1/events` tell them: one object an entry, so that a client either has all of it or none.
public struct Feed: Sendable {
  /// The hub whose elements the entries name.
  public let hub: Hub
  let audience: Audience
  private let sentences: Sentences

  public init(_ hub: Hub, for audience: Audience) {
    (self.hub, self.audience) = (hub, audience)
    sentences = Sentences(hub)
  }

  /// - Returns: nil: the audience sees nothing of it.
  public func json(_ stamp: EventStamp, _ event: Event?, _ effects: [Effect], _ mentions: [BlockMention], cursor: Cursor)
    -> [UInt8]?
  {
    var writer = JSONWriter(reserving: 512)
    var count = 0
    writer.object { writer in
      writer.member("cursor", cursor.text)
      writer.member("sequence", Int(clamping: stamp.sequence))
      writer.member("at", stamp.utc)
      writer.key("items")
      writer.beginArray()
      if let event { tell(event, &writer, &count) }
      for effect in effects { tell(effect, mentions, &writer, &count) }
      writer.endArray()
    }
    return count > 0 ? writer.bytes : nil
  }

  private func item(_ type: String, _ writer: inout JSONWriter, _ count: inout Int, _ body: (inout JSONWriter) -> Void) {
    count += 1
    writer.object {
      $0.member("type", type)
      body(&$0)
    }
  }

  private func isConnectionMeter(_ meter: Int) -> Bool { hub.circuits.first?.measurement?.meter == meter }
  private func meter(_ index: Int) -> String { hub.meters.indices.contains(index) ? hub.meters[index].id : "\(index)" }

  // MARK: Events

  private func tell(_ event: Event, _ writer: inout JSONWriter, _ count: inout Int) {
    if audience.seesConnectionOnly, !isForConnection(event) { return }
    switch event {
    case .configured: item("configured", &writer, &count) { _ in }
    case .restarted: item("restarted", &writer, &count) { _ in }
    case .reading(let reading):
      item("reading", &writer, &count) {
        $0.member("meter", meter(reading.meter))
        $0.member("age_s", reading.age)
        $0.member("current_a", reading.current)
        $0.member("power_w", reading.totalPower)
        $0.member("imported_wh", reading.imported)
        $0.member("exported_wh", reading.exported)
      }
    case .meterFault(let index, let fault):
      item("meter_fault", &writer, &count) {
        $0.member("meter", meter(index))
        $0.member("fault", "\(fault)")
      }
    case .station(let station, let said): tell(said, of: station, &writer, &count)
    case .limitSet(let limit):
      item("limit_set", &writer, &count) {
        $0.member("id", limit.id)
        $0.member("source", limit.source)
        $0.member("circuit", sentences.circuit(limit.circuit))
        $0.members(of: limit.amount)
        $0.member("from", limit.from)
        $0.member("until", limit.until)
      }
    case .limitWithdrawn(let id): item("limit_withdrawn", &writer, &count) { $0.member("id", id) }
    case .clockStepped(let step): item("clock_stepped", &writer, &count) { $0.member("by_s", step) }
    case .cancelled(let commands):
      item("cancelled", &writer, &count) { $0.array("commands", commands) { $0.integer(Int(clamping: $1.value)) } }
    case .storeFailed: item("store_failed", &writer, &count) { _ in }
    case .storeRecovered: item("store_recovered", &writer, &count) { _ in }
    case .trust(let station, let trust):
      item("trust", &writer, &count) {
        $0.member("station", sentences.station(station))
        $0.member("trust", trust.rawValue)
      }
    case .order(let order):
      item("order", &writer, &count) {
        $0.key("order")
        tell(order, &$0)
      }
    case .asked(let request):
      item("request", &writer, &count) {
        $0.member("request", request.id)
        $0.member("by", request.by)
        $0.key("order")
        tell(request.order, &$0)
      }
    case .tariff(let tariff):
      item("tariff", &writer, &count) {
        $0.member("steps", tariff.steps.count)
        $0.member("until", tariff.until)
      }
    case .planned(let planned):
      item("plan", &writer, &count) {
        $0.member("start", planned.start)
        $0.member("sessions", planned.sessions.count)
      }
    case .tripped(let index, let fault):
      item("trip_answered", &writer, &count) {
        $0.member("circuit", sentences.circuit(index))
        $0.member("fault", fault)
      }
    case .deadline: return
    }
  }

  private func isForConnection(_ event: Event) -> Bool {
    switch event {
    case .reading(let reading): isConnectionMeter(reading.meter)
    case .meterFault(let index, _): isConnectionMeter(index)
    case .asked(let request): owner(of: request.order) == audience.name
    case .configured, .restarted, .clockStepped, .storeFailed, .storeRecovered: true
    default: false
    }
  }
  private func owner(of order: Order) -> String? {
    switch order {
    case .limit(let series), .optimum(let series): series.owner
    case .withdrawLimit(_, let owner, _): owner
    case .heartbeat(let owner): owner
    default: nil
    }
  }

  private func tell(_ said: StationEvent, of station: Int, _ writer: inout JSONWriter, _ count: inout Int) {
    let id = sentences.station(station)
    switch said {
    case .connected, .disconnected:
      item("station", &writer, &count) {
        $0.member("station", id)
        $0.member("connected", said == .connected)
      }
    case .booted(let identity, _):
      item("boot", &writer, &count) {
        $0.member("station", id)
        $0.member("vendor", identity.vendor)
        $0.member("model", identity.model)
        $0.member("firmware", identity.firmware)
      }
    case .clock(let offset):
      item("clock", &writer, &count) {
        $0.member("station", id)
        $0.member("offset_s", offset)
      }
    case .status(let connector, let status, let error):
      item("status", &writer, &count) {
        $0.member("station", id)
        $0.member("connector", connector)
        $0.member("status", status.rawValue)
        $0.member("error", error)
      }
    case .authorise(let tag, _):
      item("authorise", &writer, &count) {
        $0.member("station", id)
        $0.member("id_tag", audience.shown(tag))
      }
    case .started(let start, _):
      item("start", &writer, &count) {
        $0.member("station", id)
        $0.member("connector", start.connector)
        $0.member("id_tag", audience.shown(start.idTag))
        $0.member("meter_start_wh", start.meterStart)
        $0.member("at", start.at)
      }
    case .stopped(let stop, _):
      item("stop", &writer, &count) {
        $0.member("station", id)
        $0.member("transaction", stop.transaction)
        $0.member("meter_stop_wh", stop.meterStop)
        $0.member("at", stop.at)
        $0.member("reason", stop.reason)
      }
    case .sampled(let connector, let transaction, let sample):
      item("sample", &writer, &count) {
        $0.member("station", id)
        $0.member("connector", connector)
        $0.member("transaction", transaction)
        $0.member("taken_at", sample.takenAt)
        $0.member("current_a", sample.current)
        $0.member("power_w", sample.power)
        $0.member("register_wh", sample.register)
        $0.member("state_of_charge", sample.stateOfCharge)
      }
    case .outcome(let command, let outcome):
      item("outcome", &writer, &count) {
        $0.member("station", id)
        $0.member("command", Int(clamping: command.value))
        $0.member("outcome", Self.word(outcome))
      }
    case .deviated(let what):
      item("deviation", &writer, &count) {
        $0.member("station", id)
        $0.member("what", what)
      }
    }
  }

  public static func word(_ outcome: CommandOutcome) -> String {
    switch outcome {
    case .sent: "sent"
    case .superseded: "superseded"
    case .accepted: "accepted"
    case .refused(let status): "refused: \(status)"
    case .timedOut: "timed out"
    case .lost: "connection lost"
    case .learned: "learned"
    case .composite: "composite"
    case .configuration: "configuration"
    }
  }

  // MARK: Effects

  private func tell(_ effect: Effect, _ mentions: [BlockMention], _ writer: inout JSONWriter, _ count: inout Int) {
    if audience.seesConnectionOnly { return tellOperator(effect, &writer, &count) }
    switch effect {
    case .command(let id, let station, let command, let urgency):
      item("command", &writer, &count) {
        $0.member("command", Int(clamping: id.value))
        $0.member("station", sentences.station(station))
        $0.member("urgency", "\(urgency)")
        tell(command, &$0)
      }
    case .answer, .plan: return
    case .decided(let decision):
      item("decision", &writer, &count) {
        $0.member("connector", sentences.connector(decision.connector))
        $0.member("transaction", decision.transaction)
        $0.member("offer_a", decision.offer)
        $0.member("command", decision.command.map { Int(clamping: $0.value) })
        $0.key("reason")
        Picture.write(decision.reason, sentences, &$0)
        $0.array("inputs", decision.command != nil && decision.transaction != nil ? mentions : []) { writer, mention in
          writer.object {
            $0.member("kind", "\(mention.kind)")
            switch mention {
            case .named(let reference): $0.member("digest", Tokens.hexadecimal(reference.digest))
            // Named there, at the same place.
            case .again(_, let entry): $0.member("as_in", Int(clamping: entry))
            }
          }
        }
      }
    case .transaction(let change): tell(change, &writer, &count)
    case .alarm(let alarm, let raised):
      item("alarm", &writer, &count) {
        $0.member("raised", raised)
        Picture.members(of: alarm, sentences, &$0)
      }
    case .answered(let reply): tell(reply, &writer, &count)
    case .trip(let index): item("trip", &writer, &count) { $0.member("circuit", sentences.circuit(index)) }
    }
  }

  private func tellOperator(_ effect: Effect, _ writer: inout JSONWriter, _ count: inout Int) {
    switch effect {
    case .alarm(.overLimit(0, let phase), let raised):
      item("alarm", &writer, &count) {
        $0.member("raised", raised)
        Picture.members(of: .overLimit(circuit: 0, phase: phase), sentences, &$0)
      }
    case .alarm(.senderSilent(0), let raised):
      item("alarm", &writer, &count) {
        $0.member("raised", raised)
        Picture.members(of: .senderSilent(circuit: 0), sentences, &$0)
      }
    case .answered(let reply):
      guard reply.before.flatMap(owner) == audience.name else { return }
      tell(reply, &writer, &count)
    default: return
    }
  }

  private func tell(_ reply: Reply, _ writer: inout JSONWriter, _ count: inout Int) {
    item("reply", &writer, &count) {
      $0.member("request", reply.request)
      $0.member("refusal", reply.refusal?.rawValue)
      $0.member("command", reply.command.map { Int(clamping: $0.value) })
      $0.key("before")
      if let before = reply.before { tell(before, &$0) } else { $0.null() }
    }
  }

  private func tell(_ change: TransactionChange, _ writer: inout JSONWriter, _ count: inout Int) {
    switch change {
    case .opened(let id, let station, let connector, let idTag, let meterStart, let at, let late):
      item("transaction_opened", &writer, &count) {
        $0.member("transaction", id)
        $0.member("station", sentences.station(station))
        $0.member("connector", connector)
        $0.member("id_tag", audience.shown(idTag))
        $0.member("meter_start_wh", meterStart)
        $0.member("at", at)
        $0.member("late", late)
      }
    case .closed(let id, let meterStop, let at, let reason):
      item("transaction_closed", &writer, &count) {
        $0.member("transaction", id)
        $0.member("meter_stop_wh", meterStop)
        $0.member("at", at)
        $0.member("reason", reason)
      }
    case .orphanStop(let station, let stop):
      item("orphan_stop", &writer, &count) {
        $0.member("station", sentences.station(station))
        $0.member("transaction", stop.transaction)
        $0.member("meter_stop_wh", stop.meterStop)
      }
    }
  }

  // MARK: Orders and commands

  func tell(_ order: Order, _ writer: inout JSONWriter) {
    writer.object { writer in
      switch order {
      case .station(let station, let command):
        writer.member("what", "station")
        writer.member("station", sentences.station(station))
        tell(command, &writer)
      case .manualCap(let circuit, let cap):
        writer.member("what", "cap")
        writer.member("circuit", sentences.circuit(circuit))
        writer.member("limit_a", cap)
      case .maintenance(let circuit, let on):
        writer.member("what", "maintenance")
        writer.member("circuit", sentences.circuit(circuit))
        writer.member("on", on)
      case .priority(let connector, let priority):
        writer.member("what", "priority")
        writer.member("connector", sentences.connector(connector))
        writer.member("priority", priority)
      case .hold(let connector, let current):
        writer.member("what", "hold")
        writer.member("connector", sentences.connector(connector))
        writer.member("current_a", current)
      case .holdBriefly(let connector, let current, let ends):
        writer.member("what", "hold_briefly")
        writer.member("connector", sentences.connector(connector))
        writer.member("current_a", current)
        writer.member("ends_s", ends)
      case .doubt(let station, let on):
        writer.member("what", "doubt")
        writer.member("station", sentences.station(station))
        writer.member("on", on)
      case .need(let connector, let need):
        writer.member("what", "need")
        writer.member("connector", sentences.connector(connector))
        writer.member("departure", need?.departure)
        writer.member("energy_wh", need?.energy)
      case .limit(let series):
        writer.member("what", "limit")
        Picture.members(of: series, hub, &writer)
      case .optimum(let series):
        writer.member("what", "optimum")
        Picture.members(of: series, hub, &writer)
      case .withdrawLimit(let id, _, let relaxing):
        writer.member("what", "withdraw_limit")
        writer.member("id", id)
        writer.member("relax_delay_s", relaxing.delay)
        writer.member("relax_ramp_s", relaxing.ramp)
      case .heartbeat(let owner):
        writer.member("what", "heartbeat")
        writer.member("owner", owner)
      }
    }
  }

  private func tell(_ command: StationCommand, _ writer: inout JSONWriter) {
    switch command {
    case .setProfile(let connector, let profile):
      writer.member("action", "set_profile")
      writer.member("connector", connector)
      var transaction: Int?
      if case .transaction(let id) = profile.purpose { transaction = id }
      writer.member("transaction", transaction)
      writer.member("unit", profile.schedule.unit.rawValue)
      writer.array("periods", profile.schedule.periods) { writer, period in
        writer.object {
          $0.member("start_s", period.start)
          $0.key("limit")
          $0.decimal(period.tenths, 1)
        }
      }
    case .learn: writer.member("action", "learn")
    case .clearProfiles: writer.member("action", "clear_profiles")
    case .readComposite(let connector, _, _):
      writer.member("action", "read_composite")
      writer.member("connector", connector)
    case .trigger(let trigger):
      writer.member("action", "trigger")
      writer.member("message", "\(trigger)")
    case .changeAvailability(let connector, let operative):
      writer.member("action", "change_availability")
      writer.member("connector", connector)
      writer.member("operative", operative)
    case .remoteStart(let connector, let idTag):
      writer.member("action", "remote_start")
      writer.member("connector", connector)
      writer.member("id_tag", audience.shown(idTag))
    case .remoteStop(let transaction):
      writer.member("action", "remote_stop")
      writer.member("transaction", transaction)
    case .unlock(let connector):
      writer.member("action", "unlock")
      writer.member("connector", connector)
    case .reset(let hard):
      writer.member("action", "reset")
      writer.member("hard", hard)
    case .getConfiguration: writer.member("action", "get_configuration")
    case .changeConfiguration(let key, _):
      // The value may be a password.
      writer.member("action", "change_configuration")
      writer.member("key", key)
    case .clearCache: writer.member("action", "clear_cache")
    case .getDiagnostics: writer.member("action", "get_diagnostics")
    }
  }
}

/// A place in the journal, from which a client goes on: the sequence of the last entry it has, and in which run of the controller it got
/// that. What a crash took from the journal has a sequence that the next run gives again: the run tells the two apart.
public struct Cursor: Hashable, Sendable {
  public var sequence: UInt64
  /// The sequence of the first entry of the run.
  public var run: UInt64
  public init(sequence: UInt64, run: UInt64) { (self.sequence, self.run) = (sequence, run) }
  public var text: String { "\(sequence)-\(run)" }
  public init?(_ text: String) {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 2, let sequence = UInt64(parts[0]), let run = UInt64(parts[1]), run <= sequence &+ 1,
      sequence < UInt64(Int.max)
    else { return nil }
    self.init(sequence: sequence, run: run)
  }
}
