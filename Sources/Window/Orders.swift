import ChargingProfiles
import Control
import Documents
import Quantities
import Site

/// Requests that change something, as orders to the mind; and what the mind says to them, as answers.
public enum Orders {
  public static func order(
    _ operation: Endpoint.Operation, _ values: [String], _ body: [UInt8], _ audience: Audience, _ picture: Picture,
    _ relaxing: LimitSeries.Relaxing
  ) throws(Problem) -> Order {
    switch operation {
    case .putLimit:
      return .limit(try limit(values[0], try Bodies.limit(body, now: picture.stamp.utc), audience, picture, relaxing))
    case .deleteLimit: return .withdrawLimit(id: values[0], owner: owner(audience), relaxing)
    case .heartbeat: return .heartbeat(owner: audience.name)
    case .command:
      guard let station = picture.station(values[0]) else { throw .notFound("There is no station `\(values[0])`.") }
      return .station(station, try Bodies.command(body))
    case .priority: return .priority(connector: try connector(values, picture), try Bodies.priority(body))
    case .need: return .need(connector: try connector(values, picture), try Bodies.need(body))
    case .cap: return .manualCap(circuit: try circuit(values[0], picture), try Bodies.cap(body))
    case .maintenance: return .maintenance(circuit: try circuit(values[0], picture), try Bodies.maintenance(body))
    default: preconditionFailure("\(operation) orders nothing")
    }
  }

  /// Whose limits somebody may touch; nil: everybody's.
  private static func owner(_ audience: Audience) -> String? { audience.role == .gridOperator ? audience.name : nil }

  private static func circuit(_ id: String, _ picture: Picture) throws(Problem) -> Int {
    guard let k = picture.circuit(id) else { throw .notFound("There is no circuit `\(id)`.") }
    return k
  }
  private static func connector(_ values: [String], _ picture: Picture) throws(Problem) -> Int {
    guard let number = Int(values[1]), let c = picture.connector(values[0], number) else {
      throw .notFound("There is no connector `\(values[1])` of a station `\(values[0])`.")
    }
    return c
  }

  private static func limit(
    _ id: String, _ asked: Bodies.LimitAsked, _ audience: Audience, _ picture: Picture, _ relaxing: LimitSeries.Relaxing
  ) throws(Problem) -> LimitSeries {
    guard (1...48).contains(id.utf8.count),
      id.utf8.allSatisfy({ byte in
        byte &- 48 < 10 || (byte | 0x20) &- 97 < 26 || [0x2D, 0x5F, 0x2E, 0x3A].contains(byte)
      })
    else { throw .wrong("the id is `\(id)`; expected letters, digits and `- _ . :`, at most 48") }
    let place = try asked.circuit.map { (name) throws(Problem) -> Int in
      guard let k = picture.circuit(name), picture.circuits(for: audience).contains(k) else {
        let known = picture.circuits(for: audience).map { picture.hub.circuits[$0].id }.joined(separator: ", ")
        throw .wrong("circuit is `\(name)`; expected one of \(known)")
      }
      return k
    }
    let old = picture.series.first { $0.series.id == id }?.series
    // Whoever answers for the hub may change anybody's limit; it stays its owner's.
    let owner = owner(audience) == nil ? old?.owner ?? audience.name : audience.name
    return LimitSeries(
      id: id, source: asked.source ?? audience.name, owner: owner, circuit: place ?? 0, blocks: asked.blocks,
      afterwards: asked.afterwards, silence: asked.silence, relaxing: relaxing)
  }

  public static func problem(_ refusal: Refusal) -> Problem {
    switch refusal {
    case .unknown: .notFound("There is nothing of that name.")
    case .notConnected: Problem(409, "Not connected", "The station is not connected; it is asked when it is back.")
    case .noSession: Problem(409, "No session", "There is no such transaction there.")
    case .notYours: Problem(403, "Forbidden", "The limit belongs to somebody else.")
    case .disorderly: Problem.wrong("the blocks are not in order, or overlap")
    case .tooMany: Problem(409, "Too many", "The hub keeps no more limits; withdraw some.")
    case .notOrderable: Problem(409, "Not orderable", "That is the controller's own business.")
    }
  }
}

extension Feed {
  /// What a request came to.
  public func done(_ reply: Reply, by: String, at: Instant, _ outcome: CommandOutcome?) -> String {
    var writer = JSONWriter()
    writer.object { writer in
      writer.member("request", reply.request)
      writer.member("by", by)
      writer.member("at", at)
      writer.key("before")
      if let before = reply.before { tell(before, &writer) } else { writer.null() }
      writer.member("command", reply.command.map { Int(clamping: $0.value) })
      writer.member("outcome", outcome.map(Feed.word))
      if case .configuration(let keys, let unknown) = outcome {
        writer.object("configuration") {
          $0.array("keys", keys) { writer, key in
            writer.object {
              $0.member("key", key.key)
              $0.member("read_only", key.readOnly)
              // Whatever a station keeps under such a name is nobody's business here.
              $0.member("value", StationCommand.isSecret(configurationKey: key.key) ? nil : key.value)
            }
          }
          $0.array("unknown", unknown) { $0.string($1) }
        }
      }
    }
    return writer.text
  }
}

/// Pages of entries, of which each is JSON already.
public enum EventPage {
  public static func json(_ entries: some Sequence<[UInt8]>, next: Cursor) -> String {
    let list = entries.map { String(decoding: $0, as: UTF8.self) }.joined(separator: ",")
    return #"{"entries":[\#(list)],"next":"\#(next.text)"}"#
  }
}

/// The transactions of the journal.
public enum TransactionList {
  public struct Row: Sendable {
    var id: Int, station: Int, connector: Int
    var idTag: String
    var startedAt: Instant
    var meterStart: Energy
    var endedAt: Instant?
    var meterStop: Energy?
    var reason: String?
    var late: Bool
    public init(
      id: Int, station: Int, connector: Int, idTag: String, startedAt: Instant, meterStart: Energy, endedAt: Instant?,
      meterStop: Energy?, reason: String?, late: Bool
    ) {
      (self.id, self.station, self.connector, self.idTag, self.startedAt) = (id, station, connector, idTag, startedAt)
      (self.meterStart, self.endedAt, self.meterStop, self.reason, self.late) = (meterStart, endedAt, meterStop, reason, late)
    }
  }

  public static func json(_ rows: [Row], _ hub: Hub, _ audience: Audience) -> String {
    var writer = JSONWriter(reserving: 4096)
    writer.object {
      $0.array("transactions", rows) { writer, row in
        writer.object {
          $0.member("transaction", row.id)
          $0.member("station", hub.stations.indices.contains(row.station) ? hub.stations[row.station].id : "\(row.station)")
          $0.member("connector", row.connector)
          $0.member("id_tag", audience.shown(row.idTag))
          $0.member("started_at", row.startedAt)
          $0.member("meter_start_wh", row.meterStart)
          $0.member("ended_at", row.endedAt)
          $0.member("meter_stop_wh", row.meterStop)
          $0.member("reason", row.reason)
          $0.member("late", row.late)
        }
      }
    }
    return writer.text
  }
}

extension Picture {
  /// Whether the hub does its work, check by check.
  public func health(isReady: Bool) -> (isWell: Bool, json: String) {
    var checks: [(String, String)] = [("thread", "ok"), ("journal", view.storeFailed ? "cannot keep records" : "ok")]
    if isReady {
      let blind = hub.circuits.indices.filter { hub.circuits[$0].measurement != nil && view.circuits[$0].measured == nil }
      checks.append(
        (
          "meters",
          blind.isEmpty ? "ok" : "no readings at \(blind.map { hub.circuits[$0].id }.joined(separator: ", ")): the worst counts"
        ))
      let installed = hub.stations.indices.filter { hub.stations[$0].state == .installed }
      let away = installed.filter { !view.stations[$0].connected }
      checks.append(("stations", "\(installed.count - away.count) of \(installed.count) connected"))
    }
    let isWell = !isReady || !view.storeFailed
    var writer = JSONWriter()
    writer.object {
      $0.member("status", !isWell ? "failing" : checks.allSatisfy { $0.1 == "ok" || $0.0 == "stations" } ? "ok" : "degraded")
      $0.object("checks") { for check in checks { $0.member(check.0, check.1) } }
    }
    return (isWell, writer.text)
  }
}
