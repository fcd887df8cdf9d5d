import ChargingProfiles
import Quantities
import Site

extension EmulatedStation {
  /// A vehicle is plugged in; it stays until `leaving`.
  /// - Parameter within: how long after it its driver asks to charge, ms.
  public mutating func plugIn(
    _ b: Int, _ vehicle: Vehicle, idTag: String, leaving: Int, within: ClosedRange<Int> = 2000...30_000, at now: Int
  ) {
    guard bays[b].vehicle == nil, bays[b].transaction == nil else { return }
    bays[b].vehicle = vehicle
    bays[b].idTag = idTag
    bays[b].leavesAt = leaving
    bays[b].stepAt = now + random.pick(within)
    setStatus(b, .preparing, at: now)
  }

  /// Its vehicle is taken away with the next `wake`.
  public mutating func unplug(_ b: Int, at now: Int) { if bays[b].vehicle != nil { bays[b].leavesAt = now } }

  mutating func wake(_ b: Int, at now: Int) {
    if bays[b].limitAt <= now { refreshLimit(b, at: now, immediately: false) }
    if let at = bays[b].pilotAt, at <= now {
      bays[b].pilotAt = nil
      setPilot(b, bays[b].nextPilot, at: now)
    }
    if let at = bays[b].spikeUntil, at <= now {
      bays[b].spikeUntil = nil
      follow(b, at: now)
    }
    if let at = bays[b].drawAt, at <= now {
      bays[b].drawAt = nil
      setDraw(b, bays[b].nextDraw, at: now)
    }
    if let at = bays[b].stepAt, at <= now {
      bays[b].stepAt = nil
      step(b, at: now)
    }
    if let at = bays[b].leavesAt, at <= now { leave(b, at: now) }
    if let at = bays[b].sampleAt, at <= now { sample(b, at: now) }
  }

  /// The next step towards charging.
  private mutating func step(_ b: Int, at now: Int) {
    guard bays[b].vehicle != nil, bays[b].transaction == nil else { return }
    guard now >= bootedAt else {
      bays[b].stepAt = bootedAt + 1000
      return
    }
    if isOnline, bays[b].awaitsAuthorisation == nil {
      lastTicket += 1
      bays[b].awaitsAuthorisation = lastTicket
      bays[b].stepAt = now + 60_000  // asks again if no answer comes
      said.append(.authorise(idTag: bays[b].idTag, ticket: lastTicket))
    } else if isOnline {
      bays[b].awaitsAuthorisation = nil
      bays[b].stepAt = now + 1000
    } else {
      begin(b, at: now)  // offline, unknown tags are let in (AllowOfflineTxForUnknownId)
    }
  }

  private mutating func begin(_ b: Int, at now: Int) {
    lastLocal -= 1
    lastTicket += 1
    let start = TransactionStart(
      connector: bays[b].number, idTag: bays[b].idTag, meterStart: bays[b].register, at: stamp(now),
      messageID: "\(station.id)-\(lastTicket)")
    bays[b].beganAt = now
    bays[b].beganClock = clock(now)
    bays[b].transaction = Bay.LocalTransaction(id: lastLocal, isKnown: false, ticket: lastTicket, start: start)
    store.begin(transaction: lastLocal, connector: bays[b].number, at: clock(now))
    tell(.start(start, ticket: lastTicket))
    if has(.repeatsStart) { tell(.start(start, ticket: lastTicket)) }
    if has(.repeatsStartWithNewID) {
      var again = start
      lastTicket += 1
      again.messageID = "\(station.id)-\(lastTicket)"
      tell(.start(again, ticket: bays[b].transaction?.ticket ?? lastTicket))
    }
    bays[b].isOutOfControl = false
    bays[b].sampleAt = now + sampleInterval
    refreshLimit(b, at: now, immediately: true)
    setStatus(b, bays[b].pilot > 0 ? .charging : .suspendedEVSE, at: now)
    follow(b, at: now)
  }

  mutating func stop(_ b: Int, reason: String, at now: Int) {
    guard let transaction = bays[b].transaction else { return }
    settle(b, at: now)
    lastTicket += 1
    let id = transaction.isKnown && !has(.transactionMinusOne) ? transaction.id : -1
    let stop = TransactionStop(
      transaction: id, idTag: nil, meterStop: bays[b].register, at: stamp(now), reason: reason,
      messageID: "\(station.id)-\(lastTicket)")
    store.end(transaction: transaction.id)
    bays[b].transaction = nil
    bays[b].sampleAt = nil
    // The contactor opens: what the vehicle was about to draw it does not.
    (bays[b].drawAt, bays[b].spikeUntil) = (nil, nil)
    (bays[b].starvingSince, bays[b].servedSince) = (nil, nil)
    tell(.stop(stop, ticket: lastTicket))
  }

  private mutating func leave(_ b: Int, at now: Int) {
    bays[b].leavesAt = nil
    bays[b].stepAt = nil
    bays[b].awaitsAuthorisation = nil
    setDraw(b, 0, at: now)
    if bays[b].transaction != nil {
      stop(b, reason: "EVDisconnected", at: now)
      setStatus(b, .finishing, at: now)
    }
    bays[b].vehicle = nil
    (bays[b].drawAt, bays[b].spikeUntil) = (nil, nil)
    setStatus(b, .available, at: now)
    refreshLimit(b, at: now, immediately: true)
  }

  /// The central system has answered.
  public mutating func hear(_ answer: Answer, ticket: Int, at now: Int) {
    switch answer {
    case .boot, .stop: return
    case .authorise(let authorisation):
      guard let b = bays.firstIndex(where: { $0.awaitsAuthorisation == ticket }) else { return }
      bays[b].awaitsAuthorisation = nil
      bays[b].stepAt = nil
      if authorisation == .accepted, bays[b].vehicle != nil, bays[b].transaction == nil { begin(b, at: now) }
    case .start(let id, let authorisation):
      guard let b = bays.firstIndex(where: { $0.transaction?.ticket == ticket }), let local = bays[b].transaction, !local.isKnown
      else {
        return
      }
      store.rename(transaction: local.id, to: id)
      bays[b].transaction?.id = id
      bays[b].transaction?.isKnown = true
      if authorisation != .accepted {
        stop(b, reason: "DeAuthorized", at: now)
        setDraw(b, 0, at: now)
        setStatus(b, .finishing, at: now)
      }
    }
  }

  // MARK: Current

  mutating func setPilot(_ b: Int, _ pilot: Int, at now: Int) {
    guard bays[b].pilot != pilot else { return }
    bays[b].pilot = pilot
    guard bays[b].transaction != nil else { return }
    follow(b, at: now)
    if pilot == 0 {
      setStatus(b, .suspendedEVSE, at: now)
    } else if bays[b].status == .suspendedEVSE {
      setStatus(b, .charging, at: now)
    }
  }

  /// The vehicle sees its pilot signal and will follow; the signal open-circuits the contactor when it means 0 A.
  mutating func follow(_ b: Int, at now: Int) {
    guard let vehicle = bays[b].vehicle, bays[b].transaction != nil else { return }
    let pilot = bays[b].spikeUntil == nil ? bays[b].pilot : bays[b].connector.maximum.raw
    let target = vehicle.target(pilot: pilot, at: now)
    if target == bays[b].draw, bays[b].drawAt == nil { return }
    if bays[b].drawAt != nil, bays[b].nextDraw == target { return }
    bays[b].nextDraw = target
    let due = now + vehicle.reaction(&random)
    // What is under way downwards is not put off by a newer signal.
    if let at = bays[b].drawAt, target < bays[b].draw { bays[b].drawAt = min(at, due) } else { bays[b].drawAt = due }
  }

  mutating func setDraw(_ b: Int, _ draw: Int, at now: Int) {
    guard bays[b].draw != draw else { return }
    settle(b, at: now)
    bays[b].draw = draw
    if bays[b].transaction != nil, bays[b].pilot > 0 { setStatus(b, draw > 0 ? .charging : .suspendedEV, at: now) }
    // Stations sample where the current changes, some of them.
    if bays[b].sampleAt != nil, station.connectors.lowerBound % 2 == 0 {
      bays[b].sampleAt = min(bays[b].sampleAt ?? now, now + 500)
    }
  }

  /// Adds what has flowed.
  mutating func settle(_ b: Int, at now: Int) {
    let span = now - bays[b].chargedAt
    bays[b].chargedAt = now
    guard let conductors = bays[b].vehicle?.conductors.count, bays[b].draw > 0 else { return }
    let part = bays[b].draw * conductors * span
    bays[b].charge += part
    bays[b].vehicle?.need -= part
  }

  private mutating func sample(_ b: Int, at now: Int) {
    guard let transaction = bays[b].transaction else {
      bays[b].sampleAt = nil
      return
    }
    bays[b].sampleAt = now + sampleInterval
    settle(b, at: now)
    follow(b, at: now)
    noteHunger(b, at: now)
    guard isOnline, !has(.noMeterValues) else { return }
    let id: Int? = has(.transactionMinusOne) ? -1 : transaction.isKnown ? transaction.id : nil
    let flow = bays[b].flow
    let power = flow.sum.power(at: .volts(230), phases: 1)
    let sample = ConnectorSample(
      takenAt: stamp(now), current: has(.reportsPowerOnly) ? nil : flow, power: power, register: bays[b].register,
      offered: Current(raw: bays[b].pilot))
    let delay = has(.lateSamples) ? random.pick(0...25_000) : 0
    said.append(.sample(connector: bays[b].number, transaction: id, sample, delay: delay))
  }

  private mutating func noteHunger(_ b: Int, at now: Int) {
    let hungry = bays[b].vehicle.map { $0.target(pilot: $0.maximum, at: now) > 0 } ?? false
    if hungry, bays[b].pilot == 0 {
      if bays[b].starvingSince == nil { bays[b].starvingSince = now }
      bays[b].servedSince = nil
    } else {
      bays[b].starvingSince = nil
      if bays[b].pilot > 0, hungry { bays[b].servedSince = bays[b].servedSince ?? now } else { bays[b].servedSince = nil }
    }
  }
}
