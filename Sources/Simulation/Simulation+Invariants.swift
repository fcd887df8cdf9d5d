import ChargingProfiles
import Control
import Quantities
import Site

extension Simulation {
  func find(_ invariant: Invariant, _ details: String) {
    // One excursion is one finding: the same rule within five minutes is not told again.
    guard found.insert("\(invariant) \(now / 300_000)").inserted else { return }
    let ordered =
      recent.count < options.history
      ? recent : Array(recent[(recentPlace % recent.count)...] + recent[..<(recentPlace % recent.count)])
    report.findings.append(
      Finding(
        invariant: invariant, seed: seed, at: now, step: mind.steps, details: details, history: ordered.map { "\($0.0) \($0.1)" }))
  }

  /// Rule 25.
  func checkQuiet(_ event: Event, _ effects: [Effect]) {
    guard case .reading(let reading) = event else { return }
    let last = lastReading[reading.meter]
    if last.registers == reading.registers {
      let stale = hub.meters[reading.meter].period.raw * hub.settings.stalePeriods
      // What waited for the journal may leave with any event; only new decisions and alarms are the reading's own.
      let own = effects.filter { effect in
        switch effect {
        case .decided, .alarm, .trip: true
        case .command, .answer, .answered, .transaction, .plan: false
        }
      }
      let recovers = effects.contains(.alarm(.storeFailed, raised: false)) || effects.contains(.alarm(.storeFailed, raised: true))
      if !own.isEmpty, !recovers, now - last.at < hub.settings.frozenAfter.raw, now - last.heard < stale { find(.quiet, "\(own)") }
      lastReading[reading.meter].heard = now
    } else {
      lastReading[reading.meter] = (reading.registers, now, now)
    }
  }

  /// Rule 25: deadlines are asked for, not ticked through.
  func checkWakings() {
    if now - wakingsSince > 10_000 { (wakings, wakingsSince) = (0, now) }
    wakings += 1
    if wakings == 4000 { find(.quiet, "4000 wakings within \(now - wakingsSince) ms") }
    if wakings > 8000 { isStuck = true }
  }

  /// Rule 22 and the law of the journal: an increase that a newer decision has overtaken is not sent any more.
  func checkOrder(_ id: CommandID, _ command: StationCommand, _ urgency: Urgency, _ s: Int) {
    guard case .setProfile(let number, let profile) = command, case .transaction = profile.purpose else { return }
    guard let c = hub.stations[s].connectors.first(where: { hub.connectors[$0].number == number }) else { return }
    if let newest = newestCommand[c], id < newest {
      find(.order, "command \(id.value) for connector \(c) left after \(newest.value)")
    }
    newestCommand[c] = id
    if urgency == .increase, mind.storeHasFailed { find(.order, "an increase, command \(id.value), left while the journal fails") }
  }

  /// Rules 14, 17, 20: the form of what is sent.
  func checkForm(_ command: StationCommand, _ s: Int) {
    guard case .setProfile(let number, let profile) = command else { return }
    let traits = hub.stations[s].traits
    let schedule = profile.schedule
    func wrong(_ what: String) { find(.profileForm, "station \(s) connector \(number): \(what): \(profile)") }
    if schedule.periods.count > (traits.maximumPeriods ?? 24) { wrong("too many periods") }
    if let highest = traits.highestStackLevel, profile.stackLevel > highest { wrong("stack level") }
    if schedule.unit != traits.rateUnit { wrong("unit") }
    if case .transaction(nil) = profile.purpose { wrong("a TxProfile without its transaction") }
    if profile.kind == .absolute {
      guard let start = schedule.start else { return wrong("absolute without a start") }
      if start > utc { wrong("starts in the future") }
    }
    if traits.profileKind == .relative, profile.kind != .relative { wrong("not relative") }
    if number == 0, !traits.acceptsConnectorZero, !stations[s].has(.refusesConnectorZero) { wrong("connector 0") }
    let minimum =
      hub.stations[s].connectors.first { hub.connectors[$0].number == number }.map { hub.connectors[$0].minimum } ?? .smallestOffer
    for period in schedule.periods where schedule.unit == .amperes {
      if period.tenths > 0, period.tenths * 100 < minimum.raw { wrong("between 0 A and the minimum") }
      if period.tenths * 100 % traits.step.raw != 0 { wrong("not on the model's steps") }
    }
    if traits.zero == .refused, case .transaction = profile.purpose, schedule.periods.contains(where: { $0.tenths == 0 }) {
      wrong("0 A, which it refuses")
    }
  }

  /// Rule 14, in the station's own store.
  func checkDeadMan(_ s: Int, _ number: Int) {
    checkLaterLimits()
    let station = stations[s]
    guard !station.isDisobedient, abs(station.clockOffset - wallOffset) <= 20_000, number > 0 else { return }
    guard let b = station.bays.firstIndex(where: { $0.number == number }), station.bays[b].transaction != nil else { return }
    // What was written before the clock was set lasts as long as the clock then says: it counts (rule 5) until it is written anew.
    guard station.bays[b].profileAt >= station.clockSetAt else { return }
    // Relative schedules count from a start that the clock has moved away from: nothing that is sent can be relied on.
    guard hub.stations[s].traits.profileKind == .absolute || station.bays[b].beganAt >= station.clockSetAt else { return }
    let fallback = max(
      station.bays[b].connector.fallback, hub.stations[s].traits.deadMan ? .zero : station.bays[b].connector.minimum)
    let latest = now + hub.settings.horizon.raw + hub.settings.largestSkew.raw + 2000
    for (i, step) in station.bays[b].steps.enumerated() where step.limit > fallback.raw + 100 {
      let end = i + 1 < station.bays[b].steps.count ? station.bays[b].steps[i + 1].at : Int.max
      if end > latest, !fitsUnattended(s, number, step.limit, after: latest) {
        find(
          .deadMan,
          "station \(s) connector \(number) holds \(step.limit) mA until \(end == Int.max ? "for ever" : "\((end - now) / 1000) s from now"); quirks \(station.quirks); clock \(station.clockOffset - wallOffset) ms off"
        )
      }
    }
  }

  /// Rules 15 and 20: what was written after a limit became known ends before that begins, if nobody can be spoken to any more: then the
  /// circuit is within it as far as fallbacks let it be.
  private func checkLaterLimits() {
    for known in limitWatches where known.setAt + 60_000 < now && known.limit.from > utc && !known.isOver(at: utc) {
      guard case .current(let amount) = known.limit.amount else { continue }
      let begin = now + (known.limit.from - utc).raw + 5000
      guard begin < now + hub.settings.horizon.raw else { continue }
      var (held, least) = (PerPhase(0, 0, 0), PerPhase(0, 0, 0))
      for c in hub.connectors.indices where ancestors[hub.connectors[c].circuit].contains(known.limit.circuit) {
        let station = stations[hub.connectors[c].station]
        let bay = station.bays[c - hub.stations[hub.connectors[c].station].connectors.lowerBound]
        guard bay.transaction != nil, let vehicle = bay.vehicle else { continue }
        var limit = bay.steps.first?.limit ?? bay.limit
        for step in bay.steps where step.at <= begin { limit = step.limit }
        let lowest = min(limit, bay.connector.fallback.raw)
        let isSpokenFor =
          !station.isDisobedient && abs(station.clockOffset - wallOffset) <= 3000 && bay.profileAt > known.setAt + 60_000
          && bay.profileAt >= station.clockSetAt && hub.stations[hub.connectors[c].station].traits.profileKind == .absolute
        let inUse = wiring[c].rotation.onCircuit(vehicle.conductors)
        for phase in Phase.allCases where inUse.contains(phase) {
          held[phase] += isSpokenFor ? limit : lowest
          least[phase] += lowest
        }
      }
      for phase in Phase.allCases where least[phase] <= amount[phase].raw && held[phase] > amount[phase].raw + 300 {
        find(
          .deadMan,
          "limit \(known.limit.id) of circuit \(known.limit.circuit) begins in \((begin - now) / 1000) s with \(amount[phase]); the stations may draw \(held[phase]) mA then; held: \(heldBelow(known.limit.circuit))"
        )
        return
      }
    }
  }

  /// Rule 16: what a profile allows beyond the horizon has room when all others do what they hold, or their fallback, and the load that
  /// nobody controls is at its worst.
  private func fitsUnattended(_ s: Int, _ number: Int, _ limit: Int, after latest: Int) -> Bool {
    func highest(_ c: Int) -> Int {
      let (t, connector) = (hub.connectors[c].station, hub.connectors[c])
      if t == s, connector.number == number { return limit }
      let station = stations[t]
      let bay = station.bays[c - hub.stations[t].connectors.lowerBound]
      guard bay.transaction != nil, !station.isDisobedient, abs(station.clockOffset - wallOffset) <= 20_000,
        bay.profileAt >= station.clockSetAt, hub.stations[t].traits.profileKind == .absolute
      else { return connector.fallback.raw }
      let later = bay.steps.enumerated().filter { i, _ in i + 1 == bay.steps.count || bay.steps[i + 1].at > latest }
      return later.map { min($0.element.limit, connector.maximum.raw) }.max() ?? connector.fallback.raw
    }
    let own = hub.connectors[hub.stations[s].connectors.lowerBound + number - 1]
    return ancestors[own.circuit].allSatisfy { k in
      let below = hub.connectors.indices.filter { ancestors[hub.connectors[$0].circuit].contains(k) }
      let worst = hub.circuits.indices.reduce(PerPhase<Current>.zero) {
        ancestors[$1].contains(k) ? $0 + hub.circuits[$1].baseWorst : $0
      }
      return Phase.allCases.allSatisfy { phase in
        guard own.phases.contains(phase) else { return true }
        let sum = below.reduce(worst[phase].raw) { $0 + (hub.connectors[$1].phases.contains(phase) ? highest($1) : 0) }
        return sum <= hub.circuits[k].rating[phase].raw + 300
      }
    }
  }

  /// What is looked at from time to time: rules 4, 5, 15 and 23.
  func audit() {
    for i in contracts.indices { watchContract(i) }
    guard isMindUp, !isDead else { return }
    let outdated = mind.outdatedFacts(utc: utc, monotonic: now)
    if !outdated.isEmpty { find(.kept, "connectors \(outdated)") }
    let view = mind.view(utc: utc, monotonic: now)
    guard view.connectors.count == hub.connectors.count else { return }
    if hub.circuits[0].rating.l1.raw > 0 {
      let committed = view.circuits[0].committed.l1.raw
      cautionSum += max(0, committed - (flows[0] - baseFlows[0])) * 1000 / hub.circuits[0].rating.l1.raw
      cautionCount += 1
    }
    traceView(view)
    for c in hub.connectors.indices { auditCommitted(c, view) }
    auditUnheard(view)
    auditStarvation(view)
  }

  private func traceView(_ view: HubView) {
    for (k, circuit) in view.circuits.enumerated() {
      trace {
        "== circuit \(k): limit \(circuit.limit) (\(circuit.limitSource)), measured \(circuit.measured.map { "\($0)" } ?? "-"), "
          + "base \(circuit.base) / \(circuit.baseForCuts), worst \(circuit.worst), committed \(circuit.committed), reserve \(circuit.reserve)"
      }
    }
    for (c, connector) in view.connectors.enumerated() where connector.transaction != nil {
      trace {
        "== connector \(c): offered \(connector.offered.map { "\($0)" } ?? "-"), measured \(connector.measured.map { "\($0)" } ?? "-"), "
          + "committed \(connector.committed), \(connector.reason)"
      }
    }
  }

  private func auditCommitted(_ c: Int, _ view: HubView) {
    let s = hub.connectors[c].station
    let station = stations[s]
    let b = c - hub.stations[s].connectors.lowerBound
    let bay = station.bays[b]
    guard view.stations[s].controlled, view.stations[s].connected, station.isOnline, !station.isDisobedient else { return }
    guard let transaction = bay.transaction, transaction.isKnown, view.connectors[c].transaction == transaction.id else { return }
    guard let vehicle = bay.vehicle, vehicle.overdraw == 0 else { return }
    let held = min(bay.limit, bay.connector.maximum.raw)
    let inUse = wiring[c].rotation.onCircuit(vehicle.conductors)
    for phase in Phase.allCases where inUse.contains(phase) && hub.connectors[c].phases.contains(phase) {
      let committed = view.connectors[c].committed[phase].raw
      if committed + 500 < held {
        find(
          .committed,
          "connector \(c) \(phase.name): committed \(committed) mA, its station's profiles allow \(held) mA; quirks \(station.quirks); held: \(heldBelow(hub.connectors[c].circuit)); newest command \(newestCommand[c]?.value ?? 0)"
        )
        return
      }
      if committed + 1500 < connectorFlows[c][phase].raw {
        find(
          .committed,
          "connector \(c) \(phase.name): committed \(committed) mA, draws \(connectorFlows[c][phase].raw) mA; quirks \(station.quirks)"
        )
        return
      }
    }
  }

  /// Rule 15 is about each rise and refresh: what load comes after it is none of its business.
  func noteBase(_ s: Int) {
    for c in hub.stations[s].connectors {
      for k in ancestors[hub.connectors[c].circuit] { for cell in k * 3..<k * 3 + 3 { baseFlowsWhenSent[cell] = baseFlows[cell] } }
    }
  }

  /// Rule 15: if nobody hears anything more, no later moment is worse than now and above the limit, with the load there was when the last
  /// profile was sent.
  private func auditUnheard(_ view: HubView) {
    // Until it is written anew, and that takes a call, a station that has set its clock holds what was written for the time before.
    let isBetweenTimes = stations.contains { station in
      now - station.clockSetAt < 60_000 && station.bays.contains { $0.transaction != nil && $0.profileAt < station.clockSetAt }
    }
    guard !isBetweenTimes else { return }
    var moments: [Int] = [now]
    for station in stations where !station.isDisobedient {
      for bay in station.bays where bay.transaction != nil { moments += bay.steps.dropFirst().map(\.at) }
    }
    guard moments.count > 1 else { return }
    moments.sort()
    var first: [Int] = []
    for moment in moments {
      var sums = [Int](repeating: 0, count: flows.count)
      for c in hub.connectors.indices {
        let s = hub.connectors[c].station
        let bay = stations[s].bays[c - hub.stations[s].connectors.lowerBound]
        guard bay.transaction != nil, let vehicle = bay.vehicle, !stations[s].isDisobedient else { continue }
        var limit = bay.steps.first?.limit ?? bay.limit
        for step in bay.steps where step.at <= moment { limit = step.limit }
        let inUse = wiring[c].rotation.onCircuit(vehicle.conductors)
        for k in ancestors[hub.connectors[c].circuit] {
          for phase in Phase.allCases where inUse.contains(phase) { sums[k * 3 + phase.rawValue] += limit }
        }
      }
      if first.isEmpty {
        first = sums
        continue
      }
      for cell in sums.indices where sums[cell] > first[cell] {
        let rating = hub.circuits[cell / 3].rating[Phase.allCases[cell % 3]].raw
        if sums[cell] + max(0, min(baseFlows[cell], baseFlowsWhenSent[cell])) > rating + 300 {
          find(
            .unheard,
            "circuit \(cell / 3) \(Phase.allCases[cell % 3].name): in \((moment - now) / 1000) s the stations may draw \(sums[cell]) mA, now \(first[cell]); base \(baseFlows[cell]), rating \(rating); held: \(heldBelow(cell / 3))"
          )
          return
        }
      }
    }
  }

  /// What the stations below a circuit hold: connector, fallback, and the steps from now on.
  private func heldBelow(_ k: Int) -> String {
    let below = hub.connectors.indices.filter { ancestors[hub.connectors[$0].circuit].contains(k) }
    let parts = below.compactMap { c -> String? in
      let s = hub.connectors[c].station
      let bay = stations[s].bays[c - hub.stations[s].connectors.lowerBound]
      guard bay.transaction != nil else { return nil }
      let steps = bay.steps.map { "\($0.limit)@\(($0.at - now) / 1000)s" }.joined(separator: ",")
      return
        "\(c)(fallback \(hub.connectors[c].fallback.raw)\(stations[s].isOnline ? "" : ", offline")\(stations[s].quirks.first.map { ", \($0)" } ?? "")) \(steps)"
    }
    return parts.joined(separator: "; ")
  }

  /// Of the circuit, those that a vehicle draws from: were it paused, these alone would be free for another.
  private func phasesDrawn(_ c: Int, _ bay: Bay) -> Phases {
    guard let wiring = hub.connectors[c].wiring, let vehicle = bay.vehicle else { return hub.connectors[c].phases }
    return wiring.rotation.onCircuit(vehicle.conductors.intersection(wiring.conductors))
  }

  /// Rule 23: a vehicle that waits while another of its leaf and priority has had several turns in a row.
  private func auditStarvation(_ view: HubView) {
    let period = hub.settings.rotationPeriod.raw
    for c in hub.connectors.indices {
      let s = hub.connectors[c].station
      let bay = stations[s].bays[c - hub.stations[s].connectors.lowerBound]
      guard view.stations[s].controlled, bay.transaction?.isKnown == true, hub.stations[s].traits.rotates else { continue }
      // Without a dead-man and with no fallback it may get nothing (rule 17); W that the vehicle's phases share may stay below 6 A (rule 8).
      let traits = hub.stations[s].traits
      guard traits.deadMan || hub.connectors[c].fallback >= hub.connectors[c].minimum else { continue }
      // W that the vehicle's phases share need the room of all of them at once (rule 8).
      guard traits.rateUnit == .amperes || traits.dividesWatts else { continue }
      // Relative schedules count from a start that its clock has moved away from: it gets no more than its fallback (rule 17).
      guard traits.profileKind == .absolute || bay.beganAt >= stations[s].clockSetAt else { continue }
      // It has chosen to wait for as long as the plan has it charge later.
      if case .later = view.connectors[c].reason { waitedByPlanAt[c] = now }
      guard let since = bay.starvingSince.map({ max($0, waitedByPlanAt[c]) }), now - since > 8 * period, let vehicle = bay.vehicle
      else { continue }
      for other in hub.connectors.indices where other != c && hub.connectors[other].circuit == hub.connectors[c].circuit {
        let t = hub.connectors[other].station
        let rival = stations[t].bays[other - hub.stations[t].connectors.lowerBound]
        guard hub.stations[t].traits.rotates, hub.connectors[other].priority >= hub.connectors[c].priority else { continue }
        guard view.stations[t].controlled, !stations[t].isDisobedient, let served = rival.servedSince, now - served > 5 * period
        else { continue }
        guard phasesDrawn(other, rival).isSuperset(of: hub.connectors[c].phases),
          hub.connectors[other].minimum >= hub.connectors[c].minimum
        else { continue }
        find(
          .starvation,
          "connector \(c) (needs \(vehicle.need / 3_600_000) mAh) waits \((now - since) / 1000) s while \(other) is served for \((now - served) / 1000) s; held: \(heldBelow(hub.connectors[c].circuit)); priorities \(hub.connectors[c].priority) and \(hub.connectors[other].priority), minimum \(hub.connectors[c].minimum.raw), \(view.connectors[c].reason), committed \(view.connectors[c].committed.l1.raw), room \(ancestors[hub.connectors[c].circuit].map { k in "\(k): \(view.circuits[k].limit.l1.raw) - \(view.circuits[k].base.l1.raw) - \(view.circuits[k].committed.l1.raw)" })"
        )
        return
      }
    }
  }
}
