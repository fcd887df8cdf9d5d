import Control
import Quantities
import Record
import Site
import Testing

@Suite struct DriverTests {
  func yard() -> Hub {
    Hub(
      id: "yard",
      circuits: [Circuit(id: "connection", rating: PerPhase(all: .amperes(63)), baseWorst: PerPhase(all: .amperes(20)))],
      stations: [Station(id: "A", connectors: 0..<1)], connectors: [Connector(station: 0, number: 1, circuit: 0)])
  }
  func events(_ store: MemoryStore) throws -> [Event] {
    try store.batches.flatMap { try $0.entries() }.compactMap { remains in
      if case .whole(let entry) = remains { return entry.event }
      return nil
    }
  }
  /// Lets virtual time run to `end`, waking the driver when it asks.
  func run(_ driver: inout Driver<MemoryStore>, from start: Int, to end: Int) -> [Effect] {
    var now = start
    var effects: [Effect] = []
    while let wake = driver.nextWake, wake.milliseconds <= end {
      now = max(now, wake.milliseconds)
      effects += driver.wake(utc: noon + .milliseconds(now), monotonic: Monotonic(milliseconds: now))
    }
    return effects
  }

  @Test func `everything that reached the mind is in the store, in order, and thinking again gives the same`() throws {
    var driver = Driver(store: MemoryStore(seed: 5, keepsAll: true), version: "1")
    var dice = Dice(seed: 5)
    _ = driver.handle(.configured(yard(), version: "1"), utc: noon, monotonic: Monotonic(milliseconds: 0))
    for second in 1...50 {
      _ = run(&driver, from: second * 1000 - 1000, to: second * 1000)
      let event = dice.roll(2) == 0 ? Event.reading(dice.reading()) : dice.sample()
      _ = driver.handle(
        second % 10 == 0 ? .station(0, second % 20 == 0 ? .disconnected : .connected) : yardsOnly(event),
        utc: noon + .seconds(second), monotonic: Monotonic(milliseconds: second * 1000))
    }
    driver.finish(monotonic: Monotonic(milliseconds: 50_000))
    _ = run(&driver, from: 50_000, to: 70_000)
    #expect(try events(driver.store).first == .configured(yard(), version: "1"))
    let restored = try Restored(snapshot: nil, batches: driver.store.batches)
    #expect(restored.difference == nil)
    #expect(restored.stamp.sequence >= 51)
    var link = Batch.genesis
    for batch in driver.store.batches { link = batch.link(after: link) }
    #expect(link == driver.store.link)
    let again = try Restored(snapshot: driver.store.snapshot, batches: driver.store.batches)
    #expect(try BinaryEncoder.encode(again.controller) == BinaryEncoder.encode(restored.controller))
  }
  @Test(arguments: 1...20)
  func `what was decided is written down by the next call, whichever that is, and thinking again gives the same`(seed: UInt64)
    throws
  {
    var driver = Driver(store: MemoryStore(seed: seed, keepsAll: true), version: "1", keepsInputs: true)
    var dice = Dice(seed: seed)
    var fed: [Event] = [.configured(yard(), version: "1")]
    _ = driver.decide(fed[0], utc: noon, monotonic: Monotonic(milliseconds: 0))
    #expect(!driver.isDurable && driver.nextWake != nil)
    for second in 1...50 {
      let (utc, now) = (noon + .seconds(second), Monotonic(milliseconds: second * 1000))
      let event = second % 10 == 0 ? .station(0, second % 20 == 0 ? .disconnected : .connected) : yardsOnly(dice.sample())
      fed.append(event)
      switch dice.roll(4) {
      case 0: _ = driver.handle(event, utc: utc, monotonic: now)
      case 1: _ = driver.decide(event, utc: utc, monotonic: now)
      case 2:
        _ = driver.decide(event, utc: utc, monotonic: now)
        driver.keep(monotonic: now)
      default:
        _ = driver.decide(event, utc: utc, monotonic: now)
        _ = driver.wake(utc: utc, monotonic: now)
      }
    }
    driver.finish(monotonic: Monotonic(milliseconds: 50_000))
    _ = run(&driver, from: 50_000, to: 70_000)
    #expect(driver.isDurable)
    let kept = try events(driver.store)
    #expect(kept.filter { $0 != .deadline } == fed)
    #expect(try Restored(snapshot: nil, batches: driver.store.batches).difference == nil)
  }

  /// The yard has no meter and one connector: keep events to what exists.
  func yardsOnly(_ event: Event) -> Event {
    if case .station(_, .sampled(_, let transaction, let sample)) = event {
      return .station(0, .sampled(connector: 1, transaction: transaction, sample))
    }
    return .clockStepped(by: .seconds(1))
  }

  @Test func `a store that fails is said to the mind once, is tried again, and loses nothing`() throws {
    var store = MemoryStore(seed: 1, keepsAll: true)
    store.fault = .full
    var driver = Driver(store: store, version: "1")
    _ = driver.handle(.configured(yard(), version: "1"), utc: noon, monotonic: Monotonic(milliseconds: 0))
    _ = run(&driver, from: 0, to: 60_000)
    #expect(driver.storeHasFailed && driver.lastFault == .full && driver.store.batches.isEmpty)
    driver.store.fault = nil
    _ = run(&driver, from: 60_000, to: 200_000)
    #expect(!driver.storeHasFailed)
    let kept = try events(driver.store)
    #expect(kept.filter { $0 == .storeFailed }.count == 1 && kept.filter { $0 == .storeRecovered }.count == 1)
    #expect(try Restored(snapshot: nil, batches: driver.store.batches).difference == nil)
  }

  /// What a store that fails for half an hour is given: samples, and now and then something that has to be kept.
  struct LongFailure {
    var driver: Driver<MemoryStore>
    var fed: [Event]
    var samples = 0
    var mostWaiting = 0
    var now = 0

    init(_ timing: RecordTiming, hub: Hub) {
      driver = Driver(store: MemoryStore(seed: 3, keepsAll: true), version: "1", timing: timing)
      fed = [.configured(hub, version: "1")]
      _ = driver.handle(fed[0], utc: noon, monotonic: Monotonic(milliseconds: 0))
      wake()
      driver.store.fault = .full
      var dice = Dice(seed: 3)
      for number in 1...8000 {
        now += 200
        let isSample = number % 100 != 0
        let sample = ConnectorSample(takenAt: nil, register: Energy(raw: dice.roll(1 << 36)), stateOfCharge: dice.roll(101))
        let event: Event =
          isSample
          ? .station(0, .sampled(connector: 1, transaction: nil, sample))
          : .station(0, number % 200 == 0 ? .disconnected : .connected)
        if isSample { samples += 1 } else { fed.append(event) }
        _ = driver.handle(event, utc: noon + .milliseconds(now), monotonic: Monotonic(milliseconds: now))
        mostWaiting = max(mostWaiting, driver.waitingBytes)
      }
    }
    mutating func wake() {
      now += 1000
      _ = driver.wake(utc: noon + .milliseconds(now), monotonic: Monotonic(milliseconds: now))
    }
    /// The disk is as it was; `look` is called after each step.
    mutating func recover(_ look: (MemoryStore) throws -> Void) throws {
      driver.store.fault = nil
      now += 60_000
      for _ in 0..<1000 where !driver.isDurable {
        wake()
        try look(driver.store)
        if !driver.isDurable { driver.finish(monotonic: Monotonic(milliseconds: now)) }
      }
    }
    /// What was kept of what was fed but samples.
    func kept() throws -> [Event] {
      try driver.store.batches.flatMap { try $0.entries() }.compactMap { remains in
        guard case .whole(let entry) = remains, !entry.isReading else { return nil }
        switch entry.event {
        case .deadline, .storeFailed, .storeRecovered, .cancelled: return nil
        default: return entry.event
        }
      }
    }
    /// Each batch follows the one before, and the links are those of the store.
    func isChain() -> Bool {
      var (link, last) = (Batch.genesis, UInt64(0))
      for batch in driver.store.batches {
        guard batch.first == last + 1 else { return false }
        (link, last) = (batch.link(after: link), batch.last)
      }
      return link == driver.store.link && last == driver.stamp.sequence
    }
  }

  @Test func `while a store fails batches are closed and wait, and all of them are kept when it is whole again`() throws {
    var failure = LongFailure(RecordTiming(batchBytes: 4096), hub: yard())
    #expect(failure.driver.storeHasFailed && failure.driver.waitingBatches > 5 && !failure.driver.leavesOutReadings)
    try failure.recover { _ in }
    let driver = failure.driver
    #expect(driver.isDurable && driver.waitingBytes == 0 && !driver.storeHasFailed)
    #expect(failure.isChain())
    #expect(try failure.kept() == failure.fed)
    for batch in driver.store.batches {
      #expect(batch.kept.count + (batch.readings?.count ?? 0) < 8192 && batch.readingsLeftOut == 0)
    }
    let again = try Restored(snapshot: nil, batches: driver.store.batches)
    #expect(again.difference == nil)
    #expect(try BinaryEncoder.encode(again.controller) == BinaryEncoder.encode(driver.controller))
  }

  @Test func `beyond a bound only raw readings are left out, the record says so, and each restart finds a whole stretch`() throws {
    let timing = RecordTiming(batchBytes: 2048, mostWaiting: 1 << 14)
    var failure = LongFailure(timing, hub: yard())
    #expect(failure.driver.leavesOutReadings)
    var states = 0
    var snapshot: Snapshot?
    try failure.recover { store in
      // A crash now would begin again here.
      let restored = try Restored(snapshot: store.snapshot, batches: store.batches)
      #expect(restored.difference == nil)
      if store.snapshot != snapshot { states = max(states, store.snapshot?.state.count ?? 0) }
      snapshot = store.snapshot
    }
    let (driver, batches) = (failure.driver, failure.driver.store.batches)
    #expect(driver.isDurable && driver.waitingBytes == 0 && !driver.leavesOutReadings)
    #expect(failure.isChain())
    #expect(try failure.kept() == failure.fed)

    let gaps = batches.filter { $0.readingsLeftOut > 0 }
    let leftOut = gaps.reduce(0) { $0 + $1.readingsLeftOut }
    let readings = try batches.flatMap { try $0.entries() }.filter { remains in
      if case .whole(let entry) = remains { return entry.isReading }
      return false
    }
    #expect(leftOut > 0 && leftOut == driver.readingsLeftOut && leftOut + readings.count == failure.samples)
    // Beyond the bound and the batch that reached it there is only what had to be kept, and the mind's states.
    let needed = gaps.reduce(0) { $0 + $1.kept.count + states }
    #expect(failure.mostWaiting <= timing.mostWaiting + 2 * timing.batchBytes + states + needed)
    for batch in batches {
      let most = batch.readingsLeftOut > 0 ? max(timing.batchBytes, states) : timing.batchBytes
      #expect(batch.kept.count + (batch.readings?.count ?? 0) < most + 2048)
    }
    // What was recorded before the first gap is thought again from the beginning; across it nobody thinks.
    let place = try #require(batches.firstIndex { $0.readingsLeftOut > 0 })
    #expect(try Restored(snapshot: nil, batches: Array(batches[..<place])).difference == nil)
    #expect(throws: Replay.Fault.self) { try Restored(snapshot: nil, batches: batches) }
    let again = try Restored(snapshot: driver.store.snapshot, batches: batches)
    #expect(try BinaryEncoder.encode(again.controller) == BinaryEncoder.encode(driver.controller))
  }

  @Test func `after a crash time goes on and sequences are never given twice`() throws {
    var driver = Driver(store: MemoryStore(seed: 8, keepsAll: true), version: "1")
    _ = driver.handle(.configured(yard(), version: "1"), utc: noon, monotonic: Monotonic(milliseconds: 900_000))
    _ = run(&driver, from: 900_000, to: 920_000)
    var store = driver.store
    store.crash()
    let restored = try Restored(snapshot: store.snapshot, batches: store.batches)
    var second = Driver(store: store, version: "1", restored: restored)
    _ = second.handle(.restarted(version: "1"), utc: noon + .seconds(100), monotonic: Monotonic(milliseconds: 40))
    #expect(second.stamp.sequence > restored.stamp.sequence)
    #expect(second.stamp.monotonic >= restored.stamp.monotonic + .seconds(70))
    if let wake = second.nextWake { #expect(wake.milliseconds < 10_000_000) }
  }

  @Test func `a stretch with a hole is refused`() throws {
    var driver = Driver(store: MemoryStore(seed: 2, keepsAll: true), version: "1", timing: RecordTiming(linger: .zero))
    for second in 0..<6 {
      let event: Event = second == 0 ? .configured(yard(), version: "1") : .clockStepped(by: .seconds(3))
      _ = driver.handle(event, utc: noon + .seconds(second), monotonic: Monotonic(milliseconds: second * 1000))
      _ = run(&driver, from: second * 1000, to: second * 1000 + 900)
    }
    var batches = driver.store.batches
    #expect(batches.count > 3)
    batches.remove(at: 1)
    #expect(throws: Replay.Fault.self) { try Restored(snapshot: nil, batches: batches) }
    #expect(throws: Replay.Fault.self) { try Restored(snapshot: nil, batches: Array(batches.dropFirst())) }
  }
}
