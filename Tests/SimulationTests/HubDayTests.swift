import Foundation
import Quantities
import SiteFiles
import Testing

@testable import Simulation

/// Random hubs, random days, every fault, every invariant. In debug a taste of it, in release 120 hub-days.
@Suite struct HubDayTests {
  #if DEBUG
    static let blocks = [0]
    static let seedsPerBlock: UInt64 = 2
    static let hours = 1
    static let isOptimised = false
  #else
    static let blocks = Array(0..<20)
    static let seedsPerBlock: UInt64 = 6
    static let hours = 24
    static let isOptimised = true
  #endif

  private static var middling: HubGenerator.Options {
    var generator = HubGenerator.Options()
    generator.mostConnectors = 12
    return generator
  }

  private func run(_ seed: UInt64, _ options: Simulation.Options, hours: Int, _ generator: HubGenerator.Options) -> Simulation {
    let simulation = Simulation(seed: seed, made: HubGenerator.make(seed: seed, generator), options: options)
    simulation.run(until: hours * 3_600_000)
    return simulation
  }

  @Test(arguments: blocks) func `no random day breaks a rule of control`(block: Int) {
    for i in 0..<Self.seedsPerBlock {
      let seed = 1 + UInt64(block) * Self.seedsPerBlock + i
      var options = Simulation.Options()
      options.faults = .mixed(seed: seed)
      var generator = HubGenerator.Options()
      // Larger hubs live their days in Tests/torture.
      generator.mostConnectors = !Self.isOptimised ? 4 : block % 4 == 0 ? 8 : 4
      let report = run(seed, options, hours: Self.hours, generator).report
      for finding in report.findings { Issue.record("\(finding)\n  \(finding.history.suffix(8).joined(separator: "\n  "))") }
      #expect(report.events > 100)
    }
  }

  /// Half a hundred hours of hubs whose stations speak OCPP frames, and whose meters are real models' registers.
  @Test(arguments: 1...(isOptimised ? 10 : 1) as ClosedRange<UInt64>)
  func `no random day on the wire breaks a rule of control, and honest stations are understood`(seed: UInt64) throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let meters = try ProfileFolder(path: root.appendingPathComponent("Profiles").path).catalogue().meters
    var options = Simulation.Options()
    options.faults = .mixed(seed: seed)
    options.wire = Wire(faults: .mixed(seed: seed), meters: meters)
    var generator = HubGenerator.Options()
    generator.mostConnectors = Self.isOptimised ? 8 : 3
    generator.undeclaredQuirks = seed % 3 == 0
    let report = run(seed, options, hours: Self.isOptimised ? 5 : 1, generator).report
    for finding in report.findings { Issue.record("\(finding)\n  \(finding.history.suffix(8).joined(separator: "\n  "))") }
    #expect(report.frames > 100)
  }

  @Test(.enabled(if: isOptimised), arguments: [3, 14, 15] as [UInt64])
  func `when the controller dies, the hub settles below its limits by itself`(
    seed: UInt64
  ) {
    for part in 1...3 {
      var options = Simulation.Options()
      var random = SeededRandom(seed: seed, part: part)
      options.faults.death = random.pick(1800...9000)
      options.arrivals = 1200
      let report = run(seed, options, hours: 4, Self.middling).report
      for finding in report.findings { Issue.record("\(finding)") }
    }
  }

  @Test(.enabled(if: isOptimised)) func `a controller that is told a fuse twice as large is caught`() {
    for seed in 1...6 as ClosedRange<UInt64> {
      var options = Simulation.Options()
      options.arrivals = 600
      let made = HubGenerator.make(seed: seed, Self.middling)
      var believed = made.hub
      for k in believed.circuits.indices { believed.circuits[k].rating = believed.circuits[k].rating.map { $0 * 2 } }
      options.believed = believed
      if finds(.protectiveLimit, Simulation(seed: seed, made: made, options: options), hours: 12) { return }
    }
    Issue.record("six hubs, and none was caught")
  }

  @Test(.enabled(if: isOptimised)) func `a controller that is not told of a contract is caught`() {
    var (contracts, caught) = (0, 0)
    for seed in 1...30 as ClosedRange<UInt64> {
      var options = Simulation.Options()
      options.arrivals = 600
      let made = HubGenerator.make(seed: seed)
      guard made.hub.circuits[0].contract != nil else { continue }
      contracts += 1
      var believed = made.hub
      believed.circuits[0].contract = nil
      options.believed = believed
      caught += finds(.contractMean, Simulation(seed: seed, made: made, options: options), hours: 6) ? 1 : 0
      if caught == 2, contracts >= 4 { return }
    }
    Issue.record("\(caught) of \(contracts) were caught")
  }

  /// Whether it is found, within so many hours.
  private func finds(_ invariant: Invariant, _ simulation: Simulation, hours: Int) -> Bool {
    for hour in 1...hours {
      simulation.run(until: hour * 3_600_000)
      if simulation.report.findings.contains(where: { $0.invariant == invariant }) { return true }
    }
    return false
  }

  @Test func `the same seed gives the same day`() {
    var options = Simulation.Options()
    options.faults = .everything
    var generator = HubGenerator.Options()
    generator.mostConnectors = 5
    let first = run(5, options, hours: Self.isOptimised ? 3 : 1, generator).report
    let second = run(5, options, hours: Self.isOptimised ? 3 : 1, generator).report
    #expect(first.events == second.events)
    #expect(first.commands == second.commands)
    #expect(first.delivered == second.delivered)
    #expect(first.peaks == second.peaks)
  }

  @Test func `a journal thought again from its beginning gives the same effects`() throws {
    var options = Simulation.Options()
    options.faults = .everything
    options.checksReplay = true
    var generator = HubGenerator.Options()
    generator.mostConnectors = 5
    let simulation = run(6, options, hours: Self.isOptimised ? 3 : 1, generator)
    #expect(try simulation.mind.replays())
  }
}
