import Documents
import Quantities
import Scenarios

/// One self-contained page with the figures and pictures of a study.
public struct Report {
  let study: Study
  let stories: [UInt64: Story]
  var scenario: Scenario { study.scenario }

  /// - Parameter story: of the first seed.
  public init(_ study: Study, story: Story) { (self.study, stories) = (study, [story.seed: story]) }

  public var html: [UInt8] {
    var parts = [head, "<h1>\(Chart.escaped(study.name))</h1>", "<p class='story'>\(Chart.escaped(scenario.story))</p>", facts]
    if !study.isComplete {
      parts.append(
        "<p class='warning'><b>Partial.</b> The run was stopped: \(study.days) of \(scenario.days) days were lived by all runs shown.</p>"
      )
    }
    parts.append(promises)
    parts.append(figuresTable)
    parts.append("<main>")
    parts += pictures.map { "<figure><figcaption><b>\($0.title)</b> \($0.words)</figcaption>\($0.svg)</figure>" }
    parts += ["</main>", sources, "</body></html>\n"]
    return Array(parts.joined(separator: "\n").utf8)
  }

  struct Picture {
    var title: String
    var words: String
    var svg: String
  }

  private var pictures: [Picture] {
    guard let first = study.detailed.first, !first.load.isEmpty else { return [] }
    var pictures = [loadAgainstLimit(first), durationCurve, heatMap(first), sideBySide, pareto, shortfallCurve]
    if let gantt = gantt(first) { pictures.append(gantt) }
    return pictures
  }

  // MARK: Words

  private var head: String {
    """
    <!DOCTYPE html>
    <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
    <title>\(Chart.escaped(study.name))</title>
    <style>
    body { font: 15px/1.45 system-ui, "DejaVu Sans", sans-serif; margin: 0 auto; padding: 12px 16px; max-width: 1560px; color: #1a1a1a; background: #fff }
    h1 { font-size: 1.5em; margin: .4em 0 .1em } h2 { font-size: 1.1em; margin: 1.2em 0 .3em }
    .story { font-size: 1.1em; margin: .2em 0 .6em } .facts { color: #444; margin: .2em 0 }
    .warning { background: #fff3cd; border-left: 5px solid #D55E00; padding: .5em .8em }
    .scroll { overflow-x: auto } table { border-collapse: collapse; font-size: .88em; font-variant-numeric: tabular-nums }
    th, td { padding: .25em .6em; text-align: right; border-bottom: 1px solid #ddd; white-space: nowrap }
    th:first-child, td:first-child { text-align: left; position: sticky; left: 0; background: #fff } td.words { text-align: left; white-space: normal; min-width: 14em }
    main { columns: 1; column-gap: 28px; margin-top: 16px }
    figure { margin: 0 0 20px; break-inside: avoid } figcaption { font-size: .9em; color: #333; margin-bottom: 4px } svg { width: 100%; height: auto; display: block }
    svg text { font-family: system-ui, "DejaVu Sans", sans-serif; fill: #222 } .label { font-size: 11px } .unit { font-size: 11px; font-weight: 600 } .small { font-size: 9px }
    .grid { stroke: #e6e6e6; stroke-width: .8 } .axis { stroke: #333; stroke-width: 1 } .bad { color: #b03a00; font-weight: 600 } .good { color: #00614a }
    @media (min-width: 800px) { main { columns: 2 } }
    @media (min-width: 1300px) { main { columns: 3 } }
    </style></head><body>
    """
  }

  private var facts: String {
    let hub = scenario.hub
    let seeds = study.seeds.count == 1 ? "seed \(study.seeds[0])" : "\(study.seeds.count) seeds"
    let start = Timestamp.text(scenario.localTime.shown(at: scenario.start).milliseconds).prefix(10)
    return "<p class='facts'>Fidelity: <b>analyst</b> (currents hold for steps of \(scenario.step.raw / 60_000) min, no journal). "
      + "\(hub.connectors.count) connectors on \(hub.circuits.count) circuits, \(scenario.days) days from \(start), \(seeds). "
      + "Pictures of single runs show seed \(study.seeds.first ?? 0). Times are local\(scenario.hub.timeZone == "UTC" ? "" : " (\(scenario.hub.timeZone))").</p>"
  }

  private var promises: String {
    let results = study.promises
    guard !results.isEmpty else { return "" }
    let broken = results.filter { !$0.holds }
    var rows: [String] = []
    for result in broken + results.filter(\.holds).prefix(max(0, 12 - broken.count)) {
      rows.append(
        "<tr><td>\(result.promise.kind.rawValue)</td><td>\(result.strategy.rawValue)</td><td>\(result.seed)</td>"
          + "<td class='\(result.holds ? "good'>holds" : "bad'>broken")</td><td class='words'>\(Chart.escaped(result.words))</td></tr>"
      )
    }
    return
      "<h2>Must hold: \(results.count - broken.count) of \(results.count) do</h2><div class='scroll'><table><tr><th>promise</th><th>policy</th><th>seed</th>"
      + "<th></th><th>found</th></tr>\(rows.joined())</table></div>"
  }

  private var figuresTable: String {
    let lines = study.strategies.compactMap { strategy -> String? in
      let all = study.figures(of: strategy)
      guard !all.isEmpty else { return nil }
      func mean(_ value: (Figures) -> Double, _ decimals: Int) -> String {
        "<td>\(Decimal.text(all.reduce(0) { $0 + value($1) } / Double(all.count), decimals))</td>"
      }
      return "<tr><td>\(strategy.rawValue)</td>" + mean(\.met, 1) + mean(\.delivered, 0) + mean(\.asked, 0)
        + mean({ $0.shortfalls[0] }, 2)
        + mean({ $0.shortfalls[2] }, 2) + mean(\.peak, 1) + mean(\.quarterPeak, 1) + mean(\.energyCost, 2) + mean(\.peakCost, 2)
        + mean(\.unbalance, 1) + mean(\.heldBack, 0) + mean(\.utilisation, 1) + mean(\.fairness, 3)
        + (strategy.isController ? mean({ Double($0.profiles) }, 0) : "<td>-</td>") + mean({ Double($0.violations) }, 0) + "</tr>"
    }
    let head = [
      "policy", "demands met %", "delivered kWh", "asked kWh", "short, median kWh", "short, 95 % kWh", "peak kW", "15 min peak kW",
      "energy EUR", "peaks EUR", "unbalance A", "held back kWh", "limit used %", "Jain", "profiles sent", "limits passed",
    ]
    return "<h2>Figures\(study.seeds.count > 1 ? ", means over the seeds" : "")</h2><div class='scroll'><table><tr>"
      + head.map { "<th>\($0)</th>" }.joined() + "</tr>\(lines.joined())</table></div>"
  }

  private var sources: String {
    "<h2>Sources</h2><ul>\(scenario.sources.map { "<li>\(Chart.escaped($0))</li>" }.joined())</ul>"
      + "<p class='facts'>A demand counts as met with at most a fiftieth of it lacking, or 0.1 kWh. Held back: what vehicles would have taken in a step and did not "
      + "get in it, given later or not. Made by <code>sluice simulate</code>.</p>"
  }
}
