import Quantities
import Site

/// Random hubs that `sluice check` would accept: per circuit and phase the fallbacks and the worst base load fit below the rating.
public struct HubGenerator {
  public struct Options: Sendable {
    public var mostConnectors = 24
    /// Stations may be of kinds with quirks that their traits declare.
    public var declaredQuirks = true
    /// Stations may do what nobody knows of.
    public var undeclaredQuirks = false
    public init() {}
  }
  public struct Made: Sendable {
    public var hub: Hub
    /// Per station.
    public var quirks: [[StationQuirk]]
    /// Per circuit: the largest step of the base load that its device bears until the vehicles have reacted, mA.
    public var steps: [Int]
  }

  /// The quirks that a careful installer has written down.
  static let declared: [StationQuirk] = [
    .firstPeriodOnly, .stackLevelZeroOnly, .relativeOnly, .refusesConnectorZero, .refusesZero, .zeroEndsTransaction,
    .noBootOnConnect,
    .noMeterValues, .wholeAmperes, .wattsOnly, .wattsUndivided,
  ]
  static let undeclared: [StationQuirk] = [
    .lateAnswers, .losesAnswers, .repeatsStart, .repeatsStartWithNewID, .transactionMinusOne, .timestamps1970, .reportsPowerOnly,
    .lateSamples, .skewedClock, .wrongClock, .reconnectsTwice, .acceptsButIgnores, .liesInAnswers, .spikes, .forgetsProfiles,
    .refusesProfiles,
  ]

  public static func make(seed: UInt64, _ options: Options = Options()) -> Made {
    var random = SeededRandom(seed: seed, part: 1)
    let depth = random.pick(1...4)
    var circuits: [Circuit] = []
    var level: [Int] = []
    let rootRating = random.pick(32...250)
    for d in 0..<depth {
      let parents: [Int?] = d == 0 ? [nil] : level.map { $0 }
      level = []
      for parent in parents {
        for _ in 0..<(d == 0 ? 1 : random.pick(1...(d == 1 ? 3 : 2))) {
          // Circuits that nobody charges at cost time and show little.
          if !level.isEmpty, circuits.count >= options.mostConnectors + 2 { break }
          let above = parent.map { circuits[$0].rating.l1.raw / 1000 } ?? rootRating
          let rating = d == 0 ? rootRating : max(20, above * random.pick(45...90) / 100)
          let curve = random.chance(500) ? TripCurve.standard : slowFuse
          level.append(circuits.count)
          circuits.append(
            Circuit(
              id: "c\(circuits.count)", parent: parent, rating: PerPhase(all: .amperes(rating)), curve: curve,
              margin: .milliamperes(random.choose([0, 0, 500, 1000, 2000]))))
        }
      }
    }
    var meters: [Meter] = []
    for k in circuits.indices where k == 0 || random.chance(600) {
      let rotation = random.choose(PhaseRotation.allCases)
      circuits[k].measurement = Circuit.Measurement(meter: meters.count, rotation: rotation, inverted: random.chance(200))
      meters.append(
        Meter(
          id: "m\(k)", profile: "generic", bus: .tcp(host: "127.0.0.1", port: 502), period: .seconds(random.choose([1, 2, 2, 5]))))
      // All the worst loads below a circuit together leave it at least two fifths.
      var free = Int.max
      var place: Int? = k
      while let above = place {
        free = min(free, circuits[above].rating.l1.raw * 60 / 100 - totalBase(below: above, circuits).largest.raw)
        place = circuits[above].parent
      }
      let worst = max(0, min(free, circuits[k].rating.l1.raw * random.pick(0...40) / 100))
      circuits[k].baseWorst = PerPhase(all: Current(raw: worst)).map { Current(raw: $0.raw * random.pick(60...100) / 100) }
      if random.chance(250) {
        circuits[k].generation = PerPhase(all: Current(raw: circuits[k].rating.l1.raw * random.pick(5...30) / 100))
      }
    }
    var hub = Hub(id: "hub-\(seed)", circuits: circuits, meters: meters)
    var quirks: [[StationQuirk]] = []
    let wanted = random.pick(1...options.mostConnectors)
    var room = circuits.indices.map { k in circuits[k].rating - totalBase(below: k, circuits) }
    while hub.connectors.count < wanted {
      addStation(&hub, &quirks, level, &room, options, &random)
    }
    hub.settings.narrowsPhases = random.chance(250)
    let steps = hub.circuits.indices.map { k in
      var least = Int.max
      var place: Int? = k
      while let here = place {
        let circuit = hub.circuits[here]
        least = min(least, circuit.rating.l1.raw * (circuit.curve == slowFuse ? 25 : 7) / 100)
        place = circuit.parent
      }
      return least
    }
    if random.chance(600) {
      var policy = PlanningPolicy()
      policy.horizon = .hours(random.choose([6, 24, 36]))
      policy.peakPrice = random.choose([0, 0, 1_000_000])
      hub.planning = policy
    }
    addContract(&hub, seed: seed)
    var turns = SeededRandom(seed: seed, part: 11)
    hub.settings.rotationPeriod = .minutes(turns.choose([15, 15, 15, 10, 5]))
    hub.settings.idlePause = hub.settings.rotationPeriod * 2
    return Made(hub: hub, quirks: quirks, steps: steps)
  }

  /// Some connections have a contract for the mean over a window (rule 4), which leaves something above the worst load.
  private static func addContract(_ hub: inout Hub, seed: UInt64) {
    var random = SeededRandom(seed: seed, part: 5)
    guard random.chance(300) else { return }
    let rating = hub.circuits[0].rating.smallest
    let worst = totalBase(below: 0, hub.circuits).largest
    let mean = worst + (rating - worst).scaled(random.pick(30...90), over: 100)
    let window = TimeSpan.minutes(random.choose([15, 15, 15, 30, 60]))
    let amount =
      random.chance(500) ? ContractLimit.Amount.current(PerPhase(all: mean)) : .power(mean.power(at: .volts(230), phases: 3))
    hub.circuits[0].contract = ContractLimit(
      amount: amount, window: window, offset: random.chance(200) ? .minutes(5) : .zero)
  }

  /// A gG fuse's bearing, on the safe side: 1.3x for an hour, 1.6x for a minute.
  static let slowFuse = TripCurve(
    points: [TripCurve.Point(permille: 1300, time: .hours(1)), TripCurve.Point(permille: 1600, time: .seconds(60))],
    beyond: .seconds(5))

  private static func totalBase(below k: Int, _ circuits: [Circuit]) -> PerPhase<Current> {
    circuits.indices.reduce(.zero) { isBelow($1, k, circuits) ? $0 + circuits[$1].baseWorst : $0 }
  }

  static func isBelow(_ circuit: Int, _ ancestor: Int, _ circuits: [Circuit]) -> Bool {
    var place: Int? = circuit
    while let here = place {
      if here == ancestor { return true }
      place = circuits[here].parent
    }
    return false
  }

  private static func addStation(
    _ hub: inout Hub, _ quirks: inout [[StationQuirk]], _ leaves: [Int], _ room: inout [PerPhase<Current>], _ options: Options,
    _ random: inout SeededRandom
  ) {
    let s = hub.stations.count
    var traits = StationTraits(model: "emulated")
    var trust = FallbackTrust.proven
    var own: [StationQuirk] = []
    if options.declaredQuirks, random.chance(350) { own.append(random.choose(declared)) }
    if options.undeclaredQuirks, random.chance(250) {
      let quirk = random.choose(undeclared)
      // Two conversations about one thing need not make sense together.
      if own.isEmpty { own.append(quirk) }
    }
    for quirk in own { quirk.declare(in: &traits, trust: &trust) }
    if own.contains(.wrongClock) { trust = .proven }
    traits.callTimeout = .seconds(random.choose([8, 10]))
    traits.sampleInterval = .seconds(random.choose([5, 10, 10, 15]))
    traits.reaction = .seconds(random.choose([2, 5, 8]))
    let first = hub.connectors.count
    let circuit = random.choose(leaves)
    for number in 1...random.choose([1, 1, 2, 2]) {
      let conductors = random.choose([Phases.all, .all, .all, Phases.l1])
      let wiring: Connector.Wiring? =
        random.chance(100) ? nil : Connector.Wiring(conductors: conductors, rotation: random.choose(PhaseRotation.allCases))
      let maximum = Current.amperes(random.choose([16, 16, 20, 32, 32]))
      var connector = Connector(
        station: s, number: number, circuit: circuit, wiring: wiring, maximum: maximum, minimum: .smallestOffer, fallback: .zero,
        weight: random.choose([50, 100, 100, 200]), priority: random.choose([50, 100, 100, 100]))
      let unheard = trust == .proven ? Current.amperes(random.choose([6, 6, 8, 10])) : maximum
      let place = fits(unheard, connector, hub.circuits, room)
      if place {
        if trust == .proven || maximum >= .smallestOffer { connector.fallback = trust == .proven ? unheard : .smallestOffer }
        take(unheard, connector, hub.circuits, &room)
      } else if trust != .proven || own.contains(.refusesZero) || own.contains(.zeroEndsTransaction) {
        // It does not fit: an honest model with a fallback of 0 A goes there instead.
        own = []
        trust = .proven
        (traits.zero, traits.rotates, traits.deadMan) = (.pauses, true, true)
        (traits.highestStackLevel, traits.profileKind, traits.acceptsConnectorZero) = (nil, .absolute, true)
        (traits.rateUnit, traits.reportsCurrent, traits.boot, traits.step) = (.amperes, true, .announces, .milliamperes(100))
      }
      hub.connectors.append(connector)
    }
    hub.stations.append(
      Station(id: "s\(s)", traits: traits, trust: trust, connectors: first..<hub.connectors.count))
    quirks.append(own)
  }

  private static func fits(_ current: Current, _ connector: Connector, _ circuits: [Circuit], _ room: [PerPhase<Current>]) -> Bool {
    var place: Int? = connector.circuit
    while let k = place {
      for phase in Phase.allCases where connector.phases.contains(phase) && room[k][phase] - circuits[k].margin < current {
        return false
      }
      place = circuits[k].parent
    }
    return true
  }

  private static func take(_ current: Current, _ connector: Connector, _ circuits: [Circuit], _ room: inout [PerPhase<Current>]) {
    var place: Int? = connector.circuit
    while let k = place {
      room[k] -= PerPhase(current, on: connector.phases)
      place = circuits[k].parent
    }
  }
}
