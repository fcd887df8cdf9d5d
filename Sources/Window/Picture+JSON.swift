import Control
import Documents
import Explanation
import Quantities
import Site

extension Picture {
  var sentences: Sentences { Sentences(hub) }

  /// The whole site: the tree with its live values and what hangs on it.
  public func site(for audience: Audience) -> String {
    var writer = JSONWriter(reserving: 16384)
    writer.object {
      $0.member("id", hub.id)
      $0.member("name", hub.name)
      $0.member("time_zone", hub.timeZone)
      $0.member("at", stamp.utc)
      $0.member("nominal_voltage_v", hub.nominalVoltage.millivolts / 1000)
      $0.member("journal_ok", !view.storeFailed)
      $0.member("role", audience.role.rawValue)
      $0.array("circuits", circuits(for: audience)) { circuit($1, &$0) }
      $0.array("limits", series(for: audience)) { limit($1, &$0) }
      $0.array("stations", audience.seesConnectionOnly ? [] : Array(hub.stations.indices)) { station($1, &$0) }
      $0.array("connectors", audience.seesConnectionOnly ? [] : Array(hub.connectors.indices)) { connector($1, audience, &$0) }
      $0.array("alarms", alarms(for: audience)) { alarm($1, &$0) }
    }
    return writer.text
  }

  public func circuits(_ audience: Audience) -> String { list("circuits", circuits(for: audience)) { circuit($1, &$0) } }
  public func stations() -> String { list("stations", hub.stations.indices) { station($1, &$0) } }
  public func connectors(_ audience: Audience) -> String {
    list("connectors", hub.connectors.indices) { connector($1, audience, &$0) }
  }
  public func sessions(_ audience: Audience) -> String {
    list("sessions", hub.connectors.indices.filter { view.connectors[$0].transaction != nil }) { connector($1, audience, &$0) }
  }
  public func limits(_ audience: Audience) -> String { list("limits", series(for: audience)) { limit($1, &$0) } }

  public func circuit(_ id: String, _ audience: Audience) throws(Problem) -> String {
    guard let k = circuit(id), circuits(for: audience).contains(k) else { throw .notFound("There is no circuit `\(id)`.") }
    return one { circuit(k, &$0) }
  }
  public func station(_ id: String) throws(Problem) -> String {
    guard let s = station(id) else { throw .notFound("There is no station `\(id)`.") }
    return one { station(s, &$0) }
  }
  public func connector(_ station: String, _ number: Int, _ audience: Audience) throws(Problem) -> String {
    guard let c = connector(station, number) else { throw .notFound("There is no connector \(number) of a station `\(station)`.") }
    return one { connector(c, audience, &$0) }
  }
  public func limit(_ id: String, _ audience: Audience) throws(Problem) -> String {
    guard let found = series(for: audience).first(where: { $0.series.id == id }) else {
      throw .notFound("There is no limit `\(id)`.")
    }
    return one { limit(found, &$0) }
  }

  func list<Element>(_ name: String, _ elements: some Sequence<Element>, _ body: (inout JSONWriter, Element) -> Void) -> String {
    var writer = JSONWriter(reserving: 8192)
    writer.object {
      $0.member("at", stamp.utc)
      $0.array(name, elements, body)
    }
    return writer.text
  }
  private func one(_ body: (inout JSONWriter) -> Void) -> String {
    var writer = JSONWriter(reserving: 1024)
    body(&writer)
    return writer.text
  }

  // MARK: Parts

  private func circuit(_ k: Int, _ writer: inout JSONWriter) {
    let (circuit, seen) = (hub.circuits[k], view.circuits[k])
    let used = seen.measured ?? seen.baseForCuts + seen.committed
    writer.object {
      $0.member("id", circuit.id)
      $0.member("parent", circuit.parent.map { hub.circuits[$0].id })
      $0.member("rating_a", circuit.rating)
      $0.member("limit_a", seen.limit)
      $0.member("limit_source", seen.limitSource)
      $0.member("limit_until", until(k))
      $0.member("margin_a", circuit.margin)
      $0.member("measured_a", seen.measured)
      $0.member("reading_age_s", seen.readingAge)
      $0.member("has_meter", circuit.measurement != nil)
      $0.member("other_load_a", seen.baseForCuts)
      $0.member("worst_assumed_on", seen.worst)
      $0.member("committed_a", seen.committed)
      $0.member("headroom_a", seen.limit - PerPhase(all: circuit.margin) - used)
    }
  }

  /// When the limit in force on a circuit ends; nil: it is no limit from outside, or has no end.
  private func until(_ k: Int) -> Instant? {
    view.limits.filter {
      $0.circuit == k && $0.source == view.circuits[k].limitSource && $0.from <= stamp.utc
    }.compactMap(\.until).min()
  }

  private func station(_ s: Int, _ writer: inout JSONWriter) {
    let (station, seen) = (hub.stations[s], view.stations[s])
    writer.object {
      $0.member("id", station.id)
      $0.member("state", station.state.rawValue)
      $0.member("profile", station.traits.model)
      $0.member("connected", seen.connected)
      $0.member("controlled", seen.controlled)
      $0.member("gap", seen.gap.map { sentences.words($0) })
      $0.member("vendor", seen.identity?.vendor)
      $0.member("model", seen.identity?.model)
      $0.member("firmware", seen.identity?.firmware)
      $0.member("clock_offset_s", seen.clockOffset)
      $0.member("trust", seen.trust.rawValue)
      $0.member("commissioned", seen.isCommissioned)
      link(links[s], &$0)
      $0.array("remarks", seen.capabilities?.remarks ?? []) { $0.string($1) }
      $0.array("connectors", station.connectors) { $0.integer(hub.connectors[$1].number) }
    }
  }

  private func link(_ link: LinkQuality, _ writer: inout JSONWriter) {
    let answers = link.answers.sorted()
    writer.object("link") {
      $0.member("connected_for_s", link.connectedFor)
      $0.member("heard_s_ago", link.heardAgo)
      $0.member("lost_in_24_h", link.lost)
      $0.member("unanswered_in_24_h", link.unanswered)
      $0.member("answer_s", answers.isEmpty ? nil : answers[answers.count / 2])
      $0.member("slowest_answer_s", answers.last)
    }
  }

  private func connector(_ c: Int, _ audience: Audience, _ writer: inout JSONWriter) {
    let (connector, seen) = (hub.connectors[c], view.connectors[c])
    writer.object {
      $0.member("station", hub.stations[connector.station].id)
      $0.member("number", connector.number)
      $0.member("circuit", hub.circuits[connector.circuit].id)
      $0.member("phases", connector.phases)
      $0.member("maximum_a", connector.maximum)
      $0.member("fallback_a", connector.fallback)
      $0.member("status", seen.status?.rawValue)
      $0.member("transaction", seen.transaction)
      $0.member("id_tag", audience.shown(seen.idTag))
      $0.member("offered_a", seen.offered)
      $0.member("measured_a", seen.measured)
      $0.member("measured_age_s", seen.measuredAge)
      $0.member("committed_a", seen.committed)
      $0.member("energy_wh", seen.energy)
      $0.member("state_of_charge", seen.stateOfCharge)
      $0.member("priority", ordered[c].priority ?? connector.priority)
      $0.member("departure", ordered[c].need?.departure)
      $0.member("needed_wh", ordered[c].need?.energy)
      $0.key("reason")
      reason(seen.reason, &$0)
    }
  }

  func reason(_ reason: Reason, _ writer: inout JSONWriter) { Self.write(reason, sentences, &writer) }

  private func limit(_ seen: SiteController.SeriesView, _ writer: inout JSONWriter) {
    writer.object { writer in
      Self.members(of: seen.series, hub, &writer)
      writer.member("silent_since", seen.silentSince)
      writer.member("heard_s_ago", seen.heardAge)
      writer.key("in_force")
      if let block = seen.inForce { Self.write(block, &writer) } else { writer.null() }
    }
  }

  func alarms(for audience: Audience) -> [Alarm] {
    guard audience.seesConnectionOnly else { return view.alarms }
    return view.alarms.filter { alarm in
      switch alarm {
      case .overLimit(0, _), .baseAboveLimit(0, _), .senderSilent(0): true
      default: false
      }
    }
  }

  private func alarm(_ alarm: Alarm, _ writer: inout JSONWriter) {
    writer.object { Self.members(of: alarm, sentences, &$0) }
  }
}
