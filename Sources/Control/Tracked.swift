/// An array that notes which of its elements may have been changed, so that what is worked out from them need not be worked out again
/// for the others. Whoever changes an element passes through here: a change cannot be forgotten.
struct Tracked<Element> {
  private var elements: [Element]
  /// Places that may have been changed since the last `takeTouched`, each once.
  private var touched: [Int]
  private var isTouched: [Bool]

  /// All elements count as changed.
  init(_ elements: [Element]) {
    self.elements = elements
    touched = Array(elements.indices)
    isTouched = Array(repeating: true, count: elements.count)
  }

  /// The places that may have been changed since the last call, in the order of their first change.
  mutating func takeTouched() -> [Int] {
    guard !touched.isEmpty else { return [] }
    for place in touched { isTouched[place] = false }
    defer { touched.removeAll(keepingCapacity: true) }
    return touched
  }

  private mutating func touch(_ place: Int) {
    guard !isTouched[place] else { return }
    isTouched[place] = true
    touched.append(place)
  }
}

extension Tracked: RandomAccessCollection, MutableCollection {
  var startIndex: Int { 0 }
  var endIndex: Int { elements.count }
  subscript(place: Int) -> Element {
    @inline(__always) _read { yield elements[place] }
    @inline(__always) _modify {
      touch(place)
      yield &elements[place]
    }
  }
}

extension Tracked: Sendable where Element: Sendable {}

/// Coded as the array of its elements.
extension Tracked: Codable where Element: Codable {
  init(from decoder: any Decoder) throws { self.init(try [Element](from: decoder)) }
  func encode(to encoder: any Encoder) throws { try elements.encode(to: encoder) }
}
