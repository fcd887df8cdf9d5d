import Documents
import Quantities
import Scheduling

/// A planning problem as a file (`sluice-problem-1`), with the names that the engine knows only as indices.
struct ProblemFile {
  static let format = "sluice-problem-1"
  /// 64 MiB: a day of ten thousand connectors takes about four.
  static let longest = 64 << 20
  var start: String
  var problem: PlanningProblem
  var circuitNames: [String]
  var sessionNames: [String]

  /// - Throws: `DocumentError` or `DocumentErrors` with line and column, or a `PlanningProblem.Flaw`.
  init(_ bytes: [UInt8], name: String) throws {
    let document = try Document(bytes, dialect: .json5, name: name, longest: Self.longest)
    if !document.problems.isEmpty { throw DocumentErrors(document.problems) }
    let findings = Findings()
    let top = ObjectReader(document.root, findings: findings)
    if let format = top.required("format", .text), format != Self.format { top.complain(about: "format", expected: Self.format) }
    start = top.required("start", .text) ?? ""
    let slots = top.required("slots", .whole(1...100_000)) ?? 0
    let minutes = top.required("slot_minutes", .whole(1...1440)) ?? 1
    let volts = top.required("volts", .number)?.double ?? 0
    let prices = (top.required("price_eur_per_kwh", .list(.number)) ?? []).map(\.double)
    if prices.count != slots {
      top.complain(about: "price_eur_per_kwh", found: "\(prices.count) prices", expected: "\(slots), one per slot")
    }
    let early = top.optional("early_eur_per_kwh", .number)?.double ?? 0
    let peak = top.optional("peak_eur_per_kw", .number)?.double ?? 0
    let base = (top.optional("peak_base_a", .list(.number)) ?? []).map(\.double)
    let reached = top.optional("peak_reached_a", .number)?.double ?? 0
    (circuitNames, sessionNames) = ([], [])
    var places: [String: Int] = [:]
    var circuits: [PlanningProblem.Circuit] = []
    for (index, reader) in top.objects("circuits").enumerated() {
      let id = reader.required("id", .text) ?? ""
      var parent: Int?
      if let above = reader.optional("parent", .text) {
        parent = places[above]
        if parent == nil { reader.complain(about: "parent", expected: "the id of a circuit that stands before this one") }
      }
      if places.updateValue(index, forKey: id) != nil { reader.complain(about: "id", expected: "an id used once") }
      circuits.append(
        PlanningProblem.Circuit(
          parent: parent, limit: Self.limits(reader, "limit_a", "slot") ?? PerPhase(all: [0]),
          unbalance: reader.optional("unbalance_a", .number)?.double,
          quarterLimit: reader.member("quarter_limit_a") == nil ? nil : Self.limits(reader, "quarter_limit_a", "quarter")))
      circuitNames.append(id)
      reader.finish()
    }
    var sessions: [PlanningProblem.Session] = []
    for reader in top.objects("sessions") {
      sessionNames.append(reader.required("id", .text) ?? "")
      sessions.append(Self.session(reader, places))
      reader.finish()
    }
    top.finish()
    try findings.throwIfAny()
    problem = PlanningProblem(
      slotMinutes: minutes, volts: volts, prices: prices, early: early, peak: peak, circuits: circuits, sessions: sessions)
    let minute = start.count >= 16 ? Int(start.dropFirst(14).prefix(2)) : nil
    guard let minute, (0..<60).contains(minute) else {
      throw document.root["start"]?.error(expected: "a time like 2026-11-22T06:00:00Z") ?? document.root.error(expected: "`start`")
    }
    problem.minutesIntoQuarter = minute % 15
    problem.peakBase = base
    problem.peakReached = reached
    try problem.validate()
  }

  private static func limits(_ reader: ObjectReader, _ key: String, _ each: String) -> PerPhase<[Double]>? {
    let expected = "three limits in amperes, each a number or a list with one per \(each)"
    guard let list = reader.member(key), list.count == 3 else {
      reader.complain(about: key, expected: expected)
      return nil
    }
    let values: [[Double]] = list.elements.map { node in
      let numbers = node.kind == .array ? node.elements.map(\.number) : [node.number]
      let known = numbers.compactMap { $0?.double }
      if known.count != numbers.count { reader.findings.add(node.error(expected: expected)) }
      return known
    }
    return PerPhase(values[0], values[1], values[2])
  }

  private static func session(_ reader: ObjectReader, _ places: [String: Int]) -> PlanningProblem.Session {
    let circuit = places[reader.required("circuit", .text) ?? ""]
    if circuit == nil { reader.complain(about: "circuit", expected: "the id of a circuit") }
    let phases = reader.required("phases", .list(.whole(1...3))) ?? []
    let window = (reader.required("arrive", .whole(0...100_000)) ?? 0, reader.required("depart", .whole(0...100_000)) ?? 1)
    if window.1 <= window.0 { reader.complain(about: "depart", expected: "a slot after `arrive`") }
    var value: [PlanningProblem.ValueStep] = []
    for step in reader.objects("value") {
      value.append(
        PlanningProblem.ValueStep(
          wattHours: step.required("wh", .number)?.double ?? 0,
          euroPerKilowattHour: step.required("eur_per_kwh", .number)?.double ?? 0))
      step.finish()
    }
    return PlanningProblem.Session(
      circuit: circuit ?? 0, phases: phases.reduce(into: Phases()) { $0.insert(Phases(rawValue: 1 << UInt8($1 - 1))) },
      smallest: reader.optional("min_a", .number)?.double ?? 6, largest: reader.required("max_a", .number)?.double ?? 0,
      step: reader.optional("step_a", .number)?.double ?? 0.1, window: window.0..<max(window.0 + 1, window.1), value: value)
  }
}

extension JSONWriter {
  /// The shortest decimal that reads back as `value`.
  mutating func real(_ value: Double) { if let number = ExactNumber(value) { self.number(number) } else { null() } }
  mutating func real(_ key: String, _ value: Double) {
    self.key(key)
    real(value)
  }
  mutating func text(_ key: String, _ value: String) {
    self.key(key)
    string(value)
  }
  mutating func whole(_ key: String, _ value: Int) {
    self.key(key)
    integer(value)
  }
}
