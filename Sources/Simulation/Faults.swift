/// What goes wrong, and how often: mean times between faults of each kind in seconds, for the whole hub; 0: never.
public struct Faults: Hashable, Sendable {
  public var linkLoss = 0
  public var reboot = 0
  public var meterTrouble = 0
  public var restart = 0
  public var clockStep = 0
  public var limit = 0
  public var storeFailure = 0
  /// Somebody works at a circuit: it is held at 0 A, or below a cap set by hand, for a while.
  public var works = 0
  /// The site file is read again.
  public var siteFile = 0
  /// Somebody outside sets a series of limits, takes it back, or falls silent.
  public var sender = 0
  /// Thousandths of the commands that are lost on their way, or whose answer is.
  public var lostCommands = 0
  /// Thousandths of the vehicles that draw up to 10 % more than they are told.
  public var overdrawing = 0
  /// Thousandths of the plans that never come.
  public var lostPlans = 0
  /// When the controller dies for good, in seconds; nil: never.
  public var death: Int?
  public init() {}

  /// Nothing goes wrong.
  public static let none = Faults()
  /// A bad day: everything, often.
  public static var everything: Faults {
    var faults = Faults()
    (faults.linkLoss, faults.reboot, faults.meterTrouble) = (900, 7200, 3600)
    (faults.restart, faults.clockStep, faults.limit) = (5400, 10_800, 3600)
    (faults.lostCommands, faults.overdrawing, faults.storeFailure) = (5, 50, 10_800)
    (faults.lostPlans, faults.works, faults.siteFile) = (50, 5400, 7200)
    faults.sender = 2700
    return faults
  }
  /// No day that anybody has lived: everything, five times as often, and one command in 25 lost.
  public static var frantic: Faults {
    var faults = everything
    for time in [
      \Faults.linkLoss, \.reboot, \.meterTrouble, \.restart, \.clockStep, \.limit, \.storeFailure, \.works, \.siteFile, \.sender,
    ] { faults[keyPath: time] /= 5 }
    faults.lostCommands = 40
    return faults
  }
  /// A mixture that depends on the seed: some days are calm, some have one kind of fault, some have all.
  public static func mixed(seed: UInt64) -> Faults {
    var random = SeededRandom(seed: seed, part: 7)
    var faults = Faults()
    let all = everything
    if random.chance(600) { faults.linkLoss = all.linkLoss * random.pick(1...6) }
    if random.chance(400) { faults.reboot = all.reboot }
    if random.chance(500) { faults.meterTrouble = all.meterTrouble }
    if random.chance(500) { faults.restart = all.restart }
    if random.chance(300) { faults.clockStep = all.clockStep }
    if random.chance(500) { faults.limit = all.limit }
    if random.chance(500) { faults.lostCommands = random.pick(1...20) }
    if random.chance(200) { faults.overdrawing = 100 }
    if random.chance(300) { faults.storeFailure = all.storeFailure }
    if random.chance(300) { faults.lostPlans = random.pick(10...500) }
    var other = SeededRandom(seed: seed, part: 8)
    if other.chance(300) { faults.works = all.works }
    if other.chance(300) { faults.siteFile = all.siteFile }
    if other.chance(300) { faults.sender = all.sender }
    return faults
  }
}
