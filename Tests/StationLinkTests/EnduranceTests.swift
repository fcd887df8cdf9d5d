import Glibc
import Loop
import Testing

@testable import StationLink

/// What time, greed and crowds do to the server.
@Suite struct EnduranceTests {
  @Test func `a head that trickles in is cut off at its total deadline`() throws {
    let world = try World { $0.requestDeadline = .milliseconds(200) }
    let start = MonotonicTime.now
    let peer = try RawPeer(port: world.port)
    // Each byte comes long before any time-out per read; together they take for ever.
    while !peer.isReadable(within: 20), peer.write([0x78]), MonotonicTime.now - start < .seconds(5) {}
    let taken = MonotonicTime.now - start
    #expect(taken >= .milliseconds(200) && taken < .seconds(4), "\(taken)")
    #expect(peer.readToEnd() != nil)
  }

  @Test func `a TLS handshake that never begins is cut off`() throws {
    let files = try Certificate()
    let world = try World {
      $0.requestDeadline = .milliseconds(200)
      $0.credentials = try? ServerCredentials(certificateFile: files.certificate, keyFile: files.key)
    }
    #expect(try RawPeer(port: world.port).readToEnd() == [])
  }

  @Test func `two hundred stations talk at once`() throws {
    let world = try World()
    let stations = try (0..<200).map { try world.station("CP-\($0)") }
    let inbox = world.inbox, server = world.server
    for station in stations { try #require(station.next() == .opened(subprotocol: "ocpp1.6")) }
    for (i, station) in stations.enumerated() { for j in 0..<10 { station.client.send(text: "\(i):\(j)") } }
    var echoed = 0
    while echoed < 2000, let batch = inbox.take(patience: .seconds(5)), !batch.isEmpty {
      var replies: [(handle: LinkHandle, text: [UInt8])] = []
      for case .received(let handle, let text) in batch { replies.append((handle, text)) }
      server.send(replies)
      echoed += replies.count
    }
    #expect(echoed == 2000)
    for (i, station) in stations.enumerated() {
      for j in 0..<10 { try #require(station.next() == .received(Array("\(i):\(j)".utf8))) }
    }
  }

  @Test func `ten thousand streams of garbage leave the server standing and the others undisturbed`() throws {
    let seed = UInt64.random(in: .min ... .max)
    var random = SplitMix(state: seed)
    let world = try World(), house = House(world)
    let good = try world.station("good")
    #expect(good.next() == .opened(subprotocol: "ocpp1.6"))
    let opened = try #require(house.nextOpened())
    let start = MonotonicTime.now
    for _ in 0..<10_000 {
      let peer = try RawPeer(port: world.port)
      peer.write(garbage(&random))
    }
    good.client.send(text: "still here")
    var heard = false
    while !heard, let event = house.next() { heard = event == .received(opened.handle, Array("still here".utf8)) }
    #expect(heard, "seed \(seed)")
    #expect(MonotonicTime.now - start < .seconds(60), "seed \(seed)")
  }

  /// Half of them get past the upgrade, the others break HTTP somewhere.
  private func garbage(_ random: inout SplitMix) -> [UInt8] {
    let noise = (0..<Int.random(in: 0...200, using: &random)).map { _ in UInt8.random(in: .min ... .max, using: &random) }
    switch Int.random(in: 0..<6, using: &random) {
    case 0: return noise
    case 1: return Array("GET /ocpp/".utf8) + noise + Array(" HTTP/1.1\r\n\r\n".utf8)
    case 2:
      var request = Array(RawPeer.upgrade("/ocpp/bad").utf8)
      for _ in 0..<3 {
        request[Int.random(in: 0..<request.count, using: &random)] = UInt8.random(in: .min ... .max, using: &random)
      }
      return request + noise
    case 3: return Array(RawPeer.upgrade("/ocpp/bad\(Int.random(in: 0..<50, using: &random))").utf8) + noise
    case 4: return Array(RawPeer.upgrade("/ocpp/bad").utf8) + RawPeer.frame(1, noise)
    default: return Array(RawPeer.upgrade("/ocpp/bad").utf8) + RawPeer.frame(UInt8.random(in: 0...15, using: &random), noise)
    }
  }

  @Test func `a station that answers no ping is given up, one that answers stays`() throws {
    let world = try World { $0.pingInterval = .milliseconds(100) }, house = House(world)
    let lively = try world.station("lively")
    #expect(lively.next() == .opened(subprotocol: "ocpp1.6"))
    let stays = try #require(house.nextOpened())
    let peer = try RawPeer(port: world.port)
    #expect(peer.status(of: RawPeer.upgrade("/ocpp/silent")) == 101)
    let goes = try #require(house.nextOpened())
    #expect(peer.readFrame()?.opcode == 9)
    #expect(peer.readFrame()?.opcode == 9)
    #expect(peer.readToEnd() == [])
    #expect(house.next() == .closed(goes.handle, .silent))
    lively.client.send(text: "here")
    #expect(house.next() == .received(stays.handle, Array("here".utf8)))
  }

  @Test func `a station that reads nothing is given up once a megabyte waits`() throws {
    let world = try World(), house = House(world)
    let station = try world.station("stuck")
    #expect(station.next() == .opened(subprotocol: "ocpp1.6"))
    let opened = try #require(house.nextOpened())
    station.client.hold(true)
    let text = [UInt8](repeating: 0x61, count: 60_000)
    for _ in 0..<400 { world.server.send(opened.handle, text: text) }
    #expect(house.next() == .closed(opened.handle, .congested))
  }

  @Test func `output that stands still is given up after its patience`() throws {
    let world = try World {
      $0.outputLimit = 1 << 30
      $0.outputPatience = .milliseconds(200)
    }
    let house = House(world)
    let station = try world.station("stuck")
    #expect(station.next() == .opened(subprotocol: "ocpp1.6"))
    let opened = try #require(house.nextOpened())
    station.client.hold(true)
    for _ in 0..<400 { world.server.send(opened.handle, text: .init(repeating: 0x61, count: 60_000)) }
    #expect(house.next() == .closed(opened.handle, .congested))
  }

  @Test func `a held station is not read, a released one loses nothing`() throws {
    let world = try World(), house = House(world)
    let station = try world.station("held")
    try #require(station.next() == .opened(subprotocol: "ocpp1.6"))
    let opened = try #require(house.nextOpened())
    world.server.hold(opened.handle)
    world.loop.sync {}
    for i in 0..<1000 { station.client.send(text: "\(i)") }
    let other = try world.station("other")
    #expect(house.nextOpened()?.station == "other")
    _ = other
    world.server.release(opened.handle)
    for i in 0..<1000 { try #require(house.next() == .received(opened.handle, Array("\(i)".utf8))) }
  }

  @Test func `over the limit a station waits until another goes`() throws {
    let world = try World { $0.connectionLimit = 2 }, house = House(world)
    let first = try world.station("1")
    #expect(house.nextOpened()?.station == "1")
    let second = try world.station("2")
    let seated = try #require(house.nextOpened())
    let third = try world.station("3")
    #expect(world.inbox.take(patience: .milliseconds(100)) == [])
    second.client.abort()
    #expect(house.next() == .closed(seated.handle, .lost))
    #expect(house.nextOpened()?.station == "3")
    withExtendedLifetime((first, third)) {}
  }

  @Test func `at the end every station hears Close 1001, and one that does not answer delays it by the deadline only`() throws {
    let world = try World(), house = House(world)
    let polite = try world.station("polite")
    #expect(polite.next() == .opened(subprotocol: "ocpp1.6"))
    let one = try #require(house.nextOpened())
    let rude = try RawPeer(port: world.port)
    #expect(rude.status(of: RawPeer.upgrade("/ocpp/rude")) == 101)
    let two = try #require(house.nextOpened())
    let start = MonotonicTime.now
    world.server.stop(within: .milliseconds(500))
    #expect(MonotonicTime.now - start < .seconds(3))
    #expect(rude.readCloseCode() == 1001)
    #expect(polite.next() == .closed(.ended(.closedByPeer(code: 1001, reason: "going away"))))
    let ends = [house.next(), house.next()]
    #expect(ends.contains(.closed(one.handle, .closedByUs(code: 1001))))
    #expect(ends.contains(.closed(two.handle, .closedByUs(code: 1001))))
  }

  @Test func `another path of the same port answers plain HTTP`() throws {
    let world = try World()
    world.server.route("/health") { $0.reply(200, text: "\($0.head.method.rawValue) \($0.body.count)") }
    let peer = try RawPeer(port: world.port)
    peer.write("POST /health?x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
    let answer = String(decoding: try #require(peer.readToEnd()), as: UTF8.self)
    #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
    #expect(answer.contains("Connection: close\r\n"))
    #expect(answer.hasSuffix("\r\n\r\nPOST 3\n"))
  }
}

/// Steele, Lea, Flood: Fast splittable pseudorandom number generators (2014).
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}
