import ChargingProfiles
import Control
import OCPP
import Quantities
import Site

/// Both ends of one station's WebSocket, in virtual time: at wire fidelity everything between mind and station is OCPP-J frames.
struct VirtualWire {
  var central: CentralDialogue
  var voice = StationVoice()
  /// When the timeline calls for its deadlines.
  var wakeAt = Int.max
}

extension Simulation {
  /// Between mind and stations, and mind and meters, are frames and register words.
  public var isOnWire: Bool { options.wire != nil }

  var rounding: Int { isOnWire ? Wire.rounding : 0 }

  /// The central system's ends, as a process that has just begun has them.
  func layWires() {
    guard isOnWire else { return }
    starts += 1
    for s in hub.stations.indices {
      // Request ids are never given twice, by whichever process.
      let central = CentralDialogue(
        stationID: hub.stations[s].id, traits: hub.stations[s].traits, firstRequest: UInt64(s + 1) << 40 | UInt64(starts) << 20)
      if wires.indices.contains(s) { wires[s].central = central } else { wires.append(VirtualWire(central: central)) }
    }
  }

  private var moment: Moment { Moment(utc: utc, monotonic: Monotonic(milliseconds: now)) }

  // MARK: The central system's end

  func command(_ id: CommandID, _ command: StationCommand, _ urgency: Urgency, _ s: Int) {
    carry(wires[s].central.command(id, command, urgency: urgency, at: moment), s)
  }
  func answer(_ request: RequestID, _ answer: Answer, _ s: Int) { carry(wires[s].central.answer(request, answer, at: moment), s) }
  func openCentral(_ s: Int) { carry(wires[s].central.opened(at: moment), s) }
  func closeCentral(_ s: Int) { carry(wires[s].central.closed(at: moment), s) }

  /// Lets frames go, and the mind hear when it is its turn.
  private func carry(_ output: DialogueOutput, _ s: Int) {
    for frame in output.frames { send(frame, s, up: false) }
    for event in output.events { timeline.add(.told(event, station: s, start: starts), at: now) }
    for deviation in output.deviations { note(deviation, s) }
    awaitDeadline(s)
  }

  /// What the central system finds wrong is the station's doing, or the line's: never an honest station's on an honest line. That says
  /// again, though, what the central system does not answer while its journal fails.
  private func note(_ deviation: Deviation, _ s: Int) {
    trace { "station \(s) deviates: \(deviation.what)" }
    guard let line = options.wire, line.faults == .none, stations[s].quirks.isEmpty else { return }
    if deviation.what.contains("sent again"), options.faults.storeFailure > 0 { return }
    find(.frames, "of an honest station: \(deviation.what): \(deviation.frame.prefix(300))")
  }

  // MARK: The station's end

  func openVoice(_ s: Int, boots: Bool) { carry(wires[s].voice.opened(&stations[s], boots: boots, at: now), s) }
  func closeVoice(_ s: Int) { wires[s].voice.closed(&stations[s], at: now) }
  func speak(_ s: Int) { carry(wires[s].voice.speak(&stations[s], at: now), s) }

  private func carry(_ output: StationVoice.Output, _ s: Int) {
    for frame in output.answers {
      send(frame, s, up: true, after: stations[s].has(.lateAnswers) ? random.pick(0...20_000) : random.pick(50...1500))
    }
    for frame in output.calls { send(frame, s, up: true) }
    for (message, delay) in output.later { timeline.add(.say(message, station: s, link: links[s]), at: now + delay) }
    if let delay = output.bootsAgain {
      timeline.add(.say(.boot(stations[s].identity), station: s, link: links[s]), at: now + delay)
    }
    for command in output.obeyed {
      if case .setProfile(let connector, _) = command { checkDeadMan(s, connector) }
    }
    for (ticket, transaction) in output.begun { checkBegun(transaction, s, ticket) }
    for what in output.broken where options.wire?.faults == WireFaults.none { find(.frames, "station \(s) cannot read: \(what)") }
    awaitDeadline(s)
    if output.resets { restart(s) }
  }

  // MARK: The line

  /// One frame leaves; it may be lost, come late, twice, or spoilt.
  private func send(_ frame: String, _ s: Int, up isUp: Bool, after delay: Int = 0) {
    guard let line = options.wire else { return }
    trace { "\(isUp ? "<" : ">") station \(s): \(frame)" }
    report.frames += 1
    let faults = line.faults
    guard faults != .none else { return deliver(Array(frame.utf8), s, isUp, delay) }
    if dice.chance(faults.lost) { return }
    var bytes = Array(frame.utf8)
    if dice.chance(faults.spoilt) { bytes = spoilt(bytes) }
    let late = dice.chance(faults.late) ? dice.pick(1000...20_000) : 0
    deliver(bytes, s, isUp, delay + late)
    if dice.chance(faults.doubled) { deliver(bytes, s, isUp, delay + late + dice.pick(0...5000)) }
  }

  private func deliver(_ bytes: [UInt8], _ s: Int, _ isUp: Bool, _ delay: Int) {
    timeline.add(.frame(bytes, station: s, link: links[s], isUp: isUp), at: isUp ? up(s, delay: delay) : down(s) + delay)
  }

  private func spoilt(_ bytes: [UInt8]) -> [UInt8] {
    guard dice.chance(500) else { return Array(bytes.prefix(dice.pick(0...bytes.count - 1))) }
    var bytes = bytes
    bytes[dice.pick(0...bytes.count - 1)] = UInt8(dice.pick(0...255))
    return bytes
  }

  /// A frame has arrived.
  func hear(_ bytes: [UInt8], _ s: Int, isUp: Bool) {
    if isUp {
      guard isMindUp, !isDead else { return }
      carry(wires[s].central.received(bytes, at: moment), s)
    } else if now >= stations[s].bootedAt {
      carry(wires[s].voice.received(bytes, &stations[s], at: now), s)
      settle(s)
    }
  }

  // MARK: Deadlines

  private func awaitDeadline(_ s: Int) {
    let central = isMindUp && !isDead ? wires[s].central.nextDeadline?.milliseconds : nil
    guard let due = [central, wires[s].voice.nextDeadline].compactMap({ $0 }).min(), max(due, now) < wires[s].wakeAt else { return }
    wires[s].wakeAt = max(due, now)
    timeline.add(.wireDeadline(station: s), at: wires[s].wakeAt)
  }

  func wireDeadline(_ s: Int) {
    guard wires[s].wakeAt <= now else { return }
    wires[s].wakeAt = Int.max
    if isMindUp, !isDead, let due = wires[s].central.nextDeadline, due.milliseconds <= now {
      carry(wires[s].central.deadline(at: moment), s)
    }
    if let due = wires[s].voice.nextDeadline, due <= now { carry(wires[s].voice.deadline(&stations[s], at: now), s) }
    awaitDeadline(s)
    settle(s)
  }
}
