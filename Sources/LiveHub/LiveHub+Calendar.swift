import Control
import Loop
import Quantities
import Site
import SiteFiles

/// Limits by the clock on the wall: what they come to in UTC for the next two days is told to the mind, and so is journaled.
extension LiveHub {
  static let calendarInterval = Duration.seconds(3600)
  private static let calendarOwner = "site-file"
  private static let calendarPrefix = "calendar:"

  /// Tells the mind what is new. On the hub's loop.
  func checkCalendar() {
    guard !isStopping else { return }
    let known = driver.controller.seriesView(at: driver.stamp(utc: utc, monotonic: monotonic)).map(\.series)
      .filter { $0.id.hasPrefix(Self.calendarPrefix) }
    let wanted = plan.site.calendar.compactMap { series($0) }
    for old in known where !wanted.contains(where: { $0.id == old.id }) {
      think(.order(.withdrawLimit(id: old.id, owner: nil, drawnRelaxing())))
    }
    for new in wanted {
      let old = known.first { $0.id == new.id }
      guard old?.blocks != new.blocks || old?.circuit != new.circuit || old?.source != new.source else { continue }
      think(.order(.limit(new)))
    }
  }

  private func series(_ limit: CalendarLimit) -> LimitSeries? {
    let stretches = limit.stretches(from: utc, to: utc + .days(2), in: plan.site.hub.localTime).filter { $0.until > utc }
    guard !stretches.isEmpty else { return nil }
    return LimitSeries(
      id: Self.calendarPrefix + limit.id, source: limit.source, owner: Self.calendarOwner, circuit: limit.circuit,
      blocks: stretches.map { .init(from: $0.from, until: $0.until, amount: limit.amount) }, relaxing: drawnRelaxing())
  }

  func drawnRelaxing() -> LimitSeries.Relaxing {
    let most = plan.site.relaxing
    return LimitSeries.Relaxing(delay: TimeSpan(raw: Int.random(in: 0...max(0, most.delay.raw))), ramp: most.ramp)
  }
}
