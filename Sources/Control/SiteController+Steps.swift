import Quantities
import Site

/// How far a circuit's reading moved lately, per phase: the extremes of the bucket under way and of the one before, which together
/// span at least one bucket.
struct MovingRange: Sendable, Codable {
  private var start: Monotonic?
  private var low = PerPhase<Current>.zero
  private var high = PerPhase<Current>.zero
  private var lowBefore = PerPhase<Current>.zero
  private var highBefore = PerPhase<Current>.zero

  mutating func notice(_ reading: PerPhase<Current>, at now: Monotonic, span: TimeSpan) {
    if start == nil {
      (start, lowBefore, highBefore) = (now, reading, reading)
      (low, high) = (reading, reading)
    } else if let began = start, now - began >= span {
      (start, lowBefore, highBefore) = (now, low, high)
      (low, high) = (reading, reading)
    } else {
      (low, high) = (low.minimum(reading), high.maximum(reading))
    }
  }

  /// Between the least and the most that was read on each phase.
  var width: PerPhase<Current> { high.maximum(highBefore) - low.minimum(lowBefore) }
}

/// What vehicles below a circuit measurably rose or fell by, which its meter has yet to show.
struct PendingStep: Hashable, Sendable, Codable {
  var net: Current
  var due: Monotonic
}

/// Rule 12, second half: when a step that a station measured does not show at the circuit's meter, that phase of the meter is suspect
/// until a later step shows: a conductor whose transformer has slipped off, a register that sticks, a connector at another phase.
extension SiteController {
  /// The least step that a meter is held to, and how long it may take to show it.
  private var tellingStep: Current { .amperes(6) }
  private var stepPatience: TimeSpan { .seconds(30) }
  /// How far back the meter's movement is looked at: the step, seen by the station up to two samples later, and the patience.
  private var movementSpan: TimeSpan { stepPatience + sampleInterval * 2 }

  /// A connector's newest two samples differ: each meter above it has to show that.
  mutating func expectStep(_ c: Int, _ now: Monotonic) {
    guard hub.connectors[c].wiring != nil, let newest = connectors[c].newest, let before = connectors[c].before else { return }
    guard newest.at - before.at <= station(of: c).traits.sampleInterval * 2 + .seconds(2) else { return }
    let change = newest.current - before.current
    var place: Int? = hub.connectors[c].circuit
    while let k = place {
      place = hub.circuits[k].parent
      guard hub.circuits[k].measurement != nil, !isStale(k, at: now) else { continue }
      for phase in Phase.allCases {
        if let pending = circuits[k].pendingStep[phase] {
          circuits[k].pendingStep[phase] = PendingStep(net: pending.net + change[phase], due: pending.due)
        } else if change[phase].magnitude >= tellingStep {
          circuits[k].pendingStep[phase] = PendingStep(net: change[phase], due: now + stepPatience)
        }
      }
    }
  }

  /// A reading has come: how far it moves.
  mutating func noticeMovement(_ k: Int, _ now: Monotonic) {
    if let reading = circuits[k].reading { circuits[k].movement.notice(reading, at: now, span: movementSpan) }
  }

  /// Whether the steps that are due have shown.
  mutating func judgeSteps(_ k: Int, _ now: Monotonic, _ out: inout [Effect]) {
    for phase in Phase.allCases {
      guard let pending = circuits[k].pendingStep[phase], now >= pending.due else { continue }
      circuits[k].pendingStep[phase] = nil
      guard pending.net.magnitude >= tellingStep, !isStale(k, at: now) else { continue }
      circuits[k].missesSteps[phase] = circuits[k].movement.width[phase] * 2 < pending.net.magnitude
      set(.meterSuspect(circuit: k, phase: phase), raised: isSuspect(k, phase, now), &out)
    }
  }

  /// Rule 12: why the configured worst counts on a phase although it is read.
  func isSuspect(_ k: Int, _ phase: Phase, _ now: Monotonic) -> Bool {
    circuits[k].missesSteps[phase] || doubtfulAt(k, phase).map { now >= $0 } ?? false
  }

  /// When a contradiction that goes on makes the phase suspect; nil: there is none. By then each vehicle has mostly been measured again: one
  /// that has stopped by itself says so no sooner.
  func doubtfulAt(_ k: Int, _ phase: Phase) -> Monotonic? {
    guard let measurement = hub.circuits[k].measurement else { return nil }
    return circuits[k].contradictedSince[phase].map {
      $0 + max(hub.meters[measurement.meter].period * 3, min(sampleInterval, stepPatience))
    }
  }

  /// Nothing rises on the word of a meter that has been contradicted for three of its periods, whether or not that makes it suspect: a rise
  /// would make the vehicles' last samples old, and end the contradiction.
  func mayRise(_ k: Int, _ phase: Phase, _ now: Monotonic) -> Bool {
    guard let measurement = hub.circuits[k].measurement, let since = circuits[k].contradictedSince[phase] else { return true }
    return now - since < hub.meters[measurement.meter].period * 3
  }
}
