import Documents
import Quantities
import Site

/// What is remembered of a registration over restarts, as JSON.
extension OSCPDialogue.State {
  public var json: String {
    func text(_ value: String?) -> DocumentValue { value.map { .string($0) } ?? .null }
    func list(_ blocks: [LimitSeries.Block]) -> DocumentValue {
      .array(
        blocks.map { block in
          var members: [DocumentValue.Member] = [.init("from_ms", .integer(block.from.milliseconds))]
          if let until = block.until { members.append(.init("until_ms", .integer(until.milliseconds))) }
          switch block.amount {
          case .power(let power): members.append(.init("mw", .integer(power.raw)))
          case .current(let current):
            members.append(.init("ma", .array(Phase.allCases.map { .integer(current[$0].raw) })))
          }
          return .object(members)
        })
    }
    return DocumentValue.object([
      .init("ours", text(ours)), .init("theirs", text(theirs)), .init("base_url", text(baseURL)),
      .init("interval_ms", interval.map { .integer($0.milliseconds) } ?? .null), .init("handshaken", .bool(isHandshaken)),
      .init("consumption", list(consumption)), .init("fallback", list(fallback)), .init("optimum", list(optimum)),
      .init("forecast_id", text(forecastID)),
    ]).json + "\n"
  }

  /// What is written is far shorter, with `mostBlocks` of each kind; versions before this bound wrote more.
  private static let longest = 8 << 20

  public init(json: String, name: String) throws(DocumentErrors) {
    let document: Document
    do throws(DocumentError) {
      document = try Document(Array(json.utf8), dialect: .json, name: name, longest: Self.longest)
    } catch { throw DocumentErrors([error]) }
    let findings = Findings(), reader = ObjectReader(document.root, findings: findings)
    let whole = Shape<Int>("a whole number") { $0.integer }
    func list(_ key: String) -> [LimitSeries.Block] {
      reader.objects(key).compactMap { block in
        let three = block.member("ma")?.elements.compactMap(\.integer)
        let power = block.optional("mw", whole)
        guard let from = block.required("from_ms", whole) else { return nil }
        let until = block.optional("until_ms", whole)
        let amount: Limit.Amount? =
          if let power { .power(Power(raw: power)) } else if let three, three.count == 3 {
            .current(PerPhase(Current(raw: three[0]), Current(raw: three[1]), Current(raw: three[2])))
          } else { nil }
        return amount.map {
          .init(from: Instant(milliseconds: from), until: until.map { Instant(milliseconds: $0) }, amount: $0)
        }
      }
    }
    self.init()
    ours = reader.optional("ours", .text)
    theirs = reader.optional("theirs", .text)
    baseURL = reader.optional("base_url", .text)
    interval = reader.optional("interval_ms", whole).map { TimeSpan(milliseconds: $0) }
    isHandshaken = reader.optional("handshaken", .flag, else: false)
    (consumption, fallback, optimum) = (list("consumption"), list("fallback"), list("optimum"))
    forecastID = reader.optional("forecast_id", .text)
    reader.finish()
    try findings.throwIfAny()
  }
}
