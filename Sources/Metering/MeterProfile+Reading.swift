import Documents

extension MeterProfile {
  /// Reads a profile file.
  /// - Parameters:
  ///   - text: JSON5, as `Profiles/meters/meter.schema.json` describes it.
  ///   - name: the file's name without its ending.
  /// - Throws: everything that is wrong with it, each with its line.
  public init(json5 text: String, name: String) throws(DocumentErrors) {
    let document: Document
    do throws(DocumentError) { document = try Document(json5: text, name: "\(name).json5") } catch { throw DocumentErrors([error]) }
    let findings = Findings()
    for problem in document.problems { findings.add(problem) }
    var reader = ProfileReader(top: ObjectReader(document.root, findings: findings))
    let profile = reader.profile(name)
    try findings.throwIfAny()
    guard let profile else { preconditionFailure("a profile without findings is whole") }
    self = profile
  }
}

/// The numbers a unit name stands for: its dimension and how many thousandths of the base unit it holds.
private let units: [(name: String, dimension: MeterQuantity.Dimension, milli: Int)] = [
  ("V", .volt, 1000), ("mV", .volt, 1), ("kV", .volt, 1_000_000), ("A", .ampere, 1000), ("mA", .ampere, 1),
  ("W", .watt, 1000), ("kW", .watt, 1_000_000), ("MW", .watt, 1_000_000_000), ("Wh", .wattHour, 1000),
  ("kWh", .wattHour, 1_000_000), ("MWh", .wattHour, 1_000_000_000), ("Hz", .hertz, 1000),
]
private let address = Shape<Int>.whole(0...65535)
private let word = Shape<UInt16>("a word from 0 to 0xFFFF") { $0.integer.flatMap(UInt16.init(exactly:)) }
private let absenceWord = Shape<Absence>.oneOf(Absence.names)

/// Walks the document once; each wrong member is a finding and leaves its default.
private struct ProfileReader {
  let top: ObjectReader
  var function = 3
  var order = WordOrder.highFirst
  var absence: Absence = []

  mutating func profile(_ name: String) -> MeterProfile? {
    let meter = top.required("meter", .text)
    let source = top.required("source", .text)
    _ = top.required("addresses", .oneOf(["zero-based": true]))
    let notes = top.optional("notes", .list(.text), else: [])
    let unfit = top.optional("unfit", .text)
    let defaultUnit = top.optional("default_unit", .whole(0...255), else: 1)
    function = top.optional("function", .whole(3...4), else: 3)
    order = top.optional("word_order", .word(), else: .highFirst)
    absence = top.optional("not_implemented", .list(absenceWord), else: []).reduce(into: []) { $0.formUnion($1) }
    let layout = layout()
    let identification = top.objects("identify").compactMap(identification)
    let vectors = top.objects("vectors").compactMap(vector)
    top.finish()
    if vectors.isEmpty, case .registers? = layout {
      top.complain(about: "vectors", expected: "`vectors`: at least one test vector")
    }
    if case .registers(let map)? = layout, unfit == nil, !MeterQuantity.currents.contains(where: map.has) {
      top.complain(about: "registers", found: "no current per phase", expected: "`unfit`: why the meter may not limit phases")
    }
    guard let meter, let source, let layout else { return nil }
    return MeterProfile(
      name: name, meter: meter, source: source, notes: notes, unfit: unfit, defaultUnit: defaultUnit, layout: layout,
      identification: identification, vectors: vectors)
  }

  private func layout() -> MeterProfile.Layout? {
    let largestRequest = top.optional("largest_request", .whole(4...125), else: 125)
    let largestGap = top.optional("largest_gap", .whole(0...120), else: 0)
    let takesSign = top.optional("current_sign", .oneOf(["signed": false, "from power": true]), else: false)
    if let bases = top.optional("sunspec", .list(address)) {
      if top.node["registers"] != nil { top.complain(about: "registers", expected: "no `registers` beside `sunspec`") }
      return .sunSpec(bases: bases)
    }
    guard top.member("registers") != nil else {
      top.complain(about: "registers", expected: "`registers` (a list, one per number) or `sunspec` (start addresses)")
      return nil
    }
    var registers: [Register] = []
    for line in top.objects("registers") {
      guard let register = register(line) else { continue }
      let isKnown = registers.contains { $0.reads == register.reads }
      if isKnown && !register.adds {
        line.complain(about: "reads", expected: "each quantity once, or `adds: true` on the later line")
      } else if !isKnown && register.adds {
        line.complain(about: "adds", expected: "an earlier line that reads \"\(register.reads.name)\"")
      }
      registers.append(register)
    }
    guard !registers.isEmpty else {
      if top.node["registers"]?.count == 0 { top.complain(about: "registers", expected: "at least one register") }
      return nil
    }
    return .registers(
      RegisterMap(registers: registers, largestRequest: largestRequest, largestGap: largestGap, takesSignFromPower: takesSign))
  }

  private func register(_ line: ObjectReader) -> Register? {
    let quantities = Shape<MeterQuantity>("one of " + MeterQuantity.allCases.map { "\"\($0.name)\"" }.joined(separator: ", ")) {
      $0.string.flatMap(MeterQuantity.init(name:))
    }
    let reads = line.required("reads", quantities)
    let place = line.required("address", address)
    let format = line.required("words", Shape<WordFormat>.word())
    let unit = line.required("unit", .text)
    let number = line.optional("scale", .number, else: 1)
    let factor = line.optional("scale_factor", address)
    let function = line.optional("function", .whole(3...4), else: function)
    let order = line.optional("word_order", Shape<WordOrder>.word(), else: order)
    let absence = line.optional("not_implemented", .list(absenceWord)).map { $0.reduce(into: Absence()) { $0.formUnion($1) } }
    let adds = line.optional("adds", .flag, else: false)
    _ = line.optional("note", .text)
    line.finish()
    guard let reads, let place, let format, let unit else { return nil }
    if place + format.width > 65536 {
      line.complain(about: "address", expected: "an address at which \(format.width) registers fit below 65536")
      return nil
    }
    let known = units.filter { $0.dimension == reads.dimension }
    guard let milli = known.first(where: { $0.name == unit })?.milli else {
      line.complain(about: "unit", expected: "a unit of \(reads.name): " + known.map(\.name).joined(separator: ", "))
      return nil
    }
    guard number.isExact, let scale = Scale(significand: number.significand, exponent: number.exponent, unitMillis: milli) else {
      line.complain(about: "scale", expected: "a factor other than 0 with at most nine digits")
      return nil
    }
    return Register(
      reads: reads, function: function, address: place, format: format, order: order, scale: scale, scaleFactor: factor,
      absence: absence ?? self.absence, adds: adds)
  }

  /// `{ address: 0x8960, words: [[0x4232, 0x3320]] }`: any of the lists.
  private func identification(_ line: ObjectReader) -> MeterProfile.Identification? {
    let place = line.required("address", address)
    let anyOf = line.required("any_of", .list(Shape<[UInt16]>.list(word))) ?? []
    let function = line.optional("function", .whole(3...4), else: function)
    _ = line.optional("note", .text)
    line.finish()
    guard let place, let first = anyOf.first, (1...16).contains(first.count), anyOf.allSatisfy({ $0.count == first.count }) else {
      line.complain(about: "any_of", expected: "lists of words, 1 to 16 each and all of one length")
      return nil
    }
    return .init(range: WordRange(function: function, address: place, count: first.count), anyOf: anyOf)
  }

  private func vector(_ line: ObjectReader) -> MeterProfile.Vector? {
    var image = RegisterImage()
    for block in line.objects("words") {
      let place = block.required("at", address)
      let words = block.required("are", .list(word))
      let function = block.optional("function", .whole(3...4), else: function)
      block.finish()
      if let place, let words { image.put(words, function: function, at: place) }
    }
    var expected = MeterValues()
    let reads = line.member("reads")
    if reads?.kind != .object { line.complain(about: "reads", expected: "`reads`: an object of quantities and values") }
    for member in reads.map({ Array($0.members) }) ?? [] {
      guard let quantity = MeterQuantity(name: member.key), let milli = member.value.number?.integer(scaledBy: 3) else {
        line.findings.add(
          member.label.error(
            expected: "a quantity such as \"voltage L1\" with its value in V, A, W, Wh or Hz, at most three decimals"))
        continue
      }
      expected[quantity] = milli
    }
    _ = line.optional("note", .text)
    line.finish()
    return .init(image: image, expected: expected)
  }
}
