import Glibc
import Quantities
import Site
import Testing

@testable import ModbusLink

/// libmodbus waits with `select`, which ends the process at descriptor 1024 and above.
@Suite(.enabled(if: mayOpenThousands), .serialized) struct LowDescriptorsTests {
  @Test func `meters are read, and read again, while a thousand other descriptors are open`() throws {
    reserveModbusDescriptors(64)
    let crowd = Crowd()
    defer { crowd.leave() }
    #expect(crowd.highest >= 1100)
    let meters = EmulatedMeters()
    meters.set(Example.image, unit: 1)
    let server = try ModbusServer(tcp: 0) { meters.answer(unit: $0, $1) }
    let port = server.port
    let box = ReportBox()
    let bus = MeterBus(.tcp(host: "localhost", port: port), units: [Example.unit(0, 1)]) { box.put($0) }
    try bus.start()
    defer { bus.stop() }
    _ = try #require(box.wait { $0.contains { $0.reading != nil } })
    server.stop()
    let before = try #require(box.wait { $0.contains { $0.fault == .unreachable } }).count
    crowd.grow(by: 50)  // whoever comes takes what the lost connection had
    let again = try ModbusServer(tcp: port) { meters.answer(unit: $0, $1) }
    defer { again.stop() }
    _ = try #require(box.wait { $0.dropFirst(before).contains { $0.reading != nil } })
  }

  @Test func `a number that is given back stays taken, and what has no low number is closed`() {
    let low = LowDescriptors()
    low.reserve(1)
    let crowd = Crowd()
    defer { crowd.leave() }
    var kept: Int32?
    for _ in 0..<3 {
      let place = low.lower(crowd.another())
      #expect(place != nil && place == kept ?? place && (place ?? 1024) < 1024)
      kept = place
      let other = crowd.another()
      #expect(low.lower(other) == nil)
      #expect(fcntl(other, F_GETFD) < 0)
      if let place { low.giveBack(place) }
    }
  }
}

private let mayOpenThousands: Bool = {
  let kind = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
  var limit = rlimit()
  guard getrlimit(kind, &limit) == 0, limit.rlim_max >= 2048 else { return false }
  limit.rlim_cur = max(limit.rlim_cur, 2048)
  return setrlimit(kind, &limit) == 0
}()

/// Open descriptors that nobody needs.
private final class Crowd {
  private var members: [Int32] = []
  var highest: Int32 { members.max() ?? -1 }
  init() { while highest < 1100 { grow(by: 1) } }
  func grow(by count: Int) { for _ in 0..<count { members.append(another()) } }
  /// One more, which the caller closes.
  func another() -> Int32 { open("/dev/null", O_RDONLY | O_CLOEXEC) }
  func leave() { for member in members { close(member) } }
}
