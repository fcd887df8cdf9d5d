import Quantities
import Site
import Testing

@testable import Metering

@Suite struct SunSpecTests {
  private let values = MeterValues([
    .voltage1: 230_000, .voltage2: 231_500, .voltage3: 228_500, .current1: 10_000, .current2: 20_500, .current3: -7_000,
    .power1: 2_300_000, .power2: 4_700_000, .power3: -1_550_000, .totalPower: 5_450_000, .imported: 1_234_000_000,
    .exported: 56_000_000, .frequency: 50_000,
  ])

  private func discover(_ image: RegisterImage, bases: [Int] = [40000, 50000, 0]) -> SunSpecDiscovery.Step {
    var discovery = SunSpecDiscovery(bases: bases)
    for _ in 0..<100 {
      guard case .read(let range) = discovery.step else { return discovery.step }
      #expect(range.count <= 125)
      discovery.received(image.words(range))
    }
    return discovery.step
  }

  @Test(arguments: [203, 213], [40000, 50000, 0])
  func `a meter model is found at each start address and read back`(model: Int, base: Int) throws {
    let image = try SunSpecLayout(model: model)!.image(values, base: base, maker: "Maker", device: "Device 3")
    guard case .found(let found) = discover(image) else { return #expect(Bool(false), "not found") }
    #expect(found.model == model && found.address == base + 69 && found.maker == "Maker" && found.device == "Device 3")
    #expect(found.unfit == nil)
    let decoder = MeterDecoder(found.map, everything: true)
    #expect(decoder.plan.ranges.count == 1)
    #expect(decoder.values(in: try #require(image.words(decoder.plan))).values == values)
  }

  /// Model 203 by hand, from the offsets of sunspec/models model_203: A in hundredths, V in tenths, W in tens.
  @Test func `words written by hand from the published model are read with their scale factors`() throws {
    var block = [UInt16](repeating: 0x8000, count: 107)
    block[0] = 203
    block[1] = 105
    block.replaceSubrange(2...6, with: [2350, 1000, 2050, UInt16(bitPattern: -700), UInt16(bitPattern: -2)])
    block.replaceSubrange(8...10, with: [2300, 2315, 2285])
    block[15] = UInt16(bitPattern: -1)
    block.replaceSubrange(16...17, with: [5000, UInt16(bitPattern: -2)])
    block.replaceSubrange(18...22, with: [545, 230, 470, UInt16(bitPattern: -155), 1])
    block.replaceSubrange(38...39, with: [0, 560])
    block.replaceSubrange(46...47, with: [0, 12340])
    block[54] = 2
    var image = RegisterImage()
    image.put([0x5375, 0x6E53, 1, 66] + [UInt16](repeating: 0, count: 66) + block + [0xFFFF, 0], function: 3, at: 40000)
    guard case .found(let found) = discover(image) else { return #expect(Bool(false), "not found") }
    #expect(found.address == 40070)
    let decoder = MeterDecoder(found.map, everything: true)
    #expect(decoder.values(in: try #require(image.words(decoder.plan))).values == values)
  }

  @Test func `points that a meter does not have are left out, and a meter without phase currents is unfit`() throws {
    var some = values
    for quantity in [MeterQuantity.current1, .current2, .current3] { some[quantity] = nil }
    let image = try SunSpecLayout(model: 203)!.image(some, maker: "M", device: "D")
    guard case .found(let found) = discover(image) else { return #expect(Bool(false), "not found") }
    #expect(found.unfit == "no current per phase")
    #expect(!found.map.has(.current1) && found.map.has(.voltage1))
  }

  @Test func `a delta model is found and called unfit`() throws {
    let image = try SunSpecLayout(model: 204)!.image(values, maker: "M", device: "D")
    guard case .found(let found) = discover(image) else { return #expect(Bool(false), "not found") }
    #expect(found.unfit?.contains("delta") == true)
  }

  @Test func `a single-phase model has one conductor`() throws {
    let image = try SunSpecLayout(model: 201)!.image(values, maker: "M", device: "D")
    guard case .found(let found) = discover(image) else { return #expect(Bool(false), "not found") }
    #expect(found.map.phases == .l1)
  }

  @Test func `no marker, no meter and a broken chain are told apart`() {
    #expect(discover(RegisterImage()) == .failed(.noMarker))
    var inverter = RegisterImage()
    inverter.put([0x5375, 0x6E53, 103, 3, 0, 0, 0, 0xFFFF, 0], function: 3, at: 40000)
    #expect(discover(inverter) == .failed(.noMeterModel([103])))
    var torn = RegisterImage()
    torn.put([0x5375, 0x6E53, 103, 50], function: 3, at: 40000)
    #expect(discover(torn) == .failed(.broken(address: 40054)))
  }

  @Test func `any words lead to an end within 300 requests`() {
    let seed = UInt64.random(in: 0...UInt64.max)
    var dice = Dice(seed: seed)
    for _ in 0..<200 {
      var discovery = SunSpecDiscovery()
      var requests = 0
      while case .read(let range) = discovery.step {
        requests += 1
        if requests > 300 { break }
        #expect(range.end <= 65536 && (1...125).contains(range.count), "seed \(seed)")
        if requests == 1 {
          discovery.received([0x5375, 0x6E53])
        } else {
          let pool: [UInt16] = [1, 203, 213, 65, 105, 124, 0, 0x8000, UInt16.random(in: 0...999, using: &dice)]
          discovery.received(
            Int.random(in: 0...30, using: &dice) == 0 ? nil : (0..<range.count).map { _ in pool.randomElement(using: &dice)! })
        }
      }
      #expect(requests <= 300, "seed \(seed)")
    }
  }
}
