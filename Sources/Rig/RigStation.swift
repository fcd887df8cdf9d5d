import ChargingProfiles
import Glibc
import Loop
import OCPP
import Quantities
import Simulation
import Site
import StationLink

/// An emulated station at the end of a real WebSocket. On the loop's thread only.
final class RigStation: @unchecked Sendable {
  private(set) var station: EmulatedStation
  private var dialogue = StationSideDialogue()
  private let loop: EventLoop
  private let clock: RigClock
  private var client: StationClient?
  /// What was said and not answered, in order, with the ticket under which the station waits.
  private var asked: [(call: StationCall, ticket: Int, message: String?)] = []
  /// Transaction messages whose answer never came: said again after the next connection.
  private var unsaid: [(call: StationCall, ticket: Int, message: String?)] = []
  private var deadline: LoopTimer?
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
      take(dialogue.opened(at: clock.moment))
      station.connect(at: clock.now, boots: !hasBooted)
      hasBooted = true
      let again = unsaid
      unsaid = []
      drain()
      for message in again { say(message.call, ticket: message.ticket, message: message.message) }
    case .received(let bytes):
      received += 1
      take(dialogue.received(bytes, at: clock.moment))
    case .closed:
      take(dialogue.closed(at: clock.moment))
      station.disconnect(at: clock.now)
      drain()
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
    if let due = dialogue.nextDeadline, due <= clock.moment.monotonic { take(dialogue.deadline(at: clock.moment)) }
    drain()
  }

  /// All energy that its vehicles were given.
  func delivered() -> Energy { station.delivered(at: clock.now) }

  func plugIn(_ bay: Int, _ vehicle: Vehicle, idTag: String, leaving: Int, within: ClosedRange<Int> = 2000...30_000) {
    station.plugIn(bay, vehicle, idTag: idTag, leaving: leaving, within: within, at: clock.now)
    drain()
  }

  func unplug(_ bay: Int) {
    station.unplug(bay, at: clock.now)
    drain()
  }

  private func drain() {
    let said = station.said
    station.said = []
    for message in said {
      switch message {
      case .boot(let identity): say(.boot(identity))
      case .status(let connector, let status): say(.status(connector: connector, status, at: clock.utc))
      case .authorise(let idTag, let ticket): say(.authorise(idTag: idTag), ticket: ticket)
      case .start(let start, let ticket):
        say(
          .start(connector: start.connector, idTag: start.idTag, meterStart: start.meterStart, at: start.at ?? clock.utc),
          ticket: ticket, message: start.messageID)
      case .stop(let stop, let ticket):
        say(
          .stop(
            transaction: stop.transaction, idTag: stop.idTag, meterStop: stop.meterStop, at: stop.at ?? clock.utc,
            reason: stop.reason), ticket: ticket, message: stop.messageID)
      case .sample(let connector, let transaction, let sample, _):
        say(.meterValues(connector: connector, transaction: transaction, [MeterBlock(sample, at: sample.takenAt ?? clock.utc)]))
      case .heartbeat: say(.heartbeat)
      }
    }
  }

  private func say(_ call: StationCall, ticket: Int = 0, message: String? = nil) {
    asked.append((call, ticket, message))
    take(dialogue.send(call, message: message, at: clock.moment))
  }

  private func take(_ output: StationSideOutput) {
    for frame in output.frames { client?.send(text: frame) }
    for event in output.events { take(event) }
  }

  private func take(_ event: StationSideEvent) {
    switch event {
    case .answered(let call, let confirmation): hear(confirmation, ticket: remove(call)?.ticket ?? 0)
    case .timedOut(let call):
      guard let entry = remove(call) else { return }
      switch call {
      case .start, .stop: say(call, ticket: entry.ticket, message: entry.message)
      default: break
      }
    case .lost(let call):
      guard let entry = remove(call) else { return }
      switch call {
      case .start, .stop: unsaid.append(entry)
      default: break
      }
    case .asked(let id, let command): obey(command, id)
    case .broken: break
    }
  }

  private func remove(_ call: StationCall) -> (call: StationCall, ticket: Int, message: String?)? {
    asked.firstIndex { $0.call == call }.map { asked.remove(at: $0) }
  }

  private func hear(_ confirmation: Confirmation, ticket: Int) {
    switch confirmation {
    case .boot(let status, let time, let interval):
      setClock(time)
      if status != "Accepted" {
        let identity = station.identity
        loop.after(.seconds(max(5, interval))) { [weak self] in self?.say(.boot(identity)) }
      }
    case .heartbeat(let time): setClock(time)
    case .authorise(let status):
      station.hear(.authorise(Authorisation(rawValue: status) ?? .invalid), ticket: ticket, at: clock.now)
    case .start(let transaction, let status):
      station.hear(.start(transaction: transaction, Authorisation(rawValue: status) ?? .invalid), ticket: ticket, at: clock.now)
    case .stop, .empty, .other, .refused: break
    }
    drain()
  }

  private func setClock(_ time: Instant?) {
    guard let time else { return }
    station.setClock(offset: (time - clock.utc).milliseconds, at: clock.now)
  }

  // MARK: Obeying

  private func obey(_ command: StationCommand, _ id: CentralRequestID) {
    let reply = station.receive(command, at: clock.now).flatMap { StationReply($0, to: command, at: clock.utc) }
    if let reply { take(dialogue.reply(id, reply, at: clock.moment)) }
    if case .reset = command {
      station.reboot(at: clock.now)
      hasBooted = false
      client?.close(reason: "reset")
    }
    drain()
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
  var moment: Moment { Moment(utc: utc, monotonic: monotonic) }
}
