import ChargingProfiles
import Quantities
import Site

extension SiteController {
  /// How long a station may take to announce itself on a new connection.
  private var bootPatience: TimeSpan { .seconds(5) }
  private var refusalPatience: TimeSpan { .minutes(5) }

  /// - Returns: whether anything needs to be reconsidered.
  mutating func take(_ said: StationEvent, from s: Int, at now: EventStamp, _ out: inout [Effect]) -> Bool {
    switch said {
    case .connected: connect(s, now, &out)
    case .disconnected: disconnect(s, &out)
    case .booted(let identity, let request): boot(s, identity, request, now, &out)
    case .clock(let offset): hear(offset, from: s, &out)
    case .status(let number, let status, _):
      guard let c = connector(s, number) else { return false }
      changeStatus(c, status, now)
    case .authorise(let idTag, let request):
      out.append(.answer(station: s, request, .authorise(authorisation(of: idTag))))
      return false
    case .started(let start, let request): begin(s, start, request, now, &out)
    case .stopped(let stop, let request): finish(s, stop, request, now, &out)
    case .sampled(let number, let transaction, let sample):
      guard let c = connector(s, number == 0 && hub.stations[s].connectors.count == 1 ? 1 : number) else { return false }
      return take(sample, c, transaction, now, &out)
    case .outcome(let command, let outcome): hear(outcome, of: command, from: s, now, &out)
    case .deviated: return false
    }
    return true
  }

  /// The connector with this OCPP number.
  func connector(_ s: Int, _ number: Int) -> Int? { hub.stations[s].connectors.first { hub.connectors[$0].number == number } }

  private mutating func connect(_ s: Int, _ now: EventStamp, _ out: inout [Effect]) {
    stations[s].connectedAt = now.monotonic
    for c in hub.stations[s].connectors { connectors[c].statusIsCurrent = false }
    stations[s].connectedUTC = now.utc
    distrust(s, now)
    set(.stationLost(station: s), raised: false, &out)
    let traits = hub.stations[s].traits
    switch traits.boot {
    case .announces: stations[s].stage = .awaitingBoot(until: now.monotonic + bootPatience)
    case .needsTrigger:
      stations[s].stage = .awaitingBoot(until: now.monotonic + bootPatience)
      out.append(.command(newCommand(), station: s, .trigger(.boot), .routine))
    case .silentBeforeBoot:
      // Anything said before its boot is answered would hang it; on a reconnection without a boot it is known to be up.
      let patience = stations[s].identity == nil ? TimeSpan.minutes(5) : bootPatience
      stations[s].stage = .awaitingBoot(until: now.monotonic + patience)
    }
  }

  private mutating func disconnect(_ s: Int, _ out: inout [Effect]) {
    guard stations[s].connected else { return }
    stations[s].connectedAt = nil
    stations[s].stage = .absent
    // Whoever stands there when it is back may use other phases.
    for c in hub.stations[s].connectors { forgetPhases(c) }
    if hub.stations[s].state == .installed { set(.stationLost(station: s), raised: true, &out) }
  }

  /// After a restart no link is up, and every command under way may have been received.
  /// How long it was away is what the wall clock says, and that may have been set meanwhile: offers count as long as they had left.
  mutating func forgetLinks(_ now: Monotonic, _ out: inout [Effect]) {
    for s in stations.indices { disconnect(s, &out) }
    for c in connectors.indices {
      for b in connectors[c].beliefs.indices {
        guard let until = connectors[c].beliefs[b].until, until > lastEventAt else { continue }
        connectors[c].beliefs[b].until = until + (now - lastEventAt)
      }
      for b in connectors[c].beliefs.indices where connectors[c].beliefs[b].progress == .issued {
        connectors[c].beliefs[b].progress = .unanswered
      }
    }
    for l in leavers.indices { leavers[l].until = leavers[l].until + max(.zero, now - lastEventAt) }
    for k in circuits.indices {
      (circuits[k].readAt, circuits[k].baseForCuts, circuits[k].pendingStep) = (nil, nil, PerPhase(all: nil))
    }
    if storeFailed {
      storeFailed = false
      set(.storeFailed, raised: false, &out)
    }
  }

  private mutating func boot(_ s: Int, _ identity: StationIdentity, _ request: RequestID, _ now: EventStamp, _ out: inout [Effect])
  {
    let installed = hub.stations[s].state == .installed
    out.append(.answer(station: s, request, .boot(accepted: installed, interval: .minutes(5))))
    guard installed else { return }
    if let known = stations[s].identity, isOther(known, identity) { stations[s].capabilities = nil }
    recognise(identity, s)
    stations[s].identity = identity
    distrust(s, now)
    learn(s, &out)
  }

  /// Rule 18: what was proven was proven for one device with one firmware; it counts again when that comes back.
  private mutating func recognise(_ identity: StationIdentity, _ s: Int) {
    if let proof = stations[s].proof, proof.covers(identity) {
      stations[s].trust = proof.trust
    } else if let known = stations[s].identity ?? stations[s].proof?.device, isOther(known, identity) {
      stations[s].trust = min(stations[s].trust, .accepted)
    }
  }

  private func isOther(_ known: StationIdentity, _ identity: StationIdentity) -> Bool {
    known.firmware != identity.firmware || known.model != identity.model || known.serial != identity.serial
  }

  /// A station that was away or has booted may have forgotten what it was told, or had it changed: until it is told again and has
  /// been seen to follow, it may be at its fallback as well as at any earlier offer.
  private mutating func distrust(_ s: Int, _ now: EventStamp) {
    for c in hub.stations[s].connectors where !connectors[c].beliefs.isEmpty { distrust(connector: c, now) }
  }

  /// - Precondition: something is believed of the connector.
  mutating func distrust(connector c: Int, _ now: EventStamp) {
    let last = connectors[c].beliefs.count - 1
    forgetPhases(c)
    connectors[c].beliefs[last].progress = .unanswered
    connectors[c].beliefs[last].confirmed = false
    if !connectors[c].beliefs.contains(where: { $0.until == nil && $0.current >= fallback(c) }) {
      connectors[c].beliefs.insert(fallbackBelief(c, now), at: 0)
    }
    connectors[c].mustRefresh = true
  }

  private mutating func learn(_ s: Int, _ out: inout [Effect]) {
    let command = newCommand()
    stations[s].stage = .learning(command)
    out.append(.command(command, station: s, .learn(sampleInterval: hub.stations[s].traits.sampleInterval), .routine))
  }

  /// Installs the fallback: on the station itself first, then on each connector (rule 18). It is set before anything is cleared,
  /// so that there is no moment without one.
  private mutating func install(_ s: Int, from number: Int, _ out: inout [Effect]) {
    let traits = hub.stations[s].traits
    let numbers = (traits.acceptsConnectorZero ? [0] : []) + hub.stations[s].connectors.map { hub.connectors[$0].number }
    guard let next = numbers.first(where: { $0 >= number }) else {
      clearLeftovers(s, &out)
      return
    }
    let command = newCommand()
    stations[s].stage = .installing(connector: next, command)
    let profile: ChargingProfile
    if let c = connector(s, next) {
      profile = fallbackProfile(c)
    } else {
      // Whatever a connector does not have of its own: the lowest of the station's fallbacks.
      let lowest = hub.stations[s].connectors.min { hub.connectors[$0].fallback < hub.connectors[$1].fallback }
      profile = fallbackProfile(lowest ?? hub.stations[s].connectors.lowerBound, number: 0)
    }
    out.append(.command(command, station: s, .setProfile(connector: next, profile), .decrease))
  }

  private mutating func clearLeftovers(_ s: Int, _ out: inout [Effect]) {
    let idle = hub.stations[s].connectors.allSatisfy { !connectors[$0].occupied }
    guard idle, !hub.stations[s].traits.avoidedCalls.contains("ClearChargingProfile") else {
      readBack(s, from: 0, &out)
      return
    }
    let command = newCommand()
    stations[s].stage = .clearing(command)
    out.append(.command(command, station: s, .clearProfiles(ProfileFilter(purpose: .transaction)), .routine))
  }

  /// Commands that will never be sent. Clearing what is left behind waits for the journal and may be among them: a station is controlled
  /// without it, for what is left behind belongs to transactions that are over.
  mutating func passOver(_ commands: [CommandID], _ out: inout [Effect]) {
    for s in stations.indices {
      if case .clearing(let command) = stations[s].stage, commands.contains(command) { readBack(s, from: 1, &out) }
    }
  }

  /// From now on it is controlled; what stands at its connectors is asked where it has not said so (rule 7).
  private mutating func control(_ s: Int, _ out: inout [Effect]) {
    stations[s].stage = .controlled
    for c in hub.stations[s].connectors where !connectors[c].statusIsCurrent || connectors[c].transaction?.late == true {
      askForStatus(c, &out)
    }
  }

  /// What stands at a connector now: whether a transaction that was told late still runs there (rule 24), too. Where it may not be asked,
  /// what it said on this connection has to do.
  mutating func askForStatus(_ c: Int, _ out: inout [Effect]) {
    let s = hub.connectors[c].station
    guard hub.stations[s].traits.avoidedCalls.contains("TriggerMessage") else {
      out.append(.command(newCommand(), station: s, .trigger(.status(connector: hub.connectors[c].number)), .routine))
      return
    }
    if connectors[c].statusIsCurrent, connectors[c].status?.showsSession ?? false { connectors[c].transaction?.late = false }
  }

  private mutating func readBack(_ s: Int, from number: Int, _ out: inout [Effect]) {
    let idle = hub.stations[s].connectors.first { hub.connectors[$0].number >= max(1, number) && connectors[$0].transaction == nil }
    guard let c = idle, !hub.stations[s].traits.avoidedCalls.contains("GetCompositeSchedule") else {
      control(s, &out)
      return
    }
    let command = newCommand()
    stations[s].stage = .readingBack(connector: hub.connectors[c].number, command)
    let unit = hub.stations[s].traits.rateUnit
    out.append(
      .command(
        command, station: s, .readComposite(connector: hub.connectors[c].number, duration: hub.settings.horizon, unit: unit),
        .routine))
  }

  /// The next step of a station's commissioning.
  private mutating func hear(
    _ outcome: CommandOutcome, of command: CommandID, from s: Int, _ now: EventStamp, _ out: inout [Effect]
  ) {
    guard outcome != .sent else {
      markSent(command, s, now)
      return
    }
    switch stations[s].stage {
    case .learning(command):
      if case .learned(let capabilities) = outcome { stations[s].capabilities = capabilities }
      install(s, from: 0, &out)
    case .installing(let number, command):
      switch outcome {
      case .accepted:
        if let c = connector(s, number) { connectors[c].confirmedFallback = nil }
        install(s, from: number + 1, &out)
      case .refused where number == 0: install(s, from: 1, &out)  // many refuse connector 0: each connector has its own
      case .refused: refuse(s, now, &out)
      default:
        // No answer is no refusal: asked again soon, and until then not controlled.
        stations[s].stage = .refused(until: now.monotonic + .seconds(5))
      }
    case .clearing(command): readBack(s, from: 1, &out)
    case .readingBack(let number, command):
      if case .composite(let schedule?) = outcome, exceedsFallback(schedule, s, number) {
        refuse(s, now, &out)
      } else {
        readBack(s, from: number + 1, &out)
        if stations[s].stage == .controlled { set(.fallbackRefused(station: s), raised: false, &out) }
      }
    default: hear(outcome, ofOffer: command, from: s, now, &out)
    }
  }

  private mutating func refuse(_ s: Int, _ now: EventStamp, _ out: inout [Effect]) {
    stations[s].stage = .refused(until: now.monotonic + refusalPatience)
    (stations[s].trust, stations[s].proof) = (.none, nil)
    set(.fallbackRefused(station: s), raised: true, &out)
  }

  /// Whether what a station says it would do is more than its fallback; what it says of the time with a vehicle only.
  private func exceedsFallback(_ schedule: Schedule, _ s: Int, _ number: Int) -> Bool {
    guard let c = connector(s, number), let first = schedule.periods.first else { return false }
    let allowed = hub.connectors[c].fallback
    switch schedule.unit {
    case .amperes: return Current(milliamperes: first.tenths * 100) > allowed
    case .watts:
      let phases = first.phases ?? 3
      let power = Power(milliwatts: first.tenths * 100)
      return power > allowed.power(at: highestVoltage, phases: phases)
    }
  }

  /// A station's clock that moves by more than this was set.
  private var clockJump: TimeSpan { .seconds(2) }

  private mutating func hear(_ offset: TimeSpan, from s: Int, _ out: inout [Effect]) {
    if let before = stations[s].clockOffset, (offset - before).magnitude > clockJump {
      moveEnds(s, by: before - offset)
      for c in hub.stations[s].connectors { loseStart(c) }
    }
    stations[s].clockOffset = offset
    set(.clockWrong(station: s), raised: offset.magnitude > hub.settings.largestSkew, &out)
  }

  /// What has to happen because time has passed, with whatever event that is noticed.
  mutating func advanceStations(_ now: EventStamp, _ out: inout [Effect]) {
    for s in stations.indices {
      guard let due = nextMoment(ofStation: s), due <= now.monotonic else { continue }
      switch stations[s].stage {
      case .awaitingBoot: if stations[s].capabilities == nil { learn(s, &out) } else { install(s, from: 0, &out) }
      case .refused: install(s, from: 0, &out)
      case .controlled:
        // Rule 17: ask for the time again; a station that set its clock with our answer will say so.
        stations[s].askedForTime = now.monotonic
        out.append(.command(newCommand(), station: s, .trigger(.heartbeat), .routine))
      default: break
      }
    }
  }

  /// Why a station does not get more than its fallback; nil: it is controlled.
  func gap(_ s: Int) -> ControlGap? {
    if hub.stations[s].state == .planned { return .planned }
    guard stations[s].connected else { return .disconnected }
    switch stations[s].stage {
    case .controlled: break
    case .refused: return .fallbackRefused
    default: return .commissioning
    }
    if let offset = stations[s].clockOffset, offset.magnitude > hub.settings.largestSkew { return .clock(offset: offset) }
    return nil
  }

  /// A step of our own wall clock: offers are written in UTC, so each is sent anew (rule 17).
  mutating func moveClock(by step: TimeSpan, at now: EventStamp) {
    for s in stations.indices {
      // Where nothing was heard of a station's clock, it may take ours over unnoticed.
      if stations[s].clockOffset == nil { moveEnds(s, by: -step) }
      stations[s].clockOffset = stations[s].clockOffset.map { $0 - step }
      forgetSampleTimes(s)
    }
    for c in connectors.indices {
      if !connectors[c].beliefs.isEmpty { connectors[c].mustRefresh = true }
      // Relative profiles count from the start: how long ago that was has not changed.
      if let start = connectors[c].transaction?.startedAt { connectors[c].transaction?.startedAt = start + step }
    }
    for l in leavers.indices { leavers[l].until = leavers[l].until + max(.zero, -step) }
    for k in circuits.indices { circuits[k].contract = nil }
    planning.monthPeak?.pause()
  }
}

extension SiteController {
  /// A station's clock was set: what it holds ends later by `shift`, or earlier, than was believed. Until it is heard that it was, the
  /// difference between its clock and ours counts as skew.
  private mutating func moveEnds(_ s: Int, by shift: TimeSpan) {
    forgetSampleTimes(s)
    for c in hub.stations[s].connectors where !connectors[c].beliefs.isEmpty {
      connectors[c].mustRefresh = true
      for b in connectors[c].beliefs.indices {
        guard let until = connectors[c].beliefs[b].until else { continue }
        if connectors[c].beliefs[b].after > connectors[c].beliefs[b].current {
          connectors[c].beliefs[b].forgetEnd()
        } else {
          connectors[c].beliefs[b].until = until + max(.zero, shift)
        }
      }
    }
  }

  /// The times of samples begin anew: beside those of a clock that was ahead, all later ones would seem old.
  private mutating func forgetSampleTimes(_ s: Int) {
    for c in hub.stations[s].connectors { connectors[c].newestTakenAt = nil }
  }

  /// Where a relative schedule counts from is not known any more: it may be in any of its periods, for as long as it is held.
  private mutating func loseStart(_ c: Int) {
    guard station(of: c).traits.profileKind == .relative, connectors[c].transaction != nil else { return }
    connectors[c].transaction?.startIsUncertain = true
    connectors[c].mustRefresh = true
    for b in connectors[c].beliefs.indices { connectors[c].beliefs[b].forgetEnd() }
  }
}

extension ConnectorStatus {
  /// A transaction runs there.
  var showsSession: Bool { [.charging, .suspendedEV, .suspendedEVSE].contains(self) }
}

extension FallbackTrust: Comparable {
  private var rank: Int {
    switch self {
    case .none: 0
    case .accepted: 1
    case .proven: 2
    }
  }
  public static func < (a: FallbackTrust, b: FallbackTrust) -> Bool { a.rank < b.rank }
}
