import ChargingProfiles
import Quantities
import Site
import Testing

@Suite struct GrantTests {
  func grant(
    _ offer: Current, until: Int? = 600, fallback: Current = .amperes(6), start: Instant? = x - .hours(1),
    supply: Connector.Supply = .ac,
    route: StationTraits.Route = .transaction, _ change: (inout StationTraits) -> Void = { _ in }
  ) -> Grant {
    var traits = StationTraits(model: "test")
    change(&traits)
    return ChargingProfile.grant(
      id: 1, transaction: 9, route: route, offer: offer, until: until.map { x + .seconds($0) }, fallback: fallback, now: x,
      transactionStart: start, traits: traits, supply: supply, phases: 3, voltage: .volts(207), stackLevel: 5)
  }

  @Test func `an offer starts a minute in the past and ends in the fallback`() {
    let grant = grant(.milliamperes(16_270))
    #expect(grant.profile.schedule.start == x - .seconds(60))
    #expect(grant.profile.schedule.text == "0:162 660:60")
    #expect(grant.profile.purpose == .transaction(id: 9))
    #expect(grant.steps.steps.map(\.current) == [.milliamperes(16_200), .amperes(6)])
    #expect(grant.steps.current(at: x + .seconds(599)) == .milliamperes(16_200))
    #expect(grant.steps.current(at: x + .seconds(600)) == .amperes(6))
    #expect(grant.steps.largest(from: x + .seconds(600)) == .amperes(6))
  }

  @Test func `below 6 A nothing is offered, and whole amperes are floored`() {
    #expect(grant(.milliamperes(5_999)).steps.current(at: x) == .zero)
    #expect(grant(.milliamperes(16_990)) { $0.step = .amperes(1) }.steps.current(at: x) == .amperes(16))
  }

  @Test func `a station limited in W is given what one conductor may carry, at 207 V`() {
    let grant = grant(.amperes(16)) { $0.rateUnit = .watts }
    #expect(grant.profile.schedule.text == "0:33120 660:12420")  // 16 A x 207 V
    let divides = self.grant(.amperes(16)) {
      $0.rateUnit = .watts
      $0.dividesWatts = true
    }
    #expect(divides.profile.schedule.text == "0:99360 660:37260")  // x 3
    #expect(divides.profile.schedule.periods[0].phases == 3)
  }

  @Test func `DC counts power factor and, where W are what the vehicle gets, the losses`() {
    let input = grant(.amperes(100), supply: .dc) {
      $0.rateUnit = .watts
      $0.dividesWatts = true
    }
    #expect(input.profile.schedule.periods[0].tenths == 608_580)  // 100 A x 207 V x 3 x 0.98
    let output = grant(.amperes(100), supply: .dc) {
      $0.rateUnit = .watts
      $0.dividesWatts = true
      $0.wattsAreInput = false
    }
    #expect(output.profile.schedule.periods[0].tenths == 559_890)  // x 0.92 = 55,989.36 W
    #expect(output.steps.current(at: x) <= .amperes(100))
  }

  @Test func `a dead-man that cannot be trusted is not counted`() {
    #expect(grant(.amperes(16)) { $0.deadMan = false }.steps.last == .amperes(16))
    #expect(grant(.amperes(16)) { $0.maximumPeriods = 1 }.profile.schedule.text == "0:160")
    let relative = grant(.amperes(16), start: nil) { $0.profileKind = .relative }
    #expect(relative.profile.kind == .relative && relative.profile.schedule.start == nil)
    #expect(relative.steps.last == .amperes(16))
    #expect(grant(.zero, start: nil) { $0.profileKind = .relative }.steps.current(at: x) == .amperes(6))
  }

  @Test func `a relative grant counts from the transaction`() {
    #expect(grant(.amperes(16)) { $0.profileKind = .relative }.profile.schedule.text == "0:160 4200:60")
  }

  @Test func `granted currents are never above the offer, over every way to say them`() {
    for milliamperes in stride(from: 0, through: 80_000, by: 137) {
      for unit in [StationTraits.RateUnit.amperes, .watts] {
        for supply in [Connector.Supply.ac, .dc] {
          for (divides, isInput) in [(false, true), (true, true), (true, false)] {
            let offer = Current(milliamperes: milliamperes)
            let grant = grant(offer, fallback: .zero, supply: supply) {
              ($0.rateUnit, $0.dividesWatts, $0.wattsAreInput) = (unit, divides, isInput)
            }
            #expect(grant.steps.largest(from: x) <= offer)
            #expect(grant.steps.largest(from: x) >= offer - .milliamperes(200) || offer < .milliamperes(6200))
          }
        }
      }
    }
  }
}

@Suite struct LoweringTests {
  @Test func `a lowered schedule is nowhere above the original and keeps to the number of periods, for 300 random ones`() throws {
    var seed: UInt64 = 42
    func random(_ bound: Int) -> Int {
      seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(seed >> 33) % bound
    }
    for round in 0..<300 {
      var start = 0
      var periods: [Schedule.Period] = []
      for _ in 0..<(1 + random(12)) {
        periods.append(Schedule.Period(start: .milliseconds(start), tenths: random(320)))
        start += 1 + random(4000)
      }
      let original = try Schedule(unit: .amperes, periods: periods)
      let most = 1 + random(6)
      let low = original.lowered(stepTenths: 5, maximumPeriods: most, end: .seconds(30))
      #expect(low.periods.count <= most && low.duration == .seconds(30), "round \(round)")
      for t in stride(from: 0, to: 30_000, by: 250) {
        let above = original.periods.last { $0.start.raw <= t }
        let below = low.periods.last { $0.start.raw <= t }
        #expect(below!.tenths <= above!.tenths && below!.tenths % 5 == 0, "round \(round) at \(t) ms")
      }
      #expect(low.periods.allSatisfy { $0.start.raw % 1000 == 0 })
    }
  }

  @Test func `equal neighbours become one, and of three the cheapest gives way`() throws {
    #expect(try schedule([(0, 10), (10, 10), (20, 12)]).lowered().text == "0:100 20:120")
    #expect(try schedule([(0, 10), (10, 11), (20, 32)]).lowered(maximumPeriods: 2).text == "0:100 20:320")
  }
}
