import Quantities
import Site

/// Watches how each limit from outside is kept: when it came, when the first vehicle was lowered, when the meter showed that it is met, and
/// what was above it. Fed with what happens; pure. Its value can be kept and read again by a later process.
public struct ComplianceTracker: Sendable, Codable {
  private var running: [Watched] = []
  /// How often an event has begun, ended, or come further than a reading brings it.
  public private(set) var milestones = 0
  /// One limit event under way: a block of a series, or its fallback.
  private struct Watched: Sendable, Codable {
    var report: ComplianceReport
    /// Where the load is compared; nil: not yet begun.
    var last: Seen?
    var quarters: [Quarter] = []
    var pointStep = TimeSpan.seconds(1)
    /// Above the limit, mW x ms.
    var work = 0
  }
  private struct Seen: Sendable, Codable {
    var load: PerPhase<Current>
    var at: Instant
  }
  private struct Quarter: Sendable, Codable {
    var start: Instant
    /// mA x ms per phase, over the time that was seen.
    var sum = PerPhase(0, 0, 0)
    var seen = TimeSpan.zero
    /// How much of it belongs to the event.
    var whole = TimeSpan.zero
  }
  /// A load that was not measured for longer than this is not known.
  static let patience = TimeSpan.seconds(30)
  private static let quarter = TimeSpan.minutes(15)
  private static let mostPoints = 2000

  public init() {}

  public var isWatching: Bool { !running.isEmpty }
  /// The events that are not over yet.
  public var open: [ComplianceReport] { running.map { summed($0, at: $0.last?.at ?? $0.report.from) } }

  /// The controller has been started: of what was watched before, that goes on of which the limit is there still, at the same circuit.
  /// - Parameters:
  ///   - limits: the series that there are now.
  ///   - names: of the circuits.
  /// - Returns: what is over.
  public mutating func resume(_ limits: Set<String>, names: [String], at now: Instant) -> [ComplianceReport] {
    let goesOn = { (watched: Watched) in
      limits.contains(watched.report.limit) && names.indices.contains(watched.report.circuit)
        && names[watched.report.circuit] == watched.report.circuitName
    }
    let over = running.filter { !goesOn($0) }.compactMap { end($0, at: min(now, $0.report.until ?? now)) }
    running.removeAll { !goesOn($0) }
    milestones += over.count
    return over + finish(at: now)
  }

  /// A series was set or replaced: its blocks are events from now on. Those of before end; what lasted for seconds only is told with what
  /// took its place.
  /// - Parameters:
  ///   - names: of the circuits.
  ///   - isResumed: it was set before the controller was started: what was before is not known.
  /// - Returns: what is over with that.
  public mutating func set(_ series: LimitSeries, names: [String], voltage: Voltage, at now: Instant, isResumed: Bool = false)
    -> [ComplianceReport]
  {
    // Blocks that go on unchanged stay the event that they were.
    var kept: [Watched] = [], ended: [ComplianceReport] = []
    for watched in running {
      guard watched.report.limit == series.id else {
        kept.append(watched)
        continue
      }
      let goesOn = series.allBlocks.contains {
        $0.amount == watched.report.amount && $0.until == watched.report.until && $0.from <= max(now, watched.report.from)
      }
      if goesOn { kept.append(watched) } else if let report = end(watched, at: now) { ended.append(report) }
    }
    running = kept
    milestones += 1
    guard names.indices.contains(series.circuit) else { return ended }
    for block in series.allBlocks where block.until.map({ $0 > now }) ?? true {
      if running.contains(where: {
        $0.report.limit == series.id && $0.report.amount == block.amount && $0.report.until == block.until
      }) {
        continue
      }
      var report = ComplianceReport(
        limit: series.id, source: series.source, owner: series.owner, circuit: series.circuit, circuitName: names[series.circuit],
        amount: block.amount, voltage: voltage, received: now, from: max(block.from, now), until: block.until)
      report.isResumed = isResumed && block.from < now
      running.append(Watched(report: report))
    }
    return handOver(ended, at: now)
  }

  /// - Parameter ended: what was replaced, of one series.
  /// - Returns: what has a report of its own.
  private mutating func handOver(_ ended: [ComplianceReport], at now: Instant) -> [ComplianceReport] {
    guard let limit = ended.first?.limit,
      let heir = running.firstIndex(where: { $0.report.limit == limit && $0.report.from <= now })
    else { return ended }
    for report in ended where report.isBrief { running[heir].report.takeOver(report) }
    return ended.filter { !$0.isBrief }
  }

  /// A series was withdrawn, or its fallback took its place.
  public mutating func withdrawn(_ id: String, at now: Instant) -> [ComplianceReport] {
    let over = running.filter { $0.report.limit == id }.compactMap { end($0, at: now) }
    running.removeAll { $0.report.limit == id }
    milestones += 1
    return over
  }

  /// A profile that lowers a current has left.
  public mutating func lowered(at now: Instant) {
    for i in running.indices where running[i].report.firstProfile == nil && running[i].report.metAt == nil {
      guard now >= running[i].report.received else { continue }
      running[i].report.firstProfile = now
      milestones += 1
    }
  }

  /// What a circuit's meter showed.
  /// - Returns: what is over with that.
  public mutating func measured(_ load: PerPhase<Current>, circuit: Int, at now: Instant) -> [ComplianceReport] {
    for i in running.indices where running[i].report.circuit == circuit && running[i].report.from <= now {
      if let until = running[i].report.until, until <= now {
        account(&running[i], until: until)
      } else {
        account(&running[i], until: now)
        let wasMet = running[i].report.metAt != nil
        judge(&running[i], load, at: now)
        if !wasMet, running[i].report.metAt != nil { milestones += 1 }
      }
    }
    return finish(at: now)
  }

  /// Ends what is over by the clock.
  public mutating func finish(at now: Instant) -> [ComplianceReport] {
    let over = running.filter { $0.report.until.map { $0 <= now } ?? false }
    guard !over.isEmpty else { return [] }
    running.removeAll { $0.report.until.map { $0 <= now } ?? false }
    milestones += 1
    return over.compactMap { end($0, at: $0.report.until ?? now) }
  }

  // MARK: One event

  /// - Returns: nil: it had not begun. One that tells of others is told in any case.
  private func end(_ watched: Watched, at now: Instant) -> ComplianceReport? {
    guard watched.report.from < now || watched.report.brief != nil else { return nil }
    var watched = watched
    let end = max(now, watched.report.from)
    account(&watched, until: end)
    return summed(watched, at: end)
  }

  private func summed(_ watched: Watched, at now: Instant) -> ComplianceReport {
    var report = watched.report
    report.ended = now
    report.above = Energy(raw: watched.work / 3_600_000)
    report.quarters = watched.quarters.count
    report.quartersInside = watched.quarters.count { quarter in
      guard quarter.seen.raw * 10 >= quarter.whole.raw * 9, quarter.seen > .zero else { return false }
      let mean = quarter.sum.map { Current(raw: $0 / quarter.seen.raw) }
      return report.excess(of: mean).power == .zero
    }
    report.unseen = (now - report.from) - watched.quarters.reduce(.zero) { $0 + $1.seen }
    return report
  }

  /// Adds the load since the last reading up to an instant.
  private func account(_ watched: inout Watched, until now: Instant) {
    var at = watched.last?.at ?? watched.report.from
    while at < now {
      let start = at.floored(to: Self.quarter)
      let end = min(now, start + Self.quarter)
      if watched.quarters.last?.start != start { watched.quarters.append(Quarter(start: start)) }
      let place = watched.quarters.count - 1
      watched.quarters[place].whole += end - at
      if let last = watched.last, now - last.at <= Self.patience {
        let span = end - at
        watched.quarters[place].seen += span
        for phase in Phase.allCases { watched.quarters[place].sum[phase] += max(0, last.load[phase].raw) * span.raw }
        let above = watched.report.excess(of: last.load).power
        watched.work += above.raw * span.raw
      }
      at = end
    }
    if let last = watched.last { watched.last = Seen(load: last.load, at: max(last.at, now)) }
  }

  private func judge(_ watched: inout Watched, _ load: PerPhase<Current>, at now: Instant) {
    let excess = watched.report.excess(of: load)
    if watched.last == nil { watched.report.loadAtBegin = load }
    watched.last = Seen(load: load, at: now)
    watched.report.samples += 1
    if excess.power == .zero {
      if watched.report.metAt == nil { watched.report.metAt = now }
    } else {
      watched.report.largestExcess = max(watched.report.largestExcess, excess.power)
      watched.report.largestExcessCurrent = max(watched.report.largestExcessCurrent, excess.current)
    }
    if watched.report.points.last.map({ now - $0.at >= watched.pointStep }) ?? true {
      watched.report.points.append(.init(at: now, load: watched.report.figure(load)))
      if watched.report.points.count > Self.mostPoints {
        // Of two neighbours the larger stays.
        let points = watched.report.points
        watched.report.points = stride(from: 0, to: points.count, by: 2).map { i in
          i + 1 < points.count && points[i + 1].load > points[i].load ? points[i + 1] : points[i]
        }
        watched.pointStep = watched.pointStep * 2
      }
    }
  }
}
