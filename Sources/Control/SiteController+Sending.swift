import ChargingProfiles
import Quantities
import Site

extension SiteController {
  /// Offers a current: the profile goes out, and is believed to be followed from now on (rule 5).
  mutating func send(
    _ offer: Current, _ c: Int, _ urgency: Urgency, _ weighing: Weighing, _ reason: Reason, _ now: EventStamp, _ out: inout [Effect]
  ) {
    let command = newCommand()
    let fallback = hub.connectors[c].fallback
    let until = end(of: offer, c, urgency, weighing, now)
    let course = course(c, after: offer, until: until, urgency, now)
    let grant = grant(offer, c, until: until, course.steps, now)
    noteService(c, offer, now)
    var belief = Belief(command: command, current: offer, until: until, after: course.highest)
    if offer <= fallback, until == nil { belief.after = offer }
    belief.route = route(c)
    connectors[c].beliefs.append(belief)
    trim(c)
    facts.settle(c, at: settled(c), hub)
    connectors[c].lastSent = now.monotonic
    connectors[c].mustRefresh = false
    out.append(
      .command(command, station: hub.connectors[c].station, .setProfile(connector: profileConnector(c), grant.profile), urgency))
    decide(c, offer, command, reason, &out)
  }

  /// The profile that offers a current until it ends in the fallback.
  private func grant(_ offer: Current, _ c: Int, until: Monotonic?, _ course: [CurrentSteps.Step], _ now: EventStamp) -> Grant {
    ChargingProfile.grant(
      id: 200 + hub.connectors[c].number, transaction: connectors[c].transaction?.id, route: route(c), offer: offer,
      until: until.map { now.utc + ($0 - now.monotonic) }, course: course, fallback: hub.connectors[c].fallback, now: now.utc,
      transactionStart: connectors[c].transaction?.startedAt, traits: traits(c), supply: hub.connectors[c].supply,
      phases: hub.connectors[c].wiring.map { $0.conductors.count } ?? 3, voltage: hub.settings.lowestVoltage,
      stackLevel: stackLevel(c), most: hardwareMaximum(c))
  }

  /// Keeps the beliefs few: what two that end allow at any time, one that is as large and ends as late allows as well.
  private mutating func trim(_ c: Int) {
    guard connectors[c].beliefs.count > 8 else { return }
    let ending = connectors[c].beliefs.indices.filter { connectors[c].beliefs[$0].until != nil }
    guard ending.count >= 3, let a = connectors[c].beliefs[ending[0]].until, let b = connectors[c].beliefs[ending[1]].until else {
      return
    }
    let first = connectors[c].beliefs[ending[0]]
    let next = connectors[c].beliefs[ending[1]]
    // What rises when it ends may have risen already while the other still runs.
    let rising = [first, next].filter { $0.after > $0.current }.map { $0.after }.max() ?? .zero
    connectors[c].beliefs[ending[1]] = Belief(
      command: next.command, current: max(first.current, next.current, rising), until: max(a, b),
      after: max(first.after, next.after),
      progress: next.progress, route: first.outlivesTransaction ? first.route : next.route, confirmed: false)
    connectors[c].beliefs.remove(at: ending[0])
  }

  /// Rules 14 and 15: an offer above the fallback ends within the horizon and before a lower limit begins; one below it lasts so much
  /// longer that it outlives every offer above. A decrease leaves before it is durable, so at no moment may it allow more than what
  /// it replaces: it ends no later.
  private func end(of offer: Current, _ c: Int, _ urgency: Urgency, _ weighing: Weighing, _ now: EventStamp) -> Monotonic? {
    let horizon = hub.settings.horizon
    if !obeysEnds(c) { return nil }
    if offer == hub.connectors[c].fallback { return nil }
    if offer < hub.connectors[c].fallback { return mustStayLow(c, weighing) ? nil : now.monotonic + horizon * 3 }
    var end = now.monotonic + lasting(c)
    if let change = nextChange(c, weighing) { end = min(end, now.monotonic + (change - now.utc - anticipation)) }
    if urgency == .decrease, let replaced = connectors[c].beliefs.last?.until { end = min(end, replaced) }
    return max(end, now.monotonic + .seconds(5))
  }

  /// What goes on below a circuit above it once every offer has ended leaves its fallback no room: a low offer must not end (rule 15).
  private func mustStayLow(_ c: Int, _ weighing: Weighing) -> Bool {
    hub.path(from: hub.connectors[c].circuit).contains { k in
      Phase.allCases.contains { phase in
        phases(c).contains(phase)
          && facts.settledBelow[k][phase] + counted(weighing.bases[k].cuts[phase], k, phase) > hub.circuits[k].rating[phase]
      }
    }
  }

  /// How long its offers above the fallback last.
  private func lasting(_ c: Int) -> TimeSpan { min(connectors[c].briefly ?? hub.settings.horizon, hub.settings.horizon) }

  /// Whether the later periods of its profiles happen by themselves (rule 17).
  func obeysEnds(_ c: Int) -> Bool {
    let traits = station(of: c).traits
    if isAdrift(c) { return false }
    return traits.deadMan && (traits.maximumPeriods ?? state(ofStationOf: c).capabilities?.maximumPeriods ?? 2) >= 2
  }

  /// "Identical, do not send again" means the same current with more than half of its time left.
  func needsRefresh(_ c: Int, _ weighing: Weighing, _ now: EventStamp) -> Bool {
    guard let last = connectors[c].beliefs.last else { return true }  // its first offer, if only of the fallback
    if connectors[c].mustRefresh || mustShorten(c, weighing, now) { return true }
    guard let until = last.until else { return false }
    if now.monotonic >= until { return true }
    let half = last.current < hub.connectors[c].fallback ? hub.settings.horizon * 2 : lasting(c) / 2
    guard until - now.monotonic <= half else { return false }
    guard let next = end(of: last.current, c, .increase, weighing, now) else { return true }
    return next - until >= lasting(c) / 10
  }

  /// A lower limit begins before its offer ends, which nobody knew when it was sent (rule 14).
  func mustShorten(_ c: Int, _ weighing: Weighing, _ now: EventStamp) -> Bool {
    guard let last = connectors[c].beliefs.last, let until = last.until, last.current > fallback(c), obeysEnds(c),
      let change = nextChange(c, weighing)
    else { return false }
    return now.monotonic + max(.seconds(5), change - now.utc - anticipation) + .seconds(1) < until
  }

  /// When a lower limit begins above a connector; nil: none is known.
  private func nextChange(_ c: Int, _ weighing: Weighing) -> Instant? {
    var found: Instant?
    var place: Int? = hub.connectors[c].circuit
    while let k = place {
      if let change = weighing.bounds[k].nextChange { found = min(found ?? change, change) }
      place = hub.circuits[k].parent
    }
    return found
  }

  /// Sends the same current anew. Above the fallback that is an increase: it lasts longer than what was granted before, unless it has to
  /// be shortened.
  mutating func refresh(
    _ c: Int, _ present: Current, _ weighing: Weighing, _ reason: Reason, _ now: EventStamp, _ out: inout [Effect]
  ) {
    send(present, c, present > fallback(c) && !mustShorten(c, weighing, now) ? .increase : .decrease, weighing, reason, now, &out)
  }

  func route(_ c: Int) -> StationTraits.Route {
    let routes = station(of: c).traits.routes
    return routes.isEmpty ? .transaction : routes[min(connectors[c].route, routes.count - 1)]
  }

  private func profileConnector(_ c: Int) -> Int { route(c) == .stationMaximum ? 0 : hub.connectors[c].number }

  /// The highest usable level, so that nothing left behind by others prevails.
  private func stackLevel(_ c: Int) -> Int {
    station(of: c).traits.highestStackLevel ?? state(ofStationOf: c).capabilities?.highestStackLevel ?? 0
  }

  /// The profile that a connector falls back to when nobody speaks to it.
  func fallbackProfile(_ c: Int, number: Int? = nil) -> ChargingProfile {
    ChargingProfile.fallback(
      id: 100 + (number ?? hub.connectors[c].number), current: hub.connectors[c].fallback, now: ChargingProfile.longAgo,
      traits: traits(c), supply: hub.connectors[c].supply,
      phases: hub.connectors[c].wiring.map { $0.conductors.count } ?? 3, voltage: hub.settings.lowestVoltage,
      stackLevel: stackLevel(c)
    ).profile
  }

  /// Keeps the times of pause and service, for the rotation.
  private mutating func noteService(_ c: Int, _ offer: Current, _ now: EventStamp) {
    let minimum = self.minimum(c)
    if offer >= minimum {
      if connectors[c].servedSince == nil { connectors[c].servedSince = now.monotonic }
      (connectors[c].pausedSince, connectors[c].pausedIdle) = (nil, false)
    } else if connectors[c].pausedSince == nil {
      let isIdle = drawsNothing(c)
      // Who draws nothing has its contactor open.
      if connectors[c].servedSince != nil, !isIdle { connectors[c].cycles += 1 }
      if isIdle { connectors[c].idlePauses += 1 }
      (connectors[c].pausedSince, connectors[c].servedSince, connectors[c].pausedIdle) = (now.monotonic, nil, isIdle)
      (connectors[c].demand, connectors[c].drawsLessSince) = (isIdle ? minimum : nil, nil)
    }
  }

  mutating func markSent(_ command: CommandID, _ s: Int, _ now: EventStamp) {
    for c in hub.stations[s].connectors {
      guard let b = connectors[c].beliefs.lastIndex(where: { $0.command == command }) else { continue }
      if connectors[c].beliefs[b].progress == .issued { connectors[c].beliefs[b].progress = .sent(now.monotonic) }
    }
  }

  /// What became of an offer (rules 6, 21, 22).
  mutating func hear(_ outcome: CommandOutcome, ofOffer command: CommandID, from s: Int, _ now: EventStamp, _ out: inout [Effect]) {
    for c in hub.stations[s].connectors {
      guard let b = connectors[c].beliefs.lastIndex(where: { $0.command == command }) else { continue }
      let isNewest = b == connectors[c].beliefs.count - 1
      switch outcome {
      case .accepted:
        connectors[c].beliefs[b].progress = .accepted(now.monotonic)
        // What is larger needs no confirmation: the offers before it are contained in it.
        if isNewest {
          absorb(c)
          recover(c, &out)
        }
      case .superseded: connectors[c].beliefs.remove(at: b)
      case .refused:
        connectors[c].beliefs.remove(at: b)
        if isNewest { fail(c, after: .seconds(5), now, &out) }
      case .timedOut, .lost:
        connectors[c].beliefs[b].progress = .unanswered
        if isNewest { fail(c, after: .seconds(2), now, &out) }
      case .sent, .learned, .composite, .configuration: break
      }
    }
  }

  /// Drops the earlier offers that the newest, accepted one contains at every moment.
  private mutating func absorb(_ c: Int) {
    guard let last = connectors[c].beliefs.last else { return }
    let count = connectors[c].beliefs.count
    let kept = connectors[c].beliefs.enumerated().filter { place, belief in
      place == count - 1 || belief.current > last.current || belief.after > last.after || outlasts(belief, last)
        || belief.outlivesTransaction && max(belief.current, belief.after) > fallback(c)
    }
    connectors[c].beliefs = kept.map { $0.element }
    connectors[c].retryAt = nil
  }

  /// What says nothing of its current was given up for want of answers: it answers again.
  private mutating func recover(_ c: Int, _ out: inout [Effect]) {
    guard connectors[c].uncontrollable, !station(of: c).traits.reportsCurrent else { return }
    connectors[c].uncontrollable = false
    connectors[c].attempts = 0
    set(.uncontrollable(connector: c), raised: false, &out)
  }

  private func outlasts(_ a: Belief, _ b: Belief) -> Bool {
    guard let until = b.until else { return false }
    guard let end = a.until else { return true }
    return end > until && a.current > b.after
  }

  private mutating func fail(_ c: Int, after patience: TimeSpan, _ now: EventStamp, _ out: inout [Effect]) {
    connectors[c].attempts += 1
    // A try that is due already is not put off by the next failure: a station that refuses faster than that would never be tried
    // by its other route.
    let due = now.monotonic + patience * connectors[c].attempts
    connectors[c].retryAt = connectors[c].retryAt.map { $0 > now.monotonic ? min($0, due) : due } ?? due
  }

  /// The ladder of rule 21: resend, another route, uncontrollable.
  mutating func retry(_ weighing: Weighing, _ now: EventStamp, _ out: inout [Effect]) {
    guard facts.retrying > 0 else { return }
    for c in connectors.indices {
      guard let at = connectors[c].retryAt, now.monotonic >= at else { continue }
      guard isClaimant(c) || connectors[c].uncontrollable, let last = connectors[c].beliefs.last else {
        connectors[c].retryAt = nil
        continue
      }
      if case .accepted = last.progress {
        connectors[c].attempts += 1
        set(.notFollowing(connector: c), raised: true, &out)
      }
      if connectors[c].attempts >= 3 {
        connectors[c].attempts = 1
        if connectors[c].route + 1 < station(of: c).traits.routes.count {
          connectors[c].route += 1
        } else {
          connectors[c].route = 0
          connectors[c].uncontrollable = true
          set(.uncontrollable(connector: c), raised: true, &out)
        }
      }
      connectors[c].retryAt = now.monotonic + .minutes(1)
      resend(c, last, now, &out)
      if connectors[c].uncontrollable, isOver(c, weighing) { resort(c, &out) }
    }
  }

  /// The last steps of the ladder, where the site file has them.
  private mutating func resort(_ c: Int, _ out: inout [Effect]) {
    guard connectors[c].resorts < hub.settings.lastResorts.count, let transaction = connectors[c].transaction else { return }
    let command: StationCommand
    switch hub.settings.lastResorts[connectors[c].resorts] {
    case .changeAvailability: command = .changeAvailability(connector: hub.connectors[c].number, operative: false)
    case .remoteStop: command = .remoteStop(transaction: transaction.id)
    }
    connectors[c].resorts += 1
    out.append(.command(newCommand(), station: hub.connectors[c].station, command, .decrease))
  }

  /// The newest offer again, never more than it, by the route that is now the connector's.
  private mutating func resend(_ c: Int, _ last: Belief, _ now: EventStamp, _ out: inout [Effect]) {
    var again = last
    // What has no end may not be written again above the fallback (rule 17).
    if !obeysEnds(c), again.current > fallback(c) { again.current = fallback(c) }
    let command = newCommand()
    again.command = command
    again.progress = .issued
    again.route = route(c)
    again.confirmed = false
    let ends = last.until.map { max($0, now.monotonic + .seconds(5)) }
    again.until = ends
    let grant = grant(again.current, c, until: ends, [], now)
    connectors[c].beliefs.append(again)
    trim(c)
    connectors[c].lastSent = now.monotonic
    out.append(
      .command(
        command, station: hub.connectors[c].station, .setProfile(connector: profileConnector(c), grant.profile), .decrease))
    decide(c, again.current, command, connectors[c].reason, &out)
  }
}
