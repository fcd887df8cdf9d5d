import Control
import Glibc
import Loop
import OCPP
import Quantities
import Record
import Site
import StationLink

extension LiveHub {
  static var utc: Instant { Instant(milliseconds: read(CLOCK_REALTIME)) }
  static var monotonic: Monotonic { Monotonic(milliseconds: read(CLOCK_MONOTONIC)) }
  static var now: Moment { Moment(utc: utc, monotonic: monotonic) }
  static var wallOffset: TimeSpan { .milliseconds(read(CLOCK_REALTIME) - read(CLOCK_MONOTONIC)) }
  private static func read(_ clock: clockid_t) -> Int {
    var time = timespec()
    clock_gettime(clock, &time)
    return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
  }
  /// A wall clock that moved by more than this against the monotonic one was set.
  static let clockStep = TimeSpan.seconds(2)

  func tell(_ what: String, _ details: KeyValuePairs<String, String> = [:]) { log(LogLine(what, at: Self.utc, details)) }

  /// The mind's first event in this process.
  func begin() {
    let hub = plan.site.hub
    if driver.stamp.sequence == 0 {
      tell("configured", ["site": hub.id, "stations": "\(hub.stations.count)", "connectors": "\(hub.connectors.count)"])
      think(.configured(hub, version: Self.version))
    } else {
      tell("restarted", ["site": hub.id, "sequence": "\(driver.stamp.sequence)"])
      think(.restarted(version: Self.version))
      if driver.controller.hub != hub { think(.configured(hub, version: Self.version)) }
    }
    announceLimits()
    announceTrust()
    if hub.access == .anyone { tell("anyone_may_charge") }
    clockCheck = loop.every(.seconds(1)) { [box] in box.hub?.checkClock() }
  }

  /// The limits of the site file, and where nobody sets limits from outside those that hold for want of them.
  func announceLimits() {
    for limit in plan.site.limits { think(.limitSet(limit)) }
    for (circuit, failsafe) in plan.site.failsafe.enumerated() {
      guard let failsafe else { continue }
      let id = "failsafe-\(plan.site.hub.circuits[circuit].id)"
      think(.limitSet(Limit(id: id, source: "failsafe", circuit: circuit, amount: .current(failsafe), from: Self.utc)))
    }
  }

  func checkClock() {
    let offset = Self.wallOffset
    let step = offset - wallOffset
    if step.magnitude > Self.clockStep {
      tell("clock_stepped", ["by_s": "\(step.seconds)"])
      wallOffset = offset
      think(.clockStepped(by: step))
    } else if step.magnitude > .milliseconds(500) {
      wallOffset = wallOffset + step / 2  // slewed, as NTP does
    }
  }

  /// Gives the mind an event, does what it wants, and gives it what comes of that, until there is nothing left.
  func think(_ event: Event) {
    waiting.append(event)
    guard !isThinking else { return }
    drain()
    arm()
  }

  /// Hears the store, and does whatever has become due.
  func wake() {
    guard !isThinking, !isStopping else { return }
    isThinking = true
    act(driver.wake(utc: Self.utc, monotonic: Self.monotonic))
    let now = Self.now
    for index in stations.indices {
      if let due = stations[index].dialogue.nextDeadline, due <= now.monotonic {
        let output = stations[index].dialogue.deadline(at: now)
        carry(output, index)
      }
    }
    drain()
    arm()
  }

  private func drain() {
    isThinking = true
    while !waiting.isEmpty {
      let next = waiting.removeFirst()
      tests.watcher?(.event(next))
      if case .station(let station, .booted) = next, let asked = tests.onBoot[station] {
        waiting.insert(.order(.station(station, asked)), at: 0)
      }
      act(driver.handle(next, utc: Self.utc, monotonic: Self.monotonic))
    }
    isThinking = false
  }

  /// Sets the timer for the earliest of the mind's, the store's and the dialogues' deadlines.
  private func arm() {
    guard !isStopping else { return }
    var due = driver.nextWake
    for post in stations { if let next = post.dialogue.nextDeadline { due = due.map { min($0, next) } ?? next } }
    guard due != timerAt || timer == nil else { return }
    timer?.cancel()
    (timer, timerAt) = (nil, due)
    guard let due else { return }
    let wait = max(1, (due - Self.monotonic).milliseconds)
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
        carry(stations[station].dialogue.command(id, command, urgency: urgency, at: Self.now), station)
      case .answer(let station, let request, let answer):
        guard stations.indices.contains(station) else { continue }
        carry(stations[station].dialogue.answer(request, answer, at: Self.now), station)
      case .decided(let decision): report(decision)
      case .transaction(let change): report(change)
      case .alarm(let alarm, let raised):
        let (what, about) = words.alarm(alarm)
        tell(raised ? "alarm" : "alarm_over", ["what": what, "about": about])
      }
    }
  }

  /// Sends a dialogue's frames and queues its events.
  func carry(_ output: DialogueOutput, _ index: Int) {
    if let link = stations[index].link, servers.indices.contains(stations[index].server) {
      for frame in output.frames {
        counts.sent += 1
        servers[stations[index].server].send(link, text: frame)
      }
    }
    for deviation in output.deviations {
      tell("deviation", ["station": stations[index].dialogue.stationID, "what": deviation.what])
    }
    waiting += output.events.map { .station(index, $0) }
  }

  /// As `carry`, from outside of the mind's turn.
  func accept(_ output: DialogueOutput, _ index: Int) {
    carry(output, index)
    guard !isThinking else { return }
    drain()
    arm()
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
