import Loop
import Testing

@testable import StationLink

@Suite struct StationLinkTests {
  @Test func `a station connects and text goes both ways`() throws {
    let world = try World(), house = House(world)
    let station = try world.station("CP-1")
    #expect(station.next() == .opened(subprotocol: "ocpp1.6"))
    let opened = try #require(house.nextOpened())
    #expect(opened.station == "CP-1")
    #expect(!opened.notes.lacksSubprotocol)
    station.client.send(text: "[2,\"1\",\"Heartbeat\",{}]")
    #expect(house.next() == .received(opened.handle, Array("[2,\"1\",\"Heartbeat\",{}]".utf8)))
    world.server.send(opened.handle, text: "[3,\"1\",{\"currentTime\":\"ä\"}]")
    #expect(station.next() == .received(Array("[3,\"1\",{\"currentTime\":\"ä\"}]".utf8)))
    station.client.close(code: 1000, reason: "bye")
    #expect(house.next() == .closed(opened.handle, .closedByPeer(code: 1000, reason: "bye")))
    #expect(station.next() == .closed(.ended(.closedByUs(code: 1000))))
  }
}
