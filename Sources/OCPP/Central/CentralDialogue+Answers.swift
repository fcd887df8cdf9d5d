import ChargingProfiles
import Documents
import Quantities
import Site

extension CentralDialogue {
  typealias Telling = (inout PayloadReader, RequestID) throws(CallFault) -> StationEvent

  /// Keeps a request for the mind's answer. The same message again is one request with one answer (MicroOcpp#50).
  mutating func wait(
    _ id: Frame.MessageID, _ kind: Waiting.Kind, _ reader: inout PayloadReader, _ out: inout DialogueOutput, _ tell: Telling
  ) throws(CallFault) {
    let source = reader.node.source
    if waiting.contains(where: { $0.message == id && $0.source == source }) {
      reader.deviate("sent again before it was answered")
      return
    }
    if let kept = answered.first(where: { $0.message == id && $0.source == source }) {
      reader.deviate("sent again after it was answered")
      out.frames.append(kept.frame)
      return
    }
    guard waiting.count < WireChoices.waitingRequests else {
      throw CallFault(.genericError, "too many requests without an answer")
    }
    lastRequest += 1
    let request = RequestID(lastRequest)
    let event = try tell(&reader, request)
    waiting.append(Waiting(request: request, message: id, kind: kind, source: source))
    out.events.append(event)
  }

  /// What the mind says to a request. An answer to a request of an earlier connection goes nowhere.
  /// - Precondition: the answer is of the request's kind.
  public mutating func answer(_ request: RequestID, _ answer: Answer, at now: Moment) -> DialogueOutput {
    var out = DialogueOutput()
    guard let i = waiting.firstIndex(where: { $0.request == request }) else { return out }
    let asked = waiting.remove(at: i)
    let frame = Frame.result(asked.message, Self.payload(answer, to: asked.kind, now))
    out.frames.append(frame)
    if asked.kind == .start || asked.kind == .stop {
      if answered.count == WireChoices.keptAnswers { answered.removeFirst() }
      answered.append(Answered(message: asked.message, source: asked.source, frame: frame))
    }
    if asked.kind == .boot { link = .speaking }
    speak(now, &out)
    return out
  }

  private static func payload(_ answer: Answer, to kind: Waiting.Kind, _ now: Moment) -> DocumentValue {
    var object = WireObject()
    switch (answer, kind) {
    case (.boot(let accepted, let interval), .boot):
      object.put("status", text: accepted ? "Accepted" : "Rejected")
      object.put("currentTime", time: now.utc)
      object.put("interval", seconds: interval)
    case (.authorise(let authorisation), .authorise): object.put("idTagInfo", WireObject.status(authorisation.rawValue))
    case (.start(let transaction, let authorisation), .start):
      object.put("transactionId", integer: transaction)
      object.put("idTagInfo", WireObject.status(authorisation.rawValue))
    case (.stop(let authorisation), .stop):
      object.put("idTagInfo", authorisation.map { WireObject.status($0.rawValue) })
    default: preconditionFailure("\(answer) is no answer to a request of the kind \(kind)")
    }
    return object.value
  }

  // MARK: What the mind is told

  static func boot(_ reader: inout PayloadReader, _ request: RequestID) -> StationEvent {
    reader.expect(only: [
      "chargePointVendor", "chargePointModel", "chargePointSerialNumber", "chargeBoxSerialNumber", "firmwareVersion", "iccid",
      "imsi",
      "meterType", "meterSerialNumber",
    ])
    // An empty vendor: evcc#32184. A station that cannot boot is a station that cannot be controlled.
    let (vendor, model) = (reader.text("chargePointVendor", limit: 20), reader.text("chargePointModel", limit: 20))
    if vendor == nil { reader.deviate("chargePointVendor is missing") }
    if model == nil { reader.deviate("chargePointModel is missing") }
    let serial = reader.text("chargePointSerialNumber", limit: 25) ?? reader.text("chargeBoxSerialNumber", limit: 25)
    let firmware = reader.text("firmwareVersion", limit: 50)
    return .booted(
      StationIdentity(vendor: vendor ?? "", model: model ?? "", serial: serial ?? "", firmware: firmware ?? ""), request)
  }

  static func authorise(_ reader: inout PayloadReader, _ request: RequestID) throws(CallFault) -> StationEvent {
    reader.expect(only: ["idTag"])  // a connectorId was seen: evcc#14579
    return .authorise(idTag: try reader.essentialName("idTag", limit: 20), request)
  }

  static func start(_ reader: inout PayloadReader, _ request: RequestID, _ message: String) throws(CallFault) -> StationEvent {
    reader.expect(only: ["connectorId", "idTag", "meterStart", "reservationId", "timestamp"])
    let connector = try reader.essentialConnector()
    let idTag = reader.name("idTag", limit: 20)
    if idTag == nil { reader.deviate("idTag is missing") }
    let start = TransactionStart(
      connector: connector, idTag: idTag ?? "", meterStart: reader.wattHours("meterStart"),
      at: reader.time("timestamp", isRequired: true), messageID: message)
    return .started(start, request)
  }

  /// Never refused for what it says: a station repeats a StopTransaction until it is answered (steve#156).
  static func stop(_ reader: inout PayloadReader, _ request: RequestID, _ message: String) -> StationEvent {
    reader.expect(only: ["idTag", "meterStop", "timestamp", "transactionId", "reason", "transactionData"])
    let transaction = reader.integer("transactionId")
    if transaction == nil { reader.deviate("transactionId is missing") }
    let stop = TransactionStop(
      transaction: transaction ?? -1, idTag: reader.name("idTag", limit: 20), meterStop: reader.wattHours("meterStop"),
      at: reader.time("timestamp", isRequired: true), reason: reader.text("reason", limit: 30) ?? "Local", messageID: message)
    return .stopped(stop, request)
  }
}
