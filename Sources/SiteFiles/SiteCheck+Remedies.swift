import Quantities
import Site

extension SiteCheck {
  static func refusals(_ index: Int, _ check: CircuitCheck, _ hub: Hub, _ tree: Tree) -> [Refusal] {
    let circuit = hub.circuits[index]
    var refusals: [Refusal] = []
    let short = Phase.allCases.filter { check.margin[$0] < .zero }
    if !short.isEmpty {
      var parts: [(phases: String, sum: String)] = []
      for phase in short {
        let sum =
          "\(check.unheard[phase].text) unheard + \(check.base[phase].text) base"
          + (check.firm[phase] > .zero ? " - \(check.firm[phase].text) firm generation" : "")
          + " is \((-check.margin[phase]).text) above \(check.limit[phase].current.text) (\(check.limit[phase].source))"
        if parts.last?.sum == sum { parts[parts.count - 1].phases += " " + phase.name } else { parts.append((phase.name, sum)) }
      }
      refusals.append(
        Refusal(
          circuit: index,
          problem: "circuit \"\(circuit.id)\" does not hold when nobody steers: "
            + parts.map { "\($0.phases): \($0.sum)" }.joined(separator: "; "),
          remedies: remedies(index, check, short, hub, tree)))
    }
    if let refusal = infeed(index, circuit) { refusals.append(refusal) }
    return refusals
  }

  /// Rule 3: a conductor that is fed from two ends carries the sum of both.
  private static func infeed(_ index: Int, _ circuit: Circuit) -> Refusal? {
    let fed = Phase.allCases.filter { circuit.generation[$0] > .zero }
    guard !fed.isEmpty else { return nil }
    let need = circuit.rating + circuit.generation
    guard let conductor = circuit.conductorRating else {
      return Refusal(
        circuit: index, problem: "circuit \"\(circuit.id)\" is fed by generation, and its conductor's rating is not declared",
        remedies: ["state `conductor_a`; it must be at least \(need.largest.text): the fuse and the generation together"])
    }
    guard let phase = fed.first(where: { conductor[$0] < need[$0] }) else { return nil }
    return Refusal(
      circuit: index,
      problem:
        "circuit \"\(circuit.id)\" \(phase.name): the fuse and the generation can feed \(need[phase].text) into a conductor for "
        + conductor[phase].text,
      remedies: [
        "a conductor for at least \(need[phase].text), or a fuse of \((conductor[phase] - circuit.generation[phase]).text)"
      ])
  }

  private static func remedies(_ index: Int, _ check: CircuitCheck, _ short: [Phase], _ hub: Hub, _ tree: Tree) -> [String] {
    var missing = PerPhase<Current>.zero
    for phase in short { missing[phase] = -check.margin[phase] }
    var remedies: [String] = []
    var phases: Phases = []
    for phase in short { phases.formUnion(Phases(phase)) }
    let concerned = tree.connectors[index].filter { hub.connectors[$0].phases.isDisjoint(with: phases) == false }

    let unproven = concerned.filter { hub.stations[hub.connectors[$0].station].trust != .proven }
    if !unproven.isEmpty {
      var gain = PerPhase<Current>.zero
      for i in unproven { gain += PerPhase(hub.hardwareMaximum(i) - hub.connectors[i].fallback, on: hub.connectors[i].phases) }
      remedies.append(
        "prove the fallback of \(stations(of: unproven, hub)) (`sluice commission`): until then each counts at its hardware maximum, and "
          + "proof frees \(gain.restricted(to: phases).largest.text)\(enough(gain, missing, short))")
    }
    let unknown = concerned.filter { hub.connectors[$0].wiring == nil }
    if !unknown.isEmpty {
      remedies.append(
        "state the `rotation` of \(names(unknown, hub)) (a step test shows it): unknown, each conductor counts on all three phases")
    }
    // Those that are served last give up their fallback first.
    let able = concerned.filter { i in
      let station = hub.stations[hub.connectors[i].station]
      return station.trust == .proven && station.traits.honoursZeroFallback && hub.unheard(i) > .zero
        && hub.connectors[i].fallback > .zero
    }.sorted { (hub.connectors[$0].priority, $0) > (hub.connectors[$1].priority, $1) }
    var (chosen, gain): ([Int], PerPhase<Current>) = ([], .zero)
    for i in able where short.contains(where: { gain[$0] < missing[$0] && hub.connectors[i].phases.contains($0) }) {
      chosen.append(i)
      gain += PerPhase(hub.connectors[i].fallback, on: hub.connectors[i].phases)
    }
    if !chosen.isEmpty {
      let models = Array(Set(chosen.map { hub.stations[hub.connectors[$0].station].traits.model })).sorted()
      remedies.append(
        "lower the fallback of \(names(chosen.sorted(), hub)) to 0 A (models that honour it: \(models.joined(separator: ", ")))"
          + enough(gain, missing, short))
    }
    if let phase = short.first(where: { check.base[$0] - check.firm[$0] > check.limit[$0].current }) {
      remedies.append("the base load alone exceeds the limit on \(phase.name): a larger connection, or a smaller `base_worst_a`")
    } else {
      let parts = short.map { "\($0.name) \((check.limit[$0].current - check.margin[$0]).text)" }.joined(separator: ", ")
      remedies.append("or a limit of at least \(parts)")
    }
    return remedies
  }

  private static func enough(_ gain: PerPhase<Current>, _ missing: PerPhase<Current>, _ short: [Phase]) -> String {
    short.allSatisfy { gain[$0] >= missing[$0] } ? ", which is enough" : ", which alone is not enough"
  }
  private static func names(_ connectors: [Int], _ hub: Hub) -> String {
    connectors.map { hub.name(ofConnector: $0) }.joined(separator: ", ")
  }
  private static func stations(of connectors: [Int], _ hub: Hub) -> String {
    var ids: [String] = []
    for i in connectors where ids.last != hub.stations[hub.connectors[i].station].id {
      ids.append(hub.stations[hub.connectors[i].station].id)
    }
    return ids.joined(separator: ", ")
  }

  static func remarks(_ index: Int, _ check: CircuitCheck, _ hub: Hub, _ tree: Tree) -> [String] {
    let circuit = hub.circuits[index]
    var remarks: [String] = []
    if circuit.maintenance { remarks.append("circuit \"\(circuit.id)\" is in maintenance: everything below it is held at 0 A") }
    if circuit.measurement == nil && check.base.largest > .zero && !tree.connectors[index].isEmpty {
      remarks.append("circuit \"\(circuit.id)\" has no meter: its worst base load is always counted")
    }
    if let worst = Phase.allCases.compactMap({ phase in
      check.afterDeath[phase].borne.map { (time: $0, phase: phase, current: check.afterDeath[phase].current) }
    }).min(by: { ($0.time, $0.phase) < ($1.time, $1.phase) }), worst.time < hub.settings.horizon {
      remarks.append(
        "circuit \"\(circuit.id)\" \(worst.phase.name): if the controller dies with no base load and all of it comes within "
          + "\(hub.settings.horizon.raw / 60_000) min, up to \(worst.current.text) flow, which the fuse bears for "
          + "\(worst.time.raw / 1000) s; a shorter `horizon_s` or a larger `margin_a` makes this rarer")
    }
    return remarks
  }

  static func remarks(_ hub: Hub) -> [String] {
    var remarks: [String] = []
    let installed = hub.connectors.indices.filter { hub.stations[hub.connectors[$0].station].state == .installed }
    let unknown = installed.filter { hub.connectors[$0].wiring == nil }
    if !unknown.isEmpty {
      remarks.append("the phase mapping of \(names(unknown, hub)) is unknown: they count on all three phases")
    }
    let blind = hub.stations.filter { $0.state == .installed && !$0.traits.deadMan }.map(\.id)
    if !blind.isEmpty {
      remarks.append("\(blind.joined(separator: ", ")): no dead-man in this model, so never more than fallback + unattended share")
    }
    if hub.access == .anyone { remarks.append("any id tag may charge (`accept: \"any\"`)") }
    return remarks
  }
}
