import Quantities

/// A vehicle at its connector, while it is there. Charge is in mA x ms, summed over its conductors.
public struct Occupant: Sendable {
  /// Index into `Story.visits`.
  public let visit: Int
  public let connector: Int
  /// Of its circuit.
  public let phases: Phases
  public let conductors: Int
  public let maximum: Int
  public let minimum: Int
  private let voltage: Voltage
  /// The charge of a full battery, and that from which the current falls; nil: it does not.
  private let battery: Int
  private let taperAt: Int?
  /// What the battery lacks beyond what is asked for.
  private let beyond: Int
  public let asked: Int
  public private(set) var need: Int
  /// What it is offered, per conductor, mA.
  public var offer = 0
  /// What it draws under that, at the start of the step.
  public private(set) var draw = 0

  /// - Parameter voltage: phase to neutral.
  public init(_ visit: Visit, index: Int, phases: Phases, voltage: Voltage) {
    (self.visit, connector, self.phases, conductors) = (index, visit.connector, phases, visit.conductors.count)
    (maximum, minimum) = (visit.maximum.raw, visit.minimum.raw)
    func charge(_ energy: Energy) -> Int { energy.milliwattHours * 3_600_000_000 / voltage.raw }
    let full = charge(visit.battery)
    self.voltage = voltage
    (asked, need, battery) = (charge(visit.energy), charge(visit.energy), full)
    beyond = charge(visit.missing - visit.energy)
    taperAt = visit.taperFrom.map { full / 1000 * $0 }
  }

  public var delivered: Int { asked - need }
  public var energy: Energy { Energy(milliwattHours: delivered / 1000 * voltage.raw / 3_600_000) }
  public var isFull: Bool { need <= 0 }

  /// The most it would take now. From a part of its charge on the current falls on a straight line, down to its least.
  public var wish: Int {
    guard need > 0 else { return 0 }
    let charge = battery - beyond - need
    guard let taperAt, charge > taperAt else { return maximum }
    return max(minimum, min(maximum, maximum * ((battery - charge) >> 10) / max(1, (battery - taperAt) >> 10)))
  }

  /// Follows its offer.
  /// - Returns: whether it draws something else than before.
  public mutating func follow() -> Bool {
    let before = draw
    draw = offer >= max(minimum, 1) ? min(offer, wish) : 0
    return draw != before
  }

  /// Takes what it gets within `span` ms; the last step ends when it is full.
  /// - Returns: charge per conductor.
  public mutating func take(_ span: Int) -> Int {
    let each = min(draw * span, (need + conductors - 1) / conductors)
    need = max(0, need - each * conductors)
    return each
  }

  /// What it takes in so many steps when nobody limits it.
  func taken(steps: Int, of step: TimeSpan) -> Energy {
    var alone = self
    alone.offer = maximum
    for _ in 0..<steps where !alone.isFull {
      _ = alone.follow()
      _ = alone.take(step.raw)
    }
    return alone.isFull ? Energy(milliwattHours: asked / 1000 * voltage.raw / 3_600_000) : alone.energy
  }
}
