import Site

/// Somebody at the window: who, and what they may see and do.
public struct Audience: Hashable, Sendable {
  public var name: String
  public var role: Role
  public init(name: String, role: Role) { (self.name, self.role) = (name, role) }

  /// Id tags name people: only those who answer for the hub see them whole.
  func shown(_ idTag: String?) -> String? {
    guard let idTag, !idTag.isEmpty else { return idTag }
    switch role {
    case .administrator, .operator: return idTag
    case .viewer, .gridOperator: return String(idTag.prefix(2)) + String(repeating: "*", count: max(2, idTag.count - 2))
    }
  }

  /// Sees the connection and its own limits, and nothing of stations, vehicles and what else is below.
  var seesConnectionOnly: Bool { isGridOperator }
  public var isGridOperator: Bool { role == .gridOperator }

  /// As it stands in the journal and on screens.
  public var signature: String { "\(name) (\(role.rawValue))" }
}
