import Control
import Quantities
import Site

/// Somebody outside who sets series of limits and is expected to be heard of.
struct LimitSender {
  var series: LimitSeries?
  /// When it last spoke to a mind that was there.
  var heardAt = 0
  /// nil: it speaks.
  var silentUntil: Int?
  /// A newer series, or the end of one, has made timers of before void.
  var generation = 0
}

extension Simulation {
  /// The sender's next word: a new series, the end of the present one, or silence for a while.
  func speakAsSender() {
    timeline.add(.senderSpeaks, at: now + chance.wait(mean: options.faults.sender * 1000))
    guard isMindUp, !isDead, sender.silentUntil == nil else { return }
    switch chance.pick(0...9) {
    case 0...5: setSeries()
    case 6...7: withdrawSeries()
    default:
      guard sender.series != nil else { return setSeries() }
      sender.silentUntil = now + chance.pick(300_000...3_600_000)
      if let silence = sender.series?.silence {
        timeline.add(.senderIsMissed(sender.generation), at: sender.heardAt + silence.after.raw)
      }
    }
  }

  private func setSeries() {
    forgetSeries()
    let k = sender.series?.circuit ?? chance.pick(0...hub.circuits.count - 1)
    let rating = hub.circuits[k].rating
    func amount(_ part: Int) -> PerPhase<Current> { rating.map { Current(raw: $0.raw * part / 100) } }
    var blocks: [LimitSeries.Block] = []
    var from = utc + .milliseconds(chance.choose([0, 0, 0, 60_000, 600_000]))
    var lowest = 95
    for place in 0..<chance.pick(1...4) {
      let until = from + .minutes(chance.pick(5...30)), part = chance.pick(30...95)
      lowest = min(lowest, part)
      blocks.append(LimitSeries.Block(from: from, until: until, amount: .current(amount(part))))
      watch(
        Limit(id: "series#\(place + 1)", source: "sender", circuit: k, amount: .current(amount(part)), from: from, until: until))
      from = until
    }
    // No more than any block, so that each block holds whether the sender is missed or not.
    let fallback = LimitSeries.Block(from: Self.epoch - .days(30), until: nil, amount: .current(amount(chance.pick(20...lowest))))
    let series = LimitSeries(
      id: "series", source: "sender", owner: "sender", circuit: k, blocks: blocks,
      silence: LimitSeries.Silence(
        after: .seconds(chance.pick(60...900)), fallback: [fallback], needsFreshLimit: chance.chance(500)),
      relaxing: LimitSeries.Relaxing(delay: .seconds(chance.choose([0, 60, 300])), ramp: .seconds(chance.choose([0, 300]))))
    (sender.series, sender.heardAt) = (series, now)
    tell(.order(.limit(series)))
    timeline.add(.senderBeats(sender.generation), at: now + beat(series))
  }

  private func withdrawSeries() {
    guard let series = sender.series else { return }
    forgetSeries()
    sender.series = nil
    tell(.order(.withdrawLimit(id: series.id, owner: nil, series.relaxing)))
  }

  private func beat(_ series: LimitSeries) -> Int { (series.silence?.after.raw ?? 60_000) / 3 }

  func beatAsSender(_ generation: Int) {
    guard generation == sender.generation, let series = sender.series else { return }
    timeline.add(.senderBeats(generation), at: now + beat(series))
    if let until = sender.silentUntil {
      guard now >= until, isMindUp, !isDead else { return }
      // It comes back with what holds from now on.
      sender.silentUntil = nil
      return setSeries()
    }
    guard isMindUp, !isDead else { return }
    sender.heardAt = now
    think(.order(.heartbeat(owner: "sender")))
  }

  /// Nothing was heard of it for as long as it said: its fallback holds from now on, whether the mind was there to notice or not.
  func missSender(_ generation: Int) {
    guard generation == sender.generation, let series = sender.series, let fallback = series.silence?.fallback.first else { return }
    watch(Limit(id: "series#silent", source: "sender", circuit: series.circuit, amount: fallback.amount, from: utc))
  }

  /// What the old series said is watched no more.
  private func forgetSeries() {
    sender.generation += 1
    limitWatches.removeAll { $0.limit.source == "sender" }
    disturbedAt = now
  }

  private func watch(_ limit: Limit) {
    guard case .current(let amount) = limit.amount else { return }
    let wait = max(0, (limit.from - utc).raw)
    disturbedAt = now
    let borne = wait + reactionTime
    limitWatches.append(
      LimitWatch(
        limit: limit, setAt: now, watch: Phase.allCases.map { ExcessWatch(limit: amount[$0].raw + rounding, borne: borne) }))
    timeline.add(.limitBegins, at: now + wait)
    for cell in limit.circuit * 3..<limit.circuit * 3 + 3 { watch(cell) }
  }
}
