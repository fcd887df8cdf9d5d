import Control

/// Events that wait until the one before has been thought about, in the order in which they came. O(1) at both ends.
struct Backlog {
  private var events: [Event] = []
  private var head = 0
  /// An emptied one keeps no more memory than for so many.
  private static let keptCapacity = 1024

  var count: Int { events.count - head }
  var isEmpty: Bool { count == 0 }

  mutating func append(_ event: Event) { events.append(event) }
  mutating func append(contentsOf more: some Sequence<Event>) { events.append(contentsOf: more) }

  mutating func popFirst() -> Event? {
    guard head < events.count else { return nil }
    defer { tidy() }
    head += 1
    return events[head - 1]
  }

  private mutating func tidy() {
    if head == events.count {
      if events.capacity > Self.keptCapacity { events = [] } else { events.removeAll(keepingCapacity: true) }
      head = 0
    } else if head >= Self.keptCapacity, head * 2 >= events.count {
      events.removeFirst(head)
      head = 0
    }
  }
}
