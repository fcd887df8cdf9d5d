import PlanningMemory

/// Does a piece of work for each index below a count, all of them done when it returns, possibly at the same time: how a house lends
/// the planner its threads. With one or with many, the same bits come out.
public typealias Workers = @Sendable (_ count: Int, _ work: @Sendable (Int) -> Void) -> Void

/// The circuits in blocks of about equal work, each with memory of its own for who works on it.
struct Crew: Sendable {
  private let blocks: [Range<Int>]
  private let scratch: [Slab<SIMD8<Float>>]
  private let wide: [Slab<SIMD8<Double>>]
  private let workers: Workers?
  /// Below this many vectors a block is not worth a thread.
  private static let vectorsPerBlock = 4000

  init(_ layout: PlanningLayout, _ workers: Workers?, in arena: Arena) {
    let m = layout.memory
    var ends: [Int] = []
    if workers != nil {
      var vectors = 0
      for k in 0..<m.circuits {
        for at in Int(m.firstSession[k])..<Int(m.endSession[k]) { vectors += m.rows[at].count }
        if vectors >= Self.vectorsPerBlock {
          ends.append(k + 1)
          vectors = 0
        }
      }
    }
    if ends.last != m.circuits { ends.append(m.circuits) }
    blocks = zip([0] + ends, ends).map { $0..<$1 }
    scratch = blocks.map { _ in arena.slab(15 * m.chunks, .zero) }
    wide = blocks.map { _ in arena.slab(8 * m.chunks, .zero) }
    self.workers = workers
  }

  func each(_ work: @escaping @Sendable (Range<Int>, Slab<SIMD8<Float>>, Slab<SIMD8<Double>>) -> Void) {
    if let workers, blocks.count > 1 {
      workers(blocks.count) { block in work(blocks[block], scratch[block], wide[block]) }
    } else {
      for block in blocks.indices { work(blocks[block], scratch[block], wide[block]) }
    }
  }
}
