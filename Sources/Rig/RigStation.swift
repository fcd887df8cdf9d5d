import ChargingProfiles
import Loop
import OCPP
import Quantities
import Simulation
import Site
import StationLink

/// One emulated station on a real WebSocket: the frames between its dialogue and its obedience. Lives on the loop's thread.
final class RigStation: @unchecked Sendable {
  private(set) var station: EmulatedStation
  private var dialogue: StationSideDialogue
  private var client: StationClient?
  private let loop: EventLoop
  private let clock: @Sendable () -> Moment
  private let began: Moment
  private var isStopped = false
  /// Requests that wait for an answer, in the order of sending.
  private var inFlight: [(call: StationCall, ticket: Int, said: EmulatedStation.Said)] = []
  /// Transaction messages whose answer never came.
  private var unsaid: [EmulatedStation.Said] = []
  private(set) var messages = 0

  init(_ station: EmulatedStation, loop: EventLoop, callTimeout: TimeSpan, began: Moment, clock: @escaping @Sendable () -> Moment) {
    (self.station, self.loop, self.clock, self.began) = (station, loop, clock, began)
    dialogue = StationSideDialogue(timeStyle: station.quirks.contains(.timestamps1970) ? .neverSet : .utc, callTimeout: callTimeout)
  }

  func start(_ endpoint: StationClient.Endpoint) {
    let client = StationClient(loop: loop, endpoint: endpoint) { [weak self] event in self?.hear(event) }
    self.client = client
    client.connect()
  }

  func stop() {
    isStopped = true
    client?.close()
  }

  /// Drops TCP, as a station does that loses power or radio; it comes back by itself.
  func dropLink() { client?.abort() }

  var now: Int { (clock().monotonic - began.monotonic).raw }

  /// Does what has become due.
  func wake() {
    let now = now
    if station.nextWake <= now {
      station.wake(at: now)
      speak()
    }
    if let deadline = dialogue.nextDeadline, deadline <= clock().monotonic { take(dialogue.deadline(at: clock())) }
  }

  func plugIn(_ b: Int, _ vehicle: Vehicle, idTag: String, leaving: Int) {
    station.plugIn(b, vehicle, idTag: idTag, leaving: leaving, at: now)
    speak()
  }

  func delivered() -> Energy { station.delivered(at: now) }

  private func hear(_ event: StationClient.Event) {
    switch event {
    case .opened:
      take(dialogue.opened(at: clock()))
      let again = unsaid
      unsaid = []
      station.connect(at: now, boots: true)
      station.said += again
      speak()
    case .received(let bytes):
      messages += 1
      take(dialogue.received(bytes, at: clock()))
      speak()
    case .closed:
      take(dialogue.closed(at: clock()))
      station.disconnect(at: now)
      guard !isStopped else { return }
      loop.after(.seconds(2)) { [weak self] in
        guard let self, !self.isStopped else { return }
        self.client?.connect()
      }
    }
  }

  private func take(_ out: StationSideOutput) {
    for frame in out.frames {
      messages += 1
      client?.send(text: frame)
    }
    for event in out.events {
      switch event {
      case .answered(let call, let confirmation): answered(call, confirmation)
      case .timedOut(let call), .lost(let call): lost(call)
      case .asked(let id, let command): obey(id, command)
      case .broken: break
      }
    }
  }

  // MARK: Saying

  private func speak() {
    while !station.said.isEmpty {
      let said = station.said
      station.said = []
      for message in said { say(message) }
    }
  }

  private func say(_ said: EmulatedStation.Said) {
    let utc = station.clock(now)
    switch said {
    case .boot(let identity): send(.boot(identity), 0, said)
    case .heartbeat: send(.heartbeat, 0, said)
    case .status(let connector, let status): send(.status(connector: connector, status, at: utc), 0, said)
    case .authorise(let idTag, let ticket): send(.authorise(idTag: idTag), ticket, said)
    case .start(let start, let ticket):
      send(
        .start(connector: start.connector, idTag: start.idTag, meterStart: start.meterStart, at: start.at ?? utc), ticket, said,
        message: start.messageID)
    case .stop(let stop, let ticket):
      send(
        .stop(transaction: stop.transaction, idTag: stop.idTag, meterStop: stop.meterStop, at: stop.at ?? utc, reason: stop.reason),
        ticket, said, message: stop.messageID)
    case .sample(let connector, let transaction, let sample, _):
      send(
        .meterValues(connector: connector, transaction: transaction, [MeterBlock(sample, at: sample.takenAt ?? utc)]), 0, said)
    }
  }

  private func send(_ call: StationCall, _ ticket: Int, _ said: EmulatedStation.Said, message: String? = nil) {
    inFlight.append((call, ticket, said))
    take(dialogue.send(call, message: message, at: clock()))
  }

  private func answered(_ call: StationCall, _ confirmation: Confirmation) {
    guard let place = inFlight.firstIndex(where: { $0.call == call }) else { return }
    let entry = inFlight.remove(at: place)
    switch confirmation {
    case .boot(_, let time, _), .heartbeat(let time): if let time { setClock(time) }
    case .authorise(let status):
      station.hear(.authorise(Authorisation(rawValue: status) ?? .invalid), ticket: entry.ticket, at: now)
    case .start(let transaction, let status):
      station.hear(.start(transaction: transaction, Authorisation(rawValue: status) ?? .invalid), ticket: entry.ticket, at: now)
    case .stop, .empty, .other, .refused: break
    }
    speak()
  }

  private func setClock(_ time: Instant) {
    let truth = began.utc + TimeSpan(raw: now)
    station.setClock(offset: (time - truth).raw, at: now)
  }

  private func lost(_ call: StationCall) {
    guard let place = inFlight.firstIndex(where: { $0.call == call }) else { return }
    let entry = inFlight.remove(at: place)
    switch entry.said {
    case .start, .stop: unsaid.append(entry.said)
    case .boot, .status, .authorise, .sample, .heartbeat: break
    }
  }

  // MARK: Obeying

  private func obey(_ id: CentralRequestID, _ command: StationCommand) {
    guard let outcome = station.receive(command, at: now) else { return }  // its answer is lost
    take(dialogue.reply(id, reply(to: command, outcome), at: clock()))
    speak()
  }

  private func reply(to command: StationCommand, _ outcome: CommandOutcome) -> StationReply {
    switch outcome {
    case .accepted:
      if case .unlock = command { return .status("Unlocked") }
      return .status("Accepted")
    case .refused(let code):
      return CallErrorCode(rawValue: code).map { .fault(CallFault($0, "as configured")) } ?? .status(code)
    case .composite(let schedule):
      guard let schedule, case .readComposite(let connector, _, _) = command else { return .status("Rejected") }
      return .composite(connector: connector, start: station.clock(now), schedule)
    case .configuration(let keys, let unknown): return .configuration(keys, unknown: unknown)
    case .sent, .superseded, .timedOut, .lost, .learned: return .status("Rejected")
    }
  }
}
