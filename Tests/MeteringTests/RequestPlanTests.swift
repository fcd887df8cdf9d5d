import Testing

@testable import Metering

@Suite struct RequestPlanTests {
  @Test func `contiguous registers go in one request`() throws {
    let map = try #require(try ProfileFiles.load("eastron-sdm630").map)
    #expect(
      map.plan().ranges == [
        WordRange(function: 4, address: 0, count: 18), WordRange(function: 4, address: 52, count: 2),
        WordRange(function: 4, address: 72, count: 4),
      ])
  }

  @Test func `a gap is bridged when the model allows it, and the largest request is kept`() {
    let spans = [0, 2, 8, 30].map { WordRange(function: 3, address: $0, count: 2) }
    #expect(RequestPlan(spans, largestRequest: 125, largestGap: 4).ranges.map(\.count) == [10, 2])
    #expect(RequestPlan(spans, largestRequest: 9, largestGap: 30).ranges.map(\.count) == [4, 2, 2])
    #expect(RequestPlan(spans, largestRequest: 125, largestGap: 30).ranges.map(\.count) == [32])
  }

  @Test func `function codes are not mixed in a request`() {
    let spans = [WordRange(function: 3, address: 0, count: 2), WordRange(function: 4, address: 2, count: 2)]
    #expect(RequestPlan(spans, largestRequest: 125, largestGap: 10).ranges == spans)
  }

  @Test func `each number is found whole in one request, no request is too large, and none reads across a gap`() throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var dice = Dice(seed: seed)
    for _ in 0..<300 {
      var address = Int.random(in: 0...50, using: &dice)
      var spans: [WordRange] = []
      for _ in 0..<Int.random(in: 1...20, using: &dice) {
        let span = WordRange(
          function: [3, 4].randomElement(using: &dice)!, address: address, count: [1, 2, 4].randomElement(using: &dice)!)
        spans.append(span)
        address = span.end + [0, 0, 0, 1, 7, 90].randomElement(using: &dice)!
      }
      let largest = Int.random(in: 4...125, using: &dice)
      let gap = Int.random(in: 0...10, using: &dice)
      let plan = RequestPlan(spans.shuffled(using: &dice), largestRequest: largest, largestGap: gap)
      // The words of an imaginary meter: each holds its own address, so that offsets can be checked.
      var words: [Int] = []
      for range in plan.ranges { words += range.address..<range.end }
      #expect(words.count == plan.wordCount)
      for span in spans {
        let offset = try #require(plan.offset(of: span), "seed \(seed)")
        #expect(Array(words[offset..<offset + span.count]) == Array(span.address..<span.end), "seed \(seed)")
      }
      for range in plan.ranges {
        #expect(range.count <= largest, "seed \(seed)")
        var unused = 0
        for address in range.address..<range.end {
          let isUsed = spans.contains { $0.function == range.function && ($0.address..<$0.end).contains(address) }
          unused = isUsed ? 0 : unused + 1
          #expect(unused <= gap, "seed \(seed)")
        }
      }
    }
  }
}
