import ChargingProfiles
import Quantities
import Site

/// A charge point as its vehicles and its central system see it: a value that is told what happens and says what it would say.
/// It obeys its installed profiles through the same algebra by which they were made. Times are true milliseconds from the start.
public struct EmulatedStation: Sendable {
  /// What it has to say to its central system; transaction messages are kept while it is offline.
  public enum Said: Hashable, Sendable {
    case boot(StationIdentity)
    case status(connector: Int, ConnectorStatus)
    case authorise(idTag: String, ticket: Int)
    case start(TransactionStart, ticket: Int)
    case stop(TransactionStop, ticket: Int)
    case sample(connector: Int, transaction: Int?, ConnectorSample, delay: Int)
    case heartbeat
  }

  public let station: Station
  public let quirks: [StationQuirk]
  public internal(set) var store: ProfileStore
  public internal(set) var bays: [Bay]
  /// Drained by the house that drives it.
  public var said: [Said] = []
  public internal(set) var isOnline = false
  /// Since when it has been online, or offline.
  public internal(set) var linkChangedAt = 0
  /// Its clock minus true time, ms.
  public internal(set) var clockOffset: Int
  /// When it was last set.
  public internal(set) var clockSetAt = 0
  /// True time of the simulation's start.
  let epoch: Instant
  var random: SeededRandom
  var sampleInterval: Int
  var lastTicket = 0
  var lastLocal = 0
  /// Transaction messages that wait for a connection.
  var queue: [Said] = []
  var heartbeatAt: Int
  public let identity: StationIdentity
  /// Until then it is rebooting, dead to the world.
  public internal(set) var bootedAt = 0

  /// - Parameter offset: its clock minus true time, ms.
  public init(
    _ station: Station, connectors: [Connector], quirks: [StationQuirk], epoch: Instant, offset: Int, random: SeededRandom
  ) {
    (self.station, self.quirks, self.epoch, self.clockOffset, self.random) = (station, quirks, epoch, offset, random)
    let traits = station.traits
    let capacity = ProfileStore.Capacity(
      highestStackLevel: quirks.contains(.stackLevelZeroOnly) ? 0 : 8,
      units: traits.rateUnit == .watts ? [.watts] : [.amperes], maximumPeriods: max(1, traits.maximumPeriods ?? 24),
      maximumProfiles: 32)
    store = ProfileStore(connectors: connectors.count, capacity: capacity)
    bays = connectors.map { Bay(connector: $0) }
    sampleInterval = traits.sampleInterval.raw
    heartbeatAt = Int.max
    identity = StationIdentity(vendor: "Emulated", model: traits.model, serial: station.id, firmware: "1.0")
    if station.trust == .proven { installFallbacks() }
    for b in bays.indices { refreshLimit(b, at: 0, immediately: true) }
  }

  func has(_ quirk: StationQuirk) -> Bool { quirks.contains(quirk) }
  /// What it draws may differ from what it was told.
  public var isDisobedient: Bool { quirks.contains { $0.isDisobedient } }
  /// Its own time.
  public func clock(_ now: Int) -> Instant { Instant(milliseconds: epoch.milliseconds + now + clockOffset) }
  func stamp(_ now: Int) -> Instant? { has(.timestamps1970) ? nil : clock(now) }

  /// A proven station was commissioned long ago: its fallback stands in its memory.
  private mutating func installFallbacks() {
    for b in bays.indices {
      let connector = bays[b].connector
      let grant = ChargingProfile.fallback(
        id: 100 + connector.number, current: connector.fallback, now: epoch, traits: station.traits, supply: connector.supply,
        phases: connector.wiring.map { $0.conductors.count } ?? 3, voltage: .volts(207), stackLevel: 0)
      do { try store.install(grant.profile, connector: connector.number, at: epoch) } catch {
        preconditionFailure("its own fallback does not fit it: \(error)")
      }
    }
  }

  /// When it wants to be woken next.
  public var nextWake: Int {
    var next = isOnline ? heartbeatAt : Int.max
    for bay in bays { next = min(next, bay.nextWake) }
    return next
  }

  /// Does what has become due at `now`.
  public mutating func wake(at now: Int) {
    if isOnline, heartbeatAt <= now {
      heartbeatAt = now + 300_000
      said.append(.heartbeat)
    }
    for b in bays.indices { wake(b, at: now) }
  }

  // MARK: Connection

  /// The connection is up.
  public mutating func connect(at now: Int, boots: Bool) {
    (isOnline, linkChangedAt) = (true, now)
    heartbeatAt = now + 300_000
    if boots, !has(.noBootOnConnect) { said.append(.boot(identity)) }
    for b in bays.indices { said.append(.status(connector: bays[b].number, bays[b].status)) }
    let waiting = queue
    queue = []
    said += waiting
  }

  public mutating func disconnect(at now: Int) {
    (isOnline, linkChangedAt) = (false, now)
    heartbeatAt = Int.max
  }

  /// Power off and on: transactions end with PowerLoss, profiles stay (OCPP 1.6 errata 3.37) unless it is one that forgets.
  public mutating func reboot(at now: Int) {
    (isOnline, linkChangedAt) = (false, now)
    heartbeatAt = Int.max
    for b in bays.indices {
      if bays[b].transaction != nil { stop(b, reason: "PowerLoss", at: now) }
      bays[b].draw = 0
      bays[b].drawAt = nil
      if bays[b].vehicle != nil { setStatus(b, .preparing, at: now) }
      // A vehicle that was charging starts again after the boot.
      if bays[b].vehicle != nil { bays[b].stepAt = now + 30_000 + random.pick(0...20_000) }
    }
    if has(.forgetsProfiles) {
      store = ProfileStore(connectors: bays.count, capacity: store.capacity, ambiguities: store.ambiguities)
    }
    for b in bays.indices { refreshLimit(b, at: now, immediately: true) }
  }

  /// The answer to BootNotification or Heartbeat sets its clock.
  public mutating func setClock(offset: Int, at now: Int) {
    guard !has(.wrongClock), !has(.skewedClock) else { return }
    guard abs(offset - clockOffset) > 1000 else { return }
    clockOffset = offset + random.pick(-500...500)
    clockSetAt = now
    for b in bays.indices { refreshLimit(b, at: now, immediately: false) }
  }

  mutating func setStatus(_ b: Int, _ status: ConnectorStatus, at now: Int) {
    guard bays[b].status != status else { return }
    bays[b].status = status
    if isOnline { said.append(.status(connector: bays[b].number, status)) }
  }

  mutating func tell(_ message: Said) { if isOnline { said.append(message) } else { queue.append(message) } }

  /// Its central system has not answered these: what concerns a transaction is said again on the next connection, before what is newer.
  mutating func keep(_ messages: [Said]) {
    let kept = messages.filter { message in
      switch message {
      case .start, .stop: true
      case .boot, .status, .authorise, .sample, .heartbeat: false
      }
    }
    queue.insert(contentsOf: kept, at: 0)
  }

  // MARK: Limits

  /// What the installed profiles let each of the vehicle's conductors draw at the station's own time; the hardware's maximum at most.
  public func heldLimit(_ b: Int, at instant: Instant) -> Int {
    let (bay, instant) = (bays[b], max(instant, earliest(b)))
    let hardware = min(bay.connector.maximum, station.traits.staticMaximum ?? bay.connector.maximum).raw
    let query = CompositeQuery(
      connector: bay.number, from: instant, duration: .seconds(1), unit: station.traits.rateUnit, nominalVoltage: .volts(230))
    guard let limit = store.limit(at: instant, query) else { return hardware }
    return min(hardware, current(limit, bay))
  }

  /// Where its clock was set to before the beginning of a transaction, relative schedules are at their beginning until it has come there.
  private func earliest(_ b: Int) -> Instant {
    guard station.traits.profileKind == .relative, bays[b].transaction != nil else { return Instant(milliseconds: .min) }
    return bays[b].beganClock
  }

  private func current(_ limit: LimitValue, _ bay: Bay) -> Int {
    guard station.traits.rateUnit == .watts else { return limit.tenths * 100 }
    let wired = bay.connector.wiring?.conductors.count ?? 3
    let over = station.traits.dividesWatts ? (limit.phases ?? wired) : max(1, bay.vehicle?.conductors.count ?? wired)
    return limit.tenths * 100 / 230 / over
  }

  /// The limit's steps from now on, as (station's own time, mA), for `span`.
  public func heldSteps(_ b: Int, at now: Int, span: TimeSpan) -> [(at: Int, limit: Int)] {
    let bay = bays[b]
    let from = max(clock(now), earliest(b))
    let wait = (from - clock(now)).raw
    let hardware = min(bay.connector.maximum, station.traits.staticMaximum ?? bay.connector.maximum).raw
    let query = CompositeQuery(
      connector: bay.number, from: from, duration: span, unit: station.traits.rateUnit, nominalVoltage: .volts(230))
    guard let schedule = store.composite(query) else { return [(now, heldLimit(b, at: from))] }
    var steps: [(at: Int, limit: Int)] = []
    for period in schedule.periods {
      let limit = min(hardware, current(LimitValue(tenths: period.tenths, phases: period.phases), bay))
      if let last = steps.last, last.limit == limit { continue }
      steps.append((period.start == .zero ? now : now + wait + period.start.raw, limit))
    }
    return steps
  }

  /// Looks at the profiles again: what they allow now, and when that changes.
  mutating func refreshLimit(_ b: Int, at now: Int, immediately: Bool) {
    let steps = heldSteps(b, at: now, span: .hours(2))
    bays[b].limitAt = steps.count > 1 ? steps[1].at : now + 7_200_000
    bays[b].steps = steps
    var limit = steps.first?.limit ?? 0
    if bays[b].transaction != nil {
      if has(.acceptsButIgnores) || bays[b].isOutOfControl { limit = bays[b].connector.maximum.raw }
    }
    if has(.wholeAmperes) { limit = limit / 1000 * 1000 }
    if limit < 6000 { limit = 0 }
    bays[b].limit = limit
    if immediately {
      setPilot(b, limit, at: now)
    } else if limit != (bays[b].pilotAt == nil ? bays[b].pilot : bays[b].nextPilot) {
      bays[b].nextPilot = limit
      bays[b].pilotAt = now + random.pick(200...max(201, station.traits.reaction.raw))
    }
  }
}
