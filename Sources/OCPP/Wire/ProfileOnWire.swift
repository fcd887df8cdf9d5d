import ChargingProfiles
import Documents
import Quantities
import Site

/// Charging profiles as OCPP 1.6 writes them (§7.8, §7.13, §7.14), both ways.
public enum ProfileOnWire {
  /// Why JSON is no charging profile.
  public enum Flaw: Error, Hashable, Sendable, CustomStringConvertible {
    case document(DocumentError)
    case schedule(Schedule.Flaw)

    /// What was wrong, without the values found.
    var kind: String {
      switch self {
      case .document(let error): "\(error.expected) expected"
      case .schedule(.noPeriods): "no periods"
      case .schedule(.lateStart): "the first period does not start at 0"
      case .schedule(.outOfOrder): "the periods are out of order"
      case .schedule(.negativeLimit): "a negative limit"
      case .schedule(.phases): "numberPhases out of range"
      }
    }
    public var description: String {
      switch self {
      case .document(let error): error.description
      case .schedule(let flaw): "chargingSchedule: \(flaw)"
      }
    }
  }

  // MARK: Writing

  /// `csChargingProfiles`.
  public static func value(of profile: ChargingProfile) -> DocumentValue {
    var object = WireObject()
    object.put("chargingProfileId", integer: profile.id)
    if case .transaction(let id) = profile.purpose { object.put("transactionId", integer: id) }
    object.put("stackLevel", integer: profile.stackLevel)
    object.put("chargingProfilePurpose", text: purpose(profile.purpose).rawValue)
    let (kind, recurrency) = names(of: profile.kind)
    object.put("chargingProfileKind", text: kind)
    object.put("recurrencyKind", text: recurrency)
    object.put("validFrom", time: profile.validFrom)
    object.put("validTo", time: profile.validTo)
    object.put("chargingSchedule", value(of: profile.schedule))
    return object.value
  }

  /// `chargingSchedule`.
  public static func value(of schedule: Schedule) -> DocumentValue {
    var object = WireObject()
    object.put("duration", seconds: schedule.duration)
    object.put("startSchedule", time: schedule.start?.floored(to: .seconds(1)))
    object.put("chargingRateUnit", text: schedule.unit.rawValue)
    object.put(
      "chargingSchedulePeriod",
      .array(
        schedule.periods.map { period in
          var object = WireObject()
          object.put("startPeriod", seconds: period.start)
          object.put("limit", .decimal(period.tenths, 1))
          object.put("numberPhases", integer: period.phases)
          return object.value
        }))
    object.put("minChargingRate", schedule.minimumTenths.map { .decimal($0, 1) })
    return object.value
  }

  static func purpose(_ purpose: ChargingProfile.Purpose) -> ProfileFilter.Purpose {
    switch purpose {
    case .stationMaximum: .stationMaximum
    case .transactionDefault: .transactionDefault
    case .transaction: .transaction
    }
  }
  private static func names(of kind: ChargingProfile.Kind) -> (kind: String, recurrency: String?) {
    switch kind {
    case .absolute: ("Absolute", nil)
    case .daily: ("Recurring", "Daily")
    case .weekly: ("Recurring", "Weekly")
    case .relative: ("Relative", nil)
    }
  }

  // MARK: Reading

  /// - Parameter node: `csChargingProfiles`.
  /// - Throws: the first flaw met, with its place in the document.
  public static func profile(_ node: Node) throws(Flaw) -> ChargingProfile {
    let id = try integer(node, "chargingProfileId")
    let level = try integer(node, "stackLevel")
    guard level >= 0 else { throw .document((node["stackLevel"] ?? node).error(expected: "a stack level from 0")) }
    let purpose: ChargingProfile.Purpose =
      switch try oneOf(ProfileFilter.Purpose.self, node, "chargingProfilePurpose") {
      case .stationMaximum: .stationMaximum
      case .transactionDefault: .transactionDefault
      case .transaction: .transaction(id: try optionalInteger(node, "transactionId"))
      }
    let kind = try kind(node)
    let (from, to) = (try time(node, "validFrom"), try time(node, "validTo"))
    let periods = try schedule(try member(node, "chargingSchedule", expected: "an object"))
    return ChargingProfile(
      id: id, stackLevel: level, purpose: purpose, kind: kind, validFrom: from, validTo: to, schedule: periods)
  }

  /// - Parameter node: `chargingSchedule`.
  /// - Throws: the first flaw met, with its place in the document.
  public static func schedule(_ node: Node) throws(Flaw) -> Schedule {
    let unit = try oneOf(StationTraits.RateUnit.self, node, "chargingRateUnit")
    let duration = try optionalInteger(node, "duration")
    let start = try time(node, "startSchedule")
    let list = try member(node, "chargingSchedulePeriod", expected: "a list of periods")
    guard list.kind == .array else { throw .document(list.error(expected: "a list of periods")) }
    var periods: [Schedule.Period] = []
    for element in list.elements {
      let limit = try member(element, "limit", expected: "a number")
      guard let tenths = limit.number.flatMap(tenths) else { throw .document(limit.error(expected: "a limit in tenths")) }
      periods.append(
        Schedule.Period(
          start: .seconds(try integer(element, "startPeriod")), tenths: tenths,
          phases: try optionalInteger(element, "numberPhases")))
    }
    let least = node.optional(at: "minChargingRate")?.number.flatMap(tenths)
    do {
      return try Schedule(
        unit: unit, duration: duration.map(TimeSpan.seconds), start: start, periods: periods, minimumTenths: least)
    } catch {
      throw .schedule(error)
    }
  }

  /// Tenths of a limit: what a binary fraction smeared (16.100000381) is put right, anything else beyond one decimal is rounded up, so
  /// that no station is believed to be lower than it says.
  static func tenths(_ number: ExactNumber) -> Int? {
    guard let thousandths = number.floored(scaledBy: 3), abs(thousandths) < 1_000_000_000_000 else { return nil }
    let remainder = ((thousandths % 100) + 100) % 100
    let below = (thousandths - remainder) / 100
    return remainder == 0 ? below : below + 1
  }

  // MARK: Members

  private static func wrapped<Value>(_ read: () throws(DocumentError) -> Value) throws(Flaw) -> Value {
    do throws(DocumentError) {
      return try read()
    } catch {
      throw .document(error)
    }
  }
  private static func member(_ node: Node, _ key: String, expected: String) throws(Flaw) -> Node {
    try wrapped { () throws(DocumentError) in try node.required(at: key, expected: expected) }
  }
  /// Whole seconds and ids stay where sums cannot overflow.
  private static let largest = 1 << 40
  private static func integer(_ node: Node, _ key: String) throws(Flaw) -> Int {
    let value = try wrapped { () throws(DocumentError) in try node.integer(at: key) }
    guard abs(value) < largest else { throw .document((node[key] ?? node).error(expected: "a smaller number")) }
    return value
  }
  private static func optionalInteger(_ node: Node, _ key: String) throws(Flaw) -> Int? {
    node.optional(at: key) == nil ? nil : try integer(node, key)
  }
  private static func oneOf<Choice: RawRepresentable>(_ type: Choice.Type, _ node: Node, _ key: String) throws(Flaw) -> Choice
  where Choice.RawValue == String {
    let member = try member(node, key, expected: "a text")
    guard let choice = member.string.flatMap(Choice.init(rawValue:)) else {
      throw .document(member.error(expected: "a value of \(key) that OCPP 1.6 knows"))
    }
    return choice
  }
  private static func kind(_ node: Node) throws(Flaw) -> ChargingProfile.Kind {
    let member = try member(node, "chargingProfileKind", expected: "a text")
    switch (member.string, node.optional(at: "recurrencyKind")?.string) {
    case ("Absolute", _): return .absolute
    case ("Relative", _): return .relative
    case ("Recurring", "Daily"): return .daily
    case ("Recurring", "Weekly"): return .weekly
    case ("Recurring", _):
      throw .document((node["recurrencyKind"] ?? member).error(expected: "a recurrencyKind, Daily or Weekly"))
    default: throw .document(member.error(expected: "Absolute, Recurring or Relative"))
    }
  }
  private static func time(_ node: Node, _ key: String) throws(Flaw) -> Instant? {
    guard let member = node.optional(at: key) else { return nil }
    switch member.string.map(StationTime.init) ?? .unreadable {
    case .instant(let instant), .withoutZone(let instant): return instant
    case .unset, .unreadable: throw .document(member.error(expected: "a date and time"))
    }
  }
}
