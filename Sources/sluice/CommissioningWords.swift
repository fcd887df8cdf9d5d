import Commissioning
import Control
import Quantities
import Site

/// What a commissioning run saw and concluded, in sentences; where a line of the site file is wrong, which one would be right.
struct CommissioningWords {
  /// One line of the site file that should be another.
  struct Correction: Hashable {
    var place: String
    var key: String
    var stated: String
    var right: String
    var text: String { "\(place): `\(key): \(stated)` -> `\(key): \(right)`" }
  }
  typealias Connector = CommissioningProtocol.ConnectorRecord
  typealias Circuit = CommissioningProtocol.CircuitRecord

  // MARK: Wiring

  /// - Returns: the sentence, and the line that would be right, where a line can mend it.
  static func fault(
    _ fault: WiringFault, station: String, _ connector: Connector, _ circuit: Circuit
  ) -> (text: String, correction: Correction?) {
    let place = "station \"\(station)\", connector \(connector.number)"
    switch fault {
    case .notProven:
      return ("no three steps agree at meter \"\(circuit.meter)\": nothing is proven", nil)
    case .undecided(let conductors):
      return ("no three steps of the load on the station's \(Words.names(conductors)) agree: it proves nothing", nil)
    case .unseen:
      return (
        "meter \"\(circuit.meter)\" sees nothing of the steps: the connector is not below circuit \"\(circuit.id)\" (key `circuit`), or "
          + "the meter's transformers are open", nil
      )
    case .missing(let phases):
      return (
        "no step on \(Words.names(phases)) of \"\(circuit.id)\": a transformer of meter \"\(circuit.meter)\" is open or short-circuited "
          + "(its own \(own(phases, circuit))), or the conductor is not connected", nil
      )
    case .tooMany(let phases):
      return ("the meter moves on \(Words.names(phases)), more phases than the station says that it uses", nil)
    case .otherRotation(let fitting):
      return rotation(fitting, stated: connector.wiring.map { "\"\($0.rotation.rawValue)\"" } ?? "\"unknown\"", place, circuit)
    case .unknownRotation(let fitting): return rotation(fitting, stated: "\"unknown\"", place, circuit)
    case .orderOpen(let others):
      return (
        "the site file's order fits, and \(others.map(\.rawValue).joined(separator: ", ")) would too: a load on fewer conductors tells "
          + "them apart", nil
      )
    case .moreConductors(let conductors):
      return (
        "the load uses the station's \(Words.names(conductors))",
        Correction(
          place: place, key: "conductors", stated: "\(connector.wiring?.conductors.count ?? 3)", right: "\(conductors.count)")
      )
    case .turned(let phases): return turned(phases, circuit)
    case .ratio(let phase, let transformer):
      let size = Words.factor(abs(transformer.permille))
      let likely =
        transformer.likelyRatio.map { ", as if its ratio were set \($0.numerator):\($0.denominator) of what is right" } ?? ""
      return (
        "meter \"\(circuit.meter)\" counts \(size) times what flows on its own \(own(Phases(phase), circuit))\(likely): set the ratio in "
          + "the meter, or use the transformer that it is set to", nil
      )
    case .disputed(let phases): return ("two loads do not agree on what the meter counts on \(Words.names(phases))", nil)
    case .notLoaded(let phases):
      return ("no load was on \(Words.names(phases)): the meter's transformers there are not proven by this connector", nil)
    }
  }

  private static func rotation(
    _ fitting: [PhaseRotation], stated: String, _ place: String, _ circuit: Circuit
  ) -> (text: String, correction: Correction?) {
    guard let first = fitting.first else {
      return ("no order of the phases fits what the meter shows: look at the meter's own `phases` and its transformers", nil)
    }
    let where_ = circuit.judgement.evidence.map { found -> String in
      "a load on the station's \(Words.names(found.conductors)) was seen on \(Words.names(found.phases)) of \"\(circuit.id)\""
    }.joined(separator: "; ")
    guard fitting.count == 1 else {
      let all = fitting.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
      return ("\(where_): `rotation` of \(place) must be one of \(all); a load on fewer conductors tells them apart", nil)
    }
    return (where_, Correction(place: place, key: "rotation", stated: stated, right: "\"\(first.rawValue)\""))
  }

  private static func turned(_ phases: Phases, _ circuit: Circuit) -> (text: String, correction: Correction?) {
    let proven = Phase.allCases.filter { circuit.judgement.transformers[$0] != nil }
    guard phases == .all else {
      let rest = proven.count < 3 ? " (if the phases without a load are turned as well: `inverted`)" : ""
      return (
        "meter \"\(circuit.meter)\" counts import as negative on its own \(own(phases, circuit)): turn the transformer round\(rest)",
        nil
      )
    }
    return (
      "meter \"\(circuit.meter)\" counts import as negative on all phases",
      Correction(
        place: "circuit \"\(circuit.id)\", meter", key: "inverted", stated: "\(circuit.measurement.inverted)",
        right: "\(!circuit.measurement.inverted)")
    )
  }

  /// Circuit phases as the meter's own terminals.
  private static func own(_ phases: Phases, _ circuit: Circuit) -> String {
    Phase.allCases.filter { phases.contains(circuit.measurement.rotation.circuitPhase(of: $0)) }.map(\.name).joined(separator: ", ")
  }

  // MARK: Steps

  static func flaw(_ flaw: StepFlaw) -> String {
    switch flaw {
    case .noSamples: "the station reported no current per conductor"
    case .noReadings: "the meter gave too few readings"
    case .tooSmall(let moved): "the vehicle moved by \(Words.amperes(moved)) A only: it takes less than offered, or does not follow"
    case .wrongWay(let moved): "the vehicle moved the wrong way, by \(Words.amperes(moved)) A"
    case .uneven(let moved): "its conductors moved differently: \(Words.amperes(moved))"
    case .tooNoisy(let phase, let scatter): "the rest of the circuit wandered by \(Words.amperes(scatter)) A on \(phase.name)"
    case .unclear(let phase, let moved): "\(Words.amperes(moved)) A on \(phase.name): too much for nothing, too little for a step"
    }
  }

  static func step(_ entry: CommissioningProtocol.StepEntry) -> String {
    let measured = entry.measured.map { ", station measures \(Words.amperes($0))" } ?? ""
    let seen = entry.results.map { result -> String in
      if let flaw = result.flaw { return "\(result.circuit): \(self.flaw(flaw))" }
      guard let finding = result.finding else { return "\(result.circuit): -" }
      let reaction = finding.reaction.map { ", half of it after \(Words.seconds($0))" } ?? ""
      return "\(result.circuit): \(Words.amperes(finding.meter)) on \(Words.names(finding.phases))\(reaction)"
    }
    return "\(Words.amperes(entry.from)) -> \(Words.amperes(entry.to)) A\(measured); " + seen.joined(separator: "; ")
  }

  static func obedience(_ obedience: CommissioningProtocol.Obedience) -> String {
    if obedience.worstExcess > .zero { return "it drew \(Words.amperes(obedience.worstExcess)) A more than it was offered" }
    let up = obedience.slowestUp.map { "up within \(Words.seconds($0))" }
    let down = obedience.slowestDown.map { "down within \(Words.seconds($0)) (allowed: \(Words.seconds(obedience.allowed)))" }
    let both = [down, up].compactMap { $0 }
    return both.isEmpty ? "no step that shows it" : both.joined(separator: ", ")
  }

  // MARK: Notes

  static func note(_ note: TestNote) -> String {
    switch note {
    case .notDone: "not done"
    case .notAsked: "not done: nobody switched the station off and on, and Reset Hard was not allowed (--reset-hard)"
    case .neverConnected(let span): "the station did not come, or was not ready, within \(Words.seconds(span))"
    case .fallbackRefused: "the station refuses its fallback, or says that it would draw more than it"
    case .noIdentity: "the station does not say what it is, so that nothing can be proven of it"
    case .noVehicle(let connector, let span): "nothing charged at connector \(connector) within \(Words.seconds(span))"
    case .noMeter(let connector): "no circuit above connector \(connector) has a meter: its wiring cannot be proven"
    case .noRoom(let current): "the circuits, or the station, leave no step from \(Words.amperes(current)) A"
    case .noRoomForWorst(let circuit, let phase, let needed, let free):
      "not begun: if the test went wrong the station could draw \(Words.amperes(needed)) A on \(phase.name), and \"\(circuit)\" has "
        + "\(Words.amperes(free)) A left for it"
    case .noEvidence: "the steps of this load have not shown where the meter sees it"
    case .tooLittleAboveFallback(let measured, let fallback):
      "the vehicle draws \(Words.amperes(measured)) A, too little above the fallback of \(Words.amperes(fallback)) A to see it fall"
    case .linkCut(let offer, let left): "link cut at an offer of \(Words.amperes(offer)) A that ends in \(Words.seconds(left))"
    case .fell(let after, let allowed):
      "the meter shows the fall to the fallback after \(Words.seconds(after)) (allowed: \(Words.seconds(allowed)))"
    case .didNotFall(let span, let measured):
      "no fall to the fallback within \(Words.seconds(span))" + (measured.map { "; the meter shows \(Words.amperes($0))" } ?? "")
    case .meterSilent: "the meter gave no readings to see it by"
    case .returned(let after): "the station came back after \(Words.seconds(after))"
    case .didNotReturn(let span): "the station did not come back within \(Words.seconds(span))"
    case .transactionContinues(let id): "transaction \(id) goes on"
    case .transactionEnded(let id): "transaction \(id) ended"
    case .composite(let held, let expected):
      "its composite schedule says \(Words.amperes(held)) A (expected: \(Words.amperes(expected)) A)"
    case .noComposite: "the station gives no composite schedule: what it keeps cannot be read"
    case .compositeTooLate: "its schedule was read after it had been told again: it proves nothing"
    case .switchedOff: "switched off and on by hand"
    case .resetHard: "Reset Hard"
    case .booted(let after): "booted after \(Words.seconds(after))"
    case .otherDevice(let identity): "another device came back: \(device(identity))"
    case .rose(let measured): "the meter rose while the station was not controlled: \(Words.amperes(measured))"
    }
  }

  static func device(_ identity: StationIdentity) -> String {
    "\(identity.vendor) \(identity.model), serial \(identity.serial.isEmpty ? "not said" : identity.serial), firmware "
      + (identity.firmware.isEmpty ? "not said" : identity.firmware)
  }

  static func capabilities(_ can: StationCapabilities) -> String {
    var parts: [String] = []
    let units = [can.acceptsAmperes == true ? "A" : nil, can.acceptsWatts == true ? "W" : nil].compactMap { $0 }
    parts.append("limits in \(units.isEmpty ? "a unit it does not name" : units.joined(separator: " and "))")
    if let level = can.highestStackLevel { parts.append("stack levels to \(level)") }
    if let periods = can.maximumPeriods { parts.append("\(periods) periods") }
    if let profiles = can.maximumProfiles { parts.append("\(profiles) profiles") }
    if let interval = can.sampleInterval { parts.append("samples every \(interval) s") }
    if can.samplesCurrent == false { parts.append("reports no current") }
    return (parts + can.remarks).joined(separator: ", ")
  }

  /// What the model is known for, as far as it differs from what OCPP asks for.
  static func quirks(_ traits: StationTraits) -> String {
    var parts: [String] = []
    if traits.rateUnit == .watts { parts.append("takes W") }
    if traits.profileKind == .relative { parts.append("relative schedules only") }
    if let level = traits.highestStackLevel { parts.append("stack level \(level) at most") }
    if !traits.acceptsConnectorZero { parts.append("refuses connector 0") }
    if !traits.deadMan { parts.append("later periods do not happen by themselves: it never gets more than its fallback") }
    if traits.zero != .pauses { parts.append("0 A: \(traits.zero.rawValue)") }
    if traits.boot != .announces { parts.append("boot: \(traits.boot.rawValue)") }
    if !traits.reportsCurrent { parts.append("reports no current") }
    if !traits.avoidedCalls.isEmpty { parts.append("must not get \(traits.avoidedCalls.joined(separator: ", "))") }
    return parts.isEmpty ? "none on record" : parts.joined(separator: "; ")
  }

  // MARK: Corrections

  /// Every line of the site file that would be right otherwise.
  static func corrections(_ station: CommissioningProtocol.StationRecord) -> [Correction] {
    var all: [Correction] = []
    for connector in station.connectors {
      for circuit in connector.circuits.prefix(1) {
        for fault in circuit.verdict.faults {
          if let right = self.fault(fault, station: station.id, connector, circuit).correction, !all.contains(right) {
            all.append(right)
          }
        }
      }
      for circuit in connector.circuits.dropFirst() {
        for fault in circuit.verdict.faults {
          if case .turned = fault, let right = self.fault(fault, station: station.id, connector, circuit).correction,
            !all.contains(right)
          {
            all.append(right)
          }
        }
      }
    }
    if let trust = station.trustAfter, trust != station.trustStated {
      all.append(
        Correction(
          place: "station \"\(station.id)\"", key: "trust", stated: "\"\(station.trustStated.rawValue)\"",
          right: "\"\(trust.rawValue)\""))
    }
    return all
  }
}
