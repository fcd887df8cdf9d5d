import ChargingProfiles
import Documents
import Quantities
import Site

extension CentralDialogue {
  /// Asks something of the station: at once if nothing is outstanding, else in its turn.
  ///
  /// Without a connection it is `lost`; what the model must not be asked, and what no schema allows, is `refused` without being sent.
  public mutating func command(
    _ id: CommandID, _ command: StationCommand, urgency: Urgency, at now: Moment
  ) -> DialogueOutput {
    var out = DialogueOutput()
    guard isOpen else {
      out.events.append(.outcome(id, .lost))
      return out
    }
    if case .learn = command, let old = learning, inFlight?.entry.id != old.entry.id {
      out.events.append(.outcome(old.entry.id, .superseded))
      learning = nil
    }
    let entry = CommandQueue.Entry(id: id, command: command, urgency: urgency)
    for old in queue.add(entry) { out.events.append(.outcome(old, .superseded)) }
    speak(now, &out)
    return out
  }

  /// Withdraws a command that is still waiting: it ends `superseded`. What is on the wire already goes its way.
  @discardableResult
  public mutating func cancel(_ id: CommandID) -> DialogueOutput {
    var out = DialogueOutput()
    if queue.remove(id) { out.events.append(.outcome(id, .superseded)) }
    return out
  }

  /// Sends the next CALL, if it is the turn of one.
  mutating func speak(_ now: Moment, _ out: inout DialogueOutput) {
    guard link == .speaking else { return }
    while inFlight == nil {
      // Learning is routine: what is urgent goes between its steps.
      if let learning, (queue.nextRank ?? Urgency.routine.rank) >= Urgency.routine.rank {
        step(learning.entry, learning.state, now, &out)
        continue
      }
      guard let entry = queue.next() else { return }
      if case .learn(let interval) = entry.command {
        let state = Learning(sampleInterval: interval, traits: traits)
        learning = (entry, state)
        if state.call() != nil { out.events.append(.outcome(entry.id, .sent)) }
      } else {
        send(entry, step: entry.command, now, &out)
      }
    }
  }

  private mutating func step(_ entry: CommandQueue.Entry, _ state: Learning, _ now: Moment, _ out: inout DialogueOutput) {
    if let call = state.call() {
      send(entry, step: call, now, &out)
    } else {
      learning = nil
      out.events.append(.outcome(entry.id, .learned(state.result)))
    }
  }

  private mutating func send(
    _ entry: CommandQueue.Entry, step: StationCommand, _ now: Moment, _ out: inout DialogueOutput
  ) {
    let call: WireCall
    do throws(Unsendable) {
      call = try step.call()
    } catch {
      settle(entry, step, .refused("not sent: \(error.why)"), &out)
      return
    }
    let isAvoided = traits.avoidedCalls.contains { name in
      name == call.action || call.keys.contains { name == "\(call.action):\($0)" }
    }
    guard !isAvoided else {
      settle(entry, step, .refused("not sent: the model does not bear it"), &out)
      return
    }
    lastMessage += 1
    let message = "\(connection)-\(lastMessage)"
    out.frames.append(Frame.call(message, call.action, call.payload))
    inFlight = InFlight(
      message: message, entry: entry, step: step, sentAt: now.monotonic, deadline: now.monotonic + traits.callTimeout)
    if step == entry.command { out.events.append(.outcome(entry.id, .sent)) }
  }

  // MARK: Answers

  mutating func heard(_ id: String, _ payload: Node, _ problems: inout [String], _ out: inout DialogueOutput) {
    guard let call = answeredCall(id, &problems) else { return }
    var reader = PayloadReader(payload, "\(call.step.action ?? "CALL") answer")
    if payload.kind != .object { reader.deviate("the payload is not an object") }
    let outcome = call.step.outcome(of: &reader)
    problems += reader.deviations
    finish(call, outcome, &out)
  }

  mutating func refused(
    _ id: String, _ code: String, _ description: String, _ problems: inout [String], _ out: inout DialogueOutput
  ) {
    guard let call = answeredCall(id, &problems) else { return }
    if CallErrorCode(rawValue: code) == nil { problems.append("unknown error code") }
    // Without a code it may be anything: perhaps what was asked is in force.
    finish(call, code.isEmpty ? .timedOut : .refused(code.cut(to: 50)), &out)
  }

  /// The CALL that an answer belongs to; nil, with a deviation: to none, or to one that ran out of time.
  private mutating func answeredCall(_ id: String, _ problems: inout [String]) -> InFlight? {
    if let inFlight, inFlight.message == id { return inFlight }
    if let late = timedOut.firstIndex(of: id) {
      timedOut.remove(at: late)
      problems.append("an answer after its time-out")
    } else {
      problems.append("an answer to nothing that was asked")
    }
    return nil
  }

  mutating func finish(_ call: InFlight, _ outcome: CommandOutcome, _ out: inout DialogueOutput) {
    inFlight = nil
    settle(call.entry, call.step, outcome, &out)
  }

  /// The outcome of one CALL: that of its command, or the next thing learnt.
  private mutating func settle(
    _ entry: CommandQueue.Entry, _ step: StationCommand, _ outcome: CommandOutcome, _ out: inout DialogueOutput
  ) {
    guard var learning, learning.entry.id == entry.id else {
      out.events.append(.outcome(entry.id, outcome))
      return
    }
    learning.state.heard(outcome)
    self.learning = learning
  }
}
