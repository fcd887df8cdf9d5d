import Quantities
import Scenarios

/// What became of one story under one strategy.
public struct Outcome: Sendable {
  public struct Session: Sendable, Hashable {
    public var asked: Energy
    public var delivered: Energy
    public var shortfall: Energy { asked - delivered }
    /// The first step in which it was there no more, or the end of the run.
    public var until: Int
    /// It was still there when the run ended: it does not count among the demands.
    public var isOpen: Bool
  }
  public struct Violation: Sendable, Hashable {
    public var step: Int
    public var circuit: Int
    public var phase: Phase
    public var limit: Current
    public var current: Current
    /// A mean over a quarter of an hour, not the current of a step.
    public var isMean: Bool
  }
  public var strategy: Strategy
  public var seed: UInt64
  /// How many steps were lived; fewer than asked for when it was stopped.
  public var steps = 0
  public var isComplete = false
  /// In the order of `Story.visits`, as far as they came.
  public var sessions: [Session] = []
  /// Per step, whole watts at the connection: all, the vehicles alone, and the limit.
  public var load: [Int32] = []
  public var vehicles: [Int32] = []
  public var limit: [Int32] = []
  /// Vehicles that are there and not full, and those of them that draw nothing.
  public var present: [Int16] = []
  public var waiting: [Int16] = []
  /// Highest mean of a quarter of an hour, by month since the first, kW at the connection.
  public var quarterPeaks: [(month: String, kilowatts: Double)] = []
  public var energyCost = 0.0
  /// kWh that vehicles would have taken in a step and did not get in it.
  public var heldBack = 0.0
  public var largestUnbalance = Current.zero
  public var violationCount = 0
  /// The first and the largest.
  public var violations: [Violation] = []
  public var profiles = 0
  public var plans = 0
  public var thoughts = 0
  /// With details: mA per step, circuit and phase; and offers and draws as they change.
  public var currents: [Int32] = []
  public var changes: [Change] = []

  public struct Change: Sendable, Hashable {
    public var step: Int32
    public var connector: Int16
    public var offer: Int32
    public var draw: Int32
  }
  public init(strategy: Strategy, seed: UInt64) { (self.strategy, self.seed) = (strategy, seed) }

  /// Keeps nothing of the single steps and sessions.
  public mutating func forgetSteps() {
    (sessions, load, vehicles, limit, present, waiting, currents, changes) = ([], [], [], [], [], [], [], [])
  }
}
