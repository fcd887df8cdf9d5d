import Quantities

/// Many trials of one kind, and their figures.
public struct LimitTrials: Sendable {
  /// How fast the vehicles are and how many stations do not obey.
  public struct Kind: Hashable, Sendable {
    public var name: String
    public var slowest: TimeSpan
    public var disobedient: Int
    /// What is promised of 999 in 1000; nil: nothing.
    public var promised: TimeSpan?
  }
  /// 5 s is what IEC 61851-1 (table A.6) leaves a vehicle to follow its pilot signal; slower ones are on the road.
  public static let kinds = [
    Kind(name: "vehicles within 5 s", slowest: .seconds(5), disobedient: 0, promised: .seconds(20)),
    Kind(name: "within 5 s, 5 % disobedient", slowest: .seconds(5), disobedient: 50, promised: .seconds(30)),
    Kind(name: "vehicles within 15 s", slowest: .seconds(15), disobedient: 0, promised: nil),
    Kind(name: "within 15 s, 5 % disobedient", slowest: .seconds(15), disobedient: 50, promised: nil),
    Kind(name: "vehicles within 30 s", slowest: .seconds(30), disobedient: 0, promised: nil),
    Kind(name: "within 30 s, 5 % disobedient", slowest: .seconds(30), disobedient: 50, promised: nil),
  ]
  public var kind: Kind
  /// In the order of their seeds.
  public var outcomes: [LimitTrial.Outcome]
  public init(_ kind: Kind, _ outcomes: [LimitTrial.Outcome]) { (self.kind, self.outcomes) = (kind, outcomes) }

  /// Of those that are full in time; rising.
  public var times: [TimeSpan] { outcomes.compactMap(\.met).sorted() }
  /// Trials whose hub was not full in time.
  public var unfilled: Int { outcomes.count { $0.met == nil } }
  /// The time within which `permille` of the trials met the limit; nil: there are none.
  public func quantile(_ permille: Int) -> TimeSpan? {
    let times = times
    return times.isEmpty ? nil : times[min(times.count - 1, max(0, (times.count * permille + 999) / 1000 - 1))]
  }
  /// How many met the limit within a time.
  public func met(within time: TimeSpan) -> Int { times.count { $0 <= time } }
}
