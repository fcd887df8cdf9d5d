import Quantities
import Site

/// What one poll of a meter gave.
public enum MeterOutcome: Hashable, Sendable {
  case reading(MeterReading)
  case fault(MeterFault)
}

/// Turns the words of one meter into readings. Keeps the last words: an unchanged reading is a comparison and a copy, nothing more.
public struct MeterDecoder: Sendable {
  public let map: RegisterMap
  /// The requests whose words, put one after the other, `decode` takes.
  public let plan: RequestPlan
  public var plausibility: Plausibility
  /// Index into `Hub.meters`, put into each reading.
  public let meter: Int

  private struct Line: Sendable {
    var register: Register
    var offset: Int
    var factorOffset: Int?
  }
  private let lines: [Line]
  private var lastWords: [UInt16] = []
  private var lastOutcome: MeterOutcome?

  /// - Parameter everything: also what no `MeterReading` holds (the frequency).
  public init(_ map: RegisterMap, meter: Int = 0, everything: Bool = false, plausibility: Plausibility = Plausibility()) {
    (self.map, self.meter, self.plausibility) = (map, meter, plausibility)
    let plan = map.plan(everything: everything)
    self.plan = plan
    lines = map.registers.filter { everything || $0.reads.isPolled }.map { register in
      guard let offset = plan.offset(of: register.span) else { preconditionFailure("the plan holds each register of its map") }
      return Line(register: register, offset: offset, factorOffset: register.scaleFactorSpan.flatMap(plan.offset(of:)))
    }
  }

  /// - Parameters:
  ///   - words: of all requests of `plan` in their order.
  ///   - age: how long ago the first of them was sent.
  /// - Precondition: there are `plan.wordCount` words.
  /// - Complexity: O(*words*); allocates only when they differ from those of the last call.
  public mutating func decode(_ words: [UInt16], age: TimeSpan = .zero) -> MeterOutcome {
    precondition(words.count == plan.wordCount)
    if let lastOutcome, words == lastWords {
      guard case .reading(var reading) = lastOutcome else { return lastOutcome }
      reading.age = age
      return .reading(reading)
    }
    let outcome = fresh(words, age: age)
    (lastWords, lastOutcome) = (words, outcome)
    return outcome
  }

  private func fresh(_ words: [UInt16], age: TimeSpan) -> MeterOutcome {
    let (values, missing) = values(in: words)
    if let missing { return .fault(.implausible(missing.name)) }
    if let flaw = plausibility.flaw(in: values) { return .fault(.implausible(flaw.name)) }
    return .reading(values.reading(meter: meter, age: age))
  }

  /// The numbers in `words`, currents with their sign, import positive, whether they can be believed or not.
  /// - Returns: with the first quantity that is not implemented, NaN or beyond what can be held. A counter or frequency that is not
  ///   implemented is merely absent.
  public func values(in words: [UInt16]) -> (values: MeterValues, missing: MeterQuantity?) {
    var values = MeterValues()
    var missing: MeterQuantity?
    for line in lines {
      let register = line.register
      let raw = register.format.decode(words, at: line.offset, order: register.order, absence: register.absence)
      guard let milli = milli(raw, line, words) else {
        if !(raw == .absent && (register.reads.isCounter || !register.reads.isPolled)) { missing = missing ?? register.reads }
        continue
      }
      let (sum, overflow) = milli.addingReportingOverflow(register.adds ? values[register.reads] ?? 0 : 0)
      if overflow { missing = missing ?? register.reads } else { values[register.reads] = sum }
    }
    if map.takesSignFromPower { giveSigns(&values) }
    return (values, missing)
  }

  private func milli(_ raw: RawNumber, _ line: Line, _ words: [UInt16]) -> Int? {
    guard let factorOffset = line.factorOffset else { return line.register.scale.milli(raw) }
    let factor = WordFormat.int16.decode(words, at: factorOffset, order: line.register.order, absence: .smallest)
    guard case .integer(let power) = factor, (-10...10).contains(power) else { return nil }
    return line.register.scale.milli(raw, power: Int(power))
  }

  /// A current without a sign flows the way its phase's power does; without a power, it counts as import, the larger load.
  private func giveSigns(_ values: inout MeterValues) {
    for i in 0..<3 {
      guard let current = values[MeterQuantity.currents[i]], current != Int.min else { continue }
      let exports = (values[MeterQuantity.powers[i]] ?? 0) < 0
      values[MeterQuantity.currents[i]] = exports ? -abs(current) : abs(current)
    }
  }
}
