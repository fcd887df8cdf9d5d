/// Collects what is wrong with a document, so that one reading reports all of it.
public final class Findings {
  public private(set) var errors: [DocumentError] = []
  public init() {}
  public func add(_ error: DocumentError) { errors.append(error) }
  public var isEmpty: Bool { errors.isEmpty }
  /// - Throws: all that was found, in the order of the text.
  public func throwIfAny() throws(DocumentErrors) {
    guard errors.isEmpty else { throw DocumentErrors(errors.sorted { $0.position < $1.position }) }
  }
}

/// Reads the members of one object, remembers which were asked for, and complains about what is missing, wrong or unknown.
///
/// A wrong or missing member gives nil and a finding; call `finish()` at the end for the keys that nobody asked for.
public final class ObjectReader {
  public let node: Node
  public let findings: Findings
  private var asked: [String] = []

  /// - Parameter node: anything but an object is a finding, and reads as an empty one.
  public init(_ node: Node, findings: Findings) {
    (self.node, self.findings) = (node, findings)
    if node.kind != .object { findings.add(node.error(expected: "an object")) }
  }

  /// The member, `null` counting as absent; remembers that it was asked for.
  public func member(_ key: String) -> Node? {
    asked.append(key)
    return node.optional(at: key)
  }
  public func required<Value>(_ key: String, _ shape: Shape<Value>) -> Value? {
    guard let member = member(key) else {
      if node.kind == .object { findings.add(node.error(found: "no `\(key)` here", expected: "`\(key)`: \(shape.expected)")) }
      return nil
    }
    return read(member, shape)
  }
  /// nil when absent, or wrong.
  public func optional<Value>(_ key: String, _ shape: Shape<Value>) -> Value? { member(key).flatMap { read($0, shape) } }
  public func optional<Value>(_ key: String, _ shape: Shape<Value>, else absent: Value) -> Value {
    optional(key, shape) ?? absent
  }
  /// The object under `key`; nil when absent.
  public func object(_ key: String) -> ObjectReader? { member(key).map { ObjectReader($0, findings: findings) } }
  /// The objects in the list under `key`; none when absent.
  public func objects(_ key: String) -> [ObjectReader] {
    guard let list = member(key) else { return [] }
    guard list.kind == .array else {
      findings.add(list.error(expected: "a list of objects"))
      return []
    }
    return list.elements.map { ObjectReader($0, findings: findings) }
  }
  public func read<Value>(_ member: Node, _ shape: Shape<Value>) -> Value? {
    if let value = shape.read(member) { return value }
    findings.add(shape.flaw(member))
    return nil
  }
  /// A finding about the member `key`, or about the object when there is none.
  public func complain(about key: String, found: String? = nil, expected: String) {
    let place = node[key] ?? node
    findings.add(place.error(found: found ?? place.excerpt, expected: expected))
  }

  /// Complains about each key that was not asked for, with the nearest that could have been meant. `$schema` is always allowed.
  public func finish() {
    for member in node.members where member.key != "$schema" && !asked.contains(member.key) {
      let near = Self.nearest(to: member.key, among: asked)
      let known = asked.isEmpty ? "no key here" : "one of " + asked.map { "`\($0)`" }.joined(separator: ", ")
      findings.add(
        member.label.error(found: "the unknown key `\(member.key)`", expected: near.map { "`\($0)` perhaps" } ?? known))
    }
  }

  /// The word with the fewest single-letter changes from `word`, if that is at most a third of its length; the first of several.
  static func nearest(to word: String, among words: [String]) -> String? {
    var best: (word: String, distance: Int)?
    for candidate in words {
      let distance = distance(Array(word.lowercased().utf8), Array(candidate.lowercased().utf8))
      if distance <= max(1, word.utf8.count / 3), distance < best?.distance ?? Int.max { best = (candidate, distance) }
    }
    return best?.word
  }
  /// Levenshtein's distance. Source: Wagner & Fischer, JACM 21 (1974), 168-173.
  private static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var row = Array(0...b.count)
    for i in a.indices {
      var diagonal = row[0]
      row[0] = i + 1
      for j in b.indices {
        let above = row[j + 1]
        row[j + 1] = min(above + 1, row[j] + 1, diagonal + (a[i] == b[j] ? 0 : 1))
        diagonal = above
      }
    }
    return row[b.count]
  }
}
