import Quantities

/// Shares the room of a tree of circuits between claims in one instant: weighted max-min fair, and each share is zero or at least the
/// claim's floor. All arithmetic is in whole milliamperes; ties are broken by index; the same input gives the same shares everywhere.
///
/// First the claims are admitted in the order given: a claim gets its floor if every circuit on its path still has that much on each
/// of its phases, and otherwise nothing. Then all admitted claims rise together at one level of current per weight (a claim stays at
/// its floor until the level passes it) until each meets its cap or a circuit with no room left.
///
/// - Source: Bertsekas & Gallager, *Data Networks*, 2nd ed. (1992), §6.5.2, with floors and caps.
public enum FairShare {
  /// A node of the tree of circuits.
  public struct Circuit: Hashable, Sendable {
    /// The index of the circuit that feeds this one, an earlier element; nil for a root. There may be several roots.
    public var parent: Int?
    /// What the claims below may draw together on each phase; zero or less admits nobody.
    public var room: PerPhase<Current>
    public init(parent: Int?, room: PerPhase<Current>) { (self.parent, self.room) = (parent, room) }
  }

  /// Somebody who wants current.
  public struct Claim: Hashable, Sendable {
    /// The largest weight a claim may have: the level is held in steps of 1/1,048,576 mA, and a step must stay below one milliampere.
    public static let largestWeight = 1 << FairShare.fraction
    public var circuit: Int
    /// The phases that carry the share, each the whole of it; not empty.
    public var phases: Phases
    /// The least useful current; positive.
    public var floor: Current
    /// The most it can use; at least `floor`.
    public var cap: Current
    /// 1...`largestWeight`; above their floors, shares grow in proportion to their weights.
    public var weight: Int
    public init(circuit: Int, phases: Phases, floor: Current, cap: Current, weight: Int = 1) {
      (self.circuit, self.phases, self.floor, self.cap, self.weight) = (circuit, phases, floor, cap, weight)
    }
  }

  /// The circuit and the phase that hold a claim back.
  public struct Binding: Hashable, Sendable {
    public var circuit: Int
    public var phase: Phase
    public init(circuit: Int, phase: Phase) { (self.circuit, self.phase) = (circuit, phase) }
  }

  /// What a claim gets.
  public struct Share: Hashable, Sendable {
    /// Zero, or between the claim's floor and its cap.
    public var current: Current
    /// What stopped it; nil exactly when it has its cap.
    public var binding: Binding?
    public init(current: Current, binding: Binding?) { (self.current, self.binding) = (current, binding) }
  }

  /// Bits behind the point of a level (mA per unit of weight).
  static let fraction = 20
  /// Currents are taken as at most this (2,147 kA), so that no product leaves 64 bits.
  static let largestCurrent = 1 << 31

  /// One share per claim, in the order of `claims`.
  /// - Precondition: parents stand before their children; every claim is as its fields say.
  /// - Complexity: about O(*n* log *n* + *n* · depth).
  public static func allocate(circuits: [Circuit], claims: [Claim]) -> [Share] {
    var workspace = Workspace()
    var shares: [Share] = []
    allocate(circuits: circuits, claims: claims, using: &workspace, into: &shares)
    return shares
  }

  /// The same, with memory that is kept from call to call: after the first call of a size nothing is allocated.
  public static func allocate(
    circuits: [Circuit], claims: [Claim], using workspace: inout Workspace, into shares: inout [Share]
  ) {
    workspace.prepare(circuits: circuits, claims: claims)
    workspace.admit(claims, into: &shares)
    workspace.schedule(claims)
    workspace.raise(claims, &shares)
  }
}
