import LiveHub
import Loop
import Site
import StationLink
import Testing
import Threads

@testable import LiveHub

/// A station's password takes long to work out; nobody waits for another's.
@Suite(.serialized) struct `Passwords at a live hub` {
  /// A hub with the stations `open` and `locked`, the latter with the password `secret` unless it is given another hash.
  private final class House {
    let folder: `A live hub`.Folder
    let loop: EventLoop
    let hub: LiveHub
    let port: UInt16

    init(hash: String? = nil) throws {
      folder = try `A live hub`.Folder()
      loop = try EventLoop()
      hub = try LiveHub(Self.plan(hash: hash), state: folder.path) { _ in }
      let ports = try hub.start()
      port = try #require(ports.first)
    }

    static func plan(hash: String?) throws -> LiveHub.Plan {
      var plan = try `A live hub`().plan()
      if let hash { plan.site.hub.stations[1].passwordHash = hash }
      return plan
    }

    func station(_ id: String = "locked", password: String? = nil) throws -> `A live hub`.Caller {
      try `A live hub`.Caller(loop, id: id, port: port, password: password)
    }

    /// Nothing is worked out until the latch is opened.
    func holdUp() -> Latch {
      let latch = Latch()
      hub.passwords.queue.async { latch.wait() }
      return latch
    }

    /// Whether the password of `locked` comes to be worked out within 10 s.
    func isChecking() -> Bool {
      let end = MonotonicTime.now.advanced(by: .seconds(10))
      while MonotonicTime.now < end {
        if hub.loop.sync({ [hub] in hub.passwords.waiting }) == ["locked"] { return true }
      }
      return false
    }

    func stop() {
      hub.stop()
      loop.stop()
    }
  }

  @Test func `while a slow hash is worked out for one, another is let in`() throws {
    // No password is known to match it; a second or so to find that out.
    let house = try House(hash: "pbkdf2$sha256$5000000$01$" + String(repeating: "00", count: 32))
    let answers = Mailbox<String>()
    func knock(_ id: String) throws -> StationClient {
      var endpoint = try StationClient.Endpoint(host: "127.0.0.1", port: house.port, path: "/ocpp/\(id)")
      (endpoint.user, endpoint.password) = (id, "wrong")
      let client = StationClient(loop: house.loop, endpoint: endpoint) { event in
        switch event {
        case .opened: answers.post("\(id) is in")
        case .closed(.refused(let status)): answers.post("\(id) is refused with \(status)")
        case .received, .closed: break
        }
      }
      client.connect()
      return client
    }
    let locked = try knock("locked")
    #expect(house.isChecking())
    let open = try knock("open")
    var heard: [String] = []
    while heard.count < 2, let more = answers.take(patience: .seconds(30)), !more.isEmpty { heard += more }
    #expect(heard == ["open is in", "locked is refused with 401"])
    withExtendedLifetime((locked, open)) {}
    house.stop()
  }

  @Test func `the password that matched last is known at once, another one is worked out`() throws {
    let house = try House()
    let first = try house.station(password: "secret")
    #expect(first.isOpen)
    let latch = house.holdUp()
    let again = try house.station(password: "secret")
    #expect(again.isOpen)
    let wrong = try house.station(password: "secreT")
    #expect(house.isChecking())
    #expect(wrong.events.take().isEmpty)
    latch.open()
    #expect(wrong.refusal == 401)
    #expect(try house.station(password: "secret").isOpen)
    house.stop()
  }

  @Test func `one password of a station is worked out at a time, and whoever sends none is refused at once`() throws {
    let house = try House()
    let latch = house.holdUp()
    let first = try house.station(password: "secret")
    #expect(house.isChecking())
    #expect(try house.station(password: "secret").refusal == 503)
    #expect(try house.station().refusal == 401)
    latch.open()
    #expect(first.isOpen)
    house.stop()
  }

  @Test func `as many wait as may, and when one has been worked out there is room for another`() throws {
    let check = PasswordCheck()
    let hash = try #require(PasswordHash("pbkdf2$sha256$1000$01$\(`A live hub`.hash)"))
    let done = Mailbox<Bool>()
    func begins(_ station: Int) -> Bool { check.check("secret", of: "\(station)", hash) { done.post($0) } }
    for station in 0..<PasswordCheck.mostWaiting { #expect(begins(station)) }
    #expect(!begins(PasswordCheck.mostWaiting))
    #expect(done.take(patience: .seconds(10))?.first == true)
    check.checked("secret", of: "0", hash, isRight: true)
    #expect(begins(PasswordCheck.mostWaiting))
    #expect(check.knows("secret", of: "0", hash) && !check.knows("Secret", of: "0", hash) && !check.knows("secret", of: "1", hash))
    check.stop()
    _ = done.take()
    check.checked("secret", of: "1", hash, isRight: true)
    #expect(begins(1))
    check.queue.sync {}
    #expect(done.take().isEmpty)  // a hub that ends works out nothing more
  }

  @Test func `another hash in the site file ends what was known, also of one that waits`() throws {
    let house = try House()
    let first = try house.station(password: "secret")
    #expect(first.isOpen)
    let other = try #require(PasswordHash.made(of: "another")).text
    try house.hub.reload(House.plan(hash: other))
    #expect(try house.station(password: "secret").refusal == 401)
    let latch = house.holdUp()
    let waiting = try house.station(password: "secret")
    #expect(house.isChecking())
    try house.hub.reload(House.plan(hash: nil))
    latch.open()
    #expect(waiting.isOpen)
    #expect(try house.station(password: "another").refusal == 401)
    house.stop()
  }
}
