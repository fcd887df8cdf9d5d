/// Writes JSON straight into bytes: no blanks, members in the order given, numbers exact, only what must be escaped is.
///
/// Commas come by themselves; that brackets match and members have keys is the caller's duty.
public struct JSONWriter: Sendable {
  public private(set) var bytes: [UInt8] = []
  private var needsComma = false

  public init(reserving capacity: Int = 256) { bytes.reserveCapacity(capacity) }
  public var text: String { String(decoding: bytes, as: UTF8.self) }

  public mutating func beginObject() { open(UInt8(ascii: "{")) }
  public mutating func endObject() { close(UInt8(ascii: "}")) }
  public mutating func beginArray() { open(UInt8(ascii: "[")) }
  public mutating func endArray() { close(UInt8(ascii: "]")) }

  public mutating func key(_ name: String) {
    separate()
    quote(name)
    bytes.append(UInt8(ascii: ":"))
    needsComma = false
  }
  public mutating func string(_ value: String) { token { $0.quote(value) } }
  public mutating func integer(_ value: Int) { token { $0.bytes.append(contentsOf: String(value).utf8) } }
  public mutating func number(_ value: ExactNumber) { token { $0.bytes.append(contentsOf: value.description.utf8) } }
  /// A whole number of `10^-decimals`: `decimal(165, 1)` is written 16.5.
  public mutating func decimal(_ value: Int, _ decimals: Int) { number(ExactNumber(value, decimals: decimals)) }
  public mutating func bool(_ value: Bool) { token { $0.bytes.append(contentsOf: (value ? "true" : "false").utf8) } }
  public mutating func null() { token { $0.bytes.append(contentsOf: "null".utf8) } }

  public mutating func write(_ value: DocumentValue) {
    switch value {
    case .null: null()
    case .bool(let value): bool(value)
    case .number(let value): number(value)
    case .string(let value): string(value)
    case .array(let elements):
      beginArray()
      for element in elements { write(element) }
      endArray()
    case .object(let members):
      beginObject()
      for member in members {
        key(member.key)
        write(member.value)
      }
      endObject()
    }
  }

  private mutating func token(_ write: (inout JSONWriter) -> Void) {
    separate()
    write(&self)
    needsComma = true
  }
  private mutating func separate() { if needsComma { bytes.append(UInt8(ascii: ",")) } }
  private mutating func open(_ bracket: UInt8) {
    separate()
    bytes.append(bracket)
    needsComma = false
  }
  private mutating func close(_ bracket: UInt8) {
    bytes.append(bracket)
    needsComma = true
  }
  private mutating func quote(_ value: String) {
    bytes.append(UInt8(ascii: "\""))
    defer { bytes.append(UInt8(ascii: "\"")) }
    if value.utf8.allSatisfy({ $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }) {
      return bytes.append(contentsOf: value.utf8)
    }
    for byte in value.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(contentsOf: [UInt8(ascii: "\\"), byte])
      case 0x0A: bytes.append(contentsOf: "\\n".utf8)
      case 0x0D: bytes.append(contentsOf: "\\r".utf8)
      case 0x09: bytes.append(contentsOf: "\\t".utf8)
      case 0..<0x20: bytes.append(contentsOf: (byte < 0x10 ? "\\u000" : "\\u00").utf8 + Array(String(byte, radix: 16).utf8))
      default: bytes.append(byte)
      }
    }
  }
}
