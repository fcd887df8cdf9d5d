import ChargingProfiles
import Documents
import Quantities
import Site

/// The central system's side of one station's OCPP-J 1.6: wire state only.
///
/// It has no clock and no socket: a house tells it what happened and when, and does what it gives back. One value serves a station for as
/// long as the process lives, over all its connections, so that request ids are never given twice.
/// - Each CALL of ours waits for the answer to the one before, or for its time-out.
/// - `sent` is told when the frame is handed out.
public struct CentralDialogue: Sendable {
  public let stationID: String
  /// May be changed while it lives; what is waiting keeps its place.
  public var traits: StationTraits

  enum Link: Hashable { case closed, silent, speaking }
  struct InFlight {
    var message: String
    /// nil: a step of learning.
    var entry: CommandQueue.Entry
    var step: StationCommand
    var sentAt: Monotonic
    var deadline: Monotonic
  }
  struct Waiting {
    enum Kind { case boot, authorise, start, stop }
    var request: RequestID
    var message: Frame.MessageID
    var kind: Kind
    /// The payload as it came, to know a repeat by.
    var source: String
  }
  struct Answered {
    var message: Frame.MessageID
    var source: String
    var frame: String
  }
  struct Told {
    var what: String
    var at: Monotonic
  }

  var link = Link.closed
  var openedAt = Monotonic(milliseconds: 0)
  var connection: Int
  var lastMessage = 0
  var lastRequest: UInt64
  var inFlight: InFlight?
  var queue = CommandQueue()
  var learning: (entry: CommandQueue.Entry, state: Learning)?
  var waiting: [Waiting] = []
  var answered: [Answered] = []
  var timedOut: [String] = []
  var told: [Told] = []
  var clock = ClockEstimate()
  /// The newest sample time of each connector on this connection.
  var newest: [(connector: Int, at: Instant)] = []

  /// - Parameter firstRequest: request ids count from here; give a later one if an earlier dialogue of the station had some.
  public init(stationID: String, traits: StationTraits, firstRequest: UInt64 = 1) {
    (self.stationID, self.traits) = (stationID, traits)
    (lastRequest, connection) = (firstRequest &- 1, 0)
  }

  /// The clock of the station minus ours as last told.
  public var clockOffset: TimeSpan? { clock.offset }
  public var isOpen: Bool { link != .closed }
  /// Commands that wait for their turn, the one on the wire not counted.
  public var queued: Int { queue.entries.count + (learning == nil ? 0 : 1) }

  // MARK: The connection

  /// A connection was opened; an open one before it counts as closed (the newest wins).
  public mutating func opened(at now: Moment) -> DialogueOutput {
    var out = isOpen ? closed(at: now) : DialogueOutput()
    connection += 1
    openedAt = now.monotonic
    // Some hang on any CALL before their boot is answered (Wallbox: lbbrhzn#1503, EN+: evcc#25069).
    link = traits.boot == .silentBeforeBoot ? .silent : .speaking
    out.events.append(.connected)
    return out
  }

  /// The connection is gone: first that is told, so that no outcome is taken for the station's word, then what was on the wire or waited
  /// for it is lost. Requests of the station need no answer any more.
  public mutating func closed(at now: Moment) -> DialogueOutput {
    var out = DialogueOutput()
    guard isOpen else { return out }
    link = .closed
    out.events.append(.disconnected)
    if let inFlight { out.events.append(.outcome(inFlight.entry.id, .lost)) }
    if let learning, learning.entry.id != inFlight?.entry.id { out.events.append(.outcome(learning.entry.id, .lost)) }
    for id in queue.removeAll() { out.events.append(.outcome(id, .lost)) }
    (inFlight, learning) = (nil, nil)
    (waiting, answered, timedOut, newest) = ([], [], [], [])
    clock = ClockEstimate()
    return out
  }

  /// When `deadline` is to be called; nil: never.
  public var nextDeadline: Monotonic? {
    guard isOpen else { return nil }
    let release = link == .silent && (!queue.isEmpty || learning != nil) ? openedAt + Self.bootPatience : nil
    guard let pending = inFlight?.deadline else { return release }
    return release.map { min($0, pending) } ?? pending
  }

  /// A station that should boot and only goes on talking has come back without a boot: after this it is spoken to.
  static let bootPatience = TimeSpan.seconds(90)

  public mutating func deadline(at now: Moment) -> DialogueOutput {
    var out = DialogueOutput()
    guard isOpen else { return out }
    if let inFlight, now.monotonic >= inFlight.deadline {
      timedOut.append(inFlight.message)
      if timedOut.count > WireChoices.keptTimeouts { timedOut.removeFirst() }
      out.isUnanswered = true
      finish(inFlight, .timedOut, &out)
    }
    if link == .silent, now.monotonic >= openedAt + Self.bootPatience { link = .speaking }
    speak(now, &out)
    return out
  }

  // MARK: Receiving

  public mutating func received(_ text: String, at now: Moment) -> DialogueOutput { received(Array(text.utf8), at: now) }

  /// - Parameter bytes: one text message.
  /// - Complexity: O(length), whatever it holds.
  public mutating func received(_ bytes: [UInt8], at now: Moment) -> DialogueOutput {
    var out = DialogueOutput()
    guard isOpen else { return out }
    var problems: [String] = []
    let call = inFlight
    do throws(Frame.Fault) {
      switch try Frame.read(bytes, problems: &problems) {
      case .call(let id, let action, let payload): serve(id, action, payload, now, &problems, &out)
      case .result(let id, let payload): heard(id, payload, &problems, &out)
      case .error(let id, let code, let description): refused(id, code, description, &problems, &out)
      }
    } catch {
      switch error {
      case .call(let id, let fault):
        out.frames.append(Frame.error(id, fault))
        problems.append("\(fault.code.rawValue): \(fault.description)")
      case .answer(let id, let what):
        problems.append("an answer that cannot be read: \(what)")
        // Whether it said yes is unknown: as if it had never come.
        if let inFlight, inFlight.message == id { finish(inFlight, .timedOut, &out) }
      case .unanswerable(let what): problems.append("no message: \(what)")
      }
    }
    if let call, inFlight?.message != call.message { out.answeredAfter = now.monotonic - call.sentAt }
    for problem in problems.prefix(WireChoices.mostDeviations) { deviate(problem.cut(to: 500), bytes, now, &out) }
    speak(now, &out)
    return out
  }

  /// Tells a deviation, unless it was told within the last hour.
  mutating func deviate(_ what: String, _ frame: [UInt8], _ now: Moment, _ out: inout DialogueOutput) {
    if let i = told.firstIndex(where: { $0.what == what }) {
      guard now.monotonic - told[i].at >= .milliseconds(WireChoices.deviationSilence) else { return }
      told.remove(at: i)
    }
    if told.count == WireChoices.keptDeviations { told.removeFirst() }
    told.append(Told(what: what, at: now.monotonic))
    let text = String(decoding: frame.prefix(WireChoices.keptFrameBytes), as: UTF8.self)
    out.deviations.append(Deviation(what: what, frame: text))
    out.events.append(.deviated("\(what): \(text)"))
  }
}
