import CZlib
import Record

/// Bytes as they lie in the tables: deflated (RFC 1951) where that makes them fewer. Digests and links are those of the bytes as they were.
struct Packed {
  var bytes: [UInt8]
  /// How many they are unpacked; nil: they are not packed.
  var size: Int?

  init(_ bytes: [UInt8], size: Int?) { (self.bytes, self.size) = (bytes, size) }

  init(packing plain: [UInt8]) {
    self.init(plain, size: nil)
    let packed = Self.run(plain, most: plain.count) { stream in
      let code = deflateInit2_(
        stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, Self.window, 9, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Self.sizeOfStream)
      guard code == Z_OK else { return code }  // no memory for it: they are kept as they are
      defer { deflateEnd(stream) }
      return deflate(stream, Z_FINISH)
    }
    if let packed { (bytes, size) = (packed, plain.count) }
  }

  /// Empty where they are other bytes than were packed: then no digest is theirs.
  var unpacked: [UInt8] {
    guard let size else { return bytes }
    guard (1...Self.largest).contains(size) else { return [] }
    let plain = Self.run(bytes, most: size) { stream in
      let code = inflateInit2_(stream, Self.window, ZLIB_VERSION, Self.sizeOfStream)
      guard code == Z_OK else { return code }
      defer { inflateEnd(stream) }
      return inflate(stream, Z_FINISH)
    }
    return plain.flatMap { $0.count == size ? $0 : nil } ?? []
  }

  /// No header and no check sum: digests and links say more.
  private static let window: Int32 = -15
  private static let largest = 1 << 30
  private static let sizeOfStream = Int32(MemoryLayout<z_stream>.size)

  /// - Parameter work: says how it ended, as zlib does. The stream stays where it is meanwhile, which zlib wants.
  /// - Returns: nil: it does not end within `most` bytes, or before the input does.
  private static func run(_ input: [UInt8], most: Int, _ work: (UnsafeMutablePointer<z_stream>) -> Int32) -> [UInt8]? {
    guard !input.isEmpty, most > 0 else { return nil }
    var (input, stream, isAtEnd) = (input, z_stream(), false)
    let output = [UInt8](unsafeUninitializedCapacity: most) { space, count in
      input.withUnsafeMutableBufferPointer { input in
        (stream.next_in, stream.avail_in) = (input.baseAddress, UInt32(input.count))
        (stream.next_out, stream.avail_out) = (space.baseAddress, UInt32(most))
        isAtEnd = withUnsafeMutablePointer(to: &stream, work) == Z_STREAM_END && stream.avail_in == 0
        count = most - Int(stream.avail_out)
      }
    }
    return isAtEnd ? output : nil
  }
}
