import Documents
import Quantities
import Site
import SiteFiles

/// Reads scenario files: JSON5, explained by `Profiles/scenario.schema.json`.
public enum ScenarioFile {
  /// Texts of other files, by path as written in the scenario.
  public typealias Files = (String) throws(FileError) -> String

  /// Reads the file at `path`; what it names lies beside it.
  /// - Throws: `SiteFileError` with all that is wrong.
  public static func read(_ path: String, profiles folder: ProfileFolder) throws(SiteFileError) -> Scenario {
    let text: String
    do throws(FileError) { text = try ProfileFolder.read(path) } catch { throw .unreadable(error) }
    let catalogue = try folder.catalogue()
    let place = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
    do throws(DocumentErrors) {
      return try read(text: text, name: path, catalogue: catalogue) { file throws(FileError) in
        try ProfileFolder.read(file.hasPrefix("/") ? file : place + file)
      }
    } catch { throw .wrong(error) }
  }

  /// - Parameter name: for messages: the file's name.
  /// - Throws: all that is wrong, in the order of the text.
  public static func read(text: String, name: String, catalogue: Catalogue, files: @escaping Files) throws(DocumentErrors)
    -> Scenario
  {
    let document: Document
    do throws(DocumentError) { document = try Document(json5: text, name: name) } catch { throw DocumentErrors([error]) }
    let findings = Findings()
    for problem in document.problems { findings.add(problem) }
    let reader = ObjectReader(document.root, findings: findings)
    let builder = ScenarioBuilder(catalogue: catalogue, files: files)
    let scenario = builder.build(reader)
    try findings.throwIfAny()
    guard let scenario else { preconditionFailure("a scenario that is right has all its parts") }
    return scenario
  }
}

/// Turns the objects of a scenario file into a scenario. What is wrong goes to the findings.
final class ScenarioBuilder {
  let catalogue: Catalogue
  let files: ScenarioFile.Files
  var hub = Hub(id: "", circuits: [])
  /// Connectors of each group of a `layout`, by its name; of a site, the connectors of each circuit.
  var groups: [(name: String, connectors: [Int])] = []
  var start = Instant(milliseconds: 0)
  var localTime = LocalTime.utc
  var siteLimits: [Limit] = []
  var tariff: Tariff?

  init(catalogue: Catalogue, files: @escaping ScenarioFile.Files) { (self.catalogue, self.files) = (catalogue, files) }

  func build(_ reader: ObjectReader) -> Scenario? {
    let story = reader.required("story", .text)
    let sources = reader.required("sources", .list(.text)) ?? []
    let seed = reader.optional("seed", .whole(0...Int.max), else: 1)
    readStart(reader)
    let days = reader.required("days", .whole(1...3660)) ?? 1
    let minutes = Shape<Int>.whole(1...15).map("a number of minutes that divides a quarter of an hour: 1, 3, 5 or 15") {
      15 % $0 == 0 ? TimeSpan.minutes($0) : nil
    }
    let step = reader.optional("step_min", minutes, else: .minutes(15))
    readSite(reader)
    guard !hub.circuits.isEmpty else { return nil }
    readTimeZone(reader)
    if hub.connectors.isEmpty {
      reader.complain(about: "layout", found: "a site without connectors", expected: "at least one connector")
    }
    let models = readModels(reader)
    let visits = readVisits(reader, models)
    let loads = reader.objects("loads").compactMap { readLoad($0) }
    let prices = readPrices(reader)
    let limits = reader.objects("limits").compactMap { readLimit($0) } + siteLimits.map(Self.rule)
    let faults = reader.objects("faults").compactMap { readFault($0) }
    let promises = readPromises(reader)
    let strategies: [Strategy] = reader.optional("policies", .list(.word()), else: Strategy.allCases)
    if strategies.isEmpty || Set(strategies).count < strategies.count {
      reader.complain(about: "policies", expected: "at least one policy, each once")
    }
    reader.finish()
    guard let story else { return nil }
    return Scenario(
      story: story, sources: sources, seed: UInt64(seed), start: start, localTime: localTime, days: days, step: step, hub: hub,
      visits: visits, models: models, loads: loads, prices: prices, limits: limits, faults: faults, promises: promises,
      strategies: strategies)
  }

  /// Local midnight, and how far clocks are ahead of UTC there.
  private func readStart(_ reader: ObjectReader) {
    let midnight = Shape<String>.text.map("local midnight of the first day with its zone, like \"2025-01-06T00:00:00+01:00\"") {
      text -> (Instant, TimeSpan)? in
      guard let time = Timestamp(text), time.hasZone, text.count >= 19, let local = Timestamp(String(text.prefix(19))) else {
        return nil
      }
      guard local.milliseconds % 86_400_000 == 0 else { return nil }
      return (Instant(milliseconds: time.milliseconds), TimeSpan(raw: local.milliseconds - time.milliseconds))
    }
    if let (instant, offset) = reader.required("start", midnight) {
      (start, localTime) = (instant, LocalTime(steps: [LocalTime.Step(from: instant, offset: offset)]))
    }
  }

  /// The clocks of the scenario's `time_zone`, or of its site's; without either those of `start`, which are never moved.
  private func readTimeZone(_ reader: ObjectReader) {
    if let (name, clocks) = reader.optional("time_zone", TimeZoneFile.shape) { (hub.timeZone, hub.localTime) = (name, clocks) }
    defer { hub.localTime = localTime }
    guard !hub.localTime.steps.isEmpty else { return }
    guard hub.localTime.offset(at: start) == localTime.offset(at: start) else {
      return reader.complain(about: "start", expected: "local midnight in \(hub.timeZone)")
    }
    localTime = hub.localTime
  }

  private static func rule(_ limit: Limit) -> LimitRule {
    LimitRule(
      source: limit.source, circuit: limit.circuit, amount: limit.amount,
      when: .once(from: limit.from, until: limit.until ?? Instant(milliseconds: .max / 2)), notice: .hours(24))
  }

  /// A file that the scenario names; nil after a finding.
  func text(_ reader: ObjectReader, _ key: String) -> (name: String, text: String)? {
    guard let name = reader.required(key, .text) else { return nil }
    do throws(FileError) { return (name, try files(name)) } catch {
      reader.complain(about: key, expected: "a file that can be read, relative to the scenario (\(error))")
      return nil
    }
  }

  /// Adds the findings of another file.
  func add(_ errors: DocumentErrors, to reader: ObjectReader) { for error in errors.errors { reader.findings.add(error) } }

  /// The index of the circuit that `circuit` names; the connection when it names none.
  func circuit(_ reader: ObjectReader) -> Int {
    guard let id = reader.optional("circuit", .identifier) else { return 0 }
    if let index = hub.circuits.firstIndex(where: { $0.id == id }) { return index }
    reader.complain(about: "circuit", expected: "a circuit of the site: \(hub.circuits.map(\.id).joined(separator: ", "))")
    return 0
  }
}
