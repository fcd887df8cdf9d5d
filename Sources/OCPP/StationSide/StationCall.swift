import Documents
import Quantities
import Site

/// What a station sends to its central system.
public enum StationCall: Hashable, Sendable {
  case boot(StationIdentity)
  case heartbeat
  /// `error`: an OCPP error code; nil is NoError. `at`: nil leaves the timestamp out.
  case status(connector: Int, ConnectorStatus, error: String? = nil, at: Instant? = nil)
  case authorise(idTag: String)
  /// `meterStart` is sent in whole Wh, cut.
  case start(connector: Int, idTag: String, meterStart: Energy, at: Instant)
  case meterValues(connector: Int, transaction: Int?, [MeterBlock])
  case stop(transaction: Int, idTag: String?, meterStop: Energy, at: Instant, reason: String?, [MeterBlock] = [])
  case dataTransfer(vendor: String, message: String?, data: String?)
  case diagnosticsStatus(String)
  case firmwareStatus(String)
  /// Whatever a station may come up with.
  case other(action: String, payload: DocumentValue)

  public var action: String {
    switch self {
    case .boot: "BootNotification"
    case .heartbeat: "Heartbeat"
    case .status: "StatusNotification"
    case .authorise: "Authorize"
    case .start: "StartTransaction"
    case .meterValues: "MeterValues"
    case .stop: "StopTransaction"
    case .dataTransfer: "DataTransfer"
    case .diagnosticsStatus: "DiagnosticsStatusNotification"
    case .firmwareStatus: "FirmwareStatusNotification"
    case .other(let action, _): action
    }
  }
}

/// One MeterValue: values taken at one time. Texts are free, so that a station can be wrong in them.
public struct MeterBlock: Hashable, Sendable {
  public struct Value: Hashable, Sendable {
    public var value: String
    public var measurand: String?
    public var unit: String?
    public var phase: String?
    public var context: String?
    public var format: String?
    public var location: String?
    public init(
      _ value: String, measurand: String? = nil, unit: String? = nil, phase: String? = nil, context: String? = nil,
      format: String? = nil, location: String? = nil
    ) {
      (self.value, self.measurand, self.unit, self.phase) = (value, measurand, unit, phase)
      (self.context, self.format, self.location) = (context, format, location)
    }
  }
  public var at: Instant
  public var values: [Value]
  public init(at: Instant, values: [Value]) { (self.at, self.values) = (at, values) }

  /// A sample as a station that does everything right would send it.
  public init(_ sample: ConnectorSample, at: Instant, context: String = "Sample.Periodic") {
    var values: [Value] = []
    func add(_ raw: Int, decimals: Int, _ measurand: String, _ unit: String, _ phase: String? = nil) {
      let text = ExactNumber(raw, decimals: decimals).description
      values.append(Value(text, measurand: measurand, unit: unit, phase: phase, context: context))
    }
    if let register = sample.register { add(register.wattHours, decimals: 0, "Energy.Active.Import.Register", "Wh") }
    if let power = sample.power { add(power.milliwatts, decimals: 3, "Power.Active.Import", "W") }
    for phase in Phase.allCases {
      if let current = sample.current { add(current[phase].milliamperes, decimals: 3, "Current.Import", "A", phase.name) }
    }
    for phase in Phase.allCases {
      if let voltage = sample.voltage { add(voltage[phase].millivolts, decimals: 3, "Voltage", "V", phase.name + "-N") }
    }
    if let offered = sample.offered { add(offered.milliamperes, decimals: 3, "Current.Offered", "A") }
    if let charge = sample.stateOfCharge { add(charge, decimals: 0, "SoC", "Percent") }
    self.init(at: at, values: values)
  }
}

/// How a station writes the time.
public enum TimeStyle: String, Hashable, Sendable, Codable {
  case utc
  /// Without a zone (Growatt THOR: evcc#10399).
  case withoutZone
  /// The clock was never set: seconds since the epoch began with its boot (MicroOcpp#311).
  case neverSet

  func text(_ instant: Instant) -> String {
    switch self {
    case .utc: Timestamp.text(instant.milliseconds)
    case .withoutZone: String(Timestamp.text(instant.milliseconds).dropLast())
    case .neverSet: Timestamp.text(instant.milliseconds % 86_400_000)
    }
  }
}

extension StationCall {
  func payload(_ style: TimeStyle) -> DocumentValue {
    var object = WireObject()
    switch self {
    case .boot(let identity):
      object.put("chargePointVendor", text: identity.vendor)
      object.put("chargePointModel", text: identity.model)
      object.put("chargePointSerialNumber", text: identity.serial.isEmpty ? nil : identity.serial)
      object.put("firmwareVersion", text: identity.firmware.isEmpty ? nil : identity.firmware)
    case .heartbeat: break
    case .status(let connector, let status, let error, let at):
      object.put("connectorId", integer: connector)
      object.put("errorCode", text: error ?? "NoError")
      object.put("status", text: status.rawValue)
      object.put("timestamp", text: at.map(style.text))
    case .authorise(let idTag): object.put("idTag", text: idTag)
    case .start(let connector, let idTag, let meter, let at):
      object.put("connectorId", integer: connector)
      object.put("idTag", text: idTag)
      object.put("meterStart", integer: meter.wattHours)
      object.put("timestamp", text: style.text(at))
    case .meterValues(let connector, let transaction, let blocks):
      object.put("connectorId", integer: connector)
      object.put("transactionId", integer: transaction)
      object.put("meterValue", .array(blocks.map { $0.value(style) }))
    case .stop(let transaction, let idTag, let meter, let at, let reason, let blocks):
      object.put("idTag", text: idTag)
      object.put("meterStop", integer: meter.wattHours)
      object.put("timestamp", text: style.text(at))
      object.put("transactionId", integer: transaction)
      object.put("reason", text: reason)
      object.put("transactionData", blocks.isEmpty ? nil : .array(blocks.map { $0.value(style) }))
    case .dataTransfer(let vendor, let message, let data):
      object.put("vendorId", text: vendor)
      object.put("messageId", text: message)
      object.put("data", text: data)
    case .diagnosticsStatus(let status), .firmwareStatus(let status): object.put("status", text: status)
    case .other(_, let payload): return payload
    }
    return object.value
  }
}

extension MeterBlock {
  fileprivate func value(_ style: TimeStyle) -> DocumentValue {
    var object = WireObject()
    object.put("timestamp", text: style.text(at))
    object.put("sampledValue", .array(values.map(\.wire)))
    return object.value
  }
}

extension MeterBlock.Value {
  fileprivate var wire: DocumentValue {
    var object = WireObject()
    object.put("value", text: value)
    object.put("context", text: context)
    object.put("format", text: format)
    object.put("measurand", text: measurand)
    object.put("phase", text: phase)
    object.put("location", text: location)
    object.put("unit", text: unit)
    return object.value
  }
}
