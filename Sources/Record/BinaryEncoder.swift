/// Writes any `Encodable` value by position: no names of members, an alternative by its name from the vocabulary, a presence byte
/// before what may be absent. The same value always gives the same bytes, provided it holds no `Dictionary` and no `Set`.
public enum BinaryEncoder {
  /// - Throws: what the value's own `encode(to:)` throws.
  public static func encode<Value: Encodable>(_ value: Value) throws -> [UInt8] {
    let sink = Sink()
    try sink.put(value)
    return sink.writer.bytes
  }
  /// Appends the value to `writer`.
  public static func encode<Value: Encodable>(_ value: Value, to writer: inout ByteWriter) throws {
    let sink = Sink()
    swap(&sink.writer, &writer)
    defer { swap(&sink.writer, &writer) }
    try sink.put(value)
  }
}

/// A type that says that it may be absent, whatever it wraps.
protocol MaybeAbsent { static var isPresent: (Self) -> Bool { get } }
extension Optional: MaybeAbsent { static var isPresent: (Self) -> Bool { { $0 != nil } } }

final class Sink: Encoder {
  var writer = ByteWriter()
  var codingPath: [any CodingKey] { [] }
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  func put<Value: Encodable>(_ value: Value) throws {
    if let optional = Value.self as? any MaybeAbsent.Type { writer.put(byte: Self.presence(value, optional) ? 1 : 0) }
    try value.encode(to: self)
  }
  private static func presence<Value, Kind: MaybeAbsent>(_ value: Value, _ kind: Kind.Type) -> Bool {
    guard let value = value as? Kind else { return true }
    return Kind.isPresent(value)
  }
  func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
    KeyedEncodingContainer(KeyedSink<Key>(sink: self))
  }
  func unkeyedContainer() -> any UnkeyedEncodingContainer { ListSink(sink: self) }
  func singleValueContainer() -> any SingleValueEncodingContainer { SingleSink(sink: self) }
}

private struct KeyedSink<Key: CodingKey>: KeyedEncodingContainerProtocol {
  let sink: Sink
  var codingPath: [any CodingKey] { [] }
  func encodeNil(forKey key: Key) throws {}
  func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws { try sink.put(value) }
  func encode(_ value: Int, forKey key: Key) throws { sink.writer.put(value) }
  func encode(_ value: Bool, forKey key: Key) throws { sink.writer.put(byte: value ? 1 : 0) }
  func encode(_ value: String, forKey key: Key) throws { sink.writer.put(text: value) }
  func encodeIfPresent<Value: Encodable>(_ value: Value?, forKey key: Key) throws {
    sink.writer.put(byte: value == nil ? 0 : 1)
    if let value { try sink.put(value) }
  }
  func encodeIfPresent(_ value: Int?, forKey key: Key) throws {
    sink.writer.put(byte: value == nil ? 0 : 1)
    if let value { sink.writer.put(value) }
  }
  func encodeIfPresent(_ value: Bool?, forKey key: Key) throws {
    sink.writer.put(byte: value == nil ? 0 : 1)
    if let value { sink.writer.put(byte: value ? 1 : 0) }
  }
  func encodeIfPresent(_ value: String?, forKey key: Key) throws {
    sink.writer.put(byte: value == nil ? 0 : 1)
    if let value { sink.writer.put(text: value) }
  }
  func encodeIfPresent(_ value: UInt64?, forKey key: Key) throws {
    sink.writer.put(byte: value == nil ? 0 : 1)
    if let value { sink.writer.put(unsigned: value) }
  }
  func encodeIfPresent(_ value: Double?, forKey key: Key) throws {
    sink.writer.put(byte: value == nil ? 0 : 1)
    if let value { sink.writer.put(fixed: value.bitPattern) }
  }
  private func maybe<Value: Encodable>(_ value: Value?) throws {
    sink.writer.put(byte: value == nil ? 0 : 1)
    if let value { try sink.put(value) }
  }
  // The protocol's own versions of these leave out the presence byte.
  func encodeIfPresent(_ value: Int8?, forKey key: Key) throws { try maybe(value) }
  func encodeIfPresent(_ value: Int16?, forKey key: Key) throws { try maybe(value) }
  func encodeIfPresent(_ value: Int32?, forKey key: Key) throws { try maybe(value) }
  func encodeIfPresent(_ value: Int64?, forKey key: Key) throws { try maybe(value) }
  func encodeIfPresent(_ value: UInt?, forKey key: Key) throws { try maybe(value) }
  func encodeIfPresent(_ value: UInt8?, forKey key: Key) throws { try maybe(value) }
  func encodeIfPresent(_ value: UInt16?, forKey key: Key) throws { try maybe(value) }
  func encodeIfPresent(_ value: UInt32?, forKey key: Key) throws { try maybe(value) }
  func encodeIfPresent(_ value: Float?, forKey key: Key) throws { try maybe(value) }
  /// Only an enum's synthesized coding opens a container inside a keyed one: the key is the alternative's name.
  func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type, forKey key: Key) -> KeyedEncodingContainer<Nested> {
    sink.writer.put(text: key.stringValue)
    return KeyedEncodingContainer(KeyedSink<Nested>(sink: sink))
  }
  func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer { ListSink(sink: sink) }
  func superEncoder() -> any Encoder { sink }
  func superEncoder(forKey key: Key) -> any Encoder { sink }
}

/// Its count stands before the elements, four bytes that are put right as elements come.
private struct ListSink: UnkeyedEncodingContainer {
  let sink: Sink
  let place: Int
  var count = 0
  var codingPath: [any CodingKey] { [] }
  init(sink: Sink) {
    self.sink = sink
    place = sink.writer.bytes.count
    sink.writer.bytes.append(contentsOf: [0, 0, 0, 0])
  }
  private mutating func one() {
    count += 1
    for i in 0..<4 { sink.writer.bytes[place + i] = UInt8(truncatingIfNeeded: count >> (8 * i)) }
  }
  mutating func encodeNil() throws {
    one()
    sink.writer.put(byte: 0)
  }
  mutating func encode<Value: Encodable>(_ value: Value) throws {
    one()
    try sink.put(value)
  }
  mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<Nested> {
    one()
    return KeyedEncodingContainer(KeyedSink<Nested>(sink: sink))
  }
  mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
    one()
    return ListSink(sink: sink)
  }
  mutating func superEncoder() -> any Encoder { sink }
}

private struct SingleSink: SingleValueEncodingContainer {
  let sink: Sink
  var codingPath: [any CodingKey] { [] }
  /// The presence byte before it has said so already.
  func encodeNil() throws {}
  func encode(_ value: Bool) throws { sink.writer.put(byte: value ? 1 : 0) }
  func encode(_ value: String) throws { sink.writer.put(text: value) }
  func encode(_ value: Double) throws { sink.writer.put(fixed: value.bitPattern) }
  func encode(_ value: Float) throws { sink.writer.put(fixed: Double(value).bitPattern) }
  func encode(_ value: Int) throws { sink.writer.put(value) }
  func encode(_ value: Int8) throws { sink.writer.put(Int(value)) }
  func encode(_ value: Int16) throws { sink.writer.put(Int(value)) }
  func encode(_ value: Int32) throws { sink.writer.put(Int(value)) }
  func encode(_ value: Int64) throws { sink.writer.put(Int(value)) }
  func encode(_ value: UInt) throws { sink.writer.put(unsigned: UInt64(value)) }
  func encode(_ value: UInt8) throws { sink.writer.put(byte: value) }
  func encode(_ value: UInt16) throws { sink.writer.put(unsigned: UInt64(value)) }
  func encode(_ value: UInt32) throws { sink.writer.put(unsigned: UInt64(value)) }
  func encode(_ value: UInt64) throws { sink.writer.put(unsigned: value) }
  func encode<Value: Encodable>(_ value: Value) throws { try sink.put(value) }
}
