import Quantities
import Site

/// What is asked of a composite schedule.
public struct CompositeQuery: Hashable, Sendable {
  /// 0: the whole station, as expected from the grid.
  public var connector: Int
  public var from: Instant
  public var duration: TimeSpan
  public var unit: StationTraits.RateUnit
  /// Start of a transaction that the store does not know of; nil: what the store knows.
  public var transactionStart: Instant?
  /// Phase to neutral, with which A and W are converted (errata 3.68).
  public var nominalVoltage: Voltage
  /// The station's own limit per phase, set at its switches.
  public var localLimit: Current?
  public init(
    connector: Int, from: Instant, duration: TimeSpan, unit: StationTraits.RateUnit = .amperes, transactionStart: Instant? = nil,
    nominalVoltage: Voltage = .volts(230), localLimit: Current? = nil
  ) {
    (self.connector, self.from, self.duration, self.unit) = (connector, from, duration, unit)
    (self.transactionStart, self.nominalVoltage, self.localLimit) = (transactionStart, nominalVoltage, localLimit)
  }
}

/// A limit in tenths of a unit, and the phases its profile named.
public struct LimitValue: Hashable, Sendable, Codable {
  public var tenths: Int
  public var phases: Int?
  public init(tenths: Int, phases: Int? = nil) { (self.tenths, self.phases) = (tenths, phases) }
}

extension ProfileStore {
  /// The limit that all profiles together put on a connector at `instant`; nil: none. `query.from` is where relative schedules
  /// count from when no transaction runs; `query.duration` is not used.
  /// - Complexity: O(profiles x periods).
  public func limit(at instant: Instant, _ query: CompositeQuery) -> LimitValue? {
    let local = query.localLimit.map { LimitValue(tenths: Self.tenths(of: $0, query)) }
    var parts = [local, stationMaximum(at: instant, query)]
    if query.connector == 0 {
      if let sum = sumOfConnectors(at: instant, query) { parts.append(LimitValue(tenths: sum)) }
    } else {
      parts.append(connectorLimit(at: instant, query))
    }
    return parts.compactMap { $0 }.min { $0.tenths < $1.tenths }
  }

  /// GetCompositeSchedule: the limits from `query.from` on, merged; where nothing limits, `Ambiguities.unlimitedCurrent` or `-Power`.
  /// - Returns: nil for an empty span or an unknown connector: Rejected.
  /// - Complexity: O(changes x profiles x periods).
  public func composite(_ query: CompositeQuery) -> Schedule? {
    guard query.duration > .zero, (0...connectors).contains(query.connector) else { return nil }
    let unlimited = LimitValue(
      tenths: query.unit == .amperes ? ambiguities.unlimitedCurrent.raw / 100 : ambiguities.unlimitedPower.raw / 100)
    var periods: [Schedule.Period] = []
    for instant in changes(query) {
      let limit = limit(at: instant, query) ?? unlimited
      if let last = periods.last, last.tenths == limit.tenths, last.phases == limit.phases { continue }
      periods.append(Schedule.Period(start: instant - query.from, tenths: limit.tenths, phases: limit.phases))
    }
    return Schedule.checked(
      unit: query.unit, duration: query.duration, start: ambiguities.compositeStatesStart ? query.from : nil, periods: periods)
  }

  private func changes(_ query: CompositeQuery) -> [Instant] {
    let end = query.from + query.duration
    var result = [query.from]
    for entry in installed where query.connector == 0 || entry.connector == 0 || entry.connector == query.connector {
      let places = entry.connector == 0 && query.connector == 0 ? Array(0...connectors) : [max(entry.connector, query.connector)]
      for place in places {
        result += entry.profile.changes(from: query.from, to: end, anchor(entry, connector: place, query))
      }
    }
    result.sort()
    return result.enumerated().filter { $0.offset == 0 || result[$0.offset - 1] != $0.element }.map(\.element)
  }

  private func transactionStart(_ connector: Int, _ query: CompositeQuery) -> Instant? {
    if connector == query.connector, let start = query.transactionStart { return start }
    return transactions.first { $0.connector == connector }?.start
  }

  private func anchor(_ entry: Installed, connector: Int, _ query: CompositeQuery) -> ChargingProfile.Anchor {
    ChargingProfile.Anchor(
      installed: entry.at, transaction: transactionStart(connector, query) ?? query.from, position: ambiguities.relativePosition)
  }

  /// The profile that prevails among `entries` (rule: highest stack level that says something; of equals the newest).
  private func prevailing(_ entries: [Installed], at instant: Instant, connector: Int, _ query: CompositeQuery) -> LimitValue? {
    var best: (level: Int, own: Bool, limit: LimitValue)?
    for entry in entries {
      guard let period = entry.profile.period(at: instant, anchor(entry, connector: connector, query)) else { continue }
      let own = entry.connector > 0
      if let best, best.level > entry.profile.stackLevel || best.level == entry.profile.stackLevel && best.own && !own { continue }
      best = (entry.profile.stackLevel, own, Self.converted(period, entry.profile.schedule.unit, query))
    }
    return best?.limit
  }

  private func stationMaximum(at instant: Instant, _ query: CompositeQuery) -> LimitValue? {
    let entries = installed.filter { $0.profile.purpose == .stationMaximum }
    var limit = prevailing(entries, at: instant, connector: query.connector, query)
    if query.connector > 0, ambiguities.stationMaximum == .shared { limit?.tenths /= connectors }
    return limit
  }

  /// TxProfile, else TxDefaultProfile.
  private func connectorLimit(at instant: Instant, _ query: CompositeQuery) -> LimitValue? {
    let connector = query.connector
    let running = transactions.first { $0.connector == connector }
    let start = transactionStart(connector, query)
    if start != nil {
      let own = installed.filter { entry in
        guard entry.connector == connector, case .transaction(let id) = entry.profile.purpose else { return false }
        return running == nil || id == running?.id
      }
      if let limit = prevailing(own, at: instant, connector: connector, query) { return limit }
      let begun = own.contains {
        $0.profile.isValid(at: instant) && $0.profile.start(anchor($0, connector: connector, query)) <= instant
      }
      if begun && ambiguities.expiredTransactionProfile == .overrules { return nil }
    } else if !ambiguities.defaultWithoutTransaction {
      return nil
    }
    let defaults = installed.filter {
      $0.profile.purpose == .transactionDefault && ($0.connector == 0 || $0.connector == connector)
    }
    if ambiguities.defaultStacks == .connectorFirst,
      let limit = prevailing(defaults.filter { $0.connector > 0 }, at: instant, connector: connector, query)
    {
      return limit
    }
    return prevailing(defaults, at: instant, connector: connector, query)
  }

  /// What all connectors together may draw; nil if one of them has no limit.
  private func sumOfConnectors(at instant: Instant, _ query: CompositeQuery) -> Int? {
    var sum = 0
    for connector in 1...connectors {
      var one = query
      one.connector = connector
      one.transactionStart = nil
      guard let limit = connectorLimit(at: instant, one) else { return nil }
      sum += limit.tenths
    }
    return sum
  }

  private static func tenths(of current: Current, _ query: CompositeQuery) -> Int {
    converted(Schedule.Period(start: .zero, tenths: current.raw / 100), .amperes, query).tenths
  }

  /// The same limit in the unit asked for, rounded down to a tenth; W are the total, A count per phase; no number of phases means 3.
  static func converted(_ period: Schedule.Period, _ unit: StationTraits.RateUnit, _ query: CompositeQuery) -> LimitValue {
    let phases = period.phases ?? 3
    let millivolts = query.nominalVoltage.raw
    let tenths: Int
    switch (unit, query.unit) {
    case (.watts, .amperes): tenths = Current(raw: period.tenths).scaled(1000, over: millivolts * phases).raw
    case (.amperes, .watts): tenths = Current(raw: period.tenths).scaled(millivolts * phases, over: 1000).raw
    case (.amperes, .amperes), (.watts, .watts): tenths = period.tenths
    }
    return LimitValue(tenths: tenths, phases: period.phases)
  }
}
