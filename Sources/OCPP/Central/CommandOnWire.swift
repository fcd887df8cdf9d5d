import ChargingProfiles
import Documents
import Quantities
import Site

/// A command turned into one CALL.
struct WireCall: Hashable, Sendable {
  var action: String
  var payload: DocumentValue
  /// A key whose mere mention some models do not survive (ABB Terra AC: lbbrhzn#1275).
  var keys: [String] = []
}

/// Why a command cannot be put on the wire: what a person gave is outside what the schemas allow.
struct Unsendable: Error, Hashable, Sendable {
  var why: String
}

extension StationCommand {
  /// The name of the action; nil for those that are more than one CALL.
  var action: String? {
    switch self {
    case .learn: nil
    case .setProfile: "SetChargingProfile"
    case .clearProfiles: "ClearChargingProfile"
    case .readComposite: "GetCompositeSchedule"
    case .trigger: "TriggerMessage"
    case .changeAvailability: "ChangeAvailability"
    case .remoteStart: "RemoteStartTransaction"
    case .remoteStop: "RemoteStopTransaction"
    case .unlock: "UnlockConnector"
    case .reset: "Reset"
    case .getConfiguration: "GetConfiguration"
    case .changeConfiguration: "ChangeConfiguration"
    case .clearCache: "ClearCache"
    case .getDiagnostics: "GetDiagnostics"
    }
  }

  /// - Precondition: it is a command of one CALL.
  func call() throws(Unsendable) -> WireCall {
    guard let action else { preconditionFailure("a command of several calls") }
    var object = WireObject()
    var keys: [String] = []
    switch self {
    case .learn: break
    case .setProfile(let connector, let profile):
      try profile.check(for: connector)
      object.put("connectorId", integer: connector)
      object.put("csChargingProfiles", ProfileOnWire.value(of: profile))
    case .clearProfiles(let filter):
      object.put("id", integer: filter.id)
      object.put("connectorId", integer: filter.connector)
      object.put("chargingProfilePurpose", text: filter.purpose?.rawValue)
      object.put("stackLevel", integer: filter.stackLevel)
    case .readComposite(let connector, let duration, let unit):
      object.put("connectorId", integer: connector)
      object.put("duration", seconds: duration)
      object.put("chargingRateUnit", text: unit.rawValue)
    case .trigger(let trigger):
      object.put("requestedMessage", text: trigger.message)
      object.put("connectorId", integer: trigger.connector)
    case .changeAvailability(let connector, let operative):
      object.put("connectorId", integer: connector)
      object.put("type", text: operative ? "Operative" : "Inoperative")
    case .remoteStart(let connector, let idTag):
      object.put("connectorId", integer: connector)
      object.put("idTag", text: try idTag.checked("idTag", atMost: 20))
    case .remoteStop(let transaction): object.put("transactionId", integer: transaction)
    case .unlock(let connector): object.put("connectorId", integer: connector)
    case .reset(let hard): object.put("type", text: hard ? "Hard" : "Soft")
    case .getConfiguration(let names):
      keys = names
      if !names.isEmpty {
        var list: [DocumentValue] = []
        for name in names { list.append(.string(try name.checked("key", atMost: 50))) }
        object.put("key", .array(list))
      }
    case .changeConfiguration(let key, let value):
      keys = [key]
      object.put("key", text: try key.checked("key", atMost: 50))
      object.put("value", text: try value.checked("value", atMost: 500))
    case .clearCache: break
    case .getDiagnostics(let location):
      guard let colon = location.firstIndex(of: ":"), colon > location.startIndex, location.allSatisfy({ $0.isASCII && $0 > " " })
      else { throw Unsendable(why: "the location is no URI") }
      object.put("location", text: location)
    }
    return WireCall(action: action, payload: object.value, keys: keys)
  }
}

extension String {
  fileprivate func checked(_ name: String, atMost limit: Int) throws(Unsendable) -> String {
    guard unicodeScalars.count <= limit else { throw Unsendable(why: "\(name) is longer than \(limit) characters") }
    return self
  }
}

extension ChargingProfile {
  /// Which profiles belong on which connector (OCPP 1.6 §3.13.1, §5.16.4).
  fileprivate func check(for connector: Int) throws(Unsendable) {
    switch purpose {
    case .stationMaximum where connector != 0: throw Unsendable(why: "a ChargePointMaxProfile belongs on connector 0")
    case .transaction(nil): throw Unsendable(why: "a TxProfile names its transaction")
    case .transaction where connector == 0: throw Unsendable(why: "a TxProfile belongs on a connector")
    default: return
    }
  }
}

extension StationCommand.Trigger {
  var message: String {
    switch self {
    case .boot: "BootNotification"
    case .heartbeat: "Heartbeat"
    case .status: "StatusNotification"
    case .meterValues: "MeterValues"
    }
  }
  /// Connector 0 is said by saying nothing: the member counts from 1 (OCPP 1.6 §6.51).
  var connector: Int? {
    switch self {
    case .boot, .heartbeat: nil
    case .status(let connector), .meterValues(let connector): connector > 0 ? connector : nil
    }
  }
}
