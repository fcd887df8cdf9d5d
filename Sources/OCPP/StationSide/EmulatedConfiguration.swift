import ChargingProfiles
import Documents
import Quantities
import Site

/// The configuration keys of an emulated station (OCPP 1.6 §9), made from what it can, and changed as the central system asks.
public struct EmulatedConfiguration: Hashable, Sendable {
  public private(set) var keys: [CommandOutcome.ConfigurationKey] = []
  /// More keys in one request are refused (EVBox gives one at a time: evcc#14721).
  public var keysAtOnce: Int
  /// Measurands that it has; a list with another one is rejected as a whole.
  public var measurands: [String]

  public static let allMeasurands = Learning.measurands[0]

  public init(
    _ capabilities: StationCapabilities, keysAtOnce: Int = 20, measurands: [String] = EmulatedConfiguration.allMeasurands
  ) {
    (self.keysAtOnce, self.measurands) = (keysAtOnce, measurands)
    var units: [String] = []
    if capabilities.acceptsAmperes == true { units.append("Current") }
    if capabilities.acceptsWatts == true { units.append("Power") }
    put("ChargingScheduleAllowedChargingRateUnit", units.isEmpty ? nil : units.joined(separator: ","))
    put("ChargeProfileMaxStackLevel", capabilities.highestStackLevel.map(String.init))
    put("ChargingScheduleMaxPeriods", capabilities.maximumPeriods.map(String.init))
    put("MaxChargingProfilesInstalled", capabilities.maximumProfiles.map(String.init))
    put("NumberOfConnectors", capabilities.connectors.map(String.init))
    put("ConnectorSwitch3to1PhaseSupported", capabilities.switchesPhases.map { $0 ? "true" : "false" })
    put("GetConfigurationMaxKeys", String(keysAtOnce))
    put("SupportedFeatureProfiles", "Core,SmartCharging,RemoteTrigger")
    put("HeartbeatInterval", "300", readOnly: false)
    put(Learning.intervalKey, String(capabilities.sampleInterval ?? 60), readOnly: false)
    put(Learning.measurandsKey, "Energy.Active.Import.Register", readOnly: false)
  }

  private mutating func put(_ key: String, _ value: String?, readOnly: Bool = true) {
    if let value { keys.append(CommandOutcome.ConfigurationKey(key: key, readOnly: readOnly, value: value)) }
  }
  private func index(_ key: String) -> Int? { keys.firstIndex { $0.key.lowercased() == key.lowercased() } }

  /// MeterValueSampleInterval; nil: off.
  public var sampleInterval: TimeSpan? {
    let seconds = index(Learning.intervalKey).flatMap { keys[$0].value }.flatMap { Int($0) } ?? 0
    return seconds > 0 ? .seconds(seconds) : nil
  }
  /// What MeterValuesSampledData names.
  public var sampledMeasurands: [String] {
    index(Learning.measurandsKey).flatMap { keys[$0].value }?.split(separator: ",").map(String.init) ?? []
  }

  /// The reply to GetConfiguration; without names, to all.
  public func reply(to names: [String]) -> StationReply {
    guard !names.isEmpty else { return .configuration(keys, unknown: []) }
    guard names.count <= keysAtOnce else { return .fault(CallFault(.occurrenceConstraintViolation, "at most \(keysAtOnce) keys")) }
    return .configuration(names.compactMap(index).map { keys[$0] }, unknown: names.filter { index($0) == nil })
  }

  /// The reply to ChangeConfiguration.
  public mutating func change(_ key: String, to value: String) -> StationReply {
    guard let i = index(key) else { return .status("NotSupported") }
    guard !keys[i].readOnly else { return .status("Rejected") }
    if keys[i].key == Learning.measurandsKey {
      guard value.split(separator: ",").allSatisfy({ measurands.contains(String($0)) }) else { return .status("Rejected") }
    } else {
      guard let number = Int(value), (0...86_400).contains(number) else { return .status("Rejected") }
    }
    keys[i].value = value
    return .status("Accepted")
  }
}

extension StationReply {
  /// The reply that a station gives when obeying `command` ended in `outcome`.
  /// - Parameter now: where a composite schedule starts.
  /// - Returns: nil for outcomes that are no answer: sent, superseded, timed out, lost.
  public init?(_ outcome: CommandOutcome, to command: StationCommand, at now: Instant) {
    switch outcome {
    case .sent, .superseded, .timedOut, .lost, .learned: return nil
    case .accepted:
      switch command {
      case .unlock: self = .status("Unlocked")
      case .getDiagnostics: self = .diagnostics(fileName: "diagnostics.log")
      default: self = .status("Accepted")
      }
    case .refused(let word):
      if let code = CallErrorCode(rawValue: word), word != "NotSupported" || !command.knowsNotSupported {
        self = .fault(CallFault(code, ""))
      } else {
        self = .status(word)
      }
    case .composite(let schedule):
      guard let schedule, case .readComposite(let connector, _, _) = command else {
        self = .status("Rejected")
        return
      }
      self = .composite(connector: connector, start: now, schedule)
    case .configuration(let keys, let unknown): self = .configuration(keys, unknown: unknown)
    }
  }
}

extension StationCommand {
  /// Whether NotSupported is a status that its answer may have, not only an error code.
  fileprivate var knowsNotSupported: Bool {
    switch self {
    case .setProfile, .changeConfiguration, .unlock: true
    default: false
    }
  }
}
