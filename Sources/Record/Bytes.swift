/// Why bytes of a record could not be read: where, and what was found.
public enum RecordFault: Error, Hashable, Sendable {
  case endsEarly(at: Int)
  case tooLong(at: Int)
  case badText(at: Int)
  case badLength(Int, at: Int)
  /// A value that its type does not take, in words for people.
  case badValue(String, at: Int)
  case otherVersion(Int, known: Int)
  case leftover(Int)
}

/// Writes whole numbers as variable-length bytes, seven bits at a time, signed ones folded so that small ones are short.
public struct ByteWriter: Sendable {
  public var bytes: [UInt8] = []
  public init() {}
  public mutating func put(byte: UInt8) { bytes.append(byte) }
  public mutating func put(unsigned value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }
  public mutating func put(_ value: Int) {
    let wide = Int64(value)
    put(unsigned: UInt64(bitPattern: (wide << 1) ^ (wide >> 63)))
  }
  /// Eight bytes, for values without small ones.
  public mutating func put(fixed value: UInt64) {
    for shift in stride(from: UInt64(0), to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
  }
  public mutating func put(text: String) {
    if let place = Vocabulary.place(of: text) { return put(unsigned: UInt64(place) + 1) }
    put(byte: 0)
    put(unsigned: UInt64(text.utf8.count))
    bytes.append(contentsOf: text.utf8)
  }
  /// Length, then the bytes.
  public mutating func put(section: [UInt8]) {
    put(unsigned: UInt64(section.count))
    bytes.append(contentsOf: section)
  }
}

extension ByteWriter {
  /// Four bytes for a length that is not known yet.
  /// - Returns: where they stand.
  mutating func reserveLength() -> Int {
    bytes.append(contentsOf: [0, 0, 0, 0])
    return bytes.count - 4
  }
  /// How many bytes have come after the four at `place`.
  mutating func putLength(at place: Int) { put(four: bytes.count - place - 4, at: place) }
  mutating func put(four value: Int, at place: Int) {
    for i in 0..<4 { bytes[place + i] = UInt8(truncatingIfNeeded: value >> (8 * i)) }
  }
}

/// Reads what `ByteWriter` wrote; every fault is found before memory is taken for it.
public struct ByteReader: Sendable {
  public let bytes: [UInt8]
  public private(set) var position = 0
  public init(_ bytes: [UInt8]) { self.bytes = bytes }
  public var isAtEnd: Bool { position == bytes.count }
  public mutating func byte() throws(RecordFault) -> UInt8 {
    guard position < bytes.count else { throw .endsEarly(at: position) }
    defer { position += 1 }
    return bytes[position]
  }
  public mutating func unsigned() throws(RecordFault) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 64, by: 7) {
      let next = try byte()
      if shift == 63, next > 1 { break }
      value |= UInt64(next & 0x7f) << shift
      // A number has one form only: no byte that adds nothing.
      if next == 0, shift > 0 { break }
      if next < 0x80 { return value }
    }
    throw .tooLong(at: position)
  }
  public mutating func integer() throws(RecordFault) -> Int {
    let folded = try unsigned()
    return Int(Int64(bitPattern: (folded >> 1) ^ (0 &- (folded & 1))))
  }
  public mutating func fixed() throws(RecordFault) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 64, by: 8) { value |= UInt64(try byte()) << shift }
    return value
  }
  /// Four bytes, the lowest first.
  mutating func four() throws(RecordFault) -> Int {
    var value = 0
    for i in 0..<4 { value |= Int(try byte()) << (8 * i) }
    return value
  }
  /// Four bytes that say how many follow.
  /// - Returns: where those stand; what follows them is read next.
  mutating func stretch() throws(RecordFault) -> Range<Int> {
    let at = position
    let length = try four()
    guard length <= bytes.count - position else { throw .badLength(length, at: at) }
    defer { position += length }
    return position..<position + length
  }
  /// Goes on at `place`.
  mutating func move(to place: Int) { position = place }
  /// A count of things of which each takes at least one byte.
  public mutating func count() throws(RecordFault) -> Int {
    let start = position
    let count = try unsigned()
    guard count <= UInt64(bytes.count - position) else { throw .badLength(Int(clamping: count), at: start) }
    return Int(count)
  }
  /// Exactly `count` bytes.
  public mutating func bytes(_ count: Int) throws(RecordFault) -> [UInt8] {
    guard bytes.count - position >= count else { throw .endsEarly(at: position) }
    defer { position += count }
    return Array(bytes[position..<(position + count)])
  }
  public mutating func section() throws(RecordFault) -> [UInt8] {
    let length = try count()
    defer { position += length }
    return Array(bytes[position..<(position + length)])
  }
  public mutating func text() throws(RecordFault) -> String {
    let start = position
    let place = try unsigned()
    if place > 0 {
      guard let word = Vocabulary.word(at: place - 1) else { throw .badLength(Int(clamping: place), at: start) }
      return word
    }
    guard let text = String(validating: try section(), as: UTF8.self) else { throw .badText(at: start) }
    return text
  }
  public func finish() throws(RecordFault) {
    if !isAtEnd { throw .leftover(bytes.count - position) }
  }
}
