import ChargingProfiles
import OCPP
import Quantities
import Site

/// The voice of an emulated station: what it does becomes OCPP-J frames, and frames become what it is told. No socket and no clock: a
/// house carries the frames. Times are true milliseconds from the start, as the station counts them.
public struct StationVoice: Sendable {
  /// What a house is to do.
  public struct Output: Sendable {
    /// Answers to the central system; a slow station takes its time for them. They leave before `calls`.
    public var answers: [String] = []
    /// CALLs of the station, in this order.
    public var calls: [String] = []
    /// What it will say later, by so many milliseconds.
    public var later: [(message: EmulatedStation.Said, delay: Int)] = []
    /// The commands that it has obeyed.
    public var obeyed: [StationCommand] = []
    /// The id that the central system gave to the transaction that began with this ticket.
    public var begun: [(ticket: Int, transaction: Int)] = []
    /// Messages of the central system that are none.
    public var broken: [String] = []
    /// It was told to restart: its connection ends.
    public var resets = false
    /// It was not let in and boots again after so many milliseconds.
    public var bootsAgain: Int?
    public init() {}
  }
  private struct Asked {
    var call: StationCall
    var said: EmulatedStation.Said
  }
  private var dialogue = StationSideDialogue()
  /// What was said and not answered, in order.
  private var asked: [Asked] = []

  public init() {}

  /// When `deadline` is to be called; nil: never.
  public var nextDeadline: Int? { dialogue.nextDeadline?.milliseconds }

  // MARK: Connection

  /// - Parameter boots: it sends a BootNotification, if it is one that does.
  public mutating func opened(_ station: inout EmulatedStation, boots: Bool, at now: Int) -> Output {
    var out = Output()
    take(dialogue.opened(at: moment(station, now)), &station, now, &out)
    station.connect(at: now, boots: boots)
    speak(&station, now, &out)
    return out
  }

  /// What was not answered the station keeps, if it concerns a transaction.
  public mutating func closed(_ station: inout EmulatedStation, at now: Int) {
    _ = dialogue.closed(at: moment(station, now))
    station.keep(asked.map(\.said))
    asked = []
    station.disconnect(at: now)
  }

  // MARK: Life

  /// Says what the station has to say.
  public mutating func speak(_ station: inout EmulatedStation, at now: Int) -> Output {
    var out = Output()
    speak(&station, now, &out)
    return out
  }

  public mutating func deadline(_ station: inout EmulatedStation, at now: Int) -> Output {
    var out = Output()
    take(dialogue.deadline(at: moment(station, now)), &station, now, &out)
    speak(&station, now, &out)
    return out
  }

  /// - Parameter bytes: one text message.
  public mutating func received(_ bytes: [UInt8], _ station: inout EmulatedStation, at now: Int) -> Output {
    var out = Output()
    take(dialogue.received(bytes, at: moment(station, now)), &station, now, &out)
    speak(&station, now, &out)
    return out
  }

  private func moment(_ station: EmulatedStation, _ now: Int) -> Moment {
    Moment(utc: station.epoch + .milliseconds(now), monotonic: Monotonic(milliseconds: now))
  }

  private mutating func speak(_ station: inout EmulatedStation, _ now: Int, _ out: inout Output) {
    while !station.said.isEmpty {
      let said = station.said
      station.said = []
      for message in said {
        if case .sample(let connector, let transaction, let sample, let delay) = message, delay > 0 {
          out.later.append((.sample(connector: connector, transaction: transaction, sample, delay: 0), delay))
        } else {
          say(message, &station, now, &out)
        }
      }
    }
  }

  private mutating func say(_ said: EmulatedStation.Said, _ station: inout EmulatedStation, _ now: Int, _ out: inout Output) {
    let call: StationCall
    var message: String?
    // Its own time; what does not know the time counts from 1970.
    let unset = Instant(milliseconds: now)
    switch said {
    case .boot(let identity): call = .boot(identity)
    case .status(let connector, let status): call = .status(connector: connector, status, at: station.stamp(now) ?? unset)
    case .authorise(let idTag, _): call = .authorise(idTag: idTag)
    case .start(let start, _):
      message = start.messageID
      call = .start(connector: start.connector, idTag: start.idTag, meterStart: start.meterStart, at: start.at ?? unset)
    case .stop(let stop, _):
      message = stop.messageID
      call = .stop(
        transaction: stop.transaction, idTag: stop.idTag, meterStop: stop.meterStop, at: stop.at ?? unset, reason: stop.reason)
    case .sample(let connector, let transaction, let sample, _):
      call = .meterValues(connector: connector, transaction: transaction, [MeterBlock(sample, at: sample.takenAt ?? unset)])
    case .heartbeat: call = .heartbeat
    }
    asked.append(Asked(call: call, said: said))
    take(dialogue.send(call, message: message, at: moment(station, now)), &station, now, &out)
  }

  // MARK: What the dialogue tells

  private mutating func take(_ told: StationSideOutput, _ station: inout EmulatedStation, _ now: Int, _ out: inout Output) {
    out.calls += told.frames
    for event in told.events { take(event, &station, now, &out) }
  }

  private mutating func take(_ event: StationSideEvent, _ station: inout EmulatedStation, _ now: Int, _ out: inout Output) {
    switch event {
    case .answered(let call, let confirmation):
      if let asked = remove(call) { hear(confirmation, asked.said, &station, now, &out) }
    case .timedOut(let call):
      guard let late = remove(call) else { return }
      switch late.said {
      case .start, .stop, .boot: say(late.said, &station, now, &out)
      case .status, .authorise, .sample, .heartbeat: break
      }
    case .lost(let call):
      if let lost = remove(call) { station.keep([lost.said]) }
    case .asked(let id, let command): obey(command, id, &station, now, &out)
    case .broken(let what): out.broken.append(what)
    }
  }

  private mutating func remove(_ call: StationCall) -> Asked? {
    asked.firstIndex { $0.call == call }.map { asked.remove(at: $0) }
  }

  private func hear(
    _ confirmation: Confirmation, _ said: EmulatedStation.Said, _ station: inout EmulatedStation, _ now: Int, _ out: inout Output
  ) {
    switch (confirmation, said) {
    case (.boot(let status, let time, let interval), _):
      setClock(time, &station, now)
      if status != "Accepted" { out.bootsAgain = max(5, interval) * 1000 }
    case (.heartbeat(let time), _): setClock(time, &station, now)
    case (.authorise(let status), .authorise(_, let ticket)):
      station.hear(.authorise(Authorisation(rawValue: status) ?? .invalid), ticket: ticket, at: now)
    case (.start(let transaction, let status), .start(_, let ticket)):
      out.begun.append((ticket, transaction))
      station.hear(.start(transaction: transaction, Authorisation(rawValue: status) ?? .invalid), ticket: ticket, at: now)
    default: break
    }
  }

  private func setClock(_ time: Instant?, _ station: inout EmulatedStation, _ now: Int) {
    guard let time else { return }
    station.setClock(offset: (time - station.epoch).milliseconds - now, at: now)
  }

  private mutating func obey(
    _ command: StationCommand, _ id: CentralRequestID, _ station: inout EmulatedStation, _ now: Int, _ out: inout Output
  ) {
    let utc = station.epoch + .milliseconds(now)
    let reply = station.receive(command, at: now).flatMap { StationReply($0, to: command, at: utc) }
    out.obeyed.append(command)
    if let reply { out.answers += dialogue.reply(id, reply, at: moment(station, now)).frames }
    if case .reset = command { out.resets = true }
  }
}
