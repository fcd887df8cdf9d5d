import Quantities
import Site

/// Waits for a connector's fall to its fallback at a circuit's meter, while nobody speaks to its station.
public struct DropWatch: Hashable, Sendable {
  /// What the meter showed before, and how far it wandered.
  public let level: PerPhase<Current>
  public let scatter: PerPhase<Current>
  /// By how much the circuit must change on each phase, as this meter counts.
  public let expected: PerPhase<Current>
  /// The newest readings in a row that show it, and since when.
  public private(set) var row = 0
  public private(set) var since: Monotonic?
  /// The least that any reading showed of the fall, thousandths of what is expected: for the protocol.
  public private(set) var newestShare = 0

  /// So many readings in a row must show it: one alone may be something else on the circuit.
  public static let needed = 3

  /// - Parameters:
  ///   - before: the meter's readings while the vehicle charged steadily; not empty.
  ///   - fall: what the connector's conductors fall by, each.
  ///   - evidence: what the step test of this load showed.
  /// - Returns: nil when the load or its evidence is too little to tell.
  public init?(before: [LevelSample], fall: Current, evidence: WiringEvidence) {
    guard before.count >= 3, fall >= StepRecord.smallest, !evidence.phases.isEmpty else { return nil }
    var (level, scatter, expected) = (PerPhase<Current>.zero, PerPhase<Current>.zero, PerPhase<Current>.zero)
    for phase in Phase.allCases {
      let values = before.map { $0.current[phase] }.sorted()
      (level[phase], scatter[phase]) = (values[values.count / 2], values[values.count - 1] - values[0])
      if let factor = evidence.factors[phase] { expected[phase] = -Current(raw: fall.raw * factor / 1000) }
    }
    (self.level, self.scatter, self.expected) = (level, scatter, expected)
  }

  /// A reading shows the fall when each phase changed by at least seven tenths of what is expected of it.
  public mutating func see(_ sample: LevelSample) {
    var least = Int.max
    for phase in Phase.allCases where expected[phase] != .zero {
      least = min(least, (sample.current[phase] - level[phase]).raw * 1000 / expected[phase].raw)
    }
    newestShare = least
    guard least >= 700 else {
      (row, since) = (0, nil)
      return
    }
    if row == 0 { since = sample.at }
    row += 1
  }
  public var hasFallen: Bool { row >= Self.needed }
}
