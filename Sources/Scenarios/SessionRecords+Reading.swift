import Documents
import Quantities
import Site

extension SessionRecords {
  /// Turns rows into visits and collects what is wrong with them.
  struct Reading {
    let name: String
    let columns: Columns
    let head: [String]
    let localTime: LocalTime
    let hub: Hub
    var errors: [DocumentError] = []
    var visits: [RecordedVisit] = []
    private var arrival = 0
    private var departure: Int?
    private var stay: Int?
    private var energy = 0
    private var connector: Int?
    private var phases: Int?
    private var maximum: Int?
    /// Connectors of the record in the order of their first appearance, where the site does not know them.
    private var strangers: [String] = []
    private var known: [String: Int] = [:]

    init(name: String, columns: Columns, head: [String], localTime: LocalTime, hub: Hub) {
      (self.name, self.columns, self.head, self.localTime, self.hub) = (name, columns, head, localTime, hub)
      for (s, station) in hub.stations.enumerated() {
        for c in station.connectors {
          known["\(station.id)/\(hub.connectors[c].number)"] = c
          if station.connectors.count == 1 { known[hub.stations[s].id] = c }
        }
      }
    }

    mutating func findColumns() {
      let head = self.head
      func find(_ names: [String]) -> Int? { names.compactMap { head.firstIndex(of: $0) }.first }
      func wrong(_ names: [String], _ what: String) {
        errors.append(
          DocumentError(
            name: name, position: Position(line: 1, column: 1), found: "the columns \(head.joined(separator: ", "))",
            expected: "\(what): one of \(names.joined(separator: ", ")), or the name given under `columns`"))
      }
      if let place = find(columns.arrival) { arrival = place } else { wrong(columns.arrival, "a column for the arrival") }
      (departure, stay) = (find(columns.departure), find(columns.stay))
      if departure == nil, stay == nil { wrong(columns.departure + columns.stay, "a column for the departure or the stay") }
      if let place = find(columns.energy) { energy = place } else { wrong(columns.energy, "a column for the energy") }
      (connector, phases, maximum) = (find(columns.connector), find(columns.phases), find(columns.maximum))
    }

    mutating func take(_ row: Row) {
      guard let from = time(row, arrival), let until = end(row, from), let kilowattHours = number(row, energy, 0...100_000, "kWh")
      else {
        return
      }
      guard until > from else { return wrong(row, departure ?? stay ?? 0, "a departure after the arrival") }
      guard kilowattHours > 0 else { return }  // nothing was wanted
      visits.append(
        RecordedVisit(
          arrival: from, departure: until, energy: Energy(milliwattHours: Int((kilowattHours * 1_000_000).rounded())),
          connector: place(row),
          phases: phases.flatMap { row.cells[$0] }.flatMap { Int($0) }.flatMap { (1...3).contains($0) ? $0 : nil },
          maximum: maximum.flatMap { optional(row, $0) }.map { Current(milliamperes: Int(($0 * 1000).rounded())) }))
    }

    private mutating func end(_ row: Row, _ from: Instant) -> Instant? {
      if let departure, row.cells[departure]?.isEmpty == false { return time(row, departure) }
      guard let stay else {
        wrong(row, departure ?? 0, "a time")
        return nil
      }
      return number(row, stay, 0...1_000_000, "minutes").map { from + TimeSpan(raw: Int(($0 * 60_000).rounded())) }
    }

    private mutating func time(_ row: Row, _ column: Int) -> Instant? {
      guard let text = row.cells[column], let time = Timestamp(text) else {
        wrong(row, column, "a time, like 2026-11-22T06:00:00Z or 2026-11-22 06:00:00 (local)")
        return nil
      }
      let instant = Instant(milliseconds: time.milliseconds)
      return time.hasZone ? instant : localTime.instant(showing: instant)
    }

    private mutating func number(_ row: Row, _ column: Int, _ range: ClosedRange<Double>, _ unit: String) -> Double? {
      if let value = row.cells[column].flatMap({ ExactNumber($0) })?.double, range.contains(value) { return value }
      wrong(row, column, "a number of \(unit) from \(Int(range.lowerBound)) to \(Int(range.upperBound))")
      return nil
    }

    private func optional(_ row: Row, _ column: Int) -> Double? {
      row.cells[column].flatMap { ExactNumber($0) }.map(\.double).flatMap { $0 > 0 && $0 <= 1000 ? $0 : nil }
    }

    /// A connector that the site has, by `station`, `station/number` or its place from 0; others in the order in which they appear.
    private mutating func place(_ row: Row) -> Int? {
      guard let connector, let text = row.cells[connector], !text.isEmpty, !hub.connectors.isEmpty else { return nil }
      if let c = known[text] { return c }
      if let c = Int(text), hub.connectors.indices.contains(c) { return c }
      strangers.append(text)
      known[text] = (strangers.count - 1) % hub.connectors.count
      return known[text]
    }

    private mutating func wrong(_ row: Row, _ column: Int, _ expected: String) {
      let position = row.places.isEmpty ? row.position : Position(line: row.position.line, column: row.places[column])
      errors.append(
        DocumentError(
          name: name, position: position, found: "\(head[column]) \(row.cells[column].map { "`\($0)`" } ?? "missing")",
          expected: expected))
    }
  }
}

/// A load as a file: CSV with the head line `from,kw`, a step a line, each until the next.
enum LoadRecords {
  static func read(text: String, name: String) throws(DocumentErrors) -> [(from: Instant, kilowatts: Double)] {
    var steps: [(from: Instant, kilowatts: Double)] = []
    var errors: [DocumentError] = []
    var line = 0
    for raw in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
      line += 1
      if raw.isEmpty { continue }
      func wrong(_ column: Int, _ found: String, _ expected: String) {
        errors.append(DocumentError(name: name, position: Position(line: line, column: column), found: found, expected: expected))
      }
      let (cells, places) = CSVLine.cells(raw)
      if line == 1 {
        if cells != ["from", "kw"] { wrong(1, "\"\(raw)\"", "the head line `from,kw`") }
        continue
      }
      guard cells.count == 2 else {
        wrong(1, "\(cells.count) cells", "two: time and kW")
        continue
      }
      guard let time = Timestamp(cells[0]), time.hasZone else {
        wrong(1, "`\(cells[0])`", "a time with its zone, like 2026-11-22T06:00:00Z")
        continue
      }
      guard let power = ExactNumber(cells[1])?.double, abs(power) <= 100_000 else {
        wrong(places[1], "`\(cells[1])`", "a power in kW from -100000 to 100000; generation is negative")
        continue
      }
      let from = Instant(milliseconds: time.milliseconds)
      if let last = steps.last, last.from >= from { wrong(1, "`\(cells[0])`", "a time after that of the line before") }
      steps.append((from, power))
    }
    if steps.isEmpty, errors.isEmpty {
      errors = [DocumentError(name: name, position: Position(line: 1, column: 1), found: "no steps", expected: "at least one line")]
    }
    guard errors.isEmpty else { throw DocumentErrors(Array(errors.prefix(50))) }
    return steps
  }
}
