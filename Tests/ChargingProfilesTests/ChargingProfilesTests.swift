import ChargingProfiles
import Quantities
import Site
import Testing

@Suite struct CompositeScheduleVectors {
  func stationOfTC066(_ ambiguities: Ambiguities) throws -> ProfileStore {
    var store = ProfileStore(connectors: 1, ambiguities: ambiguities)
    try store.install(try profile(1, .stationMaximum, [(0, 10)]), connector: 0, at: x)
    try store.install(
      try profile(2, .transactionDefault, [(0, 6), (60, 10), (120, 8), (180, 15), (260, 8)], duration: 300), connector: 1, at: x)
    store.begin(transaction: 7, connector: 1, at: x)
    try store.install(
      try profile(3, .transaction(id: 7), [(0, 8), (50, 11), (140, 16), (200, 6), (240, 12)], duration: 260), connector: 1, at: x)
    return store
  }

  // OCTT 1.6 TC_066: the TxProfile overrules the TxDefaultProfile even after it ran out.
  @Test func `V1 an expired TxProfile keeps the default away, as the test cases of the alliance expect`() throws {
    #expect(try stationOfTC066(.octt).text(400) == "0:80 50:100 200:60 240:100")
  }
  // EVerest libocpp, vector TC_K_41.
  @Test func `V1 an expired TxProfile gives way to the default, as libocpp and MicroOcpp do`() throws {
    #expect(try stationOfTC066(.libocpp).text(400) == "0:80 50:100 200:60 240:100 260:80 300:100")
    #expect(try stationOfTC066(.microOcpp).text(400) == "0:80 50:100 200:60 240:100 260:80 300:100")
  }

  // OCTT 1.6 TC_067.
  @Test func `V2 clearing by id, by purpose and level, and altogether uncovers what lies below`() throws {
    var store = ProfileStore(connectors: 1)
    try store.install(try profile(1, .stationMaximum, [(0, 11), (200, 12)]), connector: 0, at: x)
    try store.install(try profile(2, .transactionDefault, [(0, 7), (100, 9)], duration: 400), connector: 1, at: x)
    try store.install(try profile(3, .transactionDefault, level: 1, [(0, 6), (60, 8), (200, 10)]), connector: 1, at: x)
    #expect(store.text(350) == "0:60 60:80 200:100")
    do {
      let answer = store.answer(ProfileFilter(id: 3, connector: 9, purpose: .transaction, stackLevel: 5));
      #expect(answer == "Accepted")
    }
    #expect(store.text(350) == "0:70 100:90")
    do {
      let answer = store.answer(ProfileFilter(connector: 1, purpose: .transactionDefault, stackLevel: 0));
      #expect(answer == "Accepted")
    }
    #expect(store.text(350) == "0:110 200:120")
    do { let answer = store.answer(ProfileFilter()); #expect(answer == "Accepted") }
    #expect(store.text(350, local: .amperes(32)) == "0:320")
    do { let answer = store.answer(ProfileFilter()); #expect(answer == "Unknown") }
  }

  // OCTT 1.6 TC_072.
  @Test func `V3 where the higher level runs out the lower one goes on`() throws {
    var store = ProfileStore(connectors: 1)
    try store.install(
      try profile(1, .transactionDefault, [(0, 6), (100, 8), (200, 10)], duration: 400), connector: 1, at: x)
    try store.install(try profile(2, .transactionDefault, level: 1, [(0, 7), (100, 9)], duration: 150), connector: 1, at: x)
    #expect(store.text(400) == "0:70 100:90 150:80 200:100")
  }

  // OCPP 1.6 §3.13.7.
  @Test func `V4 a day of 11 and 6 kW on three phases is 15 point 9 and 8 point 6 amperes, never more`() throws {
    var store = ProfileStore(connectors: 1)
    try store.install(
      try profile(
        1, .transactionDefault, kind: .daily, [(0, 11000), (28800, 6000), (72000, 11000)], unit: .watts, duration: 86400, phases: 3),
      connector: 0, at: x)
    let nextDay = x + .days(3)
    #expect(store.text(from: nextDay, 86400) == "0:159 28800:86 72000:159")
    #expect(store.text(from: nextDay, 86400, unit: .watts) == "0:110000 28800:60000 72000:110000")
  }

  // EVerest libocpp, its page on composite schedules.
  @Test func `V5 a daily schedule with a duration leaves a gap, without one the day before goes on`() throws {
    let noon = x + .hours(12)
    let plug = noon + .days(1) - .minutes(10)
    var bounded = ProfileStore(connectors: 1)
    try bounded.install(
      try profile(1, .transactionDefault, kind: .daily, [(0, 32), (3600, 6)], duration: 18000, start: noon), connector: 1, at: x)
    #expect(bounded.text(from: plug, 3600, plug: plug, local: .amperes(48)) == "0:480 600:320")
    var endless = ProfileStore(connectors: 1)
    try endless.install(
      try profile(1, .transactionDefault, kind: .daily, [(0, 32), (3600, 6)], start: noon), connector: 1, at: x)
    #expect(endless.text(from: plug, 3600, plug: plug, local: .amperes(48)) == "0:60 600:320")
  }

  @Test(arguments: [(11000, 3, 159), (4200, 3, 60), (4200, 1, 182), (6000, 3, 86)])
  func `V6 watts become amperes per phase, floored to a tenth`(watts: Int, phases: Int, tenths: Int) throws {
    var store = ProfileStore(connectors: 1)
    try store.install(try profile(1, .transactionDefault, [(0, watts)], unit: .watts, phases: phases), connector: 1, at: x)
    #expect(store.text(60) == "0:\(tenths)")
  }

  @Test(arguments: [(25, 172_500), (35, 241_500), (80, 552_000)])
  func `V6 amperes become the watts of three phases when no number of phases is given`(amperes: Int, tenths: Int) throws {
    var store = ProfileStore(connectors: 1)
    try store.install(try profile(1, .transactionDefault, [(0, amperes)]), connector: 1, at: x)
    #expect(store.text(60, unit: .watts) == "0:\(tenths)")
  }
}
