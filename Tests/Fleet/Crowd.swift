import Glibc
import Loop
import OCPP
import Quantities
import StationLink

/// All stations, and what is counted over them. Everything but `obey` happens on the loop's thread.
final class Crowd: @unchecked Sendable {
  private let loop: EventLoop
  private let meter: GridMeter?
  private var stations: [FleetStation] = []

  var sentFrames = 0
  private var openCount = 0
  private var booted = 0
  private var lastBoot = 0.0
  private var refused = 0
  private var heartbeatRounds: [Int] = []
  private var latencies: [Double] = []
  private var lastSaid = 0.0
  private var reconnects = false
  /// Limits that came since the last mark: how many fell, rose and stayed, and when the last that fell came.
  private var (falls, rises, same) = (0, 0, 0)
  private var lastFall = 0.0
  private var lastChange = 0.0
  private var sampler: LoopTimer?
  private var nextSample = 0

  init(port: UInt16, count: Int, isTLS: Bool, meter: GridMeter?) throws {
    (loop, self.meter) = (try EventLoop(), meter)
    let trust = isTLS ? try ClientTrust(.anyone) : nil
    for number in 1...count {
      var endpoint = try StationClient.Endpoint(host: "127.0.0.1", port: port, path: "/ocpp/s\(number)")
      (endpoint.trust, endpoint.openPatience) = (trust, .seconds(120))
      let station = FleetStation(number, crowd: self)
      station.make(loop, endpoint)
      stations.append(station)
    }
  }

  var utc: Instant {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Instant(milliseconds: time.tv_sec * 1000 + time.tv_nsec / 1_000_000)
  }

  // MARK: What stations tell

  func opened() {
    openCount += 1
    lastSaid = monotonicMilliseconds()
  }
  func closed(_ station: FleetStation, _ end: StationClient.End) {
    if case .refused(let status) = end {
      if refused == 0 { Fleet.complain("station \(station.number) is refused: \(status)") }
      refused += 1
    }
    if reconnects { station.connect() }
  }
  func answered(_ station: FleetStation, _ call: StationCall, after milliseconds: Double) {
    lastSaid = monotonicMilliseconds()
    switch call {
    case .boot:
      booted += 1
      lastBoot = lastSaid
    case .heartbeat:
      latencies.append(milliseconds)
      if heartbeatRounds[station.number - 1] > 0 {
        heartbeatRounds[station.number - 1] -= 1
        station.say(.heartbeat)
      }
    default: break
    }
  }
  func limited(from old: Double, to new: Double) {
    let now = monotonicMilliseconds()
    lastSaid = now
    if new < old { (falls, lastFall) = (falls + 1, now) } else if new > old { rises += 1 } else { same += 1 }
    lastChange = now
  }
  func drawChanged(phase: Int, by amperes: Double) { meter?.add(amperes, phase: phase) }

  // MARK: Orders

  /// - Returns: the answer, nil for a verb that is none. Blocks until it is known; from the main thread.
  func obey(_ verb: String, _ number: Double?) -> String? {
    switch verb {
    case "open": return open(again: false)
    case "storm": return open(again: true)
    case "heartbeats": return heartbeats(Int(number ?? 1))
    case "charge": return charge()
    case "settle": return settle(number ?? 5)
    case "mark":
      mark()
      return "now_ms=\(monotonicMilliseconds())"
    case "base":
      mark()
      meter?.setBase(number ?? 0)
      return "now_ms=\(monotonicMilliseconds())"
    case "watch": return watch()
    case "reach": return reach(number ?? 0)
    default: return nil
    }
  }

  private func open(again: Bool) -> String {
    let start = monotonicMilliseconds()
    loop.sync { [self] in
      (booted, openCount, lastSaid) = (0, 0, start)
      reconnects = true
      for station in stations { again ? station.lose() : station.connect() }
    }
    wait(upTo: 600) { [self] in booted >= stations.count && (again || monotonicMilliseconds() - lastSaid > 2000) }
    return loop.sync { [self] in
      "seconds=\((lastBoot - start) / 1000) answered=\(booted) open=\(openCount) refused=\(refused) quiet_s=\((lastSaid - start) / 1000)"
    }
  }

  private func heartbeats(_ rounds: Int) -> String {
    let start = monotonicMilliseconds()
    loop.sync { [self] in
      latencies = []
      heartbeatRounds = stations.map { _ in rounds - 1 }
      for station in stations { station.say(.heartbeat) }
    }
    let wanted = stations.count * rounds
    wait(upTo: 600) { [self] in latencies.count >= wanted }
    return loop.sync { [self] in
      let sorted = latencies.sorted()
      func percentile(_ p: Int) -> Double { sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, sorted.count * p / 100)] }
      return
        "answered=\(sorted.count) seconds=\((monotonicMilliseconds() - start) / 1000) p50_ms=\(percentile(50)) p99_ms=\(percentile(99))"
    }
  }

  private func charge() -> String {
    loop.sync { [self] in
      for station in stations { station.start() }
      // A tenth of a second for an eightieth of the stations: each is sampled every eight seconds.
      sampler = loop.every(.milliseconds(100)) { [self] in
        for _ in 0..<max(1, stations.count / 80) {
          nextSample = (nextSample + 1) % stations.count
          stations[nextSample].sample()
        }
      }
    }
    wait(upTo: 600) { [self] in stations.allSatisfy { $0.transaction != nil } }
    return loop.sync { [self] in "started=\(stations.count { $0.transaction != nil })" }
  }

  private func settle(_ seconds: Double) -> String {
    loop.sync { [self] in lastChange = monotonicMilliseconds() }
    wait(upTo: 600) { [self] in monotonicMilliseconds() - lastChange > seconds * 1000 }
    return loop.sync { [self] in
      "limits_a=\(limits) draws_a=\(stations.map(\.draw).reduce(0, +))"
    }
  }

  /// All limits together.
  private var limits: Double { stations.map(\.limit).reduce(0, +) }

  private func reach(_ amperes: Double) -> String {
    let start = monotonicMilliseconds()
    wait(upTo: 300) { [self] in limits >= amperes && monotonicMilliseconds() - lastChange > 1000 }
    return loop.sync { [self] in "limits_a=\(limits) seconds=\((monotonicMilliseconds() - start) / 1000)" }
  }

  private func mark() {
    loop.sync { [self] in (falls, rises, same, lastFall) = (0, 0, 0, 0) }
  }

  private func watch() -> String {
    wait(upTo: 60) { [self] in falls > 0 && monotonicMilliseconds() - lastFall > 1500 }
    let answered = meter?.changeAnswered ?? 0
    return loop.sync { [self] in
      "falls=\(falls) rises=\(rises) same=\(same) last_fall_ms=\(lastFall) meter_answered_ms=\(answered)"
    }
  }

  /// Looks every 20 ms whether something has come about, for at most so many seconds.
  private func wait(upTo seconds: Double, until isDone: @escaping @Sendable () -> Bool) {
    let done = Latch()
    let end = monotonicMilliseconds() + seconds * 1000
    let timer = loop.every(.milliseconds(20)) { if isDone() || monotonicMilliseconds() > end { done.open() } }
    done.wait()
    timer.cancel()
  }
}
