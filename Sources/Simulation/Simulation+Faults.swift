import Control
import Quantities
import Site

extension Simulation {
  func goWrong(_ item: Item) {
    let faults = options.faults
    switch item {
    case .loseLink:
      schedule(item, faults.linkLoss)
      let s = random.pick(0...stations.count - 1)
      guard stations[s].isOnline else { return }
      cut(s, told: true)
      timeline.add(.connect(s), at: now + random.choose([2000, 10_000, 60_000, 300_000, 1_200_000]) + random.pick(0...5000))
    case .rebootSome:
      schedule(item, faults.reboot)
      restart(random.pick(0...stations.count - 1))
    case .troubleMeter:
      schedule(item, faults.meterTrouble)
      guard !meters.isEmpty else { return }
      let m = random.pick(0...meters.count - 1)
      meters[m].trouble = random.choose([.silent, .silent, .frozen, .jumping])
      if isOnWire, dice.chance(250) { meters[m].trouble = .babbling }
      meters[m].troubleUntil = now + random.pick(5000...300_000)
    case .stopMind:
      guard isMindUp, !isDead else { return }
      for s in stations.indices where stations[s].isOnline { cut(s, told: false) }
      isMindUp = false
      timeline.add(.startMind, at: now + random.choose([1000, 5000, 30_000, 120_000]))
      schedule(item, faults.restart)
    case .startMind:
      guard !isDead else { return }
      isMindUp = true
      disturbedAt = now
      // What a process that is gone had sent is lost with its links; if it was not remembered, its numbers are given again.
      for c in newestCommand.indices { newestCommand[c] = nil }
      layWires()
      do {
        if try !mind.restart() { find(.replay, "what was thought again after a restart is not what was recorded") }
      } catch {
        find(.replay, "the journal could not be read after a restart: \(error)")
      }
      for m in lastReading.indices { lastReading[m].heard = -1_000_000 }
      let kept = mind.steps
      think(.restarted(version: "simulation"))
      tellAgain(from: kept)
      for s in stations.indices { timeline.add(.connect(s), at: now + random.pick(500...60_000)) }
    case .stepClock:
      schedule(item, faults.clockStep)
      guard isMindUp else { return }  // a step that nobody can see is not told apart from time that passed
      let step = random.choose([-3_600_000, 3_600_000, -30_000, 30_000, 5000, -5000])
      for i in contracts.indices { watchContract(i) }
      wallOffset += step
      for i in contracts.indices { contracts[i].setClock(utc: utc.milliseconds) }
      disturbedAt = now
      think(.clockStepped(by: .milliseconds(step)))
    case .setLimit:
      schedule(item, faults.limit)
      setLimit()
    case .breakStore:
      mind.breakStore(.broken("disk full"))
      timeline.add(.mendStore, at: now + random.pick(1000...300_000))
    case .mendStore:
      mind.breakStore(nil)
      schedule(.breakStore, faults.storeFailure)
    case .die:
      for s in stations.indices where stations[s].isOnline { cut(s, told: false) }
      isDead = true
      diedAt = now
    default: break
    }
  }

  /// A limit from outside: down to a fifth, at once or soon, for a while or until it is withdrawn.
  private func setLimit() {
    guard isMindUp, !isDead else { return }
    lastLimit += 1
    let k = random.chance(600) ? 0 : random.pick(0...hub.circuits.count - 1)
    let rating = hub.circuits[k].rating
    let part = random.pick(20...95)
    let amount = rating.map { Current(raw: $0.raw * part / 100) }
    let delay = random.choose([0, 0, 60_000, 600_000])
    let lasts = random.choose([120_000, 900_000, 3_600_000])
    let limit = Limit(
      id: "limit-\(lastLimit)", source: "grid", circuit: k, amount: .current(amount), from: utc + .milliseconds(delay),
      until: random.chance(500) ? utc + .milliseconds(delay + lasts) : nil)
    tell(.limitSet(limit))
    disturbedAt = now
    let begins = now + delay
    let borne = reactionTime
    limitWatches.append(
      LimitWatch(
        limit: limit, setAt: now,
        watch: Phase.allCases.map { ExcessWatch(limit: amount[$0].raw + rounding, borne: begins - now + borne) }))
    timeline.add(.limitBegins, at: begins)
    timeline.add(.withdraw(limit.id), at: begins + lasts)
    for cell in k * 3..<k * 3 + 3 { watch(cell) }
  }

  /// R: meter, a call that is lost and its repetition, station and vehicle, ms.
  var reactionTime: Int {
    let call = hub.stations.map { $0.traits.callTimeout.raw }.max() ?? 0
    let reaction = hub.stations.map { $0.traits.reaction.raw }.max() ?? 0
    let period = hub.meters.map { $0.period.raw }.max() ?? 0
    return period + 10_000 + 2 * call + 2 * reaction + 5000 + hub.settings.vehicleReaction.raw
  }
}
