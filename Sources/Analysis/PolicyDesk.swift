import Quantities
import Scenarios
import Scheduling
import Site

/// A policy to compare with: it goes through the steps one by one, sees every load and every wish exactly, and knows nothing of later
/// ones but when who leaves.
struct PolicyDesk {
  let hub: Hub
  let policy: Policy

  /// What each occupant gets in this step, mA, in the order given.
  /// - Parameter rooms: per circuit, what vehicles may draw there.
  func shares(_ occupants: [Occupant], _ visits: [Visit], _ rooms: [PerPhase<Current>], step: Int, span: Int) -> [Int] {
    let circuits = hub.circuits.indices.map { FairShare.Circuit(parent: hub.circuits[$0].parent, room: rooms[$0]) }
    let contenders = occupants.map { occupant in
      let visit = visits[occupant.visit]
      let least = Current(raw: max(100, hub.connectors[occupant.connector].minimum.raw, occupant.minimum))
      let lacking = occupant.need / (occupant.conductors * span) + 1
      // The last step is full for a part of it only: on the grid, and at least the least.
      let last = max(least.raw, (lacking + 99) / 100 * 100)
      return Policy.Contender(
        circuit: hub.connectors[occupant.connector].circuit, phases: occupant.phases, least: least,
        most: occupant.isFull ? .zero : Current(raw: min(max(occupant.wish, least.raw), last)), step: .milliamperes(100),
        from: visit.arrives, until: visit.leaves, lacking: Current(raw: occupant.isFull ? 0 : lacking))
    }
    return policy.shares(circuits, contenders, slot: step).map(\.raw)
  }
}

extension Strategy {
  /// nil: the controller decides.
  var policy: Policy? {
    switch self {
    case .optimal, .sharing: nil
    case .equalShare: .equalShare
    case .firstCome: .firstCome
    case .earliestDeadline: .earliestDeadline
    case .leastLaxity: .leastLaxity
    case .uncontrolled: .uncontrolled
    }
  }
}
