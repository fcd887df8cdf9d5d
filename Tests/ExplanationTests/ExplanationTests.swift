import ChargingProfiles
import Control
import Documents
import Quantities
import Record
import Simulation
import Site
import Threads
import Testing

@testable import Explanation

@Suite struct ExplanationTests {
  /// A random hub's hours with every fault, and what its record keeps.
  struct World {
    private static let lived = Locked<[UInt64: World]>([:])
    /// The one of a seed, lived once for all tests.
    static func of(seed: UInt64) throws -> World {
      try lived.with { lived in
        if let world = lived[seed] { return world }
        let world = try World(seed: seed)
        lived[seed] = world
        return world
      }
    }
    var entries: [Batch.Remains] = []
    var blocks = MemoryBlocks()
    /// By transaction.
    var stories: [Int: TransactionStory] = [:]
    private init(seed: UInt64) throws {
      var options = Simulation.Options()
      (options.faults, options.arrivals, options.checksReplay, options.keepsInputs) = (.mixed(seed: seed), 1200, true, true)
      var generator = HubGenerator.Options()
      generator.mostConnectors = 12
      let simulation = Simulation(seed: seed, made: HubGenerator.make(seed: seed, generator), options: options)
      simulation.run(until: 3 * 3_600_000)
      for batch in simulation.mind.driver.store.batches {
        entries += try batch.entries()
        try blocks.add(batch)
      }
      for subject in transactions { stories[subject.id] = story(subject.id) }
    }
    var transactions: [Explanation.Subject] {
      entries.flatMap(\.effects).compactMap { effect in
        guard case .transaction(.opened(let id, let station, let number, _, _, let at, let late)) = effect else { return nil }
        return Explanation.Subject(id: id, station: station, number: number, startedAt: at, late: late)
      }
    }
    func inputs(_ entry: Batch.Remains) -> Inputs? { try? Inputs(entry.mentions, at: entry.stamp, from: blocks) }
    func story(_ id: Int, lacksReadings: Bool = false) -> TransactionStory {
      var story = TransactionStory(transaction: id)
      for entry in entries {
        story.take(lacksReadings ? Self.thinned(entry) : entry, lacksReadings: lacksReadings) { inputs($0) }
      }
      if let last = entries.last { story.finish(at: last.stamp.utc) }
      return story
    }
    /// What thinning leaves of an entry.
    static func thinned(_ entry: Batch.Remains) -> Batch.Remains {
      guard case .station(_, .sampled)? = entry.event else { return entry }
      return .thinned(entry.stamp, effects: entry.effects, mentions: entry.mentions)
    }
    func explain(_ subject: Explanation.Subject, _ story: TransactionStory, at: Instant) -> Explanation {
      let applied = story.moment(at: at).applied
      let entry = entries.first { $0.stamp == applied?.stamp }
      return Explanation(subject, story, at: at, inputs: entry.flatMap { inputs($0) }, hub: story.hub, gaps: [])
    }
  }

  @Test(arguments: 1...8 as ClosedRange<UInt64>)
  func `each profile that a transaction was given is told, with what the station answered and what came after`(seed: UInt64) throws
  {
    let world = try World.of(seed: seed)
    var told = 0
    for subject in world.transactions {
      let story = try #require(world.stories[subject.id])
      var commands: [CommandID] = []
      for case .decided(let decision) in world.entries.flatMap(\.effects) where decision.transaction == subject.id {
        if let command = decision.command { commands.append(command) }
      }
      #expect(story.profiles.map(\.command) == commands, "seed \(seed)")
      for life in story.profiles {
        told += 1
        #expect(life.profile != nil && life.urgency != nil && !life.mentions.isEmpty, "seed \(seed), command \(life.command)")
        if life.outcome == .accepted { #expect(life.answeredAt != nil) }
        if let next = life.supersededBy { #expect(next > life.command && life.sentAt != nil) }
        if let drawn = life.drawn { #expect(drawn.first <= drawn.last && drawn.samples > 0) }
      }
    }
    #expect(told > 0, "seed \(seed)")
  }

  @Test(arguments: 1...8 as ClosedRange<UInt64>)
  func `what applied at a moment is the newest that the station may have had`(seed: UInt64) throws {
    let world = try World.of(seed: seed)
    for subject in world.transactions {
      let story = try #require(world.stories[subject.id])
      for life in story.profiles {
        guard let from = life.appliedFrom else { continue }
        let moment = story.moment(at: from)
        let applied = try #require(moment.applied)
        #expect(applied.command >= life.command, "seed \(seed)")
        #expect(applied.appliedFrom.map { $0 <= from } == true, "seed \(seed)")
        #expect(moment.reason != nil)
        let before = story.moment(at: life.stamp.utc - .milliseconds(1))
        #expect(before.applied?.command != life.command, "seed \(seed)")
      }
    }
  }

  @Test(arguments: 1...8 as ClosedRange<UInt64>)
  func `a page says which circuit binds, and its figures add up`(seed: UInt64) throws {
    let world = try World.of(seed: seed)
    var (pages, bound) = (0, 0)
    for subject in world.transactions {
      let story = try #require(world.stories[subject.id])
      for life in story.profiles.prefix(6) {
        let explanation = world.explain(subject, story, at: life.appliedFrom ?? life.stamp.utc)
        let page = Page(explanation, clock: .utc).text(history: true)
        #expect(page.contains("Transaction \(subject.id)") && page.contains("History: \(story.profiles.count) profiles"))
        let json = try Document(json5: explanation.json(history: true), name: "page")
        #expect(json.problems.isEmpty)
        guard explanation.inputs != nil else { continue }
        pages += 1
        #expect(explanation.sessions.contains { $0.view.transaction == subject.id } || explanation.moment.applied?.offer == .zero)
        for budget in explanation.budgets {
          let spent = budget.left + budget.counted + budget.stations + budget.reserve + PerPhase(all: budget.margin)
          #expect(spent == budget.limit, "seed \(seed)")
        }
        if let binding = explanation.binding {
          bound += 1
          let name = explanation.inputs?.hub.circuits[binding.circuit].id ?? "?"
          #expect(page.contains("\(name) \(binding.phase.name)"), "seed \(seed)")
          #expect(explanation.budgets.contains { $0.circuit == binding.circuit }, "the binding circuit is on the way: seed \(seed)")
        }
      }
    }
    #expect(pages > 0, "seed \(seed)")
  }

  @Test func `without raw readings, what was drawn is taken from the inputs of decisions, and never contradicts the readings`()
    throws
  {
    var found = 0
    for seed in 1...8 as ClosedRange<UInt64> {
      let world = try World.of(seed: seed)
      for subject in world.transactions {
        let (whole, thinned) = (try #require(world.stories[subject.id]), world.story(subject.id, lacksReadings: true))
        #expect(whole.profiles.count == thinned.profiles.count)
        for (a, b) in zip(whole.profiles, thinned.profiles) {
          guard let drawn = b.drawn else { continue }
          found += 1
          if let exact = a.drawn { #expect(drawn.most <= exact.most + .amperes(1), "seed \(seed), command \(a.command)") }
        }
      }
    }
    #expect(found > 10)
  }

  @Test func `each reason is a sentence that names its circuit and phase`() {
    let hub = Hub(
      id: "h", circuits: [Circuit(id: "connection", rating: .zero), Circuit(id: "feeder-1", parent: 0, rating: .zero)],
      stations: [Station(id: "A", connectors: 0..<1)], connectors: [Connector(station: 0, number: 1, circuit: 1)])
    let sentences = Sentences(hub)
    let placed: [Reason] = [
      .full(circuit: 1, phase: .l2), .waiting(circuit: 1, phase: .l2, next: Instant(seconds: 0)),
      .awaitingRoom(circuit: 1, phase: .l2),
    ]
    let others: [Reason] =
      [.idle, .maximum, .demand, .storeFailed, .held]
      + [.disconnected, .commissioning, .fallbackRefused, .clock(offset: .seconds(40)), .disobedient, .planned].map {
        Reason.notControlled($0)
      }
    for reason in placed + others {
      let sentence = sentences.reason(reason) { WallClock.utc.text($0) }
      #expect(sentence.hasSuffix(".") && sentence.first?.isUppercase == true || sentence.hasPrefix("feeder-1"))
      #expect(!sentences.short(reason).isEmpty)
    }
    for reason in placed {
      #expect(sentences.reason(reason) { WallClock.utc.text($0) }.contains("feeder-1 L2"))
      #expect(Sentences.binding(reason).map { $0.circuit == 1 && $0.phase == .l2 } == true)
    }
    #expect(sentences.reason(placed[1]) { WallClock.utc.text($0) }.contains("1970-01-01 00:00:00"))
    #expect(sentences.connector(0) == "A/1" && sentences.connector(9) == "connector 9")
  }

  @Test func `quantities are rounded to what a person can use`() {
    #expect(Figures.amperes(.milliamperes(15_960)) == "16.0" && Figures.amperes(.milliamperes(-40)) == "0.0")
    #expect(Figures.amperes(.milliamperes(-6_050)) == "-6.1" && Figures.phases(PerPhase(all: .amperes(63))) == "63.0")
    #expect(Figures.seconds(.milliseconds(240)) == "240 ms" && Figures.seconds(.seconds(41)) == "41 s")
    #expect(Figures.seconds(.seconds(1109)) == "18 min 29 s" && Figures.seconds(.hours(3)) == "3 h 0 min")
    #expect(Figures.kilowattHours(.wattHours(3_014)) == "3.014 kWh")
    let clock = WallClock(zone: "CET") { _ in .hours(1) }
    #expect(clock.text(Instant(seconds: 1_767_614_400)) == "2026-01-05 13:00:00")
  }
}
