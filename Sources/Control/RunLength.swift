/// An array whose equal neighbours are written once, with their number: plans and what they are asked hold long runs.
@propertyWrapper public struct RunLength<Element: Hashable & Sendable & Codable>: Hashable, Sendable, Codable {
  public var wrappedValue: [Element]
  public init(wrappedValue: [Element]) { self.wrappedValue = wrappedValue }

  private struct Run: Codable {
    var count: Int
    var value: Element
  }
  /// More elements than this are refused.
  private static var most: Int { 1 << 20 }

  public init(from decoder: any Decoder) throws {
    wrappedValue = []
    for run in try [Run](from: decoder) {
      guard run.count > 0, wrappedValue.count + run.count <= Self.most else {
        throw DecodingError.dataCorrupted(.init(codingPath: [], debugDescription: "a run of \(run.count)"))
      }
      wrappedValue += repeatElement(run.value, count: run.count)
    }
  }
  public func encode(to encoder: any Encoder) throws {
    var runs: [Run] = []
    for value in wrappedValue {
      if let last = runs.last, last.value == value {
        runs[runs.count - 1].count += 1
      } else {
        runs.append(Run(count: 1, value: value))
      }
    }
    try runs.encode(to: encoder)
  }
}
