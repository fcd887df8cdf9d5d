import PlanningMemory

/// Keys of which the least few are wanted, in order: a binary heap, as sorting all of them costs several times as much.
struct LeastFirst {
  private let keys: Slab<UInt64>
  private var count = 0

  /// - Parameter most: as many keys may be in it at a time.
  init(_ most: Int, in arena: Arena) { keys = arena.slab(most, 0) }

  mutating func clear() { count = 0 }
  /// Adds a key; `order` must follow before the least is asked for.
  mutating func add(_ key: UInt64) {
    keys[count] = key
    count += 1
  }
  func order() {
    var at = count / 2
    while at > 0 {
      at -= 1
      sink(at)
    }
  }
  var least: UInt64? { count > 0 ? keys[0] : nil }
  mutating func dropLeast() {
    count -= 1
    keys[0] = keys[count]
    sink(0)
  }

  /// Puts another key in the place of the least.
  func replaceLeast(by key: UInt64) {
    keys[0] = key
    sink(0)
  }

  private func sink(_ start: Int) {
    var at = start
    guard at < count else { return }
    let key = keys[at]
    while true {
      var child = 2 * at + 1
      guard child < count else { break }
      if child + 1 < count && keys[child + 1] < keys[child] { child += 1 }
      guard keys[child] < key else { break }
      keys[at] = keys[child]
      at = child
    }
    keys[at] = key
  }
}
