import Documents
import Quantities
import Site

/// A limit that comes back by the clock on the wall at the site: on these days of the week, in these months, from one time of day to
/// another. Where the second is not after the first it is on the next day.
public struct CalendarLimit: Hashable, Sendable {
  public var id: String
  public var source: String
  /// Index into `Hub.circuits`.
  public var circuit: Int
  public var amount: Limit.Amount
  /// 1 is Monday, 7 is Sunday.
  public var weekdays: Set<Int>
  /// 1...12.
  public var months: Set<Int>
  /// Seconds after midnight.
  public var from: Int
  public var until: Int
  public init(
    id: String, source: String, circuit: Int, amount: Limit.Amount, weekdays: Set<Int> = Set(1...7), months: Set<Int> = Set(1...12),
    from: Int, until: Int
  ) {
    (self.id, self.source, self.circuit, self.amount) = (id, source, circuit, amount)
    (self.weekdays, self.months, self.from, self.until) = (weekdays, months, from, until)
  }

  /// When it holds, from the day before `start` to the day of `end`, in rising order; what touches is one stretch.
  ///
  /// Where the clock is moved, a limit begins at the earlier and ends at the later of the instants that its times could mean.
  public func stretches(from start: Instant, to end: Instant, in place: LocalTime) -> [(from: Instant, until: Instant)] {
    let first = place.shown(at: start).floored(to: .days(1)) - .days(1)
    var found: [(from: Instant, until: Instant)] = []
    var day = first
    while day <= place.shown(at: end) {
      defer { day = day + .days(1) }
      let number = day.milliseconds / 86_400_000
      // 1970-01-01 was a Thursday.
      guard weekdays.contains((number + 3) % 7 + 1), months.contains(day.monthOfYear) else { continue }
      let begin = Self.instants(day + .seconds(from), place).earliest
      let end = Self.instants((until > from ? day : day + .days(1)) + .seconds(until), place).latest
      guard begin < end else { continue }
      if let before = found.last, before.until >= begin {
        found[found.count - 1].until = max(before.until, end)
      } else {
        found.append((begin, end))
      }
    }
    return found
  }

  /// What a time on the wall can mean: one instant, two where the clock is put back; where it is put forward and never shows that time,
  /// what it would be by the clock before and by the one after.
  private static func instants(_ wall: Instant, _ place: LocalTime) -> (earliest: Instant, latest: Instant) {
    let candidates = [wall - place.offset(at: wall - .days(1)), wall - place.offset(at: wall + .days(1))]
    let right = candidates.filter { place.shown(at: $0) == wall }
    let found = right.isEmpty ? candidates : right
    return (found.min() ?? wall, found.max() ?? wall)
  }
}

extension SiteBuilder {
  func calendarLimit(_ reader: ObjectReader) -> CalendarLimit? {
    let preset = preset(reader)
    let id = reader.required("id", .identifier)
    let source = preset.map { reader.optional("source", .label, else: $0.source) } ?? reader.required("source", .label)
    let place = reader.optional("circuit", .identifier).map { circuit($0, reader) } ?? 0
    let current = reader.optional("limit_a", .amperesPerPhase())
    let power = reader.optional("limit_kw", Shape<Int>.scaled(3, 0...100_000, "a power in kilowatts").map { Power.watts($0) })
    if (reader.node["limit_a"] == nil) == (reader.node["limit_kw"] == nil) {
      reader.complain(
        about: "id", found: "a limit with both or neither of `limit_a` and `limit_kw`", expected: "exactly one of them")
    }
    let days = reader.optional("days", .weekdays, else: preset?.days ?? Array(1...7))
    let months = reader.optional("months", .list(Shape<Int>.whole(1...12)), else: preset?.months ?? Array(1...12))
    let from = reader.optional("from", .secondsOfDay, else: preset?.from ?? 0)
    let until = reader.optional("until", .secondsOfDay, else: preset?.until ?? 86_400)
    reader.finish()
    guard let id, let source, let place, let amount = current.map(Limit.Amount.current) ?? power.map(Limit.Amount.power) else {
      return nil
    }
    return CalendarLimit(
      id: id, source: source, circuit: place, amount: amount, weekdays: Set(days), months: Set(months), from: from, until: until)
  }

  /// The preset that an object names.
  func preset(_ reader: ObjectReader) -> LimitPreset? {
    guard let name = reader.optional("preset", .text) else { return nil }
    if let known = catalogue.presets.first(where: { $0.name == name }) { return known }
    let all = catalogue.presets.map(\.name).joined(separator: ", ")
    reader.complain(about: "preset", expected: "a file of Profiles/limits: \(all)")
    return nil
  }

  /// What holds when a sender is silent: as the file says, or what the preset leaves so many devices.
  func fallback(_ reader: ObjectReader, _ preset: LimitPreset?) -> Limit.Amount? {
    let current = reader.optional("fallback_a", .amperesPerPhase())
    let power = reader.optional("fallback_kw", Shape<Int>.scaled(3, 0...100_000, "a power in kilowatts").map { Power.watts($0) })
    let least = reader.optional("devices", .whole(1...10_000)).flatMap { preset?.least(devices: $0) }
    let given = ["fallback_a", "fallback_kw", "devices"].filter { reader.node[$0] != nil }
    if given.count != 1 {
      reader.complain(
        about: given.first ?? "source", found: given.isEmpty ? "no fallback" : given.map { "`\($0)`" }.joined(separator: " and "),
        expected: "exactly one of `fallback_a`, `fallback_kw` and, with a preset that knows devices, `devices`")
    } else if given == ["devices"], least == nil {
      reader.complain(about: "devices", expected: "a preset that knows devices, such as \"de-14a\"")
    }
    return current.map(Limit.Amount.current) ?? power.map(Limit.Amount.power) ?? least.map(Limit.Amount.power)
  }
}
