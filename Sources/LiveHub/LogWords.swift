import Control
import Quantities
import Site

/// What the mind decides and warns of, in words for the log: elements by their ids.
struct LogWords {
  let hub: Hub

  func connector(_ index: Int) -> String {
    guard hub.connectors.indices.contains(index) else { return "\(index)" }
    return "\(station(hub.connectors[index].station))/\(hub.connectors[index].number)"
  }
  func station(_ index: Int) -> String { hub.stations.indices.contains(index) ? hub.stations[index].id : "\(index)" }
  private func circuit(_ index: Int) -> String { hub.circuits.indices.contains(index) ? hub.circuits[index].id : "\(index)" }
  private func circuit(_ index: Int, _ phase: Phase) -> String {
    (hub.circuits.indices.contains(index) ? hub.circuits[index].id : "\(index)") + "/" + phase.name
  }
  private func meter(_ index: Int) -> String { hub.meters.indices.contains(index) ? hub.meters[index].id : "\(index)" }

  func reason(_ reason: Reason) -> String {
    switch reason {
    case .idle: "idle"
    case .maximum: "maximum"
    case .demand: "demand"
    case .full(let index, let phase): "full:\(circuit(index, phase))"
    case .waiting(let index, let phase, _): "waiting:\(circuit(index, phase))"
    case .awaitingRoom(let index, let phase): "awaiting_room:\(circuit(index, phase))"
    case .notControlled(let gap): "not_controlled:\(words(gap))"
    case .storeFailed: "store_failed"
    case .held: "held"
    case .later: "later"
    case .planned: "planned"
    }
  }

  private func words(_ gap: ControlGap) -> String {
    switch gap {
    case .disconnected: "disconnected"
    case .commissioning: "commissioning"
    case .fallbackRefused: "fallback_refused"
    case .clock(let offset): "clock_\(offset.seconds)_s"
    case .disobedient: "disobedient"
    case .planned: "planned"
    }
  }

  /// The name of an alarm and what it is about.
  func alarm(_ alarm: Alarm) -> (what: String, about: String) {
    switch alarm {
    case .meterStale(let index): ("meter_stale", meter(index))
    case .meterFrozen(let index): ("meter_frozen", meter(index))
    case .meterSuspect(let index, let phase): ("meter_suspect", circuit(index, phase))
    case .stationLost(let index): ("station_lost", station(index))
    case .fallbackRefused(let index): ("fallback_refused", station(index))
    case .notFollowing(let index): ("not_following", connector(index))
    case .uncontrollable(let index): ("uncontrollable", connector(index))
    case .clockWrong(let index): ("clock_wrong", station(index))
    case .baseAboveLimit(let index, let phase): ("base_above_limit", circuit(index, phase))
    case .overLimit(let index, let phase): ("over_limit", circuit(index, phase))
    case .storeFailed: ("store_failed", hub.id)
    case .unknownSupply(let index): ("unknown_supply", connector(index))
    case .senderSilent(let index): ("sender_silent", circuit(index))
    case .tripped(let index): ("tripped", circuit(index))
    }
  }
}
