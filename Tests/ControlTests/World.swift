import ChargingProfiles
import Quantities
import Site

@testable import Control

/// A hub in view of a test: stations that accept everything and report what a test lets their vehicles draw.
struct World {
  var mind = SiteController()
  var utc = Instant(seconds: 1_800_000_000)
  var monotonic = Monotonic(milliseconds: 0)
  var sequence: UInt64 = 0
  var hub: Hub
  /// Every effect so far, with the time it left.
  var log: [(at: Monotonic, effect: Effect)] = []
  /// Commands that wait for an answer when `answers` is off.
  var unanswered: [(CommandID, Int, StationCommand)] = []
  var answers = true
  private var requests: UInt64 = 0

  init(_ hub: Hub) {
    self.hub = hub
    say(.configured(hub, version: "test"))
  }

  /// One circuit of `rating`, with a meter, and stations of one connector each.
  static func feeder(
    _ rating: Int, stations: Int, baseWorst: Int = 20, fallback: Int = 6, phases: Phases = .all, settings: Settings = Settings()
  ) -> Hub {
    Hub(
      id: "hub",
      circuits: [
        Circuit(
          id: "feeder", rating: PerPhase(all: .amperes(rating)), baseWorst: PerPhase(all: .amperes(baseWorst)),
          measurement: Circuit.Measurement(meter: 0), arrivalReserve: .zero)
      ], meters: [Meter(id: "m", profile: "p", bus: .tcp(host: "h", port: 502))],
      stations: (0..<stations).map { Station(id: "s\($0)", connectors: $0..<($0 + 1)) },
      connectors: (0..<stations).map {
        Connector(
          station: $0, number: 1, circuit: 0, wiring: Connector.Wiring(conductors: phases), maximum: .amperes(32),
          fallback: .amperes(fallback))
      }, settings: settings)
  }

  @discardableResult mutating func say(_ event: Event) -> [Effect] {
    sequence += 1
    let effects = mind.handle(event, at: EventStamp(utc: utc, monotonic: monotonic, sequence: sequence))
    for effect in effects {
      log.append((monotonic, effect))
      guard case .command(let id, let station, let command, _) = effect else { continue }
      if answers { reply(id, station, command) } else { unanswered.append((id, station, command)) }
    }
    return effects
  }

  mutating func reply(_ id: CommandID, _ station: Int, _ command: StationCommand) {
    say(.station(station, .outcome(id, .sent)))
    switch command {
    case .learn: say(.station(station, .outcome(id, .learned(StationCapabilities(highestStackLevel: 8, maximumPeriods: 10)))))
    case .readComposite: say(.station(station, .outcome(id, .composite(nil))))
    default: say(.station(station, .outcome(id, .accepted)))
    }
  }

  /// Lets time pass, waking the mind whenever it asks.
  mutating func pass(_ span: TimeSpan) {
    let end = monotonic + span
    while let deadline = mind.nextDeadline, deadline <= end {
      move(to: max(deadline, monotonic))
      let before = mind.nextDeadline
      say(.deadline)
      precondition(mind.nextDeadline != before || before.map { $0 > monotonic } ?? true, "a deadline that does not move")
    }
    move(to: end)
  }

  private mutating func move(to instant: Monotonic) {
    utc = utc + (instant - monotonic)
    monotonic = instant
  }

  mutating func read(_ amperes: Int) { read(PerPhase(all: .amperes(amperes))) }
  mutating func read(_ current: PerPhase<Current>, meter: Int = 0) {
    let digest = UInt64(bitPattern: Int64(current.l1.raw &* 31 &+ current.l2.raw &* 17 &+ current.l3.raw))
    say(.reading(MeterReading(meter: meter, current: current, registers: digest ^ sequence << 40)))
  }

  mutating func commission() {
    for s in hub.stations.indices {
      say(.station(s, .connected))
      requests += 1
      say(.station(s, .booted(StationIdentity(vendor: "v", model: "m"), RequestID(requests))))
      for c in hub.stations[s].connectors { say(.station(s, .status(connector: hub.connectors[c].number, .available, error: nil))) }
    }
  }

  mutating func plugIn(_ c: Int) {
    let s = hub.connectors[c].station
    let number = hub.connectors[c].number
    say(.station(s, .status(connector: number, .preparing, error: nil)))
    requests += 1
    let start = TransactionStart(connector: number, idTag: "tag", meterStart: .zero, at: utc, messageID: "m\(requests)")
    say(.station(s, .started(start, RequestID(requests))))
    say(.station(s, .status(connector: number, .charging, error: nil)))
  }

  mutating func unplug(_ c: Int) {
    let s = hub.connectors[c].station
    guard let id = mind.connectors[c].transaction?.id else { return }
    requests += 1
    let stop = TransactionStop(transaction: id, idTag: nil, meterStop: .wattHours(1), at: utc, messageID: "m\(requests)")
    say(.station(s, .stopped(stop, RequestID(requests))))
    say(.station(s, .status(connector: hub.connectors[c].number, .available, error: nil)))
  }

  mutating func draw(_ c: Int, _ amperes: Int) {
    let wired = hub.connectors[c].wiring?.conductors ?? .all
    let sample = ConnectorSample(takenAt: utc, current: PerPhase(.amperes(amperes), on: wired))
    say(.station(hub.connectors[c].station, .sampled(connector: hub.connectors[c].number, transaction: nil, sample)))
  }

  /// The newest profile sent to a connector: its first limit in amperes.
  func offered(_ c: Int) -> Double? {
    for (_, effect) in log.reversed() {
      guard case .command(_, hub.connectors[c].station, .setProfile(hub.connectors[c].number, let profile), _) = effect else {
        continue
      }
      guard case .transaction = profile.purpose else { continue }
      return Double(profile.schedule.periods[0].tenths) / 10
    }
    return nil
  }
}
