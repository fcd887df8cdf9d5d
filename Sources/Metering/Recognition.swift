/// How well a profile fits what a meter answered.
public struct Recognition: Hashable, Sendable {
  public enum Evidence: Int, Hashable, Comparable, Sendable {
    /// The values read with this map look like a live supply.
    case plausible
    /// SunSpec names itself and its model.
    case sunSpec
    /// The model's identification registers hold what they should.
    case identified
    public static func < (a: Evidence, b: Evidence) -> Bool { a.rawValue < b.rawValue }
  }
  public var profile: String
  public var evidence: Evidence
  /// Quantities that were there and looked right; more is better.
  public var score: Int

  public init(profile: String, evidence: Evidence, score: Int) {
    (self.profile, self.evidence, self.score) = (profile, evidence, score)
  }

  /// Best first; the order of names decides between equals.
  public static func ranked(_ all: [Recognition]) -> [Recognition] {
    all.sorted { ($1.evidence, $1.score, $0.profile) < ($0.evidence, $0.score, $1.profile) }
  }

  /// Judges the words read with a map.
  /// - Returns: nil when they cannot be those of this model: a value missing or implausible, a supply far from 50 or 60 Hz, no voltage,
  ///   or nothing but zeros.
  public static func judge(_ profile: MeterProfile, _ decoder: MeterDecoder, words: [UInt16]) -> Recognition? {
    let (values, missing) = decoder.values(in: words)
    guard missing == nil, decoder.plausibility.flaw(in: values) == nil, words.contains(where: { $0 != 0 }) else { return nil }
    var score = 0
    for quantity in MeterQuantity.allCases { score += values[quantity] == nil ? 0 : 1 }
    if decoder.map.has(.frequency) {
      guard let frequency = values[.frequency], (45_000...65_000).contains(frequency) else { return nil }
      score += 3
    }
    guard MeterQuantity.voltages.contains(where: { values[$0] != nil }) else { return nil }
    return Recognition(profile: profile.name, evidence: .plausible, score: score + powerScore(values))
  }

  /// Power that agrees with V x I, and a total that is the sum of its phases, are hardly chance.
  private static func powerScore(_ values: MeterValues) -> Int {
    let powers = MeterQuantity.powers.compactMap { values[$0] }
    guard let total = values[.totalPower], powers.count == 3, powers.contains(where: { $0 != 0 }) else { return 0 }
    let sum = powers.reduce(0, +)
    return abs(sum - total) <= abs(sum) / 50 + 1000 ? 5 : 0
  }
}
