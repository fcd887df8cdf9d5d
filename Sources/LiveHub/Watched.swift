import ChargingProfiles
import Commissioning
import Control
import Quantities
import Site

/// What a commissioning run has seen pass by: samples, readings, offers on their way, what stations said of their schedules.
struct Watched {
  private let hub: Hub
  /// Per connector, in the station's own order; the newest few minutes.
  private(set) var samples: [[LevelSample]]
  /// Per circuit, in the order and with the sign of the site file.
  private(set) var readings: [[LevelSample]]
  /// Per connector: the newest offer that left, and when.
  private(set) var offers: [(current: Current, at: Monotonic)?]
  private(set) var boots: [(identity: StationIdentity, at: Monotonic)?]
  private(set) var knocks: [Monotonic?]
  /// Per station: the newest answer to GetCompositeSchedule; .some(nil): it gave none.
  private(set) var composites: [(schedule: Schedule?, at: Monotonic)?]
  /// Per station, since its last boot: whether a profile left for it before the schedule was asked for.
  private(set) var wasToldFirst: [Bool]
  private var released: [CommandID: Monotonic] = [:]
  private var decided: [CommandID: (connector: Int, current: Current)] = [:]
  private var profiles: Set<CommandID> = []
  private var questions: Set<CommandID> = []
  private var isAsked: [Bool]

  /// How many samples and readings are kept of each.
  private static let kept = 600

  init(_ hub: Hub) {
    self.hub = hub
    samples = hub.connectors.map { _ in [] }
    readings = hub.circuits.map { _ in [] }
    offers = hub.connectors.map { _ in nil }
    (boots, knocks, composites) = (hub.stations.map { _ in nil }, hub.stations.map { _ in nil }, hub.stations.map { _ in nil })
    (wasToldFirst, isAsked) = (hub.stations.map { _ in false }, hub.stations.map { _ in false })
  }

  mutating func take(_ sighting: LiveHub.Sighting, at now: Monotonic) {
    switch sighting {
    case .event(let event): take(event, now)
    case .effect(let effect): take(effect, now)
    case .knock(let station): knocks[station] = now
    }
  }

  mutating func forgetComposite(of station: Int) { composites[station] = nil }

  private mutating func take(_ event: Event, _ now: Monotonic) {
    switch event {
    case .reading(let reading):
      guard let own = reading.current else { return }
      for (k, circuit) in hub.circuits.enumerated() {
        guard let measurement = circuit.measurement, measurement.meter == reading.meter else { continue }
        let turned = measurement.rotation.onCircuit(own)
        readings[k].append(LevelSample(at: now - reading.age, current: measurement.inverted ? turned.map { -$0 } : turned))
        if readings[k].count > Self.kept { readings[k].removeFirst(Self.kept / 2) }
      }
    case .station(let s, .sampled(let number, _, let sample)):
      guard let current = sample.current, let c = hub.stations[s].connectors.first(where: { hub.connectors[$0].number == number })
      else {
        return
      }
      samples[c].append(LevelSample(at: now, current: current))
      if samples[c].count > Self.kept { samples[c].removeFirst(Self.kept / 2) }
    case .station(let s, .booted(let identity, _)):
      boots[s] = (identity, now)
      (wasToldFirst[s], isAsked[s]) = (false, false)
    case .station(let s, .outcome(let id, .sent)):
      if questions.contains(id) { isAsked[s] = true }
      if profiles.contains(id), !isAsked[s] { wasToldFirst[s] = true }
    case .station(let s, .outcome(let id, let outcome)):
      profiles.remove(id)
      guard questions.remove(id) != nil else { return }
      if case .composite(let schedule) = outcome { composites[s] = (schedule, now) } else { composites[s] = (nil, now) }
    default: break
    }
  }

  private mutating func take(_ effect: Effect, _ now: Monotonic) {
    switch effect {
    case .command(let id, _, .setProfile, _):
      profiles.insert(id)
      released[id] = now
      note(id)
    case .command(let id, _, .readComposite, _): questions.insert(id)
    case .decided(let decision):
      guard let id = decision.command else { return }
      decided[id] = (decision.connector, decision.offer)
      note(id)
    default: break
    }
  }

  /// An offer counts from when its command left: an increase is decided before it may.
  private mutating func note(_ id: CommandID) {
    guard let at = released[id], let offer = decided[id] else { return }
    offers[offer.connector] = (offer.current, at)
    (released[id], decided[id]) = (nil, nil)
  }
}
