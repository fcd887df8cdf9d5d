import Documents
import Quantities

/// Collects the members of an object on its way out, in the order given; absent ones are left out.
struct WireObject {
  private(set) var members: [DocumentValue.Member] = []
  init() {}
  mutating func put(_ key: String, _ value: DocumentValue?) {
    if let value { members.append(DocumentValue.Member(key, value)) }
  }
  mutating func put(_ key: String, text: String?) { put(key, text.map(DocumentValue.string)) }
  mutating func put(_ key: String, integer: Int?) { put(key, integer.map(DocumentValue.integer)) }
  mutating func put(_ key: String, time: Instant?) { put(key, time.map(DocumentValue.time)) }
  /// Whole seconds, cut.
  mutating func put(_ key: String, seconds: TimeSpan?) { put(key, integer: seconds.map { $0.milliseconds / 1000 }) }
  var value: DocumentValue { .object(members) }

  static let empty = DocumentValue.object([DocumentValue.Member]())
  /// An object with the single member `status`.
  static func status(_ text: String) -> DocumentValue { .object([DocumentValue.Member("status", .string(text))]) }
}

extension DocumentValue {
  static func time(_ instant: Instant) -> DocumentValue { .string(Timestamp.text(instant.milliseconds)) }
}

/// A time as a station says it.
enum StationTime: Hashable {
  case instant(Instant)
  /// No zone was given; taken as UTC (Growatt THOR, evcc#10399).
  case withoutZone(Instant)
  /// Before 2010: the clock was never set (1970, MicroOcpp#311).
  case unset
  case unreadable

  /// Nothing that a station says can have happened before this: 2010-01-01.
  static let earliest = Instant(seconds: 1_262_304_000)

  init(_ text: String) {
    guard let time = Timestamp(text) else {
      self = .unreadable
      return
    }
    let instant = Instant(milliseconds: time.milliseconds)
    self = instant < Self.earliest ? .unset : time.hasZone ? .instant(instant) : .withoutZone(instant)
  }
}
