/// Owns memory and hands it out in slabs; all of them end with the arena, or with `reset`, which keeps the memory for the next use.
///
/// Fresh memory costs more than the arithmetic of a small plan (page faults), so a planner keeps its arena between plans.
@safe public final class Arena {
  private var blocks: [UnsafeMutableRawBufferPointer] = unsafe []
  private var used = 0
  private static let alignment = 64
  private static let smallestBlock = 1 << 20

  public init() {}
  deinit { release() }

  private func release() {
    for index in unsafe blocks.indices { unsafe blocks[index].deallocate() }
  }

  /// Bytes held.
  public var capacity: Int {
    var sum = 0
    for index in unsafe blocks.indices { unsafe sum += blocks[index].count }
    return sum
  }

  /// Takes back all slabs. Blocks that were too small for their use are joined into one.
  public func reset() {
    used = 0
    guard unsafe blocks.count > 1 else { return }
    let whole = capacity
    release()
    unsafe blocks = [.allocate(byteCount: whole, alignment: Self.alignment)]
  }

  /// `count` elements, each `value`.
  public func slab<Element: BitwiseCopyable>(_ count: Int, _ value: Element) -> Slab<Element> {
    let bytes = max(1, count) * MemoryLayout<Element>.stride
    let padded = (bytes + Self.alignment - 1) / Self.alignment * Self.alignment
    let held = unsafe blocks.last?.count ?? 0
    if used + padded > held {
      unsafe blocks.append(.allocate(byteCount: max(padded, max(Self.smallestBlock, capacity)), alignment: Self.alignment))
      used = 0
    }
    let start = unsafe blocks[blocks.count - 1].baseAddress! + used
    used += padded
    let slab = unsafe Slab(base: start.bindMemory(to: Element.self, capacity: max(1, count)), count: count)
    slab.fill(value)
    return slab
  }
}
