import Quantities

/// A problem laid out for the kernels: time in chunks of eight lanes, each session's window contiguous.
struct PlanningGrid {
  typealias Lanes = SIMD8<Float>
  struct Row {
    var chunks: Range<Int>
    /// Where the window begins in the arrays of vectors; the first lane is slot `chunks.lowerBound * 8`.
    var offset: Int
    var circuit: Int
    var phases: Int
    /// kWh per ampere and slot.
    var unit: Double
    /// EUR per ampere-slot of each value step, falling, and the ampere-slots up to its end.
    var worth: [Double]
    var reach: [Double]
    /// Step size: one over the number of limits that a current of this session touches.
    var tau: Float
  }
  /// What the kernels need of a session: nothing in it is counted by reference.
  struct Window {
    var first: Int
    var count: Int
    var offset: Int
    var circuit: Int
    var phases: Int
    var tau: Float
    /// Its steps in `worth` and `reach`.
    var steps: Range<Int>
  }
  let problem: PlanningProblem
  let chunks: Int
  var rows: [Row] = []
  var windows: [Window] = []
  var worth: [Float] = []
  var reach: [Float] = []
  /// The same in float64.
  var exactWorth: [Double] = []
  var exactReach: [Double] = []
  /// For each circuit its parent, or -1.
  let parents: [Int]
  /// EUR per ampere-slot, without the worth of the energy; the most that may flow (zero outside the window).
  var gain: [Lanes] = []
  var most: [Lanes] = []
  /// For each circuit and phase, chunk by chunk: amperes, and the step size (zero where the limit can never bind).
  var limit: [Lanes]
  var sigma: [Lanes]
  var users: [Lanes]

  init(_ problem: PlanningProblem) {
    self.problem = problem
    chunks = (problem.slots + 7) / 8
    parents = problem.circuits.map { $0.parent ?? -1 }
    let size = problem.circuits.count * 3 * chunks
    limit = Array(repeating: .zero, count: size)
    sigma = Array(repeating: .zero, count: size)
    users = Array(repeating: .zero, count: size)
    var depths: [Int] = []
    for (k, circuit) in problem.circuits.enumerated() {
      depths.append((circuit.parent.map { depths[$0] } ?? 0) + 1)
      for phase in Phase.allCases {
        let values = circuit.limit[phase]
        for slot in 0..<problem.slots {
          limit[(k * 3 + phase.rawValue) * chunks + slot / 8][slot % 8] = Float(values[values.count == 1 ? 0 : slot])
        }
      }
    }
    var drawn = [Lanes](repeating: .zero, count: size)
    for session in problem.sessions { add(session, depth: depths[session.circuit], drawn: &drawn) }
    for k in problem.circuits.indices.reversed() {
      for j in k * 3 * chunks..<(k + 1) * 3 * chunks {
        if let parent = problem.circuits[k].parent {
          let above = j + (parent - k) * 3 * chunks
          users[above] += users[j]
          drawn[above] += drawn[j]
        }
        sigma[j] = (1 / users[j]).replacing(with: 0, where: drawn[j] .<= limit[j])
      }
    }
  }

  private mutating func add(_ session: PlanningProblem.Session, depth: Int, drawn: inout [Lanes]) {
    let unit = problem.energyPerAmpere(session)
    let span = session.window.lowerBound / 8..<(session.window.upperBound + 7) / 8
    let limits = session.phases.count * (depth + (problem.peak > 0 ? 1 : 0))
    var reach: [Double] = []
    for step in session.value { reach.append((reach.last ?? 0) + step.wattHours / 1000 / unit) }
    rows.append(
      Row(
        chunks: span, offset: gain.count, circuit: session.circuit, phases: Int(session.phases.rawValue), unit: unit,
        worth: session.value.map { $0.euroPerKilowattHour * unit }, reach: reach, tau: 1 / Float(limits)))
    windows.append(
      Window(
        first: span.lowerBound, count: span.count, offset: gain.count, circuit: session.circuit,
        phases: Int(session.phases.rawValue), tau: 1 / Float(limits), steps: worth.count..<worth.count + reach.count))
    for step in reach.indices {
      worth.append(Float(session.value[step].euroPerKilowattHour * unit))
      self.reach.append(Float(reach[step]))
      exactWorth.append(session.value[step].euroPerKilowattHour * unit)
      exactReach.append(reach[step])
    }
    for chunk in span {
      var (gains, mosts) = (Lanes.zero, Lanes.zero)
      for lane in 0..<8 where session.window.contains(chunk * 8 + lane) {
        gains[lane] = Float(-unit * problem.cost(chunk * 8 + lane))
        mosts[lane] = Float(session.largest)
      }
      gain.append(gains)
      most.append(mosts)
      for phase in 0..<3 where session.phases.rawValue & (1 << UInt8(phase)) != 0 {
        let j = (session.circuit * 3 + phase) * chunks + chunk
        users[j] += Lanes.zero.replacing(with: 1, where: mosts .> 0)
        drawn[j] += mosts
      }
    }
  }

  func has(_ row: Row, _ phase: Int) -> Bool { row.phases & (1 << phase) != 0 }
  func has(_ window: Window, _ phase: Int) -> Bool { window.phases & (1 << phase) != 0 }
}
