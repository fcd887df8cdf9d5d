import Quantities
import Site

/// A connector that a new site file does not have any more: its station may still be there, following what it was offered last.
struct Leaver: Sendable, Codable {
  /// The circuit that stands where its own stood.
  var circuit: Int
  var current: PerPhase<Current>
  /// When the last offer has ended there as well.
  var until: Monotonic
}

extension SiteController {
  /// Per connector: what it would still be following if it left the hub now.
  func leaverLevels(at now: Monotonic) -> [(current: PerPhase<Current>, until: Monotonic)?] {
    connectors.indices.map { c in
      lingering(c, at: now).map { (PerPhase($0.current, on: hub.connectors[c].phases), $0.until) }
    }
  }

  /// After a new site has been taken over.
  /// - Parameter lastingOffers: of each connector of `old`.
  mutating func keepLeavers(of old: Hub, lastingOffers: [(current: PerPhase<Current>, until: Monotonic)?], _ now: EventStamp) {
    let places = old.circuits.indices.map { k in place(of: k, in: old) }
    for l in leavers.indices { leavers[l].circuit = places[leavers[l].circuit] }
    for (c, connector) in old.connectors.enumerated() {
      guard let offer = lastingOffers[c], !has(connector, of: old) else { continue }
      leavers.append(Leaver(circuit: places[connector.circuit], current: offer.current, until: offer.until))
    }
    forgetLeavers(now.monotonic)
  }

  mutating func forgetLeavers(_ now: Monotonic) {
    if leavers.contains(where: { $0.until <= now }) { leavers.removeAll { $0.until <= now } }
  }

  private func has(_ connector: Connector, of old: Hub) -> Bool {
    guard let station = hub.stations.first(where: { $0.id == old.stations[connector.station].id }) else { return false }
    return station.connectors.contains { hub.connectors[$0].number == connector.number }
  }

  /// Where a circuit of an earlier site, or the nearest one above it that is left, stands now.
  func place(of circuit: Int, in old: Hub) -> Int {
    var next: Int? = circuit
    while let k = next {
      if let place = hub.circuits.firstIndex(where: { $0.id == old.circuits[k].id }) { return place }
      next = old.circuits[k].parent
    }
    return 0
  }
}
