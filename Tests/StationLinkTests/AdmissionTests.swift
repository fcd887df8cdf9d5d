import Testing

@testable import StationLink

/// Who is let in, and what the others hear.
@Suite struct AdmissionTests {
  struct Malformed: CustomTestStringConvertible, Sendable {
    let testDescription: String, request: String, status: Int
    init(_ name: String, _ request: String, _ status: Int) {
      (testDescription, self.request, self.status) = (name, request, status)
    }
  }

  @Test func `an unknown station hears 404, a wrong or missing password 401`() throws {
    let world = try World()
    #expect(try world.station("nobody").next() == .closed(.refused(status: 404)))
    #expect(try world.station("guarded").next() == .closed(.refused(status: 401)))
    #expect(
      try world.station("guarded", { ($0.user, $0.password) = ("guarded", "guess") }).next() == .closed(.refused(status: 401)))
    let let_in = try world.station("guarded") { ($0.user, $0.password) = ("guarded", "secret") }
    #expect(let_in.next() == .opened(subprotocol: "ocpp1.6"))
    #expect(House(world).nextOpened()?.station == "guarded")
  }

  @Test(arguments: [
    ("/ocpp/CP%201", "CP 1"), ("/ocpp/a%2Fb", "a/b"), ("/ocpp/CP-1?token=x/y", "CP-1"), ("/ocpp/hub/CP-1", "CP-1"),
    ("/ocpp/CP-1/", "CP-1"), ("/ocpp/L%C3%A4den", "Läden"),
  ])
  func `the station id is the last path segment, percent-decoded, without query`(_ path: String, _ id: String) throws {
    let world = try World(), house = House(world)
    let peer = try RawPeer(port: world.port)
    #expect(peer.status(of: RawPeer.upgrade(path)) == 101)
    #expect(house.nextOpened()?.station == id)
  }

  @Test(arguments: ["/ocpp/", "/ocpp/%zz", "/ocpp/%ff", "/ocpp/a%00b", "/elsewhere/CP-1", "/"])
  func `a path without a station id is not found`(_ path: String) throws {
    let world = try World()
    #expect(try RawPeer(port: world.port).status(of: RawPeer.upgrade(path)) == 404)
  }

  @Test func `no common sub-protocol: 101 without the field, then Close 1002, and the house hears nothing`() throws {
    let world = try World()
    let peer = try RawPeer(port: world.port)
    peer.write(RawPeer.upgrade("/ocpp/CP-1", ["Sec-WebSocket-Protocol: ocpp2.0.1, ocpp1.5"]))
    let head = peer.readHead()
    #expect(head.hasPrefix("HTTP/1.1 101 "))
    #expect(!head.lowercased().contains("sec-websocket-protocol"))
    #expect(peer.readCloseCode() == 1002)
    peer.endOutput()
    #expect(peer.readToEnd() == [])
    #expect(world.inbox.take().isEmpty)
  }

  @Test func `ocpp1.6 is chosen among others, and the key is answered as the RFC's example says`() throws {
    let world = try World()
    let peer = try RawPeer(port: world.port)
    peer.write(RawPeer.upgrade("/ocpp/CP-1", ["Sec-WebSocket-Protocol: ocpp2.0.1", "Sec-WebSocket-Protocol: foo ,ocpp1.6"]))
    let head = peer.readHead()
    #expect(head.contains("Sec-WebSocket-Protocol: ocpp1.6\r\n"))
    #expect(head.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"))  // RFC 6455 §1.3
  }

  @Test func `a station that offers no sub-protocol is let in and flagged, or refused when told so`() throws {
    let tolerant = try World()
    let station = try tolerant.station("CP-1") { $0.subprotocol = nil }
    #expect(station.next() == .opened(subprotocol: nil))
    #expect(House(tolerant).nextOpened()?.notes.lacksSubprotocol == true)
    let strict = try World { $0.toleratesMissingSubprotocol = false }
    let refused = try strict.station("CP-1") { $0.subprotocol = nil }
    #expect(refused.next() == .opened(subprotocol: nil))
    #expect(refused.next() == .closed(.ended(.closedByPeer(code: 1002, reason: "no common sub-protocol"))))
    #expect(strict.inbox.take().isEmpty)
  }

  @Test func `the newest connection of a station wins, and the end of the old one does not touch it`() throws {
    let world = try World(), house = House(world)
    let old = try world.station("CP-1")
    #expect(old.next() == .opened(subprotocol: "ocpp1.6"))
    let first = try #require(house.nextOpened())
    let new = try world.station("CP-1")
    #expect(new.next() == .opened(subprotocol: "ocpp1.6"))
    #expect(house.next() == .closed(first.handle, .replaced))
    let second = try #require(house.nextOpened())
    #expect(second.handle != first.handle)
    #expect(old.next() == .closed(.ended(.closedByPeer(code: 1000, reason: "connected anew"))))
    world.server.send(first.handle, text: "to the old")
    world.server.send(second.handle, text: "to the new")
    #expect(new.next() == .received(Array("to the new".utf8)))
    let third = try world.station("CP-1")
    #expect(third.next() == .opened(subprotocol: "ocpp1.6"))
    #expect(house.next() == .closed(second.handle, .replaced))
  }

  /// Tells the next one that waits, at most five seconds from now, whether it may come in.
  private func nextHeld(_ world: World) throws -> StationServer.Answer {
    let waiting = world.held.take(patience: .seconds(5)) ?? []
    try #require(!waiting.isEmpty)
    return waiting[0]
  }

  @Test func `who is answered later holds up nobody, and is then let in or refused; the first answer counts`() throws {
    let world = try World(), house = House(world)
    let station = try world.station("waiting")
    let answer = try nextHeld(world)
    let other = try world.station("CP-1")
    #expect(other.next() == .opened(subprotocol: "ocpp1.6"))
    #expect(house.nextOpened()?.station == "CP-1")
    #expect(station.heard.take().isEmpty)
    answer(.accept)
    answer(.unauthorized)
    #expect(station.next() == .opened(subprotocol: "ocpp1.6"))
    let opened = try #require(house.nextOpened())
    #expect(opened.station == "waiting")
    station.client.send(text: "said")
    #expect(house.next() == .received(opened.handle, Array("said".utf8)))
    let refusals: [(Admission, Int)] = [(.unauthorized, 401), (.later, 503), (.unknown, 404)]
    for (admission, status) in refusals {
      let refused = try world.station("waiting")
      try nextHeld(world)(admission)
      #expect(refused.next() == .closed(.refused(status: status)))
    }
  }

  @Test func `frames that came right behind the request are read once it is answered`() throws {
    let world = try World(), house = House(world)
    let peer = try RawPeer(port: world.port)
    peer.write(Array(RawPeer.upgrade("/ocpp/waiting").utf8) + RawPeer.frame(1, Array("early".utf8)))
    let answer = try nextHeld(world)
    peer.write(RawPeer.frame(1, Array("meanwhile".utf8)))
    answer(.accept)
    #expect(peer.readHead().hasPrefix("HTTP/1.1 101 "))
    let opened = try #require(house.nextOpened())
    #expect(house.next() == .received(opened.handle, Array("early".utf8)))
    #expect(house.next() == .received(opened.handle, Array("meanwhile".utf8)))
  }

  @Test func `who goes before it is answered is not announced`() throws {
    let world = try World(), house = House(world)
    var peer: RawPeer? = try RawPeer(port: world.port)
    peer?.write(RawPeer.upgrade("/ocpp/waiting"))
    let answer = try nextHeld(world)
    peer = nil
    // Another has come in since: the end has arrived.
    let other = try world.station("CP-1")
    #expect(other.next() == .opened(subprotocol: "ocpp1.6"))
    #expect(house.nextOpened()?.station == "CP-1")
    answer(.accept)
    let last = try world.station("CP-2")
    #expect(last.next() == .opened(subprotocol: "ocpp1.6"))
    #expect(house.nextOpened()?.station == "CP-2")
  }

  @Test func `a server that stops ends those that wait, and what they are told later reaches nobody`() throws {
    let world = try World()
    let station = try world.station("waiting")
    let answer = try nextHeld(world)
    world.server.stop(within: .seconds(1))
    answer(.accept)
    world.loop.sync {}
    guard case .closed = station.next() else { return #expect(Bool(false), "it was not closed") }
    #expect(world.inbox.take().isEmpty)
  }

  static let malformed = [
    Malformed("not an upgrade", "GET /ocpp/CP-1 HTTP/1.1\r\nHost: h\r\n\r\n", 426),
    Malformed("a POST", "POST /ocpp/CP-1 HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", 405),
    Malformed("another version", RawPeer.upgrade("/ocpp/C").replacing("Version: 13", with: "Version: 8"), 426),
    Malformed("a key of the wrong size", RawPeer.upgrade("/ocpp/C").replacing("dGhlIHNhbXBsZSBub25jZQ==", with: "dGhl"), 400),
    Malformed("a body", RawPeer.upgrade("/ocpp/C", ["Content-Length: 1"]) + "x", 400),
    Malformed("two lengths", RawPeer.upgrade("/ocpp/C", ["Content-Length: 0", "Content-Length: 0"]), 400),
    Malformed("a blank before the colon", RawPeer.upgrade("/ocpp/C", ["Content-Length : 0"]), 400),
    Malformed("a length with a sign", RawPeer.upgrade("/ocpp/C", ["Content-Length: +0"]), 400),
    Malformed("an unknown coding", RawPeer.upgrade("/ocpp/C", ["Transfer-Encoding: gzip"]), 501),
    Malformed("two hosts", RawPeer.upgrade("/ocpp/C", ["Host: other"]), 400),
    Malformed("a control byte in a value", RawPeer.upgrade("/ocpp/C", ["X-Note: a\u{1}b"]), 400),
    Malformed("a control byte in the path", RawPeer.upgrade("/ocpp/C\u{1}"), 400),
    Malformed("a HEAD with a body", "HEAD /ocpp/C HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody", 400),
    Malformed("a field without a colon", "GET /ocpp/C HTTP/1.1\r\nHost h\r\n\r\n", 400),
    Malformed("a head over 8 KB", RawPeer.upgrade("/ocpp/C", ["X-Pad: " + String(repeating: "x", count: 9000)]), 400),
  ]

  @Test(arguments: malformed)
  func `a request that is not right is refused and the connection closed`(_ wrong: Malformed) throws {
    let world = try World()
    let peer = try RawPeer(port: world.port)
    #expect(peer.status(of: wrong.request) == wrong.status)
    #expect(peer.readToEnd() != nil)
    #expect(world.inbox.take().isEmpty)
  }
}

extension String {
  fileprivate func replacing(_ part: String, with other: String) -> String {
    guard let range = firstRange(of: part) else { return self }
    return String(self[..<range.lowerBound]) + other + String(self[range.upperBound...])
  }
}
