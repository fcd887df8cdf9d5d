import CFaultyVFS
import ChargingProfiles
import Control
import Quantities
import Record
import Site
import Testing

@testable import Journal

@Suite struct JournalTests {
  @Test func `what was written is read back, verified, and told apart from what was not`() throws {
    let folder = try Folder()
    let waiting = try Waiting(folder.journal)
    let batches = [try batch(1...10), try batch(11...11, [11: (.deadline, [])]), try batch(12...40)]
    for batch in batches { #expect(waiting.write(batch) == .durable(through: batch.last)) }
    let reader = try JournalReader(path: folder.journal)
    var read: [Batch] = []
    try reader.batches(5...12) { batch in
      read.append(batch)
      return true
    }
    #expect(read == batches)
    let report = try reader.verify()
    #expect(report.breach == nil && report.batches == 3 && report.entries == 40 && report.thinned == 0)
    #expect(report.link == batches.reduce(Batch.genesis) { $1.link(after: $0) })
  }

  @Test(arguments: 1...20) func `whatever is packed comes back, and what was not packed is nothing`(seed: UInt64) {
    var dice = seed &* 0x9e37_79b9_7f4a_7c15
    func roll(_ bound: Int) -> Int {
      dice = dice &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(dice >> 33) % bound
    }
    for _ in 0..<50 {
      // From all the same to all by chance.
      let kinds = 1 + roll(256)
      let plain = (0..<roll(3000)).map { _ in UInt8(roll(kinds)) }
      let packed = Packed(packing: plain)
      #expect(packed.unpacked == plain && packed.bytes.count <= plain.count, "seed \(seed)")
      for size in [packed.size.map { $0 - 1 }, packed.size.map { $0 + 1 }, -1, .max] where size != nil {
        #expect(Packed(packed.bytes, size: size).unpacked.isEmpty, "seed \(seed)")
      }
      if packed.size != nil {
        #expect(Packed(packed.bytes + [0], size: packed.size).unpacked.isEmpty && Packed([], size: packed.size).unpacked.isEmpty)
      }
      let noise = Packed((0..<roll(200)).map { _ in UInt8(roll(256)) }, size: 1 + roll(400)).unpacked
      #expect(noise.count <= 400)
    }
    #expect(Packed(packing: [UInt8](repeating: 7, count: 10_000)).bytes.count < 100)
  }

  @Test func `a changed byte, a changed time and a missing batch are found`() throws {
    let changes: [(String, Verification.Breach)] = [
      ("UPDATE batches SET kept = zeroblob(5) WHERE first = 11", .link(first: 11)),
      (
        "UPDATE raw_readings SET bytes = zeroblob(5) WHERE first = 21",
        .otherReadings(first: 21)
      ),
      ("UPDATE batches SET last_at_ms = last_at_ms + 1 WHERE first = 11", .link(first: 11)),
      ("UPDATE batches SET last = 9223372036854775807 WHERE first = 11", .link(first: 11)),
      ("PRAGMA ignore_check_constraints = ON; UPDATE batches SET last = 3 WHERE first = 11", .link(first: 11)),
      ("DELETE FROM batches WHERE first = 11", .gap(after: 10, next: 21)),
      ("UPDATE snapshots SET state = zeroblob(3)", .snapshots(1)),
    ]
    for (change, breach) in changes {
      let folder = try Folder()
      let waiting = try Waiting(folder.journal)
      let snapshot = Snapshot(stamp: stamp(30), version: "1", state: [1, 2, 3])
      for (batch, snapshot) in [(try batch(1...10), nil), (try batch(11...20), nil), (try batch(21...30), snapshot)] {
        _ = waiting.write(batch, snapshot: snapshot)
      }
      waiting.store.close()
      let reader = try JournalReader(path: folder.journal)
      #expect(try reader.verify().breach == nil)
      try Database(path: folder.journal).execute(change)
      #expect(try reader.verify().breach == breach)
    }
  }

  @Test func `a full disk is said, and the same batch is kept when there is room again`() throws {
    let disk = try FaultyDisk()
    let folder = try Folder()
    let waiting = try Waiting(folder.journal, vfs: disk.vfs)
    #expect(waiting.write(try batch(1...10)) == .durable(through: 10))
    disk.arm(FAULTY_FULL)
    #expect(waiting.write(try batch(11...20)) == .failed(first: 11, .full))
    #expect(waiting.write(try batch(11...20)) == .failed(first: 11, .full))
    disk.arm(FAULTY_NONE)
    #expect(waiting.write(try batch(11...20)) == .durable(through: 20))
    waiting.store.close()
    #expect(try JournalReader(path: folder.journal).verify().entries == 20)
  }

  @Test func `a value that is too large is an error, and the connection goes on`() throws {
    let database = try Database(path: ":memory:")
    try database.execute("CREATE TABLE pieces (bytes BLOB)")
    database.limitValues(to: 1000)
    for cell in [Cell.blob([UInt8](repeating: 1, count: 1001)), .text(String(repeating: "a", count: 1001))] {
      do throws(DatabaseError) {
        try database.run("INSERT INTO pieces VALUES (?)", [cell])
        Issue.record("it was taken")
      } catch {
        #expect(error.code & 0xff == 18, "SQLITE_TOOBIG")
      }
    }
    try database.run("INSERT INTO pieces VALUES (?)", [.blob([UInt8](repeating: 1, count: 900))])
    #expect(try database.query("SELECT length(bytes) FROM pieces") { $0.integer(0) } == [900])
  }

  @Test func `after a disk was full for long the chain is whole, says what was left out, and is thought again around it`() throws {
    let disk = try FaultyDisk()
    let folder = try Folder()
    let waiting = try Waiting(folder.journal, vfs: disk.vfs)
    let hub = Hub(
      id: "yard",
      circuits: [Circuit(id: "connection", rating: PerPhase(all: .amperes(63)), baseWorst: PerPhase(all: .amperes(20)))],
      stations: [Station(id: "A", connectors: 0..<1)], connectors: [Connector(station: 0, number: 1, circuit: 0)])
    var driver = Driver(
      store: waiting.store, version: "1", timing: RecordTiming(linger: .zero, batchBytes: 1024, mostWaiting: 4096))
    var now = 0
    func step(_ event: Event?) {
      now += 200
      let (utc, monotonic) = (noon + .milliseconds(now), Monotonic(milliseconds: now))
      _ = driver.decide(event, utc: utc, monotonic: monotonic)
      driver.keep(monotonic: monotonic)
    }
    step(.configured(hub, version: "1"))
    waiting.store.flush()
    step(nil)
    disk.arm(FAULTY_FULL)
    for number in UInt64(1)...3000 {
      let register = Energy(raw: Int((number &* 0x9e37_79b9_7f4a_7c15) >> 30))
      let sample = Event.station(0, .sampled(connector: 1, transaction: nil, ConnectorSample(takenAt: nil, register: register)))
      step(number % 100 == 0 ? .station(0, number % 200 == 0 ? .disconnected : .connected) : sample)
      if number % 50 == 0 { waiting.store.flush() }
    }
    #expect(driver.storeHasFailed && driver.leavesOutReadings)
    disk.arm(FAULTY_NONE)
    now += 60_000
    for _ in 0..<1000 where !driver.isDurable {
      step(nil)
      waiting.store.flush()
      if !driver.isDurable { driver.finish(monotonic: Monotonic(milliseconds: now)) }
    }
    #expect(driver.isDurable)
    waiting.store.close()

    let reader = try JournalReader(path: folder.journal)
    let verified = try reader.verify()
    #expect(verified.breach == nil && verified.entries == driver.stamp.sequence && verified.thinned == 0)
    #expect(verified.leftOut > 0 && verified.leftOut == driver.readingsLeftOut)
    let restored = try #require(try reader.restore())
    #expect(restored.difference == nil && restored.stamp == driver.stamp)
    let report = try reader.replay(version: "1")
    #expect(report.difference == nil && report.faults.isEmpty)
    #expect(report.passedOver.contains { $0.contains("left out") })
    #expect(report.stretches.first?.lowerBound == 1)
  }

  @Test func `an input or output error at any write is said, and what was durable stays`() throws {
    let disk = try FaultyDisk()
    var failures = 0
    for after in 0..<24 {
      let folder = try Folder()
      let waiting = try Waiting(folder.journal, vfs: disk.vfs)
      disk.arm(FAULTY_ERROR, after: after)
      var durable: UInt64 = 0
      for first in stride(from: UInt64(1), to: 60, by: 10) {
        let batch = try batch(first...(first + 9))
        var report = waiting.write(batch)
        if case .failed? = report {
          failures += 1
          disk.arm(FAULTY_NONE)
          report = waiting.write(batch)
        }
        #expect(report == .durable(through: batch.last), "after \(after) writes")
        durable = batch.last
      }
      waiting.store.close()
      let report = try JournalReader(path: folder.journal).verify()
      #expect(report.breach == nil && report.entries == durable, "after \(after) writes")
    }
    #expect(failures > 10)
  }

  @Test func `power lost in the middle of any write loses nothing that was said to be durable`() throws {
    let disk = try FaultyDisk()
    var torn = 0
    for after in 0..<40 {
      let folder = try Folder()
      var durable: UInt64 = 0
      do {
        let waiting = try Waiting(folder.journal, vfs: disk.vfs)
        disk.arm(FAULTY_TORN, after: after)
        for first in stride(from: UInt64(1), to: 90, by: 10) {
          guard case .durable(let through)? = waiting.write(try batch(first...(first + 9))) else {
            torn += 1
            break
          }
          durable = through
        }
        waiting.store.close()
      }
      disk.arm(FAULTY_NONE)
      let again = try Waiting(folder.journal, vfs: disk.vfs)
      let report = try JournalReader(path: folder.journal).verify()
      #expect(report.breach == nil && report.entries >= durable, "after \(after) writes")
      #expect(again.write(try batch((report.entries + 1)...(report.entries + 5))) == .durable(through: report.entries + 5))
      again.store.close()
    }
    #expect(torn > 20)
  }

  @Test func `thinning keeps the chain, the newest days and what a restart needs`() throws {
    let folder = try Folder()
    let waiting = try Waiting(folder.journal)
    for first in stride(from: UInt64(1), to: 60, by: 10) {
      // The newest snapshot knows everything up to 40.
      let snapshot = first == 31 ? Snapshot(stamp: stamp(40), version: "1", state: [1]) : nil
      _ = waiting.write(try batch(first...(first + 9)), snapshot: snapshot)
    }
    waiting.store.close()

    func thin(before second: Int) throws -> Thinned {
      let file = try JournalFile(path: folder.journal, vfs: nil)
      var sum = Thinned()
      let cutoffs = ThinningCutoffs(now: noon + .seconds(second) + .days(7), rawDays: 7, inputDays: 731)
      while let piece = try file.thinPiece(cutoffs) { sum = sum + piece }
      return sum
    }
    func whole() throws -> [UInt64] {
      var whole: [UInt64] = []
      try JournalReader(path: folder.journal).batches(1...60) { batch in
        if batch.readings != nil { whole.append(batch.first) }
        return true
      }
      return whole
    }
    // The batch that ends at second 20 is the newest that is older than second 21.
    #expect(try thin(before: 21).readings == 2)
    #expect(try whole() == [21, 31, 41, 51])
    #expect(try thin(before: 1000).readings == 2)
    #expect(try whole() == [41, 51])
    let report = try JournalReader(path: folder.journal).verify()
    #expect(report.breach == nil && report.thinned == 4 && report.entries == 60)
    #expect(try JournalReader(path: folder.journal).retention().readings == 40)
  }

  @Test func `the chain tells what was thinned from what was taken away`() throws {
    let folder = try Folder()
    func write(_ range: ClosedRange<UInt64>, snapshot: UInt64? = nil) throws {
      let waiting = try Waiting(folder.journal)
      let snapshot = snapshot.map { Snapshot(stamp: stamp($0), version: "1", state: [1]) }
      #expect(waiting.write(try batch(range), snapshot: snapshot) == .durable(through: range.upperBound))
      waiting.store.close()
    }
    for first in stride(from: UInt64(1), to: 50, by: 10) { try write(first...(first + 9), snapshot: first == 41 ? 50 : nil) }
    let file = try JournalFile(path: folder.journal, vfs: nil)
    let cutoffs = ThinningCutoffs(now: noon + .seconds(21) + .days(7), rawDays: 7, inputDays: 731)
    while try file.thinPiece(cutoffs) != nil {}
    let reader = try JournalReader(path: folder.journal)
    func verified() throws -> String {
      let report = try reader.verify()
      return "\(report.breach?.description ?? "whole"), \(report.thinned) thinned, \(report.unconfirmed) unconfirmed"
    }
    #expect(try verified() == "whole, 2 thinned, 2 unconfirmed", "no batch was written since")
    try write(51...60)
    #expect(try verified() == "whole, 2 thinned, 0 unconfirmed")
    #expect(try reader.verify().youngestThinned == .seconds(40))
    try write(61...70)
    #expect(try verified() == "whole, 2 thinned, 0 unconfirmed", "told once")

    let hand = try Database(path: folder.journal)
    func attempt(_ change: String, _ undo: String, _ expected: String) throws {
      try hand.execute(change)
      #expect(try verified() == expected, "\(change)")
      try hand.execute(undo)
      #expect(try verified() == "whole, 2 thinned, 0 unconfirmed", "\(undo)")
    }
    try hand.execute("CREATE TEMP TABLE spare AS SELECT * FROM raw_readings WHERE first = 31")
    try attempt(
      "DELETE FROM raw_readings WHERE first = 31", "INSERT INTO raw_readings SELECT * FROM spare",
      "\(Verification.Breach.readings(first: 31)), 3 thinned, 1 unconfirmed")
    try attempt(
      "DELETE FROM raw_readings WHERE first = 31; UPDATE retention SET through = 40 WHERE what = 'readings'",
      "INSERT INTO raw_readings SELECT * FROM spare; UPDATE retention SET through = 20 WHERE what = 'readings'",
      "whole, 3 thinned, 1 unconfirmed")
    try hand.execute("CREATE TEMP TABLE told AS SELECT marks FROM batches WHERE first = 51")
    for forged in ["x'0100280000'", "x'09'", "NULL"] {
      try hand.execute("UPDATE batches SET marks = \(forged) WHERE first = 51")
      #expect(try reader.verify().breach == .link(first: 51), "\(forged)")
      try hand.execute("UPDATE batches SET marks = (SELECT marks FROM told) WHERE first = 51")
    }
    #expect(try verified() == "whole, 2 thinned, 0 unconfirmed")
  }

  @Test func `transactions, decisions and the life of a profile can be asked for`() throws {
    let folder = try Folder()
    let waiting = try Waiting(folder.journal)
    let schedule = try Schedule(unit: .amperes, periods: [.init(start: .zero, tenths: 160)])
    let profile = ChargingProfile(id: 1, stackLevel: 0, purpose: .transaction(id: 7), kind: .absolute, schedule: schedule)
    let opened = TransactionChange.opened(
      id: 7, station: 2, connector: 1, idTag: "A", meterStart: .wattHours(5), at: noon, late: true)
    let decision = Decision(
      connector: 4, transaction: 7, offer: .amperes(16), command: CommandID(9), reason: .full(circuit: 0, phase: .l2))
    _ = waiting.write(
      try batch(
        1...4,
        [
          1: (
            .deadline,
            [
              .transaction(opened), .decided(decision),
              .command(CommandID(9), station: 2, .setProfile(connector: 1, profile), .increase),
            ]
          ), 2: (.station(2, .outcome(CommandID(9), .sent)), []),
          3: (.station(2, .outcome(CommandID(9), .refused("Rejected"))), []),
          4: (.cancelled([CommandID(9), CommandID(10)]), []),
        ]))
    let reader = try JournalReader(path: folder.journal)
    let transaction = try reader.transactions(id: 7).first
    #expect(transaction?.station == 2 && transaction?.late == true && transaction?.endedAt == nil)
    #expect(try reader.decisions(transaction: 7).map(\.decision) == [decision])
    let steps = try reader.profileSteps(transaction: 7)
    #expect(
      steps.map(\.what) == [
        .asked(.setProfile(connector: 1, profile), .increase), .became(.sent), .became(.refused("Rejected")), .cancelled,
      ])
    #expect(steps.allSatisfy { $0.command == CommandID(9) } && steps.map(\.stamp.sequence) == [1, 2, 3, 4])
    #expect(try reader.decisions(transaction: 8).isEmpty && reader.profileSteps(transaction: 8).isEmpty)
    var inputs: [Event] = []
    try reader.entries(of: try #require(transaction)) { remains in
      if case .whole(let entry) = remains { inputs.append(entry.event) }
      return inputs.count < 3
    }
    #expect(
      inputs == [.deadline, .station(2, .outcome(CommandID(9), .sent)), .station(2, .outcome(CommandID(9), .refused("Rejected")))])
    #expect(throws: DatabaseError.self) {
      try Database(path: folder.journal).execute("UPDATE transactions SET station = -1")
    }
  }

  @Test func `a mind that was killed comes back from the journal, and thinking again agrees`() throws {
    let folder = try Folder()
    let hub = Hub(
      id: "yard",
      circuits: [Circuit(id: "connection", rating: PerPhase(all: .amperes(63)), baseWorst: PerPhase(all: .amperes(20)))],
      stations: [Station(id: "A", connectors: 0..<1)], connectors: [Connector(station: 0, number: 1, circuit: 0)])
    var last: UInt64 = 0
    for life in 0..<4 {
      let waiting = try Waiting(folder.journal)
      let restored = try JournalReader(path: folder.journal).restore()
      #expect((restored == nil) == (life == 0) && restored?.difference == nil)
      #expect(restored?.stamp.sequence ?? 0 == last)
      var driver = Driver(
        store: waiting.store, version: "1", restored: restored, timing: RecordTiming(linger: .zero, snapshots: .seconds(4)))
      let start = noon + .seconds(life * 100)
      for second in 0..<10 {
        let event: Event =
          second > 0
          ? .station(0, second % 2 == 0 ? .disconnected : .connected)
          : life == 0 ? .configured(hub, version: "1") : .restarted(version: "1")
        _ = driver.handle(event, utc: start + .seconds(second), monotonic: Monotonic(milliseconds: second * 1000))
        waiting.store.flush()
      }
      _ = driver.wake(utc: start + .seconds(10), monotonic: Monotonic(milliseconds: 10_000))
      waiting.store.close()
      last = try UInt64(JournalReader(path: folder.journal).verify().entries)
      #expect(last >= UInt64(life + 1) * 9)
    }
    let report = try JournalReader(path: folder.journal).replay(version: "1")
    #expect(report.difference == nil && report.events >= Int(last) && report.passedOver.isEmpty)
    let other = try JournalReader(path: folder.journal).replay(version: "2")
    #expect(other.events == 0 && other.faults.count == 1)
  }
}
