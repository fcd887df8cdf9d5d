import Quantities
import Site

/// A current at a moment: by the station's own conductors, or by a circuit's phases.
public struct LevelSample: Hashable, Sendable {
  public var at: Monotonic
  public var current: PerPhase<Current>
  public init(at: Monotonic, current: PerPhase<Current>) { (self.at, self.current) = (at, current) }
}

/// One step of one connector's offer, with everything that was seen of it at one circuit's meter.
public struct StepRecord: Hashable, Sendable {
  /// Offers per conductor before and after.
  public var from: Current
  public var to: Current
  /// Where the stretch begins that shows how still the circuit was before.
  public var begin: Monotonic
  /// When the new offer left.
  public var sent: Monotonic
  /// From when on the new level counts, and until when it was watched.
  public var settled: Monotonic
  public var end: Monotonic
  /// In the station's own conductor order, ascending in time.
  public var station: [LevelSample]
  /// In circuit order as the site file has it, import positive, ascending in time.
  public var meter: [LevelSample]

  public init(
    from: Current, to: Current, begin: Monotonic, sent: Monotonic, settled: Monotonic, end: Monotonic, station: [LevelSample],
    meter: [LevelSample]
  ) {
    (self.from, self.to, self.begin, self.sent, self.settled, self.end) = (from, to, begin, sent, settled, end)
    (self.station, self.meter) = (station, meter)
  }
}

/// What a step showed beyond doubt.
public struct StepFinding: Hashable, Sendable {
  public var up: Bool
  /// The station's own conductors whose current moved, and by how much, the mean over them; positive.
  public var conductors: Phases
  public var size: Current
  /// The circuit phases that moved at the meter; empty: the meter saw nothing.
  public var phases: Phases
  /// What the meter saw in the direction of the step: negative where it fell when the station rose.
  public var meter: PerPhase<Current>
  /// How far the circuit's current wandered while it should have stood still.
  public var scatter: PerPhase<Current>
  /// From the offer's leaving until half of the step was seen; nil: not seen in between.
  public var reaction: TimeSpan?

  /// The meter's step over the station's, in thousandths; nil on phases that did not move.
  public func factor(_ phase: Phase) -> Int? { phases.contains(phase) ? meter[phase].raw * 1000 / size.raw : nil }
}

/// Why a step shows nothing.
public enum StepFlaw: Error, Hashable, Sendable {
  /// The station told nothing of its current before or after.
  case noSamples
  case noReadings
  /// The vehicle moved by less than can be told apart: it takes less than offered, or did not follow.
  case tooSmall(Current)
  /// It moved against its offer.
  case wrongWay(Current)
  /// Its conductors moved by different amounts.
  case uneven(PerPhase<Current>)
  /// The rest of the circuit wandered too far for a step of this size.
  case tooNoisy(Phase, scatter: Current)
  /// Too much for nothing, too little for a step.
  case unclear(Phase, Current)
}

extension StepRecord {
  /// The least step that is judged.
  public static let smallest = Current.amperes(3)

  /// What the step shows. The circuit's other load is taken as it wandered before and after; a step of it in between cannot be told from
  /// this one alone, and is outvoted by others (`WiringJudgement`).
  /// - Throws: why it shows nothing.
  /// - Complexity: O(n log n) in the number of samples.
  public func judge() throws(StepFlaw) -> StepFinding {
    let up = to > from
    let (own, size) = try stationStep(up)
    var conductors: Phases = []
    for phase in Phase.allCases where own[phase].raw * 2 >= size.raw { conductors.formUnion(Phases(phase)) }
    let before = meter.filter { $0.at >= begin && $0.at <= sent }.map(\.current)
    let after = meter.filter { $0.at >= settled && $0.at <= end }.map(\.current)
    guard before.count >= 3, after.count >= 3 else { throw .noReadings }
    var (step, scatter, phases) = (PerPhase<Current>.zero, PerPhase<Current>.zero, Phases())
    for phase in Phase.allCases {
      let (old, new) = (before.map { $0[phase] }.sorted(), after.map { $0[phase] }.sorted())
      scatter[phase] = max(old[old.count - 1] - old[0], new[new.count - 1] - new[0])
      let moved = new[new.count / 2] - old[old.count / 2]
      step[phase] = up ? moved : -moved
      // A step of a quarter must stand out.
      if scatter[phase] * 4 > size { throw .tooNoisy(phase, scatter: scatter[phase]) }
      // With less, a CT of a fifth (0.2) could not be told from the wandering of the rest.
      if step[phase].magnitude * 20 >= size * 3 {
        phases.formUnion(Phases(phase))
      } else if step[phase].magnitude * 10 > size {
        throw .unclear(phase, step[phase])
      }
    }
    return StepFinding(
      up: up, conductors: conductors, size: size, phases: phases, meter: step, scatter: scatter,
      reaction: reaction(phases, step, old: before, up))
  }

  /// What the station measured after the step less what it measured before, positive in the direction of the step, and its mean over
  /// the conductors that moved.
  private func stationStep(_ up: Bool) throws(StepFlaw) -> (PerPhase<Current>, Current) {
    guard let old = station.last(where: { $0.at <= sent }), let new = station.last(where: { $0.at >= settled && $0.at <= end })
    else {
      throw .noSamples
    }
    let moved = new.current - old.current
    let own = up ? moved : moved.map { -$0 }
    guard own.largest >= Self.smallest else {
      throw own.smallest <= -Self.smallest ? .wrongWay(own.smallest) : .tooSmall(max(.zero, own.largest))
    }
    let moving = Phase.allCases.filter { own[$0] * 2 >= own.largest }
    for phase in Phase.allCases {
      let isEven = moving.contains(phase) ? (own.largest - own[phase]) * 5 <= own.largest : own[phase].magnitude * 5 <= own.largest
      if !isEven { throw .uneven(own) }
    }
    return (own, moving.reduce(Current.zero) { $0 + own[$1] } / moving.count)
  }

  /// Until half of the step had come, at the meter where it saw it, otherwise by the station's samples.
  private func reaction(_ phases: Phases, _ step: PerPhase<Current>, old: [PerPhase<Current>], _ up: Bool) -> TimeSpan? {
    if let phase = Phase.allCases.first(where: { phases.contains($0) }) {
      let level = old.map { $0[phase] }.sorted()[old.count / 2]
      let wanted = up ? step[phase] : -step[phase]
      let seen = meter.first { sample in
        let moved = sample.current[phase] - level
        return sample.at > sent && (wanted > .zero ? moved * 2 >= wanted : moved * 2 <= wanted)
      }
      return seen.map { $0.at - sent }
    }
    let half = (from + to) / 2
    return station.first { $0.at > sent && (up ? $0.current.largest >= half : $0.current.largest <= half) }.map { $0.at - sent }
  }
}
