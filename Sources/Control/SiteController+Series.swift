import Quantities
import Site

/// A series of limits from outside, and what has been heard of its sender.
struct SeriesState: Hashable, Sendable, Codable {
  var series: LimitSeries
  var heardAt: Monotonic
  /// Nothing has been heard for too long; since then the fallback holds.
  var silentSince: Instant?

  /// What holds, and will: the fallback while its sender is silent.
  var blocks: [LimitSeries.Block] {
    if silentSince != nil, let silence = series.silence { silence.fallback } else { series.allBlocks }
  }
  /// When its sender becomes silent; nil: nobody waits for it, or it is silent already.
  var silentAt: Monotonic? { silentSince == nil ? series.silence.map { heardAt + $0.after } : nil }
}

/// Limits from outside: `limits` is worked out from them and from what `limitSet` has said, whenever either changes.
extension SiteController {
  /// So many series are kept.
  static let mostSeries = 1000
  /// What is let up on one circuit is kept in so many pieces.
  static let mostTails = 128
  /// What holds for want of somebody who sets limits is announced with this source.
  static let failsafe = "failsafe"

  mutating func obeyLimits(_ order: Order, at now: EventStamp) {
    switch order {
    case .limit(let new):
      if let place = series.firstIndex(where: { $0.series.id == new.id }) {
        let old = series[place]
        series[place] = SeriesState(series: new, heardAt: now.monotonic)
        let goesOn = old.series.circuit == new.circuit
        relax(
          from: old.blocks, to: goesOn ? series[place].blocks : [], circuit: old.series.circuit, new.relaxing, new.source,
          id: new.id,
          at: now)
      } else {
        series.append(SeriesState(series: new, heardAt: now.monotonic))
      }
      hear(new.owner, now)
      renewCourses()
    case .withdrawLimit(let id, _, let relaxing):
      guard let place = series.firstIndex(where: { $0.series.id == id }) else { return }
      let old = series.remove(at: place)
      relax(from: old.blocks, to: [], circuit: old.series.circuit, relaxing, old.series.source, id: id, at: now)
      hear(old.series.owner, now)
    case .heartbeat(let owner): hear(owner, now)
    default: return
    }
    workOutLimits(now)
  }

  /// Takes what somebody would like; the next plan knows it.
  mutating func heed(_ wish: LimitSeries) {
    optima.removeAll { $0.id == wish.id }
    if circuits.indices.contains(wish.circuit), !wish.blocks.isEmpty, wish.isOrderly, optima.count < Self.mostSeries {
      optima.append(wish)
    }
    outdatePlan()
  }

  /// Something was heard of a sender: silence ends, unless a limit wants to be set anew.
  private mutating func hear(_ owner: String, _ now: EventStamp) {
    for place in series.indices where series[place].series.owner == owner {
      series[place].heardAt = now.monotonic
      guard series[place].silentSince != nil, series[place].series.silence?.needsFreshLimit != true else { continue }
      let before = series[place].blocks
      series[place].silentSince = nil
      let state = series[place]
      relax(
        from: before, to: state.blocks, circuit: state.series.circuit, state.series.relaxing, state.series.source,
        id: state.series.id, at: now)
    }
  }

  /// Looks whether a sender has fallen silent, and says so.
  mutating func watchSenders(_ now: EventStamp, _ out: inout [Effect]) {
    let isTold = alarms.all.contains { alarm in
      if case .senderSilent = alarm { true } else { false }
    }
    guard !series.isEmpty || !tails.isEmpty || isTold else { return }
    var isNew = false
    for place in series.indices {
      guard let due = series[place].silentAt, due <= now.monotonic else { continue }
      let before = series[place].blocks
      series[place].silentSince = now.utc
      isNew = true
      let state = series[place]
      relax(
        from: before, to: state.blocks, circuit: state.series.circuit, state.series.relaxing, state.series.source,
        id: state.series.id, at: now)
    }
    if tails.contains(where: { $0.until.map { $0 <= now.utc } ?? false }) { isNew = true }
    if isNew { workOutLimits(now) }
    for k in hub.circuits.indices {
      set(.senderSilent(circuit: k), raised: series.contains { $0.series.circuit == k && $0.silentSince != nil }, &out)
    }
  }

  /// A step of our own wall clock: blocks are about what it shows, but what holds goes on holding, what was set for a while holds as long as
  /// it would have, and a silence, and what is let up after a limit, began as long ago as before.
  mutating func moveSenders(by step: TimeSpan, at now: EventStamp) {
    let before = now.utc - step
    for place in series.indices {
      series[place].silentSince = series[place].silentSince.map { $0 + step }
      if series[place].series.lasts != nil { series[place].series.blocks = series[place].series.blocks.map { $0.moved(by: step) } }
      series[place].series.blocks = series[place].series.blocks.map { $0.holding(on: now.utc, as: before) }
      if let silence = series[place].series.silence {
        series[place].series.silence?.fallback = silence.fallback.map { $0.holding(on: now.utc, as: before) }
      }
    }
    for place in standing.indices where standing[place].from <= before { standing[place].from = min(standing[place].from, now.utc) }
    for place in tails.indices {
      tails[place].from = tails[place].from + step
      tails[place].until = tails[place].until.map { $0 + step }
    }
    workOutLimits(now)
  }

  /// Puts together what bounds the circuits from outside.
  mutating func workOutLimits(_ now: EventStamp) {
    let before = limits
    tails.removeAll { $0.until.map { $0 <= now.utc } ?? false }
    // Only who would be missed takes the failsafe's place.
    let heeded = Set(series.filter { $0.silentSince == nil && $0.series.silence != nil }.map(\.series.circuit))
    limits = standing.filter { !($0.source == Self.failsafe && heeded.contains($0.circuit)) } + tails
    for state in series { limits += limits(of: state) }
    if limits != before { outdatePlan() }
  }

  private func limits(of state: SeriesState) -> [Limit] {
    let (series, blocks) = (state.series, state.blocks)
    var found: [Limit] = []
    for (i, block) in blocks.enumerated() {
      // A fallback begins with the silence.
      let from = state.silentSince.map { max($0, block.from) } ?? block.from
      found.append(
        Limit(
          id: "\(series.id)#\(i + 1)", source: series.source, circuit: series.circuit, amount: block.amount, from: from,
          until: block.until))
      guard let end = block.until else { continue }
      let next = i + 1 < blocks.count && blocks[i + 1].from == end ? blocks[i + 1].amount : nil
      found += tail(of: block.amount, to: next, from: end, circuit: series.circuit, series.relaxing, series.source, id: series.id)
    }
    return found
  }

  /// A bound in force gives way to another one: where that is higher, it is let up as was drawn for it.
  private mutating func relax(
    from old: [LimitSeries.Block], to new: [LimitSeries.Block], circuit: Int, _ relaxing: LimitSeries.Relaxing, _ source: String,
    id: String, at now: EventStamp
  ) {
    guard let before = old.first(where: { $0.holds(at: now.utc) })?.amount else { return }
    let after = new.first { $0.holds(at: now.utc) }?.amount
    tails += tail(of: before, to: after, from: now.utc, circuit: circuit, relaxing, source, id: id)
    gatherTails(circuit, at: now.utc)
  }

  /// Limits that are replaced again and again leave something to let up each time. Where that is in too many pieces only the lowest is
  /// kept for each moment; where it still is, neighbours become one at the lower of their bounds. So nothing is let up earlier.
  private mutating func gatherTails(_ circuit: Int, at now: Instant) {
    let here = tails.filter { $0.circuit == circuit }
    guard here.count > Self.mostTails else { return }
    let edges = Set(here.flatMap { [max(now, $0.from), max(now, $0.until ?? now)] }).sorted()
    let pieces = zip(edges, edges.dropFirst()).compactMap { from, until in
      lowest(of: here.filter { limit in limit.from <= from && limit.until.map { until <= $0 } ?? true }, from: from, until: until)
    }
    // There is room for the next ones then.
    let size = max(1, (2 * pieces.count + Self.mostTails - 1) / Self.mostTails)
    let joined = stride(from: 0, to: pieces.count, by: size).compactMap { first in
      let last = min(first + size, pieces.count) - 1
      return lowest(of: Array(pieces[first...last]), from: pieces[first].from, until: pieces[last].until)
    }
    tails.removeAll { $0.circuit == circuit }
    tails += joined
  }

  /// One bound in place of several on a circuit: the lowest on each phase, by the name of the lowest.
  private func lowest(of limits: [Limit], from: Instant, until: Instant?) -> Limit? {
    func bound(_ limit: Limit) -> PerPhase<Current> { current(of: limit.amount, circuit: limit.circuit) }
    guard var one = limits.min(by: { bound($0).smallest < bound($1).smallest }) else { return nil }
    one.amount = .current(limits.reduce(bound(one)) { $0.minimum(bound($1)) })
    one.id = "\(one.id.prefix { $0 != "#" })#relax-\(from.milliseconds)"
    (one.from, one.until) = (from, until)
    return one
  }

  /// What still holds of `amount` once it has ended.
  private func tail(
    of amount: Limit.Amount, to next: Limit.Amount?, from end: Instant, circuit: Int, _ relaxing: LimitSeries.Relaxing,
    _ source: String, id: String
  ) -> [Limit] {
    guard relaxing.delay > .zero || relaxing.ramp > .zero, hub.circuits.indices.contains(circuit) else { return [] }
    let (low, high) = (current(of: amount, circuit: circuit), next.map { current(of: $0, circuit: circuit) })
    let goal = (high ?? hub.circuits[circuit].rating).minimum(hub.circuits[circuit].rating)
    guard Phase.allCases.contains(where: { goal[$0] > low[$0] }) else { return [] }
    var found: [Limit] = []
    func hold(_ current: PerPhase<Current>, _ from: Instant, _ until: Instant) {
      guard from < until else { return }
      found.append(
        Limit(
          id: "\(id)#relax-\(end.milliseconds)-\(found.count)", source: source, circuit: circuit, amount: .current(current),
          from: from, until: until))
    }
    let start = end + relaxing.delay
    hold(low, end, start)
    let steps = min(20, max(1, relaxing.ramp.raw / 15_000))
    for step in 0..<steps {
      let risen = PerPhase(
        low.l1 + (goal.l1 - low.l1).scaled(step, over: steps), low.l2 + (goal.l2 - low.l2).scaled(step, over: steps),
        low.l3 + (goal.l3 - low.l3).scaled(step, over: steps))
      hold(
        risen, start + TimeSpan(raw: relaxing.ramp.raw * step / steps),
        start + TimeSpan(raw: relaxing.ramp.raw * (step + 1) / steps)
      )
    }
    return found
  }

  // MARK: For those who look in

  /// A series of limits, and whether its sender is silent.
  public struct SeriesView: Hashable, Sendable {
    public var series: LimitSeries
    public var silentSince: Instant?
    /// How long ago its sender was heard.
    public var heardAge: TimeSpan
    /// What it asks for now; nil: nothing.
    public var inForce: LimitSeries.Block?
  }

  public func seriesView(at now: EventStamp) -> [SeriesView] {
    series.map { state in
      SeriesView(
        series: state.series, silentSince: state.silentSince, heardAge: now.monotonic - state.heardAt,
        inForce: state.blocks.first { $0.holds(at: now.utc) })
    }
  }

  /// The plan that the guard takes as wishes; nil: there is none.
  public var planInForce: Planned? { planning.plan }
  /// What was ordered for a connector, beside the site file.
  public func ordered(connector: Int) -> (priority: Int?, need: SessionNeed?) {
    guard connectors.indices.contains(connector) else { return (nil, nil) }
    return (connectors[connector].priority, connectors[connector].need)
  }
}

extension LimitSeries.Block {
  fileprivate func moved(by step: TimeSpan) -> Self { Self(from: from + step, until: until.map { $0 + step }, amount: amount) }
  /// What held at `before` holds on when our clock shows `now` instead.
  fileprivate func holding(on now: Instant, as before: Instant) -> Self {
    holds(at: before) ? Self(from: min(from, now), until: until, amount: amount) : self
  }
  public func holds(at instant: Instant) -> Bool { from <= instant && until.map { instant < $0 } ?? true }
}
