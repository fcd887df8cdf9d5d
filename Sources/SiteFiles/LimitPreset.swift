import Documents
import Quantities

/// What is known of a kind of limit, from `Profiles/limits`: a site file names it and says what is its own.
public struct LimitPreset: Hashable, Sendable {
  public var name: String
  public var source: String
  public var days: [Int]?
  public var months: [Int]?
  /// Seconds after midnight.
  public var from: Int?
  public var until: Int?
  public var silentAfter: TimeSpan?
  public var needsFreshLimit: Bool
  /// What the first device is left, and thousandths of it for each further one by how many there are; the last for all more.
  public var device: Power?
  public var simultaneity: [Int]
  /// Of a mean that is measured by the clock, and the mean below which nothing is gained.
  public var window: TimeSpan?
  public var leastMean: Power?

  public init(text: String, name: String) throws(DocumentErrors) {
    let document: Document
    do throws(DocumentError) { document = try Document(json5: text, name: "\(name).json5") } catch { throw DocumentErrors([error]) }
    let findings = Findings()
    for problem in document.problems { findings.add(problem) }
    let reader = ObjectReader(document.root, findings: findings)
    self.name = reader.required("preset", .identifier) ?? ""
    if self.name != name, findings.isEmpty { reader.complain(about: "preset", expected: "\"\(name)\", as the file is called") }
    _ = reader.required("about", .text)
    source = reader.required("source", .label) ?? ""
    days = reader.optional("days", .weekdays)
    months = reader.optional("months", .list(Shape<Int>.whole(1...12)))
    from = reader.optional("from", .secondsOfDay)
    until = reader.optional("until", .secondsOfDay)
    silentAfter = reader.optional("silent_after_s", .seconds(1...86_400))
    needsFreshLimit = reader.optional("needs_fresh_limit", .flag, else: false)
    device = reader.optional("device_kw", Shape<Int>.scaled(3, 0...1000, "a power in kilowatts").map { Power.watts($0) })
    simultaneity = reader.optional("simultaneity", .list(Shape<Int>.scaled(3, 0...1, "a factor")), else: [])
    window = reader.optional("window_min", .minutes(1...1440))
    leastMean = reader.optional("least_mean_kw", Shape<Int>.scaled(3, 0...1000, "a power in kilowatts").map { Power.watts($0) })
    if (device == nil) != simultaneity.isEmpty {
      reader.complain(about: "simultaneity", expected: "`device_kw` and `simultaneity`, or neither")
    }
    reader.finish()
    try findings.throwIfAny()
  }

  /// What so many steered devices are left together; nil: the preset says nothing of devices.
  /// - Precondition: at least one.
  public func least(devices count: Int) -> Power? {
    guard let device, let last = simultaneity.last else { return nil }
    precondition(count > 0)
    let factor = simultaneity.indices.contains(count - 1) ? simultaneity[count - 1] : last
    return device + (device * (count - 1)).scaled(factor, over: 1000)
  }
}

extension Shape where Value == [Int] {
  /// 1 is Monday.
  static var weekdays: Shape {
    .list(.oneOf(["mon": 1, "tue": 2, "wed": 3, "thu": 4, "fri": 5, "sat": 6, "sun": 7]))
  }
}

extension Shape where Value == Int {
  /// Seconds after midnight.
  static var secondsOfDay: Shape {
    Shape("a time of day such as \"17:00\", \"24:00\" at most") { node in
      guard let text = node.string else { return nil }
      let parts = text.split(separator: ":", omittingEmptySubsequences: false).map { $0.count == 2 ? Int($0) ?? -1 : -1 }
      guard parts.count == 2, (0...24).contains(parts[0]), (0...59).contains(parts[1]), parts[0] < 24 || parts[1] == 0 else {
        return nil
      }
      return parts[0] * 3600 + parts[1] * 60
    }
  }
}
