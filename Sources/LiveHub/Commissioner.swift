import ChargingProfiles
import Commissioning
import Control
import Loop
import Quantities
import Site

/// Whoever sits before a commissioning run: hears of it, answers it, keeps its protocol. Called on the run's own thread.
public protocol CommissioningDesk: AnyObject {
  func tell(_ news: CommissioningNews)
  /// - Returns: whether it was done, or may be done; false: no, or nobody there.
  func ask(_ question: CommissioningQuestion) -> Bool
  /// The protocol as it is now; valid at any moment.
  func keep(_ record: CommissioningProtocol)
}

public enum CommissioningNews: Sendable {
  case station(String)
  case waiting(station: String, ControlGap?)
  case device(CommissioningProtocol.StationRecord)
  /// Plug something in; how many loads have been there.
  case plugIn(station: String, connector: Int, load: Int)
  case unplug(station: String, connector: Int)
  case charging(station: String, connector: Int, offered: Current?, measured: PerPhase<Current>?)
  case step(CommissioningProtocol.StepEntry)
  case connector(station: String, CommissioningProtocol.ConnectorRecord)
  case note(TestNote)
  case test(String, CommissioningProtocol.FallbackTest)
  case trust(station: String, FallbackTrust)
}

public enum CommissioningQuestion: Sendable {
  /// Not all could be told from the load that was there: is there another?
  case anotherLoad(station: String, connector: Int)
  /// Switch the station off and on.
  case powerCycle(station: String)
}

/// What is wanted of a commissioning run.
public struct CommissioningWish: Sendable {
  public enum PowerCycle: Sendable {
    /// Somebody is asked to switch it off and on.
    case asked
    /// Reset Hard, with consent.
    case reset
    case skipped
  }
  /// By id; empty: all installed ones.
  public var stations: [String] = []
  public var installer: String?
  /// Loads that will come one after the other at each connector, when one does not tell all.
  public var loads = 1
  public var powerCycle = PowerCycle.asked
  public var skipsLinkLoss = false
  /// How long a station or a vehicle is waited for.
  public var patience = TimeSpan.minutes(15)
  public init() {}
}

/// Commissions the stations of a live hub: steps each connector against its circuits' meters, breaks the link, cycles the power. It asks
/// the mind like anyone else, by orders, and what the circuits allow stays the law.
///
/// One run on one thread; the hub lives on its own.
public final class Commissioner {
  struct Interruption: Error {}

  let hub: LiveHub
  let wish: CommissioningWish
  let desk: any CommissioningDesk
  private let stop: Latch
  private let seen = Mailbox<(LiveHub.Sighting, Monotonic)>()

  public internal(set) var record: CommissioningProtocol
  /// The station and the connector under test, and the others that are held still meanwhile.
  var tested: (station: Int, connector: Int)?
  var held: [Int: Int] = [:]
  var squeezes = false
  var watched: Watched
  /// The station under test, in the protocol.
  var place = 0

  /// - Parameter stop: opened from outside, it ends the run at its next breath.
  public init(_ hub: LiveHub, _ wish: CommissioningWish, desk: any CommissioningDesk, stop: Latch) {
    (self.hub, self.wish, self.desk, self.stop) = (hub, wish, desk, stop)
    let sight = hub.sight()
    watched = Watched(sight.hub)
    record = CommissioningProtocol(
      site: sight.hub.id, siteName: sight.hub.name, installer: wish.installer, version: LiveHub.version, started: hub.utc)
    let box = seen
    hub.watch { box.post(($0, Self.now)) }
  }

  static var now: Monotonic { Monotonic(milliseconds: Int(MonotonicTime.now.nanoseconds / 1_000_000)) }
  var utc: Instant { hub.utc }

  /// Does everything that was asked for; ends early, and says so, when stopped.
  /// - Returns: the protocol as it stands at the end.
  public func run() -> CommissioningProtocol {
    let sight = hub.sight()
    let asked = sight.hub.stations.indices.filter { s in
      sight.hub.stations[s].state == .installed && (wish.stations.isEmpty || wish.stations.contains(sight.hub.stations[s].id))
    }
    for s in asked { record.stations.append(Self.blank(s, sight)) }
    keep()
    do {
      for (place, s) in asked.enumerated() {
        self.place = place
        try commission(s)
        keep()
      }
      try breathe()  // a stop during the last question
      record.isInterrupted = false
    } catch {
      record.isInterrupted = true
    }
    for s in asked { endTests(of: s) }
    hub.watch(nil)
    record.ended = utc
    keep()
    return record
  }

  private static func blank(_ s: Int, _ sight: LiveHub.Sight) -> CommissioningProtocol.StationRecord {
    let station = sight.hub.stations[s]
    return CommissioningProtocol.StationRecord(
      id: station.id, traits: station.traits, trustBefore: sight.view.stations[s].trust, trustStated: station.trust,
      connectors: station.connectors.map {
        CommissioningProtocol.ConnectorRecord(number: sight.hub.connectors[$0].number, wiring: sight.hub.connectors[$0].wiring)
      })
  }

  func keep() { desk.keep(record) }

  // MARK: One station

  private func commission(_ s: Int) throws {
    let hub = hub.sight().hub
    desk.tell(.station(hub.stations[s].id))
    guard try meet(s) else {
      endTests(of: s)
      return
    }
    describe(s)
    for (number, c) in hub.stations[s].connectors.enumerated() {
      tested = (s, c)
      try test(connector: c, number)
      desk.tell(.connector(station: hub.stations[s].id, record.stations[place].connectors[number]))
      keep()
      // The last connector's load stays for the tests of the fallback.
      if c + 1 < hub.stations[s].connectors.upperBound { release(c) }
    }
    if let last = hub.stations[s].connectors.last {
      try testFallback(s, last)
      conclude(s)
    }
    endTests(of: s)
  }

  /// Waits until the station is connected, known and has taken its fallback.
  private func meet(_ s: Int) throws -> Bool {
    let id = hub.sight().hub.stations[s].id
    var told: ControlGap?
    var isTold = false
    let controlled = try wait(wish.patience) { [self] in
      let sight = hub.sight()
      let gap = sight.view.stations[s].gap
      if !isTold || gap != told {
        (told, isTold) = (gap, true)
        if gap != nil { desk.tell(.waiting(station: id, gap)) }
      }
      return gap == nil && sight.view.stations[s].capabilities != nil
    }
    if controlled, hub.sight().view.stations[s].identity == nil {
      // It came back without a boot and never said what it is.
      hub.tell(mind: .order(.station(s, .trigger(.boot))))
      _ = try wait(.seconds(20)) { [self] in hub.sight().view.stations[s].identity != nil }
      _ = try wait(.seconds(60)) { [self] in hub.sight().view.stations[s].controlled }
    }
    guard controlled else {
      let isRefused = hub.sight().view.stations[s].gap == .fallbackRefused
      record.stations[place].absence = isRefused ? .fallbackRefused : .neverConnected(wish.patience)
      if isRefused { settle(s, .none) }
      return false
    }
    guard hub.sight().view.stations[s].identity != nil else {
      record.stations[place].absence = .noIdentity
      return false
    }
    return true
  }

  private func describe(_ s: Int) {
    let view = hub.sight().view.stations[s]
    record.stations[place].identity = view.identity
    record.stations[place].capabilities = view.capabilities
    record.stations[place].clockOffset = view.clockOffset
    record.stations[place].trustBefore = view.trust
    desk.tell(.device(record.stations[place]))
    keep()
  }

  /// What both tests of the fallback come to (rule 18).
  private func conclude(_ s: Int) {
    let (link, power) = (record.stations[place].linkLoss.outcome, record.stations[place].powerCycle.outcome)
    if link == .failed || power == .failed {
      settle(s, .none)
    } else {
      // What was not tested this time is no news: what was known of it before stays.
      settle(s, link == .passed && power == .passed ? .proven : max(record.stations[place].trustBefore, .accepted))
    }
  }

  private func settle(_ s: Int, _ trust: FallbackTrust) {
    record.stations[place].trustAfter = trust
    hub.tell(mind: .trust(station: s, trust))
    desk.tell(.trust(station: record.stations[place].id, trust))
    keep()
  }

  private func endTests(of s: Int) {
    hub.letIn(s)
    hub.ask(onBoot: nil, of: s)
    tested = nil
    for c in held.keys { hub.tell(mind: .order(.hold(connector: c, nil))) }
    held = [:]
    squeezes = false
    let sight = hub.sight()
    for c in sight.hub.stations[s].connectors { hub.tell(mind: .order(.hold(connector: c, nil))) }
    hub.tell(mind: .order(.doubt(station: s, false)))
  }

  func release(_ c: Int) { hub.tell(mind: .order(.hold(connector: c, nil))) }

  // MARK: Time

  /// Takes in what has been seen, holds what must be still.
  /// - Throws: `Interruption`.
  func breathe() throws {
    for (sighting, at) in seen.take(patience: .milliseconds(200)) ?? [] { watched.take(sighting, at: at) }
    if stop.wait(patience: .zero) { throw Interruption() }
    holdOthers()
  }

  /// - Returns: whether `ready` held before the patience ended.
  func wait(_ patience: TimeSpan, until ready: () throws -> Bool) throws -> Bool {
    let end = Self.now + patience
    while true {
      try breathe()
      if try ready() { return true }
      if Self.now >= end { return false }
    }
  }

  /// Every other connector below a circuit of the one under test stays where it is: a step is told apart only on a still circuit.
  private func holdOthers() {
    guard let tested else { return }
    let sight = hub.sight()
    let mine = Self.path(sight.hub.connectors[tested.connector].circuit, sight.hub)
    guard let root = mine.last else { return }
    let top = mine.last { sight.hub.circuits[$0].measurement != nil } ?? root
    for c in sight.hub.connectors.indices where c != tested.connector {
      guard Self.path(sight.hub.connectors[c].circuit, sight.hub).contains(top) else { continue }
      guard let transaction = sight.view.connectors[c].transaction else {
        held[c] = nil
        continue
      }
      let key = squeezes ? -transaction : transaction
      guard held[c] != key else { continue }
      held[c] = key
      let present = sight.view.connectors[c].offered ?? sight.hub.connectors[c].fallback
      hub.tell(mind: .order(.hold(connector: c, squeezes ? sight.hub.connectors[c].minimum : present)))
    }
  }

  /// A circuit and those above it.
  static func path(_ circuit: Int, _ hub: Hub) -> [Int] {
    var path = [circuit]
    while let parent = hub.circuits[path[path.count - 1]].parent { path.append(parent) }
    return path
  }
}
