import ChargingProfiles
import Control
import Quantities
import Site

extension Simulation {
  func happen(_ item: Item) {
    switch item {
    case .wake(let s, let generation):
      guard wakes[s] == generation else { return }
      stations[s].wake(at: now)
      settle(s)
    case .meter(let m): if isOnWire { ask(m) } else { poll(m) }
    case .words(let m, let words): heard(words, m)
    case .frame(let bytes, let s, let link, let isUp):
      guard links[s] == link else { return }
      hear(bytes, s, isUp: isUp)
    case .told(let event, let s, let start):
      if start == starts { think(.station(s, event)) }
    case .say(let message, let s, let link):
      guard links[s] == link, stations[s].isOnline else { return }
      stations[s].said.append(message)
      settle(s)
    case .wireDeadline(let s): wireDeadline(s)
    case .arrive(let command, let id, let s, let link):
      guard links[s] == link, stations[s].isOnline else { return }
      let outcome = stations[s].receive(command, at: now)
      if case .setProfile(let connector, _) = command { checkDeadMan(s, connector) }
      settle(s)
      guard let outcome, !random.chance(options.faults.lostCommands / 2) else { return }
      let late = stations[s].has(.lateAnswers) ? random.pick(0...20_000) : random.pick(50...1500)
      timeline.add(.outcome(id, outcome, station: s, link: link), at: now + late)
    case .outcome(let id, let outcome, let s, let link):
      guard links[s] == link else { return }
      if outcome != .sent, outcome != .superseded {
        guard queues[s].finish(id) else { return }  // after its time-out an answer is not heard
      }
      think(.station(s, .outcome(id, outcome)))
      pump(s)
    case .timeOut(let id, let s, let link):
      guard links[s] == link, queues[s].finish(id) else { return }
      think(.station(s, .outcome(id, .timedOut)))
      pump(s)
    case .answer(let answer, let ticket, let s, let link):
      guard links[s] == link, stations[s].isOnline else { return }
      pending[s].removeAll { $0.ticket == ticket }
      stations[s].hear(answer, ticket: ticket, at: now)
      if case .boot = answer { stations[s].setClock(offset: wallOffset, at: now) }
      settle(s)
    case .hear(let event, let s, let link):
      guard links[s] == link, isMindUp else { return }
      think(.station(s, event))
    case .setClock(let s, let link):
      guard links[s] == link else { return }
      stations[s].setClock(offset: wallOffset, at: now)
      settle(s)
    case .mindWake:
      if mind.scheduledWake <= now { wakeMind() }
    case .lost(let id, let s): think(.station(s, .outcome(id, .lost)))
    case .tremble:
      let k = random.pick(0...bases.count - 1)
      let before = bases[k].now
      bases[k].tremble(&random)
      applyBase(k, from: before)
      timeline.add(.tremble, at: now + random.pick(2000...40_000) / min(4, bases.count))
    case .jump:
      let k = random.pick(0...bases.count - 1)
      let before = bases[k].now
      bases[k].jump(&random)
      applyBase(k, from: before)
      disturbedAt = now
      timeline.add(.jump, at: now + random.pick(90_000...600_000))
    case .arrival(let c): arrive(c)
    case .connect(let s): connect(s)
    case .audit:
      audit()
      timeline.add(.audit, at: now + random.pick(4000...30_000))
    case .limitBegins: disturbedAt = now
    case .beginWorks: beginWorks()
    case .endWorks(let k): endWorks(k)
    case .readSiteFile: readSiteFile()
    case .senderSpeaks: speakAsSender()
    case .senderBeats(let generation): beatAsSender(generation)
    case .senderIsMissed(let generation): missSender(generation)
    case .planned(let plan): think(.planned(plan))
    case .changeTariff: changeTariff()
    case .withdraw(let id):
      tell(.limitWithdrawn(id: id))
      limitWatches.removeAll { $0.limit.id == id }
    case .loseLink, .rebootSome, .troubleMeter, .stopMind, .startMind, .stepClock, .setLimit, .die, .breakStore, .mendStore:
      goWrong(item)
    }
  }

  private func arrive(_ c: Int) {
    let s = hub.connectors[c].station
    let b = c - hub.stations[s].connectors.lowerBound
    if stations[s].bays[b].vehicle == nil, now >= stations[s].bootedAt {
      let wired = wiring[c].conductors
      let conductors = wired == .all ? random.choose([Phases.all, .all, .l1, [.l1, .l2]]) : wired
      let energy = Energy.wattHours(random.pick(3000...40_000))
      let vehicle = Vehicle(
        conductors: conductors, maximum: .amperes(random.choose([16, 16, 32, 10, 20])),
        minimum: .amperes(random.choose([6, 6, 6, 6, 8])), energy: energy,
        overdrawPermille: random.chance(options.faults.overdrawing) ? random.pick(10...100) : 0)
      lastTag += 1
      report.sessions += 1
      report.asked += energy
      let stay = random.pick(900_000...28_800_000)
      stations[s].plugIn(b, vehicle, idTag: "tag-\(lastTag)", leaving: now + stay, at: now)
      settle(s)
      if hub.planning != nil, random.chance(400) {
        let departure = random.chance(700) ? utc + .milliseconds(stay) : nil
        think(.order(.need(connector: c, SessionNeed(departure: departure, energy: random.chance(700) ? energy : nil))))
      }
      timeline.add(.arrival(connector: c), at: now + stay + random.wait(mean: options.arrivals * 1000))
    } else {
      timeline.add(.arrival(connector: c), at: now + random.wait(mean: options.arrivals * 1000))
    }
  }

  /// A day's prices, hour by hour, known until the next morning.
  private func changeTariff() {
    let start = utc.floored(to: .hours(1))
    let steps = (0..<30).map {
      Tariff.Step(from: start + .hours($0), price: .microEuros(random.pick(-20_000...400_000)), carbon: random.pick(50...600))
    }
    think(.tariff(Tariff(steps: steps, until: start + .hours(30))))
    timeline.add(.changeTariff, at: now + 86_400_000)
  }

  // MARK: Stations

  /// Takes over what a station has done: its currents, what it says, when it wakes.
  func settle(_ s: Int) {
    for b in stations[s].bays.indices {
      let c = hub.stations[s].connectors.lowerBound + b
      let flow = wiring[c].rotation.onCircuit(stations[s].bays[b].flow)
      if flow != connectorFlows[c] { changeFlow(c, to: flow) }
    }
    if isOnWire {
      if stations[s].isOnline, !stations[s].said.isEmpty { speak(s) }
    } else if !stations[s].said.isEmpty {
      let said = stations[s].said
      stations[s].said = []
      for message in said { carry(message, s) }
    }
    rewake(s)
  }

  func rewake(_ s: Int) {
    let next = stations[s].nextWake
    guard next != wakeAt[s] || next <= now else { return }
    wakes[s] += 1
    wakeAt[s] = next
    if next < Int.max { timeline.add(.wake(s, generation: wakes[s]), at: max(next, now)) }
  }

  /// A message travels from the station to the mind.
  private func carry(_ message: EmulatedStation.Said, _ s: Int) {
    guard isMindUp, !isDead, stations[s].isOnline else {
      switch message {
      case .start(_, let ticket), .stop(_, let ticket): pending[s].append((ticket, message))
      default: break
      }
      return
    }
    switch message {
    case .boot(let identity): hear(.booted(identity, request(s, 0)), s)
    case .status(let connector, let status): hear(.status(connector: connector, status, error: nil), s)
    case .authorise(let idTag, let ticket): hear(.authorise(idTag: idTag, request(s, ticket)), s)
    case .start(let start, let ticket):
      pending[s].append((ticket, message))
      hear(.started(start, request(s, ticket)), s)
    case .stop(let stop, let ticket):
      pending[s].append((ticket, message))
      hear(.stopped(stop, request(s, ticket)), s)
    case .sample(let connector, let transaction, let sample, let delay):
      if sample.takenAt != nil, delay == 0 { tellClock(s, always: false) }
      timeline.add(
        .hear(.sampled(connector: connector, transaction: transaction, sample), station: s, link: links[s]), at: up(s, delay: delay)
      )
    case .heartbeat:
      tellClock(s, always: true)
      timeline.add(.setClock(station: s, link: links[s]), at: up(s) + 100)
    }
  }

  private func hear(_ event: StationEvent, _ s: Int) { timeline.add(.hear(event, station: s, link: links[s]), at: up(s)) }

  /// The dialogue estimates the station's clock from a message with a live timestamp.
  private func tellClock(_ s: Int, always: Bool) {
    guard !stations[s].has(.timestamps1970) else { return }
    let offset = stations[s].clockOffset - wallOffset
    if let told = toldOffset[s], abs(told - offset) < 1000, !always { return }
    toldOffset[s] = offset
    hear(.clock(offset: .milliseconds(offset)), s)
  }

  private func request(_ s: Int, _ ticket: Int) -> RequestID {
    lastRequest += 1
    tickets[lastRequest] = (s, ticket)
    return RequestID(lastRequest)
  }

  func connect(_ s: Int) {
    guard isMindUp, !isDead else { return }  // tries again when the mind is back
    guard now >= stations[s].bootedAt else {
      timeline.add(.connect(s), at: stations[s].bootedAt + 1000)
      return
    }
    if stations[s].isOnline {
      guard stations[s].has(.reconnectsTwice) else { return }
      cut(s, told: true)
    }
    links[s] += 1
    let boots = stations[s].bootedAt > now - 10_000 || hub.stations[s].traits.boot == .announces && random.chance(700)
    if isOnWire {
      openCentral(s)
      openVoice(s, boots: boots)
    } else {
      toldOffset[s] = nil
      think(.station(s, .connected))
      let again = pending[s]
      pending[s] = []
      stations[s].connect(at: now, boots: boots)
      for message in again { carry(message.said, s) }
    }
    settle(s)
    if stations[s].has(.reconnectsTwice), random.chance(500) { timeline.add(.connect(s), at: now + random.pick(100...5000)) }
  }

  /// The connection is lost; the mind may learn of it.
  func cut(_ s: Int, told: Bool) {
    links[s] += 1
    if isOnWire { closeVoice(s) } else { stations[s].disconnect(at: now) }
    cuts[s] = (now, flows)
    loseLink(s, told: told)
  }

  /// Its power is off for a while.
  func restart(_ s: Int) {
    let wasOnline = stations[s].isOnline
    stations[s].bootedAt = now + random.pick(15_000...90_000)
    links[s] += 1
    if isOnWire { closeVoice(s) }
    stations[s].reboot(at: now)
    loseLink(s, told: wasOnline)
    timeline.add(.connect(s), at: stations[s].bootedAt + random.pick(0...10_000))
  }

  private func loseLink(_ s: Int, told: Bool) {
    let lost = queues[s].drain()
    settle(s)
    guard told else { return }
    if isOnWire { return closeCentral(s) }
    for id in lost { think(.station(s, .outcome(id, .lost))) }
    think(.station(s, .disconnected))
  }

  // MARK: Meters

  private func poll(_ m: Int) {
    let period = meters[m].period
    timeline.add(.meter(m), at: now + period)
    let k = meters[m].circuit
    let stale = period * hub.settings.stalePeriods
    guard meters[m].isChanged || now - meters[m].lastSampled >= stale - period * 2 || meters[m].trouble != .none else { return }
    let flow = Array(flows[k * 3..<k * 3 + 3])
    if let reading = meters[m].read(flow, at: now, &random) {
      think(.reading(reading))
    } else {
      think(.meterFault(meter: meters[m].measurement.meter, .silent))
    }
  }
}
