import Glibc
import Testing
import Threads

@testable import Loop

@Suite struct LoopTests {
  private func withLoop(_ body: (EventLoop) throws -> Void) throws {
    let loop = try EventLoop()
    defer { loop.stop() }
    try body(loop)
  }

  @Test func `work from many threads runs on the loop's thread, each thread's in its order`() throws {
    try withLoop { loop in
      let seen = Locked<[[Int]]>(.init(repeating: [], count: 4)), misplaced = Locked(0)
      let done = (0..<4).map { _ in Latch() }
      for thread in 0..<4 {
        Thread.start {
          for i in 0..<1000 {
            loop.run {
              seen.with { $0[thread].append(i) }
              if !loop.executor.isCurrent { misplaced.with { $0 += 1 } }
            }
          }
          done[thread].open()
        }
      }
      for latch in done { #expect(latch.wait(patience: .seconds(5))) }
      loop.sync {}
      #expect(seen.with { $0 } == .init(repeating: Array(0..<1000), count: 4))
      #expect(misplaced.with { $0 } == 0)
    }
  }

  @Test func `what waits for an idle loop runs after all that is ready, and after all that this makes ready`() throws {
    try withLoop { loop in
      let seen = Mailbox<String>()
      @Sendable func chain(_ left: Int) {
        seen.post("work \(left)")
        if left > 0 { loop.run { chain(left - 1) } }
      }
      loop.sync {
        loop.whenIdle { seen.post("idle") }
        loop.run { chain(50) }
      }
      var all: [String] = []
      while all.last != "idle", let more = seen.take(patience: .seconds(5)) { all += more }
      #expect(all == (0...50).reversed().map { "work \($0)" } + ["idle"])
    }
  }

  @Test func `sync hands back values and errors`() throws {
    try withLoop { loop in
      #expect(loop.sync { 42 } == 42)
      let fault = #expect(throws: LoopFault.self) {
        try loop.sync { () throws(LoopFault) -> Int in throw .library(call: "none") }
      }
      #expect(fault == .library(call: "none"))
    }
  }

  @Test func `a timer fires once, after its time; a repeating one until cancelled`() throws {
    try withLoop { loop in
      let fired = Mailbox<MonotonicTime>(), start = MonotonicTime.now
      loop.after(.milliseconds(30)) { fired.post(.now) }
      let first = try #require(fired.take(patience: .seconds(5))?.first)
      #expect(first - start >= .milliseconds(30))
      let ticks = Mailbox<Int>(), timer = Locked<LoopTimer?>(nil), count = Locked(0)
      let repeating = loop.every(.milliseconds(5)) {
        let number = count.with { count in
          count += 1
          return count
        }
        ticks.post(number)
        if number == 3 { timer.with { $0 }?.cancel() }
      }
      timer.with { $0 = repeating }
      var all: [Int] = []
      while all.count < 3, let batch = ticks.take(patience: .seconds(5)), !batch.isEmpty { all += batch }
      #expect(all == [1, 2, 3])
      #expect(ticks.take(patience: .milliseconds(50)) == [])
    }
  }

  @Test func `a timer that was cancelled does not fire`() throws {
    try withLoop { loop in
      let fired = Mailbox<Int>()
      loop.after(.milliseconds(20)) { fired.post(1) }.cancel()
      loop.after(.milliseconds(40)) { fired.post(2) }
      #expect(fired.take(patience: .seconds(5)) == [2])
    }
  }

  @Test func `a signal reaches the loop and not the process`() throws {
    try withLoop { loop in
      let got = Mailbox<Int32>()
      loop.onSignal(SIGHUP) { got.post(SIGHUP) }
      loop.sync {}
      kill(getpid(), SIGHUP)
      #expect(got.take(patience: .seconds(5)) == [SIGHUP])
    }
  }

  @Test func `an actor lives on the loop`() async throws {
    actor Resident {
      let loop: EventLoop
      var count = 0
      init(_ loop: EventLoop) { self.loop = loop }
      nonisolated var unownedExecutor: UnownedSerialExecutor { loop.executor.asUnownedSerialExecutor() }
      func step() -> Bool {
        count += 1
        return loop.executor.isCurrent
      }
    }
    let loop = try EventLoop(), resident = Resident(loop)
    for _ in 0..<100 { #expect(await resident.step()) }
    #expect(loop.sync { resident.assumeIsolated { $0.count } } == 100)
    loop.stop()
  }

  @Test func `a mailbox gives everything in order, tells of the first item, and ends when closed`() {
    let firsts = Locked(0), box = Mailbox<Int>(onFirst: { firsts.with { $0 += 1 } })
    box.post(1)
    box.post(2)
    #expect(box.take() == [1, 2])
    #expect(box.take(patience: .milliseconds(1)) == [])
    box.post(3)
    #expect(firsts.with { $0 } == 2)
    box.close()
    box.post(4)
    #expect(box.take(patience: .seconds(5)) == [3])
    #expect(box.take(patience: .seconds(5)) == nil)
  }

  @Test func `the longest prefix wins`() {
    var table = RouteTable<Int>()
    table["/"] = 1
    table["/ocpp/"] = 2
    #expect(table.handler(of: "/ocpp/x") == 2)
    #expect(table.handler(of: "/ocpp") == 1)
    table["/"] = nil
    #expect(table.handler(of: "/other") == nil)
  }

  @Test func `a wait of thousands of years is one that does not end`() throws {
    let ages = Duration.seconds(8_000 * 365 * 86_400)
    #expect(ages.wholeNanoseconds > Duration.seconds(290 * 365 * 86_400).wholeNanoseconds)
    #expect((.zero - ages).wholeNanoseconds == -ages.wholeNanoseconds)
    let now = MonotonicTime.now
    #expect(now < now.advanced(by: ages) && now.advanced(by: .zero - ages) < now)
    let loop = try EventLoop()
    let timer = loop.after(ages) {}
    loop.sync {}
    timer.cancel()
    loop.stop()
  }
}

private enum Thread {
  static func start(_ body: @escaping @Sendable () -> Void) {
    final class Box: Sendable {
      let body: @Sendable () -> Void
      init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    var thread = pthread_t()
    pthread_create(
      &thread, nil,
      { box in
        if let box { Unmanaged<Box>.fromOpaque(box).takeRetainedValue().body() }
        return nil
      }, Unmanaged.passRetained(Box(body)).toOpaque())
    pthread_detach(thread)
  }
}
