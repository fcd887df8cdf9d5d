import ChargingProfiles
import Quantities
import Site
import Testing

@testable import Control

/// Rule 12: what a meter says is believed only as long as it moves with the vehicles below it.
@Suite struct DoubtTests {
  /// A vehicle at 6 A that rises to 20 A; the meter shows its first two phases, and of the third whatever `third` says.
  private func world(third: (Int) -> Int) -> World {
    var world = World(World.feeder(63, stations: 2, baseWorst: 30))
    world.read(PerPhase(.amperes(16), .amperes(16), .amperes(third(6))))
    world.commission()
    world.plugIn(0)
    for second in 0..<60 {
      let drawn = second < 20 ? 6 : 20
      world.pass(.seconds(1))
      if second % 5 == 0 { world.draw(0, drawn) }
      world.read(PerPhase(.amperes(10 + drawn), .amperes(10 + drawn), .amperes(third(drawn))))
    }
    return world
  }

  private func view(_ world: World) -> HubView.CircuitView {
    world.mind.view(at: EventStamp(utc: world.utc, monotonic: world.monotonic, sequence: 99_999)).circuits[0]
  }

  @Test func `a phase that does not show a vehicle's step counts as the configured worst`() {
    let world = world { _ in 40 }
    #expect(view(world).base.l3 == .amperes(30))
    #expect(view(world).base.l1 <= .amperes(11))
    #expect(world.log.contains { $0.effect == .alarm(.meterSuspect(circuit: 0, phase: .l3), raised: true) })
    #expect(!world.log.contains { $0.effect == .alarm(.meterSuspect(circuit: 0, phase: .l1), raised: true) })
  }

  @Test func `a phase that moves with the vehicle is believed`() {
    let world = world { 14 + $0 }
    #expect(!view(world).baseIsWorst)
  }

  @Test func `a suspect phase is believed again once it shows a step`() {
    var world = world { _ in 40 }
    for second in 0..<60 {
      let drawn = second < 10 ? 20 : 6
      world.pass(.seconds(1))
      if second % 5 == 0 { world.draw(0, drawn) }
      world.read(PerPhase(.amperes(10 + drawn), .amperes(10 + drawn), .amperes(10 + drawn)))
    }
    #expect(!view(world).baseIsWorst)
    #expect(world.log.contains { $0.effect == .alarm(.meterSuspect(circuit: 0, phase: .l3), raised: false) })
  }

  @Test func `a vehicle that stops by itself, between two of its samples, makes no meter suspect`() {
    var world = World(World.feeder(63, stations: 2, baseWorst: 30))
    world.read(1)
    world.commission()
    world.plugIn(0)
    // At a sub-meter with next to no other load, it draws 16 A and ends just after it was measured.
    for second in 0..<120 {
      world.pass(.seconds(1))
      let drawn = second <= 90 ? 16 : 0
      if second % 10 == 0 { world.draw(0, drawn) }
      world.read(PerPhase(all: .amperes(1 + drawn) + .milliamperes(second % 3)))
    }
    #expect(!world.log.contains { if case .alarm(.meterSuspect, true) = $0.effect { true } else { false } })
    #expect(!view(world).baseIsWorst)
  }

  @Test func `on the word of a meter that is contradicted nothing rises, though it is not suspect yet`() {
    var world = World(World.feeder(63, stations: 2, baseWorst: 50))
    world.read(40)
    world.commission()
    world.plugIn(0)
    for second in 0..<60 {
      world.pass(.seconds(1))
      if second % 10 == 0 { world.draw(0, Int(world.offered(0) ?? 6)) }
      world.read(PerPhase(all: .amperes(40 + Int(world.offered(0) ?? 6)) + .milliamperes(second % 3)))
    }
    // A transformer falls off: the phase shows next to nothing, the vehicle tells the same as before.
    let before = world.offered(0) ?? 0
    var highest = before
    for second in 0..<120 {
      world.pass(.seconds(1))
      if second % 10 == 0 { world.draw(0, Int(world.offered(0) ?? 6)) }
      let right = Current.amperes(40 + Int(world.offered(0) ?? 6)) + .milliamperes(second % 3)
      world.read(PerPhase(right, right, .milliamperes(second % 3)))
      highest = max(highest, world.offered(0) ?? 0)
    }
    #expect(highest <= before, "\(before) and then \(highest)")
    #expect(world.log.contains { $0.effect == .alarm(.meterSuspect(circuit: 0, phase: .l3), raised: true) })
    #expect((world.offered(0) ?? 99) <= 13, "63 A less the worst load")
  }

  @Test func `a meter that shows a decrease before the vehicle has told its own is believed`() {
    var world = World(World.feeder(40, stations: 1, baseWorst: 30))
    world.read(10)
    world.commission()
    world.plugIn(0)
    for _ in 0..<30 {
      world.pass(.seconds(5))
      world.draw(0, Int(world.offered(0) ?? 6))
      world.read(10 + Int(world.offered(0) ?? 6))
    }
    let before = world.offered(0) ?? 0
    world.read(10 + Int(before) + 15)
    let after = world.offered(0) ?? 99
    #expect(after <= before - 10)
    for _ in 0..<8 {
      world.pass(.seconds(1))
      world.read(25 + Int(after))
    }
    #expect(!world.log.contains { if case .alarm(.meterSuspect, true) = $0.effect { true } else { false } })
    // What it tells later than that is held against the meter again.
    world.draw(0, Int(before))
    for second in 0..<15 {
      world.pass(.seconds(1))
      if second == 9 { world.draw(0, Int(before)) }
      world.read(PerPhase(all: .amperes(5) + .milliamperes(second)))
    }
    #expect(world.log.contains { if case .alarm(.meterSuspect, true) = $0.effect { true } else { false } })
  }
}
