import Quantities
import Site

/// The last step of rule 21: what nothing lowers is switched off, where the site file says how.
extension SiteController {
  /// A switch that could not be written is tried again after this long.
  private static var tripRetry: TimeSpan { .seconds(10) }

  /// Keeps since when a circuit has been over the rating of its device with vehicles below it: no other limit is worth a trip, and what
  /// the house draws alone is not mended by one.
  mutating func watchRating(_ k: Int, committed: PerPhase<Current>, isFresh: Bool, _ now: EventStamp) {
    guard hub.circuits[k].shuntTrip != nil else { return }
    let isOver = Phase.allCases.contains { phase in
      isFresh && committed[phase] > .zero && circuits[k].reading.map { $0[phase] > hub.circuits[k].rating[phase] } ?? false
    }
    circuits[k].overRatingSince = isOver ? circuits[k].overRatingSince ?? now.monotonic : nil
  }

  /// Opens the devices that have been over for too long, and once it has been closed again says so.
  mutating func tripWhatNothingLowers(_ now: EventStamp, _ out: inout [Effect]) {
    for k in hub.circuits.indices {
      if let due = tripDue(k), due <= now.monotonic {
        circuits[k].trippedAt = now.monotonic
        set(.tripped(circuit: k), raised: true, &out)
        out.append(.trip(circuit: k))
      } else if let at = circuits[k].trippedAt, circuits[k].overRatingSince == nil, draws(below: k, since: at + .minutes(1)) {
        circuits[k].trippedAt = nil
        set(.tripped(circuit: k), raised: false, &out)
      }
    }
  }

  /// When a circuit's device is to be opened, for the first time or again; nil: it is not over its rating.
  func tripDue(_ k: Int) -> Monotonic? {
    guard let trip = hub.circuits[k].shuntTrip, let since = circuits[k].overRatingSince else { return nil }
    return max(since, circuits[k].trippedAt ?? since) + trip.after
  }

  private func draws(below k: Int, since: Monotonic) -> Bool {
    siteFacts.connectorsBelow[k].contains { c in
      connectors[c].newest.map { $0.at >= since && $0.current.largest >= .amperes(1) } ?? false
    }
  }

  /// What became of a trip.
  mutating func hear(trip k: Int, fault: String?, _ now: EventStamp) {
    guard circuits.indices.contains(k), let trip = hub.circuits[k].shuntTrip, fault != nil else { return }
    circuits[k].trippedAt = now.monotonic - trip.after + Self.tripRetry
  }
}
