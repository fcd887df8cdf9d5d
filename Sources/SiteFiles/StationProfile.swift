import Documents
import Quantities
import Site

/// What `Profiles/stations/<name>.json5` says of a station model: its traits, and where each was seen.
public struct StationProfile: Hashable, Sendable {
  /// The file's name without its ending.
  public var name: String
  public var traits: StationTraits
  /// Threads and manuals in which the traits were seen.
  public var sources: [String]

  /// - Throws: everything that is wrong with the file.
  public init(text: String, name: String) throws(DocumentErrors) {
    let findings = Findings()
    let document: Document
    do throws(DocumentError) { document = try Document(json5: text, name: "\(name).json5") } catch { throw DocumentErrors([error]) }
    for problem in document.problems { findings.add(problem) }
    let reader = ObjectReader(document.root, findings: findings)
    traits = Self.traits(reader)
    sources = reader.required("sources", .list(.text)) ?? []
    if sources.isEmpty { reader.complain(about: "sources", expected: "at least one source") }
    _ = reader.optional("notes", Shape<[String]>.list(.text))
    reader.finish()
    self.name = name
    try findings.throwIfAny()
  }

  private static func traits(_ reader: ObjectReader) -> StationTraits {
    var traits = StationTraits(model: reader.required("model", .text) ?? "")
    readWires(reader, &traits)
    readHabits(reader, &traits)
    return traits
  }

  /// How a current must be put to it.
  private static func readWires(_ reader: ObjectReader, _ traits: inout StationTraits) {
    traits.rateUnit = reader.optional("rate_unit", .oneOf(["A": .amperes, "W": .watts]), else: traits.rateUnit)
    traits.wattsAreInput = reader.optional("watts_are_input", .flag, else: traits.wattsAreInput)
    traits.dividesWatts = reader.optional("divides_watts", .flag, else: traits.dividesWatts)
    traits.highestStackLevel = reader.optional("highest_stack_level", .whole(0...1000))
    traits.profileKind = reader.optional(
      "profile_kind", .oneOf(["absolute": .absolute, "relative": .relative]), else: traits.profileKind)
    traits.acceptsConnectorZero = reader.optional("accepts_connector_zero", .flag, else: traits.acceptsConnectorZero)
    let route = Shape<StationTraits.Route>.oneOf([
      "transaction": .transaction, "transactionDefault": .transactionDefault, "stationMaximum": .stationMaximum,
    ])
    traits.routes = reader.optional("routes", .list(route), else: traits.routes)
    if traits.routes.isEmpty { reader.complain(about: "routes", expected: "at least one route") }
    traits.maximumPeriods = reader.optional("maximum_periods", .whole(1...1000))
    traits.step = reader.optional("step_a", .amperes(0...100), else: traits.step)
    if traits.step <= .zero { reader.complain(about: "step_a", expected: "a step above 0 A") }
    traits.minimumInterval = reader.optional("minimum_interval_s", .seconds(0...3600), else: traits.minimumInterval)
    traits.callTimeout = reader.optional("call_timeout_s", .seconds(1...300), else: traits.callTimeout)
    traits.avoidedCalls = reader.optional("avoided_calls", .list(.text), else: [])
  }

  /// What it does with it.
  private static func readHabits(_ reader: ObjectReader, _ traits: inout StationTraits) {
    traits.reaction = reader.optional("reaction_s", .seconds(0...300), else: traits.reaction)
    traits.zero = reader.optional(
      "zero",
      .oneOf([
        "pauses": .pauses, "refused": .refused, "endsTransaction": .endsTransaction, "sticks": .sticks,
        "losesControl": .losesControl,
      ]), else: traits.zero)
    // What is not on record is not counted on: a file has to say that a model rotates and honours a fallback of 0 A.
    traits.rotates = reader.optional("rotates", .flag, else: false)
    traits.honoursZeroFallback = reader.optional("honours_zero_fallback", .flag, else: false)
    traits.deadMan = reader.optional("dead_man", .flag, else: traits.deadMan)
    traits.boot = reader.optional(
      "boot", .oneOf(["announces": .announces, "needsTrigger": .needsTrigger, "silentBeforeBoot": .silentBeforeBoot]),
      else: traits.boot)
    traits.sampleInterval = reader.optional("sample_interval_s", .seconds(1...3600), else: traits.sampleInterval)
    traits.reportsCurrent = reader.optional("reports_current", .flag, else: traits.reportsCurrent)
    traits.staticMaximum = reader.optional("static_maximum_a", .amperes(1...1000))
    traits.efficiency = reader.optional("efficiency_permille", .whole(500...1000), else: traits.efficiency)
    traits.powerFactor = reader.optional("power_factor_permille", .whole(500...1000), else: traits.powerFactor)
    if traits.zero != .pauses && (traits.rotates || traits.honoursZeroFallback) {
      let key = traits.rotates ? "rotates" : "honours_zero_fallback"
      reader.complain(about: key, expected: "false, as an offer of 0 A does not pause this model")
    }
  }
}
