import ChargingProfiles
import Documents
import Quantities
import Site

/// The station's side of OCPP-J 1.6: what an emulated station says and is told. Like `CentralDialogue`, it has no clock and no socket.
///
/// Requests of the central system are the same `StationCommand`s that the mind gives. What no emulated station does (local lists, reservations,
/// firmware) is answered NotSupported by itself, a DataTransfer with UnknownVendorId.
public struct StationSideDialogue: Sendable {
  private struct Outgoing {
    var call: StationCall
    var message: String
  }
  private struct Pending {
    var id: CentralRequestID
    var message: Frame.MessageID
  }
  public var timeStyle: TimeStyle
  public var callTimeout: TimeSpan
  /// Says so many CALLs at once without waiting for an answer; 1 is what the specification asks for (OCPP-J 1.6 §4.1.1).
  public var mayBeOutstanding = 1

  private var isOpen = false
  private var connection = 0
  private var lastMessage = 0
  private var lastRequest: UInt64 = 0
  private var outstanding: [(outgoing: Outgoing, deadline: Monotonic)] = []
  private var queue: [Outgoing] = []
  private var pending: [Pending] = []

  public init(timeStyle: TimeStyle = .utc, callTimeout: TimeSpan = .seconds(30)) {
    (self.timeStyle, self.callTimeout) = (timeStyle, callTimeout)
  }

  // MARK: The connection

  public mutating func opened(at now: Moment) -> StationSideOutput {
    let out = closed(at: now)
    isOpen = true
    connection += 1
    return out
  }

  /// What was not answered is lost; it is the station's own affair what it says again later.
  public mutating func closed(at now: Moment) -> StationSideOutput {
    var out = StationSideOutput()
    out.events = outstanding.map { .lost($0.outgoing.call) } + queue.map { .lost($0.call) }
    (outstanding, queue, pending, isOpen) = ([], [], [], false)
    return out
  }

  /// When `deadline` is to be called; nil: never.
  public var nextDeadline: Monotonic? { outstanding.map(\.deadline).min() }

  public mutating func deadline(at now: Moment) -> StationSideOutput {
    var out = StationSideOutput()
    for late in outstanding where now.monotonic >= late.deadline { out.events.append(.timedOut(late.outgoing.call)) }
    outstanding.removeAll { now.monotonic >= $0.deadline }
    speak(now, &out)
    return out
  }

  // MARK: Saying

  /// Says something: at once, or when what is outstanding is answered. Without a connection it is lost.
  /// - Parameter message: a message id of the caller's, e.g. that of an earlier message that is said again.
  public mutating func send(_ call: StationCall, message: String? = nil, at now: Moment) -> StationSideOutput {
    var out = StationSideOutput()
    guard isOpen else {
      out.events.append(.lost(call))
      return out
    }
    lastMessage += 1
    queue.append(Outgoing(call: call, message: message ?? "s\(connection)-\(lastMessage)"))
    speak(now, &out)
    return out
  }

  /// Replies to a request. One of an earlier connection goes nowhere.
  public mutating func reply(_ id: CentralRequestID, _ reply: StationReply, at now: Moment) -> StationSideOutput {
    var out = StationSideOutput()
    guard let i = pending.firstIndex(where: { $0.id == id }) else { return out }
    let message = pending.remove(at: i).message
    if case .fault(let fault) = reply {
      out.frames.append(Frame.error(message, fault))
    } else {
      out.frames.append(Frame.result(message, reply.payload))
    }
    return out
  }

  private mutating func speak(_ now: Moment, _ out: inout StationSideOutput) {
    while outstanding.count < mayBeOutstanding, !queue.isEmpty {
      let next = queue.removeFirst()
      out.frames.append(Frame.call(next.message, next.call.action, next.call.payload(timeStyle)))
      outstanding.append((next, now.monotonic + callTimeout))
    }
  }

  // MARK: Hearing

  public mutating func received(_ text: String, at now: Moment) -> StationSideOutput { received(Array(text.utf8), at: now) }

  public mutating func received(_ bytes: [UInt8], at now: Moment) -> StationSideOutput {
    var out = StationSideOutput()
    guard isOpen else { return out }
    var problems: [String] = []
    do throws(Frame.Fault) {
      switch try Frame.read(bytes, problems: &problems) {
      case .call(let id, let action, let payload): asked(id, action, payload, &out)
      case .result(let id, let payload):
        if let call = take(id) { out.events.append(.answered(call, call.confirmation(payload))) }
      case .error(let id, let code, let description):
        if let call = take(id) { out.events.append(.answered(call, .refused(code: code, description: description))) }
      }
    } catch {
      switch error {
      case .call(let id, let fault):
        out.frames.append(Frame.error(id, fault))
        problems.append(fault.description)
      case .answer(_, let what), .unanswerable(let what): problems.append(what)
      }
    }
    out.events += problems.map(StationSideEvent.broken)
    speak(now, &out)
    return out
  }

  private mutating func take(_ message: String) -> StationCall? {
    guard let i = outstanding.firstIndex(where: { $0.outgoing.message == message }) else { return nil }
    return outstanding.remove(at: i).outgoing.call
  }

  private mutating func asked(_ message: Frame.MessageID, _ action: String, _ payload: Node, _ out: inout StationSideOutput) {
    do throws(CallFault) {
      if action == "DataTransfer" {
        out.frames.append(Frame.result(message, WireObject.status("UnknownVendorId")))
        return
      }
      let command = try StationCommand(action, payload)
      lastRequest += 1
      let id = CentralRequestID(lastRequest)
      pending.append(Pending(id: id, message: message))
      out.events.append(.asked(id, command))
    } catch {
      out.frames.append(Frame.error(message, error))
    }
  }
}
