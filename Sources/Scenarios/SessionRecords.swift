import Documents
import Quantities
import Site
import SiteFiles

/// Sessions of real hubs as files: CSV with a head line, JSON (a list of objects), or OCPI 2.x charge detail records, which are
/// recognised by their members.
public enum SessionRecords {
  /// Which column holds what. Without names the usual ones are tried.
  public struct Columns: Sendable {
    public var arrival = ["arrival", "start", "plug_in", "connectionTime", "start_date_time", "Start"]
    public var departure = ["departure", "end", "plug_out", "disconnectTime", "end_date_time", "End"]
    public var stay = ["stay_min", "duration_min", "Park.Duration"]
    public var energy = ["energy_kwh", "kwh", "kWhDelivered", "total_energy", "Energy"]
    public var connector = ["connector", "station", "spaceID", "stationID"]
    public var phases = ["phases"]
    public var maximum = ["maximum_a"]
    public init() {}

    init(_ reader: ObjectReader) {
      func name(_ key: String, _ usual: [String]) -> [String] { reader.optional(key, .text).map { [$0] } ?? usual }
      arrival = name("arrival", arrival)
      departure = name("departure", departure)
      stay = name("stay_min", stay)
      energy = name("energy_kwh", energy)
      connector = name("connector", connector)
      phases = name("phases", phases)
      maximum = name("maximum_a", maximum)
      reader.finish()
    }
  }

  /// One row or object, whichever file it came from: texts by column, and where it stands.
  struct Row {
    var cells: [String?]
    var position: Position
    /// Column of the text in which each cell begins; for CSV.
    var places: [Int]
  }

  /// - Parameter localTime: the clocks by which times without a zone are told.
  /// - Returns: in order of arrival.
  /// - Throws: all that is wrong, with line and column; at most fifty.
  public static func read(
    text: String, name: String, columns: Columns = Columns(), localTime: LocalTime = .utc, hub: Hub
  ) throws(DocumentErrors) -> [RecordedVisit] {
    let start = text.unicodeScalars.first { !$0.properties.isWhitespace }
    let isJSON = start == "[" || start == "{"
    let (head, rows) = isJSON ? try json(text, name) : try csv(text, name)
    var reading = Reading(name: name, columns: columns, head: head, localTime: localTime, hub: hub)
    reading.findColumns()
    if reading.errors.isEmpty { for row in rows { reading.take(row) } }
    guard reading.errors.isEmpty else { throw DocumentErrors(Array(reading.errors.prefix(50))) }
    guard !reading.visits.isEmpty else {
      throw DocumentErrors([
        DocumentError(name: name, position: Position(line: 1, column: 1), found: "no sessions", expected: "at least one")
      ])
    }
    return reading.visits.enumerated().sorted { ($0.element.arrival, $0.offset) < ($1.element.arrival, $1.offset) }.map(\.element)
  }

  private static func csv(_ text: String, _ name: String) throws(DocumentErrors) -> (head: [String], rows: [Row]) {
    var head: [String] = []
    var rows: [Row] = []
    var line = 0
    for raw in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
      line += 1
      if raw.isEmpty { continue }
      let (cells, places) = CSVLine.cells(raw)
      if head.isEmpty {
        head = cells
      } else {
        guard cells.count == head.count else {
          throw DocumentErrors([
            DocumentError(
              name: name, position: Position(line: line, column: 1), found: "\(cells.count) cells",
              expected: "\(head.count), as in the head line")
          ])
        }
        rows.append(Row(cells: cells, position: Position(line: line, column: 1), places: places))
      }
    }
    return (head, rows)
  }

  /// A list of objects, bare or under `data` (OCPI) or `_items` (ACN-Data). A nested kWh (OCPI 2.0's charging periods) is not needed: CDRs have
  /// `total_energy`; OCPI's connector is `cdr_location.evse_uid` or `evse_uid`.
  private static func json(_ text: String, _ name: String) throws(DocumentErrors) -> (head: [String], rows: [Row]) {
    let document: Document
    do throws(DocumentError) { document = try Document(Array(text.utf8), dialect: .json5, name: name, longest: 1 << 30) } catch {
      throw DocumentErrors([error])
    }
    let list = document.root["data"] ?? document.root["_items"] ?? document.root
    guard list.kind == .array else {
      throw DocumentErrors([list.error(expected: "a list of sessions, bare or under `data` or `_items`")])
    }
    var head: [String] = []
    for node in list.elements { for member in node.members where !head.contains(member.key) { head.append(member.key) } }
    if list[0]?["cdr_location"] != nil { head.append("connector") }
    let rows = list.elements.map { node in
      Row(
        cells: head.map { key in
          if key == "connector", let place = node["cdr_location"] { return place["evse_uid"]?.string ?? place["evse_id"]?.string }
          guard let member = node.optional(at: key) else { return nil }
          return member.string ?? (member.kind == .number ? member.source : nil)
        }, position: node.position, places: [])
    }
    return (head, rows)
  }
}

/// Cells of a line of CSV: commas or semicolons, cells in double quotes or bare. Source: RFC 4180; a quoted cell stays on its line.
enum CSVLine {
  /// - Returns: the cells, and the column at which each begins.
  static func cells(_ line: Substring) -> ([String], [Int]) {
    let separator: Character = line.contains(";") && !line.contains(",") ? ";" : ","
    var cells: [String] = []
    var places: [Int] = []
    var cell = ""
    var isQuoted = false
    var start = 1
    for (place, character) in line.enumerated() {
      if character == "\"" {
        isQuoted.toggle()
      } else if character == separator && !isQuoted {
        cells.append(cell.trimmed)
        places.append(start)
        (cell, start) = ("", place + 2)
      } else if character != "\r" && character != "\u{FEFF}" {
        cell.append(character)
      }
    }
    return (cells + [cell.trimmed], places + [start])
  }
}

extension String {
  fileprivate var trimmed: String {
    var rest = self[...]
    while let first = rest.first, first.isWhitespace { rest.removeFirst() }
    while let last = rest.last, last.isWhitespace { rest.removeLast() }
    return String(rest)
  }
}
