import Quantities
import Scheduling
import Site

/// What the guard asks of every connector on each event, worked out once and kept until the connector or its station changes, or until the
/// time comes at which it would be something else: most events concern one station of thousands. Not part of the mind's state: it can
/// be worked out again at any moment, and is after a restart.
struct Facts: Sendable {
  struct Marks: OptionSet, Sendable {
    var rawValue: UInt8
    static let claims = Marks(rawValue: 1)
    /// Waits for its turn in the rotation.
    static let waits = Marks(rawValue: 2)
    /// Has something to be sent again, some time.
    static let retries = Marks(rawValue: 4)
    /// Is no claimant, and what it gets, and why, has not been said.
    static let isUntold = Marks(rawValue: 8)
    /// A vehicle may arrive (rule 7).
    static let expectsArrival = Marks(rawValue: 16)
  }
  /// What is known of one connector.
  struct Known: Hashable, Sendable {
    /// Rule 5 now, and rule 15 through the horizon.
    var committed = PerPhase<Current>.zero
    var unheard = PerPhase<Current>.zero
    /// What it may go on drawing once nobody has spoken to it for long.
    var settled = PerPhase<Current>.zero
    /// What a vehicle that arrives would draw by itself.
    var arrival = PerPhase<Current>.zero
    /// What a claimant has, or has by itself before the first offer; what is its least and its most; what it draws beyond its offer.
    var present = Current.zero
    var minimum = Current.zero
    var ceiling = Current.zero
    var overdraw = PerPhase<Current>.zero
    var phases: Phases = []
    var rank = Rank()
    var marks: Marks = []
    /// The next moment at which something has to happen.
    var next: Monotonic?
    /// From then on something of this may be otherwise.
    var holdsUntil = Monotonic(milliseconds: .min)
  }
  /// What decides the order in which claimants are served: the smaller first, in this order (rule 23).
  struct Rank: Hashable, Sendable {
    var standing = 0
    var priority = 0
    /// nil: now.
    var queuedAt: Monotonic?
    var energy = Energy.zero
  }
  private(set) var known: [Known] = []
  /// Sums over the connectors that stand at each circuit itself; `rest`: what is committed by those that are no claimants.
  private(set) var sums: (committed: [PerPhase<Current>], unheard: [PerPhase<Current>], rest: [PerPhase<Current>]) = ([], [], [])
  /// Per circuit, over all below it: the largest arrival, and the phases of those that expect one.
  private(set) var arrivals: [(current: PerPhase<Current>, phases: Phases)] = []
  /// In ascending order.
  private(set) var claimants: [Int] = []
  /// The claimants in the order in which they are served; nil: it has to be found anew.
  private(set) var order: [Int]?
  private var lastOrder: [Int] = []
  /// For each circuit with a meter, what vehicles below it drew when its newest sample was taken.
  private(set) var draws: [Draws?] = []
  private(set) var waiting = 0
  private(set) var retrying = 0
  private(set) var untold = 0
  /// The earliest of all connectors' moments.
  private(set) var next: Monotonic?
  /// When each station has to be seen to.
  var stationNext: [Monotonic?] = []
  /// Per station: it holds, or will be sent, an offer that does not end with its transaction.
  var outliving: [Bool] = []
  /// Nothing of a connector is otherwise before.
  private var allHoldUntil = Monotonic(milliseconds: .max)
  private var isOutdated = (claimants: false, arrivals: false, next: false)
  /// What follows from the site alone; nil: it has changed.
  var site: SiteFacts?
  /// When each connector and each station was last looked at because it was touched or its time had come: counted, not timed.
  private(set) var connectorRevisions: [UInt64] = []
  private(set) var stationRevisions: [UInt64] = []
  private var revision: UInt64 = 0
  /// Per circuit, over all below it: the sums of `settled`.
  private(set) var settledBelow: [PerPhase<Current>] = []
  /// What the plan says of this slot; nil: nothing, or not known yet.
  var wishes: SlotWishes?
  /// Memory of the guard's allocations.
  var workspace = FairShare.Workspace()

  init() {}

  /// - Parameter old: the facts before the site changed; revisions go on from there.
  init(_ hub: Hub, after old: Facts) {
    revision = old.revision
    connectorRevisions = Array(repeating: 0, count: hub.connectors.count)
    stationRevisions = Array(repeating: 0, count: hub.stations.count)
    let still = [PerPhase<Current>](repeating: .zero, count: hub.circuits.count)
    known = Array(repeating: Known(), count: hub.connectors.count)
    sums = (still, still, still)
    settledBelow = still
    stationNext = Array(repeating: nil, count: hub.stations.count)
    outliving = Array(repeating: false, count: hub.stations.count)
    draws = Array(repeating: nil, count: hub.circuits.count)
    isOutdated = (true, true, true)
    site = SiteFacts(hub)
  }

  /// The connectors of which something may be otherwise by now.
  mutating func outdated(at now: Monotonic) -> [Int] {
    guard allHoldUntil <= now else { return [] }
    allHoldUntil = Monotonic(milliseconds: .max)
    var found: [Int] = []
    for c in known.indices {
      if known[c].holdsUntil <= now { found.append(c) } else { allHoldUntil = min(allHoldUntil, known[c].holdsUntil) }
    }
    return found
  }

  /// Puts what is known of a connector at `circuit` in place of what was known. O(1).
  mutating func put(_ new: Known, _ c: Int, circuit k: Int) {
    let old = known[c]
    known[c] = new
    revision += 1
    connectorRevisions[c] = revision
    sums.committed[k] += new.committed - old.committed
    sums.unheard[k] += new.unheard - old.unheard
    sums.rest[k] += new.restCommitted - old.restCommitted
    waiting += new.count(.waits) - old.count(.waits)
    retrying += new.count(.retries) - old.count(.retries)
    untold += new.count(.isUntold) - old.count(.isUntold)
    if new.count(.claims) != old.count(.claims) { isOutdated.claimants = true }
    if new.rank != old.rank { order = nil }
    if new.arrival != old.arrival || new.count(.expectsArrival) != old.count(.expectsArrival) { isOutdated.arrivals = true }
    allHoldUntil = min(allHoldUntil, new.holdsUntil)
    guard new.next != old.next else { return }
    if let moment = old.next, moment == next { isOutdated.next = true }
    if let moment = new.next { next = next.map { min($0, moment) } ?? moment }
  }

  mutating func notice(station s: Int) {
    revision += 1
    stationRevisions[s] = revision
  }

  /// What a connector may go on drawing, in the sums of its circuit and all above. O(depth).
  mutating func settle(_ c: Int, at settled: PerPhase<Current>, _ hub: Hub) {
    let change = settled - known[c].settled
    guard change != .zero else { return }
    known[c].settled = settled
    for k in hub.path(from: hub.connectors[c].circuit) { settledBelow[k] += change }
  }

  /// Works out anew what `put` could not keep.
  mutating func settle(_ hub: Hub) {
    if isOutdated.claimants {
      claimants = known.indices.filter { known[$0].marks.contains(.claims) }
      (lastOrder, order) = (claimants, nil)
    }
    if isOutdated.next { next = known.lazy.compactMap(\.next).min() }
    if isOutdated.arrivals { gatherArrivals(hub) }
    isOutdated = (false, false, false)
  }

  /// The claimants in the order in which they are served.
  /// - Complexity: O(1) while nothing of it has changed, else about O(claimants): most stand where they stood.
  mutating func ordered(at now: Monotonic) -> [Int] {
    if let order { return order }
    // `sort` makes use of runs that are in order already.
    let keys = lastOrder.map { c in
      let rank = known[c].rank
      return (rank.standing, rank.priority, (rank.queuedAt ?? now).milliseconds, rank.energy.raw, c)
    }
    lastOrder = keys.sorted { $0 < $1 }.map { $0.4 }
    // Whose place in the queue is the present moment is behind others with the next.
    if claimants.allSatisfy({ known[$0].rank.queuedAt != nil }) { order = lastOrder }
    return lastOrder
  }

  /// Keeps what vehicles below a circuit drew when its meter took a sample.
  mutating func keep(_ new: Draws?, circuit: Int) { draws[circuit] = new }

  /// Puts what one vehicle drew in place of what was kept.
  mutating func replace(_ draw: Draw, place: Int, circuit: Int) { draws[circuit]?.replace(draw, place: place) }

  private mutating func gatherArrivals(_ hub: Hub) {
    arrivals = Array(repeating: (.zero, []), count: hub.circuits.count)
    for c in known.indices where known[c].marks.contains(.expectsArrival) {
      let k = hub.connectors[c].circuit
      arrivals[k].current = arrivals[k].current.maximum(known[c].arrival)
      arrivals[k].phases.formUnion(hub.connectors[c].phases)
    }
    for k in arrivals.indices.reversed() {
      guard let parent = hub.circuits[k].parent else { continue }
      arrivals[parent].current = arrivals[parent].current.maximum(arrivals[k].current)
      arrivals[parent].phases.formUnion(arrivals[k].phases)
    }
  }
}

extension Facts.Known {
  fileprivate var restCommitted: PerPhase<Current> { marks.contains(.claims) ? .zero : committed }
  fileprivate func count(_ mark: Facts.Marks) -> Int { marks.contains(mark) ? 1 : 0 }
}

extension Facts.Marks: Hashable {}

/// Bounds on what one vehicle drew at some moment, or several together.
struct Draw: Hashable, Sendable {
  var lowest = PerPhase<Current>.zero
  var highest = PerPhase<Current>.zero
}

/// What the vehicles below a circuit drew when its meter took a sample, one by one and all together.
struct Draws: Hashable, Sendable {
  let sampled: Monotonic
  /// In the order of the connectors below the circuit.
  private var each: [Draw]
  private(set) var all = Draw()

  init(sampled: Monotonic, _ each: [Draw]) {
    (self.sampled, self.each) = (sampled, each)
    for draw in each { add(draw) }
  }
  mutating func replace(_ draw: Draw, place: Int) {
    all.lowest -= each[place].lowest
    all.highest -= each[place].highest
    each[place] = draw
    add(draw)
  }
  private mutating func add(_ draw: Draw) {
    all.lowest += draw.lowest
    all.highest += draw.highest
  }
}

/// Coded as nothing: what is decoded knows nothing yet.
extension Facts: Codable {
  init(from decoder: any Decoder) throws {}
  func encode(to encoder: any Encoder) throws {}
}

/// What follows from the site and nothing else.
struct SiteFacts: Sendable {
  /// Per circuit: the connectors below it in ascending order, and the generation declared there.
  var connectorsBelow: [[Int]]
  var generationBelow: [PerPhase<Current>]
  /// The worst that everything else may draw there, stations without a vehicle included.
  var worstBelow: [PerPhase<Current>]
  /// What stations draw themselves, where they are connected.
  var idleLoads: [(circuit: Int, current: PerPhase<Current>)]
  var sampleInterval: TimeSpan
  var reactionTime: TimeSpan

  /// - Complexity: O((connectors + circuits) x depth).
  init(_ hub: Hub) {
    var connectorsBelow = hub.circuits.map { _ in [Int]() }
    var generationBelow = [PerPhase<Current>](repeating: .zero, count: hub.circuits.count)
    for (c, connector) in hub.connectors.enumerated() {
      for k in hub.path(from: connector.circuit) { connectorsBelow[k].append(c) }
    }
    for (circuit, element) in hub.circuits.enumerated() {
      for k in hub.path(from: circuit) { generationBelow[k] += element.generation }
    }
    worstBelow = Array(repeating: .zero, count: hub.circuits.count)
    (self.connectorsBelow, self.generationBelow) = (connectorsBelow, generationBelow)
    idleLoads = hub.stations.compactMap { station in
      guard station.state == .installed, station.idleCurrent > .zero, let first = station.connectors.first else { return nil }
      return (hub.connectors[first].circuit, PerPhase(station.idleCurrent, on: hub.connectors[first].phases))
    }
    for (circuit, element) in hub.circuits.enumerated() {
      for k in hub.path(from: circuit) { worstBelow[k] += element.baseWorst }
    }
    for load in idleLoads { for k in hub.path(from: load.circuit) { worstBelow[k] += load.current } }
    sampleInterval = hub.stations.lazy.map { $0.traits.sampleInterval }.max() ?? .seconds(10)
    let meter = hub.meters.lazy.map { $0.period }.max() ?? .seconds(1)
    let station = hub.stations.lazy.map { $0.traits.reaction }.max() ?? .seconds(10)
    reactionTime = meter + station + hub.settings.vehicleReaction
  }

  /// Where a connector stands among those below a circuit; nil: it is not below. O(log connectors).
  func place(of c: Int, below circuit: Int) -> Int? {
    let below = connectorsBelow[circuit]
    var (low, high) = (0, below.count)
    while low < high {
      let middle = (low + high) / 2
      if below[middle] < c { low = middle + 1 } else { high = middle }
    }
    return low < below.count && below[low] == c ? low : nil
  }
}

extension Hub {
  /// A circuit and all above it.
  func path(from circuit: Int) -> UnfoldFirstSequence<Int> { sequence(first: circuit) { circuits[$0].parent } }
}
