import Quantities
import Site

extension SiteController {
  /// What it knows now, for screens, explanations and checkers.
  /// - Complexity: O(connectors x depth of the tree).
  public func view(at now: EventStamp) -> HubView {
    var copy = self
    var ignored: [Effect] = []
    copy.refreshFacts(now.monotonic)
    let bases = copy.updateBases(now, &ignored)
    let bounds = copy.bounds(bases, now)
    let committed = hub.connectors.indices.map { self.committed($0, at: now.monotonic) }
    var own = [PerPhase<Current>](repeating: .zero, count: hub.circuits.count)
    for c in committed.indices { own[hub.connectors[c].circuit] += committed[c] }
    let sums = self.sums(own)
    let reserves = copy.reserves()
    return HubView(
      circuits: circuits.indices.map { k in
        let stale = isStale(k, at: now.monotonic)
        return HubView.CircuitView(
          limit: bounds[k].current, limitSource: name(bounds[k].source), measured: stale ? nil : circuits[k].reading,
          readingAge: circuits[k].readAt.map { now.monotonic - $0 }, base: bases[k].rises,
          baseForCuts: bases[k].cuts, worst: Phase.allCases.reduce(into: []) { if bases[k].worst[$1] { $0.formUnion(Phases($1)) } },
          committed: sums[k],
          reserve: reserves[k])
      },
      connectors: connectors.indices.map { c in
        let connector = connectors[c]
        return HubView.ConnectorView(
          status: connector.status, transaction: connector.transaction?.id, idTag: connector.transaction?.idTag,
          offered: connector.transaction == nil ? nil : offer(c, at: now.monotonic), offerEnds: connector.beliefs.last?.until,
          measured: connector.newest?.current, measuredAge: connector.newest.map { now.monotonic - $0.at }, committed: committed[c],
          reason: connector.reason, energy: energy(c), stateOfCharge: connector.stateOfCharge, outlook: outlook(c, now))
      },
      stations: stations.indices.map { s in
        HubView.StationView(
          connected: stations[s].connected, controlled: gap(s) == nil, gap: gap(s), identity: stations[s].identity,
          clockOffset: stations[s].clockOffset, capabilities: stations[s].capabilities, trust: stations[s].trust,
          isCommissioned: stations[s].proof?.covers(stations[s].identity) ?? false)
      }, limits: limits.filter { counts($0, now) }, alarms: alarms.all, storeFailed: storeFailed)
  }

  private func outlook(_ c: Int, _ now: EventStamp) -> Outlook? {
    guard let plan = planning.plan, isFresh(plan, now), let transaction = connectors[c].transaction else { return nil }
    return plan.outlook(connector: c, transaction: transaction.id)
  }

  private func counts(_ limit: Limit, _ now: EventStamp) -> Bool {
    limit.from <= now.utc + anticipation && limit.until.map { $0 > now.utc } ?? true
  }

  /// What a commissioning run found of the fallback of the device that is there now; nil: none did, or it is another device.
  public func commissionedTrust(of station: String) -> FallbackTrust? {
    guard let s = hub.stations.firstIndex(where: { $0.id == station }), stations.indices.contains(s),
      let proof = stations[s].proof, proof.covers(stations[s].identity)
    else { return nil }
    return proof.trust
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
