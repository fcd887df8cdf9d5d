import Documents
import Quantities
import Site
import SiteFiles

extension ScenarioBuilder {
  /// A table by weekday and hour: 24 numbers for all days, or a list of `{ days: ..., by_hour: [24] }`; a single number is all of it.
  private func weekly(_ reader: ObjectReader, _ key: String, _ range: ClosedRange<Double>, _ what: String) -> [[Double]]? {
    guard let member = reader.member(key) else { return nil }
    let hours = Shape<[Double]>.reals(24, range, what)
    if let one = Shape<Double>.real(range, what).read(member) {
      return [[Double]](repeating: .init(repeating: one, count: 24), count: 7)
    }
    guard let first = member[0], first.kind == .object else {
      return reader.read(member, hours).map { [[Double]](repeating: $0, count: 7) }
    }
    var table = [[Double]](repeating: .init(repeating: 0, count: 24), count: 7)
    for node in member.elements {
      let entry = ObjectReader(node, findings: reader.findings)
      let days = entry.optional("days", .weekdays, else: Set(0..<7))
      if let row = entry.required("by_hour", hours) { for day in days { table[day] = row } }
      entry.finish()
    }
    return table
  }

  func readLoad(_ reader: ObjectReader) -> LoadSource? {
    let circuit = circuit(reader)
    let variation = reader.optional("variation_percent", .percent(0...100), else: 0)
    let parts = reader.optional("phases", .reals(3, 0...1, "a part"), else: [1.0 / 3, 1.0 / 3, 1.0 / 3])
    if abs(parts.reduce(0, +) - 1) > 0.001 { reader.complain(about: "phases", expected: "three parts that add up to 1") }
    let table = weekly(reader, "kw", 0...100_000, "a power in kW")
    let solar = reader.object("solar").map { readSolar($0) }
    let file = reader.node["file"] == nil ? nil : text(reader, "file")
    if ["kw", "solar", "file"].count(where: { reader.node[$0] != nil }) != 1 {
      reader.complain(about: "kw", found: "none or several of `kw`, `solar` and `file`", expected: "exactly one of them")
    }
    if hub.circuits.indices.contains(circuit), hub.circuits[circuit].baseWorst == .zero, hub.circuits[circuit].generation == .zero {
      reader.complain(
        about: "circuit", found: "a load on \(hub.circuits[circuit].id), which declares none",
        expected: "`base_worst_a` (or `generation_a`) there: the most that this load may be")
    }
    reader.finish()
    if let file {
      do throws(DocumentErrors) {
        let series = try LoadRecords.read(text: file.text, name: file.name)
        return LoadSource(circuit: circuit, shape: .series(series), variation: variation, parts: parts)
      } catch {
        add(error, to: reader)
        return nil
      }
    }
    guard let shape = table.map(LoadSource.Shape.weekly) ?? solar else { return nil }
    return LoadSource(circuit: circuit, shape: shape, variation: variation, parts: parts)
  }

  /// `solar: { peak_kw: 60, kw_per_kw: [12 lists of 24] }`.
  private func readSolar(_ reader: ObjectReader) -> LoadSource.Shape {
    let peak = reader.required("peak_kw", .real(0...100_000, "a power in kW")) ?? 0
    let month = Shape<[Double]>.reals(24, 0...2, "kW per kW of peak")
    let months = Shape<[[Double]]>("twelve months, each \(month.expected)") { node in
      let rows = node.elements.compactMap(month.read)
      return rows.count == 12 && node.count == 12 ? rows : nil
    }
    let table = reader.required("kw_per_kw", months) ?? .init(repeating: .init(repeating: 0, count: 24), count: 12)
    reader.finish()
    return .solar(peak: peak, table)
  }

  func readPrices(_ reader: ObjectReader) -> Prices {
    let flat = [[Double]](repeating: .init(repeating: 0.25, count: 24), count: 7)
    guard let prices = reader.object("prices") else { return Prices(hourly: flat, variation: 0, tariff: nil, monthlyPeak: 0) }
    let hourly = weekly(prices, "eur_per_kwh", -100...100, "a price in EUR per kWh")
    let variation = prices.optional("variation_percent", .percent(0...100), else: 0)
    let peak = prices.optional("peak_eur_per_kw_month", .real(0...10_000, "a price in EUR per kW and month"), else: 0)
    var tariff: Tariff?
    if prices.node["tariff"] != nil, let file = text(prices, "tariff") {
      do throws(DocumentErrors) { tariff = try TariffFile.read(text: file.text, name: file.name) } catch { add(error, to: prices) }
    } else if hourly == nil, prices.node["eur_per_kwh"] == nil {
      prices.complain(about: "eur_per_kwh", found: "neither `eur_per_kwh` nor `tariff`", expected: "at least one of them")
    }
    prices.finish()
    return Prices(hourly: hourly ?? flat, variation: variation, tariff: tariff, monthlyPeak: peak)
  }

  func readLimit(_ reader: ObjectReader) -> LimitRule? {
    let source = reader.required("source", .label)
    let circuit = circuit(reader)
    let current = reader.optional("limit_a", .amperesPerPhase())
    let power = reader.optional("limit_kw", Shape<Int>.scaled(3, 0...100_000, "a power in kW").map { Power.watts($0) })
    if (reader.node["limit_a"] == nil) == (reader.node["limit_kw"] == nil) {
      reader.complain(about: "limit_kw", found: "both or neither of `limit_a` and `limit_kw`", expected: "exactly one of them")
    }
    let notice = reader.optional(
      "notice_h", Shape<Int>.scaled(2, 0...240, "hours").map { TimeSpan(raw: $0 * 36_000) }, else: .hours(24))
    let when = readWhen(reader)
    reader.finish()
    guard let source, let amount = current.map(Limit.Amount.current) ?? power.map(Limit.Amount.power), let when else { return nil }
    return LimitRule(source: source, circuit: circuit, amount: amount, when: when, notice: notice)
  }

  private func readWhen(_ reader: ObjectReader) -> LimitRule.When? {
    if reader.node["begins"] != nil {
      let from = reader.required("begins", Shape<Instant>.time)
      let until = reader.required("ends", Shape<Instant>.time)
      guard let from, let until else { return nil }
      if until <= from { reader.complain(about: "ends", expected: "a time after `begins`") }
      return .once(from: from, until: until)
    }
    let days = reader.optional("days", .weekdays, else: Set(0..<7))
    let from = reader.required("from", Shape<Int>.timeOfDay)
    let until = reader.required("until", Shape<Int>.timeOfDay)
    guard let from, let until else { return nil }
    if until <= from { reader.complain(about: "until", expected: "a time after `from`, on the same day") }
    guard let perWeek = reader.optional("per_week", .real(0.001...100, "how often a week")) else {
      return .daily(days: days, from: from, until: until)
    }
    return .atRandom(
      perWeek: perWeek, from: from, until: until, lasts: reader.required("lasts_min", .minutes(1...1440)) ?? .hours(1))
  }

  func readFault(_ reader: ObjectReader) -> Fault? {
    let kind: Fault.Kind? = reader.required("kind", .word())
    let day = reader.required("day", .whole(0...3660))
    let at = reader.required("at", Shape<Int>.timeOfDay)
    let lasts = reader.required("for_min", .minutes(1...100_000))
    let key = kind == .meterSilent ? "meter" : "station"
    let id = reader.required(key, .identifier)
    let known = kind == .meterSilent ? hub.meters.map(\.id) : hub.stations.map(\.id)
    let place = id.flatMap { known.firstIndex(of: $0) }
    if id != nil, place == nil {
      let some = known.prefix(8).joined(separator: ", ") + (known.count > 8 ? ", ..." : "")
      reader.complain(about: key, expected: "a \(key) of the site: \(some)")
    }
    reader.finish()
    guard let kind, let day, let at, let lasts, let place else { return nil }
    let midnight = localTime.next(.zero, after: start + .days(day) - .hours(12))
    let from = at == 0 ? midnight : localTime.next(TimeSpan(raw: at), after: midnight)
    return Fault(kind: kind, place: place, from: from, until: from + lasts)
  }

  func readPromises(_ reader: ObjectReader) -> [Promise] {
    guard let must = reader.object("must_hold") else { return [] }
    let concerned: [Strategy]? = must.optional("policies", .list(.word()))
    var promises: [Promise] = []
    for kind in Promise.Kind.allCases {
      if kind.isFlag {
        if must.optional(kind.rawValue, .flag) == true { promises.append(Promise(kind: kind, strategies: concerned)) }
      } else if let bound = must.optional(kind.rawValue, Shape<Double>.real(-1e9...1e9, "a number")) {
        promises.append(Promise(kind: kind, bound: bound, strategies: concerned))
      }
    }
    must.finish()
    return promises
  }
}
