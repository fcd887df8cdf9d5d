/// The alarms that are raised, oldest first. Whether one is raised is known in O(1). Coded as the array of its alarms.
struct AlarmList: Sendable, Codable {
  private(set) var all: [Alarm] = []
  private var known: Set<Alarm> = []

  init() {}
  init(from decoder: any Decoder) throws {
    all = try [Alarm](from: decoder)
    known = Set(all)
  }
  func encode(to encoder: any Encoder) throws { try all.encode(to: encoder) }

  /// - Returns: whether that is new.
  mutating func set(_ alarm: Alarm, raised: Bool) -> Bool {
    guard known.contains(alarm) != raised else { return false }
    if raised {
      known.insert(alarm)
      all.append(alarm)
    } else {
      known.remove(alarm)
      all.removeAll { $0 == alarm }
    }
    return true
  }
}
