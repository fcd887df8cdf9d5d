import Quantities
import Scenarios

/// Pictures that put the policies beside each other.
extension Report {
  private var legend: [(Look, String)] { study.detailed.map { (Look.of($0.strategy), $0.strategy.rawValue) } }
  private func room(_ entries: Int) -> Double { 12 + 15 * Double((entries + 2) / 3) }

  var durationCurve: Picture {
    let most = study.detailed.flatMap(\.load).max() ?? 0
    let limit = study.detailed.first?.limit.max() ?? 0
    var chart = Chart(x: 0...100, y: 0...max(1, Double(max(most, limit)) / 1000 * 1.05))
    chart.yAxis("kW at the connection")
    chart.xAxis("percent of the time with at least that load")
    for outcome in study.detailed {
      let sorted = outcome.load.sorted(by: >)
      guard sorted.count > 1 else { continue }
      let points = (0...200).map { place in
        (Double(place) / 2, max(0, Double(sorted[min(sorted.count - 1, place * (sorted.count - 1) / 200)]) / 1000))
      }
      chart.curve(points, Look.of(outcome.strategy))
    }
    chart.curve([(0, Double(limit) / 1000), (100, Double(limit) / 1000)], Look.limit, width: 1.2)
    chart.frame()
    let entries = legend + [(Look.limit, "highest limit")]
    chart.legend(entries, at: chart.height + 12)
    return Picture(
      title: "Duration of the load.", words: "", svg: chart.svg("Duration curve of the load", extra: room(entries.count)))
  }

  var shortfallCurve: Picture {
    let sorted = study.detailed.map { outcome in
      (outcome.strategy, outcome.sessions.filter { !$0.isOpen }.map(\.shortfall.kilowattHours).sorted())
    }
    let most = max(0.5, sorted.compactMap(\.1.last).max() ?? 0)
    let lowest =
      sorted.map { strategy, values in
        values.isEmpty ? 100 : Double(values.count { $0 <= 0.1 }) * 100 / Double(values.count)
      }.min() ?? 0
    let bottom = max(0, ((lowest - 5) / 10).rounded(.down) * 10)
    var chart = Chart(x: 0...most, y: bottom...100)
    chart.yAxis("percent of the sessions")
    chart.xAxis("kWh short at most")
    for (strategy, values) in sorted where !values.isEmpty {
      var points: [(Double, Double)] = []
      let count = Double(values.count)
      var place = 0
      for pixel in 0...150 {
        let bound = most * Double(pixel) / 150
        while place < values.count, values[place] <= max(bound, 0.1) { place += 1 }
        points.append((bound, max(bottom, Double(place) * 100 / count)))
      }
      chart.curve(points, Look.of(strategy))
    }
    chart.frame()
    chart.legend(legend, at: chart.height + 12)
    return Picture(
      title: "Who lacks how much.", words: "Part of the sessions that lack no more than that.",
      svg: chart.svg("Distribution of the shortfall", extra: room(legend.count)))
  }

  var pareto: Picture {
    let all = study.figures
    let peaks = all.map(\.quarterPeak)
    let met = all.map(\.met)
    let (low, high) = (peaks.min() ?? 0, peaks.max() ?? 1)
    let pad = max(1, (high - low) * 0.08)
    let least = met.min() ?? 0
    var chart = Chart(
      x: max(0, low - pad)...high + pad, y: max(0, least - max(1, (100 - least) * 0.1))...100 + max(0.3, (100 - least) * 0.05))
    chart.yAxis("percent of the demands met")
    chart.xAxis("highest quarter of an hour, kW")
    for figures in all { chart.mark(chart.px(figures.quarterPeak), chart.py(figures.met), Look.of(figures.strategy)) }
    chart.frame()
    chart.legend(legend, at: chart.height + 12)
    let words = "Up and left is better\(study.seeds.count > 1 ? "; a mark for each seed" : "")."
    return Picture(
      title: "Peak against demands met.", words: words, svg: chart.svg("Peak against demands met", extra: room(legend.count)))
  }

  /// Small rows, one for each policy: mean, and from the least to the most over the seeds.
  var sideBySide: Picture {
    let measures: [(String, (Figures) -> Double, Int)] = [
      ("demands met, %", \.met, 1), ("delivered, %", \.deliveredPercent, 1),
      ("kWh short, 95 % of the sessions", { $0.shortfalls[2] }, 2),
      ("highest quarter of an hour, kW", \.quarterPeak, 1), ("cost, EUR", \.cost, 0),
      ("limits passed", { Double($0.violations) }, 0),
    ]
    let strategies = study.strategies.filter { !study.figures(of: $0).isEmpty }
    let block = Double(strategies.count) * 11 + 30
    var chart = Chart(height: Double(measures.count) * block + 40, left: 96, x: 0...1, y: 0...1)
    for (place, (title, value, decimals)) in measures.enumerated() {
      let top = 6 + Double(place) * block
      let values = study.figures.map(value)
      let (low, high) = (values.min() ?? 0, values.max() ?? 1)
      let from = high - low < 1e-9 ? low - 1 : low - (high - low) * 0.05
      let until = high - low < 1e-9 ? high + 1 : high + (high - low) * 0.05
      chart.x = from...until
      chart.text(4, top + 8, title, anchor: "start", style: "unit")
      for (row, strategy) in strategies.enumerated() {
        let y = top + 19 + Double(row) * 11
        let mine = study.figures(of: strategy).map(value)
        let mean = mine.reduce(0, +) / Double(mine.count)
        chart.line(chart.left, y, 362, y, "grid")
        chart.text(chart.left - 4, y + 3, strategy.rawValue, anchor: "end", style: "small")
        let look = Look.of(strategy)
        let squeeze = { (v: Double) in chart.left + 6 + (chart.px(v) - chart.left) * (350 - chart.left) / (chart.right - chart.left)
        }
        if let least = mine.min(), let most = mine.max(), most > least {
          chart.add(
            "<line x1='\(Decimal.text(squeeze(least), 1))' y1='\(Decimal.text(y, 1))' x2='\(Decimal.text(squeeze(most), 1))' y2='\(Decimal.text(y, 1))' stroke='\(look.colour)' stroke-width='2.4'/>"
          )
        }
        chart.mark(squeeze(mean), y, look, size: 3.4)
        chart.text(408, y + 3, Decimal.text(mean, decimals), anchor: "end", style: "small")
      }
    }
    let words =
      study.seeds.count > 1 ? "Mean (mark, number) and spread over \(study.seeds.count) seeds (line)." : "One seed: no spread."
    return Picture(title: "Policies side by side.", words: words, svg: chart.svg("Policies side by side", extra: -36))
  }
}
