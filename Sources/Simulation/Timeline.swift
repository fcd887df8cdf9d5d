/// What is to happen, in order of time and, at the same time, in the order in which it was put in.
struct Timeline<Item> {
  /// Small, for entries are moved about: the items themselves stay where they are.
  private struct Entry {
    var at: Int
    var order: Int
    var place: Int
    func precedes(_ other: Entry) -> Bool { at != other.at ? at < other.at : order < other.order }
  }
  private var heap: [Entry] = []
  private var items: [Item?] = []
  private var freePlaces: [Int] = []
  private var count = 0

  var nextTime: Int? { heap.first?.at }

  /// - Complexity: O(log *n*).
  mutating func add(_ item: Item, at time: Int) {
    count += 1
    let place = freePlaces.popLast() ?? items.count
    if place < items.count { items[place] = item } else { items.append(item) }
    heap.append(Entry(at: time, order: count, place: place))
    var i = heap.count - 1
    while i > 0 {
      let parent = (i - 1) / 2
      guard heap[i].precedes(heap[parent]) else { break }
      heap.swapAt(i, parent)
      i = parent
    }
  }

  /// - Complexity: O(log *n*).
  mutating func removeFirst() -> (at: Int, item: Item)? {
    guard let first = heap.first else { return nil }
    let last = heap.removeLast()
    if !heap.isEmpty {
      heap[0] = last
      var i = 0
      while true {
        let left = 2 * i + 1
        guard left < heap.count else { break }
        let right = left + 1
        let smaller = right < heap.count && heap[right].precedes(heap[left]) ? right : left
        guard heap[smaller].precedes(heap[i]) else { break }
        heap.swapAt(i, smaller)
        i = smaller
      }
    }
    guard let item = items[first.place].take() else { preconditionFailure("an entry without its item") }
    freePlaces.append(first.place)
    return (first.at, item)
  }
}
