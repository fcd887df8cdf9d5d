import Threads

/// Where one thread leaves items in order and another takes them away in batches.
///
/// The taker either sleeps in `take(patience:)` or is told by `onFirst` that an empty box got its first item.
public final class Mailbox<Item: Sendable>: @unchecked Sendable {
  private let condition = Condition()
  private var items: [Item] = []
  private var isClosed = false
  private let onFirst: (@Sendable () -> Void)?

  /// - Parameter onFirst: called by the posting thread, outside the lock, when an empty box got an item.
  public init(onFirst: (@Sendable () -> Void)? = nil) {
    self.onFirst = onFirst
  }

  /// Adds an item; a closed box drops it. O(1) amortised, never blocks for longer than a batch is taken.
  public func post(_ item: Item) {
    let isFirst = condition.change {
      guard !isClosed else { return false }
      items.append(item)
      return items.count == 1
    }
    if isFirst { onFirst?() }
  }

  /// Everything posted so far, oldest first; empty when there is nothing.
  public func take() -> [Item] {
    condition.hold { takeAll() }
  }

  /// Sleeps until there is something or the patience ends (without one: as long as it takes, or until the box is closed).
  /// - Returns: everything posted so far, oldest first; empty when the patience ended, `nil` when the box is closed and empty.
  public func take(patience: Duration?) -> [Item]? {
    condition.wait(patience: patience) { () -> [Item]?? in
      if !items.isEmpty { return .some(takeAll()) }
      return isClosed ? .some(nil) : nil
    } ?? []
  }

  /// Takes no further items and wakes whoever waits; what is inside can still be taken.
  public func close() {
    condition.change { isClosed = true }
  }

  private func takeAll() -> [Item] {
    let all = items
    items = []
    return all
  }
}

/// Opens once; whoever waits for it goes on.
public final class Latch: @unchecked Sendable {
  private let condition = Condition()
  private var isOpen = false

  public init() {}

  public func open() {
    condition.change { isOpen = true }
  }

  /// - Returns: whether the latch was open before the patience ended.
  @discardableResult
  public func wait(patience: Duration? = nil) -> Bool {
    condition.wait(patience: patience) { isOpen ? true : nil } ?? false
  }
}
