import ChargingProfiles
import Documents
import Quantities
import Site

extension StationCommand {
  /// Reads a CALL of the central system, as strictly as a good station does.
  /// - Throws: what the CALLERROR says (errata 3.38 and 3.39 for profiles).
  init(_ action: String, _ payload: Node) throws(CallFault) {
    var reader = PayloadReader(payload, action)
    switch action {
    case "SetChargingProfile":
      let connector = try reader.essentialConnector()
      guard let node = payload.optional(at: "csChargingProfiles") else {
        throw CallFault(.occurrenceConstraintViolation, "csChargingProfiles is missing")
      }
      do throws(ProfileOnWire.Flaw) {
        self = .setProfile(connector: connector, try ProfileOnWire.profile(node))
      } catch {
        throw CallFault(.propertyConstraintViolation, error.description)
      }
    case "ClearChargingProfile":
      let purpose = reader.text("chargingProfilePurpose", limit: 50)
      self = .clearProfiles(
        ProfileFilter(
          id: reader.integer("id"), connector: reader.integer("connectorId"),
          purpose: try purpose.map { text throws(CallFault) in try Self.oneOf(text, "chargingProfilePurpose") },
          stackLevel: reader.integer("stackLevel")))
    case "GetCompositeSchedule":
      let connector = try reader.essentialConnector()
      let duration = try reader.essentialInteger("duration")
      guard (0...31_622_400).contains(duration) else { throw CallFault(.propertyConstraintViolation, "duration out of range") }
      let unit = reader.text("chargingRateUnit", limit: 1)
      self = .readComposite(
        connector: connector, duration: .seconds(duration),
        unit: try unit.map { text throws(CallFault) in try Self.oneOf(text, "chargingRateUnit") } ?? .amperes)
    case "TriggerMessage": self = .trigger(try Self.trigger(&reader))
    case "ChangeAvailability":
      let connector = try reader.essentialConnector()
      self = .changeAvailability(
        connector: connector, operative: try Self.isFirst(&reader, "type", "Operative", "Inoperative"))
    case "RemoteStartTransaction":
      let connector = reader.integer("connectorId")
      self = .remoteStart(connector: connector, idTag: try reader.essentialText("idTag", limit: 20))
    case "RemoteStopTransaction": self = .remoteStop(transaction: try reader.essentialInteger("transactionId"))
    case "UnlockConnector": self = .unlock(connector: try reader.essentialConnector())
    case "Reset": self = .reset(hard: try Self.isFirst(&reader, "type", "Hard", "Soft"))
    case "GetConfiguration": self = .getConfiguration(keys: reader.elements("key").compactMap(\.string))
    case "ChangeConfiguration":
      let key = try reader.essentialText("key", limit: 50)
      self = .changeConfiguration(key: key, value: reader.text("value", limit: 500) ?? "")
    case "ClearCache": self = .clearCache
    case "GetDiagnostics": self = .getDiagnostics(location: try reader.essentialText("location", limit: 2000))
    default:
      throw CallFault(CentralDialogue.known.contains(action) ? .notSupported : .notImplemented, action)
    }
  }

  private static func oneOf<Choice: RawRepresentable>(_ text: String, _ key: String) throws(CallFault) -> Choice
  where Choice.RawValue == String {
    guard let choice = Choice(rawValue: text) else { throw CallFault(.propertyConstraintViolation, "unknown \(key)") }
    return choice
  }
  private static func isFirst(
    _ reader: inout PayloadReader, _ key: String, _ first: String, _ second: String
  ) throws(CallFault) -> Bool {
    let text = try reader.essentialText(key, limit: 50)
    guard text == first || text == second else { throw CallFault(.propertyConstraintViolation, "unknown \(key)") }
    return text == first
  }
  private static func trigger(_ reader: inout PayloadReader) throws(CallFault) -> Trigger {
    let connector = reader.integer("connectorId") ?? 0
    switch try reader.essentialText("requestedMessage", limit: 50) {
    case "BootNotification": return .boot
    case "Heartbeat": return .heartbeat
    case "StatusNotification": return .status(connector: connector)
    case "MeterValues": return .meterValues(connector: connector)
    case "DiagnosticsStatusNotification", "FirmwareStatusNotification": throw CallFault(.notSupported, "not emulated")
    default: throw CallFault(.propertyConstraintViolation, "unknown requestedMessage")
    }
  }
}

extension StationReply {
  var payload: DocumentValue {
    var object = WireObject()
    switch self {
    case .status(let text): return WireObject.status(text)
    case .composite(let connector, let start, let schedule):
      object.put("status", text: "Accepted")
      object.put("connectorId", integer: connector)
      object.put("scheduleStart", time: start)
      object.put("chargingSchedule", ProfileOnWire.value(of: schedule))
    case .configuration(let keys, let unknown):
      object.put("configurationKey", .array(keys.map(\.wire)))
      if !unknown.isEmpty { object.put("unknownKey", .array(unknown.map(DocumentValue.string))) }
    case .diagnostics(let fileName): object.put("fileName", text: fileName)
    case .other(let value): return value
    case .fault: preconditionFailure("a fault has no payload")
    }
    return object.value
  }
}

extension CommandOutcome.ConfigurationKey {
  fileprivate var wire: DocumentValue {
    var object = WireObject()
    object.put("key", text: key)
    object.put("readonly", .bool(readOnly))
    object.put("value", text: value)
    return object.value
  }
}

extension StationCall {
  /// What the payload of a CALLRESULT says.
  func confirmation(_ payload: Node) -> Confirmation {
    func time(_ key: String) -> Instant? {
      payload[key]?.string.flatMap { Timestamp($0) }.map { Instant(milliseconds: $0.milliseconds) }
    }
    let status = payload["idTagInfo"]?["status"]?.string
    switch self {
    case .boot:
      return .boot(
        status: payload["status"]?.string ?? "", currentTime: time("currentTime"), interval: payload["interval"]?.integer ?? 0)
    case .heartbeat: return .heartbeat(currentTime: time("currentTime"))
    case .authorise: return .authorise(status: status ?? "")
    case .start: return .start(transaction: payload["transactionId"]?.integer ?? 0, status: status ?? "")
    case .stop: return .stop(status: status)
    case .status, .meterValues, .diagnosticsStatus, .firmwareStatus: return .empty
    case .dataTransfer, .other: return .other(payload.value)
    }
  }
}
