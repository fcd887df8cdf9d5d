import Control

/// Events that wait until the one before has been thought about. What meters read and what is set from outside goes before what stations say,
/// of which there may be thousands; among themselves they keep the order in which they came. O(1) at both ends.
struct Backlog {
  /// What a new site file changes the places of, and the file itself, stays in order: it is all in here, but for what stations say, which is
  /// thought about before another file comes.
  private var first = Lane()
  private var others = Lane()

  var count: Int { first.count + others.count }
  var isEmpty: Bool { count == 0 }

  mutating func append(_ event: Event) {
    switch event {
    case .reading, .meterFault, .limitSet, .limitWithdrawn, .configured, .restarted, .trust, .order, .asked: first.append(event)
    default: others.append(event)
    }
  }
  mutating func append(contentsOf more: some Sequence<Event>) { for event in more { append(event) } }

  mutating func popFirst() -> Event? { first.popFirst() ?? others.popFirst() }

  /// First in, first out.
  private struct Lane {
    private var events: [Event] = []
    private var head = 0
    /// An emptied one keeps no more memory than for so many.
    private static let keptCapacity = 1024

    var count: Int { events.count - head }

    mutating func append(_ event: Event) { events.append(event) }

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
}
