import Control
import Documents
import Explanation
import Foundation
import Quantities
import Simulation
import Site
import Threads
import Testing

@testable import Journal
@testable import Record

/// The third promise, on real journals of random hub-days.
@Suite struct ExplainTests {
  /// A simulated hub's record, and what a mind that thinks it again knows at each decision.
  struct Life {
    let seed: UInt64
    let batches: [Batch]
    let snapshot: Snapshot?
    var inputs: [UInt64: Inputs] = [:]
    private struct Key: Hashable { var seed: UInt64, hours: Int }
    private static let lived = Locked<[Key: Life]>([:])
    /// The one of a seed, lived once for all tests.
    static func of(seed: UInt64, hours: Int = 3) throws -> Life {
      try lived.with { lived in
        let key = Key(seed: seed, hours: hours)
        if let life = lived[key] { return life }
        let life = try Life(seed: seed, hours: hours)
        lived[key] = life
        return life
      }
    }
    private init(seed: UInt64, hours: Int) throws {
      self.seed = seed
      var options = Simulation.Options()
      (options.faults, options.arrivals, options.checksReplay, options.keepsInputs) = (.mixed(seed: seed), 1200, true, true)
      options.faults.clockStep = 0
      options.faults.storeFailure = 0
      var generator = HubGenerator.Options()
      generator.mostConnectors = 12
      let simulation = Simulation(seed: seed, made: HubGenerator.make(seed: seed, generator), options: options)
      simulation.run(until: hours * 3_600_000)
      (batches, snapshot) = (simulation.mind.driver.store.batches, simulation.mind.driver.store.snapshot)
      var mind = SiteController()
      for case .whole(let entry) in try batches.flatMap({ try $0.entries() }) {
        _ = mind.handle(entry.event, at: entry.stamp)
        if !entry.mentions.isEmpty { inputs[entry.stamp.sequence] = Inputs(of: mind, at: entry.stamp) }
      }
    }
    /// Writes it to a journal, batch after batch.
    func write(to waiting: Waiting) {
      for batch in batches {
        let report = waiting.write(batch, snapshot: snapshot?.stamp.sequence == batch.last ? snapshot : nil)
        #expect(report == .durable(through: batch.last), "seed \(seed)")
      }
    }
    /// A folder with its journal, closed.
    func kept() throws -> Folder {
      let folder = try Folder()
      let waiting = try Waiting(folder.journal)
      write(to: waiting)
      waiting.store.close()
      return folder
    }
  }

  @Test(arguments: 1...6 as ClosedRange<UInt64>)
  func `a transaction is explained by what the mind knew when it decided`(seed: UInt64) throws {
    let life = try Life.of(seed: seed)
    let folder = try Folder()
    let waiting = try Waiting(folder.journal)
    life.write(to: waiting)
    let reader = try JournalReader(path: folder.journal)
    #expect(try reader.verify().breach == nil)
    var explained = 0
    for record in try reader.transactions() {
      let whole = try reader.explain(transaction: record.id)
      #expect(whole.gaps.isEmpty, "seed \(seed): \(whole.gaps)")
      for profile in whole.story.profiles.prefix(3) {
        guard let at = profile.appliedFrom, at >= record.startedAt, record.endedAt.map({ at <= $0 }) ?? true else { continue }
        let explanation = try reader.explain(transaction: record.id, at: at)
        let applied = try #require(explanation.moment.applied)
        #expect(explanation.inputs == life.inputs[applied.stamp.sequence], "seed \(seed), transaction \(record.id)")
        explained += 1
      }
    }
    #expect(explained > 0, "seed \(seed)")
    waiting.store.close()
  }

  @Test func `a changed byte of a block, a missing one and one that was put in its place are found`() throws {
    let life = try Life.of(seed: 2, hours: 2)
    let folder = try life.kept()
    let database = try Database(path: folder.journal)
    let reader = try JournalReader(path: folder.journal)
    let whole = try reader.verify()
    #expect(whole.breach == nil && whole.references > 20)
    let rows = try database.query("SELECT id, key, bytes, size FROM kept_blocks") {
      (id: $0.integer(0), key: $0.blob(1), packed: $0.packed(2, size: 3))
    }
    var dice: UInt64 = 77
    for _ in 0..<60 {
      dice = dice &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let (id, _, packed) = rows[Int(dice >> 33) % rows.count]
      var changed = packed
      changed.bytes[Int(dice >> 13) % packed.bytes.count] ^= UInt8(1 << (dice >> 60 & 7))
      try database.run("UPDATE kept_blocks SET bytes = ? WHERE id = ?", [.blob(changed.bytes), .integer(id)])
      // The last bits of what is packed may mean nothing.
      let means = changed.unpacked != packed.unpacked
      #expect(try reader.verify().breach == (means ? .block(row: id) : nil))
      try database.run("UPDATE kept_blocks SET bytes = ? WHERE id = ?", [.blob(packed.bytes), .integer(id)])
    }
    for (id, key, packed) in rows.prefix(6) {
      try database.run("DELETE FROM kept_blocks WHERE id = ?", [.integer(id)])
      guard case .missing? = try reader.verify().breach else {
        Issue.record("a missing block was not found: \(id)")
        return
      }
      // A block that is right in itself, but that no entry names.
      let other = Block(.circuits, packed.unpacked + [0])
      try database.run(
        "INSERT INTO kept_blocks VALUES (?, 2, 1, ?, ?, NULL)", [.integer(id), .blob(other.reference.key), .blob(other.bytes)])
      guard case .missing? = try reader.verify().breach else {
        Issue.record("a false block was not found: \(id)")
        return
      }
      try database.run(
        "UPDATE kept_blocks SET key = ?, bytes = ?, size = ? WHERE id = ?",
        [.blob(key), .blob(packed.bytes), Cell(packed.size), .integer(id)])
    }
    try database.run("DELETE FROM raw_readings WHERE first = (SELECT max(first) FROM raw_readings)")
    guard case .readings? = try reader.verify().breach else {
      Issue.record("missing raw readings were not found")
      return
    }
  }

  @Test func `a table of transactions that says other than the entries is found, and replay stops at what was changed`() throws {
    let life = try Life.of(seed: 2, hours: 2)
    let folder = try life.kept()
    let database = try Database(path: folder.journal)
    let reader = try JournalReader(path: folder.journal)
    let id = try #require(try reader.transactions().map(\.id).min())
    let link = try reader.verify().link
    #expect(try reader.passes(link) && !reader.passes(Batch.genesis))
    for change in [
      "UPDATE transactions SET id_tag = 'forged', started_at_ms = started_at_ms - 3600000 WHERE id = \(id)",
      "UPDATE transactions SET station = station + 1 WHERE id = \(id)", "DELETE FROM transactions WHERE id = \(id)",
    ] {
      try database.execute(change)
      #expect(try reader.verify().breach == .transaction(id: id), "\(change)")
      try database.execute("DELETE FROM transactions")
      for batch in life.batches { #expect(try Projection.project(batch, into: database)) }
      #expect(try reader.verify().breach == nil)
    }
    #expect(try reader.replay(version: "simulation").faults.isEmpty)
    let place = life.batches.count / 2
    try database.run(
      "UPDATE batches SET kept = zeroblob(7) WHERE first = ?", [.integer(Int(life.batches[place].first))])
    let replay = try reader.replay(version: "simulation")
    #expect(replay.faults.count == 1 && replay.faults[0].contains("from \(life.batches[place].first) on"), "\(replay.faults)")
    // A controller does not begin with what somebody else wrote; what lies before its snapshot it does not read.
    try database.execute("DELETE FROM snapshots")
    #expect(throws: Verification.Breach.link(first: life.batches[place].first)) { _ = try reader.restore() }
    // Where the end is cut off the chain is whole; a link that was kept elsewhere says so.
    try database.run("DELETE FROM batches WHERE first >= ?", [.integer(Int(life.batches[place].first))])
    #expect(try !reader.passes(link))
  }

  @Test func `inputs are found by their whole digest, and a batch that was changed names none`() throws {
    let life = try Life.of(seed: 4, hours: 2)
    let folder = try life.kept()
    let database = try Database(path: folder.journal)
    let reader = try JournalReader(path: folder.journal)
    let entries = try life.batches.flatMap { try $0.entries() }.filter { !$0.mentions.isEmpty }
    var later: (entry: Batch.Remains, named: UInt64)?
    for entry in entries {
      for case .again(_, let named) in entry.mentions where later == nil && named < entry.stamp.sequence { later = (entry, named) }
      for case .again(_, let named) in entry.mentions { #expect(entry.stamp.sequence - named < InputKeeper.namesAnewAfter) }
    }
    let (entry, named) = try #require(later)
    let reference = try #require(try reader.references(entry.mentions).compactMap { $0 }.first)
    let right = try #require(try reader.row(of: reference))
    // Another block that begins with the same eight bytes, and stands before it.
    try database.run(
      "INSERT INTO kept_blocks VALUES (-1, ?, 1, ?, ?, NULL)",
      [.integer(Int(reference.kind.rawValue)), .blob(reference.key), .blob(right.bytes + [0])])
    #expect(try reader.row(of: reference)?.id == right.id && reader.inputs(of: entry) == life.inputs[entry.stamp.sequence])
    try database.run("DELETE FROM kept_blocks WHERE id = -1")
    let place = try #require(life.batches.firstIndex { $0.first <= named && named <= $0.last })
    try database.run("UPDATE batches SET link = zeroblob(32) WHERE first = ?", [.integer(Int(life.batches[place].first))])
    #expect(throws: Inputs.Fault.self) { try JournalReader(path: folder.journal).inputs(of: entry) }
  }

  @Test func `after thinning the chain is whole, replay begins later and says so, and transactions are explained`() throws {
    for seed in 1...4 as ClosedRange<UInt64> {
      let life = try Life.of(seed: seed)
      let folder = try Folder()
      let waiting = try Waiting(folder.journal)
      life.write(to: waiting)
      let reader = try JournalReader(path: folder.journal)
      let snapshot = try #require(life.snapshot)
      let records = try reader.transactions().filter { $0.startedAt < snapshot.stamp.utc - .minutes(10) }
      let before = try records.map { try reader.explain(transaction: $0.id) }
      let cutoffs = ThinningCutoffs(now: snapshot.stamp.utc + .days(7) - .minutes(1), rawDays: 7, inputDays: 731)
      let thinned = try thin(waiting.store, cutoffs)
      #expect(thinned.readings > 0 && thinned.blocks == 0, "seed \(seed)")
      #expect(try thin(waiting.store, cutoffs) == Thinned(), "a second time there is nothing left: seed \(seed)")
      let report = try reader.verify()
      #expect(report.breach == nil && report.thinned >= thinned.readings && report.thinnedReferences == 0, "seed \(seed)")
      let replay = try reader.replay(version: "simulation")
      #expect(replay.difference == nil && replay.stretches.first?.lowerBound == snapshot.stamp.sequence + 1, "seed \(seed)")
      #expect(replay.passedOver.contains { $0.contains("begins again at the snapshot of entry \(snapshot.stamp.sequence)") })
      for (record, was) in zip(records, before) {
        let now = try reader.explain(transaction: record.id)
        #expect(now.inputs == was.inputs && now.moment.applied?.command == was.moment.applied?.command, "seed \(seed)")
        #expect(now.gaps.contains { $0.contains("thinned away") }, "seed \(seed)")
        #expect(now.story.profiles.map(\.command) == was.story.profiles.map(\.command), "seed \(seed)")
      }
      waiting.store.close()
    }
  }

  func thin(_ store: JournalStore, _ cutoffs: ThinningCutoffs) throws -> Thinned {
    let result = Locked<Result<Thinned, StoreFault>?>(nil)
    let done = DispatchSemaphore(value: 0)
    store.thin(cutoffs) { outcome in
      result.with { $0 = outcome }
      done.signal()
    }
    done.wait()
    return try #require(result.with { $0 }).get()
  }

  @Test func `inputs older than they are wanted go, younger ones stay, and what goes is no breach`() throws {
    let life = try Life.of(seed: 3)
    let folder = try Folder()
    let file = try JournalFile(path: folder.journal, vfs: nil, useStep: 0)
    for batch in life.batches {
      try file.write(batch, snapshot: life.snapshot?.stamp.sequence == batch.last ? life.snapshot : nil)
    }
    let reader = try JournalReader(path: folder.journal)
    // Half of all profiles are older than they are wanted.
    let sent = try reader.transactions().flatMap { try reader.explain(transaction: $0.id).story.profiles.map(\.stamp.utc) }.sorted()
    let cutoff = sent[sent.count / 2]
    let cutoffs = ThinningCutoffs(now: cutoff + .days(731), rawDays: 731, inputDays: 731)
    var sum = Thinned()
    while let piece = try file.thinPiece(cutoffs) { sum = sum + piece }
    #expect(sum.blocks > 0)
    let report = try reader.verify()
    #expect(report.breach == nil && report.thinnedReferences > 0 && report.thinnedReferences < report.references)
    var (gone, kept) = (0, 0)
    for record in try reader.transactions() {
      for profile in try reader.explain(transaction: record.id).story.profiles {
        guard let at = profile.appliedFrom, at >= record.startedAt, record.endedAt.map({ at <= $0 }) ?? true else { continue }
        let explanation = try reader.explain(transaction: record.id, at: at)
        if explanation.inputs == nil {
          gone += 1
          #expect(explanation.gaps.contains { $0.contains("thinned away") } && profile.stamp.utc < cutoff)
        } else {
          kept += 1
        }
      }
    }
    #expect(gone > 0 && kept > 0)
    // What was never thinned must be there.
    try Database(path: folder.journal).execute(
      "DELETE FROM kept_blocks WHERE kind = 6 AND used_sequence = (SELECT max(used_sequence) FROM kept_blocks WHERE kind = 6)")
    guard case .missing? = try reader.verify().breach else {
      Issue.record("a missing block was not found")
      return
    }
  }

  @Test func `a batch that comes while the journal is thinned waits for one piece at most`() throws {
    let life = try Life.of(seed: 1)
    let folder = try Folder()
    let waiting = try Waiting(folder.journal)
    let last = try #require(life.batches.last)
    for batch in life.batches.dropLast() {
      _ = waiting.write(batch, snapshot: life.snapshot?.stamp.sequence == batch.last ? life.snapshot : nil)
    }
    let order = Locked<[String]>([])
    let done = DispatchSemaphore(value: 0)
    waiting.store.thin(ThinningCutoffs(now: last.lastAt + .days(8), rawDays: 7, inputDays: 731)) { result in
      order.with { $0.append("thinned \((try? result.get().readings) ?? -1)") }
      done.signal()
    }
    // Many pieces are needed (64 batches each); the batch is queued behind the first of them.
    #expect(life.batches.count > 64 * 4)
    let report = waiting.write(last)
    order.with { $0.append("durable") }
    #expect(report == .durable(through: last.last))
    done.wait()
    #expect(order.with { $0.first } == "durable")
    #expect(try JournalReader(path: folder.journal).verify().breach == nil)
    waiting.store.close()
  }

  @Test func `a journal is explained while it is being written`() throws {
    let life = try Life.of(seed: 5, hours: 2)
    let folder = try Folder()
    let waiting = try Waiting(folder.journal)
    let reader = try JournalReader(path: folder.journal)
    let written = Locked(false)
    let ended = DispatchSemaphore(value: 0)
    let (batches, store) = (life.batches, waiting)
    nonisolated(unsafe) let writer = store
    Thread.detachNewThread {
      for batch in batches { _ = writer.write(batch) }
      written.with { $0 = true }
      ended.signal()
    }
    var explained = 0
    repeat {
      for record in try reader.transactions(limit: 3) {
        let explanation = try reader.explain(transaction: record.id)
        #expect(explanation.gaps.isEmpty, "\(explanation.gaps)")
        if let applied = explanation.moment.applied {
          #expect(explanation.inputs == life.inputs[applied.stamp.sequence])
          explained += 1
        }
      }
    } while !written.with { $0 }
    ended.wait()
    #expect(explained > 0)
    waiting.store.close()
  }

  @Test func `a journal of the first form opens, is verified, and says that its inputs were not kept`() throws {
    let life = try Life.of(seed: 6, hours: 1)
    let folder = try Folder()
    let old = try Database(path: folder.journal)
    try old.execute("PRAGMA journal_mode = WAL")
    try old.execute("BEGIN; \(Schema.migrations[0]) PRAGMA user_version = 1; COMMIT")
    var link = Batch.genesis
    for batch in life.batches {
      let batch = try firstForm(batch)
      link = batch.link(after: link)
      try insert(batch, link, into: old)
      if let readings = batch.readings, !readings.isEmpty {
        try old.run("INSERT OR IGNORE INTO blocks VALUES (?, ?)", [.blob(batch.readingsDigest), .blob(readings)])
      }
    }
    // As it is found, before a controller has brought it to the newest form, and after.
    for round in 0..<2 {
      if round == 1 { try JournalStore(path: folder.journal) {}.close() }
      let reader = try JournalReader(path: folder.journal)
      #expect(reader.tables == (round == 0 ? 1 : Schema.migrations.count))
      let report = try reader.verify()
      #expect(report.breach == nil && report.link == link && report.references == 0)
      #expect(try reader.replay(version: "simulation").difference == nil)
      #expect(try reader.size().entries == report.entries)
      let id = try #require(try reader.transactions().first { !(try reader.decisions(transaction: $0.id).isEmpty) }?.id)
      let explanation = try reader.explain(transaction: id)
      #expect(!explanation.story.profiles.isEmpty && explanation.inputs == nil)
      #expect(explanation.gaps.contains { $0.contains("before this journal kept them") }, "\(explanation.gaps)")
    }
  }

  @Test func `a journal of the fourth form, with whole digests, opens, is verified and explained, and goes on`() throws {
    let life = try Life.of(seed: 6, hours: 1)
    let folder = try Folder()
    let old = try Database(path: folder.journal)
    try old.execute("PRAGMA journal_mode = WAL")
    try old.execute("BEGIN; \(Schema.migrations[..<4].joined()) PRAGMA user_version = 4; COMMIT")
    let mentioned = try MemoryBlocks(life.batches)
    var link = Batch.genesis
    for batch in life.batches {
      let batch = try thirdForm(batch, mentioned)
      link = batch.link(after: link)
      try insert(batch, link, into: old)
      if let readings = batch.readings, !readings.isEmpty {
        try old.run("INSERT INTO raw_readings VALUES (?, ?)", [.integer(Int(batch.first)), .blob(readings)])
      }
      for block in batch.blocks {
        try old.run(
          "INSERT OR IGNORE INTO kept_blocks (kind, used_sequence, digest, bytes) VALUES (?, ?, ?, ?)",
          [.integer(Int(block.kind.rawValue)), .integer(Int(batch.last)), .blob(block.digest), .blob(block.bytes)])
      }
    }
    // As it is found, after a controller has brought it to the newest form, and after that has written into it.
    for round in 0..<3 {
      if round == 1 { try JournalStore(path: folder.journal) {}.close() }
      if round == 2 {
        let file = try JournalFile(path: folder.journal, vfs: nil)
        var writer = BatchWriter()
        let later = EventStamp(
          utc: try #require(life.batches.last).lastAt, monotonic: Monotonic(milliseconds: 1 << 40), sequence: file.last + 1)
        try writer.append(Entry(stamp: later, event: .deadline, effects: []))
        let batch = writer.finish()
        link = batch.link(after: link)
        try file.write(batch, snapshot: nil)
      }
      let reader = try JournalReader(path: folder.journal)
      #expect(reader.tables == (round == 0 ? 4 : Schema.migrations.count))
      let report = try reader.verify()
      #expect(report.breach == nil && report.link == link && report.references > 20, "round \(round): \(report)")
      var explained = 0
      for record in try reader.transactions() {
        for profile in try reader.explain(transaction: record.id).story.profiles.prefix(3) {
          let end = try record.endedAt ?? #require(life.batches.last).lastAt
          guard let at = profile.appliedFrom, at >= record.startedAt, at <= end else { continue }
          let explanation = try reader.explain(transaction: record.id, at: at)
          #expect(explanation.inputs == life.inputs[try #require(explanation.moment.applied).stamp.sequence])
          explained += 1
        }
      }
      #expect(explained > 0)
    }
  }

  /// As forms before the fifth had batches, and what is worked out from them.
  func insert(_ batch: Batch, _ link: [UInt8], into old: Database) throws {
    try old.run(
      """
      INSERT INTO batches (first, last, first_at_ms, last_at_ms, kept, kept_digest, readings_digest, link)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)
      """,
      [
        .integer(Int(batch.first)), .integer(Int(batch.last)), .integer(batch.firstAt.milliseconds),
        .integer(batch.lastAt.milliseconds), .blob(batch.kept), .blob(batch.keptDigest), .blob(batch.readingsDigest), .blob(link),
      ])
    #expect(try Projection.project(batch, into: old))
  }

  /// The same entries, each mention with its digest, as the third form had them.
  func thirdForm(_ batch: Batch, _ blocks: MemoryBlocks) throws -> Batch {
    var writer = BatchWriter()
    for case .whole(var entry) in try batch.entries() {
      entry.mentions = blocks.references(entry.mentions).compactMap { $0.map(BlockMention.named) }
      try writer.append(entry)
    }
    var old = writer.finish()
    old.kept[0] = 3
    old.keptDigest = SHA256.digest(old.kept)
    old.blocks = batch.blocks
    return old
  }

  /// The same entries without what they name, as the first form had them.
  func firstForm(_ batch: Batch) throws -> Batch {
    var writer = BatchWriter()
    for case .whole(var entry) in try batch.entries() {
      entry.mentions = []
      try writer.append(entry)
    }
    var plain = writer.finish()
    let readings = try OldReadings.section(of: plain)
    (plain.readings, plain.readingsDigest) = (readings, SHA256.digest(readings))
    plain.kept[0] = 1
    plain.keptDigest = SHA256.digest(plain.kept)
    return plain
  }

  @Test func `what cannot be explained is said`() throws {
    let life = try Life.of(seed: 1, hours: 1)
    let folder = try Folder()
    let waiting = try Waiting(folder.journal)
    let reader = try JournalReader(path: folder.journal)
    #expect(throws: ExplainingFault.unknown(transaction: 4, from: nil, newest: [])) { try reader.explain(transaction: 4) }
    life.write(to: waiting)
    do {
      _ = try reader.explain(transaction: 987_654)
      Issue.record("explained a transaction that is not there")
    } catch { #expect("\(error)".contains("begins 2026-")) }
    let record = try #require(try reader.transactions().last)
    #expect(throws: ExplainingFault.self) { try reader.explain(transaction: record.id, at: record.startedAt - .seconds(1)) }
    waiting.store.close()
    let database = try Database(path: folder.journal)
    try database.execute(
      "UPDATE batches SET kept = zeroblob(9) WHERE first <= \(record.openedSequence + 40) AND last >= \(record.openedSequence)")
    let explanation = try reader.explain(transaction: record.id)
    #expect(explanation.gaps.contains { $0.contains("other bytes than were recorded") })
  }

  @Test func `the size of a journal is told by kind of record and by day`() throws {
    let life = try Life.of(seed: 2, hours: 2)
    let folder = try life.kept()
    let size = try JournalReader(path: folder.journal).size()
    #expect(size.parts.reduce(0) { $0 + $1.bytes } == size.fileBytes)
    let packed = life.batches.reduce(0) { $0 + Packed(packing: $1.kept).bytes.count }
    #expect(size.parts.first { $0.name == "events and effects" }?.bytes == packed)
    #expect(size.parts.contains { $0.name == "blocks: circuits and connectors" && $0.bytes > 0 })
    #expect(size.days.reduce(0) { $0 + $1.entries } == Int(size.entries))
    #expect(size.days.reduce(0) { $0 + $1.blocks } == size.parts.filter { $0.name.hasPrefix("blocks") }.reduce(0) { $0 + $1.bytes })
    #expect(size.bytesPerDay.map { $0 > size.fileBytes } == true && size.bytesPerEntry > 0)
  }
}
