import Control
import Quantities
import Record
import Site
import Testing

@testable import Simulation

/// Rule 16: what rides in a profile beyond the horizon, when nobody speaks any more.
@Suite struct UnattendedTests {
  #if DEBUG
    static let seeds: ClosedRange<UInt64> = 1...2
    static let isOptimised = false
  #else
    static let seeds: ClosedRange<UInt64> = 1...12
    static let isOptimised = true
  #endif

  /// How many profiles went on with the plan's hours.
  private func courses(_ simulation: Simulation) throws -> Int {
    var count = 0
    for remains in try simulation.mind.driver.store.batches.flatMap({ try $0.entries() }) {
      for case .command(_, _, .setProfile(_, let profile), _) in remains.effects where profile.schedule.periods.count > 2 {
        count += 1
      }
    }
    return count
  }

  @Test func `hubs that look ahead settle below their limits at whatever moment the controller dies, the plan's hours included`()
    throws
  {
    var rode = 0
    for seed in Self.seeds {
      var options = Simulation.Options()
      var random = SeededRandom(seed: seed, part: 77)
      options.faults = .mixed(seed: seed)
      options.faults.death = random.pick(1800...9000)
      (options.arrivals, options.checksReplay) = (1200, true)
      var generator = HubGenerator.Options()
      generator.mostConnectors = 12
      var made = HubGenerator.make(seed: seed, generator)
      var policy = PlanningPolicy()
      policy.horizon = .hours(12)
      made.hub.planning = policy
      let simulation = Simulation(seed: seed, made: made, options: options)
      simulation.run(until: (Self.isOptimised ? 6 : 3) * 3_600_000)
      for finding in simulation.report.findings { Issue.record("\(finding)") }
      rode += try courses(simulation)
    }
    if Self.isOptimised { #expect(rode > 50, "\(rode) profiles went on with the plan's hours") }
  }
}
