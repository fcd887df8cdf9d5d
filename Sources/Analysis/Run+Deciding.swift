import Control
import Quantities
import Scenarios
import Site

extension Run {
  /// What each vehicle draws under what it is offered by now.
  func followOffers(_ now: Instant) {
    for c in occupied {
      if let desk { occupants[c]?.offer = desk.allowed(c, at: now) }
      refollow(c)
    }
  }

  /// - Returns: whether connector `c` draws something else.
  private func refollow(_ c: Int) {
    guard var occupant = occupants[c] else { return }
    if occupant.follow() { isBusy = true }
    occupants[c] = occupant
  }

  /// What flows, from what every vehicle draws.
  private func gatherFlows() {
    flows = base
    for c in occupied {
      guard let occupant = occupants[c], occupant.draw > 0 else { continue }
      for k in ancestors[hub.connectors[c].circuit] {
        for phase in Phase.allCases where occupant.phases.contains(phase) { flows[k * 3 + phase.rawValue] += occupant.draw }
      }
    }
  }

  func decide(_ events: [Event], _ now: Instant) {
    guard isBusy || !events.isEmpty else { return }
    if let policy { return decide(policy) }
    guard let desk else { return }
    gatherFlows()
    // Who draws nothing, and has said so, has nothing new to say.
    let speaking = occupied.filter { occupants[$0]?.draw != 0 || lastSaid[$0] != 0 }
    let news = desk.settle(events + samples(speaking, now) + readings(now), at: now) { changed, moment in
      self.measure(changed, moment, desk)
    }
    for decision in news.decisions { note(now, decision) }
    for (alarm, raised) in news.alarms { note(now, alarm, raised: raised) }
    for c in occupied {
      occupants[c]?.offer = desk.allowed(c, at: now)
      _ = occupants[c]?.follow()
    }
  }

  private func decide(_ policy: PolicyDesk) {
    let present = occupied.compactMap { occupants[$0] }
    let shares = policy.shares(present, story.visits, limits.rooms(base: base), step: step, span: span)
    for (c, share) in zip(occupied, shares) {
      occupants[c]?.offer = share
      _ = occupants[c]?.follow()
    }
  }

  /// The controller's house asks while the controller talks: what do samples and meters say now that these have another offer?
  private func measure(_ changed: [Int], _ moment: Instant, _ desk: ControllerDesk) -> [Event] {
    var touched: [Int] = []
    for c in changed where occupants[c] != nil {
      occupants[c]?.offer = desk.allowed(c, at: moment)
      _ = occupants[c]?.follow()
      if !touched.contains(c) { touched.append(c) }
    }
    gatherFlows()
    return samples(touched, moment) + readings(moment)
  }

  /// What stations measure at `places`; a station that is lost says nothing.
  private func samples(_ places: [Int], _ now: Instant) -> [Event] {
    guard let desk else { return [] }
    return places.compactMap { c in
      guard let occupant = occupants[c], !lostStations.contains(hub.connectors[c].station) else { return nil }
      lastSaid[c] = occupant.draw
      let own = PerPhase(Current(raw: occupant.draw), on: story.visits[occupant.visit].conductors)
      return desk.sample(c, own, register: occupant.energy, at: now)
    }
  }

  /// What the meters read.
  private func readings(_ now: Instant) -> [Event] {
    var events: [Event] = []
    for k in hub.circuits.indices {
      guard let measurement = hub.circuits[k].measurement, !silentMeters.contains(measurement.meter) else { continue }
      var values = PerPhase(Current(raw: flows[k * 3]), Current(raw: flows[k * 3 + 1]), Current(raw: flows[k * 3 + 2]))
      if measurement.inverted { values = values.map { -$0 } }
      let own = measurement.rotation.onDevice(values)
      var registers: UInt64 = 0x9E37_79B9_7F4A_7C15
      for phase in Phase.allCases { registers = (registers ^ UInt64(bitPattern: Int64(own[phase].raw))) &* 0xD134_2543_DE82_EF95 }
      let total = own.map { $0.power(at: hub.nominalVoltage, phases: 1) }.sum
      events.append(.reading(MeterReading(meter: measurement.meter, current: own, totalPower: total, registers: registers)))
    }
    return events
  }
}
