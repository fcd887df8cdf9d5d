import Quantities
import Site
import SiteFiles

/// `sluice check SITE.json5 [--profiles FOLDER]`: says what is wrong with a site file, or prints the site as a tree.
enum CheckCommand {
  static let usage = "usage: sluice check SITE.json5 [--profiles FOLDER]"

  /// - Returns: the exit status: 0 the site fits, 1 it is refused or wrong, 2 the command line is wrong.
  static func run(_ arguments: [String]) -> Int32 {
    var (path, folder): (String?, String?)
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      if argument == "--profiles", let value = rest.popFirst() {
        folder = value
      } else if path == nil && !argument.hasPrefix("-") {
        path = argument
      } else {
        print(usage)
        return 2
      }
    }
    guard let path else {
      print(usage)
      return 2
    }
    let file: SiteFile
    do {
      file = try SiteFile.read(path, profiles: try ProfileFolder.locate(named: folder))
    } catch {
      print(error)
      return 1
    }
    let check = SiteCheck(file)
    print(CheckReport(file: file, check: check).lines.joined(separator: "\n"))
    return check.fits ? 0 : 1
  }
}

/// The site as a tree, for a terminal.
struct CheckReport {
  let file: SiteFile
  let check: SiteCheck
  private var hub: Hub { file.hub }

  var lines: [String] {
    let installed = hub.stations.filter { $0.state == .installed }
    var lines = [
      "\(hub.name) (\(hub.id)): \(installed.count) stations, \(installed.map(\.connectors.count).reduce(0, +)) connectors, "
        + "\(hub.meters.count) meters"
    ]
    if installed.count < hub.stations.count {
      lines.append("planned: \(hub.stations.count - installed.count) stations, not counted")
    }
    lines.append("per phase L1 / L2 / L3; unheard: what connectors draw when nobody speaks to them")
    if !hub.circuits.isEmpty { lines += tree(0, "", "") }
    if !check.remarks.isEmpty { lines += ["", "Worth knowing"] + check.remarks.map { "  " + $0 } }
    lines.append("")
    if check.fits {
      lines.append("The site holds whoever falls silent.")
    } else {
      lines.append("REFUSED")
      for refusal in check.refusals { lines += ["  " + refusal.problem] + refusal.remedies.map { "    - " + $0 } }
    }
    return lines
  }

  private func tree(_ index: Int, _ head: String, _ tail: String) -> [String] {
    let (circuit, result) = (hub.circuits[index], check.circuits[index])
    let children = hub.circuits.indices.filter { hub.circuits[$0].parent == index }
    let connectors = hub.connectors.indices.filter { hub.connectors[$0].circuit == index }
    let pad = tail + (children.isEmpty && connectors.isEmpty ? "    " : "│   ")
    let meter = circuit.measurement.map { "meter \(hub.meters[$0.meter].id)" } ?? "no meter"
    var lines = ["\(head)\(circuit.id)  fuse \(amperes(circuit.rating)), \(meter)\(circuit.maintenance ? ", in maintenance" : "")"]
    if let trip = circuit.shuntTrip {
      let seconds = trip.after.milliseconds / 1000
      lines.append(
        "\(pad)opened when over \(seconds) s above the fuse: \(trip.host):\(trip.port), unit \(trip.unit), coil \(trip.coil)")
    }
    let sources = Set([result.limit.l1.source, result.limit.l2.source, result.limit.l3.source]).sorted().joined(separator: ", ")
    lines.append(
      "\(pad)unheard \(amperes(result.unheard)) + base \(amperes(result.base))"
        + (result.firm == .zero ? "" : " - firm generation \(amperes(result.firm))"))
    lines.append(
      "\(pad)against \(amperes(result.limit.map(\.current))) (\(sources)): margin \(amperes(result.margin))"
        + (result.margin.smallest < .zero ? "  DOES NOT FIT" : ""))
    let reaction = result.reaction
    let period = reaction.meterPeriod.map { seconds($0) } ?? "none"
    lines.append(
      "\(pad)reaction R \(seconds(reaction.total)): meter \(period), guard \(seconds(reaction.decision)), "
        + "transmission \(seconds(reaction.transmission)), vehicle \(seconds(reaction.vehicle)); arrival reserve "
        + "\(number(result.arrivalReserve)) A")
    let worst = Phase.allCases.map { phase in
      let overload = result.afterDeath[phase]
      let share = overload.current.raw * 100 / max(1, circuit.rating[phase].raw)
      return "\(number(overload.current)) A (\(share) %, borne \(overload.borne.map { "for \(seconds($0))" } ?? "for ever"))"
    }
    lines.append("\(pad)worst within H after the controller's death: \(worst.joined(separator: " / "))")
    var left = connectors.count + children.count
    for i in connectors {
      left -= 1
      lines.append(tail + (left == 0 ? "└── " : "├── ") + connector(i))
    }
    for child in children {
      left -= 1
      lines += tree(child, tail + (left == 0 ? "└── " : "├── "), tail + (left == 0 ? "    " : "│   "))
    }
    return lines
  }

  private func connector(_ index: Int) -> String {
    let connector = hub.connectors[index]
    let station = hub.stations[connector.station]
    let phases =
      connector.wiring == nil
      ? "phases unknown" : Phase.allCases.filter { connector.phases.contains($0) }.map(\.name).joined(separator: " ")
    let state = station.state == .planned ? "planned" : "unheard \(number(hub.unheard(index))) A (\(station.trust.rawValue))"
    return "\(hub.name(ofConnector: index))  \(phases), \(number(connector.minimum)) to \(number(connector.maximum)) A, fallback "
      + "\(number(connector.fallback)) A, \(state), \(station.traits.model)"
  }

  private func amperes(_ value: PerPhase<Current>) -> String {
    value.l1 == value.l2 && value.l2 == value.l3
      ? "\(number(value.l1)) A" : "\(number(value.l1)) / \(number(value.l2)) / \(number(value.l3)) A"
  }
  private func number(_ value: Current) -> String {
    value.raw % 1000 == 0 ? "\(value.raw / 1000)" : "\(value.amperes)"
  }
  private func seconds(_ span: TimeSpan) -> String { span.raw % 1000 == 0 ? "\(span.raw / 1000) s" : "\(span.seconds) s" }
}
