import Documents
import Quantities
import Site

/// What energy costs, as a file that may change while the hub runs: JSON5, or CSV with a head line.
///
/// JSON5: `{ prices: [{ from: "2026-11-25T00:00:00Z", eur_per_kwh: 0.21, gco2_per_kwh: 320 }, ...], until: "..." }`.
/// CSV: `from,eur_per_kwh,gco2_per_kwh`, one step a line; the last column may be missing. Each step lasts to the next; without `until`, and
/// always in CSV, the last one lasts as long as the one before.
public enum TariffFile {
  /// - Parameter name: for messages: the file's name; one that ends in `.csv` is CSV.
  /// - Throws: everything that is wrong, with its line.
  public static func read(text: String, name: String) throws(DocumentErrors) -> Tariff {
    name.lowercased().hasSuffix(".csv") ? try csv(text, name) : try json(text, name)
  }

  private static var price: Shape<Int> { .scaled(6, -100...100, "a price in EUR per kWh") }

  private static func json(_ text: String, _ name: String) throws(DocumentErrors) -> Tariff {
    let document: Document
    do throws(DocumentError) { document = try Document(json5: text, name: name) } catch { throw DocumentErrors([error]) }
    let findings = Findings()
    for problem in document.problems { findings.add(problem) }
    let reader = ObjectReader(document.root, findings: findings)
    var steps: [Tariff.Step] = []
    for entry in reader.objects("prices") {
      let from = entry.required("from", Shape<Instant>.time)
      let price = entry.required("eur_per_kwh", Self.price)
      let carbon = entry.optional("gco2_per_kwh", .whole(0...5000))
      entry.finish()
      guard let from, let price else { continue }
      if let last = steps.last, last.from >= from {
        entry.complain(about: "from", expected: "a time after that of the step before")
      }
      steps.append(Tariff.Step(from: from, price: .microEuros(price), carbon: carbon))
    }
    if steps.isEmpty {
      reader.complain(about: "prices", found: "no steps", expected: "at least one step with `from` and `eur_per_kwh`")
    }
    let until = reader.optional("until", Shape<Instant>.time)
    if let until, let last = steps.last, until <= last.from {
      reader.complain(about: "until", expected: "a time after the last step")
    }
    reader.finish()
    try findings.throwIfAny()
    return Tariff(steps: steps, until: until ?? end(of: steps))
  }

  private static func csv(_ text: String, _ name: String) throws(DocumentErrors) -> Tariff {
    var errors: [DocumentError] = []
    var steps: [Tariff.Step] = []
    let lines = text.split(omittingEmptySubsequences: false) { $0.isNewline }
    func wrong(_ line: Int, _ column: Int, _ found: String, _ expected: String) {
      errors.append(DocumentError(name: name, position: Position(line: line, column: column), found: found, expected: expected))
    }
    for (index, line) in lines.enumerated() {
      let cells = line.split(separator: ",", omittingEmptySubsequences: false).map { trimmed($0) }
      if index == 0 {
        let head = ["from", "eur_per_kwh", "gco2_per_kwh"]
        if cells != head, cells != Array(head.prefix(2)) {
          wrong(1, 1, "\"\(line)\"", "the head line `from,eur_per_kwh` or `from,eur_per_kwh,gco2_per_kwh`")
        }
        continue
      }
      if cells == [""] { continue }
      guard cells.count == 2 || cells.count == 3 else {
        wrong(index + 1, 1, "\(cells.count) cells", "two or three: time, price, CO2")
        continue
      }
      guard let time = Timestamp(cells[0]), time.hasZone else {
        wrong(index + 1, 1, "\"\(cells[0])\"", "a time with its zone, like 2026-11-22T06:00:00Z")
        continue
      }
      guard let price = ExactNumber(cells[1])?.integer(scaledBy: 6), abs(price) <= 100_000_000 else {
        wrong(index + 1, cells[0].count + 2, "\"\(cells[1])\"", "a price in EUR per kWh from -100 to 100")
        continue
      }
      var carbon: Int?
      if cells.count == 3, !cells[2].isEmpty {
        carbon = ExactNumber(cells[2])?.integer
        if carbon.map({ !(0...5000).contains($0) }) ?? true {
          wrong(
            index + 1, cells[0].count + cells[1].count + 3, "\"\(cells[2])\"", "grams of CO2 per kWh, a whole number from 0 to 5000"
          )
          continue
        }
      }
      let from = Instant(milliseconds: time.milliseconds)
      if let last = steps.last, last.from >= from {
        wrong(index + 1, 1, "\"\(cells[0])\"", "a time after that of the line before")
        continue
      }
      steps.append(Tariff.Step(from: from, price: .microEuros(price), carbon: carbon))
    }
    if steps.isEmpty, errors.isEmpty { wrong(lines.count, 1, "no steps", "at least one line with a time and a price") }
    guard errors.isEmpty else { throw DocumentErrors(errors) }
    return Tariff(steps: steps, until: end(of: steps))
  }

  private static func trimmed(_ cell: Substring) -> String {
    var rest = cell[...]
    while let first = rest.first, first == " " || first == "\t" { rest.removeFirst() }
    while let last = rest.last, last == " " || last == "\t" || last == "\r" { rest.removeLast() }
    return String(rest)
  }

  /// The last step lasts as long as the one before, a day at most; a single one lasts an hour.
  private static func end(of steps: [Tariff.Step]) -> Instant {
    guard let last = steps.last else { return Instant(seconds: 0) }
    guard steps.count > 1 else { return last.from + .hours(1) }
    return last.from + min(.days(1), last.from - steps[steps.count - 2].from)
  }
}
