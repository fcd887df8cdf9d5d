/// Reads what `BinaryEncoder` wrote, by the same types in the same order.
public enum BinaryDecoder {
  /// - Throws: `RecordFault` for bytes that are no such value, with what is left over after it.
  public static func decode<Value: Decodable>(_ type: Value.Type, from bytes: [UInt8]) throws(RecordFault) -> Value {
    var reader = ByteReader(bytes)
    let value = try decode(type, from: &reader)
    try reader.finish()
    return value
  }
  /// Reads what `BinaryEncoder.encodeNamed` wrote. Members that are not known any more are passed over; those that were not known then
  /// are absent, empty, zero or false.
  /// - Throws: `RecordFault`; also for a member that was not known then and cannot be any of these.
  public static func decodeNamed<Value: Decodable>(_ type: Value.Type, from bytes: [UInt8]) throws(RecordFault) -> Value {
    var reader = ByteReader(bytes)
    var names: [String] = []
    for _ in 0..<(try reader.count()) { names.append(try reader.text()) }
    let value = try decode(type, from: &reader, names: names)
    try reader.finish()
    return value
  }
  /// Takes one value from `reader`.
  public static func decode<Value: Decodable>(_ type: Value.Type, from reader: inout ByteReader) throws(RecordFault) -> Value {
    try decode(type, from: &reader, names: nil)
  }
  private static func decode<Value: Decodable>(
    _ type: Value.Type, from reader: inout ByteReader, names: [String]?
  ) throws(RecordFault) -> Value {
    let source = Source(reader, names: names)
    do {
      let value = try source.get(type)
      guard source.unread == 0 else { throw RecordFault.badLength(source.unread, at: source.reader.position) }
      reader = source.reader
      return value
    } catch let fault as RecordFault {
      throw fault
    } catch {
      throw .badValue("\(type)", at: source.reader.position)
    }
  }
}

protocol MaybeAbsentDecoded { static func absent() -> Self }
extension Optional: MaybeAbsentDecoded { static func absent() -> Self { nil } }

private final class Source: Decoder {
  var reader: ByteReader
  /// nil: members are known by their position.
  let names: [String]?
  /// Elements of lists that were announced and not read so far.
  var unread = 0
  var codingPath: [any CodingKey] { [] }
  var userInfo: [CodingUserInfoKey: Any] { [:] }
  init(_ reader: ByteReader, names: [String]?) { (self.reader, self.names) = (reader, names) }

  /// The members that stand next, by name; what follows them is read next. nil: members are known by their position.
  func members() throws(RecordFault) -> [String: Int]? {
    guard let names else { return nil }
    let whole = try reader.stretch()
    reader.move(to: whole.lowerBound)
    var places: [String: Int] = [:]
    while reader.position < whole.upperBound {
      let at = reader.position
      let name = try reader.unsigned()
      guard name < UInt64(names.count) else { throw .badLength(Int(clamping: name), at: at) }
      places[names[Int(name)]] = try reader.stretch().lowerBound
    }
    guard reader.position == whole.upperBound else { throw .badLength(whole.count, at: whole.lowerBound) }
    return places
  }

  /// Reads at `place`, and goes on where it was.
  func read<Value>(at place: Int, _ get: () throws -> Value) rethrows -> Value {
    let back = reader.position
    reader.move(to: place)
    defer { reader.move(to: back) }
    return try get()
  }

  func get<Value: Decodable>(_ type: Value.Type) throws -> Value {
    if type == [Int16].self, let numbers = try list(of: Int16.self) as? Value { return numbers }
    if type == [UInt16].self, let numbers = try list(of: UInt16.self) as? Value { return numbers }
    if let optional = type as? any MaybeAbsentDecoded.Type {
      if !(try flag()), let nothing = optional.absent() as? Value { return nothing }
    }
    return try Value(from: self)
  }
  /// As `ListSource` reads numbers one by one, without a decoder for each.
  private func list<Number: FixedWidthInteger>(of type: Number.Type) throws(RecordFault) -> [Number] {
    let at = reader.position
    let count = try reader.four()
    guard count <= reader.bytes.count - reader.position else { throw .badLength(count, at: at) }
    var numbers: [Number] = []
    numbers.reserveCapacity(count)
    for _ in 0..<count { numbers.append(try narrow(type)) }
    return numbers
  }
  func flag() throws(RecordFault) -> Bool {
    let at = reader.position
    switch try reader.byte() {
    case 0: return false
    case 1: return true
    case let other: throw .badValue("flag \(other)", at: at)
    }
  }
  func narrow<Value: FixedWidthInteger>(_ type: Value.Type) throws(RecordFault) -> Value {
    let at = reader.position
    if Value.isSigned {
      let wide = try reader.integer()
      guard let value = Value(exactly: wide) else { throw .badValue("\(wide)", at: at) }
      return value
    }
    let wide = try reader.unsigned()
    guard let value = Value(exactly: wide) else { throw .badValue("\(wide)", at: at) }
    return value
  }
  func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
    KeyedDecodingContainer(try KeyedSource<Key>(source: self))
  }
  func unkeyedContainer() throws -> any UnkeyedDecodingContainer { try ListSource(source: self) }
  func singleValueContainer() throws -> any SingleValueDecodingContainer { SingleSource(source: self) }
}

private struct KeyedSource<Key: CodingKey>: KeyedDecodingContainerProtocol {
  let source: Source
  /// nil: members are known by their position.
  let members: [String: Int]?
  var codingPath: [any CodingKey] { [] }
  init(source: Source) throws(RecordFault) { (self.source, members) = (source, try source.members()) }

  /// Only an enum's synthesized decoding asks for the keys: the alternative's name stands next.
  var allKeys: [Key] {
    if let members { return members.keys.compactMap { Key(stringValue: $0) } }
    guard let name = try? source.reader.text(), let key = Key(stringValue: name) else { return [] }
    return [key]
  }
  func contains(_ key: Key) -> Bool { members.map { $0[key.stringValue] != nil } ?? true }
  func decodeNil(forKey key: Key) throws -> Bool {
    if let members { return members[key.stringValue] == nil }
    return !(try source.flag())
  }
  func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
    guard let members else { return try source.get(type) }
    guard let place = members[key.stringValue] else { return try Unknown.value(type) }
    return try source.read(at: place) { try source.get(type) }
  }
  func decodeIfPresent<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value? { try maybe(type, key) }
  // The protocol's own versions of these ask `decodeNil` first.
  func decodeIfPresent(_ type: Int.Type, forKey key: Key) throws -> Int? { try maybe(type, key) }
  func decodeIfPresent(_ type: Bool.Type, forKey key: Key) throws -> Bool? { try maybe(type, key) }
  func decodeIfPresent(_ type: String.Type, forKey key: Key) throws -> String? { try maybe(type, key) }
  func decodeIfPresent(_ type: UInt64.Type, forKey key: Key) throws -> UInt64? { try maybe(type, key) }
  func decodeIfPresent(_ type: Double.Type, forKey key: Key) throws -> Double? { try maybe(type, key) }
  func decodeIfPresent(_ type: Int8.Type, forKey key: Key) throws -> Int8? { try maybe(type, key) }
  func decodeIfPresent(_ type: Int16.Type, forKey key: Key) throws -> Int16? { try maybe(type, key) }
  func decodeIfPresent(_ type: Int32.Type, forKey key: Key) throws -> Int32? { try maybe(type, key) }
  func decodeIfPresent(_ type: Int64.Type, forKey key: Key) throws -> Int64? { try maybe(type, key) }
  func decodeIfPresent(_ type: UInt.Type, forKey key: Key) throws -> UInt? { try maybe(type, key) }
  func decodeIfPresent(_ type: UInt8.Type, forKey key: Key) throws -> UInt8? { try maybe(type, key) }
  func decodeIfPresent(_ type: UInt16.Type, forKey key: Key) throws -> UInt16? { try maybe(type, key) }
  func decodeIfPresent(_ type: UInt32.Type, forKey key: Key) throws -> UInt32? { try maybe(type, key) }
  func decodeIfPresent(_ type: Float.Type, forKey key: Key) throws -> Float? { try maybe(type, key) }
  private func maybe<Value: Decodable>(_ type: Value.Type, _ key: Key) throws -> Value? {
    guard let members else { return try source.flag() ? try source.get(type) : nil }
    return try members[key.stringValue].map { place in try source.read(at: place) { try source.get(type) } }
  }
  func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type, forKey key: Key) throws -> KeyedDecodingContainer<Nested> {
    guard let members else { return KeyedDecodingContainer(try KeyedSource<Nested>(source: source)) }
    guard let place = members[key.stringValue] else { throw RecordFault.badValue(key.stringValue, at: source.reader.position) }
    return try source.read(at: place) { KeyedDecodingContainer(try KeyedSource<Nested>(source: source)) }
  }
  func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer { try ListSource(source: source) }
  func superDecoder() throws -> any Decoder { source }
  func superDecoder(forKey key: Key) throws -> any Decoder { source }
}

private struct ListSource: UnkeyedDecodingContainer {
  let source: Source
  let count: Int?
  var currentIndex = 0
  var codingPath: [any CodingKey] { [] }
  var isAtEnd: Bool { currentIndex >= count ?? 0 }
  init(source: Source) throws(RecordFault) {
    self.source = source
    let at = source.reader.position
    let count = try source.reader.four()
    // An element may be empty (an alternative of one), so the bytes left do not bound the count: a limit does.
    guard count <= 1 << 24 else { throw .badLength(count, at: at) }
    self.count = count
    source.unread += count
  }
  private mutating func one() throws(RecordFault) {
    if isAtEnd { throw .endsEarly(at: source.reader.position) }
    currentIndex += 1
    source.unread -= 1
  }
  mutating func decodeNil() throws -> Bool {
    if try source.flag() { return false }
    try one()
    return true
  }
  mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
    try one()
    return try source.get(type)
  }
  mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) throws -> KeyedDecodingContainer<Nested> {
    try one()
    return KeyedDecodingContainer(try KeyedSource<Nested>(source: source))
  }
  mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
    try one()
    return try ListSource(source: source)
  }
  mutating func superDecoder() throws -> any Decoder { source }
}

private struct SingleSource: SingleValueDecodingContainer {
  let source: Source
  var codingPath: [any CodingKey] { [] }
  /// Whether it is absent has been read already.
  func decodeNil() -> Bool { false }
  func decode(_ type: Bool.Type) throws -> Bool { try source.flag() }
  func decode(_ type: String.Type) throws -> String { try source.reader.text() }
  func decode(_ type: Double.Type) throws -> Double { Double(bitPattern: try source.reader.fixed()) }
  func decode(_ type: Float.Type) throws -> Float { Float(Double(bitPattern: try source.reader.fixed())) }
  func decode(_ type: Int.Type) throws -> Int { try source.reader.integer() }
  func decode(_ type: Int8.Type) throws -> Int8 { try source.narrow(type) }
  func decode(_ type: Int16.Type) throws -> Int16 { try source.narrow(type) }
  func decode(_ type: Int32.Type) throws -> Int32 { try source.narrow(type) }
  func decode(_ type: Int64.Type) throws -> Int64 { try source.narrow(type) }
  func decode(_ type: UInt.Type) throws -> UInt { try source.narrow(type) }
  func decode(_ type: UInt8.Type) throws -> UInt8 { try source.reader.byte() }
  func decode(_ type: UInt16.Type) throws -> UInt16 { try source.narrow(type) }
  func decode(_ type: UInt32.Type) throws -> UInt32 { try source.narrow(type) }
  func decode(_ type: UInt64.Type) throws -> UInt64 { try source.narrow(type) }
  func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try source.get(type) }
}
