import Documents
import Quantities
import Scenarios
import Site

extension Study {
  /// The figures for a terminal: a line for each strategy; with several seeds the mean.
  public var table: [String] {
    let head = [
      "policy", "met %", "kWh", "of kWh", "short p95", "peak kW", "15 min kW", "EUR", "unbal. A", "used %", "Jain", "profiles",
      "passed",
    ]
    var rows = [head]
    for strategy in strategies {
      let all = figures(of: strategy)
      guard !all.isEmpty else { continue }
      func mean(_ value: (Figures) -> Double, _ decimals: Int) -> String {
        Decimal.text(all.reduce(0) { $0 + value($1) } / Double(all.count), decimals)
      }
      rows.append([
        strategy.rawValue, mean(\.met, 1), mean(\.delivered, 0), mean(\.asked, 0), mean({ $0.shortfalls[2] }, 2), mean(\.peak, 1),
        mean(\.quarterPeak, 1), mean(\.cost, 2), mean(\.unbalance, 1), mean(\.utilisation, 1), mean(\.fairness, 3),
        strategy.isController ? mean({ Double($0.profiles) }, 0) : "-", mean({ Double($0.violations) }, 0),
      ])
    }
    let widths = head.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      row.enumerated().map { place, cell in
        let pad = String(repeating: " ", count: widths[place] - cell.count)
        return place == 0 ? cell + pad : pad + cell
      }.joined(separator: "  ")
    }
  }

  /// `sessions.csv` of one detailed run, head line or not.
  public func sessions(_ outcome: Outcome, _ story: Story, head: Bool) -> [UInt8] {
    var text =
      head
      ? "policy,seed,session,crowd,connector,arrival,departure,phases,maximum_a,told,asked_kwh,delivered_kwh,short_kwh,open\n" : ""
    let hub = scenario.hub
    for (number, session) in outcome.sessions.enumerated() {
      let visit = story.visits[number]
      let connector = hub.connectors[visit.connector]
      text +=
        "\(outcome.strategy.rawValue),\(outcome.seed),\(number + 1),\(Self.cell(visit.crowd)),\(hub.stations[connector.station].id)/\(connector.number),"
      text +=
        "\(Timestamp.text(visit.arrival.milliseconds / 1000 * 1000)),\(Timestamp.text(visit.departure.milliseconds / 1000 * 1000)),"
      text += "\(visit.conductors.count),\(Decimal.text(visit.maximum.amperes, 3)),\(visit.tells ? 1 : 0),"
      text += "\(Decimal.text(session.asked.kilowattHours, 3)),\(Decimal.text(session.delivered.kilowattHours, 3)),"
      text += "\(Decimal.text(session.shortfall.kilowattHours, 3)),\(session.isOpen ? 1 : 0)\n"
    }
    return Array(text.utf8)
  }

  private static func cell(_ text: String) -> String {
    text.contains(",") || text.contains("\"") ? "\"\(text.replacing("\"", with: "\"\""))\"" : text
  }

  /// `load.csv` of one detailed run: amperes per circuit and phase, a line for each step.
  public func load(_ outcome: Outcome, head: Bool) -> [UInt8] {
    let hub = scenario.hub
    var bytes: [UInt8] = []
    bytes.reserveCapacity(outcome.currents.count * 7 + outcome.load.count * 50)
    if head {
      let cells = hub.circuits.flatMap { circuit in Phase.allCases.map { "\(circuit.id)_\($0.name.lowercased())_a" } }
      bytes += Array("policy,seed,at,load_kw,vehicles_kw,limit_kw,\(cells.joined(separator: ","))\n".utf8)
    }
    let cells = hub.circuits.count * 3
    for step in outcome.load.indices {
      bytes += Array(
        "\(outcome.strategy.rawValue),\(outcome.seed),\(Timestamp.text(scenario.instant(step: step).milliseconds))".utf8)
      for watts in [outcome.load[step], outcome.vehicles[step], outcome.limit[step]] { Self.thousandths(Int(watts), &bytes) }
      for cell in 0..<cells { Self.thousandths(Int(outcome.currents[step * cells + cell]), &bytes) }
      bytes.append(10)
    }
    return bytes
  }

  /// A comma and a number with three decimals.
  private static func thousandths(_ value: Int, _ bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: ","))
    if value < 0 { bytes.append(UInt8(ascii: "-")) }
    let magnitude = abs(value)
    bytes += Array(String(magnitude / 1000).utf8)
    bytes.append(UInt8(ascii: "."))
    let rest = magnitude % 1000
    bytes += [UInt8(48 + rest / 100), UInt8(48 + rest / 10 % 10), UInt8(48 + rest % 10)]
  }
}
