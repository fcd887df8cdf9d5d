/// One Modbus request: function 3 or 4, a start address and a number of registers.
public struct WordRange: Hashable, Sendable {
  public var function: Int
  public var address: Int
  /// 1...125.
  public var count: Int
  public init(function: Int, address: Int, count: Int) { (self.function, self.address, self.count) = (function, address, count) }
  public var end: Int { address + count }
}

/// The requests that fetch a map's registers, and where each number then stands in the words put one after the other.
public struct RequestPlan: Hashable, Sendable {
  /// By function, then address; no two overlap.
  public let ranges: [WordRange]
  /// Of all requests together.
  public let wordCount: Int

  /// Contiguous registers, and such with at most `largestGap` unused ones between them, go in one request, as far as `largestRequest`
  /// allows. A number is never split between two requests.
  /// - Precondition: `largestRequest` holds the widest of `spans`.
  /// - Complexity: O(*n* log *n*).
  public init(_ spans: [WordRange], largestRequest: Int, largestGap: Int) {
    let sorted = spans.sorted { ($0.function, $0.address, $0.count) < ($1.function, $1.address, $1.count) }
    var result: [WordRange] = []
    for span in sorted {
      precondition(span.count <= largestRequest)
      if let last = result.last, last.function == span.function, span.address <= last.end + largestGap,
        max(last.end, span.end) - last.address <= largestRequest
      {
        result[result.count - 1].count = max(last.end, span.end) - last.address
      } else {
        result.append(span)
      }
    }
    ranges = result
    wordCount = result.reduce(0) { $0 + $1.count }
  }

  /// Where `span` begins in the words of all requests; nil when no single request holds it.
  public func offset(of span: WordRange) -> Int? {
    var start = 0
    for range in ranges {
      if range.function == span.function && range.address <= span.address && span.end <= range.end {
        return start + span.address - range.address
      }
      start += range.count
    }
    return nil
  }
}

extension Register {
  var span: WordRange { WordRange(function: function, address: address, count: format.width) }
  var scaleFactorSpan: WordRange? { scaleFactor.map { WordRange(function: function, address: $0, count: 1) } }
}

extension RegisterMap {
  /// The requests for what a `MeterReading` needs, or for `everything`, the frequency too.
  public func plan(everything: Bool = false) -> RequestPlan {
    let wanted = registers.filter { everything || $0.reads.isPolled }
    return RequestPlan(
      wanted.flatMap { [$0.span] + ($0.scaleFactorSpan.map { [$0] } ?? []) }, largestRequest: largestRequest, largestGap: largestGap
    )
  }
}
