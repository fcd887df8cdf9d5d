import Quantities
import Scenarios

/// Pictures with time on their axis.
extension Report {
  /// Up to seven days: those with the highest vehicles' load of the first run.
  func loadAgainstLimit(_ first: Outcome) -> Picture {
    let steps = first.load.count
    let starts = scenario.dayStarts.filter { $0 < max(1, steps) }
    let days = min(7, starts.count)
    let heaviest = first.vehicles.indices.max { (first.vehicles[$0], -$0) < (first.vehicles[$1], -$1) } ?? 0
    let begin = max(0, min((starts.lastIndex { $0 <= heaviest } ?? 0) - days / 2, starts.count - days))
    let midnights = starts[begin..<begin + days] + [begin + days < starts.count ? starts[begin + days] : max(steps, starts[begin])]
    let shown = starts[begin]..<(midnights.last ?? steps)
    let other = study.detailed.first {
      $0.strategy == .uncontrolled && $0.load.count >= shown.upperBound && $0.strategy != first.strategy
    }
    let highest = shown.reduce(0.0) { most, step in
      max(most, Double(max(first.load[step], max(first.limit[step], other?.load[step] ?? 0))) / 1000)
    }
    let lowest = shown.reduce(0.0) { min($0, Double(first.load[$1] - first.vehicles[$1]) / 1000) }
    var chart = Chart(x: Double(shown.lowerBound)...Double(shown.upperBound), y: lowest...highest * 1.05)
    chart.yAxis("kW at the connection")
    for midnight in midnights {
      chart.line(chart.px(Double(midnight)), chart.top, chart.px(Double(midnight)), chart.bottom, "grid")
    }
    for (from, until) in zip(midnights, midnights.dropFirst()) {
      chart.text(
        chart.px(Double(from + until) / 2), chart.bottom + 14,
        Decimal.weekdays[scenario.local(scenario.instant(step: from)).weekday], anchor: "middle")
    }
    chart.xTitle("local days from \(Decimal.time(scenario, shown.lowerBound).dropFirst(4).prefix(10))")
    chart.area(shown.map { (Double($0), Double(first.load[$0] - first.vehicles[$0]) / 1000) }, fill: Look.base.colour)
    if let other { chart.curve(stairs(other.load, shown), Look.of(.uncontrolled), width: 1.1) }
    chart.curve(stairs(first.load, shown), Look.of(first.strategy))
    chart.curve(stairs(first.limit, shown), Look.limit, width: 1.4)
    chart.frame()
    var legend = [(Look.of(first.strategy), first.strategy.rawValue), (Look.limit, "limit"), (Look.base, "other loads")]
    if other != nil { legend.append((Look.of(.uncontrolled), "uncontrolled")) }
    chart.legend(legend, at: chart.height + 12)
    let words = days < scenario.days ? "The days with the heaviest charging." : ""
    return Picture(
      title: "Load against limit.", words: words, svg: chart.svg("Load against limit", extra: legend.count > 3 ? 32 : 18))
  }

  /// Each value holds for its step.
  private func stairs(_ values: [Int32], _ shown: Range<Int>) -> [(Double, Double)] {
    var points: [(Double, Double)] = []
    var last: Int32?
    for step in shown where values[step] != last {
      if let last { points.append((Double(step), Double(last) / 1000)) }
      points.append((Double(step), Double(values[step]) / 1000))
      last = values[step]
    }
    if let last { points.append((Double(shown.upperBound), Double(last) / 1000)) }
    return points
  }

  /// Mean power of the vehicles by weekday and hour.
  func heatMap(_ first: Outcome) -> Picture {
    var sums = [Double](repeating: 0, count: 168)
    var counts = [Double](repeating: 0, count: 168)
    for step in first.vehicles.indices {
      let (day, millisecond) = scenario.local(scenario.instant(step: step))
      let cell = day * 24 + millisecond / 3_600_000
      sums[cell] += Double(first.vehicles[step]) / 1000
      counts[cell] += 1
    }
    let means = zip(sums, counts).map { $1 > 0 ? $0 / $1 : 0 }
    let most = max(means.max() ?? 0, 0.001)
    var chart = Chart(height: 220, x: 0...24, y: 0...7)
    for day in 0..<7 {
      let top = chart.py(Double(7 - day))
      chart.text(chart.left - 4, top + 17, Decimal.weekdays[day], anchor: "end")
      for hour in 0..<24 {
        let width = chart.px(1) - chart.px(0)
        chart.rectangle(
          chart.px(Double(hour)), top, width - 0.6, (chart.bottom - chart.top) / 7 - 0.6,
          fill: Look.shade(means[day * 24 + hour] / most))
      }
    }
    for hour in stride(from: 0, through: 24, by: 3) {
      chart.text(chart.px(Double(hour)), chart.bottom + 13, "\(hour)", anchor: "middle")
    }
    chart.xTitle("local hour")
    for part in 0..<40 {
      chart.rectangle(chart.left + Double(part) * 5, chart.height + 4, 5.2, 9, fill: Look.shade(Double(part) / 39))
    }
    chart.text(chart.left, chart.height + 25, "0", anchor: "start")
    chart.text(chart.left + 200, chart.height + 25, "\(Decimal.text(most, 1)) kW", anchor: "end")
    return Picture(
      title: "When vehicles charge.", words: "Mean power of all vehicles, kW, \(first.strategy.rawValue).",
      svg: chart.svg("Mean power of the vehicles by hour and weekday", extra: 30))
  }

  /// The sessions of the busiest day, and what they are offered.
  func gantt(_ first: Outcome) -> Picture? {
    guard let story = stories[first.seed], !first.present.isEmpty else { return nil }
    let midnights = (scenario.dayStarts + [scenario.steps]).filter { $0 <= first.present.count }
    let days = zip(midnights, midnights.dropFirst()).map { $0..<$1 }
    let busy = days.indices.max { a, b in
      let (x, y) = (sum(first.waiting, days[a]), sum(first.waiting, days[b]))
      return (x, sum(first.present, days[a]), -a) < (y, sum(first.present, days[b]), -b)
    }
    guard let day = busy else { return nil }
    let shown = days[day]
    let numbers = first.sessions.indices.filter {
      story.visits[$0].arrives < shown.upperBound && story.visits[$0].leaves > shown.lowerBound
    }
    let rows = Array(Set(numbers.map { story.visits[$0].connector }).sorted().prefix(36))
    guard !rows.isEmpty else { return nil }
    let pitch = 9.0
    var chart = Chart(
      height: Double(rows.count) * pitch + 52, left: 64, x: Double(shown.lowerBound)...Double(shown.upperBound),
      y: 0...Double(rows.count))
    for hour in stride(from: 0, through: 24, by: 3) {
      let x = chart.px(Double(scenario.step(at: scenario.moment(day, hour * 3_600_000))))
      chart.line(x, chart.top, x, chart.bottom, "grid")
      chart.text(x, chart.bottom + 13, "\(hour)", anchor: "middle")
    }
    chart.xTitle("local hour of \(Decimal.time(scenario, shown.lowerBound).prefix(14))")
    func x(_ step: Int) -> Double { chart.px(Double(max(shown.lowerBound, min(shown.upperBound, step)))) }
    let most = rows.map { scenario.hub.connectors[$0].maximum.amperes }.max() ?? 32
    for (place, c) in rows.enumerated() {
      let top = chart.top + Double(place) * (chart.bottom - chart.top) / Double(rows.count)
      let connector = scenario.hub.connectors[c]
      let name =
        "\(scenario.hub.stations[connector.station].id)\(scenario.hub.stations[connector.station].connectors.count > 1 ? "/\(connector.number)" : "")"
      chart.text(chart.left - 4, top + 7, String(name.suffix(12)), anchor: "end", style: "small")
      let mine = numbers.filter { story.visits[$0].connector == c }
      for number in mine {
        chart.rectangle(
          x(story.visits[number].arrives), top + 1, x(story.visits[number].leaves) - x(story.visits[number].arrives), 7,
          fill: "#e0e0e0")
      }
      for (from, until, offer) in offers(first, c, shown) where offer > 0 {
        chart.rectangle(x(from), top + 1, x(until) - x(from), 7, fill: Look.shade(0.15 + 0.85 * offer / most))
      }
      for number in mine
      where !first.sessions[number].isOpen && first.sessions[number].shortfall > Figures.unnoticed(of: first.sessions[number].asked)
        && story.visits[number].leaves <= shown.upperBound
      {
        chart.mark(x(story.visits[number].leaves) - 2, top + 4.5, Look.of(.uncontrolled), size: 2.6)
      }
    }
    chart.frame()
    let y = chart.height
    chart.rectangle(chart.left, y + 4, 14, 9, fill: "#e0e0e0")
    chart.text(chart.left + 18, y + 12, "waits", anchor: "start")
    for part in 0..<20 {
      chart.rectangle(chart.left + 60 + Double(part) * 4, y + 4, 4.2, 9, fill: Look.shade(0.15 + 0.85 * Double(part) / 19))
    }
    chart.text(chart.left + 144, y + 12, "offered, to \(Decimal.text(most, 0)) A", anchor: "start")
    chart.mark(chart.left + 262, y + 8.5, Look.of(.uncontrolled), size: 3)
    chart.text(chart.left + 270, y + 12, "left short", anchor: "start")
    let more = Set(numbers.map { story.visits[$0].connector }).count - rows.count
    return Picture(
      title: "Sessions of the busiest day.",
      words: "What each connector offers, \(first.strategy.rawValue)\(more > 0 ? "; \(more) more connectors are not shown" : "").",
      svg: chart.svg("Sessions of the busiest day with the offered current", extra: 20))
  }

  private func sum(_ values: [Int16], _ day: Range<Int>) -> Int { values[day].reduce(0) { $0 + Int($1) } }

  /// Stretches of one offer, A, while a vehicle that is not full is there.
  private func offers(_ outcome: Outcome, _ c: Int, _ shown: Range<Int>) -> [(Int, Int, Double)] {
    guard let story = stories[outcome.seed] else { return [] }
    var result: [(Int, Int, Double)] = []
    let changes = outcome.changes.filter { Int($0.connector) == c }
    for number in outcome.sessions.indices where story.visits[number].connector == c {
      let visit = story.visits[number]
      guard visit.arrives < shown.upperBound, visit.leaves > shown.lowerBound else { continue }
      var (from, offer) = (visit.arrives, 0.0)
      for change in changes where Int(change.step) < visit.leaves {
        if Int(change.step) > visit.arrives { result.append((from, Int(change.step), offer)) }
        (from, offer) = (max(visit.arrives, Int(change.step)), change.draw > 0 ? Double(change.offer) / 1000 : 0)
      }
      result.append((from, visit.leaves, offer))
    }
    return result.filter { $0.1 > shown.lowerBound && $0.0 < shown.upperBound && $0.1 > $0.0 }
  }
}
