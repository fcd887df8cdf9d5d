import ChargingProfiles
import Documents
import Quantities
import Site

/// What requests carry, read and checked: a wrong body is told with its line, what stands there and what would be right.
public enum Bodies {
  static func read<Value>(_ body: [UInt8], _ take: (ObjectReader) -> Value?) throws(Problem) -> Value {
    let document: Document
    do throws(DocumentError) { document = try Document(body, dialect: .json, name: "body") } catch {
      throw Problem(400, "Not JSON", error.description)
    }
    let findings = Findings()
    let reader = ObjectReader(document.root, findings: findings)
    let value = take(reader)
    reader.finish()
    if let first = findings.errors.min(by: { $0.position < $1.position }) { throw .wrong(first.description) }
    guard let value else { throw .wrong("body: the members do not go together") }
    return value
  }

  static let time = Shape<Instant>("a time with its zone, like \"2026-11-22T06:00:00Z\"") { node in
    guard let text = node.string, let time = Timestamp(text), time.hasZone, time.milliseconds >= 0,
      time.milliseconds < 253_402_300_800_000
    else { return nil }
    return Instant(milliseconds: time.milliseconds)
  }
  static let seconds = Shape<Int>.scaled(3, 0...604_800, "a time in seconds").map { TimeSpan(milliseconds: $0) }
  static let current = Shape<Int>.scaled(3, 0...10_000, "a current in amperes").map { Current(milliamperes: $0) }
  static let perPhase = Shape<PerPhase<Current>>("a current in amperes from 0 to 10000, or a list of three for L1, L2, L3") {
    node in
    if let all = current.read(node) { return PerPhase(all: all) }
    let three = node.elements.compactMap(current.read)
    return three.count == 3 && node.count == 3 ? PerPhase(three[0], three[1], three[2]) : nil
  }
  static let power = Shape<Int>.scaled(3, 0...100_000_000, "a power in watts").map { Power(milliwatts: $0) }

  // MARK: Limits

  /// A limit as it was asked for; the house names its owner and draws how it is let up.
  public struct LimitAsked: Hashable, Sendable {
    public var circuit: String?
    public var source: String?
    public var blocks: [LimitSeries.Block]
    public var afterwards: Limit.Amount?
    public var silence: LimitSeries.Silence?
  }

  public static func limit(_ body: [UInt8], now: Instant) throws(Problem) -> LimitAsked {
    try read(body) { reader in
      let circuit = reader.optional("circuit", .text), source = reader.optional("source", .text)
      if let source, source.unicodeScalars.count > 80 { reader.complain(about: "source", expected: "at most 80 characters") }
      let own = amount(reader, isRequired: reader.node["blocks"] == nil)
      let from = reader.optional("from", time, else: now), until = reader.optional("until", time)
      var blocks = reader.objects("blocks").compactMap { block($0, now: now) }
      if reader.node["blocks"] != nil, own != nil {
        reader.complain(about: "blocks", expected: "either `blocks` or one value, not both")
      }
      if let own { blocks = [LimitSeries.Block(from: from, until: until, amount: own)] }
      let afterwards = reader.object("afterwards").flatMap { object in
        defer { object.finish() }
        return amount(object, isRequired: true)
      }
      let silence = silence(reader, now: now)
      let series = LimitSeries(id: "", source: "", owner: "", circuit: 0, blocks: blocks, silence: silence)
      if !series.isOrderly, reader.findings.isEmpty {
        reader.complain(
          about: reader.node["blocks"] == nil ? "until" : "blocks",
          expected: "one to 500 blocks in rising order that do not overlap; only the last may be without an end")
      }
      if blocks.count > 500 { reader.complain(about: "blocks", found: "\(blocks.count) blocks", expected: "at most 500") }
      if afterwards != nil, blocks.last?.until == nil {
        reader.complain(about: "afterwards", expected: "a last block with an end, when something holds afterwards")
      }
      return LimitAsked(circuit: circuit, source: source, blocks: blocks, afterwards: afterwards, silence: silence)
    }
  }

  private static func amount(_ reader: ObjectReader, isRequired: Bool) -> Limit.Amount? {
    let current = reader.optional("limit_a", perPhase), power = reader.optional("limit_w", power)
    let (hasCurrent, hasPower) = (reader.node.optional(at: "limit_a") != nil, reader.node.optional(at: "limit_w") != nil)
    if hasCurrent && hasPower || isRequired && !hasCurrent && !hasPower {
      reader.complain(
        about: "limit_a", found: hasCurrent ? "both `limit_a` and `limit_w`" : "neither `limit_a` nor `limit_w`",
        expected: "exactly one of them")
    }
    return current.map(Limit.Amount.current) ?? power.map(Limit.Amount.power)
  }

  private static func block(_ reader: ObjectReader, now: Instant) -> LimitSeries.Block? {
    let amount = amount(reader, isRequired: true)
    let from = reader.optional("from", time, else: now), until = reader.optional("until", time)
    reader.finish()
    return amount.map { LimitSeries.Block(from: from, until: until, amount: $0) }
  }

  private static func silence(_ reader: ObjectReader, now: Instant) -> LimitSeries.Silence? {
    let span = Shape<Int>.scaled(3, 1...86_400, "a time in seconds").map { TimeSpan(milliseconds: $0) }
    let after = reader.optional("heartbeat_s", span)
    let fallback = reader.objects("fallback").compactMap { block($0, now: Instant(milliseconds: 0)) }
    let fresh = reader.optional("needs_fresh_limit", .flag, else: false)
    let hasAfter = reader.node.optional(at: "heartbeat_s") != nil
    if hasAfter == fallback.isEmpty, reader.findings.isEmpty {
      reader.complain(
        about: "fallback", found: hasAfter ? "`heartbeat_s` without `fallback`" : "`fallback` without `heartbeat_s`",
        expected: "both or neither: what holds when no heartbeat has come for so long")
    }
    if let last = fallback.last, last.until != nil {
      reader.complain(about: "fallback", expected: "a last block without `until`: silence must never mean that anything goes")
    }
    guard let after, !fallback.isEmpty else { return nil }
    return LimitSeries.Silence(after: after, fallback: fallback, needsFreshLimit: fresh)
  }

  // MARK: Orders

  public static func priority(_ body: [UInt8]) throws(Problem) -> Int {
    try read(body) { $0.required("priority", .whole(1...1000)) }
  }
  /// Everything nil: nobody knows any more.
  public static func need(_ body: [UInt8]) throws(Problem) -> SessionNeed? {
    let need = try read(body) { reader -> SessionNeed? in
      let energy = Shape<Int>.scaled(3, 0...1_000_000, "an energy in watt-hours").map { Energy(milliwattHours: $0) }
      return SessionNeed(departure: reader.optional("departure", time), energy: reader.optional("energy_wh", energy))
    }
    return need.departure == nil && need.energy == nil ? nil : need
  }
  /// nil: it is taken away.
  public static func cap(_ body: [UInt8]) throws(Problem) -> PerPhase<Current>? {
    try read(body) { reader -> PerPhase<Current>?? in .some(reader.optional("limit_a", perPhase)) }
  }
  public static func maintenance(_ body: [UInt8]) throws(Problem) -> Bool { try read(body) { $0.required("on", .flag) } }

  public static let commands = [
    "remote_start", "remote_stop", "unlock", "reset", "change_availability", "get_configuration", "change_configuration",
    "trigger", "clear_cache",
  ]

  public static func command(_ body: [UInt8]) throws(Problem) -> StationCommand {
    try read(body) { reader in
      let word = Shape<String>("one of \(commands.map { "\"\($0)\"" }.joined(separator: ", "))") { node in
        node.string.flatMap { commands.contains($0) ? $0 : nil }
      }
      guard let name = reader.required("command", word) else { return nil }
      let number = Shape<Int>.whole(0...1000)
      func text(_ most: Int) -> Shape<String> {
        Shape("a text of 1 to \(most) characters") { node in
          node.string.flatMap { (1...most).contains($0.unicodeScalars.count) ? $0 : nil }
        }
      }
      switch name {
      case "remote_start":
        let connector = reader.optional("connector", .whole(1...1000))
        return reader.required("id_tag", text(20)).map { .remoteStart(connector: connector, idTag: $0) }
      case "remote_stop":
        return reader.required("transaction", .whole(0...Int(Int32.max))).map { .remoteStop(transaction: $0) }
      case "unlock": return reader.required("connector", .whole(1...1000)).map { .unlock(connector: $0) }
      case "reset": return .reset(hard: reader.optional("hard", .flag, else: false))
      case "change_availability":
        let connector = reader.optional("connector", number, else: 0)
        return reader.required("operative", .flag).map { .changeAvailability(connector: connector, operative: $0) }
      case "get_configuration": return .getConfiguration(keys: reader.optional("keys", .list(text(50)), else: []))
      case "change_configuration":
        let key = reader.required("key", text(50)), value = reader.required("value", text(500))
        return key.flatMap { key in value.map { .changeConfiguration(key: key, value: $0) } }
      case "trigger":
        let message = reader.required(
          "message", .oneOf(["boot": "boot", "heartbeat": "heartbeat", "status": "status", "meter_values": "meter_values"]))
        let connector = reader.optional("connector", number, else: 0)
        switch message {
        case "boot": return .trigger(.boot)
        case "heartbeat": return .trigger(.heartbeat)
        case "status": return .trigger(.status(connector: connector))
        case "meter_values": return .trigger(.meterValues(connector: connector))
        default: return nil
        }
      default: return .clearCache
      }
    }
  }
}
