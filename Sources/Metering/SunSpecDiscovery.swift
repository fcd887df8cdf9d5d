/// Finds a SunSpec meter model (201-204, 211-214) by walking the chain of model blocks: asks for words, gets words, yields a map.
///
/// Source: SunSpec Alliance, Device Information Model Specification; sunspec/models model_201 to model_214.
public struct SunSpecDiscovery: Sendable {
  public enum Step: Hashable, Sendable {
    case read(WordRange)
    case found(Found)
    case failed(Failure)
  }
  public struct Found: Hashable, Sendable {
    /// 201...204 or 211...214.
    public var model: Int
    /// Address of the block's identifier register.
    public var address: Int
    /// From the common model; empty without one.
    public var maker: String
    public var device: String
    public var map: RegisterMap
    /// Why it may not limit phases, if so.
    public var unfit: String?
  }
  public enum Failure: Error, Hashable, Sendable {
    /// "SunS" stands at none of the start addresses.
    case noMarker
    /// The chain ends without a meter model; the identifiers that were met.
    case noMeterModel([Int])
    /// The chain breaks off at this address.
    case broken(address: Int)
  }

  public private(set) var step: Step
  private enum Phase { case marker, header, common(next: Int), block(model: Int) }
  private var phase = Phase.marker
  private var bases: [Int]
  private var address: Int
  private var met: [Int] = []
  private var maker = ""
  private var device = ""

  /// - Parameter bases: start addresses to try, in this order; not empty.
  public init(bases: [Int] = [40000, 50000, 0]) {
    precondition(!bases.isEmpty)
    self.bases = Array(bases.dropFirst())
    address = bases[0]
    step = Self.read(bases[0], 2)
  }

  private static func read(_ address: Int, _ count: Int) -> Step {
    .read(WordRange(function: 3, address: address, count: count))
  }

  /// The answer to the range last asked for.
  /// - Parameter words: as many as asked for; nil: the meter refused them.
  public mutating func received(_ words: [UInt16]?) {
    guard case .read(let range) = step else { return }
    let words = words.flatMap { $0.count == range.count ? $0 : nil }
    switch phase {
    case .marker: marker(words)
    case .header: header(words)
    case .common(let next):
      if let words { (maker, device) = (Self.text(words[0..<16]), Self.text(words[16..<32])) }
      walk(to: next)
    case .block(let model):
      guard let words else { return step = .failed(.broken(address: address)) }
      found(model, words)
    }
  }

  private mutating func marker(_ words: [UInt16]?) {
    if words == [0x5375, 0x6E53] { return walk(to: address + 2) }
    guard let base = bases.first else { return step = .failed(.noMarker) }
    bases.removeFirst()
    address = base
    step = Self.read(base, 2)
  }

  private mutating func walk(to next: Int) {
    guard next + 2 <= 65536, met.count < 64 else { return step = .failed(.broken(address: next)) }
    (address, phase) = (next, .header)
    step = Self.read(next, 2)
  }

  private mutating func header(_ words: [UInt16]?) {
    guard let words else { return step = .failed(.broken(address: address)) }
    let (model, length) = (Int(words[0]), Int(words[1]))
    if model == 0xFFFF { return step = .failed(.noMeterModel(met)) }
    met.append(model)
    let next = address + 2 + length
    if model == 1 && length >= 34 {
      phase = .common(next: next)
      step = Self.read(address + 2, 32)
    } else if let layout = SunSpecLayout(model: model), length + 2 >= layout.words {
      phase = .block(model: model)
      step = Self.read(address, layout.words)
    } else {
      walk(to: next)
    }
  }

  private mutating func found(_ model: Int, _ words: [UInt16]) {
    guard let layout = SunSpecLayout(model: model) else { return step = .failed(.broken(address: address)) }
    // What the meter says it has not is left out of the map, save the counters, whose 0 is the same pattern.
    let registers = layout.registers(at: address).filter { register in
      let raw = register.format.decode(words, at: register.address - address, order: .highFirst, absence: register.absence)
      return raw != .absent || register.reads.isCounter
    }
    guard !registers.isEmpty else { return step = .failed(.noMeterModel(met)) }
    let map = RegisterMap(registers: registers, largestGap: 125, takesSignFromPower: true)
    var unfit: String?
    if model % 10 == 4 { unfit = "delta supply: no voltage between phase and neutral" }
    if map.phases.isEmpty { unfit = "no current per phase" }
    step = .found(
      Found(model: model, address: address, maker: maker, device: device, map: map, unfit: unfit))
  }

  private static func text(_ words: ArraySlice<UInt16>) -> String {
    let bytes = words.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }.prefix { $0 != 0 }
    return String(String.UnicodeScalarView(bytes.filter { (0x20..<0x7F).contains($0) }.map { Unicode.Scalar($0) }))
  }
}
