import ChargingProfiles
import Documents
import Quantities
import Site

/// Finds out what a station can, and sets the sampling that control needs: one CALL after the other, each decided by the answers before.
///
/// No refusal ends it: what a station does not say stays nil, and a remark says why.
struct Learning: Hashable, Sendable {
  private enum Step: Hashable {
    /// GetConfigurationMaxKeys first: EVBox answers for one key at a time (evcc#14721).
    case countKeys
    case ask(Range<Int>)
    case setInterval(Int)
    case setMeasurands(Int)
    case done
  }
  private var step = Step.countKeys
  private var keysAtOnce = Learning.keys.count
  private var values: [CommandOutcome.ConfigurationKey] = []
  private var capabilities = StationCapabilities()
  /// CALLs in a row that got no answer.
  private var silences = 0
  private let interval: Int
  private let avoided: [String]

  /// Whoever hangs on every CALL (EN+, evcc#30113) is left alone after this many time-outs in a row.
  static let patience = 2

  static let keys = [
    "ChargingScheduleAllowedChargingRateUnit", "ChargeProfileMaxStackLevel", "ChargingScheduleMaxPeriods",
    "MaxChargingProfilesInstalled", "NumberOfConnectors", "ConnectorSwitch3to1PhaseSupported", intervalKey, measurandsKey,
  ]
  static let intervalKey = "MeterValueSampleInterval"
  static let measurandsKey = "MeterValuesSampledData"

  /// From the fullest to the least; a list with one unsupported measurand is refused as a whole.
  static let measurands = [
    ["Energy.Active.Import.Register", "Power.Active.Import", "Current.Import", "Current.Offered", "Voltage", "SoC"],
    ["Energy.Active.Import.Register", "Power.Active.Import", "Current.Import", "Current.Offered", "Voltage"],
    ["Energy.Active.Import.Register", "Power.Active.Import", "Current.Import", "Voltage"],
    ["Energy.Active.Import.Register", "Power.Active.Import", "Current.Import"],
    ["Energy.Active.Import.Register", "Current.Import"],
    ["Current.Import"],
    ["Energy.Active.Import.Register", "Power.Active.Import"],
  ]

  init(sampleInterval: TimeSpan, traits: StationTraits) {
    interval = max(1, sampleInterval.milliseconds / 1000)
    avoided = traits.avoidedCalls
    if mustAvoid("GetConfiguration") {
      remark("not asked for its configuration: the model does not bear it")
      beginSetting()
    }
  }

  private mutating func remark(_ text: String) { capabilities.remarks.append(text) }
  private func mustAvoid(_ action: String, key: String? = nil) -> Bool {
    avoided.contains(action) || key.map { avoided.contains("\(action):\($0)") } ?? false
  }

  // MARK: Asking

  /// The next CALL; nil: there is none left, see `result`.
  func call() -> StationCommand? {
    switch step {
    case .countKeys: .getConfiguration(keys: ["GetConfigurationMaxKeys"])
    case .ask(let range): .getConfiguration(keys: Array(askable[range]))
    case .setInterval(let seconds): .changeConfiguration(key: Self.intervalKey, value: String(seconds))
    case .setMeasurands(let i): .changeConfiguration(key: Self.measurandsKey, value: Self.measurands[i].joined(separator: ","))
    case .done: nil
    }
  }

  private var askable: [String] { Self.keys.filter { !mustAvoid("GetConfiguration", key: $0) } }

  /// What it can, once `call()` gives none.
  var result: StationCapabilities { capabilities }

  /// - Parameter outcome: of the last `call()`.
  mutating func heard(_ outcome: CommandOutcome) {
    if outcome == .timedOut {
      silences += 1
      if silences >= Self.patience {
        remark("gave up after \(silences) calls without an answer")
        if !values.isEmpty { readValues() }
        step = .done
        return
      }
    } else {
      silences = 0
    }
    switch step {
    case .countKeys: heardCount(outcome)
    case .ask(let range): heardValues(outcome, range)
    case .setInterval(let seconds): heardInterval(outcome, seconds)
    case .setMeasurands(let i): heardMeasurands(outcome, i)
    case .done: break
    }
  }

  private mutating func heardCount(_ outcome: CommandOutcome) {
    if case .configuration(let keys, _) = outcome {
      values = keys  // some give everything, whatever is asked
      if let count = value(of: "GetConfigurationMaxKeys").flatMap({ ExactNumber($0)?.integer }), count > 0 {
        keysAtOnce = min(count, Self.keys.count)
      }
    } else {
      remark("GetConfiguration of one key: \(outcome.word)")
    }
    ask(from: 0)
  }

  private mutating func ask(from start: Int) {
    let missing = askable.indices.dropFirst(start).first { value(of: askable[$0]) == nil }
    guard let missing else {
      readValues()
      beginSetting()
      return
    }
    step = .ask(missing..<min(missing + keysAtOnce, askable.count))
  }

  private mutating func heardValues(_ outcome: CommandOutcome, _ range: Range<Int>) {
    if case .configuration(let keys, _) = outcome {
      for key in keys where !values.contains(where: { $0.key == key.key }) { values.append(key) }
    } else if range.count > 1 {
      // One bad key, or too many, can spoil the whole: one at a time.
      keysAtOnce = 1
      ask(from: range.lowerBound)
      return
    } else {
      remark("\(askable[range.lowerBound]): \(outcome.word)")
    }
    ask(from: range.upperBound)
  }

  // MARK: Reading

  private func entry(of key: String) -> CommandOutcome.ConfigurationKey? {
    // Another case: evcc#16186.
    values.first { $0.key.lowercased() == key.lowercased() && $0.value != nil }
  }
  /// Without quotes and blanks around it (Mennekes: evcc#16255).
  private func value(of key: String) -> String? {
    entry(of: key)?.value.map { text in
      var text = Substring(text)
      while let first = text.first, first.isWhitespace || first == "\"" || first == "'" { text.removeFirst() }
      while let last = text.last, last.isWhitespace || last == "\"" || last == "'" { text.removeLast() }
      return String(text)
    }
  }
  private func list(of key: String) -> [String]? {
    value(of: key)?.split(separator: ",").map { item in
      String(item.filter { !$0.isWhitespace && $0 != "\"" && $0 != "'" })
    }
  }
  private mutating func count(of key: String) -> Int? {
    guard let text = value(of: key) else {
      if askable.contains(key) { remark("\(key): not said") }
      return nil
    }
    if let count = ExactNumber(text)?.integer, count >= 0, count < 1 << 31 { return count }
    remark("\(key): \(text.prefix(50)) is no count")
    return nil
  }

  private mutating func readValues() {
    if let units = list(of: Self.keys[0])?.map({ $0.lowercased() }), !units.isEmpty {
      // "W" instead of "Power": evcc cp_setup.
      capabilities.acceptsAmperes = units.contains { ["current", "a", "amperes", "amps"].contains($0) }
      capabilities.acceptsWatts = units.contains { ["power", "w", "watts"].contains($0) }
    } else {
      remark("\(Self.keys[0]): not said")
    }
    capabilities.highestStackLevel = count(of: Self.keys[1])
    capabilities.maximumPeriods = count(of: Self.keys[2])
    capabilities.maximumProfiles = count(of: Self.keys[3])
    capabilities.connectors = count(of: Self.keys[4])
    capabilities.switchesPhases = value(of: Self.keys[5]).map { $0.lowercased() == "true" }
    readSampling()
  }

  private mutating func readSampling() {
    capabilities.sampleInterval = value(of: Self.intervalKey).flatMap { ExactNumber($0)?.integer }.flatMap { $0 > 0 ? $0 : nil }
    capabilities.samplesCurrent = list(of: Self.measurandsKey).map { $0.contains(where: Self.isCurrent) }
  }
  private static func isCurrent(_ measurand: String) -> Bool { measurand.lowercased().hasPrefix("current.import") }

  // MARK: Setting

  private mutating func beginSetting() {
    // Flash wears: what is right is not written again (libocpp#543).
    if capabilities.sampleInterval == interval || !mayChange(Self.intervalKey) {
      beginMeasurands()
    } else {
      step = .setInterval(interval)
    }
  }

  private mutating func mayChange(_ key: String) -> Bool {
    if mustAvoid("ChangeConfiguration", key: key) {
      remark("\(key): not changed, the model does not bear it")
      return false
    }
    if entry(of: key)?.readOnly == true {
      remark("\(key): read-only")
      return false
    }
    return true
  }

  private mutating func heardInterval(_ outcome: CommandOutcome, _ seconds: Int) {
    if isSet(outcome, Self.intervalKey) {
      capabilities.sampleInterval = seconds
      beginMeasurands()
      return
    }
    // Models with a least interval: 30 s (Easee), 60 s (Mennekes ACU).
    remark("\(Self.intervalKey) \(seconds): \(outcome.word)")
    if let longer = [30, 60].first(where: { $0 > seconds && $0 != capabilities.sampleInterval }) {
      step = .setInterval(longer)
    } else {
      beginMeasurands()
    }
  }

  private mutating func beginMeasurands() {
    let known = list(of: Self.measurandsKey)?.map { $0.lowercased() } ?? []
    let hasAll = Self.measurands[0].allSatisfy { known.contains($0.lowercased()) }
    step = hasAll || !mayChange(Self.measurandsKey) ? .done : .setMeasurands(0)
  }

  private mutating func heardMeasurands(_ outcome: CommandOutcome, _ i: Int) {
    if isSet(outcome, Self.measurandsKey) {
      capabilities.samplesCurrent = Self.measurands[i].contains(where: Self.isCurrent)
      step = .done
      return
    }
    remark("\(Self.measurandsKey) with \(Self.measurands[i].count): \(outcome.word)")
    let hasNoSuchKey = outcome == .refused("NotSupported") || outcome == .refused("NotImplemented")
    step = hasNoSuchKey || i + 1 == Self.measurands.count ? .done : .setMeasurands(i + 1)
  }

  private mutating func isSet(_ outcome: CommandOutcome, _ key: String) -> Bool {
    if outcome == .refused("RebootRequired") {
      remark("\(key): in force after a reboot")
      return true
    }
    return outcome == .accepted
  }
}

extension CommandOutcome {
  /// For remarks.
  var word: String {
    switch self {
    case .refused(let word): word
    case .timedOut: "no answer"
    case .lost: "connection lost"
    case .sent, .superseded, .accepted, .learned, .composite, .configuration: "unexpected"
    }
  }
}
