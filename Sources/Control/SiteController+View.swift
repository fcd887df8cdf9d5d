import Quantities
import Site

extension SiteController {
  /// What it knows now, for screens, explanations and checkers.
  /// - Complexity: O(connectors x depth of the tree).
  public func view(at now: EventStamp) -> HubView {
    var current = self
    current.refreshFacts(now.monotonic)
    return HubView(
      circuits: current.circuitViews(at: now), connectors: connectors.indices.map { current.connectorView($0, at: now) },
      stations: stations.indices.map { current.stationView($0) }, limits: current.limits(at: now), alarms: alarms.all,
      storeFailed: storeFailed)
  }

  // What `view` is made of, as it is right after an event was handled: for whoever looks at every event and at what has changed only.

  /// - Complexity: O(circuits).
  public func circuitViews(at now: EventStamp) -> [HubView.CircuitView] {
    var copy = self
    var ignored: [Effect] = []
    let bases = copy.updateBases(now, &ignored)
    let bounds = copy.bounds(bases, now)
    let sums = self.sums(facts.sums.committed)
    let reserves = copy.reserves()
    return circuits.indices.map { k in
      let stale = isStale(k, at: now.monotonic)
      return HubView.CircuitView(
        limit: bounds[k].current, limitSource: name(bounds[k].source), measured: stale ? nil : circuits[k].reading,
        readingAge: circuits[k].readAt.map { now.monotonic - $0 }, base: bases[k].rises, baseForCuts: bases[k].cuts,
        worst: Phase.allCases.reduce(into: []) { if bases[k].worst[$1] { $0.formUnion(Phases($1)) } }, committed: sums[k],
        reserve: reserves[k])
    }
  }

  public func connectorView(_ c: Int, at now: EventStamp) -> HubView.ConnectorView {
    let connector = connectors[c]
    return HubView.ConnectorView(
      status: connector.status, transaction: connector.transaction?.id, idTag: connector.transaction?.idTag,
      offered: connector.transaction == nil ? nil : offer(c, at: now.monotonic), offerEnds: connector.beliefs.last?.until,
      measured: connector.newest?.current, measuredAge: connector.newest.map { now.monotonic - $0.at },
      committed: facts.known[c].committed, reason: connector.reason, energy: energy(c), stateOfCharge: connector.stateOfCharge,
      outlook: outlook(c, now))
  }

  public func stationView(_ s: Int) -> HubView.StationView {
    let station = stations[s]
    let gap = gap(s)
    return HubView.StationView(
      connected: station.connected, controlled: gap == nil, gap: gap, identity: station.identity, clockOffset: station.clockOffset,
      capabilities: station.capabilities, trust: station.trust, isCommissioned: station.proof?.covers(station.identity) ?? false)
  }

  /// Limits from outside that hold now, or soon.
  public func limits(at now: EventStamp) -> [Limit] { limits.filter { counts($0, now) } }
  public var raisedAlarms: [Alarm] { alarms.all }
  public var storeHasFailed: Bool { storeFailed }

  /// A number for each connector, and for each station: while it is the same, their views are the same but for the age of what is known.
  /// Each is larger than all before when something may have changed.
  public var connectorRevisions: [UInt64] { facts.connectorRevisions }
  public var stationRevisions: [UInt64] { facts.stationRevisions }

  /// Which plan the outlooks come from; while it is the same, they are the same. nil: there are none.
  public func outlookPlan(at now: EventStamp) -> UInt64? { freshPlan(now)?.id }

  /// What that plan can do for each of its sessions, by transaction.
  public func outlooks(at now: EventStamp) -> [(transaction: Int, outlook: Outlook)] {
    guard let plan = freshPlan(now) else { return [] }
    return plan.sessions.compactMap { session in
      plan.outlook(connector: session.connector, transaction: session.transaction).map { (session.transaction, $0) }
    }
  }

  private func outlook(_ c: Int, _ now: EventStamp) -> Outlook? {
    guard let plan = freshPlan(now), let transaction = connectors[c].transaction else { return nil }
    return plan.outlook(connector: c, transaction: transaction.id)
  }

  private func freshPlan(_ now: EventStamp) -> Planned? {
    planning.plan.flatMap { isFresh($0, now) ? $0 : nil }
  }

  private func counts(_ limit: Limit, _ now: EventStamp) -> Bool {
    limit.from <= now.utc + anticipation && limit.until.map { $0 > now.utc } ?? true
  }

  /// By the ids of stations: what a commissioning run found of the fallback of the device that is there now. Those of which none did, or
  /// where another device is now, are missing.
  public var commissionedTrust: [String: FallbackTrust] {
    var found: [String: FallbackTrust] = [:]
    for s in stations.indices {
      if let proof = stations[s].proof, proof.covers(stations[s].identity) { found[hub.stations[s].id] = proof.trust }
    }
    return found
  }

  private func name(_ source: Bound.Source) -> String {
    switch source {
    case .fuse: "fuse"
    case .manual: "manual"
    case .maintenance: "maintenance"
    case .contract: "contract"
    case .unbalance: "unbalance"
    case .limit(let place): limits[place].source
    }
  }
}
