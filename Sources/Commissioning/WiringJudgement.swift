import Quantities
import Site

/// What several steps of one load agree on.
public struct WiringEvidence: Hashable, Sendable {
  /// The station's own conductors that the load used.
  public var conductors: Phases
  /// The circuit phases on which the meter saw it.
  public var phases: Phases
  /// Meter over station per phase seen, thousandths; nil elsewhere.
  public var factors: PerPhase<Int?>
  /// How many steps agree, and of how many.
  public var agreeing: Int
  public var steps: Int
}

/// What step tests at one circuit's meter say of how a connector is wired and how the meter counts.
public struct WiringJudgement: Hashable, Sendable {
  /// One for each set of conductors that was loaded and that at least three steps, up and down, agree on.
  public var evidence: [WiringEvidence] = []
  /// Sets of conductors that were loaded and on which the steps do not agree (yet).
  public var open: [Phases] = []
  /// The rotations that fit all the evidence; all six without any.
  public var rotations: [PhaseRotation] = PhaseRotation.allCases
  /// The transformers of the phases that were loaded; nil: not loaded, or two loads disagree.
  public var transformers: PerPhase<Transformer?> = PerPhase(all: nil)
  /// Phases on which two loads show different transformers.
  public var disputed: Phases = []

  /// So many steps must agree.
  public static let needed = 3
  /// Thousandths by which a step's factor may differ from the others'.
  static let spread = 150

  /// - Complexity: O(n log n) in the number of findings.
  public init(_ findings: [StepFinding]) {
    var sets: [Phases] = []
    for finding in findings where !sets.contains(finding.conductors) { sets.append(finding.conductors) }
    for set in sets {
      if let found = Self.agreement(of: findings.filter { $0.conductors == set }) {
        evidence.append(found)
      } else {
        open.append(set)
      }
    }
    for found in evidence {
      rotations.removeAll { rotation in
        let expected = rotation.onCircuit(found.conductors)
        // A transformer that shows nothing hides a phase; it never shows one that is not there.
        return !found.phases.isSubset(of: expected)
      }
      for phase in Phase.allCases {
        guard let factor = found.factors[phase] else { continue }
        if let known = transformers[phase]?.permille {
          if abs(known - factor) * 1000 > abs(known) * Self.spread { disputed.formUnion(Phases(phase)) }
        } else {
          transformers[phase] = Transformer(permille: factor)
        }
      }
    }
  }

  /// The most frequent picture among steps of one load, if enough steps both ways agree on it and on its factors.
  private static func agreement(of findings: [StepFinding]) -> WiringEvidence? {
    var best: [StepFinding] = []
    for one in findings {
      let same = findings.filter { $0.phases == one.phases }
      if same.count > best.count { best = same }
    }
    guard let phases = best.first?.phases else { return nil }
    var factors = PerPhase<Int?>(nil, nil, nil)
    var agreeing = best
    for phase in Phase.allCases where phases.contains(phase) {
      let all = best.compactMap { $0.factor(phase) }.sorted()
      let middle = all[all.count / 2]
      agreeing.removeAll { abs(($0.factor(phase) ?? 0) - middle) * 1000 > abs(middle) * spread }
    }
    guard agreeing.count >= needed, agreeing.count * 2 > findings.count, agreeing.contains(where: \.up),
      agreeing.contains(where: { !$0.up })
    else { return nil }
    for phase in Phase.allCases where phases.contains(phase) {
      factors[phase] = agreeing.reduce(0) { $0 + ($1.factor(phase) ?? 0) } / agreeing.count
    }
    return WiringEvidence(
      conductors: agreeing[0].conductors, phases: phases, factors: factors, agreeing: agreeing.count, steps: findings.count)
  }

  /// The rotations that differ in where the conductors `used` are.
  public func distinct(_ used: Phases) -> [PhaseRotation] {
    var result: [PhaseRotation] = []
    for rotation in rotations where !result.contains(where: { $0.isSame(as: rotation, on: used) }) { result.append(rotation) }
    return result
  }
}

extension PhaseRotation {
  /// Whether both put each of the conductors `used` on the same circuit phase.
  public func isSame(as other: PhaseRotation, on used: Phases) -> Bool {
    Phase.allCases.allSatisfy { !used.contains($0) || circuitPhase(of: $0) == other.circuitPhase(of: $0) }
  }
}
