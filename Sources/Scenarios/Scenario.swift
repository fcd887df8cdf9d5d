import Quantities
import Site

/// A story about a hub: what stands there, who comes, what else draws, what energy costs, what goes wrong, and what must hold.
public struct Scenario: Sendable {
  /// In one sentence.
  public var story: String
  /// Where its figures come from, for readers.
  public var sources: [String]
  public var seed: UInt64
  /// Local midnight of the first day.
  public var start: Instant
  /// What clocks show there.
  public var localTime: LocalTime
  /// Local days: where clocks are moved one has 23 or 25 hours.
  public var days: Int
  /// Loads and currents are constant within a step; divides a quarter of an hour.
  public var step: TimeSpan
  public var hub: Hub
  public var visits: Visits
  public var models: [VehicleModel]
  public var loads: [LoadSource]
  public var prices: Prices
  public var limits: [LimitRule]
  public var faults: [Fault]
  public var promises: [Promise]
  public var strategies: [Strategy]

  public var end: Instant { midnight(days) }
  public var steps: Int { step(at: end) }
  public func instant(step: Int) -> Instant { start + self.step * step }
  /// The step in which a moment falls, counted on before the first and beyond the last.
  public func step(at instant: Instant) -> Int { (instant - start).raw.flooredDivision(by: step.raw) }

  /// The beginning of a local day; that of the day after the last is the scenario's end.
  public func midnight(_ day: Int) -> Instant {
    day == 0 ? start : localTime.next(.zero, after: start + .days(day) - .hours(12))
  }
  /// The first steps of the local days.
  public var dayStarts: [Int] { (0..<days).map { step(at: midnight($0)) } }
  /// When clocks show a time of day, ms since midnight; a whole day is its end.
  public func moment(_ day: Int, _ timeOfDay: Int) -> Instant {
    if timeOfDay == 0 { return midnight(day) }
    return timeOfDay >= 86_400_000 ? midnight(day + 1) : localTime.next(TimeSpan(raw: timeOfDay), after: midnight(day))
  }

  /// Local day of the week, 0: Monday, and ms of the day.
  public func local(_ instant: Instant) -> (weekday: Int, millisecond: Int) {
    let local = localTime.shown(at: instant).milliseconds
    let day = local.flooredDivision(by: 86_400_000)
    return (((day + 3) % 7 + 7) % 7, local - day * 86_400_000)
  }
}

extension Int {
  fileprivate func flooredDivision(by divisor: Int) -> Int { self >= 0 ? self / divisor : (self + 1) / divisor - 1 }
}

/// Where the vehicles come from.
public enum Visits: Sendable {
  case drawn([Crowd])
  /// Read from a file; in order of arrival.
  case recorded([RecordedVisit])
}

/// A kind of visitors, drawn from distributions. Hours are local.
public struct Crowd: Sendable {
  public var name: String
  /// Mean number of arrivals by weekday (0: Monday) and hour: 7 x 24.
  public var arrivals: [[Double]]
  public var stay: Stay
  public var energy: [Spread]
  /// Indices into `Hub.connectors`.
  public var connectors: [Int]
  /// Indices into `Scenario.models`, with weights.
  public var models: [(model: Int, weight: Double)]
  /// Thousandths of the visitors who tell when they leave and what they need.
  public var tell: Int

  public enum Stay: Sendable {
    /// Hours, by hour of arrival.
    case lasts([Spread])
    /// The hour of the day at which they leave, the same day or the next, by hour of arrival.
    case until([Spread])
  }
}

/// A distribution as quantiles at equal distances: the first is the least, the last the largest; in between it is straight.
public struct Spread: Sendable, Hashable {
  /// Hours of arrival and weekdays for which it holds.
  public var hours: Range<Int>
  public var days: Set<Int>
  public var quantiles: [Double]

  public init(hours: Range<Int> = 0..<24, days: Set<Int> = Set(0..<7), quantiles: [Double]) {
    (self.hours, self.days, self.quantiles) = (hours, days, quantiles)
  }

  /// - Parameter part: 0...1.
  public func value(_ part: Double) -> Double {
    guard quantiles.count > 1 else { return quantiles.first ?? 0 }
    let place = max(0, min(1, part)) * Double(quantiles.count - 1)
    let below = min(quantiles.count - 2, Int(place))
    return quantiles[below] + (quantiles[below + 1] - quantiles[below]) * (place - Double(below))
  }
}

/// What a kind of vehicle can take.
public struct VehicleModel: Sendable, Hashable {
  public var name: String
  /// Thousandths, relative to the others.
  public var share: Double
  /// How many of the connector's conductors it uses.
  public var phases: Int
  public var maximum: Current
  public var minimum: Current
  public var battery: Energy
  /// Thousandths of its charge from which the current falls on a straight line; nil: it takes all it can to the end.
  public var taperFrom: Int?
}

/// A visit as a record has it.
public struct RecordedVisit: Sendable, Hashable {
  public var arrival: Instant
  public var departure: Instant
  public var energy: Energy
  /// nil: any that is free.
  public var connector: Int?
  /// nil: what the scenario's models say.
  public var phases: Int?
  public var maximum: Current?
}

/// A load that nobody controls, or generation, on one circuit.
public struct LoadSource: Sendable {
  public enum Shape: Sendable {
    /// kW by weekday and hour, 7 x 24.
    case weekly([[Double]])
    /// kW per kW of peak by month and hour, 12 x 24, and the peak.
    case solar(peak: Double, [[Double]])
    /// Steps in rising order of time, each until the next.
    case series([(from: Instant, kilowatts: Double)])
  }
  public var circuit: Int
  public var shape: Shape
  /// Thousandths by which days and steps vary.
  public var variation: Int
  /// How it is spread over the phases; they add up to 1.
  public var parts: [Double]
}

/// What energy costs.
public struct Prices: Sendable {
  /// EUR per kWh by weekday and hour, 7 x 24; when `tariff` says nothing.
  public var hourly: [[Double]]
  /// Thousandths by which whole days vary.
  public var variation: Int
  public var tariff: Tariff?
  /// EUR per kW of each month's highest quarter of an hour.
  public var monthlyPeak: Double
}

/// A limit that comes from outside, again and again or once.
public struct LimitRule: Sendable {
  public enum When: Sendable {
    /// On these weekdays, between these local times, ms of the day.
    case daily(days: Set<Int>, from: Int, until: Int)
    case once(from: Instant, until: Instant)
    /// So many times a week on average, at a random moment between these local times, for so long.
    case atRandom(perWeek: Double, from: Int, until: Int, lasts: TimeSpan)
  }
  public var source: String
  public var circuit: Int
  public var amount: Limit.Amount
  public var when: When
  /// How long before it begins the hub is told.
  public var notice: TimeSpan
}

/// Something that goes wrong, for a while.
public struct Fault: Sendable, Hashable {
  public enum Kind: String, CaseIterable, Sendable {
    /// The meter gives no answer.
    case meterSilent = "meter-silent"
    /// The station cannot be reached, and falls back.
    case stationOffline = "station-offline"
    /// The station boots at the start of each step of the span.
    case stationReboots = "station-reboots"
    /// The link of the station is lost in every other step of the span.
    case linkFlaps = "link-flaps"
  }
  public var kind: Kind
  /// Index into `Hub.meters` or `Hub.stations`.
  public var place: Int
  public var from: Instant
  public var until: Instant
}

/// Who decides.
public enum Strategy: String, CaseIterable, Sendable, Hashable {
  /// The controller, looking ahead.
  case optimal
  /// The controller, sharing the present moment only.
  case sharing
  case equalShare = "equal-share"
  case firstCome = "first-come"
  case earliestDeadline = "earliest-deadline"
  case leastLaxity = "least-laxity"
  case uncontrolled

  /// Keeps every limit by construction.
  public var isLimited: Bool { self != .uncontrolled }
  /// The controller itself decides.
  public var isController: Bool { self == .optimal || self == .sharing }
}
