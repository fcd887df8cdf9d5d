import CZlib
import Loop
import Threads

/// The body of an answer: as it is, and packed for whoever takes that; packed once, however many ask.
/// - Source: RFC 1952; RFC 9110 §8.4.1.3.
public final class Body: Sendable {
  public let plain: SharedBytes
  private let packing = Locked<SharedBytes??>(nil)

  public init(_ bytes: [UInt8]) { plain = SharedBytes(bytes) }

  /// Below that many bytes nothing is gained.
  private static let least = 1024

  /// Deflated, with the frame of gzip; nil: that would not be shorter.
  var packed: SharedBytes? {
    guard plain.count >= Self.least else { return nil }
    return packing.with { packing in
      if let known = packing { return known }
      let made = Self.gzip(plain.bytes).map(SharedBytes.init)
      packing = .some(made)
      return made
    }
  }

  /// Window of 32 KiB, and the frame of gzip.
  private static let window: Int32 = 15 + 16
  private static let memory: Int32 = 8

  /// - Returns: nil: it does not become shorter, or there is no memory for it.
  static func gzip(_ plain: [UInt8]) -> [UInt8]? {
    var (input, stream, isDone) = (plain, z_stream(), false)
    let size = Int32(MemoryLayout<z_stream>.size)
    // Speed before size: a picture of the hub is looked at for half a second.
    guard deflateInit2_(&stream, Z_BEST_SPEED, Z_DEFLATED, window, memory, Z_DEFAULT_STRATEGY, ZLIB_VERSION, size) == Z_OK
    else { return nil }
    defer { deflateEnd(&stream) }
    let packed = [UInt8](unsafeUninitializedCapacity: plain.count) { space, count in
      input.withUnsafeMutableBufferPointer { input in
        (stream.next_in, stream.avail_in) = (input.baseAddress, UInt32(clamping: input.count))
        (stream.next_out, stream.avail_out) = (space.baseAddress, UInt32(clamping: plain.count))
        isDone = deflate(&stream, Z_FINISH) == Z_STREAM_END
        count = plain.count - Int(stream.avail_out)
      }
    }
    return isDone ? packed : nil
  }
}

extension RequestHead {
  /// Whether the peer takes gzip. Source: RFC 9110 §12.5.3.
  var takesGzip: Bool {
    guard let field = self["accept-encoding"] else { return false }
    return field.split(separator: ",").contains { coding in
      let parts = coding.split(separator: ";").map { $0.filter { !$0.isWhitespace }.lowercased() }
      guard parts.first == "gzip" || parts.first == "*" else { return false }
      return !parts.dropFirst().contains { $0.hasPrefix("q=0") && $0.dropFirst(3).allSatisfy { $0 == "." || $0 == "0" } }
    }
  }
}
