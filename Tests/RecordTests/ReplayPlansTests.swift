import Control
import Quantities
import Simulation
import Site
import Testing

@testable import Record

/// Plans worked out again from what was recorded of the question.
@Suite struct ReplayPlansTests {
  /// The record of some hours of a random hub that looks ahead.
  private func entries(_ seed: UInt64) throws -> [Entry] {
    var options = Simulation.Options()
    (options.faults, options.arrivals, options.checksReplay) = (.none, 1200, true)
    var made = HubGenerator.make(seed: seed)
    made.hub.planning = made.hub.planning ?? PlanningPolicy()
    let simulation = Simulation(seed: seed, made: made, options: options)
    simulation.run(until: 2 * 3_600_000)
    var result: [Entry] = []
    for remains in try simulation.mind.driver.store.batches.flatMap({ try $0.entries() }) {
      if case .whole(let entry) = remains { result.append(entry) }
    }
    return result
  }
  private func replay(_ entries: [Entry], recomputes: Bool = true) throws -> Replay {
    var writer = BatchWriter()
    for entry in entries { try writer.append(entry) }
    var replay = try Replay(from: nil, recomputesPlans: recomputes)
    try replay.feed(writer.finish())
    return replay
  }

  @Test(arguments: 1...4 as ClosedRange<UInt64>)
  func `each plan comes out as it was recorded`(seed: UInt64) throws {
    let entries = try entries(seed)
    let replay = try replay(entries)
    let recorded = entries.count { if case .planned = $0.event { true } else { false } }
    #expect(replay.plans == recorded && recorded > 3 && replay.plansWithoutRequest == 0, "seed \(seed)")
    #expect(replay.difference == nil && replay.planDifference == nil, "seed \(seed)")
    #expect(try self.replay(entries, recomputes: false).plans == 0)
  }

  @Test func `a plan that was recorded otherwise is found, and one whose question is missing is counted`() throws {
    let whole = try entries(2)
    let changes: [(inout Planned) -> Void] = [
      { $0.iterations += 1 }, { $0.fingerprint ^= 1 }, { $0.sessions[0].unserved += .wattHours(1) },
    ]
    for change in changes {
      var entries = whole
      let place = try #require(entries.firstIndex { if case .planned = $0.event { true } else { false } })
      guard case .planned(var planned) = entries[place].event else { continue }
      change(&planned)
      entries[place].event = .planned(planned)
      let difference = try #require(try replay(Array(entries[...place])).planDifference)
      #expect(difference.stamp == entries[place].stamp && difference.recorded == planned && difference.recomputed != planned)
    }
    var cut = try replay(Array(whole[..<1]))
    let planned = try #require(whole.compactMap { if case .planned(let plan) = $0.event { plan } else { nil } }.first)
    var writer = BatchWriter()
    try writer.append(Entry(stamp: stamp(2, after: 60_000), event: .planned(planned), effects: []))
    try cut.feed(writer.finish())
    #expect(cut.plansWithoutRequest == 1 && cut.plans == 0)
  }

  @Test func `long runs are written once, and come back whole`() throws {
    var dice = Dice(seed: 3)
    for round in 0..<200 {
      let values = (0..<dice.roll(60)).flatMap { _ in Array(repeating: Current(raw: dice.roll(3) * 6000), count: 1 + dice.roll(30))
      }
      let coded = RunLength(wrappedValue: values)
      let bytes = try BinaryEncoder.encode(coded)
      #expect(try BinaryDecoder.decode(RunLength<Current>.self, from: bytes) == coded, "round \(round)")
    }
    let flat = try BinaryEncoder.encode(RunLength(wrappedValue: Array(repeating: Current.amperes(16), count: 192)))
    #expect(flat.count < 12)
    // A run longer than any plan is refused rather than filled in.
    let huge: [UInt8] = [1, 0, 0, 0] + (try BinaryEncoder.encode(1 << 40)) + (try BinaryEncoder.encode(Current.amperes(1)))
    #expect(throws: (any Error).self) { try BinaryDecoder.decode(RunLength<Current>.self, from: huge) }
    // A day's question about ten circuits without statistics.
    let request = try #require(
      try entries(1).flatMap(\.effects).compactMap { if case .plan(let request) = $0 { request } else { nil } }.last)
    let size = try BinaryEncoder.encode(request).count
    #expect(size < 3000, "\(size) bytes")
    #expect(try BinaryDecoder.decode(PlanRequest.self, from: BinaryEncoder.encode(request)) == request)
  }
}
