import Documents
import Quantities
import Site
import SiteFiles

extension ScenarioBuilder {
  /// `site`: a site file's name or a site in place; or `layout`: groups of like connectors below one connection.
  func readSite(_ reader: ObjectReader) {
    let site = reader.member("site")
    let layout = reader.object("layout")
    guard (site == nil) != (layout == nil) else {
      return reader.complain(
        about: site == nil ? "layout" : "site", found: site == nil ? "neither `site` nor `layout`" : "both `site` and `layout`",
        expected: "exactly one of them")
    }
    if let layout { return readLayout(layout) }
    guard let site else { return }
    if site.kind == .object {
      take(SitePieces.site(ObjectReader(site, findings: reader.findings), catalogue: catalogue))
    } else if let (name, text) = text(reader, "site") {
      do throws(DocumentErrors) { take(try SiteFile(text: text, name: name, catalogue: catalogue)) } catch {
        add(error, to: reader)
      }
    }
  }

  private func take(_ file: SiteFile) {
    hub = file.hub
    siteLimits = file.limits
    groups = hub.circuits.indices.map { k in (hub.circuits[k].id, hub.connectors.indices.filter { hub.connectors[$0].circuit == k })
    }
    groups.removeAll { $0.connectors.isEmpty }
  }

  private func readLayout(_ reader: ObjectReader) {
    hub = Hub(id: "hub", circuits: [])
    hub.name = reader.optional("name", .text, else: "hub")
    hub.meters = [Meter(id: "grid", profile: "eastron-sdm630", bus: .tcp(host: "127.0.0.1", port: 502))]
    var connection = Circuit(id: "connection", rating: reader.required("connection_a", .amperesPerPhase(1...10_000)) ?? .zero)
    connection.baseWorst = reader.optional("base_worst_a", .amperesPerPhase(), else: .zero)
    connection.generation = reader.optional("generation_a", .amperesPerPhase(), else: .zero)
    connection.margin = reader.optional("margin_a", .amperes(0...1000), else: .zero)
    connection.unbalanceLimit = reader.optional("unbalance_a", .amperes(1...1000))
    let power = Shape<Int>.scaled(3, 1...100_000, "a power in kW").map { Power.watts($0) }
    connection.contract = reader.optional("contract_kw", power).map { ContractLimit(amount: .power($0)) }
    connection.measurement = Circuit.Measurement(meter: 0)
    hub.circuits = [connection]
    if let planning = reader.object("planning") {
      let (policy, tariff) = SitePieces.planning(planning)
      hub.planning = policy
      if tariff != nil { planning.complain(about: "tariff", expected: "no tariff here: `prices` of the scenario has it") }
    } else {
      hub.planning = PlanningPolicy()
    }
    if let settings = reader.object("settings") { hub.settings = SitePieces.settings(settings) }
    let parts = reader.objects("groups")
    for part in parts { readGroup(part) }
    if parts.isEmpty {
      reader.complain(about: "groups", found: "no groups", expected: "`groups`: at least one group of connectors")
    }
    reader.finish()
  }

  private func readGroup(_ reader: ObjectReader) {
    let id = reader.required("id", .identifier) ?? ""
    if groups.contains(where: { $0.name == id }) || id == "connection" {
      reader.complain(about: "id", found: "\"\(id)\" twice", expected: "each id once")
    }
    let count = reader.required("connectors", .whole(1...5000)) ?? 0
    let single = reader.optional("conductors", .oneOfNumbers([1: true, 3: false]), else: false)
    let supply = reader.optional("supply", .oneOf(["ac": Connector.Supply.ac, "dc": .dc]), else: .ac)
    let minimum = reader.optional("minimum_a", .amperes(1...1000), else: .smallestOffer)
    let maximum = reader.required("maximum_a", .amperes(1...1000)) ?? .amperes(32)
    let fallback = reader.optional("fallback_a", .amperes(0...1000), else: .zero)
    if supply == .ac, minimum < .smallestOffer { reader.complain(about: "minimum_a", expected: "at least 6 A (IEC 61851-1)") }
    if maximum < minimum { reader.complain(about: "maximum_a", expected: "at least the minimum, \(minimum.amperes) A") }
    if fallback != .zero, fallback < minimum || fallback > maximum {
      reader.complain(about: "fallback_a", expected: "0, or from \(minimum.amperes) to \(maximum.amperes)")
    }
    let most = PerPhase(all: maximum * max(1, count))
    let limit = reader.optional("limit_a", .amperesPerPhase(1...100_000), else: most)
    let priority = reader.optional("priority", .whole(1...1000), else: 100)
    reader.finish()
    hub.circuits.append(Circuit(id: id, parent: 0, rating: limit, arrivalReserve: fallback == .zero ? .zero : nil))
    let first = hub.connectors.count
    let rotations: [PhaseRotation] = [.rst, .str, .trs]
    for number in 0..<count {
      let wiring = Connector.Wiring(conductors: single ? .l1 : .all, rotation: rotations[number % 3])
      hub.stations.append(
        Station(
          id: "\(id)-\(number + 1)", traits: StationTraits(model: "ocpp-conformant"), trust: .proven,
          connectors: hub.connectors.count..<hub.connectors.count + 1))
      hub.connectors.append(
        Connector(
          station: hub.stations.count - 1, number: 1, circuit: hub.circuits.count - 1, supply: supply, wiring: wiring,
          maximum: maximum, minimum: minimum, fallback: fallback, priority: priority))
    }
    groups.append((id, Array(first..<hub.connectors.count)))
  }

  /// The connectors of the groups that `key` names; all when it names none.
  func connectors(_ reader: ObjectReader, _ key: String) -> [Int] {
    guard let names = reader.optional(key, .list(.identifier)) else { return Array(hub.connectors.indices) }
    var found: [Int] = []
    for name in names {
      guard let group = groups.first(where: { $0.name == name }) else {
        reader.complain(
          about: key, found: "\"\(name)\"", expected: "a group of the site: \(groups.map(\.name).joined(separator: ", "))")
        continue
      }
      found += group.connectors
    }
    return found.sorted()
  }
}

extension Shape where Value: Sendable {
  /// One of a few whole numbers.
  static func oneOfNumbers(_ values: KeyValuePairs<Int, Value>) -> Shape {
    let pairs = values.map { ($0.key, $0.value) }
    return Shape("one of " + pairs.map { "\($0.0)" }.joined(separator: ", ")) { node in
      node.integer.flatMap { number in pairs.first { $0.0 == number }?.1 }
    }
  }
}
