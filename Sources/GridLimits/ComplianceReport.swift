import Documents
import Quantities
import Site

/// How one limit event was kept.
public struct ComplianceReport: Hashable, Sendable, Codable {
  public var limit: String
  public var source: String
  public var owner: String
  /// Index and name of the circuit.
  public var circuit: Int
  public var circuitName: String
  public var amount: Limit.Amount
  /// With which amperes become watts: the meter's currents, at power factor 1.
  public var voltage: Voltage
  /// When the hub was told.
  public var received: Instant
  /// It held already when a controller was started that knows nothing of what was before: `received` and `from` are that start.
  public var isResumed = false
  /// Since when it holds, not before it was received.
  public var from: Instant
  public var until: Instant?
  /// When it was over, or what it is told up to.
  public var ended: Instant?
  /// The first profile that lowered a current after it was received, while it was not met.
  public var firstProfile: Instant?
  /// The first reading at or below the limit.
  public var metAt: Instant?
  public var loadAtBegin: PerPhase<Current>?
  public var largestExcess = Power.zero
  /// On one phase.
  public var largestExcessCurrent = Current.zero
  /// Energy above the limit, the time until it was met included.
  public var above = Energy.zero
  /// Quarter hours by the clock that it touched, and those of whose time nine tenths were seen and whose mean was at or below it.
  public var quarters = 0
  public var quartersInside = 0
  public var samples = 0
  /// Time without a reading.
  public var unseen = TimeSpan.zero
  public var points: [Point] = []
  /// Of the same id, replaced within seconds before it or beside it; nil: none.
  public var brief: Brief?

  /// Limits that have no report of their own: one of the same id took the place of each within seconds.
  public struct Brief: Hashable, Sendable, Codable {
    public var count = 0
    /// When the first of them began.
    public var since: Instant
    public var largestExcess = Power.zero
    public var above = Energy.zero
  }
  public struct Point: Hashable, Sendable, Codable {
    public var at: Instant
    /// In the unit of the limit, thousandths: mW of all phases, or mA of the phase nearest to its limit.
    public var load: Int
  }

  public init(
    limit: String, source: String, owner: String, circuit: Int, circuitName: String, amount: Limit.Amount, voltage: Voltage,
    received: Instant, from: Instant, until: Instant?
  ) {
    (self.limit, self.source, self.owner, self.circuit, self.circuitName) = (limit, source, owner, circuit, circuitName)
    (self.amount, self.voltage, self.received, self.from, self.until) = (amount, voltage, received, from, until)
  }

  /// What a load has above the limit, in power over all phases and in current on the worst one; zero where it is kept.
  func excess(of load: PerPhase<Current>) -> (power: Power, current: Current) {
    switch amount {
    case .power(let power):
      let above = max(.zero, load.map { max(.zero, $0) }.sum.power(at: voltage, phases: 1) - power)
      return (above, above.current(at: voltage, phases: 3))
    case .current(let limit):
      let above = PerPhase(
        max(.zero, load.l1 - limit.l1), max(.zero, load.l2 - limit.l2), max(.zero, load.l3 - limit.l3))
      return (above.sum.power(at: voltage, phases: 1), above.largest)
    }
  }

  func figure(_ load: PerPhase<Current>) -> Int {
    switch amount {
    case .power: return load.map { max(.zero, $0) }.sum.power(at: voltage, phases: 1).raw
    case .current(let limit):
      let worst = Phase.allCases.max { load[$0] - limit[$0] < load[$1] - limit[$1] } ?? .l1
      return load[worst].raw
    }
  }

  /// A name for files and paths: when it was received, and which it is.
  public var name: String {
    let time = Timestamp.text(from.milliseconds).filter { $0.isNumber || $0 == "T" }.prefix(15)
    let plain = limit.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") ? $0 : "_" }
    return "\(time)-\(String(plain))-\(from.milliseconds % 1000)"
  }

  private var limitFigure: Int {
    switch amount {
    case .power(let power): power.raw
    case .current(let current): current.smallest.raw
    }
  }

  /// It is over so soon that it is told with what replaced it, unless that has been going on for a quarter of an hour.
  var isBrief: Bool {
    guard let ended, !isResumed else { return false }
    return ended - from < .seconds(5) && ended - (brief?.since ?? from) < .minutes(15)
  }

  /// Tells of one that it replaced, and of those that one has told of.
  mutating func takeOver(_ other: ComplianceReport) {
    var sum = other.brief ?? Brief(since: other.from)
    sum.add(Brief(count: 1, since: other.from, largestExcess: other.largestExcess, above: other.above))
    if let brief { sum.add(brief) }
    brief = sum
  }

  // MARK: Forms

  /// One object; its bytes are what is signed.
  public func json(hub: String) -> String {
    var writer = JSONWriter(reserving: 4096)
    func member(_ name: String, _ value: Instant?) {
      writer.key(name)
      if let value { writer.string(Timestamp.text(value.milliseconds)) } else { writer.null() }
    }
    func seconds(_ name: String, _ value: TimeSpan?) {
      writer.key(name)
      if let value { writer.decimal(value.milliseconds, 3) } else { writer.null() }
    }
    writer.beginObject()
    for (name, text) in [
      ("format", "sluice-compliance-1"), ("report", self.name), ("hub", hub), ("limit", limit), ("source", source),
      ("owner", owner),
      ("circuit", circuitName),
    ] {
      writer.key(name)
      writer.string(text)
    }
    switch amount {
    case .power(let power):
      writer.key("limit_w")
      writer.decimal(power.raw, 3)
    case .current(let current):
      writer.key("limit_a")
      writer.beginArray()
      for phase in Phase.allCases { writer.decimal(current[phase].raw, 3) }
      writer.endArray()
    }
    writer.key("resumed")
    writer.bool(isResumed)
    member("received", received)
    member("from", from)
    member("until", until)
    member("ended", ended)
    member("first_profile", firstProfile)
    seconds("first_profile_s", firstProfile.map { $0 - received })
    member("met", metAt)
    seconds("met_s", metAt.map { $0 - from })
    writer.key("largest_excess_w")
    writer.decimal(largestExcess.raw, 3)
    writer.key("largest_excess_a")
    writer.decimal(largestExcessCurrent.raw, 3)
    writer.key("above_wh")
    writer.decimal(above.raw, 3)
    writer.key("quarters")
    writer.integer(quarters)
    writer.key("quarters_inside")
    writer.integer(quartersInside)
    writer.key("samples")
    writer.integer(samples)
    seconds("unseen_s", unseen)
    writer.key("voltage_v")
    writer.decimal(voltage.raw, 3)
    if let brief {
      writer.key("brief_limits")
      writer.integer(brief.count)
      member("brief_since", brief.since)
      writer.key("brief_largest_excess_w")
      writer.decimal(brief.largestExcess.raw, 3)
      writer.key("brief_above_wh")
      writer.decimal(brief.above.raw, 3)
    }
    writer.key("points")
    writer.beginArray()
    for point in points {
      writer.beginArray()
      writer.decimal((point.at - from).milliseconds, 3)
      writer.decimal(point.load, 3)
      writer.endArray()
    }
    writer.endArray()
    writer.endObject()
    return writer.text
  }
}

extension ComplianceReport.Brief {
  fileprivate mutating func add(_ other: Self) {
    count += other.count
    since = min(since, other.since)
    largestExcess = max(largestExcess, other.largestExcess)
    above = above + other.above
  }
}
