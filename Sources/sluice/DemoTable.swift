import Control
import Explanation
import Glibc
import LiveHub
import Loop
import Quantities
import Rig
import Site

/// The demonstration on a terminal: circuits, connectors and the last events; without one, a line every few seconds.
struct DemoTable {
  let isPlain: Bool

  mutating func begin(port: Int, window: Int?, hub: Hub) {
    let installed = hub.stations.filter { $0.state == .installed }
    print(
      "\(hub.name): \(installed.count) stations with \(installed.map(\.connectors.count).reduce(0, +)) connectors on "
        + "ws://127.0.0.1:\(port)/ocpp/, \(hub.meters.count) meters on Modbus TCP; Ctrl-C ends it")
    if let window { print("dashboard: http://127.0.0.1:\(window)/") }
    if !isPlain { print("\u{1B}[?25l\u{1B}[2J", terminator: "") }
    fflush(nil)
  }
  func end() {
    if !isPlain { print("\u{1B}[?25h") }
  }

  func show(
    _ mind: (hub: Hub, view: HubView, counts: LiveHub.Counts), rig: Rig.Report, elapsed: Duration, events: [LogLine]
  ) {
    let seconds = elapsed.components.seconds
    if isPlain {
      let circuits = mind.hub.circuits.indices.map { k in
        "\(mind.hub.circuits[k].id) "
          + Phase.allCases.map { amperes(rig.flows[k][$0]) }.joined(separator: "/")
          + " of \(amperes(mind.view.circuits[k].limit.smallest)) A"
      }
      print(
        "\(seconds) s  \(circuits.joined(separator: ", "))  \(connected(mind.view)) connected, \(rig.charging) charging, "
          + "\(mind.counts.received) messages in, \(mind.counts.sent) out, \(mind.counts.readings) readings")
    } else {
      var lines = [
        "Sluice demonstration  \(seconds) s   \(connected(mind.view)) stations connected, \(rig.charging) vehicles charging, "
          + "\(rig.energy.wattHours / 1000).\(rig.energy.wattHours / 100 % 10) kWh", "",
      ]
      lines += circuits(mind.hub, mind.view, rig) + [""] + connectors(mind.hub, mind.view) + [""]
      lines += events.suffix(8).map(\.short)
      print("\u{1B}[H" + lines.map { String($0.prefix(150)) + "\u{1B}[K\n" }.joined() + "\u{1B}[J", terminator: "")
    }
    fflush(nil)
  }

  private func connected(_ view: HubView) -> Int { view.stations.count { $0.connected } }

  private func circuits(_ hub: Hub, _ view: HubView, _ rig: Rig.Report) -> [String] {
    var lines = [row([("circuit", 14), ("L1 A", 8), ("L2 A", 8), ("L3 A", 8), ("limit A", 9), ("by", 10), ("committed A", 20)])]
    for k in hub.circuits.indices {
      let (circuit, seen) = (hub.circuits[k], view.circuits[k])
      let flow = Phase.allCases.map { amperes(rig.flows[k][$0]) + (rig.flows[k][$0] > seen.limit[$0] ? "!" : "") }
      let committed = Phase.allCases.map { amperes(seen.committed[$0]) }.joined(separator: " ")
      lines.append(
        row([
          (circuit.id, 14), (flow[0], 8), (flow[1], 8), (flow[2], 8), (amperes(seen.limit.smallest), 9), (seen.limitSource, 10),
          (committed, 20),
        ]))
    }
    return lines
  }

  private func connectors(_ hub: Hub, _ view: HubView) -> [String] {
    var lines = [
      row([("connector", 12), ("status", 14), ("offered A", 11), ("measured A", 16), ("committed A", 16), ("why", 50)])
    ]
    for c in hub.connectors.indices {
      let (connector, seen) = (hub.connectors[c], view.connectors[c])
      lines.append(
        row([
          ("\(hub.stations[connector.station].id)/\(connector.number)", 12), (seen.status?.rawValue ?? "-", 14),
          (seen.offered.map(amperes) ?? "-", 11), (three(seen.measured), 16), (three(seen.committed), 16),
          (Sentences(hub).short(seen.reason), 50),
        ]))
    }
    return lines
  }

  private func three(_ value: PerPhase<Current>?) -> String {
    value.map { value in Phase.allCases.map { amperes(value[$0]) }.joined(separator: " ") } ?? "-"
  }

  private func row(_ cells: [(text: String, width: Int)]) -> String {
    cells.map { $0.text + String(repeating: " ", count: max(1, $0.width - $0.text.count)) }.joined()
  }
  private func amperes(_ value: Current) -> String {
    let tenths = (value.raw.magnitude + 50) / 100
    return "\(value.raw < 0 && tenths > 0 ? "-" : "")\(tenths / 10).\(tenths % 10)"
  }
}

/// What a demonstration came to.
struct DemoSummary {
  let hub: Hub
  let report: Rig.Report
  let counts: LiveHub.Counts
  let elapsed: Duration

  var text: String {
    var lines = [
      "", "after \(elapsed.components.seconds) s: \(report.sessions) vehicles came, \(report.energy.wattHours) Wh charged",
      "messages: \(counts.received) from stations, \(counts.sent) to stations, \(counts.commands) commands, "
        + "\(counts.readings) meter readings (\(counts.meterFaults) failed)",
      reactions, "highest load against the limit of the fuse:",
    ]
    for (k, circuit) in hub.circuits.enumerated() {
      let cells = Phase.allCases.map { phase in
        let peak = report.peaks[k][phase]
        return "\(phase.name) \(peak.raw / 1000).\(peak.raw / 100 % 10) of \(circuit.rating[phase].raw / 1000) A"
      }
      lines.append("  \(circuit.id): \(cells.joined(separator: ", "))")
    }
    if report.violations.isEmpty { lines.append("no limit was exceeded for longer than its protective device bears") }
    for violation in report.violations { lines.append("VIOLATED: \(violation)") }
    return lines.joined(separator: "\n")
  }

  private var reactions: String {
    guard let median = counts.decreases.quantile(500), let slowest = counts.decreases.quantile(990) else {
      return "reaction: no current had to be lowered"
    }
    return "reaction: \(counts.decreases.count) decreases, from decision to the station's answer \(median.milliseconds) ms in the "
      + "median, \(slowest.milliseconds) ms at the 99th percentile"
  }
}
