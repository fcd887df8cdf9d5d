import Metering

/// What lies between mind and stations, and mind and meters, at wire fidelity.
public struct Wire: Sendable {
  public var faults: WireFaults
  /// The models of which meters are taken; one at least has its registers in its file.
  public var meters: [MeterProfile]
  /// By how much the registers of real meters may round, mA.
  static let rounding = 100
  public init(faults: WireFaults = .none, meters: [MeterProfile]) { (self.faults, self.meters) = (faults, meters) }
}

/// How often frames go wrong, in thousandths.
public struct WireFaults: Hashable, Sendable {
  public var lost = 0
  /// Come up to 20 s late, behind what was sent after them.
  public var late = 0
  /// Come twice.
  public var doubled = 0
  /// Are cut off, or have another byte somewhere.
  public var spoilt = 0
  public init() {}

  public static let none = WireFaults()
  /// A third of the lines are good, the others have one kind of fault, or all.
  public static func mixed(seed: UInt64) -> WireFaults {
    var random = SeededRandom(seed: seed, part: 10)
    var faults = WireFaults()
    guard random.chance(667) else { return faults }
    let kind = random.pick(0...4)
    if kind == 0 || kind == 4 { faults.lost = random.pick(1...10) }
    if kind == 1 || kind == 4 { faults.late = random.pick(1...10) }
    if kind == 2 || kind == 4 { faults.doubled = random.pick(1...20) }
    if kind == 3 || kind == 4 { faults.spoilt = random.pick(1...5) }
    return faults
  }
}
