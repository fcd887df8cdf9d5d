import Quantities
import Site

extension SiteController {
  /// Raises or clears an alarm; says so only when that is new.
  mutating func set(_ alarm: Alarm, raised: Bool, _ out: inout [Effect]) {
    if alarms.set(alarm, raised: raised) { out.append(.alarm(alarm, raised: raised)) }
  }

  /// What is raised of an element that the new site has as well goes on; nobody has mended it. A meter that measures nothing any more, and
  /// a station that is only planned now, are not watched.
  mutating func moveAlarms(from old: Hub) {
    let raised = alarms.all
    alarms = AlarmList()
    for alarm in raised {
      let moved = alarm.moved(
        meter: { m in
          hub.meters.firstIndex { $0.id == old.meters[m].id }.flatMap { m in
            hub.circuits.contains { $0.measurement?.meter == m } ? m : nil
          }
        },
        circuit: { k in hub.circuits.firstIndex { $0.id == old.circuits[k].id } },
        station: { s in hub.stations.firstIndex { $0.id == old.stations[s].id && $0.state == .installed } },
        connector: { c in
          let before = old.connectors[c]
          return hub.stations.first { $0.id == old.stations[before.station].id }?.connectors.first {
            hub.connectors[$0].number == before.number
          }
        })
      if case .meterSuspect(let k, _)? = moved, hub.circuits[k].measurement == nil { continue }
      if let moved { _ = alarms.set(moved, raised: true) }
    }
  }
}

extension Alarm {
  /// The same alarm of the same element in another site; nil: that has no such element.
  fileprivate func moved(meter: (Int) -> Int?, circuit: (Int) -> Int?, station: (Int) -> Int?, connector: (Int) -> Int?) -> Alarm? {
    switch self {
    case .meterStale(let m): meter(m).map { .meterStale(meter: $0) }
    case .meterFrozen(let m): meter(m).map { .meterFrozen(meter: $0) }
    case .meterSuspect(let k, let phase): circuit(k).map { .meterSuspect(circuit: $0, phase: phase) }
    case .stationLost(let s): station(s).map { .stationLost(station: $0) }
    case .fallbackRefused(let s): station(s).map { .fallbackRefused(station: $0) }
    case .notFollowing(let c): connector(c).map { .notFollowing(connector: $0) }
    case .uncontrollable(let c): connector(c).map { .uncontrollable(connector: $0) }
    case .clockWrong(let s): station(s).map { .clockWrong(station: $0) }
    case .baseAboveLimit(let k, let phase): circuit(k).map { .baseAboveLimit(circuit: $0, phase: phase) }
    case .overLimit(let k, let phase): circuit(k).map { .overLimit(circuit: $0, phase: phase) }
    case .storeFailed: self
    case .unknownSupply(let c): connector(c).map { .unknownSupply(connector: $0) }
    case .senderSilent(let k): circuit(k).map { .senderSilent(circuit: $0) }
    case .tripped(let k): circuit(k).map { .tripped(circuit: $0) }
    }
  }
}
