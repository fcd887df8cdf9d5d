import Documents
import Quantities
import Site

/// UpdateGroupCapacityForecast of OSCP 2.0, read and turned into blocks of a limit.
struct OSCPForecast: Hashable, Sendable {
  enum Kind: String, CaseIterable, Sendable {
    case consumption = "CONSUMPTION"
    case generation = "GENERATION"
    case fallbackConsumption = "FALLBACK_CONSUMPTION"
    case fallbackGeneration = "FALLBACK_GENERATION"
    case optimum = "OPTIMUM"
  }
  var group: String
  var kind: Kind
  var blocks: [LimitSeries.Block]

  private struct Piece {
    var from: Instant
    var until: Instant
    var amount: Limit.Amount
  }

  /// - Parameter voltage: with which the power of one phase becomes amperes: the highest plausible, for the fewest amperes.
  /// - Throws: what is wrong, with its place.
  init(_ body: [UInt8], voltage: Voltage) throws(DocumentErrors) {
    let document: Document
    do throws(DocumentError) { document = try Document(body, dialect: .json, name: "body") } catch { throw DocumentErrors([error]) }
    let findings = Findings(), reader = ObjectReader(document.root, findings: findings)
    let group = reader.required("group_id", .text), kind: Kind? = reader.required("type", .word())
    let pieces = reader.objects("forecasted_blocks").compactMap { Self.piece($0, voltage) }
    if reader.node["forecasted_blocks"]?.count ?? 0 == 0 {
      reader.complain(about: "forecasted_blocks", expected: "at least one block")
    }
    if pieces.count > OSCPDialogue.mostBlocks {
      reader.complain(
        about: "forecasted_blocks", found: "\(pieces.count) blocks", expected: "at most \(OSCPDialogue.mostBlocks) blocks")
    }
    try findings.throwIfAny()
    (self.group, self.kind) = (group ?? "", kind ?? .consumption)
    blocks = Self.put(pieces, voltage)
  }

  /// Unknown members are let pass: others may know more than we do.
  private static func piece(_ reader: ObjectReader, _ voltage: Voltage) -> Piece? {
    let capacity = reader.required("capacity", Shape<Int>.scaled(3, 0...1_000_000_000, "a capacity"))
    let unit = reader.required("unit", .oneOf(["A": "A", "W": "W", "KW": "KW", "WH": "WH", "KWH": "KWH"]))
    let phase = reader.required("phase", .oneOf(["UNKNOWN": -1, "ALL": -1, "ONE": 0, "TWO": 1, "THREE": 2]))
    let time = Shape<Instant>("a time with its zone") { node in
      node.string.flatMap { Timestamp($0) }.flatMap { $0.hasZone ? Instant(milliseconds: $0.milliseconds) : nil }
    }
    guard let capacity, let unit, let phase, let from = reader.required("start_time", time),
      let until = reader.required("end_time", time)
    else { return nil }
    guard from + .seconds(1) <= until else {
      reader.complain(about: "end_time", expected: "a time at least a second after `start_time`")
      return nil
    }
    var power: Power?
    switch unit {
    case "A": power = nil
    case "W": power = Power(milliwatts: capacity)
    case "KW": power = Power(milliwatts: capacity * 1000)
    case "WH": power = Energy(milliwattHours: capacity).meanPower(over: until - from)
    default: power = Energy(milliwattHours: capacity * 1000).meanPower(over: until - from)
    }
    power = power.map { min($0, mostPower) }
    guard let only = Phase(rawValue: phase) else {
      return Piece(
        from: from, until: until, amount: power.map(Limit.Amount.power) ?? .current(PerPhase(all: Current(milliamperes: capacity))))
    }
    // The other phases are not spoken of.
    var current = PerPhase(all: unbounded)
    current[only] = power?.current(at: voltage, phases: 1) ?? Current(milliamperes: capacity)
    return Piece(from: from, until: until, amount: .current(current))
  }

  /// More is as good as no bound.
  private static let mostPower = Power.watts(100_000_000)
  static let unbounded = Current.amperes(10_000)

  /// Pieces in any order that may overlap: at each moment the lowest of those that hold.
  private static func put(_ pieces: [Piece], _ voltage: Voltage) -> [LimitSeries.Block] {
    let edges = Set(pieces.flatMap { [$0.from, $0.until] }).sorted()
    var blocks: [LimitSeries.Block] = []
    for (from, until) in zip(edges, edges.dropFirst()) {
      let here = pieces.filter { $0.from <= from && until <= $0.until }.map(\.amount)
      guard let amount = here.dropFirst().reduce(here.first, { lower($0, $1, voltage) }) else { continue }
      if let last = blocks.last, last.until == from, last.amount == amount {
        blocks[blocks.count - 1].until = until
      } else {
        blocks.append(.init(from: from, until: until, amount: amount))
      }
    }
    return blocks
  }

  private static func lower(_ a: Limit.Amount?, _ b: Limit.Amount, _ voltage: Voltage) -> Limit.Amount {
    switch (a, b) {
    case (nil, _): return b
    case (.power(let x), .power(let y)): return .power(min(x, y))
    case (.some(let a), _):
      func current(_ amount: Limit.Amount) -> PerPhase<Current> {
        switch amount {
        case .current(let current): current
        case .power(let power): PerPhase(all: power.current(at: voltage, phases: 3))
        }
      }
      return .current(current(a).minimum(current(b)))
    }
  }
}
