import ChargingProfiles
import Quantities
import Site

extension EmulatedStation {
  /// Its configuration keys (OCPP 1.6 §9), in the order in which it tells them.
  private var settings: [(key: String, readOnly: Bool, value: String)] {
    let units = store.capacity.units.map { $0 == .amperes ? "Current" : "Power" }.joined(separator: ",")
    let measurands =
      "Energy.Active.Import.Register,Power.Active.Import" + (has(.reportsPowerOnly) ? "" : ",Current.Import,Current.Offered")
    return [
      ("NumberOfConnectors", true, "\(bays.count)"), ("HeartbeatInterval", false, "300"),
      ("SupportedFeatureProfiles", true, "Core,SmartCharging,RemoteTrigger"),
      ("MeterValueSampleInterval", false, "\(sampleInterval / 1000)"), ("MeterValuesSampledData", false, measurands),
      ("ClockAlignedDataInterval", false, "0"), ("ChargeProfileMaxStackLevel", true, "\(store.capacity.highestStackLevel)"),
      ("ChargingScheduleAllowedChargingRateUnit", true, units),
      ("ChargingScheduleMaxPeriods", true, "\(store.capacity.maximumPeriods)"),
      ("MaxChargingProfilesInstalled", true, "\(store.capacity.maximumProfiles)"),
      ("ConnectorSwitch3to1PhaseSupported", true, "false"),
    ]
  }

  /// GetConfiguration: all keys when none is named.
  func configuration(_ keys: [String]) -> CommandOutcome {
    let wanted = keys.isEmpty ? settings : settings.filter { keys.contains($0.key) }
    let known = wanted.map { CommandOutcome.ConfigurationKey(key: $0.key, readOnly: $0.readOnly, value: $0.value) }
    return .configuration(known, unknown: keys.filter { key in !settings.contains { $0.key == key } })
  }

  /// ChangeConfiguration.
  mutating func change(_ key: String, to value: String) -> CommandOutcome {
    guard let setting = settings.first(where: { $0.key == key }) else { return .refused("NotSupported") }
    if setting.readOnly { return .refused("Rejected") }
    if key == "MeterValueSampleInterval" {
      guard let seconds = Int(value), seconds >= 0 else { return .refused("Rejected") }
      sampleInterval = max(1, seconds) * 1000
    }
    return .accepted
  }
}
