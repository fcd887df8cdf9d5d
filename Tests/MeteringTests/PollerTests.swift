import Quantities
import Testing

@testable import Metering

@Suite struct PollerTests {
  /// Runs a bus in virtual time: a unit that lives answers in 20 ms, a dead one costs its time-out.
  /// - Returns: for each meter the times at which a reading was complete, or a try failed.
  private func run(
    _ poller: Poller, dead: (Int, Int) -> Bool, until end: Int
  ) -> (complete: [[Int]], tries: [[Int]]) {
    var poller = poller
    var now = 0
    var complete = [[Int]](repeating: [], count: 8)
    var tries = [[Int]](repeating: [], count: 8)
    while now < end {
      switch poller.next(at: Monotonic(milliseconds: now)) {
      case .idle(let until):
        #expect(until.milliseconds > now)
        now = until.milliseconds
      case .ask(let meter, _, let timeout):
        tries[meter].append(now)
        let isDead = dead(meter, now)
        now += isDead ? timeout.milliseconds : 20
        if poller.report(isDead ? .silent : .words, of: meter, at: Monotonic(milliseconds: now)) == .complete {
          complete[meter].append(now)
        }
      }
    }
    return (complete, tries)
  }
  private func poller(_ meters: Int, requests: Int = 1) -> Poller {
    Poller(
      periods: Array(repeating: .seconds(1), count: meters), requests: Array(repeating: requests, count: meters),
      start: Monotonic(milliseconds: 0))
  }

  @Test func `each meter is read once per period`() {
    let (complete, _) = run(poller(3, requests: 2), dead: { _, _ in false }, until: 10_000)
    for meter in 0..<3 { #expect(complete[meter].count == 10) }
  }

  @Test func `the requests of one reading are not interleaved with those of another meter`() {
    var poller = poller(2, requests: 3)
    let now = Monotonic(milliseconds: 0)
    for expected in [0, 0, 0, 1, 1, 1] {
      guard case .ask(let meter, _, _) = poller.next(at: now) else { return #expect(Bool(false), "nothing due") }
      #expect(meter == expected)
      _ = poller.report(.words, of: meter, at: now)
    }
  }

  @Test func `a silent request is tried once more before the reading is missed`() {
    var poller = poller(1)
    let now = Monotonic(milliseconds: 0)
    #expect(poller.next(at: now) == .ask(meter: 0, request: 0, timeout: .milliseconds(500)))
    #expect(poller.report(.silent, of: 0, at: now) == .retry)
    #expect(poller.next(at: now) == .ask(meter: 0, request: 0, timeout: .milliseconds(500)))
    #expect(poller.report(.silent, of: 0, at: now) == .missed)
    #expect(!poller.isDead(0))
  }

  @Test func `a dead unit is asked every 10 s with a 300 ms time-out, and comes back with its first answer`() {
    let (complete, tries) = run(poller(1), dead: { _, now in now < 35_000 }, until: 60_000)
    let late = tries[0].filter { (5_000..<35_000).contains($0) }
    #expect(late.count <= 3)
    for (a, b) in zip(late, late.dropFirst()) { #expect(b - a >= 10_000) }
    #expect((complete[0].first ?? 0) < 46_000)
    #expect(complete[0].count >= 13)
  }

  @Test(arguments: 1...7) func `units that die never make a living one of their bus stale`(dead: Int) {
    let (complete, _) = run(poller(dead + 1), dead: { meter, now in meter < dead && now > 3_500 }, until: 120_000)
    let times = [0] + complete[dead]
    for (a, b) in zip(times, times.dropFirst()) { #expect(b - a < 5_000, "silent from \(a) to \(b)") }
    #expect(times.last! > 118_000)
    // Once they are known to be dead, they cost at most their time-outs.
    let settled = times.filter { $0 > 30_000 }
    #expect(settled.count >= 70)
  }

  @Test func `an exception counts as a sign of life`() {
    var poller = poller(1)
    for second in 0..<5 {
      let now = Monotonic(milliseconds: second * 1000)
      guard case .ask = poller.next(at: now) else { return #expect(Bool(false), "nothing due") }
      #expect(poller.report(.refused, of: 0, at: now) == .missed)
    }
    #expect(!poller.isDead(0))
  }
}
