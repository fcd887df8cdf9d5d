import Quantities
import Site

/// How a test ended.
public enum Outcome: String, Hashable, Sendable, Comparable {
  case passed
  /// Nothing is wrong, and not all is proven.
  case open
  case failed
  private var rank: Int {
    switch self {
    case .passed: 0
    case .open: 1
    case .failed: 2
    }
  }
  /// The worse is the larger.
  public static func < (a: Outcome, b: Outcome) -> Bool { a.rank < b.rank }
}

/// A difference between what a site file has and what a step test found, or what the test could not tell.
public enum WiringFault: Hashable, Sendable {
  /// No three steps of any load agree.
  case notProven
  /// Steps of another load agree, and no three of the load on these conductors of the station.
  case undecided(Phases)
  /// No load was seen at the meter: the connector is on another circuit, or the meter is dead.
  case unseen
  /// These circuit phases should have moved and did not: a transformer is open or short-circuited, or the conductor is not connected.
  case missing(Phases)
  /// The meter moved on more phases than the station says that it used.
  case tooMany(Phases)
  /// The connector is on other phases than the site file has; these rotations fit.
  case otherRotation([PhaseRotation])
  /// The site file has no rotation; these fit.
  case unknownRotation([PhaseRotation])
  /// The site file's rotation fits, and so do these others: a load on fewer conductors tells them apart.
  case orderOpen([PhaseRotation])
  /// The station uses conductors that the site file does not have.
  case moreConductors(Phases)
  /// The meter counts the wrong way round on these circuit phases.
  case turned(Phases)
  /// It counts too much or too little on this circuit phase.
  case ratio(Phase, Transformer)
  /// Two loads do not agree on this meter's factor.
  case disputed(Phases)
  /// No load on these phases: their transformers are not proven.
  case notLoaded(Phases)

  public var outcome: Outcome {
    switch self {
    case .notProven, .undecided, .orderOpen, .notLoaded, .disputed: .open
    case .unseen, .missing, .tooMany, .otherRotation, .unknownRotation, .moreConductors, .turned, .ratio: .failed
    }
  }
}

/// A connector's step test against the site file.
public struct WiringVerdict: Hashable, Sendable {
  public var faults: [WiringFault]
  public var outcome: Outcome { faults.map(\.outcome).max() ?? .passed }

  /// - Parameter wiring: what the site file has; nil: unknown.
  public init(_ judgement: WiringJudgement, wiring: Connector.Wiring?) {
    faults = []
    let used = wiring?.conductors ?? judgement.evidence.reduce(Phases()) { $0.union($1.conductors) }
    guard !judgement.evidence.isEmpty else {
      faults = [.notProven]
      return
    }
    faults += judgement.open.map { .undecided($0) }
    var (missing, seen) = (Phases(), Phases())
    for found in judgement.evidence {
      seen.formUnion(found.phases)
      if found.phases.isEmpty {
        faults.append(.unseen)
      } else if found.phases.count > found.conductors.count {
        faults.append(.tooMany(found.phases))
      } else if found.phases.count < found.conductors.count {
        let rotation = wiring?.rotation ?? judgement.rotations.first ?? .rst
        missing.formUnion(rotation.onCircuit(found.conductors).subtracting(found.phases))
      }
      if let wiring, !found.conductors.isSubset(of: wiring.conductors), !faults.contains(.moreConductors(found.conductors)) {
        faults.append(.moreConductors(found.conductors))
      }
    }
    if !missing.isEmpty { faults.append(.missing(missing)) }
    judgeRotation(judgement.distinct(used), wiring, used)
    judgeTransformers(judgement, loaded: seen.union(missing), on: wiring.map { $0.rotation.onCircuit($0.conductors) } ?? seen)
  }

  private mutating func judgeRotation(_ fitting: [PhaseRotation], _ wiring: Connector.Wiring?, _ used: Phases) {
    guard let wiring else {
      faults.append(.unknownRotation(fitting))
      return
    }
    guard fitting.contains(where: { $0.isSame(as: wiring.rotation, on: used) }) else {
      if !faults.contains(where: { if case .tooMany = $0 { true } else { false } }) { faults.append(.otherRotation(fitting)) }
      return
    }
    if fitting.count > 1 {
      faults.append(.orderOpen(fitting.filter { !$0.isSame(as: wiring.rotation, on: used) }))
    }
  }

  private mutating func judgeTransformers(_ judgement: WiringJudgement, loaded: Phases, on phases: Phases) {
    var turned: Phases = []
    for phase in Phase.allCases {
      guard let transformer = judgement.transformers[phase] else { continue }
      if transformer.isTurned { turned.formUnion(Phases(phase)) }
      if !transformer.isOneToOne { faults.append(.ratio(phase, transformer)) }
    }
    if !turned.isEmpty { faults.append(.turned(turned)) }
    if !judgement.disputed.isEmpty { faults.append(.disputed(judgement.disputed)) }
    let rest = phases.subtracting(loaded)
    if !rest.isEmpty, !faults.contains(where: { if case .otherRotation = $0 { true } else { false } }) {
      faults.append(.notLoaded(rest))
    }
  }
}
