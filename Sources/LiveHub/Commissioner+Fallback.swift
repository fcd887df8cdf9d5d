import ChargingProfiles
import Commissioning
import Control
import Quantities
import Site

extension Commissioner {
  private typealias Test = CommissioningProtocol.FallbackTest

  /// The link-loss test and the power-cycle test of rule 18. The station counts at its worst meanwhile, and neither is begun where that
  /// would not fit.
  func testFallback(_ s: Int, _ c: Int) throws {
    hub.tell(mind: .order(.doubt(station: s, true)))
    if !wish.skipsLinkLoss {
      record.stations[place].linkLoss = try guarded(s) { try self.loseLink(s, c) }
      desk.tell(.test("link loss", record.stations[place].linkLoss))
      keep()
    }
    guard wish.powerCycle != .skipped else { return }
    record.stations[place].powerCycle = try guarded(s) { try self.cyclePower(s, c) }
    desk.tell(.test("power cycle", record.stations[place].powerCycle))
    keep()
  }

  /// Runs a test only if the station's worst fits beside everything else.
  private func guarded(_ s: Int, _ test: () throws -> CommissioningProtocol.FallbackTest) throws
    -> CommissioningProtocol.FallbackTest
  {
    if tooLarge(s) != nil {
      squeezes = true
      _ = try wait(.seconds(90)) { [self] in tooLarge(s) == nil }
    }
    defer { squeezes = false }
    if let short = tooLarge(s) {
      var result = CommissioningProtocol.FallbackTest()
      (result.at, result.notes) = (utc, [short])
      return result
    }
    return try test()
  }

  /// What the hardware of the station's connectors lets through, against what its circuits have left for it.
  private func tooLarge(_ s: Int) -> TestNote? {
    let sight = hub.sight()
    let own = sight.hub.stations[s].connectors
    for k in sight.hub.circuits.indices {
      let below = own.filter { Self.path(sight.hub.connectors[$0].circuit, sight.hub).contains(k) }
      var (worst, counted) = (PerPhase<Current>.zero, PerPhase<Current>.zero)
      for c in below {
        let traits = sight.hub.stations[s].traits
        let most = min(sight.hub.connectors[c].maximum, traits.staticMaximum ?? sight.hub.connectors[c].maximum)
        worst += PerPhase(most, on: sight.hub.connectors[c].phases)
        counted += sight.view.connectors[c].committed
      }
      let circuit = sight.view.circuits[k]
      let free = circuit.limit - circuit.base.maximum(.zero) - (circuit.committed - counted)
      for phase in Phase.allCases where worst[phase] > free[phase] {
        return .noRoomForWorst(circuit: sight.hub.circuits[k].id, phase, needed: worst[phase], free: free[phase])
      }
    }
    return nil
  }

  // MARK: Link loss

  private func loseLink(_ s: Int, _ c: Int) throws -> Test {
    var test = Test()
    (test.at, test.notes) = (utc, [])
    func end(_ note: TestNote, _ outcome: Outcome = .open) -> Test {
      var ended = test
      ended.notes.append(note)
      ended.outcome = outcome
      return ended
    }
    let site = hub.sight().hub
    let (connector, traits) = (site.connectors[c], site.stations[s].traits)
    guard let k = measured(above: c, site).first else { return end(.noMeter(connector: connector.number)) }
    let most = min(connector.maximum, traits.staticMaximum ?? connector.maximum)
    let level = min(most, max(connector.minimum, connector.fallback) + .amperes(10))
    let span = min(site.settings.horizon, max(.seconds(25), traits.minimumInterval * 2 + .seconds(10)))
    // From below, so that an offer leaves that ends soon: one that lasts longer is not sent again.
    _ = try offer(max(connector.minimum, connector.fallback), c)
    guard let offer = try offer(level, c, ends: span) else { return end(.noRoom(level)) }
    let settled = try rest(c, at: offer.current, since: offer.at)
    _ = try wait(.seconds(15)) { [self] in watched.readings[k].filter { $0.at >= settled }.count >= 5 }
    guard let sample = watched.samples[c].last, sample.current.largest - connector.fallback >= StepRecord.smallest else {
      let drawn = watched.samples[c].last?.current.largest ?? .zero
      return end(.tooLittleAboveFallback(measured: drawn, fallback: connector.fallback))
    }
    let moving = Phase.allCases.reduce(into: Phases()) {
      if sample.current[$1] * 2 >= sample.current.largest { $0.formUnion(Phases($1)) }
    }
    let known = record.stations[place].connectors.last?.circuits.first?.judgement.evidence.first { $0.conductors == moving }
    let steady = watched.readings[k].filter { $0.at >= max(settled, Self.now - .seconds(12)) }
    guard let known, var drop = DropWatch(before: steady, fall: sample.current.largest - connector.fallback, evidence: known) else {
      return end(.noEvidence)
    }
    // Its offer must be young enough to end while it is watched, and old enough to have arrived.
    guard let left = try youngOffer(c, span: span) else { return end(.noRoom(level)) }
    let before = hub.sight().view.connectors[c].transaction
    let cut = Self.now
    hub.shutOut(s)
    test.notes.append(.linkCut(offer: watched.offers[c]?.current ?? level, endsIn: left))
    desk.tell(.note(.linkCut(offer: watched.offers[c]?.current ?? level, endsIn: left)))
    let skew = hub.sight().view.stations[s].clockOffset?.magnitude ?? site.settings.largestSkew
    let afterglow = skew + traits.reaction + site.settings.vehicleReaction
    let allowed = left + max(site.settings.guardTime, afterglow)
    let fallen = try watch(&drop, k, from: cut, until: cut + allowed)
    test.outcome = fallen ? .passed : .failed
    if fallen, let since = drop.since {
      test.notes.append(.fell(after: since - cut, allowed: allowed))
    } else if watched.readings[k].last.map({ $0.at > cut + left }) ?? false {
      test.notes.append(.didNotFall(within: allowed, measured: watched.readings[k].last?.current))
    } else {
      (test.outcome, test.notes) = (.open, test.notes + [.meterSilent])
    }
    hub.letIn(s)
    hub.tell(mind: .order(.hold(connector: c, connector.minimum)))
    try comeBack(s, c, transaction: before, since: Self.now, &test)
    return test
  }

  /// Waits for an offer with most of its time before it.
  /// - Returns: how long it lasts yet; nil: none came.
  private func youngOffer(_ c: Int, span: TimeSpan) throws -> TimeSpan? {
    var left: TimeSpan?
    _ = try wait(span * 3) { [self] in
      let sight = hub.sight()
      guard let ends = sight.view.connectors[c].offerEnds, let at = watched.offers[c]?.at, Self.now - at >= .seconds(2) else {
        return false
      }
      left = ends - sight.stamp.monotonic
      return left.map { $0 * 2 >= span } ?? false
    }
    return left.flatMap { $0 * 2 >= span ? $0 : nil }
  }

  private func watch(_ drop: inout DropWatch, _ k: Int, from: Monotonic, until end: Monotonic) throws -> Bool {
    var newest = from
    var seen = drop
    _ = try wait(end + .seconds(3) - Self.now) { [self] in
      for reading in watched.readings[k] where reading.at > newest && reading.at <= end {
        newest = reading.at
        seen.see(reading)
        if seen.hasFallen { break }
      }
      return seen.hasFallen
    }
    drop = seen
    return seen.hasFallen
  }

  /// The station is let in again: it must come, and what it kept is told.
  private func comeBack(_ s: Int, _ c: Int, transaction: Int?, since: Monotonic, _ test: inout Test) throws {
    guard try wait(wish.patience, until: { [self] in hub.sight().view.stations[s].controlled }) else {
      (test.outcome, test.notes) = (max(test.outcome, .open), test.notes + [.didNotReturn(wish.patience)])
      return
    }
    test.notes.append(.returned(after: Self.now - since))
    if let transaction {
      let goesOn = hub.sight().view.connectors[c].transaction == transaction
      test.notes.append(goesOn ? .transactionContinues(transaction) : .transactionEnded(transaction))
    }
    let site = hub.sight().hub
    watched.forgetComposite(of: s)
    hub.tell(
      mind: .order(
        .station(
          s,
          .readComposite(
            connector: site.connectors[c].number, duration: .seconds(60), unit: site.stations[s].traits.rateUnit))))
    guard try wait(.seconds(30), until: { [self] in watched.composites[s] != nil }), let schedule = watched.composites[s]?.schedule
    else {
      test.notes.append(.noComposite)
      return
    }
    let held = Self.current(schedule, site.connectors[c], site)
    test.notes.append(.composite(held, expected: hub.sight().view.connectors[c].offered ?? site.connectors[c].fallback))
  }

  /// What a schedule's first period lets through per conductor.
  private static func current(_ schedule: Schedule, _ connector: Connector, _ site: Hub) -> Current {
    guard let first = schedule.periods.first else { return connector.maximum }
    switch schedule.unit {
    case .amperes: return Current(milliamperes: first.tenths * 100)
    case .watts:
      let phases = first.phases ?? connector.wiring?.conductors.count ?? 3
      return Power(milliwatts: first.tenths * 100).current(at: site.nominalVoltage, phases: max(1, min(3, phases)))
    }
  }

  // MARK: Power cycle

  private func cyclePower(_ s: Int, _ c: Int) throws -> Test {
    var test = Test()
    (test.at, test.notes) = (utc, [])
    let site = hub.sight().hub
    let connector = site.connectors[c]
    let device = hub.sight().view.stations[s].identity
    watched.forgetComposite(of: s)
    hub.ask(
      onBoot: .readComposite(connector: connector.number, duration: .seconds(60), unit: site.stations[s].traits.rateUnit), of: s)
    defer { hub.ask(onBoot: nil, of: s) }
    let asked = Self.now
    if wish.powerCycle == .reset {
      hub.tell(mind: .order(.station(s, .reset(hard: true))))
      test.notes.append(.resetHard)
    } else {
      guard desk.ask(.powerCycle(station: record.stations[place].id)) else {
        test.notes.append(.notAsked)
        return test
      }
      test.notes.append(.switchedOff)
    }
    let booted = try wait(wish.patience) { [self] in watched.boots[s].map { $0.at > asked } ?? false }
    guard booted, let boot = watched.boots[s] else {
      test.notes.append(.didNotReturn(wish.patience))
      return test
    }
    test.notes.append(.booted(after: boot.at - asked))
    if let device, device != boot.identity {
      test.notes.append(.otherDevice(boot.identity))
      return test
    }
    guard try wait(.minutes(2), until: { [self] in watched.composites[s] != nil }), let schedule = watched.composites[s]?.schedule
    else {
      test.notes.append(.noComposite)
      return test
    }
    guard !watched.wasToldFirst[s] else {
      test.notes.append(.compositeTooLate)
      return test
    }
    let held = Self.current(schedule, connector, site)
    test.notes.append(.composite(held, expected: connector.fallback))
    test.outcome = held <= connector.fallback + .milliamperes(100) ? .passed : .failed
    guard try wait(.minutes(5), until: { [self] in hub.sight().view.stations[s].controlled }) else {
      (test.outcome, test.notes) = (max(test.outcome, .open), test.notes + [.didNotReturn(.minutes(5))])
      return test
    }
    if let risen = rise(c, since: asked, site) {
      test.notes.append(.rose(risen))
      test.outcome = .failed
    }
    return test
  }

  /// What the nearest meter showed, three readings in a row, above what it showed before: until the station was controlled again its
  /// connector should have drawn no more than before.
  private func rise(_ c: Int, since asked: Monotonic, _ site: Hub) -> PerPhase<Current>? {
    guard let k = measured(above: c, site).first, let known = record.stations[place].connectors.last?.circuits.first?.judgement
    else {
      return nil
    }
    let before = watched.readings[k].filter { $0.at <= asked && $0.at >= asked - .seconds(12) }.map(\.current)
    guard !before.isEmpty else { return nil }
    for phase in Phase.allCases {
      guard let transformer = known.transformers[phase] else { continue }
      let sign = transformer.isTurned ? -1 : 1
      let level = before.map { $0[phase] * sign }.max() ?? .zero
      var row = 0
      for reading in watched.readings[k] where reading.at > asked {
        row = reading.current[phase] * sign > level + .amperes(3) ? row + 1 : 0
        if row >= DropWatch.needed { return reading.current }
      }
    }
    return nil
  }
}
