import Metering
import ModbusLink
import Quantities
import Site

/// `sluice meter probe`: tries to recognise the model of a meter.
struct MeterProbe {
  typealias Problem = MeterCommand.Problem
  private let profiles: [MeterProfile]
  private let bus: Meter.Bus
  private let unit: Int
  /// After this many models without any answer, not even an exception, nobody is there.
  private static let patience = 6

  init(_ options: MeterOptions) throws(Problem) {
    profiles = try options.profiles()
    bus = try options.bus()
    unit = try options.whole("--unit", 0...255, else: 1)
  }

  func run() throws(Problem) -> Int32 {
    guard let connection = MeterConnection(bus) else { throw Problem("cannot use \(MeterOptions.words(bus))") }
    guard connection.open() else { throw Problem("no connection to \(MeterOptions.words(bus))", status: 1) }
    var results: [Recognition] = []
    for (i, profile) in profiles.enumerated() {
      if i == Self.patience, !connection.hasAnswered {
        throw Problem("unit \(unit) on \(MeterOptions.words(bus)): no answer", status: 1)
      }
      if let result = judge(profile, connection) { results.append(result) }
    }
    let ranked = Recognition.ranked(results)
    guard let best = ranked.first else {
      print("unit \(unit): no profile fits. Wrong unit, no answer, or a model without a profile.")
      return 1
    }
    for result in ranked {
      guard let profile = profiles.first(where: { $0.name == result.profile }) else { continue }
      print(MeterCommand.pad(profile.name, 28) + MeterCommand.pad(words(result), 46) + profile.meter)
    }
    let equals = ranked.filter { $0.evidence == best.evidence && $0.score == best.score }
    guard equals.count == 1 else {
      print("\n\(equals.count) models answer alike: read the name on the meter, and choose among")
      for result in equals { print("  --profile \(result.profile) --unit \(unit)") }
      return 0
    }
    print("\nmost likely: --profile \(best.profile) --unit \(unit)")
    if best.evidence == .plausible { print("compare the values with the meter's display before you trust it") }
    return 0
  }

  private func words(_ result: Recognition) -> String {
    switch result.evidence {
    case .identified: "identification registers agree"
    case .sunSpec: "SunSpec meter model found"
    case .plausible: "values look right (\(result.score) signs)"
    }
  }

  private func judge(_ profile: MeterProfile, _ connection: MeterConnection) -> Recognition? {
    switch profile.layout {
    case .sunSpec(let bases): return sunSpec(profile, bases, connection)
    case .registers(let map): return registers(profile, map, connection)
    }
  }

  private func registers(_ profile: MeterProfile, _ map: RegisterMap, _ connection: MeterConnection) -> Recognition? {
    var isIdentified = false
    for mark in profile.identification {
      guard let words = connection.read(mark.range, unit: unit), mark.anyOf.contains(words) else { return nil }
      isIdentified = true
    }
    let decoder = MeterDecoder(map, everything: true)
    var words: [UInt16] = []
    for range in decoder.plan.ranges {
      guard let more = connection.read(range, unit: unit) else { return nil }
      words += more
    }
    guard var result = Recognition.judge(profile, decoder, words: words) else { return nil }
    if isIdentified { result.evidence = .identified }
    return result
  }

  private func sunSpec(_ profile: MeterProfile, _ bases: [Int], _ connection: MeterConnection) -> Recognition? {
    var discovery = SunSpecDiscovery(bases: bases)
    while case .read(let range) = discovery.step { discovery.received(connection.read(range, unit: unit)) }
    guard case .found(let found) = discovery.step else { return nil }
    // The general profile fits every maker; the others only where the unit is the one they are delivered with.
    return Recognition(
      profile: profile.name, evidence: .sunSpec, score: profile.name == "sunspec" ? 1 : profile.defaultUnit == unit ? 2 : 0
    )
    .matching(found)
  }
}

extension Recognition {
  fileprivate func matching(_ found: SunSpecDiscovery.Found) -> Recognition? { found.map.phases.isEmpty ? nil : self }
}
