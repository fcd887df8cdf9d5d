import Control
import Loop
import OCPP
import Quantities
import Record
import Site
import StationLink

extension LiveHub {
  var utc: Instant { clock.utc() }
  var monotonic: Monotonic { clock.monotonic() }
  var now: Moment { Moment(utc: utc, monotonic: monotonic) }
  /// A wall clock that moved by more than this against the monotonic one was set.
  static let clockStep = TimeSpan.seconds(2)

  func tell(_ what: String, _ details: KeyValuePairs<String, String> = [:]) { log(LogLine(what, at: utc, details)) }

  /// The mind's first event in this process.
  func begin() {
    let hub = plan.site.hub
    if driver.stamp.sequence == 0 {
      tell("configured", ["site": hub.id, "stations": "\(hub.stations.count)", "connectors": "\(hub.connectors.count)"])
      think(.configured(hub, version: Self.version))
    } else {
      tell("restarted", ["site": hub.id, "sequence": "\(driver.stamp.sequence)"])
      // A clock that comes up behind what is recorded was set meanwhile, or lost: what held goes on holding.
      let behind = utc - driver.stamp.utc
      think(.restarted(version: Self.version))
      if behind < .zero - Self.clockStep {
        tell("clock_stepped", ["by_s": "\(behind.seconds)"])
        think(.clockStepped(by: behind))
      }
      if driver.controller.hub != hub { think(.configured(hub, version: Self.version)) }
    }
    compliance.resume(driver.controller.seriesView(at: driver.stamp(utc: utc, monotonic: monotonic)), hub, at: utc)
    announceLimits()
    replaceLostForecast()
    announceTrust()
    if hub.access == .anyone { tell("anyone_may_charge") }
    clockCheck = loop.every(.seconds(1)) { [box] in box.hub?.checkClock() }
    thinLater(after: Self.firstThinning)
    checkTariff()
    tariffCheck = loop.every(Self.tariffInterval) { [box] in box.hub?.checkTariff() }
    checkCalendar()
    calendarCheck = loop.every(Self.calendarInterval) { [box] in box.hub?.checkCalendar() }
  }

  /// The limits of the site file, and where nobody sets limits from outside those that hold for want of them.
  func announceLimits() {
    for limit in plan.site.limits { think(.limitSet(limit)) }
    for (circuit, failsafe) in plan.site.failsafe.enumerated() {
      guard let failsafe else { continue }
      let id = "failsafe-\(plan.site.hub.circuits[circuit].id)"
      think(
        .limitSet(Limit(id: id, source: "failsafe", circuit: circuit, amount: .current(failsafe), from: Instant(milliseconds: 0))))
    }
  }

  func checkClock() {
    compliance.hear(
      driver.controller.seriesView(at: driver.stamp(utc: utc, monotonic: monotonic)), driver.controller.hub, at: utc)
    let offset = clock.offset
    let step = offset - wallOffset
    if step.magnitude > Self.clockStep {
      tell("clock_stepped", ["by_s": "\(step.seconds)"])
      wallOffset = offset
      think(.clockStepped(by: step))
      checkCalendar()  // its blocks are dates by the clock that was wrong
    } else if step.magnitude > .milliseconds(500) {
      wallOffset = wallOffset + step / 2  // slewed, as NTP does
    }
  }

  /// Milliseconds that nobody waits longer than.
  private static let longestWait = 86_400_000
  /// How long the loop waits for the mind at a time.
  private static let turn = Duration.milliseconds(5)
  /// How long the mind waits for a loop that always has something else to do.
  private static let longestRest = Duration.milliseconds(100)
  /// With more than that waiting the loop is not let go on reading: TCP makes the stations wait.
  private static let mostWaiting = 20_000

  /// Gives the mind an event, does what it wants, and gives it what comes of that. Where something else is being thought about, or being
  /// said, its turn comes later.
  func think(_ event: Event) {
    if waitingSince == nil { waitingSince = .now }
    waiting.append(event)
    work()
  }

  /// Hears the store, and does whatever has become due.
  func wake() {
    guard !isThinking, !isStopping, !isResting else { return }
    isThinking = true
    act(driver.decide(nil, utc: utc, monotonic: monotonic))
    let now = now
    while let (due, index) = deadlines.first, due <= now.monotonic {
      carry(stations[index].dialogue.deadline(at: now), index)
      // What has not moved on by now is looked at again with the next wake.
      if deadlines.first.map({ $0 == (due, index) }) ?? false { break }
    }
    isThinking = false
    work()
  }

  /// Thinks about what waits, if nobody does and nothing that was said has to leave first.
  private func work() {
    guard !isThinking, !isStopping, !isResting else { return }
    guard restingSince == nil else { return resume() }
    drain()
    if restingSince == nil { arm() }
  }

  /// It rests, and not for too long yet.
  private var isResting: Bool { restingSince.map { MonotonicTime.now - $0 < Self.longestRest } ?? false }

  private func drain() {
    isThinking = true
    let began = MonotonicTime.now
    while true {
      let isEnough = hasSpoken || MonotonicTime.now - began >= Self.turn
      if isEnough, waiting.count < Self.mostWaiting { break }
      record()
      guard let next = waiting.popFirst() else { break }
      decide(next)
    }
    isThinking = false
    if hasSpoken || !waiting.isEmpty {
      rest()
    } else {
      waitingSince = nil
      record()
    }
  }

  /// Lets the loop write and read before the next thought is had, and before the last one is written down.
  private func rest() {
    restingSince = .now
    hasSpoken = false
    loop.whenIdle { [box] in box.hub?.resume() }
  }

  private func resume() {
    guard restingSince != nil, !isThinking, !isStopping else { return }
    restingSince = nil
    noteLowered()
    record()
    wake()
  }

  /// What was said is written by now.
  private func noteLowered() {
    if lowering > 0, let waitingSince {
      counts.lowered.add(Int((MonotonicTime.now - waitingSince).wholeNanoseconds / 1000), times: lowering)
    }
    (lowering, waitingSince) = (0, waiting.isEmpty ? nil : .now)
  }

  /// Thinks about all that waits at once, before what it speaks of is changed.
  func catchUp() {
    isThinking = true
    record()
    while let next = waiting.popFirst() {
      decide(next)
      record()
    }
    isThinking = false
  }

  private func decide(_ event: Event) {
    tests.watcher?(.event(event))
    if case .station(_, .outcome(let command, let outcome)) = event {
      counts.decreases.hear(outcome, of: command, at: monotonic)
      asked.hear(outcome, of: command)
    }
    act(driver.decide(event, utc: utc, monotonic: monotonic))
    if case .station(let station, .booted) = event, let asked = tests.onBoot[station] { decide(.order(.station(station, asked))) }
  }

  /// Writes down what was thought last, and logs what was decided.
  func record() {
    driver.keep(monotonic: monotonic)
    report()
    noteLeftOut()
  }

  /// Says once that raw readings are not recorded, and once that they are again.
  private func noteLeftOut() {
    guard driver.leavesOutReadings != saidLeftOut else { return }
    saidLeftOut = driver.leavesOutReadings
    if saidLeftOut {
      tell("readings_left_out", ["why": "\(driver.waitingBytes >> 20) MB wait for the journal, which keeps nothing"])
    } else {
      tell("readings_kept_again", ["left_out": "\(driver.readingsLeftOut)"])
    }
  }

  /// Sets the timer for the earliest of the mind's, the store's and the dialogues' deadlines.
  private func arm() {
    guard !isStopping else { return }
    var due = driver.nextWake
    if let (next, _) = deadlines.first { due = due.map { min($0, next) } ?? next }
    guard due != timerAt || timer == nil else { return }
    timer?.cancel()
    (timer, timerAt) = (nil, due)
    guard let due else { return }
    // Who wakes too early looks again.
    let wait = min(Self.longestWait, max(1, (due - monotonic).milliseconds))
    timer = loop.after(.milliseconds(wait)) { [box] in
      guard let hub = box.hub else { return }
      (hub.timer, hub.timerAt) = (nil, nil)
      hub.wake()
    }
  }

  // MARK: Effects

  private func act(_ effects: [Effect]) {
    for effect in effects {
      tests.watcher?(.effect(effect))
      switch effect {
      case .command(let id, let station, let command, let urgency):
        guard stations.indices.contains(station) else { continue }
        counts.commands += 1
        if urgency == .decrease {
          counts.decreases.leave(id, at: monotonic)
          lowering += 1
        }
        guard let whole = secrets.open(command) else {
          waiting.append(.station(station, .outcome(id, .lost)))
          continue
        }
        speak(stations[station].dialogue.command(id, whole, urgency: urgency, at: now), station)
      case .answer(let station, let request, let answer):
        guard stations.indices.contains(station) else { continue }
        speak(stations[station].dialogue.answer(request, answer, at: now), station)
      case .answered(let reply): asked.hear(reply)
      case .plan(let request): workOut(request)
      case .trip(let circuit): trip(circuit)
      case .decided, .transaction, .alarm: untold.append(effect)
      }
    }
  }

  private func speak(_ output: DialogueOutput, _ index: Int) {
    hasSpoken = hasSpoken || !output.frames.isEmpty
    carry(output, index)
  }

  /// Opens a circuit's device, beside the loop's thread.
  private func trip(_ circuit: Int) {
    let circuits = plan.site.hub.circuits
    guard circuits.indices.contains(circuit), let trip = circuits[circuit].shuntTrip else { return }
    let (loop, box, id) = (loop, box, circuits[circuit].id)
    coils.pulse(trip) { fault in
      loop.run {
        guard let hub = box.hub, !hub.isStopping else { return }
        if let fault { hub.tell("trip_failed", ["what": fault]) }
        // Another site file may have moved it meanwhile, or not know it.
        guard let place = hub.plan.site.hub.circuits.firstIndex(where: { $0.id == id }) else { return }
        hub.think(.tripped(circuit: place, fault: fault))
      }
    }
  }

  /// Works a plan out beside the loop's thread; the mind asks for one at a time.
  private func workOut(_ request: PlanRequest) {
    let (loop, box) = (loop, box)
    planning.async {
      let planned = request.solve()
      loop.run {
        guard let hub = box.hub, !hub.isStopping else { return }
        hub.think(.planned(planned))
      }
    }
  }

  /// Queues a dialogue's events and sends its frames.
  func carry(_ output: DialogueOutput, _ index: Int) {
    deadlines.set(index, stations[index].dialogue.nextDeadline)
    if waitingSince == nil, !output.events.isEmpty { waitingSince = .now }
    if output.isUnanswered || output.answeredAfter != nil { stations[index].watch.note(output, at: monotonic) }
    waiting.append(contentsOf: output.events.lazy.map { .station(index, Secrets.masked($0)) })
    if let link = stations[index].link, servers.indices.contains(stations[index].server) {
      for frame in output.frames {
        counts.sent += 1
        servers[stations[index].server].send(link, text: frame)
      }
    }
    for deviation in output.deviations {
      tell("deviation", ["station": stations[index].dialogue.stationID, "what": deviation.what])
    }
  }

  /// As `carry`, from outside of the mind's turn.
  func accept(_ output: DialogueOutput, _ index: Int) {
    carry(output, index)
    work()
  }

  // MARK: The log

  /// Logs what was decided since the last time.
  func report() {
    for effect in untold {
      switch effect {
      case .decided(let decision): report(decision)
      case .transaction(let change): report(change)
      case .alarm(let alarm, let raised):
        let (what, about) = words.alarm(alarm)
        tell(raised ? "alarm" : "alarm_over", ["what": what, "about": about])
      case .command, .answer, .answered, .plan, .trip: break
      }
    }
    untold.removeAll()
  }

  private func report(_ decision: Decision) {
    tell(
      "offer",
      [
        "connector": words.connector(decision.connector), "a": "\(decision.offer.amperes)", "why": words.reason(decision.reason),
        "transaction": decision.transaction.map(String.init) ?? "-",
      ])
  }

  private func report(_ change: TransactionChange) {
    switch change {
    case .opened(let id, let station, let connector, let idTag, let meterStart, _, let late):
      tell(
        "transaction_opened",
        [
          "id": "\(id)", "connector": "\(words.station(station))/\(connector)", "tag": idTag, "meter_wh": "\(meterStart.wattHours)",
          "late": "\(late)",
        ])
    case .closed(let id, let meterStop, _, let reason):
      tell(
        "transaction_closed",
        ["id": "\(id)", "meter_wh": meterStop.map { "\($0.wattHours)" } ?? "-", "reason": reason])
    case .orphanStop(let station, let stop):
      tell(
        "orphan_stop",
        [
          "station": words.station(station), "transaction": "\(stop.transaction)",
          "meter_wh": "\(stop.meterStop.wattHours)",
        ])
    }
  }

  private var words: LogWords { LogWords(hub: driver.controller.hub) }
}
