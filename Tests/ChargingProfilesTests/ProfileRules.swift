import ChargingProfiles
import Quantities
import Site
import Testing

@Suite struct ProfileRules {
  @Test func `R1 each purpose is taken only where it belongs`() throws {
    var store = ProfileStore(connectors: 2)
    let maximum = try profile(1, .stationMaximum, [(0, 10)])
    let own = try profile(2, .transaction(id: 7), [(0, 10)])
    #expect(throws: ProfileStore.Rejection.stationMaximumAtConnector(1)) { try store.install(maximum, connector: 1, at: x) }
    #expect(throws: ProfileStore.Rejection.transactionProfileAtStation) { try store.install(own, connector: 0, at: x) }
    #expect(throws: ProfileStore.Rejection.noTransaction(connector: 1)) { try store.install(own, connector: 1, at: x) }
    store.begin(transaction: 8, connector: 1, at: x)
    #expect(throws: ProfileStore.Rejection.otherTransaction(named: 7, running: 8)) { try store.install(own, connector: 1, at: x) }
    let nameless = try profile(2, .transaction(id: nil), [(0, 10)])
    #expect(throws: ProfileStore.Rejection.transactionNotNamed) { try store.install(nameless, connector: 1, at: x) }
  }

  @Test func `R1 a default at a connector stands in for the station's there and only there`() throws {
    var store = ProfileStore(connectors: 2)
    try store.install(try profile(1, .transactionDefault, [(0, 16)]), connector: 0, at: x)
    try store.install(try profile(2, .transactionDefault, [(0, 20)]), connector: 1, at: x)
    #expect(store.text(1, 60) == "0:200")
    #expect(store.text(2, 60) == "0:160")
  }

  @Test func `R2 the same id or the same purpose and level at that connector is replaced, nothing else`() throws {
    var store = ProfileStore(connectors: 2)
    try store.install(try profile(1, .transactionDefault, [(0, 16)]), connector: 1, at: x)
    try store.install(try profile(2, .transactionDefault, level: 1, [(0, 14)]), connector: 1, at: x)
    try store.install(try profile(3, .transactionDefault, [(0, 12)]), connector: 2, at: x)
    #expect(store.installed.map(\.profile.id) == [1, 2, 3])
    try store.install(try profile(4, .transactionDefault, [(0, 13)]), connector: 1, at: x)
    #expect(store.installed.map(\.profile.id) == [2, 3, 4])
    try store.install(try profile(3, .transactionDefault, level: 2, [(0, 9)]), connector: 1, at: x)
    #expect(store.installed.map(\.profile.id) == [2, 4, 3])
    #expect(store.text(1, 60) == "0:90")
  }

  @Test func `R2 validity ends exactly at validTo and begins exactly at validFrom`() throws {
    var store = ProfileStore(connectors: 1)
    try store.install(try profile(1, .transactionDefault, [(0, 16)]), connector: 1, at: x)
    try store.install(
      try profile(2, .transactionDefault, level: 1, [(0, 8)], from: x + .seconds(10), to: x + .seconds(20)), connector: 1, at: x)
    #expect(store.text(60) == "0:160 10:80 20:160")
  }

  @Test func `R3 the smallest purpose holds in each interval`() throws {
    var store = ProfileStore(connectors: 1)
    try store.install(try profile(1, .stationMaximum, [(0, 20), (90, 7)]), connector: 0, at: x)
    try store.install(try profile(2, .transactionDefault, [(0, 10), (60, 30)]), connector: 1, at: x)
    #expect(store.text(120) == "0:100 60:200 90:70")
  }

  @Test func `R4 a weekly schedule comes back every seven days`() throws {
    var store = ProfileStore(connectors: 1)
    try store.install(
      try profile(1, .transactionDefault, kind: .weekly, [(0, 10), (86400, 16)], duration: 2 * 86400), connector: 1, at: x)
    let later = x + .days(14)
    #expect(store.text(from: later, 3 * 86400, local: .amperes(32)) == "0:100 86400:160 172800:320")
  }

  @Test func `R4 a relative schedule counts from the start of the transaction`() throws {
    var store = ProfileStore(connectors: 1)
    try store.install(
      try profile(1, .transactionDefault, kind: .relative, [(0, 32), (3600, 6)], start: nil), connector: 1, at: x)
    #expect(store.text(from: x + .minutes(30), 3600, plug: x) == "0:320 1800:60")
    store.begin(transaction: 4, connector: 1, at: x + .minutes(10))
    #expect(store.text(from: x + .minutes(30), 3600) == "0:320 2400:60")
  }

  @Test func `R5 periods beyond the duration are not executed, and a schedule may not begin late`() throws {
    var store = ProfileStore(connectors: 1)
    try store.install(try profile(1, .transactionDefault, [(0, 10), (60, 16), (120, 20)], duration: 90), connector: 1, at: x)
    #expect(store.text(200, local: .amperes(32)) == "0:100 60:160 90:320")
    #expect(throws: Schedule.Flaw.lateStart(.seconds(5))) { try schedule([(5, 10)]) }
  }

  @Test func `R6 a top level without duration hides the lower ones for ever`() throws {
    var store = ProfileStore(connectors: 1)
    try store.install(try profile(1, .transactionDefault, [(0, 10)]), connector: 1, at: x)
    try store.install(try profile(2, .transactionDefault, level: 1, [(0, 16), (60, 20)]), connector: 1, at: x)
    #expect(store.text(from: x + .days(400), 60) == "0:200")
  }

  @Test func `R7 a replacement that is valid later leaves nothing until then`() throws {
    var store = ProfileStore(connectors: 1)
    try store.install(try profile(1, .transactionDefault, [(0, 10)]), connector: 1, at: x)
    try store.install(try profile(1, .transactionDefault, [(0, 8)], from: x + .seconds(30)), connector: 1, at: x)
    #expect(store.text(60, local: .amperes(32)) == "0:320 30:80")
  }

  @Test func `R10 a new default holds at once, and without one the transaction goes on`() throws {
    var store = ProfileStore(connectors: 1)
    store.begin(transaction: 1, connector: 1, at: x)
    try store.install(try profile(1, .transactionDefault, [(0, 10)]), connector: 1, at: x)
    try store.install(try profile(1, .transactionDefault, [(0, 8)]), connector: 1, at: x)
    #expect(store.text(60) == "0:80")
    store.clear(ProfileFilter(purpose: .transactionDefault))
    #expect(store.text(60, local: .amperes(32)) == "0:320")
  }

  @Test func `R11 the profile of a remote start becomes the transaction's, and its successor replaces it`() throws {
    var store = ProfileStore(connectors: 1)
    try store.installForRemoteStart(
      try profile(1, .transaction(id: nil), kind: .relative, [(0, 9)], start: nil), connector: 1, at: x)
    store.begin(transaction: 55, connector: 1, at: x)
    #expect(store.text(60) == "0:90")
    try store.install(try profile(2, .transaction(id: 55), [(0, 12)]), connector: 1, at: x)
    #expect(store.installed.map(\.profile.id) == [2])
    let named = try profile(3, .transaction(id: 55), [(0, 12)])
    #expect(throws: ProfileStore.Rejection.notForRemoteStart) { try store.installForRemoteStart(named, connector: 1, at: x) }
  }

  @Test func `R12 a TxProfile ends with its transaction`() throws {
    var store = ProfileStore(connectors: 1)
    store.begin(transaction: 55, connector: 1, at: x)
    try store.install(try profile(2, .transaction(id: 55), [(0, 12)]), connector: 1, at: x)
    store.end(transaction: 55)
    #expect(store.installed.isEmpty)
    #expect(store.text(60) == "0:480")
  }

  @Test func `R14 connector 0 is the sum of the connectors under the station's cap`() throws {
    var store = ProfileStore(connectors: 2)
    try store.install(try profile(1, .transactionDefault, [(0, 10), (60, 20)]), connector: 0, at: x)
    try store.install(try profile(2, .stationMaximum, [(0, 32)]), connector: 0, at: x)
    #expect(store.text(0, 120) == "0:200 60:320")
    #expect(store.text(5, 120) == "rejected")
    #expect(store.text(1, 0) == "rejected")
  }

  @Test func `R15 without an id every field given must match`() throws {
    var store = ProfileStore(connectors: 2)
    try store.install(try profile(1, .transactionDefault, [(0, 10)]), connector: 1, at: x)
    try store.install(try profile(2, .transactionDefault, level: 1, [(0, 10)]), connector: 2, at: x)
    do { let answer = store.answer(ProfileFilter(connector: 1, stackLevel: 1)); #expect(answer == "Unknown") }
    do { let answer = store.answer(ProfileFilter(id: 3, connector: 1)); #expect(answer == "Unknown") }
    do { let answer = store.answer(ProfileFilter(connector: 2, purpose: .transactionDefault)); #expect(answer == "Accepted") }
    #expect(store.installed.map(\.profile.id) == [1])
  }

  @Test func `R16 only an unknown connector is an error of the call`() {
    #expect(ProfileStore.Rejection.unknownConnector(3, connectors: 1).errorCode == "PropertyConstraintViolation")
    #expect(ProfileStore.Rejection.noTransaction(connector: 1).errorCode == nil)
  }

  @Test func `R17 what the station cannot hold is refused`() throws {
    let capacity = ProfileStore.Capacity(highestStackLevel: 1, units: [.amperes], maximumPeriods: 2, maximumProfiles: 1)
    var store = ProfileStore(connectors: 1, capacity: capacity)
    let high = try profile(1, .transactionDefault, level: 2, [(0, 1)])
    let watts = try profile(1, .transactionDefault, [(0, 1)], unit: .watts)
    let long = try profile(1, .transactionDefault, [(0, 1), (1, 2), (2, 3)])
    #expect(throws: ProfileStore.Rejection.stackLevel(2, highest: 1)) { try store.install(high, connector: 1, at: x) }
    #expect(throws: ProfileStore.Rejection.unit(.watts)) { try store.install(watts, connector: 1, at: x) }
    #expect(throws: ProfileStore.Rejection.periods(3, most: 2)) { try store.install(long, connector: 1, at: x) }
    try store.install(try profile(1, .transactionDefault, [(0, 1)]), connector: 1, at: x)
    let second = try profile(2, .transactionDefault, level: 1, [(0, 1)])
    #expect(throws: ProfileStore.Rejection.profiles(most: 1)) { try store.install(second, connector: 1, at: x) }
  }
}
