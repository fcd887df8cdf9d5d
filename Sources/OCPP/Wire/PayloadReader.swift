import Documents
import Quantities

/// Reads the members of a payload leniently: a bad member is lost and said, the rest is kept (lbbrhzn#1627: one bad unit must not cost a
/// whole StopTransaction).
struct PayloadReader {
  let node: Node
  let place: String
  /// What was wrong, without the values, so that the same fault is the same text.
  var deviations: [String] = []

  init(_ node: Node, _ place: String) { (self.node, self.place) = (node, place) }

  mutating func deviate(_ what: String) { deviations.append("\(place): \(what)") }

  /// Says which members do not belong here (steve#1460).
  mutating func expect(only known: [String]) {
    for member in node.members where !known.contains(member.key) { deviate("unknown member \(member.key.cut(to: 50))") }
  }

  /// The elements of a list; none if there is no list.
  func elements(_ key: String) -> [Node] { node[key].map { Array($0.elements) } ?? [] }

  /// A text that is not empty; numbers are taken as they are written. A few times its limit is kept of one that is longer.
  mutating func text(_ key: String, limit: Int) -> String? { whole(key, limit: limit)?.cut(to: limit * 4) }

  /// A text that tells one thing from another: it is never cut, for its beginning may be another's name. Serial numbers come as idTags
  /// (lbbrhzn#514); beyond `longestName` it is taken for missing.
  mutating func name(_ key: String, limit: Int) -> String? {
    guard let text = whole(key, limit: limit) else { return nil }
    return text.utf8.count <= Self.longestName ? text : nil
  }
  static let longestName = 255

  private mutating func whole(_ key: String, limit: Int) -> String? {
    guard let value = node.optional(at: key) else { return nil }
    guard let text = value.string else {
      deviate("\(key) is not a text")
      return value.kind == .number ? value.source : nil
    }
    if text.unicodeScalars.count > limit { deviate("\(key) is longer than \(limit) characters") }
    return text.isEmpty ? nil : text
  }

  /// A whole number; `"12"` and `12.0` count as one.
  mutating func integer(_ key: String) -> Int? {
    guard let value = node.optional(at: key) else { return nil }
    if let integer = value.integer { return integer }
    deviate("\(key) is not a whole number")
    return value.string.flatMap { ExactNumber($0)?.integer }
  }

  /// A member without which the message means nothing.
  mutating func essentialInteger(_ key: String) throws(CallFault) -> Int {
    guard let value = node.optional(at: key) else { throw CallFault(.occurrenceConstraintViolation, "\(key) is missing") }
    guard let integer = integer(key) else {
      throw CallFault(.typeConstraintViolation, "\(key) is a whole number, found \(value.excerpt)")
    }
    return integer
  }
  mutating func essentialConnector() throws(CallFault) -> Int {
    let connector = try essentialInteger("connectorId")
    guard (0...1000).contains(connector) else {
      throw CallFault(.propertyConstraintViolation, "connectorId counts from 0, found \(connector)")
    }
    return connector
  }
  mutating func essentialText(_ key: String, limit: Int) throws(CallFault) -> String {
    let found = text(key, limit: limit)
    return try essential(key, found)
  }
  mutating func essentialName(_ key: String, limit: Int) throws(CallFault) -> String {
    let found = name(key, limit: limit)
    return try essential(key, found)
  }
  private func essential(_ key: String, _ found: String?) throws(CallFault) -> String {
    guard let value = node.optional(at: key) else { throw CallFault(.occurrenceConstraintViolation, "\(key) is missing") }
    if let found { return found }
    if let text = value.string {
      throw CallFault(.propertyConstraintViolation, text.isEmpty ? "\(key) is empty" : "\(key) is far too long")
    }
    throw CallFault(.typeConstraintViolation, "\(key) is a text, found \(value.excerpt)")
  }

  /// An energy in Wh that should be a whole number and is not always (26008.333: ocpp-cp-simulator#83). Lost: zero.
  mutating func wattHours(_ key: String) -> Energy {
    guard let value = node.optional(at: key) else {
      deviate("\(key) is missing")
      return .zero
    }
    if value.integer == nil { deviate("\(key) is not a whole number") }
    let number = value.number ?? value.string.flatMap { ExactNumber($0) }
    return number?.floored(scaledBy: 3).flatMap { abs($0) < Self.largestEnergy ? Energy(milliwattHours: $0) : nil } ?? .zero
  }
  /// A terawatt-hour: beyond it a register is nonsense, and sums could overflow.
  static let largestEnergy = 1_000_000_000_000_000

  mutating func time(_ key: String, isRequired: Bool) -> Instant? {
    guard let value = node.optional(at: key) else {
      if isRequired { deviate("\(key) is missing") }
      return nil
    }
    switch value.string.map(StationTime.init) ?? .unreadable {
    case .instant(let instant): return instant
    case .withoutZone(let instant):
      deviate("\(key) has no zone")
      return instant
    case .unset:
      deviate("\(key) is before 2010")
      return nil
    case .unreadable:
      deviate("\(key) is not a date and time")
      return nil
    }
  }
}

extension String {
  /// At most so many of its Unicode scalars. Of those that look like one character there may be any number.
  func cut(to most: Int) -> String { utf8.count <= most ? self : String(unicodeScalars.prefix(most)) }
}
