import PlanningMemory

/// In which order energy is handed out: the worthiest first, each session's cheapest slots first.
struct FillOrder {
  struct Entry {
    var session: Int32
    var step: Int32
  }
  /// Value steps of the sessions, by their places in the layout.
  let entries: [Entry]
  let cheapest: [Int]
  /// EUR per kWh.
  let cost: [Double]

  init(_ layout: PlanningLayout) {
    let problem = layout.problem
    var keys: [UInt64] = []
    var all: [Entry] = []
    for at in 0..<layout.memory.sessions {
      for (step, value) in problem.sessions[layout.owner[at]].value.enumerated() {
        keys.append(sortingKey(-value.euroPerKilowattHour, all.count))
        all.append(Entry(session: Int32(at), step: Int32(step)))
      }
    }
    keys.sort()
    entries = keys.map { all[Int($0 & 0xFFFF_FFFF)] }
    let cost = (0..<problem.slots).map(problem.cost)
    self.cost = cost
    cheapest = cost.indices.sorted { (cost[$0], $0) < (cost[$1], $1) }
  }
}

/// A whole number that sorts like `value` in float32, equal ones by index.
@inline(__always) func sortingKey(_ value: Double, _ index: Int) -> UInt64 {
  let bits = Float(value).bitPattern
  let rising = bits & 0x8000_0000 != 0 ? ~bits : bits | 0x8000_0000
  return UInt64(rising) << 32 | UInt64(index)
}
