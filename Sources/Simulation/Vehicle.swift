import Quantities

/// A vehicle at a connector: how much it can take, and how promptly it follows its pilot signal.
public struct Vehicle: Hashable, Sendable {
  /// The station's own conductors that it uses.
  public var conductors: Phases
  /// Per conductor, mA.
  public var maximum: Int
  public var minimum: Int
  /// mA x ms over all conductors that it still wants.
  public var need: Int
  /// Thousandths above the pilot signal that it draws.
  public var overdraw: Int
  /// 0...30,000 ms; the distribution is that of `reaction`.
  public var slowest: Int
  /// Its own delay, ms; nil: another one each time.
  public var steady: Int?
  public var initialNeed: Int
  /// It stops by itself until then, ms.
  public var pausedUntil = 0

  /// - Parameters:
  ///   - conductors: the station's own conductors that it uses.
  ///   - energy: what it wants in all, at 230 V.
  public init(
    conductors: Phases, maximum: Current, minimum: Current = .smallestOffer, energy: Energy, overdrawPermille: Int = 0,
    slowest: TimeSpan = .seconds(30)
  ) {
    (self.conductors, self.maximum, self.minimum) = (conductors, maximum.raw, minimum.raw)
    need = energy.milliwattHours / 230 * 3_600_000
    (initialNeed, overdraw, self.slowest) = (need, overdrawPermille, slowest.raw)
  }

  /// What it draws on each of its conductors under a pilot signal, mA. It tapers over the last fifth of its need.
  func target(pilot: Int, at now: Int) -> Int {
    guard pilot >= 6000, pilot >= minimum, need > 0, now >= pausedUntil else { return 0 }
    var most = maximum
    if need < initialNeed / 5 { most = max(minimum, maximum * 2 / 3) }
    if need < initialNeed / 12 { most = max(minimum, maximum / 3) }
    let followed = min(pilot, most)
    return followed + (followed == pilot ? followed * overdraw / 1000 : 0)
  }

  /// How long it takes to follow, ms. Unless it has a delay of its own: seven of ten within 1-5 s, a quarter within 15 s, the rest within `slowest`.
  func reaction(_ random: inout SeededRandom) -> Int {
    if let steady { return steady }
    let dice = random.pick(0...999)
    if dice < 700 { return min(slowest, random.pick(1000...5000)) }
    if dice < 950 { return min(slowest, random.pick(5000...15_000)) }
    return min(slowest, random.pick(15_000...30_000))
  }
}
