import Testing

@testable import Metering

@Suite struct RegisterImageTests {
  @Test func `only registers that were put can be read, and the latest word wins`() {
    var image = RegisterImage()
    image.put([1, 2, 3], function: 3, at: 10)
    image.put([9, 4], function: 3, at: 12)
    #expect(image.words(WordRange(function: 3, address: 10, count: 4)) == [1, 2, 9, 4])
    #expect(image.words(WordRange(function: 3, address: 10, count: 5)) == nil)
    #expect(image.words(WordRange(function: 4, address: 10, count: 1)) == nil)
    #expect(image.words(WordRange(function: 3, address: 9, count: 2)) == nil)
  }

  @Test func `gaps are filled as far as asked for`() {
    var image = RegisterImage()
    for address in [0, 4, 20] { image.put([7], function: 3, at: address) }
    image.fillGaps(upTo: 5)
    #expect(image.words(WordRange(function: 3, address: 0, count: 5)) == [7, 0, 0, 0, 7])
    #expect(image.words(WordRange(function: 3, address: 0, count: 6)) == nil)
  }

  @Test func `a value that does not fit is refused by name`() {
    let map = RegisterMap(registers: [Register(reads: .power1, function: 3, address: 0, format: .int16, scale: Scale(1000))])
    #expect(throws: RegisterImage.Flaw.doesNotFit(.power1, milli: 33_000_000)) {
      try RegisterImage(MeterValues([.power1: 33_000_000]), as: map)
    }
  }
}
