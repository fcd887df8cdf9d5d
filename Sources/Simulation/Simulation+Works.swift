import Control
import Quantities
import Site

/// What people do to a hub by hand, and by its site file.
extension Simulation {
  /// Somebody works at a circuit, or holds it below a cap.
  func beginWorks() {
    timeline.add(.beginWorks, at: now + dice.wait(mean: options.faults.works * 1000))
    let k = dice.pick(0...hub.circuits.count - 1)
    guard isMindUp, !isDead, underWorks[k] == nil else { return }
    let part = dice.chance(500) ? 0 : dice.pick(20...90)
    let amount = hub.circuits[k].rating.map { Current(raw: $0.raw * part / 100) }
    let limit = Limit(id: "works-\(k)", source: "by hand", circuit: k, amount: .current(amount), from: utc)
    underWorks[k] = limit.id
    tell(.order(part == 0 ? .maintenance(circuit: k, true) : .manualCap(circuit: k, amount)))
    disturbedAt = now
    limitWatches.append(
      LimitWatch(
        limit: limit, setAt: now, watch: Phase.allCases.map { ExcessWatch(limit: amount[$0].raw + rounding, borne: reactionTime) }))
    for cell in k * 3..<k * 3 + 3 { watch(cell) }
    timeline.add(.endWorks(k), at: now + dice.pick(300_000...3_600_000))
  }

  func endWorks(_ k: Int) {
    // A mind that is down hears of it later.
    guard isMindUp, !isDead else { return timeline.add(.endWorks(k), at: now + 60_000) }
    limitWatches.removeAll { $0.limit.id == underWorks[k] }
    underWorks[k] = nil
    tell(.order(.maintenance(circuit: k, false)))
    tell(.order(.manualCap(circuit: k, nil)))
  }

  /// The site file is read again, with other numbers in it that nothing but taste decides.
  func readSiteFile() {
    timeline.add(.readSiteFile, at: now + dice.wait(mean: options.faults.siteFile * 1000))
    guard isMindUp, !isDead else { return }
    var hub = options.believed ?? self.hub
    hub.settings.giveBackAfter = .seconds(dice.pick(30...120))
    hub.settings.sharingInterval = .seconds(dice.pick(10...60))
    for c in hub.connectors.indices { hub.connectors[c].weight = dice.choose([50, 100, 100, 200]) }
    think(.configured(hub, version: "simulation"))
  }
}
