import ChargingProfiles
import Documents
import Quantities
import Site

extension CentralDialogue {
  /// Serves a CALL of the station: answers it at once, keeps it for the mind's answer, or says what is wrong with it.
  mutating func serve(
    _ id: Frame.MessageID, _ action: String, _ payload: Node, _ now: Moment, _ problems: inout [String], _ out: inout DialogueOutput
  ) {
    if id.isTooLong { problems.append("a message id longer than \(Frame.MessageID.limit) characters") }
    var reader = PayloadReader(payload, action)
    if payload.isNull { reader.deviate("null for a payload") }
    do throws(CallFault) {
      try serve(id, action, &reader, now, &out)
    } catch {
      out.frames.append(Frame.error(id, error))
      reader.deviate("\(error.code.rawValue): \(error.description)")
    }
    problems += reader.deviations
  }

  private mutating func serve(
    _ id: Frame.MessageID, _ action: String, _ reader: inout PayloadReader, _ now: Moment, _ out: inout DialogueOutput
  ) throws(CallFault) {
    switch action {
    case "Heartbeat":
      reader.expect(only: [])
      var object = WireObject()
      object.put("currentTime", time: now.utc)
      out.frames.append(Frame.result(id, object.value))
    case "StatusNotification":
      try status(&reader, now, &out)
      out.frames.append(Frame.result(id, WireObject.empty))
    case "MeterValues":
      try meterValues(&reader, now, &out)
      out.frames.append(Frame.result(id, WireObject.empty))
    case "DataTransfer":
      _ = try reader.essentialText("vendorId", limit: 255)
      out.frames.append(Frame.result(id, WireObject.status("UnknownVendorId")))
    case "DiagnosticsStatusNotification", "FirmwareStatusNotification":
      _ = try reader.essentialText("status", limit: 50)
      out.frames.append(Frame.result(id, WireObject.empty))
    case "SecurityEventNotification", "LogStatusNotification", "SignedFirmwareStatusNotification":
      out.frames.append(Frame.result(id, WireObject.empty))
    case "BootNotification": try wait(id, .boot, &reader, &out) { reader, request in Self.boot(&reader, request) }
    case "Authorize":
      try wait(id, .authorise, &reader, &out) { reader, request throws(CallFault) in try Self.authorise(&reader, request) }
    case "StartTransaction":
      try wait(id, .start, &reader, &out) { reader, request throws(CallFault) in
        try Self.start(&reader, request, id.remembered)
      }
    case "StopTransaction":
      try wait(id, .stop, &reader, &out) { reader, request throws(CallFault) in Self.stop(&reader, request, id.remembered) }
    case _ where Self.known.contains(action):
      throw CallFault(.notSupported, "\(action) is not for a central system")
    default: throw CallFault(.notImplemented, "unknown action")
    }
  }

  /// Actions of OCPP 1.6 and its security paper that a station does not send, or that are of no use here.
  static let known: Set<String> = [
    "CancelReservation", "CertificateSigned", "ChangeAvailability", "ChangeConfiguration", "ClearCache", "ClearChargingProfile",
    "DeleteCertificate", "ExtendedTriggerMessage", "GetCompositeSchedule", "GetConfiguration", "GetDiagnostics",
    "GetInstalledCertificateIds", "GetLocalListVersion", "GetLog", "InstallCertificate", "RemoteStartTransaction",
    "RemoteStopTransaction", "ReserveNow", "Reset", "SendLocalList", "SetChargingProfile", "SignCertificate",
    "SignedUpdateFirmware",
    "TriggerMessage", "UnlockConnector", "UpdateFirmware",
  ]

  // MARK: Answered at once

  private mutating func status(_ reader: inout PayloadReader, _ now: Moment, _ out: inout DialogueOutput) throws(CallFault) {
    reader.expect(only: ["connectorId", "errorCode", "info", "status", "timestamp", "vendorId", "vendorErrorCode"])
    let connector = try reader.essentialConnector()
    let text = try reader.essentialText("status", limit: 50)
    guard let status = ConnectorStatus(lenient: text) else {
      throw CallFault(.propertyConstraintViolation, "unknown status")
    }
    if status.rawValue != text { reader.deviate("status written in another way") }
    var error = reader.text("errorCode", limit: 50)
    if error == nil { reader.deviate("errorCode is missing") }
    if error == "NoError" { error = nil }
    if let code = error {
      let more = [reader.text("vendorErrorCode", limit: 50), reader.text("info", limit: 50)].compactMap { $0 }
      error = ([code] + more).joined(separator: "; ")
    }
    see(reader.time("timestamp", isRequired: false), now, &out)
    out.events.append(.status(connector: connector, status, error: error))
  }

  private mutating func meterValues(_ reader: inout PayloadReader, _ now: Moment, _ out: inout DialogueOutput) throws(CallFault) {
    reader.expect(only: ["connectorId", "transactionId", "meterValue"])
    let connector = try reader.essentialConnector()
    // 0 and -1 mean none, and other negative ones are the station's own (steve#1415, libocpp#495, lbbrhzn#1000).
    let transaction = reader.integer("transactionId").flatMap { $0 > 0 ? $0 : nil }
    guard let list = reader.node.optional(at: "meterValue") else {
      throw CallFault(.occurrenceConstraintViolation, "meterValue is missing")
    }
    guard list.kind == .array else { throw CallFault(.typeConstraintViolation, "meterValue is a list, found \(list.excerpt)") }
    var samples: [(sample: ConnectorSample, isLive: Bool)] = []
    for block in list.elements {
      guard block.kind == .object else {
        reader.deviate("meterValue is not an object")
        continue
      }
      var one = SampleReader(block, reader.place)
      if let sample = one.sample() { samples.append((sample, one.isLive)) }
      reader.deviations += one.reader.deviations
    }
    // Blocks out of order: evcc#15623. Those without a time keep their place at the end.
    let ordered = samples.enumerated().sorted { a, b in
      let far = Instant(milliseconds: .max)
      return (a.element.sample.takenAt ?? far, a.offset) < (b.element.sample.takenAt ?? far, b.offset)
    }
    if let last = ordered.last?.element, last.isLive { see(last.sample.takenAt, now, &out) }
    for (_, element) in ordered {
      let sample = isOld(element.sample, connector, now) ? element.sample.historical : element.sample
      if let sample { out.events.append(.sampled(connector: connector, transaction: transaction, sample)) }
    }
  }

  /// A replayed sample must not override a newer one (§2a.20): of an old one only the register and the state of charge are told.
  private mutating func isOld(_ sample: ConnectorSample, _ connector: Int, _ now: Moment) -> Bool {
    guard let at = sample.takenAt else { return false }
    if let offset = clock.offset, now.utc + offset - at > Self.replayAge { return true }
    guard let i = newest.firstIndex(where: { $0.connector == connector }) else {
      newest.append((connector, at))
      return false
    }
    // A clock that was set back by more than an hour starts anew.
    if at < newest[i].at, newest[i].at - at < .hours(1) { return true }
    newest[i].at = at
    return false
  }
  static let replayAge = TimeSpan.minutes(2)

  private mutating func see(_ stamp: Instant?, _ now: Moment, _ out: inout DialogueOutput) {
    guard let stamp, let offset = clock.see(stamp, at: now) else { return }
    out.events.append(.clock(offset: offset))
  }
}

extension ConnectorStatus {
  /// As OCPP writes it, or in other letters.
  init?(lenient text: String) {
    if let exact = ConnectorStatus(rawValue: text) {
      self = exact
      return
    }
    let all: [ConnectorStatus] = [
      .available, .preparing, .charging, .suspendedEVSE, .suspendedEV, .finishing, .reserved, .unavailable, .faulted,
    ]
    guard let match = all.first(where: { $0.rawValue.lowercased() == text.lowercased() }) else { return nil }
    self = match
  }
}

extension ConnectorSample {
  /// What still tells something when it comes late; nil: nothing.
  fileprivate var historical: ConnectorSample? {
    guard register != nil || stateOfCharge != nil else { return nil }
    return ConnectorSample(takenAt: takenAt, register: register, stateOfCharge: stateOfCharge)
  }
}
