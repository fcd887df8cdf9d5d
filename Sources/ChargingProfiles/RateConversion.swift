import Quantities
import Site

/// Between the current that a conductor may carry and the number that a station is sent, in whole numbers, always rounded towards the
/// smaller current (SAFETY.md rules 8 and 10).
public struct RateConversion: Hashable, Sendable {
  public var traits: StationTraits
  public var supply: Connector.Supply
  /// Conductors over which W are divided if the model is proven to divide.
  public var phases: Int
  /// The lowest plausible one, phase to neutral.
  public var voltage: Voltage
  /// What the hardware lets through at most: an offer of that needs no limit in W to keep to it. nil: not known.
  public var most: Current?

  /// - Precondition: `phases` is 1, 2 or 3 and `voltage` is positive.
  public init(traits: StationTraits, supply: Connector.Supply, phases: Int, voltage: Voltage, most: Current? = nil) {
    precondition((1...3).contains(phases) && voltage.raw > 0)
    self.most = most
    (self.traits, self.supply, self.phases, self.voltage) = (traits, supply, phases, voltage)
  }

  /// numberPhases of the periods: said only where a limit in W is divided by it.
  public var numberPhases: Int? { traits.rateUnit == .watts && supply == .ac && traits.dividesWatts ? phases : nil }

  /// The number to send for `offer`, and the current that it stands for, which is never above `offer`.
  /// A is floored to the model's step and to 0.1 A, W to the whole watt; AC below 6 A is 0 (IEC 61851-1).
  public func lowered(_ offer: Current) -> (tenths: Int, current: Current) {
    precondition(offer >= .zero)
    var current = offer.floored(to: max(traits.step, .milliamperes(1)))
    if supply == .ac && current < .smallestOffer { current = .zero }
    switch traits.rateUnit {
    case .amperes:
      current = current.floored(to: .milliamperes(100))
      return (current.milliamperes / 100, current)
    case .watts:
      let (numerator, denominator) = milliwattsPerMilliampere
      if supply == .ac, !traits.dividesWatts, phases > 1, let most, offer >= most {
        // Whatever the phases that the vehicle uses, the hardware keeps each below its maximum: as much as all of them can take.
        return (most.scaled(highestVoltage * phases, over: 1_000_000).raw * 10, most)
      }
      let watts = current.scaled(numerator, over: denominator).raw / 1000
      return (watts * 10, self.current(ofTenths: watts * 10))
    }
  }

  /// The most that each conductor can carry under a limit of `tenths`, rounded up to a whole milliampere; a limit in W counts in full
  /// on each conductor unless the model is proven to divide.
  public func current(ofTenths tenths: Int) -> Current {
    switch traits.rateUnit {
    case .amperes: return .milliamperes(tenths * 100)
    case .watts:
      let (numerator, denominator) = milliwattsPerMilliampere
      let floored = Current(milliamperes: tenths * 100).scaled(denominator, over: numerator)
      let exact = floored.scaled(numerator, over: denominator).raw == tenths * 100
      return exact ? floored : floored + .milliamperes(1)
    }
  }

  /// The highest plausible voltage to the lowest as 253 V is to 207 V, mV.
  private var highestVoltage: Int { voltage.raw * 253 / 207 }

  /// What one milliampere on each conductor is worth in the station's watts, as a fraction in milliwatts.
  private var milliwattsPerMilliampere: (numerator: Int, denominator: Int) {
    let conductors = traits.dividesWatts ? phases : 1
    guard supply == .dc else { return (voltage.raw * conductors, 1000) }
    let efficiency = traits.wattsAreInput ? 1000 : traits.efficiency
    return (voltage.raw * conductors * traits.powerFactor * efficiency, 1_000_000_000)
  }
}
