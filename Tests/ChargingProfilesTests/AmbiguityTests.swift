import ChargingProfiles
import Quantities
import Site
import Testing

/// A1 stands with vector V1.
@Suite struct AmbiguityTests {
  // OCTT TC_056 and TC_072; matth-x/MicroOcpp#360.
  @Test func `A2 without a transaction the default is shown, or not`() throws {
    for (ambiguities, expected) in [(Ambiguities.octt, "0:100"), (.microOcpp, "0:480")] {
      var store = ProfileStore(connectors: 1, ambiguities: ambiguities)
      try store.install(try profile(1, .transactionDefault, [(0, 10)]), connector: 1, at: x)
      #expect(store.text(60) == expected)
      #expect(store.text(60, plug: x) == "0:100")
    }
  }

  @Test func `A3 a higher default of the station beats the connector's, or does not`() throws {
    for (ambiguities, expected) in [(Ambiguities.libocpp, "0:100"), (.microOcpp, "0:160")] {
      var store = ProfileStore(connectors: 1, ambiguities: ambiguities)
      try store.install(try profile(1, .transactionDefault, level: 1, [(0, 10)]), connector: 0, at: x)
      try store.install(try profile(2, .transactionDefault, level: 0, [(0, 16)]), connector: 1, at: x)
      #expect(store.text(60, plug: x) == expected)
    }
  }

  @Test func `A4 each of two connectors shows the full cap, or half of it`() throws {
    for (meaning, expected) in [(Ambiguities.StationMaximum.whole, "0:250"), (.shared, "0:125")] {
      var ambiguities = Ambiguities()
      ambiguities.stationMaximum = meaning
      var store = ProfileStore(connectors: 2, ambiguities: ambiguities)
      try store.install(try profile(1, .stationMaximum, [(0, 25)]), connector: 0, at: x)
      #expect(store.text(1, 60) == expected)
      #expect(store.text(2, 60) == expected)
      #expect(store.text(0, 60) == "0:250")
    }
  }

  // EVerest libocpp's defaults.
  @Test func `A5 where nothing limits, the limit of no limit is shown`() {
    let store = ProfileStore(connectors: 1)
    #expect(store.text(60) == "0:480")
    #expect(store.text(60, unit: .watts) == "0:331200")
    #expect(store.limit(at: x, CompositeQuery(connector: 1, from: x, duration: .zero)) == nil)
  }

  // EVerest libocpp, its page on composite schedules: plug 10:00, valid 12 to 20 h.
  @Test func `A6 a relative default that becomes valid late is at its second hour already, or at its first`() throws {
    for (position, expected) in [(Ambiguities.RelativePosition.transactionStart, "0:60"), (.validFrom, "0:320 3600:60")] {
      var ambiguities = Ambiguities()
      ambiguities.relativePosition = position
      var store = ProfileStore(connectors: 1, ambiguities: ambiguities)
      try store.install(
        try profile(
          1, .transactionDefault, kind: .relative, [(0, 32), (3600, 6)], start: nil, from: x + .hours(12), to: x + .hours(20)),
        connector: 1, at: x)
      #expect(store.text(from: x + .hours(12), 7200, plug: x + .hours(10)) == expected)
    }
  }

  // steve#44; EVerest libocpp, AllowChargingProfileWithoutStartSchedule.
  @Test func `A7 an absolute schedule without a start begins when it is installed, or is refused`() throws {
    let startless = try profile(1, .transactionDefault, [(0, 10), (60, 16)], start: nil)
    var store = ProfileStore(connectors: 1)
    try store.install(startless, connector: 1, at: x + .seconds(5))
    #expect(store.text(from: x + .seconds(5), 120) == "0:100 60:160")
    var strict = ProfileStore(connectors: 1, ambiguities: .libocpp)
    #expect(throws: ProfileStore.Rejection.noStart) { try strict.install(startless, connector: 1, at: x) }
  }
}
