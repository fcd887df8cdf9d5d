/// Writes any `Encodable` value by position: no names of members, an alternative by its name from the vocabulary, a presence byte
/// before what may be absent. The same value always gives the same bytes, provided it holds no `Dictionary` and no `Set`.
public enum BinaryEncoder {
  /// - Throws: what the value's own `encode(to:)` throws.
  public static func encode<Value: Encodable>(_ value: Value) throws -> [UInt8] {
    let sink = Sink()
    try sink.put(value)
    return sink.writer.bytes
  }
  /// With the names of members, so that a program that knows other members can read what it shares (`BinaryDecoder.decodeNamed`).
  /// Larger and slower: for what must outlive the program's version, the mind's state.
  public static func encodeNamed<Value: Encodable>(_ value: Value) throws -> [UInt8] {
    let names = NameTable()
    let sink = Sink(names: names)
    try sink.put(value)
    var whole = ByteWriter()
    whole.put(unsigned: UInt64(names.list.count))
    for name in names.list { whole.put(text: name) }
    whole.bytes += sink.writer.bytes
    return whole.bytes
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

/// The names of members, each once.
final class NameTable {
  private(set) var list: [String] = []
  private var places: [String: Int] = [:]

  func place(of name: String) -> Int {
    if let place = places[name] { return place }
    places[name] = list.count
    list.append(name)
    return list.count - 1
  }
}

final class Sink: Encoder {
  var writer = ByteWriter()
  /// nil: members are known by their position.
  let names: NameTable?
  /// Where the lengths stand of the containers of members that are not finished.
  private var unfinished: [Int] = []

  init(names: NameTable? = nil) { self.names = names }

  var codingPath: [any CodingKey] { [] }
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  func put<Value: Encodable>(_ value: Value) throws {
    // The statistics hold thousands of these: the same bytes as number by number.
    if Value.self == [Int16].self, let numbers = value as? [Int16] { return put(list: numbers) { $0.put(Int($1)) } }
    if Value.self == [UInt16].self, let numbers = value as? [UInt16] { return put(list: numbers) { $0.put(unsigned: UInt64($1)) } }
    if let optional = Value.self as? any MaybeAbsent.Type { writer.put(byte: Self.presence(value, optional) ? 1 : 0) }
    let before = unfinished.count
    try value.encode(to: self)
    while unfinished.count > before { writer.putLength(at: unfinished.removeLast()) }
  }

  private func put<Number>(list: [Number], _ put: (inout ByteWriter, Number) -> Void) {
    writer.put(four: list.count, at: writer.reserveLength())
    for number in list { put(&writer, number) }
  }

  /// Members follow: with names, their bytes' length stands before them.
  func beginMembers() { if names != nil { unfinished.append(writer.reserveLength()) } }

  /// What belongs to an enum's alternative follows, to the enum's end.
  func beginAlternative(_ key: any CodingKey) {
    guard let names else { return writer.put(text: key.stringValue) }
    writer.put(unsigned: UInt64(names.place(of: key.stringValue)))
    unfinished.append(writer.reserveLength())
  }

  /// One member: with names, its name's place and its bytes' length stand before it.
  func member(_ key: any CodingKey, _ put: () throws -> Void) rethrows {
    guard let names else { return try put() }
    writer.put(unsigned: UInt64(names.place(of: key.stringValue)))
    let place = writer.reserveLength()
    try put()
    writer.putLength(at: place)
  }

  /// A member that may be absent: with names, it is left out then.
  func member(_ key: any CodingKey, ifPresent isPresent: Bool, _ put: () throws -> Void) rethrows {
    if names == nil { writer.put(byte: isPresent ? 1 : 0) }
    if isPresent { try member(key, put) }
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
  init(sink: Sink) {
    self.sink = sink
    sink.beginMembers()
  }
  func encodeNil(forKey key: Key) throws {}
  func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws { try sink.member(key) { try sink.put(value) } }
  func encode(_ value: Int, forKey key: Key) throws { sink.member(key) { sink.writer.put(value) } }
  func encode(_ value: Bool, forKey key: Key) throws { sink.member(key) { sink.writer.put(byte: value ? 1 : 0) } }
  func encode(_ value: String, forKey key: Key) throws { sink.member(key) { sink.writer.put(text: value) } }
  func encodeIfPresent<Value: Encodable>(_ value: Value?, forKey key: Key) throws { try maybe(value, key) }
  // The protocol's own versions of these leave out the presence byte.
  func encodeIfPresent(_ value: Int?, forKey key: Key) throws { try maybe(value, key) }
  func encodeIfPresent(_ value: Bool?, forKey key: Key) throws { try maybe(value, key) }
  func encodeIfPresent(_ value: String?, forKey key: Key) throws { try maybe(value, key) }
  func encodeIfPresent(_ value: UInt64?, forKey key: Key) throws { try maybe(value, key) }
  func encodeIfPresent(_ value: Double?, forKey key: Key) throws { try maybe(value, key) }
  func encodeIfPresent(_ value: Int8?, forKey key: Key) throws { try maybe(value, key) }
  func encodeIfPresent(_ value: Int16?, forKey key: Key) throws { try maybe(value, key) }
  func encodeIfPresent(_ value: Int32?, forKey key: Key) throws { try maybe(value, key) }
  func encodeIfPresent(_ value: Int64?, forKey key: Key) throws { try maybe(value, key) }
  func encodeIfPresent(_ value: UInt?, forKey key: Key) throws { try maybe(value, key) }
  func encodeIfPresent(_ value: UInt8?, forKey key: Key) throws { try maybe(value, key) }
  func encodeIfPresent(_ value: UInt16?, forKey key: Key) throws { try maybe(value, key) }
  func encodeIfPresent(_ value: UInt32?, forKey key: Key) throws { try maybe(value, key) }
  func encodeIfPresent(_ value: Float?, forKey key: Key) throws { try maybe(value, key) }
  private func maybe<Value: Encodable>(_ value: Value?, _ key: Key) throws {
    try sink.member(key, ifPresent: value != nil) { if let value { try sink.put(value) } }
  }
  /// Only an enum's synthesized coding opens a container inside a keyed one: the key is the alternative's name.
  func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type, forKey key: Key) -> KeyedEncodingContainer<Nested> {
    sink.beginAlternative(key)
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
    place = sink.writer.reserveLength()
  }
  private mutating func one() {
    count += 1
    sink.writer.put(four: count, at: place)
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
