import Quantities

extension FairShare {
  /// The memory of an allocation, to be kept between calls. It carries nothing from one call to the next but capacity, and the order of the
  /// levels, with which the next sorting begins: what comes out does not depend on it.
  public struct Workspace: Sendable {
    public init() {}
    var rows: [Row] = []
    /// For each circuit the claims at it and below it are `order[first[c]..<end[c]]`.
    var first: [Int] = []
    var end: [Int] = []
    var order: [Int32] = []
    var states: [State] = []
    /// Level and index of the claims that leave their floors, and meet their caps, in rising order; also of those that never rise.
    var floorLevels: [Event] = []
    var capLevels: [Event] = []
    var sorting: [Event] = []
    var digits: [Int32] = []
    var heap: [Event] = []

    /// Room and use of a circuit, one lane per phase; the fourth is always zero.
    struct Row {
      typealias Lanes = SIMD4<Int>
      /// The circuit that feeds this one, or -1.
      var parent: Int
      /// Milliamperes that the claims which do not rise (yet: at their floors, at their caps, or stopped) leave of its room.
      var left: Lanes
      /// The weight of the claims that rise with the level.
      var rising = Lanes.zero
      /// The weight of the claims that are at their floors and may still rise.
      var waiting = Lanes.zero

      /// What is left at `level`, in units of 2^-20 mA. Lane by lane: most processors multiply 64 bits that way alone.
      func slack(at level: Int) -> Lanes {
        Lanes(
          left.x &<< FairShare.fraction &- rising.x &* level, left.y &<< FairShare.fraction &- rising.y &* level,
          left.z &<< FairShare.fraction &- rising.z &* level, 0)
      }
    }
    enum State: UInt8 { case settled, waiting, rising }
    struct Event {
      var level: Int
      var index: Int32
      func precedes(_ other: Event) -> Bool { level != other.level ? level < other.level : index < other.index }
    }
  }
}

extension FairShare.Workspace {
  mutating func prepare(circuits: [FairShare.Circuit], claims: [FairShare.Claim]) {
    let bound = FairShare.largestCurrent
    rows.removeAll(keepingCapacity: true)
    for (index, circuit) in circuits.enumerated() {
      precondition((circuit.parent ?? -1) < index && (circuit.parent ?? 0) >= 0, "a circuit stands after its parent")
      let room = circuit.room.map { min(max($0, Current(raw: -bound)), Current(raw: bound)) }
      rows.append(Row(parent: circuit.parent ?? -1, left: Row.Lanes(room.l1.raw, room.l2.raw, room.l3.raw, 0)))
    }
    sortByCircuit(claims)
  }

  /// Counting sort of the claims by circuit, with the circuits in an order that keeps each subtree together.
  private mutating func sortByCircuit(_ claims: [FairShare.Claim]) {
    let count = rows.count
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
      if rows[circuit].parent >= 0 { first[rows[circuit].parent] += first[circuit] }
    }
    var roots = 0
    for circuit in 0..<count {
      let (own, whole) = (end[circuit], first[circuit])
      let above = rows[circuit].parent
      if above >= 0 {
        first[circuit] = end[above]
        end[above] += whole
      } else {
        first[circuit] = roots
        roots += whole
      }
      // From here `end` is where the next child's range begins.
      end[circuit] = first[circuit] + own
    }
    // A circuit's own claims stand first in its range.
    digits.removeAll(keepingCapacity: true)
    for start in first { digits.append(Int32(start)) }
    Self.fit(&order, claims.count, 0)
    Self.place(claims, into: &order, &digits)
  }

  /// - Parameter next: for each circuit where its next claim goes.
  private static func place(_ claims: [FairShare.Claim], into order: inout [Int32], _ next: inout [Int32]) {
    var order = order.mutableSpan
    var next = next.mutableSpan
    for (index, claim) in claims.enumerated() {
      order[Int(next[claim.circuit])] = Int32(index)
      next[claim.circuit] += 1
    }
  }

  mutating func admit(_ claims: [FairShare.Claim], into shares: inout [FairShare.Share]) {
    Self.fit(&shares, claims.count, FairShare.Share(current: .zero, binding: nil))
    Self.fit(&states, claims.count, .settled)
    var held: [State] = []
    swap(&held, &states)
    admit(claims.span, held.mutableSpan, shares.mutableSpan)
    swap(&held, &states)
  }

  private mutating func admit(_ claims: Span<FairShare.Claim>, _ states: consuming States, _ shares: consuming Shares) {
    for index in claims.indices {
      let claim = claims[index]
      if let binding = obstacle(to: claim.floor.raw, for: claim) {
        shares[index] = FairShare.Share(current: .zero, binding: binding)
        states[index] = .settled
      } else {
        shares[index] = FairShare.Share(current: claim.floor, binding: nil)
        let mayRise = claim.cap > claim.floor
        states[index] = mayRise ? .waiting : .settled
        let weight = mayRise ? claim.weight : 0
        change(claim) { row, mask in
          row.left &-= mask & claim.floor.raw
          row.waiting &+= mask & weight
        }
      }
    }
  }

  /// As many elements as wanted; what stands there is of no account.
  private static func fit<Element>(_ array: inout [Element], _ count: Int, _ filler: Element) {
    if array.count > count { array.removeLast(array.count - count) }
    if array.count < count { array.append(contentsOf: repeatElement(filler, count: count - array.count)) }
  }

  /// The circuit nearest to the claim, and there the first phase, without `current` to spare.
  private func obstacle(to current: Int, for claim: FairShare.Claim) -> FairShare.Binding? {
    firstNegative(on: claim) { row in row.left &- Row.Lanes(repeating: current) }
  }

  /// The circuit nearest to the claim, and there the first of its phases, of which something is below zero.
  @inline(__always) func firstNegative(on claim: FairShare.Claim, _ value: (Row) -> Row.Lanes) -> FairShare.Binding? {
    let mask = Self.mask(claim.phases)
    var circuit = claim.circuit
    while circuit >= 0 {
      let lanes = value(rows[circuit]) & mask
      if lanes[0] | lanes[1] | lanes[2] < 0 {
        return FairShare.Binding(circuit: circuit, phase: lanes[0] < 0 ? .l1 : lanes[1] < 0 ? .l2 : .l3)
      }
      circuit = rows[circuit].parent
    }
    return nil
  }

  /// All bits of the lanes of these phases.
  @inline(__always) static func mask(_ phases: Phases) -> Row.Lanes {
    let bits = Int(phases.rawValue)
    return Row.Lanes(0 &- (bits & 1), 0 &- (bits >> 1 & 1), 0 &- (bits >> 2 & 1), 0)
  }

  /// Changes every row on the path of `claim`.
  @inline(__always) mutating func change(_ claim: FairShare.Claim, _ body: (inout Row, Row.Lanes) -> Void) {
    let mask = Self.mask(claim.phases)
    var rows = self.rows.mutableSpan
    var circuit = claim.circuit
    while circuit >= 0 {
      body(&rows[circuit], mask)
      circuit = rows[circuit].parent
    }
  }

  mutating func schedule(_ claims: [FairShare.Claim]) {
    Self.arrange(&floorLevels, claims, &sorting, &digits) { Self.level(of: $0.floor, $0.weight) }
    Self.arrange(&capLevels, claims, &sorting, &digits) { Self.level(of: $0.cap, $0.weight) }
  }

  /// The least level at which `weight` makes `current`.
  private static func level(of current: Current, _ weight: Int) -> Int {
    // Below 2^53 the quotient in float64, cut off, is that of whole numbers: rounding moves it by less than 1/weight. It is quicker.
    Int(Double((current.raw << FairShare.fraction) + weight - 1) / Double(weight))
  }

  /// All claims by level, equal levels by index. Claims change little from call to call: where the order of the last one is nearly right, it
  /// is put right.
  @inline(__always) private static func arrange(
    _ events: inout [Event], _ claims: [FairShare.Claim], _ other: inout [Event], _ counts: inout [Int32],
    _ level: (FairShare.Claim) -> Int
  ) {
    if events.count == claims.count {
      for place in events.indices { events[place].level = level(claims[Int(events[place].index)]) }
      if insert(&events, moves: 2 * events.count) { return }
    }
    events.removeAll(keepingCapacity: true)
    for (index, claim) in claims.enumerated() { events.append(Event(level: level(claim), index: Int32(index))) }
    sort(&events, &other, &counts)
  }

  /// Below this many events, moving them one by one is quicker than counting digits.
  private static let few = 48
  /// Bits of a digit.
  private static let bits = 11

  /// Sorts by level, equal levels in the order they had: one pass per digit, and none for digits that all levels share.
  private static func sort(_ events: inout [Event], _ other: inout [Event], _ counts: inout [Int32]) {
    guard let one = events.first?.level else { return }
    if events.count < few, insert(&events, moves: few * few) { return }
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

  /// - Returns: false: that would have taken more moves, and they stand in some order.
  private static func insert(_ events: inout [Event], moves: Int) -> Bool {
    var events = events.mutableSpan
    var left = moves
    for index in events.indices.dropFirst() {
      let event = events[index]
      var place = index
      while place > 0 && event.precedes(events[place - 1]) {
        events[place] = events[place - 1]
        place -= 1
      }
      events[place] = event
      left -= index - place
      if left < 0 { return false }
    }
    return true
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
