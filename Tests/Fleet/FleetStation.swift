import ChargingProfiles
import Glibc
import Loop
import OCPP
import Quantities
import Site
import StationLink

/// One station with one connector, and a vehicle that takes all it is allowed. On the loop's thread only.
final class FleetStation: @unchecked Sendable {
  private var dialogue = StationSideDialogue()
  private var client: StationClient?
  private unowned let crowd: Crowd
  let number: Int
  private(set) var transaction: Int?
  /// Amperes; what the newest profile of the transaction allows at first, the fallback before.
  private(set) var limit = 6.0
  private(set) var draw = 0.0
  private var register = 1_000_000.0
  private var saidAt = 0.0
  private(set) var isOpen = false

  init(_ number: Int, crowd: Crowd) { (self.number, self.crowd) = (number, crowd) }

  func make(_ loop: EventLoop, _ endpoint: StationClient.Endpoint) {
    client = StationClient(loop: loop, endpoint: endpoint) { [unowned self] in happened($0) }
  }
  func connect() { client?.connect() }
  func lose() { client?.abort() }

  private var now: Moment {
    Moment(utc: crowd.utc, monotonic: Monotonic(milliseconds: Int(monotonicMilliseconds())))
  }

  private func happened(_ event: StationClient.Event) {
    switch event {
    case .opened:
      isOpen = true
      take(dialogue.opened(at: now))
      crowd.opened()
      say(.boot(StationIdentity(vendor: "Fleet", model: "F", serial: "\(number)", firmware: "1")))
      say(.status(connector: 1, transaction == nil ? .available : .charging, at: crowd.utc))
    case .received(let bytes): take(dialogue.received(bytes, at: now))
    case .closed(let end):
      isOpen = false
      take(dialogue.closed(at: now))
      crowd.closed(self, end)
    }
  }

  func say(_ call: StationCall) {
    saidAt = monotonicMilliseconds()
    take(dialogue.send(call, at: now))
  }

  func start() {
    say(.status(connector: 1, .preparing, at: crowd.utc))
    say(.start(connector: 1, idTag: "fleet-\(number)", meterStart: .wattHours(Int(register)), at: crowd.utc))
    say(.status(connector: 1, .charging, at: crowd.utc))
  }

  /// A sample of what the vehicle takes.
  func sample() {
    guard isOpen, let transaction else { return }
    follow()
    register += draw * 230 * 10 / 3600
    let current = PerPhase<Current>(.milliamperes(Int(draw * 1000)), .zero, .zero)
    let sample = ConnectorSample(takenAt: nil, current: current, register: Energy.wattHours(Int(register)))
    say(.meterValues(connector: 1, transaction: transaction, [MeterBlock(sample, at: crowd.utc)]))
  }

  private func follow() {
    let before = draw
    draw = transaction == nil ? 0 : limit
    if draw != before { crowd.drawChanged(phase: number % 3, by: draw - before) }
  }

  private func take(_ output: StationSideOutput) {
    crowd.sentFrames += output.frames.count
    for frame in output.frames { client?.send(text: frame) }
    for event in output.events { take(event) }
  }

  private func take(_ event: StationSideEvent) {
    switch event {
    case .answered(let call, let confirmation):
      if case .start(let id, _) = confirmation { transaction = id }
      crowd.answered(self, call, after: monotonicMilliseconds() - saidAt)
    case .asked(let id, let command): take(dialogue.reply(id, reply(to: command), at: now))
    case .timedOut, .lost: break
    case .broken(let what): Fleet.complain("station \(number): \(what)")
    }
  }

  private func reply(to command: StationCommand) -> StationReply {
    switch command {
    case .getConfiguration(let keys): return .configuration([], unknown: keys)
    case .setProfile(_, let profile):
      if case .transaction = profile.purpose { obey(profile.schedule) }
      return .status("Accepted")
    case .readComposite: return .status("Rejected")
    case .clearProfiles: return .status("Unknown")
    default: return .status("Accepted")
    }
  }

  /// What the schedule allows now; the vehicle follows by the next sample.
  private func obey(_ schedule: Schedule) {
    let elapsed = schedule.start.map { crowd.utc - $0 } ?? .zero
    guard let period = schedule.periods.last(where: { $0.start <= elapsed }) ?? schedule.periods.first else { return }
    let allowed = Double(period.tenths) / 10
    crowd.limited(from: limit, to: allowed)
    limit = allowed
  }
}
