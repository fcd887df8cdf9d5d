import Quantities

/// The deadlines of numbered things, at most one each, of which the earliest is known at once: a binary heap that knows where each stands.
struct Deadlines: Sendable {
  private var heap: [(due: Monotonic, index: Int)] = []
  /// For each thing its place in the heap; nil: it has no deadline.
  private var places: [Int?]

  init(count: Int = 0) { places = Array(repeating: nil, count: count) }

  /// The earliest. O(1).
  var first: (due: Monotonic, index: Int)? { heap.first }

  /// Sets, moves or takes away a deadline. O(log n); O(1) when it is what it was.
  mutating func set(_ index: Int, _ due: Monotonic?) {
    switch (places[index], due) {
    case (nil, nil): break
    case (nil, let due?):
      heap.append((due, index))
      places[index] = heap.count - 1
      rise(heap.count - 1)
    case (let place?, let due?):
      guard heap[place].due != due else { return }
      heap[place].due = due
      rise(place)
      sink(places[index] ?? place)
    case (let place?, nil):
      swap(place, heap.count - 1)
      heap.removeLast()
      places[index] = nil
      guard place < heap.count else { return }
      let moved = heap[place].index
      rise(place)
      sink(places[moved] ?? place)
    }
  }

  private mutating func rise(_ start: Int) {
    var place = start
    while place > 0, heap[place].due < heap[(place - 1) / 2].due {
      swap(place, (place - 1) / 2)
      place = (place - 1) / 2
    }
  }
  private mutating func sink(_ start: Int) {
    var place = start
    while true {
      var least = place
      for child in [2 * place + 1, 2 * place + 2] where child < heap.count && heap[child].due < heap[least].due { least = child }
      guard least != place else { return }
      swap(place, least)
      place = least
    }
  }
  private mutating func swap(_ a: Int, _ b: Int) {
    heap.swapAt(a, b)
    (places[heap[a].index], places[heap[b].index]) = (a, b)
  }
}
