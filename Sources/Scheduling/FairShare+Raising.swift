import Quantities

// Progressive filling: one level rises for all, and stops at the next claim that leaves its floor, the next claim at its cap, or the
// next circuit without room. The heap holds each circuit once, under a level at which it cannot be full yet; claims that start to rise
// do not spoil such a bound, and claims that stop only make it easier, so a circuit is looked at again only when its bound comes up.

extension FairShare.Workspace {
  /// What changes for each claim, without a question at each change whether somebody else holds it too.
  typealias States = MutableSpan<State>
  typealias Shares = MutableSpan<FairShare.Share>

  mutating func raise(_ claims: [FairShare.Claim], _ shares: inout [FairShare.Share]) {
    var held: [State] = []
    swap(&held, &states)
    var ours = held.mutableSpan
    var theirs = shares.mutableSpan
    raise(claims.span, &ours, &theirs)
    swap(&held, &states)
  }

  private mutating func raise(_ claims: Span<FairShare.Claim>, _ states: inout States, _ shares: inout Shares) {
    heap.removeAll(keepingCapacity: true)
    let firstActivation = floorLevels.first?.level ?? .max
    for circuit in rows.indices {
      if let bound = bound(of: circuit, from: 0, nextActivation: firstActivation) {
        push(Event(level: bound, index: Int32(circuit)))
      }
    }
    var (activation, cap) = (0, 0)
    while cap < capLevels.count {
      let nextActivation = activation < floorLevels.count ? floorLevels[activation].level : .max
      let nextCap = capLevels[cap].level
      let nextFull = heap.first?.level ?? .max
      if nextActivation <= nextCap && nextActivation <= nextFull {
        activate(Int(floorLevels[activation].index), at: nextActivation, claims, &states, &shares)
        activation += 1
      } else if nextCap <= nextFull {
        settleAtCap(Int(capLevels[cap].index), claims, &states, &shares)
        cap += 1
      } else {
        let circuit = Int(heap[0].index)
        if isFull(circuit, at: nextFull) { settle(below: circuit, at: nextFull, claims, &states, &shares) }
        let bound = bound(of: circuit, from: nextFull, nextActivation: nextActivation)
        replaceTop(by: bound.map { Event(level: $0, index: Int32(circuit)) })
      }
    }
  }

  /// A level, at least `level`, below which no phase of the circuit can be full; nil when nobody below it can rise any more.
  private func bound(of circuit: Int, from level: Int, nextActivation: Int) -> Int? {
    let row = rows[circuit]
    let (all, slacks) = (row.rising &+ row.waiting, row.slack(at: level))
    var bound: Int?
    for lane in 0..<3 where all[lane] > 0 {
      let (rising, slack) = (row.rising[lane], slacks[lane])
      let untilThen = rising > 0 ? min(level + slack / rising, nextActivation) : nextActivation
      bound = min(bound ?? .max, max(untilThen, level + slack / all[lane]))
    }
    return bound
  }

  /// Whether some phase of the circuit cannot take another step of the level. A row on which nobody rises yet is full when not
  /// even one milliampere is left: whoever waits there stays at its floor.
  private func isFull(_ circuit: Int, at level: Int) -> Bool {
    (0..<3).contains { isFull(circuit, $0, at: level) }
  }

  private func isFull(_ circuit: Int, _ lane: Int, at level: Int) -> Bool {
    let row = rows[circuit]
    let rising = row.rising[lane]
    return rising > 0 && (row.left[lane] << FairShare.fraction) - rising * level < rising
  }

  private mutating func activate(
    _ index: Int, at level: Int, _ claims: Span<FairShare.Claim>, _ states: inout States, _ shares: inout Shares
  ) {
    guard states[index] == .waiting else { return }
    let claim = claims[index]
    if let binding = rowWithoutRoom(toRaise: claim, at: level) {
      settle(index, at: claim.floor, because: binding, claim, &states, &shares)
      return
    }
    states[index] = .rising
    change(claim) { row, mask in
      row.left &+= mask & claim.floor.raw
      row.waiting &-= mask & claim.weight
      row.rising &+= mask & claim.weight
    }
  }

  /// A claim counts as `weight` times level while it rises, which at its activation is up to a milliampere more than its floor.
  private func rowWithoutRoom(toRaise claim: FairShare.Claim, at level: Int) -> FairShare.Binding? {
    let more = claim.weight * level - (claim.floor.raw << FairShare.fraction)
    return firstNegative(on: claim) { row in row.slack(at: level) &- Row.Lanes(repeating: more) }
  }

  private mutating func settleAtCap(
    _ index: Int, _ claims: Span<FairShare.Claim>, _ states: inout States, _ shares: inout Shares
  ) {
    guard states[index] == .rising else { return }
    settle(index, at: claims[index].cap, because: nil, claims[index], &states, &shares)
  }

  /// Stops everybody who rises or waits below a phase of the circuit that is full.
  private mutating func settle(
    below circuit: Int, at level: Int, _ claims: Span<FairShare.Claim>, _ states: inout States, _ shares: inout Shares
  ) {
    for phase in 0..<3 where isFull(circuit, phase, at: level) {
      let binding = FairShare.Binding(circuit: circuit, phase: Phase(rawValue: phase)!)
      for place in first[circuit]..<end[circuit] {
        let index = Int(order[place])
        guard states[index] != .settled, claims[index].phases.rawValue & (1 << UInt8(phase)) != 0 else { continue }
        let claim = claims[index]
        let reached = states[index] == .rising ? (claim.weight * level) >> FairShare.fraction : claim.floor.raw
        settle(index, at: Current(raw: min(reached, claim.cap.raw)), because: binding, claim, &states, &shares)
      }
    }
  }

  private mutating func settle(
    _ index: Int, at current: Current, because binding: FairShare.Binding?, _ claim: FairShare.Claim, _ states: inout States,
    _ shares: inout Shares
  ) {
    if states[index] == .rising {
      change(claim) { row, mask in
        row.rising &-= mask & claim.weight
        row.left &-= mask & current.raw
      }
    } else {
      change(claim) { row, mask in row.waiting &-= mask & claim.weight }
    }
    states[index] = .settled
    shares[index] = FairShare.Share(current: current, binding: current == claim.cap ? nil : binding)
  }

  // The heap: the least level on top, equal levels by circuit.

  private mutating func push(_ event: Event) {
    heap.append(event)
    var child = heap.count - 1
    while child > 0 {
      let above = (child - 1) / 2
      guard event.precedes(heap[above]) else { break }
      heap[child] = heap[above]
      child = above
    }
    heap[child] = event
  }

  /// Puts an event in the place of the least, or the last one if there is none, and down from there.
  private mutating func replaceTop(by next: Event?) {
    guard let event = next ?? heap.popLast(), !heap.isEmpty else { return }
    var heap = self.heap.mutableSpan
    var place = 0
    while true {
      var child = 2 * place + 1
      guard child < heap.count else { break }
      if child + 1 < heap.count, heap[child + 1].precedes(heap[child]) { child += 1 }
      guard heap[child].precedes(event) else { break }
      heap[place] = heap[child]
      place = child
    }
    heap[place] = event
  }
}
