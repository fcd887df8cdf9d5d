import ChargingProfiles
import Quantities
import Site

extension EmulatedStation {
  /// A command reaches the station.
  /// - Returns: what it answers; nil: nothing, ever.
  public mutating func receive(_ command: StationCommand, at now: Int) -> CommandOutcome? {
    guard now >= bootedAt else { return nil }
    if has(.losesAnswers), random.chance(100) {
      _ = obey(command, at: now)
      return nil
    }
    return obey(command, at: now)
  }

  private mutating func obey(_ command: StationCommand, at now: Int) -> CommandOutcome {
    switch command {
    case .learn(let interval):
      sampleInterval = max(1000, interval.raw)
      return .learned(capabilities(interval))
    case .setProfile(let connector, let profile): return install(profile, connector, at: now)
    case .clearProfiles(let filter):
      let cleared = store.clear(filter)
      for b in bays.indices { refreshLimit(b, at: now, immediately: false) }
      return cleared ? .accepted : .refused("Unknown")
    case .readComposite(let connector, let duration, let unit):
      return .composite(
        store.composite(
          CompositeQuery(connector: connector, from: clock(now), duration: duration, unit: unit, nominalVoltage: .volts(230))))
    case .trigger(let trigger):
      pull(trigger, at: now)
      return .accepted
    case .remoteStop(let transaction):
      guard let b = bays.firstIndex(where: { $0.transaction?.id == transaction }) else { return .refused("Rejected") }
      stop(b, reason: "Remote", at: now)
      setDraw(b, 0, at: now)
      setStatus(b, .finishing, at: now)
      return .accepted
    case .reset:
      return .accepted
    case .changeAvailability, .unlock, .clearCache: return .accepted
    case .changeConfiguration(let key, let value): return change(key, to: value)
    case .remoteStart: return .refused("Rejected")
    case .getConfiguration(let keys): return configuration(keys)
    case .getDiagnostics: return .refused("NotSupported")
    }
  }

  private func capabilities(_ interval: TimeSpan) -> StationCapabilities {
    StationCapabilities(
      acceptsAmperes: store.capacity.units.contains(.amperes), acceptsWatts: store.capacity.units.contains(.watts),
      highestStackLevel: store.capacity.highestStackLevel, maximumPeriods: store.capacity.maximumPeriods,
      maximumProfiles: store.capacity.maximumProfiles, connectors: bays.count, sampleInterval: interval.raw / 1000,
      samplesCurrent: !has(.noMeterValues) && !has(.reportsPowerOnly))
  }

  private mutating func pull(_ trigger: StationCommand.Trigger, at now: Int) {
    switch trigger {
    case .boot: said.append(.boot(identity))
    case .heartbeat: said.append(.heartbeat)
    case .status(let connector):
      if let bay = bays.first(where: { $0.number == connector }) { said.append(.status(connector: connector, bay.status)) }
    case .meterValues(let connector):
      if let b = bays.firstIndex(where: { $0.number == connector && $0.transaction != nil }) { bays[b].sampleAt = now }
    }
  }

  private mutating func install(_ profile: ChargingProfile, _ connector: Int, at now: Int) -> CommandOutcome {
    if has(.refusesProfiles) { return .refused("NotSupported") }
    if has(.refusesConnectorZero), connector == 0 { return .refused("Rejected") }
    if has(.relativeOnly), profile.kind != .relative { return .refused("Rejected") }
    if has(.refusesZero), profile.schedule.periods.contains(where: { $0.tenths == 0 }) { return .refused("Rejected") }
    let lies = has(.liesInAnswers) && random.chance(100)
    if lies, random.chance(500) { return .accepted }
    let b = bays.firstIndex { $0.number == connector }
    do { try store.install(reduced(profile), connector: connector, at: clock(now)) } catch {
      return .refused(error.errorCode ?? "Rejected")
    }
    if let b {
      if case .transaction = profile.purpose { bays[b].profileAt = now }
      spoil(b, profile, at: now)
    }
    for b in bays.indices where connector == 0 || bays[b].number == connector { refreshLimit(b, at: now, immediately: false) }
    return lies ? .refused("Rejected") : .accepted
  }

  private func reduced(_ profile: ChargingProfile) -> ChargingProfile {
    guard has(.firstPeriodOnly), profile.schedule.periods.count > 1 else { return profile }
    var reduced = profile
    do {
      reduced.schedule = try Schedule(
        unit: profile.schedule.unit, duration: profile.schedule.duration, start: profile.schedule.start,
        periods: [profile.schedule.periods[0]])
    } catch { preconditionFailure("a part of a schedule is one: \(error)") }
    return reduced
  }

  /// What a profile, and above all one of 0 A, does that it should not.
  private mutating func spoil(_ b: Int, _ profile: ChargingProfile, at now: Int) {
    guard bays[b].transaction != nil else { return }
    if has(.spikes) {
      bays[b].spikeUntil = now + 3000
      setDraw(b, bays[b].vehicle?.target(pilot: bays[b].connector.maximum.raw, at: now) ?? 0, at: now)
    }
    let isZero = profile.schedule.periods[0].tenths == 0
    if isZero, has(.zeroEndsTransaction) {
      stop(b, reason: "Other", at: now)
      setDraw(b, 0, at: now)
      setStatus(b, .finishing, at: now)
    } else if has(.losesControlAfterPause), !isZero, bays[b].pilot == 0 {
      bays[b].isOutOfControl = true
    }
  }
}
