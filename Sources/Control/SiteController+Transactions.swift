import Quantities
import Site

/// A transaction that ended, remembered to recognise repeats.
struct EndedTransaction: Hashable, Sendable, Codable {
  var id: Int
  var station: Int
  var connector: Int
  var messageID: String
  var authorisation: Authorisation?
  /// What ended it; nil: kept by a version that did not keep it.
  var stop: TransactionStop?
}

/// A StartTransaction that was answered, remembered for repeats of the same message.
struct AnsweredStart: Hashable, Sendable, Codable {
  var station: Int
  var messageID: String
  var transaction: Int
  var authorisation: Authorisation
  /// What was said; nil: kept by a version that did not keep it.
  var start: TransactionStart?
}

extension TransactionStart {
  /// The same content; a time in 1970 is none.
  fileprivate func isSame(as other: TransactionStart) -> Bool {
    connector == other.connector && meterStart == other.meterStart && idTag.lowercased() == other.idTag.lowercased()
      && (at == other.at || at == nil || other.at == nil)
  }
}
extension TransactionStop {
  fileprivate func isSame(as other: TransactionStop) -> Bool {
    transaction == other.transaction && meterStop == other.meterStop && (at == other.at || at == nil || other.at == nil)
  }
}

extension SiteController {
  /// How many ended transactions and answered starts are remembered: repeats come soon, or with the same content while open.
  private var remembered: Int { 4096 }

  /// OCPP 1.6 §3.9: id tags are compared without regard to case.
  func authorisation(of idTag: String) -> Authorisation {
    switch hub.access {
    case .anyone: .accepted
    case .tags(let tags): tags.contains { $0.lowercased() == idTag.lowercased() } ? .accepted : .invalid
    }
  }

  mutating func begin(_ s: Int, _ start: TransactionStart, _ request: RequestID, _ now: EventStamp, _ out: inout [Effect]) {
    // A station may count its messages from 1 again after each boot: the number alone says nothing.
    if let known = startedBefore.last(where: {
      $0.station == s && $0.messageID == start.messageID && $0.start.map { start.isSame(as: $0) } ?? true
    }) {
      out.append(.answer(station: s, request, .start(transaction: known.transaction, known.authorisation)))
      return
    }
    let authorisation = authorisation(of: start.idTag)
    guard let c = connector(s, start.connector) ?? soleConnector(s, start.connector) else {
      // It names a connector that the site does not have: kept, answered, and given nothing.
      lastTransaction += 1
      remember(start, s, lastTransaction, .invalid)
      out.append(.answer(station: s, request, .start(transaction: lastTransaction, .invalid)))
      out.append(
        .transaction(
          .opened(
            id: lastTransaction, station: s, connector: start.connector, idTag: start.idTag, meterStart: start.meterStart,
            at: start.at ?? now.utc, late: true)))
      return
    }
    if let open = connectors[c].transaction, isRepeat(start, of: open.start) {
      remember(start, s, open.id, open.authorisation)
      out.append(.answer(station: s, request, .start(transaction: open.id, open.authorisation)))
      return
    }
    let late = isLate(start.at, s)
    var unended: [Belief] = []
    // One that began after the one that is open tells that this has ended, however late it is told.
    if let open = connectors[c].transaction, !late || open.late || start.at.map({ $0 > open.startedAt }) ?? false {
      // The station never said that the one before ended.
      out.append(.transaction(.closed(id: open.id, meterStop: connectors[c].register, at: now.utc, reason: "Superseded")))
      // Perhaps it is the same transaction, told once more: what it was offered counts until it has been seen to be left.
      unended = connectors[c].beliefs
      endSession(c, now)
    }
    lastTransaction += 1
    remember(start, s, lastTransaction, authorisation)
    out.append(.answer(station: s, request, .start(transaction: lastTransaction, authorisation)))
    out.append(
      .transaction(
        .opened(
          id: lastTransaction, station: s, connector: start.connector, idTag: start.idTag, meterStart: start.meterStart,
          at: start.at ?? now.utc, late: late)))
    guard connectors[c].transaction == nil else { return }
    connectors[c].transaction = Transaction(
      id: lastTransaction, idTag: start.idTag, meterStart: start.meterStart, startedAt: start.at ?? now.utc, start: start,
      authorisation: authorisation, late: late, startIsUncertain: late)
    outdatePlan()
    connectors[c].register = start.meterStart
    connectors[c].queuedAt = now.monotonic
    resetOffers(c)
    if !unended.isEmpty {
      connectors[c].beliefs = unended
      distrust(connector: c, now)
    }
    if fallback(c) >= minimum(c) { connectors[c].servedSince = now.monotonic }
    if unended.isEmpty {
      // Its fallback is in force by itself, until something lower is confirmed. An offer that outlives transactions stands beside it: it
      // may have been replaced by the fallback since, when that was installed again.
      connectors[c].beliefs.insert(fallbackBelief(c, now), at: 0)
    }
    if late, stations[s].stage == .controlled { askForStatus(c, &out) }
  }

  /// The fallback, which is in force by itself for as long as nothing else is.
  func fallbackBelief(_ c: Int, _ now: EventStamp) -> Belief {
    Belief(
      command: CommandID(0), current: fallback(c), until: nil, after: fallback(c), progress: .accepted(now.monotonic),
      confirmed: true)
  }

  /// KEBA and others speak of connector 0 when they have only one.
  private func soleConnector(_ s: Int, _ number: Int) -> Int? {
    number == 0 && hub.stations[s].connectors.count == 1 ? hub.stations[s].connectors.lowerBound : nil
  }

  /// Rule 24: the same content while it is open; a 1970 time is no content.
  private func isRepeat(_ new: TransactionStart, of old: TransactionStart) -> Bool {
    new.isSame(as: old) && (new.messageID == old.messageID || new.at != nil && new.at == old.at)
  }

  /// Older than the connection: it was queued while the link was down.
  private func isLate(_ at: Instant?, _ s: Int) -> Bool {
    guard let at, let connected = stations[s].connectedUTC else { return false }
    return at + (stations[s].clockOffset ?? .zero).magnitude + .seconds(30) < connected
  }

  private mutating func remember(_ start: TransactionStart, _ s: Int, _ id: Int, _ authorisation: Authorisation) {
    startedBefore.append(
      AnsweredStart(station: s, messageID: start.messageID, transaction: id, authorisation: authorisation, start: start))
    if startedBefore.count > remembered { startedBefore.removeFirst(remembered / 2) }
  }

  mutating func finish(_ s: Int, _ stop: TransactionStop, _ request: RequestID, _ now: EventStamp, _ out: inout [Effect]) {
    let authorisation = stop.idTag.map { self.authorisation(of: $0) }
    out.append(.answer(station: s, request, .stop(authorisation)))
    let isKnown = ended.contains {
      $0.station == s && $0.messageID == stop.messageID && $0.stop.map { stop.isSame(as: $0) } ?? true
    }
    if isKnown { return }
    guard let c = openConnector(s, stop) else {
      if ended.contains(where: { $0.station == s && $0.id == stop.transaction }) { return }
      out.append(.transaction(.orphanStop(station: s, stop)))
      return
    }
    guard let open = connectors[c].transaction else { return }
    ended.append(
      EndedTransaction(id: open.id, station: s, connector: c, messageID: stop.messageID, authorisation: authorisation, stop: stop))
    if ended.count > remembered { ended.removeFirst(remembered / 2) }
    out.append(.transaction(.closed(id: open.id, meterStop: stop.meterStop, at: stop.at ?? now.utc, reason: stop.reason)))
    endSession(c, now)
  }

  /// The connector whose transaction a stop means: by its id; where it names none (-1 or 0), the only one that is open.
  private func openConnector(_ s: Int, _ stop: TransactionStop) -> Int? {
    let open = hub.stations[s].connectors.filter { connectors[$0].transaction != nil }
    if let c = open.first(where: { connectors[$0].transaction?.id == stop.transaction }) { return c }
    guard stop.transaction <= 0, open.count == 1, let c = open.first, let transaction = connectors[c].transaction else {
      return nil
    }
    // Rule 24: one that was queued since before the transaction began speaks of another.
    if let at = stop.at, at + .seconds(30) < transaction.startedAt { return nil }
    return c
  }

  private mutating func endSession(_ c: Int, _ now: EventStamp) {
    if let transaction = connectors[c].transaction { learnSession(c, transaction, now) }
    outdatePlan()
    (connectors[c].transaction, connectors[c].need) = (nil, nil)
    connectors[c].statusAt = now.monotonic
    (connectors[c].demand, connectors[c].drawsLessSince) = (nil, nil)
    (connectors[c].queuedAt, connectors[c].servedSince, connectors[c].pausedSince) = (nil, nil, nil)
    (connectors[c].pausedIdle, connectors[c].idlePauses, connectors[c].cycles) = (false, 0, 0)
    (connectors[c].hold, connectors[c].briefly) = (nil, nil)
    forgetPhases(c)
    resetOffers(c)
  }

  /// OCPP 1.6 §3.13.2: a TxProfile ends with its transaction. A profile installed by another route stays until it is replaced; if it is
  /// relative, it begins anew with the next transaction.
  private mutating func resetOffers(_ c: Int) {
    connectors[c].beliefs.removeAll { ($0.route ?? .transaction) == .transaction }
    if station(of: c).traits.profileKind == .relative {
      for b in connectors[c].beliefs.indices { connectors[c].beliefs[b].forgetEnd() }
    }
    (connectors[c].attempts, connectors[c].retryAt, connectors[c].resorts) = (0, nil, 0)
    connectors[c].uncontrollable = false
  }

  mutating func changeStatus(_ c: Int, _ status: ConnectorStatus, _ now: EventStamp) {
    if connectors[c].status != status { connectors[c].statusAt = now.monotonic }
    (connectors[c].status, connectors[c].statusIsCurrent) = (status, true)
    if status.showsSession, connectors[c].transaction?.late == true { connectors[c].transaction?.late = false }
    if status == .available || status == .preparing { forgetPhases(c) }
  }

  /// Rule 8: it counts on all wired phases until its vehicle has been seen for two minutes.
  mutating func forgetPhases(_ c: Int) { (connectors[c].usedPhases, connectors[c].subsetSince) = (nil, nil) }

  /// - Returns: whether anything needs to be reconsidered.
  mutating func take(_ sample: ConnectorSample, _ c: Int, _ transaction: Int?, _ now: EventStamp, _ out: inout [Effect]) -> Bool {
    // Replayed and out-of-order samples are for the records, not for control.
    var taken = now.monotonic
    let age = sample.takenAt.map { now.utc - $0 + (state(ofStationOf: c).clockOffset ?? .zero) }
    // A time in the future is none: later ones would seem old beside it.
    if let takenAt = sample.takenAt, let age, age > .seconds(-30) {
      if let newest = connectors[c].newestTakenAt, takenAt < newest { return false }
      taken = now.monotonic - max(.zero, age)
      if age > station(of: c).traits.sampleInterval * 2 + .seconds(30) { return false }
      connectors[c].newestTakenAt = takenAt
    }
    if let register = sample.register { connectors[c].register = register }
    if let charge = sample.stateOfCharge { connectors[c].stateOfCharge = charge }
    if connectors[c].transaction?.late == true { connectors[c].transaction?.late = false }
    guard let current = circuitCurrent(sample, c) else { return sample.register != nil }
    connectors[c].before = connectors[c].newest
    connectors[c].newest = Measured(
      current: current, at: now.monotonic, least: sample.current == nil && hub.connectors[c].phases.count > 1 ? .zero : nil)
    if sample.current != nil { expectStep(c, now.monotonic) }
    follow(c, current, taken: taken, now, &out)
    return true
  }

  /// A sample in circuit order. Unknown wiring puts the largest conductor's current on all three (rule 9).
  private func circuitCurrent(_ sample: ConnectorSample, _ c: Int) -> PerPhase<Current>? {
    guard let own = sample.current ?? sample.power.map({ evenly($0, c) }) else { return nil }
    guard let wiring = hub.connectors[c].wiring else { return PerPhase(all: own.largest) }
    return wiring.rotation.onCircuit(own.restricted(to: wiring.conductors))
  }

  /// Power alone: the worst it can mean, all of it on each wired conductor unless it must be more.
  private func evenly(_ power: Power, _ c: Int) -> PerPhase<Current> {
    let conductors = hub.connectors[c].wiring?.conductors ?? .all
    let one = power.current(at: hub.settings.lowestVoltage, phases: 1)
    return PerPhase(min(one, hardwareMaximum(c)), on: conductors)
  }

  /// What a sample proves about the offers (rule 6), about what the vehicle wants, and about the phases it uses.
  private mutating func follow(_ c: Int, _ current: PerPhase<Current>, taken: Monotonic, _ now: EventStamp, _ out: inout [Effect]) {
    let tolerance = hub.settings.followTolerance
    // Until the pilot signal shows the new offer, a vehicle may still be on its way up to the one before.
    if let last = connectors[c].beliefs.last, case .accepted(let at) = last.progress,
      taken > at + station(of: c).traits.reaction
    {
      if current.largest <= last.current + tolerance {
        // A profile that went by another way is not replaced by this one: it counts until it has ended.
        connectors[c].beliefs = connectors[c].beliefs.dropLast().filter { isBeside($0, last, c, now) } + [last]
        connectors[c].beliefs[connectors[c].beliefs.count - 1].confirmed = true
        // It pauses, and may go on with other phases.
        if last.current < minimum(c) { forgetPhases(c) }
        (connectors[c].attempts, connectors[c].retryAt) = (0, nil)
        set(.notFollowing(connector: c), raised: false, &out)
        if connectors[c].uncontrollable {
          connectors[c].uncontrollable = false
          set(.uncontrollable(connector: c), raised: false, &out)
        }
      } else if connectors[c].retryAt == nil {
        connectors[c].retryAt = at + afterglow(c) + station(of: c).traits.sampleInterval
      }
    }
    noticeDemand(c, current, now)
    noticePhases(c, current, now)
  }

  private func isBeside(_ earlier: Belief, _ last: Belief, _ c: Int, _ now: EventStamp) -> Bool {
    guard let route = earlier.route, route != last.route else { return false }
    // A relative profile begins anew with the next transaction.
    let ends = station(of: c).traits.profileKind == .relative ? nil : earlier.until
    let runs = ends.map { now.monotonic < $0 + afterglow(c) } ?? true
    return (runs ? max(earlier.current, earlier.after) : earlier.after) > last.current
  }

  /// A vehicle that draws less than offered gives the rest back after a while, and gets it again when it takes all it has.
  private mutating func noticeDemand(_ c: Int, _ current: PerPhase<Current>, _ now: EventStamp) {
    guard let offer = offer(c, at: now.monotonic), offer >= minimum(c) else {
      connectors[c].drawsLessSince = nil
      return
    }
    let margin = hub.settings.giveBackMargin
    let drawn = current.largest
    if drawn > .zero { connectors[c].idlePauses = 0 }
    if let demand = connectors[c].demand, drawn + hub.settings.followTolerance >= min(demand, offer), drawn > .zero {
      connectors[c].demand = nil
      connectors[c].drawsLessSince = nil
    }
    if drawn + margin + hub.settings.deadBand < min(offer, connectors[c].demand ?? offer) {
      let since = connectors[c].drawsLessSince ?? now.monotonic
      connectors[c].drawsLessSince = since
      if now.monotonic - since >= hub.settings.giveBackAfter {
        connectors[c].demand = max(minimum(c), drawn + margin)
      }
    } else {
      connectors[c].drawsLessSince = nil
    }
  }

  /// Rule 8: narrowing after two minutes above 5 A on a subset; undone by 1 A on another phase.
  private mutating func noticePhases(_ c: Int, _ current: PerPhase<Current>, _ now: EventStamp) {
    guard hub.settings.narrowsPhases, hub.connectors[c].wiring != nil else { return }
    var above: Phases = []
    var any: Phases = []
    for phase in Phase.allCases {
      if current[phase] > .amperes(5) { above.formUnion(Phases(phase)) }
      if current[phase] >= .amperes(1) { any.formUnion(Phases(phase)) }
    }
    if let used = connectors[c].usedPhases, !any.isSubset(of: used) { connectors[c].usedPhases = nil }
    guard !above.isEmpty, above == any, above != hub.connectors[c].phases else {
      connectors[c].subsetSince = nil
      return
    }
    let since = connectors[c].subsetSince ?? now.monotonic
    connectors[c].subsetSince = since
    if now.monotonic - since >= .minutes(2) { connectors[c].usedPhases = above }
  }
}
