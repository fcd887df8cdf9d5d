import Glibc
import Loop
import Testing
import Threads

@testable import WebLink

@Suite(.serialized) struct WebLinkTests {
  /// A door whose handler answers 200 with path and body, 401 without a token, and streams on `/stream`; on `/late` only after it.
  private final class House {
    let loop: EventLoop
    let port: UInt16
    let door: WebDoor
    private let front: HTTPFront
    let streams = Locked<[EventStream]>([])

    init(_ settings: WebDoor.Settings = .init(requestsPerSecond: 1000), deadline: Duration = .seconds(10)) throws {
      loop = try EventLoop()
      var front = HTTPFront.Settings(address: "127.0.0.1", port: 0)
      front.requestDeadline = deadline
      let made = HTTPFront(loop: loop, settings: front), streams = streams
      let door = WebDoor(loop: loop, settings: settings) { request, asker in
        if request.path == ["stream"] {
          if let stream = asker.stream() { streams.with { $0.append(stream) } }
          return
        }
        if ["late", "answered"].contains(request.path.first) {
          if request.path == ["answered"] { asker.answer(WebResponse(200, json: "{}")) }
          asker.door.loop.run {
            // Whoever has a stream, or an answer, gets no other.
            for _ in 0..<2 { if let stream = asker.stream() { streams.with { $0.append(stream) } } }
          }
          return
        }
        guard request.bearer == "right" || request.path == ["open"] else { return asker.answer(WebResponse(401, json: "{}")) }
        let text = request.path.joined(separator: "|") + ";" + request.query.map { "\($0.name)=\($0.value)" }.joined(separator: "&")
        asker.answer(WebResponse(200, type: "text/plain", bytes: Array(text.utf8) + request.body))
      }
      (self.front, self.door) = (made, door)
      port = try loop.sync { () throws(LoopFault) -> UInt16 in
        made.route("/") { door.take($0) }
        return try made.start()
      }
    }
    func stop() {
      loop.sync { [front, door] in
        front.stopListening()
        door.close()
        front.stop()
      }
      loop.stop()
    }
    var connections: Int { loop.sync { [front] in front.connectionCount } }
    func becomes(_ isSo: () -> Bool) -> Bool {
      for _ in 0..<1000 {
        if isSo() { return true }
        usleep(5000)
      }
      return isSo()
    }
  }

  @Test func `path and query come decoded, and every answer says what a browser must not do`() throws {
    let house = try House()
    let answer = try HTTPPeer.ask(house.port, "GET /open?a=%C3%A4+b&c", [])
    #expect(answer.hasPrefix("HTTP/1.1 200 "))
    #expect(answer.hasSuffix("open;a=ä b&c="))
    for field in [
      "X-Content-Type-Options: nosniff", "Content-Security-Policy: default-src 'none'", "X-Frame-Options: DENY",
      "Cache-Control: no-store",
    ] {
      #expect(answer.contains(field))
    }
    #expect(try HTTPPeer.ask(house.port, "GET /open/%zz").hasPrefix("HTTP/1.1 400 "))
    #expect(try HTTPPeer.ask(house.port, "GET /open/%00").hasPrefix("HTTP/1.1 400 "))
    house.stop()
  }

  @Test func `wrong tokens of one address soon get no answer but 429, right ones none the less when time has passed`() throws {
    var settings = WebDoor.Settings(requestsPerSecond: 1000)
    settings.wrongTokens = 3
    let house = try House(settings)
    for _ in 0..<3 { #expect(try HTTPPeer.ask(house.port, "GET /x", ["Authorization: Bearer wrong"]).hasPrefix("HTTP/1.1 401 ")) }
    let refused = try HTTPPeer.ask(house.port, "GET /x", ["Authorization: Bearer wrong"])
    #expect(refused.hasPrefix("HTTP/1.1 429 ") && refused.contains("application/problem+json") && refused.contains("Retry-After"))
    house.stop()
  }

  @Test func `an address has a burst and a rate, another one is not touched by it`() {
    var limit = RateLimit(perSecond: 10, burst: 5)
    let start = MonotonicTime.now
    let first = (0..<8).map { _ in limit.take("a", at: start) }
    #expect(first == [true, true, true, true, true, false, false, false])
    let other = limit.take("b", at: start), later = limit.take("a", at: start.advanced(by: .milliseconds(110)))
    let soon = limit.take("a", at: start.advanced(by: .milliseconds(120)))
    #expect(other && later && !soon)
    for i in 0..<30_000 { limit.spend("x\(i)", at: start) }
    let fresh = limit.take("y", at: start)
    #expect(fresh)
  }

  @Test func `a slow client, one that says nothing and one that sends too much end by themselves`() throws {
    let house = try House(deadline: .milliseconds(300))
    let slow = try HTTPPeer(port: house.port), silent = try HTTPPeer(port: house.port)
    slow.write("POST /open HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n12")
    #expect(slow.read() == "")
    #expect(silent.read() == "")
    let long = try HTTPPeer.ask(house.port, "POST /open", ["Content-Length: 10000000"])
    #expect(long.hasPrefix("HTTP/1.1 413 "))
    #expect(house.becomes { house.connections == 0 })
    house.stop()
  }

  @Test func `a stream gets each event with its id, and its end is noticed on both sides`() throws {
    let house = try House()
    let peer = try HTTPPeer(port: house.port)
    peer.write("GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
    #expect(house.becomes { house.streams.with { $0.count } == 1 })
    let streams = house.streams
    house.loop.sync {
      let stream = streams.with { $0[0] }
      for i in 0..<1000 { stream.send(event: "entry", id: "\(i)", data: Array("{\"n\":\(i)}".utf8)) }
    }
    let text = peer.read { $0.contains("id: 999\n") }
    #expect(text.contains("Content-Type: text/event-stream"))
    #expect(text.contains("event: entry\nid: 998\ndata: {\"n\":998}\n\n"))
    let over = Locked(false)
    house.loop.sync { streams.with { $0[0] }.whenOver = { over.with { $0 = true } } }
    _ = consume peer
    #expect(house.becomes { over.with { $0 } && house.loop.sync { [door = house.door] in door.streamCount } == 0 })
    house.stop()
  }

  @Test func `a stream may begin after the handler, once, and not where there was an answer`() throws {
    let house = try House()
    #expect(try HTTPPeer.ask(house.port, "GET /answered").hasPrefix("HTTP/1.1 200 "))
    let peer = try HTTPPeer(port: house.port)
    peer.write("GET /late HTTP/1.1\r\nHost: localhost\r\n\r\n")
    #expect(peer.read { $0.contains("retry: ") }.contains("Content-Type: text/event-stream"))
    let streams = house.streams
    house.loop.sync { for stream in streams.with({ $0 }) { stream.send(event: "entry", id: "1", data: Array("{}".utf8)) } }
    #expect(peer.read { $0.contains("id: 1\n") }.contains("data: {}"))
    #expect(streams.with { $0.count } == 1)
    house.stop()
  }

  @Test func `a client that does not read its stream is let go, and others go on`() throws {
    let house = try House()
    let deaf = try HTTPPeer(port: house.port)
    deaf.write("GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
    #expect(house.becomes { house.streams.with { $0.count } == 1 })
    let streams = house.streams
    house.loop.sync {
      let stream = streams.with { $0[0] }
      let data = [UInt8](repeating: 0x61, count: 1 << 20)
      for i in 0..<12 { stream.send(event: "entry", id: "\(i)", data: data) }
    }
    #expect(house.becomes { house.loop.sync { [door = house.door] in door.streamCount } == 0 })
    #expect(try HTTPPeer.ask(house.port, "GET /open").hasPrefix("HTTP/1.1 200 "))
    house.stop()
  }

  @Test func `this machine is a loopback address that was asked for by its own name, and not by another site's page`() {
    func request(_ remote: String, _ fields: [(String, String)]) -> WebRequest? {
      WebRequest(
        RequestHead(method: .get, path: "/", query: nil, fields: fields.map { .init($0.0, $0.1) }), body: [], remote: remote)
    }
    #expect(request("127.0.0.1", [("Host", "localhost:8080")])?.isFromThisMachine == true)
    #expect(request("::1", [("Host", "[::1]:8080")])?.isFromThisMachine == true)
    #expect(request("127.0.0.1", [("Host", "127.0.0.1:8080"), ("Origin", "http://127.0.0.1:8080")])?.isFromThisMachine == true)
    #expect(request("192.0.2.1", [("Host", "localhost")])?.isFromThisMachine == false)
    #expect(request("127.0.0.1", [("Host", "evil.example")])?.isFromThisMachine == false)
    #expect(request("127.0.0.1", [("Host", "localhost:8080"), ("Origin", "http://evil.example")])?.isFromThisMachine == false)
    #expect(request("127.0.0.1", [("Host", "localhost"), ("Sec-Fetch-Site", "cross-site")])?.isFromThisMachine == false)
    #expect(request("127.0.0.1", [])?.isFromThisMachine == false)
  }

  /// Bytes that no client would send: requests cut, doubled and with bytes changed, from the seed that is printed.
  @Test(arguments: [1, 2, 3, 4]) func `whatever bytes arrive, the server goes on and lets go of them`(seed: UInt64) throws {
    // A token with a byte changed is a wrong one: here it may be tried again and again.
    var settings = WebDoor.Settings(requestsPerSecond: 100_000)
    settings.wrongTokens = 100_000
    let house = try House(settings, deadline: .milliseconds(500))
    var state = seed
    func pick(_ range: Range<Int>) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return range.lowerBound + Int(state >> 33) % range.count
    }
    let models = [
      "GET /open?a=b HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer right\r\n\r\n",
      "POST /open HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello",
      "PUT /x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
      "GET /stream HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: 1-1\r\n\r\n",
    ]
    for _ in 0..<150 {
      var bytes = Array(models[pick(0..<models.count)].utf8)
      for _ in 0..<pick(0..<6) where !bytes.isEmpty {
        switch pick(0..<4) {
        case 0: bytes[pick(0..<bytes.count)] = UInt8(pick(0..<256))
        case 1: bytes.remove(at: pick(0..<bytes.count))
        case 2: bytes.insert(UInt8(pick(0..<256)), at: pick(0..<bytes.count))
        default: bytes += bytes.prefix(pick(0..<bytes.count))
        }
      }
      try HTTPPeer(port: house.port).write(bytes)
    }
    #expect(house.becomes { house.connections == 0 }, "seed \(seed): \(house.connections) connections are left")
    #expect(try HTTPPeer.ask(house.port, "GET /open").hasPrefix("HTTP/1.1 200 "), "seed \(seed)")
    house.stop()
  }

  @Test func `idle connections are let go when their time is over, and do not keep others out`() throws {
    let house = try House(deadline: .seconds(2))
    let idle = try (0..<400).map { _ in try HTTPPeer(port: house.port) }
    #expect(try HTTPPeer.ask(house.port, "GET /open").hasPrefix("HTTP/1.1 200 "))
    #expect(house.becomes { house.connections == 0 })
    withExtendedLifetime(idle) { house.stop() }
  }
}
