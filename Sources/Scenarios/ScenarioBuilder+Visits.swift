import Documents
import Quantities
import Site
import SiteFiles

extension ScenarioBuilder {
  func readModels(_ reader: ObjectReader) -> [VehicleModel] {
    let models = reader.objects("models").map { model in
      let read = VehicleModel(
        name: model.required("name", .text) ?? "", share: model.optional("share", .real(0...1e9, "a share"), else: 1),
        phases: model.optional("phases", .whole(1...3), else: 3),
        maximum: model.required("maximum_a", .amperes(1...1000)) ?? .amperes(32),
        minimum: model.optional("minimum_a", .amperes(0...1000), else: .smallestOffer),
        battery: model.required("battery_kwh", .kilowattHours(1...2000)) ?? .wattHours(50_000),
        taperFrom: model.optional("taper_from_percent", .percent(1...99)))
      if read.maximum < read.minimum {
        model.complain(about: "maximum_a", expected: "at least its minimum, \(read.minimum.amperes) A")
      }
      model.finish()
      return read
    }
    if models.isEmpty { reader.complain(about: "models", found: "no models", expected: "`models`: at least one kind of vehicle") }
    return models
  }

  /// `crowds`: drawn from distributions; or `recorded`: from a file.
  func readVisits(_ reader: ObjectReader, _ models: [VehicleModel]) -> Visits {
    let crowds = reader.objects("crowds")
    let recorded = reader.object("recorded")
    if crowds.isEmpty == (recorded == nil) {
      reader.complain(
        about: "crowds", found: crowds.isEmpty ? "neither `crowds` nor `recorded`" : "both `crowds` and `recorded`",
        expected: "exactly one of them")
    }
    if let recorded { return .recorded(readRecorded(recorded)) }
    return .drawn(crowds.map { readCrowd($0, models) })
  }

  private func readRecorded(_ reader: ObjectReader) -> [RecordedVisit] {
    let file = text(reader, "file")
    let columns = reader.object("columns").map { SessionRecords.Columns($0) } ?? SessionRecords.Columns()
    reader.finish()
    guard let file else { return [] }
    do throws(DocumentErrors) {
      return try SessionRecords.read(text: file.text, name: file.name, columns: columns, localTime: localTime, hub: hub)
    } catch {
      add(error, to: reader)
      return []
    }
  }

  private func readCrowd(_ reader: ObjectReader, _ models: [VehicleModel]) -> Crowd {
    let name = reader.required("name", .text) ?? ""
    let places = connectors(reader, "connectors")
    let wanted = reader.optional("models", .list(.text))
    for other in wanted ?? [] where !models.contains(where: { $0.name == other }) {
      reader.complain(
        about: "models", found: "\"\(other)\"", expected: "a model of `models`: \(models.map(\.name).joined(separator: ", "))")
    }
    let chosen = models.indices.filter { wanted?.contains(models[$0].name) ?? true }.map { ($0, models[$0].share) }
    let arrivals = readArrivals(reader)
    let lasts = readSpreads(reader, "stay_h", 0.01...1000, "hours")
    let until = readSpreads(reader, "leaves_at_h", 0...24, "an hour of the day")
    if lasts.isEmpty == until.isEmpty {
      reader.complain(about: "stay_h", found: "both or neither of `stay_h` and `leaves_at_h`", expected: "exactly one of them")
    }
    let energy = readSpreads(reader, "energy_kwh", 0.1...1000, "kWh")
    if energy.isEmpty, reader.node["energy_kwh"] == nil {
      reader.complain(
        about: "energy_kwh", found: "no `energy_kwh`", expected: "a list of quantiles, or of objects with `quantiles`")
    }
    let tell = reader.optional("tell_percent", .percent(0...100), else: 1000)
    reader.finish()
    return Crowd(
      name: name, arrivals: arrivals, stay: until.isEmpty ? .lasts(lasts) : .until(until), energy: energy, connectors: places,
      models: chosen, tell: tell)
  }

  /// `arrivals: [{ days: "mon-fri", per_day: 45, by_hour: [24 weights] }]`.
  private func readArrivals(_ reader: ObjectReader) -> [[Double]] {
    var table = [[Double]](repeating: [Double](repeating: 0, count: 24), count: 7)
    let entries = reader.objects("arrivals")
    for entry in entries {
      let days = entry.optional("days", .weekdays, else: Set(0..<7))
      let mean = entry.required("per_day", .real(0...100_000, "a mean number of arrivals")) ?? 0
      let weights = entry.required("by_hour", .reals(24, 0...1e9, "a weight")) ?? Array(repeating: 1, count: 24)
      let sum = weights.reduce(0, +)
      if sum <= 0 { entry.complain(about: "by_hour", expected: "at least one weight above 0") }
      for day in days { for hour in 0..<24 { table[day][hour] += mean * weights[hour] / max(sum, 1e-9) } }
      entry.finish()
    }
    if entries.isEmpty { reader.complain(about: "arrivals", found: "no arrivals", expected: "`arrivals`: at least one entry") }
    return table
  }

  /// A list of quantiles that always holds, or a list of `{ hours: [6, 10], days: "mon-fri", quantiles: [...] }`; the first that fits counts.
  private func readSpreads(_ reader: ObjectReader, _ key: String, _ range: ClosedRange<Double>, _ what: String) -> [Spread] {
    let shape = Shape<[Double]>.rising(range, what)
    guard let member = reader.member(key) else { return [] }
    guard let first = member[0], first.kind == .object else {
      return reader.read(member, shape).map { [Spread(quantiles: $0)] } ?? []
    }
    return member.elements.map { node in
      let entry = ObjectReader(node, findings: reader.findings)
      let hours = entry.optional("hours", .reals(2, 0...24, "an hour"), else: [0, 24])
      if hours[0] >= hours[1] { entry.complain(about: "hours", expected: "the first hour and the one after the last") }
      let spread = Spread(
        hours: Int(hours[0])..<max(Int(hours[0]) + 1, Int(hours[1])), days: entry.optional("days", .weekdays, else: Set(0..<7)),
        quantiles: entry.required("quantiles", shape) ?? [1])
      entry.finish()
      return spread
    }
  }
}
