/// What a value in a file must look like, in words and as a test.
public struct Shape<Value>: Sendable {
  /// Completes "expected ...": "a whole number from 1 to 247".
  public let expected: String
  public let read: @Sendable (Node) -> Value?
  /// Of a node that cannot be read: which part of it, and what would be right there.
  public let flaw: @Sendable (Node) -> DocumentError
  /// - Parameters:
  ///   - read: the value, or nil when the node is not one.
  ///   - flaw: of a node that `read` refused; nil: it is the node as a whole.
  public init(
    _ expected: String, flaw: (@Sendable (Node) -> DocumentError)? = nil, read: @escaping @Sendable (Node) -> Value?
  ) {
    (self.expected, self.read) = (expected, read)
    self.flaw = flaw ?? { $0.error(expected: expected) }
  }

  /// What the value means; nil from `transform` refuses it.
  public func map<Other>(_ expected: String? = nil, _ transform: @escaping @Sendable (Value) -> Other?) -> Shape<Other> {
    Shape<Other>(expected ?? self.expected, flaw: expected == nil ? flaw : nil) { node in read(node).flatMap(transform) }
  }
}

extension Shape where Value == String {
  /// A text that is not empty.
  public static var text: Shape { Shape("a text") { $0.string.flatMap { $0.isEmpty ? nil : $0 } } }
  /// What is shown beside other things, in a line.
  public static var label: Shape {
    Shape("a text of at most 80 characters") { node in
      node.string.flatMap { (1...80).contains($0.unicodeScalars.count) ? $0 : nil }
    }
  }
  public static var anyText: Shape { Shape("a text") { $0.string } }
}

extension Shape where Value == Bool {
  public static var flag: Shape { Shape("true or false") { $0.bool } }
}

extension Shape where Value == Int {
  public static func whole(_ range: ClosedRange<Int>) -> Shape {
    Shape("a whole number from \(range.lowerBound) to \(range.upperBound)") { node in
      node.integer.flatMap { range.contains($0) ? $0 : nil }
    }
  }
  /// A number with at most `decimals` decimals, as a whole number of the last one: with 3 decimals, 16.5 gives 16500.
  /// - Parameter range: of the number as written.
  public static func scaled(_ decimals: Int, _ range: ClosedRange<Int>, _ what: String) -> Shape {
    var unit = 1
    for _ in 0..<decimals { unit *= 10 }
    let bounds = range.lowerBound * unit...range.upperBound * unit
    return Shape("\(what) from \(range.lowerBound) to \(range.upperBound)") { node in
      node.number?.integer(scaledBy: decimals).flatMap { bounds.contains($0) ? $0 : nil }
    }
  }
}

extension Shape where Value == ExactNumber {
  public static var number: Shape { Shape("a number") { $0.number } }
}

extension Shape {
  /// One of a few words.
  public static func oneOf(_ words: KeyValuePairs<String, Value>) -> Shape where Value: Sendable {
    let pairs = words.map { ($0.key, $0.value) }
    return Shape("one of " + pairs.map { "\"\($0.0)\"" }.joined(separator: ", ")) { node in
      node.string.flatMap { text in pairs.first { $0.0 == text }?.1 }
    }
  }
  /// The raw values of an enumeration.
  public static func word() -> Shape where Value: CaseIterable & RawRepresentable & Sendable, Value.RawValue == String {
    let all = Value.allCases.map { ($0.rawValue, $0) }
    return Shape("one of " + all.map { "\"\($0.0)\"" }.joined(separator: ", ")) { node in
      node.string.flatMap { text in all.first { $0.0 == text }?.1 }
    }
  }
  /// A list of values of one shape; a single one may stand without brackets.
  public static func list<Element>(_ shape: Shape<Element>) -> Shape where Value == [Element] {
    let expected = "a list, each \(shape.expected)"
    let flaw = { @Sendable (node: Node) -> DocumentError in
      guard node.kind == .array, let wrong = node.elements.first(where: { shape.read($0) == nil }) else {
        return node.error(expected: expected)
      }
      return shape.flaw(wrong)
    }
    return Shape(expected, flaw: flaw) { node in
      guard node.kind == .array else { return shape.read(node).map { [$0] } }
      let values = node.elements.compactMap(shape.read)
      return values.count == node.count ? values : nil
    }
  }
}
