/// What somebody at the hub's window may see and do.
public enum Role: String, Hashable, Sendable, Codable, CaseIterable {
  /// Sees the hub; id tags are masked.
  case viewer
  /// Gives orders to stations and sessions, and sets limits.
  case `operator`
  /// Sees the connection and its own limits only, and sets those.
  case gridOperator = "grid-operator"
  /// Everything, with what secrets there are.
  case administrator
}

/// For whom a listener is there.
public enum Purpose: String, Hashable, Sendable, Codable, CaseIterable {
  case stations
  case people
  case gridOperator = "grid-operator"
}
