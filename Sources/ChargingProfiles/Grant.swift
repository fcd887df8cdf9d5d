import Quantities
import Site

/// A profile ready to be sent, with what it really lets the connector draw once its numbers are floored.
public struct Grant: Hashable, Sendable, Codable {
  public var profile: ChargingProfile
  /// Current per phase conductor, from the moment of sending on; never above what was asked for.
  public var steps: CurrentSteps
  public init(profile: ChargingProfile, steps: CurrentSteps) { (self.profile, self.steps) = (profile, steps) }
}

extension ChargingProfile {
  /// How far in the past an absolute schedule starts, so that no clock skew makes it begin later (OCPP 1.6 §3.13.2).
  public static let headStart = TimeSpan.seconds(60)
  /// The start of standing profiles: past for every station whose clock was ever set.
  public static let longAgo = Instant(seconds: 1_577_836_800)  // 2020-01-01

  /// The profile that carries an offer and ends by itself in the fallback (rule 14).
  /// Offers are floored to the station's step; AC below 6 A becomes 0. The end is moved to a whole second such that the lower of the
  /// two currents holds in between. A rise out of a period that nobody refreshes is the caller's to place (rule 15).
  /// - Parameters:
  ///   - id: chargingProfileId, unique within the station.
  ///   - transaction: the id for `.transaction`; nil only inside a remote start.
  ///   - offer: per phase conductor, not negative.
  ///   - until: when the fallback takes over; nil: the offer stands for ever.
  ///   - course: what follows between `until` and the fallback, each step at least the fallback, the last the fallback itself; only for
  ///     absolute schedules of models that hold that many periods. Empty: nothing.
  ///   - fallback: per phase conductor, not negative.
  ///   - transactionStart: the station's own start of the transaction; needed where schedules are relative.
  ///   - phases: conductors over which a limit in W is divided, 1...3; matters only with `traits.dividesWatts`.
  ///   - voltage: the lowest plausible one, phase to neutral (rule 10).
  ///   - stackLevel: lowered to what the model allows.
  ///   - most: what the connector's hardware lets through; nil: not known.
  /// - Returns: the profile, and the steps to be counted. Where the dead-man cannot be trusted (`traits.deadMan`, one period, a relative
  ///   schedule whose start is unknown) the steps keep the higher current for ever.
  public static func grant(
    id: Int, transaction: Int?, route: StationTraits.Route, offer: Current, until: Instant?,
    course: [CurrentSteps.Step] = [], fallback: Current, now: Instant, transactionStart: Instant?, traits: StationTraits,
    supply: Connector.Supply, phases: Int, voltage: Voltage, stackLevel: Int,
    most: Current? = nil
  ) -> Grant {
    let rate = RateConversion(traits: traits, supply: supply, phases: phases, voltage: voltage, most: most)
    let high = rate.lowered(offer), low = rate.lowered(fallback)
    let kind: Kind = traits.profileKind == .relative && route != .stationMaximum ? .relative : .absolute
    var end = until
    if (traits.maximumPeriods ?? 2) < 2 || high.tenths == low.tenths { end = nil }
    // What does not end has begun at any time, however the station's clock is moved.
    let absoluteStart = end == nil ? longAgo : now - headStart
    let start = (kind == .relative ? transactionStart ?? now : absoluteStart).floored(to: .seconds(1))
    if let wanted = end {
      let whole = wanted.floored(to: .seconds(1))
      end = low.current > high.current && whole < wanted ? whole + .seconds(1) : whole
    }

    var periods = [Schedule.Period(start: .zero, tenths: high.tenths, phases: rate.numberPhases)]
    var steps = [CurrentSteps.Step(from: now, current: high.current)]
    if let end, end <= now, end > start {
      periods.append(Schedule.Period(start: end - start, tenths: low.tenths, phases: rate.numberPhases))
      steps[0].current = low.current
    } else if let end, end <= start {
      periods[0].tenths = low.tenths
      steps[0].current = low.current
    } else if let end, !course.isEmpty, kind == .absolute, traits.deadMan {
      for (place, step) in course.enumerated() {
        let from = place == 0 ? end : step.from.floored(to: .seconds(1))
        let level = rate.lowered(step.current)
        guard from > steps[steps.count - 1].from, level.tenths != periods[periods.count - 1].tenths else { continue }
        periods.append(Schedule.Period(start: from - start, tenths: level.tenths, phases: rate.numberPhases))
        steps.append(CurrentSteps.Step(from: from, current: level.current))
      }
    } else if let end {
      periods.append(Schedule.Period(start: end - start, tenths: low.tenths, phases: rate.numberPhases))
      let positioned = kind == .absolute || transactionStart != nil
      if traits.deadMan && positioned || positioned && low.current > high.current {
        steps.append(CurrentSteps.Step(from: end, current: low.current))
      } else {
        steps[0].current = max(high.current, low.current)
      }
    }
    let schedule = Schedule.checked(unit: traits.rateUnit, start: kind == .relative ? nil : start, periods: periods)
    let profile = ChargingProfile(
      id: id, stackLevel: min(stackLevel, traits.highestStackLevel ?? stackLevel),
      purpose: Purpose(route, transaction: transaction),
      kind: kind, schedule: schedule)
    return Grant(profile: profile, steps: CurrentSteps(steps))
  }

  /// The standing TxDefaultProfile with which a station falls back when nobody speaks to it: one period, no end.
  /// - Parameters: as for `grant`; `start` lies in the past and is the same at each sending, so that the same fallback is the same value.
  public static func fallback(
    id: Int, current: Current, now: Instant, traits: StationTraits, supply: Connector.Supply, phases: Int, voltage: Voltage,
    stackLevel: Int, start: Instant = longAgo
  ) -> Grant {
    let rate = RateConversion(traits: traits, supply: supply, phases: phases, voltage: voltage)
    let low = rate.lowered(current)
    let relative = traits.profileKind == .relative
    let schedule = Schedule.checked(
      unit: traits.rateUnit, start: relative ? nil : start,
      periods: [Schedule.Period(start: .zero, tenths: low.tenths, phases: rate.numberPhases)])
    let profile = ChargingProfile(
      id: id, stackLevel: min(stackLevel, traits.highestStackLevel ?? stackLevel), purpose: .transactionDefault,
      kind: relative ? .relative : .absolute, schedule: schedule)
    return Grant(profile: profile, steps: CurrentSteps(low.current, from: now))
  }
}

extension ChargingProfile.Purpose {
  init(_ route: StationTraits.Route, transaction: Int?) {
    switch route {
    case .transaction: self = .transaction(id: transaction)
    case .transactionDefault: self = .transactionDefault
    case .stationMaximum: self = .stationMaximum
    }
  }
}

extension Schedule {
  /// A schedule whose periods the algebra itself made: well formed, or the algebra is wrong.
  static func checked(
    unit: StationTraits.RateUnit, duration: TimeSpan? = nil, start: Instant? = nil, periods: [Period], minimumTenths: Int? = nil
  ) -> Schedule {
    do {
      return try Schedule(unit: unit, duration: duration, start: start, periods: periods, minimumTenths: minimumTenths)
    } catch {
      preconditionFailure("made a schedule that is not well formed: \(error)")
    }
  }
}
