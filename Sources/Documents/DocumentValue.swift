/// A value to be written as JSON. Members keep the order in which they are given.
public indirect enum DocumentValue: Hashable, Sendable {
  case null
  case bool(Bool)
  case number(ExactNumber)
  case string(String)
  case array([DocumentValue])
  case object([Member])

  public struct Member: Hashable, Sendable {
    public var key: String
    public var value: DocumentValue
    public init(_ key: String, _ value: DocumentValue) { (self.key, self.value) = (key, value) }
  }

  public static func integer(_ value: Int) -> DocumentValue { .number(ExactNumber(value)) }
  /// A whole number of `10^-decimals`: `.decimal(160, 1)` is written 16, `.decimal(165, 1)` is written 16.5.
  public static func decimal(_ value: Int, _ decimals: Int) -> DocumentValue { .number(ExactNumber(value, decimals: decimals)) }

  /// An object without the members that are nil.
  public static func object(_ members: KeyValuePairs<String, DocumentValue?>) -> DocumentValue {
    .object(members.compactMap { pair in pair.value.map { Member(pair.key, $0) } })
  }

  /// In one line, without a blank.
  public var json: String {
    var writer = JSONWriter()
    writer.write(self)
    return writer.text
  }
  /// On several lines, two blanks a level; what fits on a line of `width` columns stays on one.
  public func pretty(width: Int = 100) -> String {
    var result = ""
    writePretty(to: &result, indent: 0, used: 0, width: width)
    return result + "\n"
  }

  private func writePretty(to result: inout String, indent: Int, used: Int, width: Int) {
    let line = json
    let pad = String(repeating: " ", count: indent + 2)
    if line.count + used <= width {
      result += line
      return
    }
    switch self {
    case .array(let elements) where !elements.isEmpty:
      result += "[\n"
      for (i, element) in elements.enumerated() {
        result += pad
        element.writePretty(to: &result, indent: indent + 2, used: indent + 2, width: width)
        result += i + 1 < elements.count ? ",\n" : "\n"
      }
      result += pad.dropLast(2) + "]"
    case .object(let members) where !members.isEmpty:
      result += "{\n"
      for (i, member) in members.enumerated() {
        let key = DocumentValue.string(member.key).json + ": "
        result += pad + key
        member.value.writePretty(to: &result, indent: indent + 2, used: indent + 2 + key.count, width: width)
        result += i + 1 < members.count ? ",\n" : "\n"
      }
      result += pad.dropLast(2) + "}"
    default: result += line
    }
  }
}

extension DocumentValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
  ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
  public init(stringLiteral value: String) { self = .string(value) }
  public init(integerLiteral value: Int) { self = .integer(value) }
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  public init(arrayLiteral elements: DocumentValue...) { self = .array(elements) }
  public init(dictionaryLiteral elements: (String, DocumentValue)...) { self = .object(elements.map { Member($0.0, $0.1) }) }
  public init(nilLiteral: ()) { self = .null }
}

extension Node {
  /// The value without its places, to be written again.
  public var value: DocumentValue {
    switch kind {
    case .null: .null
    case .bool: .bool(bool ?? false)
    case .number: number.map(DocumentValue.number) ?? .null
    case .string: string.map(DocumentValue.string) ?? .null
    case .array: .array(elements.map(\.value))
    case .object: .object(members.map { DocumentValue.Member($0.key, $0.value.value) })
    }
  }
}
