import ChargingProfiles
import Quantities
import Site

/// Orders that somebody answers for.
extension SiteController {
  mutating func answer(_ request: Request, at now: EventStamp, _ out: inout [Effect]) {
    if let refusal = refusal(of: request.order) {
      out.append(.answered(Reply(request: request.id, refusal: refusal)))
      return
    }
    let before = counterpart(of: request.order)
    let (place, last) = (out.count, lastCommand)
    obey(request.order, at: now, &out)
    let command = lastCommand > last ? CommandID(lastCommand) : nil
    out.insert(.answered(Reply(request: request.id, before: before, command: command)), at: place)
  }

  private func refusal(of order: Order) -> Refusal? {
    switch order {
    case .station(let station, let command): return refusal(of: command, to: station)
    case .manualCap(let circuit, _), .maintenance(let circuit, _): return circuits.indices.contains(circuit) ? nil : .unknown
    case .priority(let connector, _): return connectors.indices.contains(connector) ? nil : .unknown
    case .need(let connector, let need):
      guard connectors.indices.contains(connector) else { return .unknown }
      return need != nil && connectors[connector].transaction == nil ? .noSession : nil
    case .hold, .holdBriefly, .doubt: return .notOrderable
    case .limit(let series):
      guard circuits.indices.contains(series.circuit) else { return .unknown }
      guard series.isOrderly else { return .disorderly }
      if let old = self.series.first(where: { $0.series.id == series.id }) {
        return old.series.owner == series.owner ? nil : .notYours
      }
      return self.series.count < Self.mostSeries ? nil : .tooMany
    case .optimum(let wish):
      guard circuits.indices.contains(wish.circuit) else { return .unknown }
      guard wish.blocks.isEmpty || wish.isOrderly else { return .disorderly }
      guard let old = optima.first(where: { $0.id == wish.id }) else { return optima.count < Self.mostSeries ? nil : .tooMany }
      return old.owner == wish.owner ? nil : .notYours
    case .withdrawLimit(let id, let owner, _):
      guard let old = series.first(where: { $0.series.id == id }) else { return .unknown }
      return owner.map { $0 == old.series.owner } ?? true ? nil : .notYours
    case .heartbeat(let owner): return series.contains { $0.series.owner == owner } ? nil : .unknown
    }
  }

  private func refusal(of command: StationCommand, to station: Int) -> Refusal? {
    guard stations.indices.contains(station) else { return .unknown }
    let numbers = hub.stations[station].connectors.map { hub.connectors[$0].number }
    func knows(_ number: Int?) -> Bool { number.map { $0 == 0 || numbers.contains($0) } ?? true }
    switch command {
    case .learn, .setProfile, .clearProfiles: return .notOrderable
    case .remoteStop(let transaction):
      let runs = hub.stations[station].connectors.contains { connectors[$0].transaction?.id == transaction }
      if !runs { return .noSession }
    case .unlock(let number):
      if !numbers.contains(number) { return .unknown }
    case .remoteStart(let number, _):
      if let number, !numbers.contains(number) { return .unknown }
    case .changeAvailability(let number, _), .readComposite(let number, _, _), .trigger(.status(let number)),
      .trigger(.meterValues(let number)):
      if !knows(number) { return .unknown }
    case .trigger, .reset, .getConfiguration, .changeConfiguration, .clearCache, .getDiagnostics: break
    }
    return stations[station].connected ? nil : .notConnected
  }

  /// The order that would undo one, from what is in force now.
  private func counterpart(of order: Order) -> Order? {
    switch order {
    case .manualCap(let circuit, _): .manualCap(circuit: circuit, circuits[circuit].orderedCap)
    case .maintenance(let circuit, _): .maintenance(circuit: circuit, circuits[circuit].isUnderWorks)
    case .priority(let connector, _):
      .priority(connector: connector, connectors[connector].priority ?? hub.connectors[connector].priority)
    case .need(let connector, _): .need(connector: connector, connectors[connector].need)
    case .limit(let series): self.series.first { $0.series.id == series.id }.map { .limit($0.series) }
    case .withdrawLimit(let id, _, _): series.first { $0.series.id == id }.map { .limit($0.series) }
    case .optimum(let wish): optima.first { $0.id == wish.id }.map { .optimum($0) }
    case .station, .hold, .holdBriefly, .doubt, .heartbeat: nil
    }
  }
}
