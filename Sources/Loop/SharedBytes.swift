import CLibevent

/// Bytes that never change, and that any number of connections send from one place: libevent borrows them, nobody copies them.
public final class SharedBytes: @unchecked Sendable {
  private let start: UnsafeMutableRawPointer
  public let count: Int

  /// Copies `bytes`, once.
  public init(_ bytes: [UInt8]) {
    count = bytes.count
    start = .allocate(byteCount: max(1, count), alignment: 1)
    bytes.withUnsafeBytes { if let base = $0.baseAddress { start.copyMemory(from: base, byteCount: count) } }
  }
  deinit { start.deallocate() }

  public var bytes: [UInt8] { Array(UnsafeRawBufferPointer(start: start, count: count)) }

  /// Lets a buffer send them; they live until it has.
  /// - Parameter buffer: an `evbuffer`, on its loop's thread.
  public func lend(to buffer: OpaquePointer) {
    guard count > 0 else { return }
    let me = Unmanaged.passRetained(self)
    let status = evbuffer_add_reference(
      buffer, start, count,
      { _, _, me in
        if let me { Unmanaged<SharedBytes>.fromOpaque(me).release() }
      }, me.toOpaque())
    if status != 0 { me.release() }
  }
}
