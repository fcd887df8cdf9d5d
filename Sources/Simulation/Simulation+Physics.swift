import Quantities
import Site

extension Simulation {
  func changeFlow(_ c: Int, to flow: PerPhase<Current>) {
    let before = connectorFlows[c]
    defer { connectorFlows[c] = flow }
    let isWild = stations[hub.connectors[c].station].isDisobedient
    for k in ancestors[hub.connectors[c].circuit] {
      for p in Phase.allCases {
        let change = flow[p].raw - before[p].raw
        guard change != 0 else { continue }
        move(k, p.rawValue, by: change)
        if isWild { wildFlows[k * 3 + p.rawValue] += change }
      }
    }
  }

  func applyBase(_ k: Int, from before: [Int]) {
    for p in 0..<3 {
      let change = bases[k].now[p] - before[p]
      guard change != 0 else { continue }
      for above in ancestors[k] {
        move(above, p, by: change)
        baseFlows[above * 3 + p] += change
      }
    }
  }

  private func move(_ k: Int, _ p: Int, by change: Int) {
    let cell = k * 3 + p
    watch(cell)  // what has lasted until now is judged as it was
    watchContracts(at: k)
    for m in meters.indices where meters[m].circuit == k { meters[m].count(flows[k * 3..<k * 3 + 3], until: now) }
    flows[cell] += change
    peaks[cell] = max(peaks[cell], flows[cell])
    for m in meters.indices where meters[m].circuit == k { meters[m].isChanged = true }
    watch(cell)
  }

  /// Infeed above the rating trips as well.
  func watch(_ cell: Int) {
    if let (above, lasted) = watches[cell].change(to: abs(flows[cell]), at: now) { judge(cell, above, lasted) }
    for i in limitWatches.indices where limitWatches[i].limit.circuit == cell / 3 {
      if let (above, lasted) = limitWatches[i].watch[cell % 3].change(to: flows[cell], at: now) {
        judgeLimit(cell, above, lasted, limitWatches[i].limit)
      }
    }
  }

  func finishWatches() { for cell in flows.indices { watch(cell) } }

  private func judge(_ cell: Int, _ above: Int, _ lasted: Int) {
    let rating = hub.circuits[cell / 3].rating[Phase.allCases[cell % 3]].raw
    if abs(baseFlows[cell]) + wildFlows[cell] > rating {
      report.apart += lasted
      return
    }
    if isBeyondReach(cell) {
      report.apart += lasted
      return
    }
    if let diedAt {
      if now < diedAt + settlingTime {
        report.apart += lasted
        return
      }
      find(.settles, describe(cell, above, lasted))
      return
    }
    find(.protectiveLimit, describe(cell, above, lasted))
  }

  /// After which every offer has ended and every vehicle has followed, ms.
  private var settlingTime: Int {
    (hub.settings.horizon + hub.settings.guardTime + hub.settings.largestSkew + .seconds(60)).raw
  }

  /// Nobody can lower it: all that draw more than their fallback there have lost their links, not so long ago that their offers must have
  /// ended, and when the last of them was lost there was no excess. What came then is the growth of a load that was measured to be
  /// smaller (rule 15: `check` says how much it may be).
  private func isBeyondReach(_ cell: Int) -> Bool {
    let phase = Phase.allCases[cell % 3]
    var lost: (at: Int, flows: [Int])?
    for c in hub.connectors.indices where ancestors[hub.connectors[c].circuit].contains(cell / 3) {
      guard connectorFlows[c][phase] > hub.connectors[c].fallback + .milliamperes(500) else { continue }
      let s = hub.connectors[c].station
      guard !stations[s].isOnline, let cut = cuts[s], now < cut.at + settlingTime else { return false }
      if cut.at >= lost?.at ?? 0 { lost = cut }
    }
    return lost.map { $0.flows[cell] <= hub.circuits[cell / 3].rating[phase].raw } ?? false
  }

  private func judgeLimit(_ cell: Int, _ above: Int, _ lasted: Int, _ limit: Limit) {
    // In force is what the controller's wall clock says.
    guard diedAt == nil, limit.from <= utc, limit.until.map({ utc < $0 }) ?? true else { return }
    let alone = cannotBeLowered(cell)
    if alone > above || now - disturbedAt < 90_000 {
      report.apart += lasted
    } else {
      find(.externalLimit, "limit \(limit.id): " + describe(cell, above, lasted))
    }
  }

  private func describe(_ cell: Int, _ above: Int, _ lasted: Int) -> String {
    let circuit = hub.circuits[cell / 3]
    let phase = Phase.allCases[cell % 3]
    let drawing = hub.connectors.indices.filter {
      connectorFlows[$0][phase].raw > 0 && ancestors[hub.connectors[$0].circuit].contains(cell / 3)
    }
    let parts = drawing.map { c in
      let station = stations[hub.connectors[c].station]
      let bay = station.bays[c - hub.stations[hub.connectors[c].station].connectors.lowerBound]
      return
        "\(c)[\(connectorFlows[c][phase].raw) of \(bay.limit)\(station.isOnline ? "" : " offline")\(station.quirks.isEmpty ? "" : " \(station.quirks[0])")]"
    }
    return
      "circuit \(cell / 3) \(phase.name) above \(above) mA for \(lasted) ms, is \(flows[cell]) mA, rating \(circuit.rating[phase].raw), base \(baseFlows[cell]), wild \(wildFlows[cell]); drawing: \(parts.joined(separator: " "))"
  }

  func finishReport() {
    report.milliseconds = now
    report.events = mind.steps
    report.peaks = hub.circuits.indices.map { k in
      PerPhase(permille(k, 0), permille(k, 1), permille(k, 2))
    }
    report.delivered = .zero
    for s in stations.indices { report.delivered += stations[s].delivered(at: now) }
    report.caution = cautionCount > 0 ? cautionSum / cautionCount : 0
    if options.digestsEffects {
      var digest = effectsSoFar
      report.effectsDigest = digest.finish().map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
  }

  private func permille(_ k: Int, _ p: Int) -> Int {
    let rating = hub.circuits[k].rating[Phase.allCases[p]].raw
    return rating > 0 ? peaks[k * 3 + p] * 1000 / rating : 0
  }
}

extension EmulatedStation {
  /// All energy that has flowed until `now`.
  public mutating func delivered(at now: Int) -> Energy {
    var sum = Energy.zero
    for b in bays.indices {
      settle(b, at: now)
      sum += bays[b].register
    }
    return sum
  }
}
