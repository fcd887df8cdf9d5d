import Quantities
import Site

/// What the newest plan can do for a session: whether it will have what it wants when it leaves.
public struct Outlook: Hashable, Sendable, Codable {
  /// A limit that holds it back.
  public struct Neck: Hashable, Sendable, Codable {
    /// Index into the hub's circuits.
    public var circuit: Int
    public var phases: Phases
    public var from: Instant
    public var until: Instant
    public init(circuit: Int, phases: Phases, from: Instant, until: Instant) {
      (self.circuit, self.phases, self.from, self.until) = (circuit, phases, from, until)
    }
  }
  /// What it wants in the whole session, and what of that it will lack.
  public var wanted: Energy
  public var short: Energy
  /// When it leaves.
  public var departure: Instant
  /// Energy or departure is what the hub has learnt to expect, not what somebody said.
  public var isEstimate: Bool
  /// When the plan was asked for.
  public var plannedAt: Instant
  /// What holds it back most stands first; empty when nothing is lacking, or when the time is too short even without limits.
  public var necks: [Neck]

  public init(wanted: Energy, short: Energy, departure: Instant, isEstimate: Bool, plannedAt: Instant, necks: [Neck]) {
    (self.wanted, self.short, self.departure) = (wanted, short, departure)
    (self.isEstimate, self.plannedAt, self.necks) = (isEstimate, plannedAt, necks)
  }
}

extension Planned {
  /// Less than this is no shortfall: the last step of a vehicle's current is worth as much.
  private static var noticeable: Energy { .wattHours(100) }
  private static var necksListed: Int { 3 }

  /// - Returns: nil: the plan does not know the transaction.
  public func outlook(connector: Int, transaction: Int) -> Outlook? {
    session(connector, transaction).map { outlook(of: $0) }
  }
  /// Where the place of the connector is not known.
  public func outlook(transaction: Int) -> Outlook? {
    sessions.first { $0.transaction == transaction }.map { outlook(of: $0) }
  }

  private func outlook(of session: Session) -> Outlook {
    // What does not fit into a plan that ends before the vehicle leaves may come later.
    let isWhole = session.departure <= start + slot * slots
    let short = isWhole && session.unserved >= Self.noticeable ? session.unserved : .zero
    return Outlook(
      wanted: session.taken + session.needed, short: short, departure: session.departure, isEstimate: session.isEstimate,
      plannedAt: session.asked, necks: short > .zero ? necks(session) : [])
  }

  /// Phases that are full at the same time are one neck.
  private func necks(_ session: Session) -> [Outlook.Neck] {
    var found: [Outlook.Neck] = []
    for neck in session.necks {
      let (from, until) = (start + slot * neck.first, start + slot * (neck.last + 1))
      if let place = found.firstIndex(where: { $0.circuit == neck.circuit && $0.from == from && $0.until == until }) {
        found[place].phases.formUnion(Phases(neck.phase))
      } else {
        found.append(Outlook.Neck(circuit: neck.circuit, phases: Phases(neck.phase), from: from, until: until))
      }
    }
    return Array(found.prefix(Self.necksListed))
  }
}
