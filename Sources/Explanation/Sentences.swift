import Control
import Quantities
import Site

/// What the mind decides, in words for people: on a page, on a screen, in a message. The elements of the hub go by their ids.
public struct Sentences: Sendable {
  public let hub: Hub
  public init(_ hub: Hub) { self.hub = hub }

  // MARK: Names

  public func connector(_ index: Int) -> String {
    guard hub.connectors.indices.contains(index) else { return "connector \(index)" }
    return "\(station(hub.connectors[index].station))/\(hub.connectors[index].number)"
  }
  public func station(_ index: Int) -> String { hub.stations.indices.contains(index) ? hub.stations[index].id : "station \(index)" }
  public func circuit(_ index: Int) -> String { hub.circuits.indices.contains(index) ? hub.circuits[index].id : "circuit \(index)" }
  private func place(_ index: Int, _ phase: Phase) -> String { "\(circuit(index)) \(phase.name)" }
  private func meter(_ index: Int) -> String { hub.meters.indices.contains(index) ? hub.meters[index].id : "meter \(index)" }

  // MARK: Reasons

  /// A whole sentence.
  /// - Parameter time: how to write a point in time.
  public func reason(_ reason: Reason, time: (Instant) -> String) -> String {
    switch reason {
    case .idle: "No vehicle is to be charged here."
    case .maximum: "It has all that the connector lets through; no circuit is in the way."
    case .demand: "The vehicle took less than it was offered; the rest went to others."
    case .full(let circuit, let phase):
      "\(place(circuit, phase)) is full: what the limit leaves there is shared by those who charge behind it."
    case .waiting(let circuit, let phase, let next):
      "\(place(circuit, phase)) has not enough for everybody's minimum: it waits for its turn, the next begins at \(time(next))."
    case .awaitingRoom(let circuit, let phase):
      "It may have more once a measurement has confirmed that there is room on \(place(circuit, phase))."
    case .notControlled(let gap): "The station is not controlled: \(words(gap))."
    case .storeFailed: "The journal could not keep records, and then nothing may rise."
    case .held: "It was set by hand."
    case .later(let from):
      "The plan has it charge later, from \(time(from)) on: that is cheaper, or leaves room for those who have less time."
    case .planned: "It has what the plan gives it now; more would cost more than later."
    }
  }

  /// The same in a few words, for a column.
  public func short(_ reason: Reason) -> String {
    switch reason {
    case .idle: "no vehicle"
    case .maximum: "has all it can take"
    case .demand: "takes less than it could"
    case .full(let circuit, let phase): "\(place(circuit, phase)) is full"
    case .waiting(let circuit, let phase, _): "waits for its turn: \(place(circuit, phase))"
    case .awaitingRoom(let circuit, let phase): "rises when there is room: \(place(circuit, phase))"
    case .notControlled(let gap): "not controlled: \(words(gap))"
    case .storeFailed: "the journal cannot keep records"
    case .held: "set by hand"
    case .later: "later, by plan"
    case .planned: "by plan"
    }
  }

  /// The circuit and phase that hold it where it is; nil: none does.
  public static func binding(_ reason: Reason) -> (circuit: Int, phase: Phase)? {
    switch reason {
    case .full(let circuit, let phase), .waiting(let circuit, let phase, _), .awaitingRoom(let circuit, let phase): (circuit, phase)
    case .idle, .maximum, .demand, .notControlled, .storeFailed, .held, .later, .planned: nil
    }
  }

  public func words(_ gap: ControlGap) -> String {
    switch gap {
    case .disconnected: "it is not connected"
    case .commissioning: "it is being set up"
    case .fallbackRefused: "it refused its fallback"
    case .clock(let offset): "its clock is wrong by \(Figures.seconds(offset))"
    case .disobedient: "it does not follow its profiles"
    case .planned: "it is only planned"
    }
  }

  // MARK: Plans

  /// `20.0 kWh by 07:30: 3.1 kWh short, feeder-2 L2 02:00-05:30`.
  public func outlook(_ outlook: Outlook, time: (Instant) -> String) -> String {
    let wanted =
      "\(kilowattHours(outlook.wanted)) by \(minutes(outlook.departure, time))\(outlook.isEstimate ? " (estimated)" : "")"
    guard outlook.short > .zero else { return "\(wanted): in time" }
    if outlook.necks.isEmpty { return "\(wanted): \(kilowattHours(outlook.short)) short, the time is too short" }
    let necks = outlook.necks.map { neck in
      let phases = neck.phases == .all ? "" : Phase.allCases.filter { neck.phases.contains($0) }.map { " \($0.name)" }.joined()
      return "\(circuit(neck.circuit))\(phases) \(minutes(neck.from, time))-\(minutes(neck.until, time))"
    }
    return "\(wanted): \(kilowattHours(outlook.short)) short, \(necks.joined(separator: ", "))"
  }
  private func kilowattHours(_ energy: Energy) -> String { "\(Figures.tenths(energy.raw, per: 1_000_000)) kWh" }
  /// Without its seconds where they are none.
  private func minutes(_ instant: Instant, _ time: (Instant) -> String) -> String {
    let text = time(instant)
    return text.hasSuffix(":00") && text.count > 5 ? String(text.dropLast(3)) : text
  }

  // MARK: Limits and alarms

  /// Where a circuit's limit comes from.
  public func source(_ name: String) -> String {
    switch name {
    case "fuse": "its fuse"
    case "manual": "a cap set by hand"
    case "maintenance": "maintenance"
    case "contract": "what the contract's window leaves"
    case "unbalance": "the limit between phases"
    default: name
    }
  }

  public func limit(_ limit: Limit, time: (Instant) -> String) -> String {
    let amount =
      switch limit.amount {
      case .current(let current): "\(Figures.phases(current)) A"
      case .power(let power): "\(Figures.tenths(power.raw, per: 1_000_000)) kW"
      }
    return "\(limit.id): \(circuit(limit.circuit)) at most \(amount), by \(limit.source), since \(time(limit.from))"
      + (limit.until.map { " until \(time($0))" } ?? ", until it is withdrawn")
  }

  public func alarm(_ alarm: Alarm) -> String {
    switch alarm {
    case .meterStale(let index): "Meter \(meter(index)) gives no readings: the worst counts."
    case .meterFrozen(let index): "Meter \(meter(index)) always gives the same reading: the worst counts."
    case .meterSuspect(let index, let phase): "The meter of \(place(index, phase)) shows less than the vehicles behind it draw."
    case .stationLost(let index): "Station \(station(index)) is not connected."
    case .fallbackRefused(let index): "Station \(station(index)) refused its fallback."
    case .notFollowing(let index): "Connector \(connector(index)) draws more than it is offered."
    case .uncontrollable(let index): "Connector \(connector(index)) follows nothing: it counts at its maximum."
    case .clockWrong(let index): "The clock of station \(station(index)) is wrong."
    case .baseAboveLimit(let index, let phase): "On \(place(index, phase)) the other load alone exceeds the limit."
    case .overLimit(let index, let phase): "\(place(index, phase)) is over its limit."
    case .storeFailed: "The journal cannot keep records."
    case .unknownSupply(let index): "It is not known on which phases \(connector(index)) charges: it counts on all."
    case .senderSilent(let index): "Whoever limits \(circuit(index)) from outside is silent: the fallback limit holds."
    case .tripped(let index):
      "The device of \(circuit(index)) was told to open, for nothing else lowered its current: find out why, then close it by hand."
    }
  }
}
