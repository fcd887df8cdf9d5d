import Testing

@testable import StationLink

/// RFC 6455 on the wire, against a peer that breaks it.
@Suite struct FrameTests {
  struct Violation: CustomTestStringConvertible, Sendable {
    let testDescription: String, bytes: [UInt8], code: Int
    init(_ name: String, _ bytes: [UInt8], _ code: Int) { (testDescription, self.bytes, self.code) = (name, bytes, code) }
  }

  static let violations = [
    Violation("a binary frame", RawPeer.frame(2, [1, 2, 3]), 1003),
    Violation("text that is not UTF-8", RawPeer.frame(1, [0x61, 0xff, 0x62]), 1007),
    Violation("text that ends inside a character", RawPeer.frame(1, [0x61, 0xc3]), 1007),
    Violation("an unmasked frame", RawPeer.frame(1, [0x61], masked: false), 1002),
    Violation("a message over 64 KB", RawPeer.frame(1, .init(repeating: 0x61, count: 65_537)), 1009),
    Violation(
      "fragments over 64 KB together",
      RawPeer.frame(1, .init(repeating: 0x61, count: 40_000), final: false)
        + RawPeer.frame(0, .init(repeating: 0x61, count: 40_000)),
      1009),
    Violation("an unknown opcode", RawPeer.frame(3, [0x61]), 1002),
    Violation("a ping over 125 bytes", RawPeer.frame(9, .init(repeating: 0, count: 126)), 1002),
    Violation("a fragmented ping", RawPeer.frame(9, [0], final: false), 1002),
    Violation("a continuation of nothing", RawPeer.frame(0, [0x61]), 1002),
    Violation("a length not in its shortest form", [0x81, 0x80 | 126, 0, 1, 0, 0, 0, 0, 0x61], 1002),
  ]

  @Test(arguments: violations)
  func `a violation ends the connection with its own code`(_ violation: Violation) throws {
    let world = try World(), house = House(world)
    let peer = try RawPeer(port: world.port)
    #expect(peer.status(of: RawPeer.upgrade("/ocpp/CP-1")) == 101)
    let opened = try #require(house.nextOpened())
    peer.write(violation.bytes)
    #expect(peer.readCloseCode() == violation.code)
    #expect(house.next() == .closed(opened.handle, .closedByUs(code: UInt16(violation.code))))
    peer.endOutput()
    #expect(peer.readToEnd() != nil)
  }

  @Test func `the largest message allowed passes, in one frame and in fragments with a ping between`() throws {
    let world = try World(), house = House(world)
    let peer = try RawPeer(port: world.port)
    #expect(peer.status(of: RawPeer.upgrade("/ocpp/CP-1")) == 101)
    let opened = try #require(house.nextOpened())
    let text = [UInt8](repeating: 0x61, count: 65_536)
    peer.write(RawPeer.frame(1, text))
    #expect(house.next() == .received(opened.handle, text))
    peer.write(RawPeer.frame(1, Array(text[..<30_000]), final: false))
    peer.write(RawPeer.frame(9, [7, 8]))
    let pong = try #require(peer.readFrame())
    #expect(pong.opcode == 10 && pong.payload == [7, 8])
    peer.write(RawPeer.frame(0, Array(text[30_000...])))
    #expect(house.next() == .received(opened.handle, text))
  }

  @Test func `frames that come in one piece with the request are read`() throws {
    let world = try World(), house = House(world)
    let peer = try RawPeer(port: world.port)
    peer.write(Array(RawPeer.upgrade("/ocpp/CP-1").utf8) + RawPeer.frame(1, [0x31]) + RawPeer.frame(1, [0x32]))
    let opened = try #require(house.nextOpened())
    #expect(house.next() == .received(opened.handle, [0x31]))
    #expect(house.next() == .received(opened.handle, [0x32]))
  }

  @Test func `a frame that comes byte by byte is read whole`() throws {
    let world = try World(), house = House(world)
    let peer = try RawPeer(port: world.port)
    for byte in Array(RawPeer.upgrade("/ocpp/CP-1").utf8) + RawPeer.frame(1, Array("héllo".utf8)) { peer.write([byte]) }
    let opened = try #require(house.nextOpened())
    #expect(house.next() == .received(opened.handle, Array("héllo".utf8)))
  }

  @Test func `a Close frame is answered with its code and the stream ends`() throws {
    let world = try World(), house = House(world)
    let peer = try RawPeer(port: world.port)
    #expect(peer.status(of: RawPeer.upgrade("/ocpp/CP-1")) == 101)
    let opened = try #require(house.nextOpened())
    peer.write(RawPeer.frame(8, [0x03, 0xe9] + Array("off".utf8)))
    #expect(peer.readCloseCode() == 1001)
    #expect(peer.readToEnd() == [])
    #expect(house.next() == .closed(opened.handle, .closedByPeer(code: 1001, reason: "off")))
  }

  @Test func `a dropped TCP connection is reported as lost`() throws {
    let world = try World(), house = House(world)
    let station = try world.station("CP-1")
    #expect(station.next() == .opened(subprotocol: "ocpp1.6"))
    let opened = try #require(house.nextOpened())
    station.client.abort()
    #expect(station.next() == .closed(.aborted))
    #expect(house.next() == .closed(opened.handle, .lost))
  }
}
