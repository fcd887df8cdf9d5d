import Glibc
import Loop
import Quantities
import Simulation
import Site
import StationLink

/// An emulated station at the end of a real WebSocket. On the loop's thread only.
final class RigStation: @unchecked Sendable {
  private(set) var station: EmulatedStation
  private var voice = StationVoice()
  private let loop: EventLoop
  private let clock: RigClock
  private var client: StationClient?
  private var isWanted = true
  private var reconnectDelay = 1
  /// It has booted on a connection since its power came on.
  private var hasBooted = false
  private(set) var received = 0

  /// The longest wait between two tries to connect, seconds.
  private let patience: Int

  init(_ station: EmulatedStation, loop: EventLoop, clock: RigClock, patience: Int) {
    (self.station, self.loop, self.clock, self.patience) = (station, loop, clock, patience)
  }

  // MARK: Connection

  func connect(host: String, port: UInt16) throws(LoopFault) {
    let endpoint = try StationClient.Endpoint(host: host, port: port, path: "/ocpp/\(station.station.id)")
    let client = StationClient(loop: loop, endpoint: endpoint) { [weak self] event in self?.happened(event) }
    self.client = client
    client.connect()
  }
  func leave() {
    isWanted = false
    client?.close()
  }
  /// The network is gone for a while.
  func drop() { client?.abort() }

  private func happened(_ event: StationClient.Event) {
    switch event {
    case .opened:
      reconnectDelay = 1
      take(voice.opened(&station, boots: !hasBooted, at: clock.now))
      hasBooted = true
    case .received(let bytes):
      received += 1
      take(voice.received(bytes, &station, at: clock.now))
    case .closed:
      voice.closed(&station, at: clock.now)
      guard isWanted else { return }
      loop.after(.seconds(reconnectDelay)) { [weak self] in
        if let self, self.isWanted { self.client?.connect() }
      }
      reconnectDelay = min(patience, reconnectDelay * 2)
    }
  }

  // MARK: Life

  func wake() {
    if station.nextWake <= clock.now { station.wake(at: clock.now) }
    if let due = voice.nextDeadline, due <= clock.now { take(voice.deadline(&station, at: clock.now)) }
    speak()
  }

  /// All energy that its vehicles were given.
  func delivered() -> Energy { station.delivered(at: clock.now) }

  func plugIn(_ bay: Int, _ vehicle: Vehicle, idTag: String, leaving: Int, within: ClosedRange<Int> = 2000...30_000) {
    station.plugIn(bay, vehicle, idTag: idTag, leaving: leaving, within: within, at: clock.now)
    speak()
  }

  func unplug(_ bay: Int) {
    station.unplug(bay, at: clock.now)
    speak()
  }

  private func speak() { take(voice.speak(&station, at: clock.now)) }

  private func take(_ output: StationVoice.Output) {
    for frame in output.answers + output.calls { client?.send(text: frame) }
    for (message, delay) in output.later { again(message, after: .milliseconds(delay)) }
    if let delay = output.bootsAgain { again(.boot(station.identity), after: .milliseconds(delay)) }
    guard output.resets else { return }
    voice.closed(&station, at: clock.now)
    station.reboot(at: clock.now)
    hasBooted = false
    client?.close(reason: "reset")
  }

  private func again(_ message: EmulatedStation.Said, after delay: Duration) {
    loop.after(delay) { [weak self] in
      guard let self else { return }
      self.station.said.append(message)
      self.speak()
    }
  }
}

/// The rig's time: true milliseconds since its start, and the machine's clocks.
struct RigClock: Sendable {
  let start: Monotonic
  let epoch: Instant
  init() {
    start = Monotonic(milliseconds: Int(MonotonicTime.now.nanoseconds / 1_000_000))
    epoch = Self.wall
  }
  private static var wall: Instant {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Instant(milliseconds: time.tv_sec * 1000 + time.tv_nsec / 1_000_000)
  }
  var monotonic: Monotonic { Monotonic(milliseconds: Int(MonotonicTime.now.nanoseconds / 1_000_000)) }
  var now: Int { (monotonic - start).milliseconds }
  /// True time, as the emulated stations count it.
  var utc: Instant { epoch + .milliseconds(now) }
}
