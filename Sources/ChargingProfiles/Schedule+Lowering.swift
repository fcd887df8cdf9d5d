import Quantities
import Site

extension Schedule {
  /// The schedule as it can be sent: floored to `step`, starts on whole seconds, equal neighbours merged, at most `maximumPeriods`,
  /// cut at `end`. At no instant is it above the original; where periods must go, those whose loss is least give way.
  /// - Parameters:
  ///   - step: in tenths of the unit, positive.
  ///   - maximumPeriods: positive.
  ///   - end: after the schedule's start, positive; nil: not cut.
  /// - Complexity: O(*n*²) in the number of periods.
  public func lowered(stepTenths step: Int = 1, maximumPeriods: Int = .max, end: TimeSpan? = nil) -> Schedule {
    precondition(step > 0 && maximumPeriods > 0 && end.map { $0 > .zero } ?? true)
    let span = [duration, end].compactMap { $0 }.min()
    var kept = Self.onWholeSeconds(
      periods.filter { period in span.map { period.start < $0 } ?? true }.map {
        Period(start: $0.start, tenths: $0.tenths - $0.tenths % step, phases: $0.phases)
      })
    Self.mergeEqual(&kept)
    let last = span ?? (kept[kept.count - 1].start + .days(1))
    while kept.count > maximumPeriods {
      Self.dropLeast(&kept, end: last)
      Self.mergeEqual(&kept)
    }
    return .checked(unit: unit, duration: span, start: start, periods: kept, minimumTenths: minimumTenths)
  }

  /// Moves falls to the second before and rises to the second after: within each second the smallest limit holds.
  private static func onWholeSeconds(_ periods: [Period]) -> [Period] {
    let second = TimeSpan.seconds(1)
    var starts: [TimeSpan] = []
    for period in periods {
      let floor = TimeSpan(raw: period.start.raw / second.raw * second.raw)
      for start in [floor, floor < period.start ? floor + second : floor] where starts.last.map({ $0 < start }) ?? true {
        starts.append(start)
      }
    }
    return starts.map { start in
      var lowest: Period?
      for (i, period) in periods.enumerated() where period.start < start + second {
        let ended = i + 1 < periods.count && periods[i + 1].start <= start
        if !ended, lowest.map({ period.tenths < $0.tenths }) ?? true { lowest = period }
      }
      let source = lowest ?? periods[0]
      return Period(start: start, tenths: source.tenths, phases: source.phases)
    }
  }

  private static func mergeEqual(_ periods: inout [Period]) {
    var merged: [Period] = []
    for period in periods {
      if let before = merged.last, before.tenths == period.tenths, before.phases == period.phases { continue }
      merged.append(period)
    }
    periods = merged
  }

  /// Joins the two neighbours that lose least when both take the lower limit.
  private static func dropLeast(_ periods: inout [Period], end: TimeSpan) {
    var best = (index: 0, loss: Int.max)
    for i in 0..<(periods.count - 1) {
      let (a, b) = (periods[i], periods[i + 1])
      let after = i + 2 < periods.count ? periods[i + 2].start : end
      let loss =
        a.tenths > b.tenths
        ? (a.tenths - b.tenths) * (b.start - a.start).raw : (b.tenths - a.tenths) * max(0, (after - b.start).raw)
      if loss < best.loss { best = (i, loss) }
    }
    periods[best.index].tenths = min(periods[best.index].tenths, periods[best.index + 1].tenths)
    periods.remove(at: best.index + 1)
  }
}
