import Control
import Quantities

import Simulation
import Site
import Testing

@testable import Record

/// The inputs of decisions, kept as blocks, over random days with every fault.
@Suite struct InputsTests {
  func live(_ seed: UInt64, keepsInputs: Bool = true) -> Simulation {
    var options = Simulation.Options()
    (options.faults, options.arrivals) = (.mixed(seed: seed), 1200)
    (options.checksReplay, options.keepsInputs) = (true, keepsInputs)
    var generator = HubGenerator.Options()
    generator.mostConnectors = 12
    let simulation = Simulation(seed: seed, made: HubGenerator.make(seed: seed, generator), options: options)
    simulation.run(until: 2 * 3_600_000)
    return simulation
  }

  static func isProfile(_ effect: Effect) -> Bool {
    if case .decided(let decision) = effect { return decision.command != nil && decision.transaction != nil }
    return false
  }

  @Test(arguments: 1...12 as ClosedRange<UInt64>)
  func `what is kept with each profile of a transaction is what the mind knows that thinks the record again`(seed: UInt64) throws {
    let batches = live(seed).mind.driver.store.batches
    var mind = SiteController()
    var blocks = MemoryBlocks()
    var (profiles, wrong) = (0, [String]())
    for batch in batches {
      try blocks.add(batch)
      for remains in try batch.entries() {
        guard case .whole(let entry) = remains else { throw Inputs.Fault.notKept }
        _ = mind.handle(entry.event, at: entry.stamp)
        let isNeeded = entry.effects.contains { Self.isProfile($0) }
        if isNeeded == entry.mentions.isEmpty {
          wrong.append("entry \(entry.stamp.sequence) mentions \(entry.mentions.count) blocks")
        }
        guard isNeeded else { continue }
        profiles += 1
        let kept = try Inputs(entry.mentions, at: entry.stamp, from: blocks)
        if kept != Inputs(of: mind, at: entry.stamp) { wrong.append("entry \(entry.stamp.sequence) has other inputs") }
      }
    }
    #expect(wrong.isEmpty, "seed \(seed)")
    #expect(profiles > 0, "seed \(seed)")
  }

  @Test func `keeping inputs changes nothing of what the mind does`() throws {
    for seed in 3...5 as ClosedRange<UInt64> {
      let (kept, plain) = (live(seed), live(seed, keepsInputs: false))
      #expect(kept.mind.driver.stamp == plain.mind.driver.stamp && kept.report.commands == plain.report.commands, "seed \(seed)")
      #expect(plain.mind.driver.store.batches.allSatisfy { $0.blocks.isEmpty }, "seed \(seed)")
    }
  }

  @Test func `a part that does not change is kept once, and named once by its digest`() throws {
    let batches = live(7).mind.driver.store.batches
    let blocks = try MemoryBlocks(batches)
    var mentioned: [BlockKind: Int] = [:]
    var named: [BlockKind: Int] = [:]
    var different: [BlockKind: Set<[UInt8]>] = [:]
    var restarts = 0
    for remains in try batches.flatMap({ try $0.entries() }) {
      if case .restarted? = remains.event { restarts += 1 }
      for (mention, reference) in zip(remains.mentions, blocks.references(remains.mentions)) {
        mentioned[mention.kind, default: 0] += 1
        if case .named = mention { named[mention.kind, default: 0] += 1 }
        different[mention.kind, default: []].insert(try #require(reference).digest)
      }
    }
    // A keeper that begins anew does not know what an earlier one named, and names all again after a while.
    let again = Int(try #require(batches.last).last / InputKeeper.namesAnewAfter)
    #expect(different[.hub]?.count == 1 && mentioned[.hub, default: 0] > 20)
    #expect(named[.hub, default: 0] <= 1 + restarts + again)
    #expect(named[.surroundings, default: 0] < mentioned[.surroundings, default: 0])
    for kind in different.keys { #expect(named[kind, default: 0] >= different[kind, default: []].count, "\(kind)") }
    for batch in batches { #expect(Set(batch.blocks.map(\.digest)).count == batch.blocks.count) }
  }

  @Test func `any changed byte of a block, and any missing block, is found`() throws {
    let batches = live(2).mind.driver.store.batches
    let blocks = try MemoryBlocks(batches)
    let batch = try #require(batches.last { !$0.blocks.isEmpty })
    let entry = try #require(try batch.entries().first { !$0.mentions.isEmpty })
    let references = blocks.references(entry.mentions).compactMap { $0 }
    #expect(references.count == entry.mentions.count)
    for reference in references {
      let bytes = try #require(blocks.bytes(of: reference))
      var other = blocks
      for place in bytes.indices {
        var changed = bytes
        changed[place] ^= 0x10
        other.bytes[reference] = changed
        #expect(throws: Inputs.Fault.changed(reference.kind)) { try Inputs(entry.mentions, at: entry.stamp, from: other) }
      }
      other.bytes[reference] = nil
      #expect(throws: Inputs.Fault.missing(reference.kind)) { try Inputs(entry.mentions, at: entry.stamp, from: other) }
    }
    #expect(throws: Inputs.Fault.notKept) { try Inputs([], at: entry.stamp, from: blocks) }
    // The entry that is pointed to is not there, names something else there, or has no such place.
    let named = [BlockMention.named(references[0])]
    for mention in [BlockMention.again(.hub, entry: .max), .again(.circuits, entry: entry.stamp.sequence)] {
      #expect(throws: Inputs.Fault.missing(mention.kind)) { try Inputs([mention], at: entry.stamp, from: blocks) }
    }
    #expect(blocks.references(named + [.again(.surroundings, entry: 1)]) == [references[0], nil])
  }

  @Test func `a block that an earlier entry names takes a few bytes, and no entry can point at itself or ahead`() throws {
    let block = Block(.surroundings, [1])
    var writer = BatchWriter()
    let mentions: KeyValuePairs<UInt64, BlockMention> = [7: .named(block.reference), 8: .again(.surroundings, entry: 7)]
    for (sequence, mention) in mentions {
      let entry = Entry(stamp: stamp(sequence), event: .deadline, effects: [], mentions: [mention])
      try writer.append(entry, blocks: [block])
    }
    let batch = writer.finish()
    #expect(try batch.entries().map(\.mentions) == [[.named(block.reference)], [.again(.surroundings, entry: 7)]])
    #expect(batch.kept.suffix(3) == [1, 0x84, 1])
    for distance in [0, 8, 9] as [UInt8] {
      var other = batch
      other.kept[other.kept.count - 1] = distance
      #expect(throws: RecordFault.self) { try other.entries() }
    }
    // In the third form each mention has its digest, and such a kind there never was.
    var old = batch
    old.kept[0] = 3
    #expect(throws: RecordFault.self) { try old.entries() }
  }

  @Test func `bytes that are no inputs are refused, whatever they are`() {
    var dice = Dice(seed: 11)
    for round in 0..<4000 {
      var bytes = (0..<dice.roll(80)).map { _ in UInt8(dice.roll(256)) }
      if round % 2 == 0, !bytes.isEmpty { bytes[0] = UInt8(1 + round / 2 % 2) }
      for kind in [BlockKind.hub, .circuits, .connectors, .surroundings, .outlooks, .moment] {
        var blocks = MemoryBlocks()
        let block = Block(kind, bytes)
        blocks.bytes[block.reference] = bytes
        #expect(throws: (any Error).self, "round \(round)") {
          try Inputs([.named(block.reference)], at: stamp(1), from: blocks)
        }
      }
    }
  }

  @Test func `the form of a block stays as it was first written`() throws {
    // Worked out by hand from the form: number 1, count 1, mask, and each current and time as a folded variable-length integer.
    let circuits = Block(
      .circuits, [1, 1, 0] + [0xA0, 0x1F, 0, 0] + [0, 1, 0x78] + [2] + [2, 0, 0] + [4, 0, 0] + [6, 0, 0] + [8, 0, 0])
    let hub = Block(.hub, [3] + (try BinaryEncoder.encodeNamed(Hub(id: "h", circuits: [Circuit(id: "c", rating: .zero)]))))
    let surroundings = Block(.surroundings, [1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    let connectors = Block(.connectors, [1, 0])
    // The second form of the surroundings: one station, whose trust (word 13 of the vocabulary) stands after the mask.
    let newer = Block(.surroundings, [2, 0, 1, 0x43, 13] + [0, 0, 0, 0, 0, 0, 0, 0])
    var view = HubView()
    try InputCoding.surroundings(newer.bytes, into: &view)
    #expect(view.stations.map(\.trust) == [.proven] && view.stations[0].connected && view.stations[0].isCommissioned)
    try InputCoding.surroundings([1, 0, 1, 3] + [0, 0, 0, 0, 0, 0, 0, 0], into: &view)
    #expect(view.stations.map(\.trust) == [.proven, .none] && view.stations[1].controlled && !view.stations[1].isCommissioned)
    // The second form of connectors: one without anything, idle (word of the vocabulary), and what the plan can do for it.
    let outlook = Outlook(
      wanted: .wattHours(20_000), short: .wattHours(3100), departure: noon, isEstimate: true, plannedAt: noon,
      necks: [.init(circuit: 1, phases: .l2, from: noon, until: noon + .hours(3))])
    let idle = HubView.ConnectorView(
      status: nil, transaction: nil, idTag: nil, offered: nil, offerEnds: nil, measured: nil, measuredAge: nil, committed: .zero,
      reason: .idle, energy: .zero, stateOfCharge: nil)
    var promised = idle
    promised.outlook = outlook
    var (model, encoder) = (InputModel(), RangeEncoder())
    _ = try model.codeConnectors([idle, promised][...], at: stamp(1), withOutlooks: true, &encoder)
    #expect(try InputCoding.connectors([2] + encoder.finish(), at: stamp(1)) == [idle, promised])
    // The third form leaves that to a block of its own.
    let bytes = try InputCoding.bytes([idle, promised][...], at: stamp(1))
    #expect(bytes.first == 3)
    #expect(try InputCoding.connectors(bytes, at: stamp(1)) == [idle, idle])
    var later = outlook
    (later.short, later.necks, later.isEstimate) = (.zero, [], false)
    let outlooks = try InputCoding.outlooks(try InputCoding.bytes([(7, outlook), (9, later), (3, outlook)]))
    #expect(outlooks.map(\.transaction) == [7, 9, 3] && outlooks.map(\.outlook) == [outlook, later, outlook])
    #expect(try InputCoding.connectors([1, 1, 0] + BinaryEncoder.encode(Reason.idle), at: stamp(1)) == [idle])
    let blocks = [circuits, hub, surroundings, connectors]
    var kept = MemoryBlocks()
    for block in blocks { kept.bytes[block.reference] = block.bytes }
    let inputs = try Inputs(blocks.map { .named($0.reference) }, at: stamp(1), from: kept)
    let circuit = inputs.view.circuits[0]
    #expect(circuit.limit == PerPhase(.amperes(2), .zero, .zero) && circuit.limitSource == "x" && circuit.readingAge == nil)
    #expect(circuit.measured == nil && circuit.base.l1 == .milliamperes(1) && circuit.baseForCuts.l1 == .milliamperes(2))
    #expect(circuit.committed.l1 == .milliamperes(3) && circuit.reserve.l1 == .milliamperes(4) && circuit.worst == .l2)
    #expect(inputs.view.storeFailed)
  }

  @Test(arguments: ["z", "ü", "\u{1F50C}"]) func `a text longer than a word may be is cut, and written`(letter: String) throws {
    var circuit = HubView.CircuitView(
      limit: .zero, limitSource: String(repeating: letter, count: 5000), measured: nil, readingAge: nil, base: .zero,
      baseForCuts: .zero, worst: [], committed: .zero, reserve: .zero)
    let read = try #require(try InputCoding.circuits(try InputCoding.bytes([circuit], at: stamp(1)), at: stamp(1)).first)
    #expect((4000...4096).contains(read.limitSource.utf8.count))
    #expect(circuit.limitSource.hasPrefix(read.limitSource.dropLast()))
    circuit.limitSource = read.limitSource
    #expect(read == circuit)
  }

  @Test func `neither id tags nor passwords get into the blocks`() throws {
    let simulation = live(4)
    var tags: Set<String> = []
    for remains in try simulation.mind.driver.store.batches.flatMap({ try $0.entries() }) {
      for case .transaction(.opened(_, _, _, let tag, _, _, _)) in remains.effects { tags.insert(tag) }
    }
    #expect(!tags.isEmpty)
    for block in simulation.mind.driver.store.batches.flatMap(\.blocks) {
      let text = String(decoding: block.bytes, as: UTF8.self)
      if let tag = tags.first(where: { text.contains($0) }) { Issue.record("the id tag \(tag) is in a block: \(block.kind)") }
    }
  }
}
