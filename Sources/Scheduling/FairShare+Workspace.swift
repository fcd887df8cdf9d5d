import Quantities

extension FairShare {
  /// The memory of an allocation, to be kept between calls. It carries nothing from one call to the next but capacity.
  public struct Workspace: Sendable {
    public init() {}
    /// For each circuit its parent, or -1.
    var parent: [Int32] = []
    /// Three rows for each circuit, one per phase.
    var rows: [Row] = []
    /// For each circuit the claims at it and below it are `order[first[c]..<end[c]]`.
    var first: [Int] = []
    var end: [Int] = []
    var order: [Int32] = []
    var states: [State] = []
    /// Level and index of the next claims to leave their floors, and to meet their caps, in rising order.
    var activations: [Event] = []
    var caps: [Event] = []
    var sorting: [Event] = []
    var digits: [Int32] = []
    var heap: [Event] = []

    /// Room and use of one phase of one circuit.
    struct Row {
      var room: Int
      /// Milliamperes of the claims that do not rise (yet): at their floors, at their caps, or stopped.
      var held = 0
      /// The weight of the claims that rise with the level.
      var rising = 0
      /// The weight of the claims that are at their floors and may still rise.
      var waiting = 0

      /// What is left at `level`, in units of 2^-20 mA.
      func slack(at level: Int) -> Int { ((room - held) << FairShare.fraction) - rising * level }
    }
    enum State: UInt8 { case settled, waiting, rising }
    struct Event {
      var level: Int
      var index: Int32
    }
  }
}

extension FairShare.Workspace {
  mutating func prepare(circuits: [FairShare.Circuit], claims: [FairShare.Claim]) {
    let bound = FairShare.largestCurrent
    parent.removeAll(keepingCapacity: true)
    rows.removeAll(keepingCapacity: true)
    for (index, circuit) in circuits.enumerated() {
      precondition((circuit.parent ?? -1) < index && (circuit.parent ?? 0) >= 0, "a circuit stands after its parent")
      parent.append(Int32(circuit.parent ?? -1))
      let room = circuit.room
      for phase in Phase.allCases { rows.append(Row(room: max(-bound, min(bound, room[phase].raw)))) }
    }
    sortByCircuit(claims)
  }

  /// Counting sort of the claims by circuit, with the circuits in an order that keeps each subtree together.
  private mutating func sortByCircuit(_ claims: [FairShare.Claim]) {
    let count = parent.count
    first.removeAll(keepingCapacity: true)
    end.removeAll(keepingCapacity: true)
    first.append(contentsOf: repeatElement(0, count: count))
    end.append(contentsOf: repeatElement(0, count: count))
    for claim in claims {
      precondition(!claim.phases.isEmpty && claim.phases.rawValue < 8, "a claim has one to three phases")
      precondition(claim.floor.raw > 0 && claim.cap >= claim.floor && claim.cap.raw <= FairShare.largestCurrent)
      precondition(claim.weight > 0 && claim.weight <= FairShare.Claim.largestWeight)
      end[claim.circuit] += 1
    }
    // `end` holds the claims at each circuit; `first` collects the claims below it, then becomes the place of its range.
    for circuit in (0..<count).reversed() {
      first[circuit] += end[circuit]
      if parent[circuit] >= 0 { first[Int(parent[circuit])] += first[circuit] }
    }
    var roots = 0
    for circuit in 0..<count {
      let (own, whole) = (end[circuit], first[circuit])
      if parent[circuit] >= 0 {
        let above = Int(parent[circuit])
        first[circuit] = end[above]
        end[above] += whole
      } else {
        first[circuit] = roots
        roots += whole
      }
      // From here `end` is where the next child's range begins.
      end[circuit] = first[circuit] + own
    }
    order.removeAll(keepingCapacity: true)
    order.append(contentsOf: repeatElement(0, count: claims.count))
    place(claims)
  }

  private mutating func place(_ claims: [FairShare.Claim]) {
    // A circuit's own claims stand first in its range.
    heap.removeAll(keepingCapacity: true)
    for start in first { heap.append(Event(level: start, index: 0)) }
    for (index, claim) in claims.enumerated() {
      order[heap[claim.circuit].level] = Int32(index)
      heap[claim.circuit].level += 1
    }
  }

  mutating func admit(_ claims: [FairShare.Claim], into shares: inout [FairShare.Share]) {
    shares.removeAll(keepingCapacity: true)
    states.removeAll(keepingCapacity: true)
    for claim in claims {
      if let binding = obstacle(to: claim.floor.raw, for: claim) {
        shares.append(FairShare.Share(current: .zero, binding: binding))
        states.append(.settled)
      } else {
        shares.append(FairShare.Share(current: claim.floor, binding: nil))
        let mayRise = claim.cap > claim.floor
        states.append(mayRise ? .waiting : .settled)
        let weight = mayRise ? claim.weight : 0
        change(claim) { row in
          row.held += claim.floor.raw
          row.waiting += weight
        }
      }
    }
  }

  /// The circuit nearest to the claim, and there the first phase, without `current` to spare.
  private func obstacle(to current: Int, for claim: FairShare.Claim) -> FairShare.Binding? {
    var circuit = claim.circuit
    while circuit >= 0 {
      for phase in 0..<3 where claim.phases.rawValue & (1 << UInt8(phase)) != 0 {
        let row = rows[circuit * 3 + phase]
        if row.room - row.held < current { return FairShare.Binding(circuit: circuit, phase: Phase(rawValue: phase)!) }
      }
      circuit = Int(parent[circuit])
    }
    return nil
  }

  /// Changes every row on the path of `claim`.
  @inline(__always) mutating func change(_ claim: FairShare.Claim, _ body: (inout Row) -> Void) {
    var circuit = claim.circuit
    while circuit >= 0 {
      for phase in 0..<3 where claim.phases.rawValue & (1 << UInt8(phase)) != 0 { body(&rows[circuit * 3 + phase]) }
      circuit = Int(parent[circuit])
    }
  }

  mutating func schedule(_ claims: [FairShare.Claim], _ shares: [FairShare.Share]) {
    activations.removeAll(keepingCapacity: true)
    caps.removeAll(keepingCapacity: true)
    for (index, claim) in claims.enumerated() where states[index] == .waiting {
      activations.append(Event(level: level(of: claim.floor, claim.weight), index: Int32(index)))
      caps.append(Event(level: level(of: claim.cap, claim.weight), index: Int32(index)))
    }
    Self.sort(&activations, &sorting, &digits)
    Self.sort(&caps, &sorting, &digits)
  }

  /// The least level at which `weight` makes `current`.
  private func level(of current: Current, _ weight: Int) -> Int { ((current.raw << FairShare.fraction) + weight - 1) / weight }

  /// Below this many events, moving them one by one is quicker than counting digits.
  private static let few = 48
  /// Bits of a digit.
  private static let bits = 11

  /// Sorts by level, equal levels in the order they had: one pass per digit, and none for digits that all levels share.
  private static func sort(_ events: inout [Event], _ other: inout [Event], _ counts: inout [Int32]) {
    guard let one = events.first?.level else { return }
    if events.count < few { return insert(&events) }
    var varying = 0
    for event in events { varying |= event.level ^ one }
    other.removeAll(keepingCapacity: true)
    other.append(contentsOf: events)
    counts.removeAll(keepingCapacity: true)
    counts.append(contentsOf: repeatElement(0, count: 1 << bits))
    for shift in stride(from: 0, to: 63, by: bits) where (varying >> shift) & ((1 << bits) - 1) != 0 {
      spread(events.span, to: &other, by: shift, counting: &counts)
      swap(&events, &other)
    }
  }

  private static func insert(_ events: inout [Event]) {
    var events = events.mutableSpan
    for index in 1..<events.count {
      let event = events[index]
      var place = index
      while place > 0 && events[place - 1].level > event.level {
        events[place] = events[place - 1]
        place -= 1
      }
      events[place] = event
    }
  }

  private static func spread(_ events: Span<Event>, to place: inout [Event], by shift: Int, counting: inout [Int32]) {
    var place = place.mutableSpan
    var counts = counting.mutableSpan
    let mask = counts.count - 1
    for digit in counts.indices { counts[digit] = 0 }
    for index in events.indices { counts[(events[index].level >> shift) & mask] += 1 }
    var total: Int32 = 0
    for digit in counts.indices {
      let count = counts[digit]
      counts[digit] = total
      total += count
    }
    for index in events.indices {
      let event = events[index]
      let digit = (event.level >> shift) & mask
      place[Int(counts[digit])] = event
      counts[digit] += 1
    }
  }
}
