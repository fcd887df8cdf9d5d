import Control
import Quantities
import Site

/// The second form of the blocks with circuits and connectors: each number as its distance from what those before it let expect, each
/// reason and word once. Frozen: another way to expect is another form. Points in time are written as such, so that what stands still
/// has the same bytes.
struct InputModel {
  private var numbers = [NumberModel](repeating: NumberModel(), count: Number.allCases.count)
  private var wholeWattHours = Chance()
  private var sameShape = Chance()
  private var shape: UInt8 = 0
  private var base = Guesses(3)
  private var cuts = Guesses(2)
  private var measured = Guesses(2)
  private var committed = Guesses(3)
  /// What was written out so far: texts and reasons, as `BinaryEncoder` has them.
  private var words: [[UInt8]] = []

  private enum Number: Int, CaseIterable {
    case count, word, length, limit, time, measured, base, cuts, committed, reserve, transaction, energy, offer, ends, charge
    case wanted, short, departure, planned, necks, neck
  }
  private static let longestWord = 4096
  /// Its length and a replacement character fit beside it.
  private static let longestText = longestWord - 16

  // MARK: Circuits

  mutating func codeCircuits<Coder: DecisionCoder>(
    _ given: [HubView.CircuitView], at stamp: EventStamp, _ coder: inout Coder
  ) throws -> [HubView.CircuitView] {
    var result: [HubView.CircuitView] = []
    var time = 0
    for place in 0..<(try codeCount(given.count, &coder)) {
      let circuit = given.indices.contains(place) ? given[place] : Self.noCircuit
      result.append(try code(circuit, after: result.last ?? Self.noCircuit, &time, stamp, &coder))
      try Self.check(coder)
    }
    return result
  }
  private static let noCircuit = HubView.CircuitView(
    limit: .zero, limitSource: "", measured: nil, readingAge: nil, base: .zero, baseForCuts: .zero, worst: [], committed: .zero,
    reserve: .zero)

  private mutating func code<Coder: DecisionCoder>(
    _ given: HubView.CircuitView, after last: HubView.CircuitView, _ time: inout Int, _ stamp: EventStamp, _ coder: inout Coder
  ) throws -> HubView.CircuitView {
    var result = Self.noCircuit
    let worst = given.worst.rawValue << 2
    let shape = codeShape(
      worst | (given.measured != nil ? 1 : 0) | (given.readingAge != nil ? 2 : 0), &coder)
    result.worst = Phases(rawValue: shape >> 2)
    result.limitSource = try codeText(given.limitSource, &coder)
    result.limit = code(given.limit, .limit, &coder) { neighbour, phase in phase == .l1 ? last.limit.l1.raw : neighbour }
    if shape & 1 != 0 { result.measured = code(given.measured ?? .zero, .measured, &coder) { neighbour, _ in neighbour } }
    if shape & 2 != 0 {
      time = code((given.readingAge?.raw).map { stamp.monotonic.milliseconds &- $0 } ?? 0, .time, expecting: time, &coder)
      result.readingAge = TimeSpan(raw: stamp.monotonic.milliseconds &- time)
    }
    result.committed = code(given.committed, .committed, &coder) { neighbour, _ in neighbour }
    result.base = codeBase(given.base, of: result, last: last, &coder)
    var neighbour = 0
    for phase in Phase.allCases {
      neighbour = cuts.code(
        given.baseForCuts[phase].raw, [result.base[phase].raw, neighbour], &numbers[Number.cuts.rawValue], &coder)
      result.baseForCuts[phase] = Current(raw: neighbour)
    }
    result.reserve = code(given.reserve, .reserve, &coder) { neighbour, phase in phase == .l1 ? last.reserve.l1.raw : neighbour }
    return result
  }
  /// Expected: what the phase before has, what is measured, or what is left of that without the vehicles.
  private mutating func codeBase<Coder: DecisionCoder>(
    _ given: PerPhase<Current>, of circuit: HubView.CircuitView, last: HubView.CircuitView, _ coder: inout Coder
  ) -> PerPhase<Current> {
    var (result, neighbour) = (PerPhase<Current>.zero, last.base.l1.raw)
    for phase in Phase.allCases {
      let measured = circuit.measured?[phase].raw ?? neighbour
      neighbour = base.code(
        given[phase].raw, [neighbour, measured, measured &- circuit.committed[phase].raw], &numbers[Number.base.rawValue], &coder)
      result[phase] = Current(raw: neighbour)
    }
    return result
  }

  // MARK: Connectors

  mutating func codeConnectors<Coder: DecisionCoder>(
    _ given: ArraySlice<HubView.ConnectorView>, at stamp: EventStamp, withOutlooks: Bool = false, _ coder: inout Coder
  ) throws -> [HubView.ConnectorView] {
    var result: [HubView.ConnectorView] = []
    var memory = Memory()
    for place in 0..<(try codeCount(given.count, &coder)) {
      let place = given.startIndex + place
      let connector = given.indices.contains(place) ? given[place] : Self.noConnector
      var coded = try code(connector, &memory, stamp, &coder)
      if withOutlooks { coded.outlook = try codeOutlook(connector.outlook, &coder) }
      result.append(coded)
      try Self.check(coder)
    }
    return result
  }
  private static let noConnector = HubView.ConnectorView(
    status: nil, transaction: nil, idTag: nil, offered: nil, offerEnds: nil, measured: nil, measuredAge: nil, committed: .zero,
    reason: .idle, energy: .zero, stateOfCharge: nil)
  /// What the connectors before had.
  private struct Memory {
    var transaction = 0, offer = 0, ends = 0, time = 0, charge = 0
  }

  private mutating func code<Coder: DecisionCoder>(
    _ given: HubView.ConnectorView, _ memory: inout Memory, _ stamp: EventStamp, _ coder: inout Coder
  ) throws -> HubView.ConnectorView {
    var result = Self.noConnector
    let shape = codeShape(
      ReadingModel.shape([
        given.status != nil, given.transaction != nil, given.offered != nil, given.offerEnds != nil, given.measured != nil,
        given.measuredAge != nil, given.stateOfCharge != nil, given.committed != .zero,
      ]), &coder)
    if shape & 1 != 0 { result.status = try codeStatus(given.status ?? .available, &coder) }
    if shape & 2 != 0 {
      memory.transaction = code(given.transaction ?? 0, .transaction, expecting: memory.transaction, &coder)
      result.transaction = memory.transaction
      let unit = coder.code(given.energy.raw % 1000 == 0, &wholeWattHours) ? 1000 : 1
      result.energy = Energy(raw: code(given.energy.raw / unit, .energy, expecting: 0, &coder) &* unit)
    }
    if shape & 4 != 0 {
      memory.offer = code(given.offered?.raw ?? 0, .offer, expecting: memory.offer, &coder)
      result.offered = Current(raw: memory.offer)
    }
    if shape & 8 != 0 {
      memory.ends = code(given.offerEnds?.milliseconds ?? 0, .ends, expecting: memory.ends, &coder)
      result.offerEnds = Monotonic(milliseconds: memory.ends)
    }
    if shape & 16 != 0 { result.measured = codeMeasured(given.measured ?? .zero, offer: result.offered, &coder) }
    if shape & 32 != 0 {
      let given = (given.measuredAge?.raw).map { stamp.monotonic.milliseconds &- $0 } ?? 0
      memory.time = code(given, .time, expecting: memory.time, &coder)
      result.measuredAge = TimeSpan(raw: stamp.monotonic.milliseconds &- memory.time)
    }
    if shape & 64 != 0 {
      memory.charge = code(given.stateOfCharge ?? 0, .charge, expecting: memory.charge, &coder)
      result.stateOfCharge = memory.charge
    }
    if shape & 128 != 0 { result.committed = codeCommitted(given.committed, of: result, &coder) }
    result.reason = try codeReason(given.reason, &coder)
    return result
  }

  /// Expected: what it is offered, the same as the phase before, or nothing.
  private mutating func codeMeasured<Coder: DecisionCoder>(
    _ given: PerPhase<Current>, offer: Current?, _ coder: inout Coder
  ) -> PerPhase<Current> {
    var (result, neighbour) = (PerPhase<Current>.zero, offer?.raw ?? 0)
    for phase in Phase.allCases {
      neighbour = measured.code(given[phase].raw, [neighbour, 0], &numbers[Number.measured.rawValue], &coder)
      result[phase] = Current(raw: neighbour)
    }
    return result
  }
  /// Expected: what is measured, what it is offered, or the same as the phase before.
  private mutating func codeCommitted<Coder: DecisionCoder>(
    _ given: PerPhase<Current>, of connector: HubView.ConnectorView, _ coder: inout Coder
  ) -> PerPhase<Current> {
    var (result, neighbour) = (PerPhase<Current>.zero, 0)
    for phase in Phase.allCases {
      neighbour = committed.code(
        given[phase].raw, [neighbour, connector.measured?[phase].raw ?? 0, connector.offered?.raw ?? 0],
        &numbers[Number.committed.rawValue], &coder)
      result[phase] = Current(raw: neighbour)
    }
    return result
  }
  private mutating func codeStatus<Coder: DecisionCoder>(_ given: ConnectorStatus, _ coder: inout Coder) throws -> ConnectorStatus {
    let text = try codeText(given.rawValue, &coder)
    guard let status = ConnectorStatus(rawValue: text) else { throw RecordFault.badValue("status \(text)", at: 0) }
    return status
  }
  private mutating func codeReason<Coder: DecisionCoder>(_ given: Reason, _ coder: inout Coder) throws -> Reason {
    try BinaryDecoder.decode(Reason.self, from: codeWord(try BinaryEncoder.encode(given), &coder))
  }

  /// As the second form of the connectors has it.
  private mutating func codeOutlook<Coder: DecisionCoder>(_ given: Outlook?, _ coder: inout Coder) throws -> Outlook? {
    try BinaryDecoder.decode(Outlook?.self, from: codeWord(try BinaryEncoder.encode(given), &coder))
  }

  // MARK: Outlooks

  /// - Parameter given: in any order that is the same as long as they are the same.
  mutating func codeOutlooks<Coder: DecisionCoder>(
    _ given: [(transaction: Int, outlook: Outlook)], _ coder: inout Coder
  ) throws -> [(transaction: Int, outlook: Outlook)] {
    let none = Outlook(
      wanted: .zero, short: .zero, departure: Instant(milliseconds: 0), isEstimate: false, plannedAt: Instant(milliseconds: 0),
      necks: [])
    var result: [(transaction: Int, outlook: Outlook)] = []
    for place in 0..<(try codeCount(given.count, &coder)) {
      let given = given.indices.contains(place) ? given[place] : (transaction: 0, outlook: none)
      let before = result.last ?? (transaction: 0, outlook: none)
      let transaction = code(given.transaction, .transaction, expecting: before.transaction &+ 1, &coder)
      result.append((transaction, try code(given.outlook, after: before.outlook, &coder)))
      try Self.check(coder)
    }
    return result
  }
  private mutating func code<Coder: DecisionCoder>(
    _ given: Outlook, after last: Outlook, _ coder: inout Coder
  ) throws -> Outlook {
    var result = last
    result.isEstimate = codeShape(given.isEstimate ? 1 : 0, &coder) & 1 != 0
    result.wanted = Energy(raw: code(given.wanted.raw, .wanted, expecting: last.wanted.raw, &coder))
    result.short = Energy(raw: code(given.short.raw, .short, expecting: 0, &coder))
    result.departure = instant(given.departure, .departure, expecting: last.departure, &coder)
    result.plannedAt = instant(given.plannedAt, .planned, expecting: last.plannedAt, &coder)
    let count = code(given.necks.count, .necks, expecting: last.necks.count, &coder)
    guard (0...1 << 10).contains(count) else { throw RecordFault.badLength(count, at: 0) }
    let none = Outlook.Neck(circuit: 0, phases: [], from: result.plannedAt, until: result.plannedAt)
    result.necks = []
    for place in 0..<count {
      let given = given.necks.indices.contains(place) ? given.necks[place] : none
      let expected = last.necks.indices.contains(place) ? last.necks[place] : result.necks.last ?? none
      let circuit = code(given.circuit, .neck, expecting: expected.circuit, &coder)
      let phases = code(Int(given.phases.rawValue), .neck, expecting: Int(expected.phases.rawValue), &coder)
      result.necks.append(
        Outlook.Neck(
          circuit: circuit, phases: Phases(rawValue: UInt8(truncatingIfNeeded: phases)),
          from: instant(given.from, .neck, expecting: expected.from, &coder),
          until: instant(given.until, .neck, expecting: expected.until, &coder)))
      try Self.check(coder)
    }
    return result
  }
  private mutating func instant<Coder: DecisionCoder>(
    _ given: Instant, _ number: Number, expecting: Instant, _ coder: inout Coder
  ) -> Instant {
    Instant(milliseconds: code(given.milliseconds, number, expecting: expecting.milliseconds, &coder))
  }

  // MARK: Small parts

  private mutating func codeCount<Coder: DecisionCoder>(_ given: Int, _ coder: inout Coder) throws -> Int {
    let count = code(given, .count, expecting: 0, &coder)
    guard (0...1 << 20).contains(count) else { throw RecordFault.badLength(count, at: 1) }
    return count
  }
  private static func check<Coder: DecisionCoder>(_ coder: Coder) throws {
    if coder.isBeyondEnd { throw RecordFault.endsEarly(at: 0) }
  }
  private mutating func codeShape<Coder: DecisionCoder>(_ given: UInt8, _ coder: inout Coder) -> UInt8 {
    if !coder.code(given == shape, &sameShape) { shape = UInt8(truncatingIfNeeded: coder.plain(UInt64(given), count: 8)) }
    return shape
  }
  private mutating func code<Coder: DecisionCoder>(_ value: Int, _ number: Number, expecting: Int, _ coder: inout Coder) -> Int {
    expecting &+ numbers[number.rawValue].code(value &- expecting, &coder)
  }
  private mutating func code<Coder: DecisionCoder>(
    _ given: PerPhase<Current>, _ number: Number, _ coder: inout Coder, expecting: (Int, Phase) -> Int
  ) -> PerPhase<Current> {
    var (result, neighbour) = (PerPhase<Current>.zero, 0)
    for phase in Phase.allCases {
      neighbour = code(given[phase].raw, number, expecting: expecting(neighbour, phase), &coder)
      result[phase] = Current(raw: neighbour)
    }
    return result
  }
  private mutating func codeText<Coder: DecisionCoder>(_ given: String, _ coder: inout Coder) throws -> String {
    var writer = ByteWriter()
    // Nobody reads on in a longer one; where it is cut within a character there is a replacement character.
    writer.put(
      text: given.utf8.count > Self.longestText ? String(decoding: given.utf8.prefix(Self.longestText), as: UTF8.self) : given)
    var reader = ByteReader(try codeWord(writer.bytes, &coder))
    let text = try reader.text()
    try reader.finish()
    return text
  }
  /// One of those written out before, or a new one.
  private mutating func codeWord<Coder: DecisionCoder>(_ given: [UInt8], _ coder: inout Coder) throws -> [UInt8] {
    // Counted from the newest, which is the likeliest.
    let place = words.lastIndex(of: given).map { words.count - $0 } ?? 0
    let found = code(place, .word, expecting: 1, &coder)
    if found > 0, found <= words.count {
      words.append(words.remove(at: words.count - found))
      return words[words.count - 1]
    }
    guard found == 0 else { throw RecordFault.badLength(found, at: 0) }
    let length = code(given.count, .length, expecting: 4, &coder)
    guard (0...Self.longestWord).contains(length) else { throw RecordFault.badLength(length, at: 0) }
    var word: [UInt8] = []
    for place in 0..<length {
      word.append(UInt8(truncatingIfNeeded: coder.plain(UInt64(given.indices.contains(place) ? given[place] : 0), count: 8)))
    }
    words.append(word)
    return word
  }
}
