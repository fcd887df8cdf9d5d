import Commissioning
import Control
import Quantities
import Site

extension Commissioner {
  private typealias Entry = CommissioningProtocol.StepEntry

  /// Steps a connector up and down, with one load after the other, until its wiring is told or nothing more can be learnt.
  func test(connector c: Int, _ number: Int) throws {
    let site = hub.sight().hub
    let (id, measured) = (site.stations[site.connectors[c].station].id, self.measured(above: c, site))
    var findings = measured.map { _ in [StepFinding]() }
    if measured.isEmpty { note(.noMeter(connector: site.connectors[c].number), number) }
    var load = 0
    var last: Int?
    while true {
      load += 1
      desk.tell(.plugIn(station: id, connector: site.connectors[c].number, load: load))
      guard let transaction = try vehicle(at: c, after: last) else {
        note(.noVehicle(connector: site.connectors[c].number, wish.patience), number)
        return
      }
      last = transaction
      try step(c, number, measured, &findings)
      keep()
      guard isOpen(number), !measured.isEmpty else { return }
      if load >= wish.loads {
        guard desk.ask(.anotherLoad(station: id, connector: site.connectors[c].number)) else { return }
      }
      desk.tell(.unplug(station: id, connector: site.connectors[c].number))
      hub.tell(mind: .order(.station(site.connectors[c].station, .remoteStop(transaction: transaction))))
    }
  }

  /// Another load could still tell something.
  private func isOpen(_ number: Int) -> Bool {
    let connector = record.stations[place].connectors[number]
    guard connector.obedience.outcome != .failed else { return false }
    return connector.circuits.first?.verdict.faults.contains { fault in
      switch fault {
      case .orderOpen, .notLoaded: true
      case .otherRotation(let fitting), .unknownRotation(let fitting): fitting.count > 1
      default: false
      }
    } ?? false
  }

  func note(_ note: TestNote, _ number: Int) {
    record.stations[place].connectors[number].notes.append(note)
    desk.tell(.note(note))
  }

  /// The circuits above a connector that have a meter, the nearest first.
  func measured(above c: Int, _ site: Hub) -> [Int] {
    Self.path(site.connectors[c].circuit, site).filter { site.circuits[$0].measurement != nil }
  }

  /// Waits for a transaction other than `before` whose vehicle draws.
  private func vehicle(at c: Int, after before: Int?) throws -> Int? {
    var found: Int?
    _ = try wait(wish.patience) { [self] in
      let sight = hub.sight()
      found = sight.view.connectors[c].transaction
      guard let found, found != before, let sample = watched.samples[c].last, Self.now - sample.at < .minutes(1) else {
        return false
      }
      return sample.current.largest >= .amperes(3)
    }
    return found == before ? nil : found
  }

  // MARK: Steps

  private func step(_ c: Int, _ number: Int, _ measured: [Int], _ findings: inout [[StepFinding]]) throws {
    let site = hub.sight().hub
    let low = site.connectors[c].minimum
    let most = min(
      site.connectors[c].maximum, site.stations[site.connectors[c].station].traits.staticMaximum ?? site.connectors[c].maximum)
    let high = min(most, low + .amperes(10))
    guard high - low >= StepRecord.smallest, let start = try offer(low, c) else { return note(.noRoom(low), number) }
    var from = start.current
    var settled = try rest(c, at: from, since: start.at)
    try look(c, measured, since: settled)
    var disobeyed = 0
    for n in 0..<8 {
      let wanted = n % 2 == 0 ? high : low
      guard let next = try offer(wanted, c), (next.current - from).magnitude >= StepRecord.smallest else {
        return note(.noRoom(from), number)
      }
      let begin = max(settled, next.at - .seconds(10))
      settled = try rest(c, at: next.current, since: next.at)
      try look(c, measured, since: settled)
      let entry = judge(
        c, measured, &findings,
        StepRecord(
          from: from, to: next.current, begin: begin, sent: next.at, settled: settled, end: Self.now, station: watched.samples[c],
          meter: []))
      record.stations[place].connectors[number].steps.append(entry)
      desk.tell(.step(entry))
      let obeyed = follow(c, number, entry, offered: next.current)
      if !obeyed { disobeyed += 1 }
      conclude(c, number, measured, findings)
      keep()
      if disobeyed >= 2 { return }
      from = next.current
      if isTold(number, entry) { return }
    }
  }

  /// Holds the connector and waits until an offer of it, or as near as the circuits allow, has left.
  /// - Returns: what it is offered now and since when; nil: nothing left.
  func offer(_ current: Current, _ c: Int, ends: TimeSpan? = nil) throws -> (current: Current, at: Monotonic)? {
    let site = hub.sight().hub
    let (asked, present) = (Self.now, hub.sight().view.connectors[c].offered)
    if let ends {
      hub.tell(mind: .order(.holdBriefly(connector: c, current, ends: ends)))
    } else {
      hub.tell(mind: .order(.hold(connector: c, current)))
    }
    let traits = site.stations[site.connectors[c].station].traits
    let patience = max(traits.minimumInterval, site.settings.sharingInterval) + site.settings.guardTime + .seconds(30)
    if ends == nil, present == current { return watched.offers[c].flatMap { $0.current == current ? $0 : nil } ?? (current, asked) }
    _ = try wait(patience) { [self] in watched.offers[c].map { $0.at >= asked && $0.current == current } ?? false }
    guard let offer = watched.offers[c], offer.at >= asked else { return nil }
    return offer
  }

  /// Waits until the station measures what it is offered, twice in a row, or as long as a station and a vehicle may take.
  func rest(_ c: Int, at level: Current, since sent: Monotonic) throws -> Monotonic {
    let site = hub.sight().hub
    let traits = site.stations[site.connectors[c].station].traits
    let longest = traits.reaction + site.settings.vehicleReaction + traits.sampleInterval * 2 + .seconds(3)
    let left = max(.zero, sent + longest - Self.now)
    let isThere = try wait(left) { [self] in
      let new = watched.samples[c].suffix(2)
      desk.tell(
        .charging(
          station: site.stations[site.connectors[c].station].id, connector: site.connectors[c].number,
          offered: watched.offers[c]?.current, measured: watched.samples[c].last?.current))
      return new.count == 2 && new.allSatisfy { $0.at > sent && ($0.current.largest - level).magnitude <= .amperes(1) }
    }
    return isThere ? watched.samples[c].last?.at ?? Self.now : Self.now
  }

  /// Waits for enough readings, and a sample, of the level that has settled.
  private func look(_ c: Int, _ measured: [Int], since settled: Monotonic) throws {
    let site = hub.sight().hub
    let traits = site.stations[site.connectors[c].station].traits
    let period = measured.compactMap { site.circuits[$0].measurement.map { site.meters[$0.meter].period } }.max() ?? .seconds(1)
    _ = try wait(max(period * 8, traits.sampleInterval * 2) + .seconds(3)) { [self] in
      let enough = measured.allSatisfy { k in watched.readings[k].filter { $0.at >= settled }.count >= 5 }
      return enough && watched.samples[c].last.map { $0.at >= settled } ?? false
    }
  }

  /// The step at each meter above.
  private func judge(_ c: Int, _ measured: [Int], _ findings: inout [[StepFinding]], _ step: StepRecord) -> Entry {
    let site = hub.sight().hub
    var entry = Entry(
      at: utc, from: step.from, to: step.to, measured: watched.samples[c].last { $0.at >= step.settled }?.current, results: [])
    for (place, k) in measured.enumerated() {
      var here = step
      here.meter = watched.readings[k]
      var result = CommissioningProtocol.StepResult(circuit: site.circuits[k].id, finding: nil, flaw: nil)
      do throws(StepFlaw) {
        let finding = try here.judge()
        findings[place].append(finding)
        result.finding = finding
      } catch { result.flaw = error }
      entry.results.append(result)
    }
    return entry
  }

  /// Whether the station kept to its offer.
  private func follow(_ c: Int, _ number: Int, _ entry: Entry, offered: Current) -> Bool {
    let site = hub.sight().hub
    let traits = site.stations[site.connectors[c].station].traits
    var obedience = record.stations[place].connectors[number].obedience
    obedience.allowed = traits.reaction + site.settings.vehicleReaction
    defer { record.stations[place].connectors[number].obedience = obedience }
    guard let drawn = entry.measured?.largest else { return true }
    let excess = drawn - offered
    if excess > site.settings.followTolerance {
      obedience.worstExcess = max(obedience.worstExcess, excess)
      obedience.outcome = .failed
      return false
    }
    if let finding = entry.results.first?.finding, let reaction = finding.reaction {
      if finding.up {
        obedience.slowestUp = max(obedience.slowestUp ?? .zero, reaction)
      } else {
        obedience.slowestDown = max(obedience.slowestDown ?? .zero, reaction)
        if reaction > obedience.allowed { obedience.outcome = .failed }
      }
    }
    if obedience.outcome == .open, obedience.slowestUp != nil, obedience.slowestDown != nil { obedience.outcome = .passed }
    return true
  }

  private func conclude(_ c: Int, _ number: Int, _ measured: [Int], _ findings: [[StepFinding]]) {
    let site = hub.sight().hub
    record.stations[place].connectors[number].circuits = measured.enumerated().compactMap { place, k in
      guard let measurement = site.circuits[k].measurement else { return nil }
      let judgement = WiringJudgement(findings[place])
      return CommissioningProtocol.CircuitRecord(
        id: site.circuits[k].id, meter: site.meters[measurement.meter].id, measurement: measurement, judgement: judgement,
        verdict: WiringVerdict(judgement, wiring: site.connectors[c].wiring))
    }
  }

  /// The nearest meter's steps agree on this load.
  private func isTold(_ number: Int, _ entry: Entry) -> Bool {
    let connector = record.stations[place].connectors[number]
    guard let nearest = connector.circuits.first else { return connector.obedience.outcome != .open || connector.steps.count >= 4 }
    guard let load = entry.results.first?.finding?.conductors else { return false }
    return nearest.judgement.evidence.contains { $0.conductors == load } && !nearest.judgement.open.contains(load)
  }
}
