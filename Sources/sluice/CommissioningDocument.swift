import Commissioning
import Documents
import Quantities
import Site

/// A commissioning protocol as JSON; `Profiles/commissioning.schema.json` explains each member.
enum CommissioningDocument {
  static func json(_ record: CommissioningProtocol) -> String {
    let value: DocumentValue = .object([
      "format": "sluice-commissioning-1", "site": .string(record.site), "site_name": .string(record.siteName),
      "installer": record.installer.map(DocumentValue.string), "version": .string(record.version), "started": time(record.started),
      "ended": record.ended.map(time), "interrupted": .bool(record.isInterrupted), "outcome": .string(record.outcome.rawValue),
      "stations": .array(record.stations.map(station)),
    ])
    return value.pretty()
  }

  private static func station(_ station: CommissioningProtocol.StationRecord) -> DocumentValue {
    .object([
      "id": .string(station.id), "outcome": .string(station.outcome.rawValue), "model": .string(station.traits.model),
      "device": station.identity.map { identity in
        .object([
          "vendor": .string(identity.vendor), "model": .string(identity.model), "serial": .string(identity.serial),
          "firmware": .string(identity.firmware),
        ])
      }, "capabilities": station.capabilities.map { .string(CommissioningWords.capabilities($0)) },
      "quirks": .string(CommissioningWords.quirks(station.traits)), "clock_offset_s": station.clockOffset.map(seconds),
      "absence": station.absence.map(note),
      "trust": .object([
        "stated": .string(station.trustStated.rawValue), "before": .string(station.trustBefore.rawValue),
        "after": station.trustAfter.map { .string($0.rawValue) },
      ]), "connectors": .array(station.connectors.map { connector($0, station.id) }), "link_loss": test(station.linkLoss),
      "power_cycle": test(station.powerCycle),
      "corrections": .array(
        CommissioningWords.corrections(station).map {
          .object(["place": .string($0.place), "key": .string($0.key), "stated": .string($0.stated), "right": .string($0.right)])
        }),
    ])
  }

  private static func connector(_ connector: CommissioningProtocol.ConnectorRecord, _ station: String) -> DocumentValue {
    .object([
      "number": .integer(connector.number), "outcome": .string(connector.outcome.rawValue),
      "stated": connector.wiring.map { wiring in
        .object(["rotation": .string(wiring.rotation.rawValue), "conductors": .integer(wiring.conductors.count)])
      } ?? .null,
      "obedience": .object([
        "outcome": .string(connector.obedience.outcome.rawValue), "worst_excess_a": amperes(connector.obedience.worstExcess),
        "slowest_up_s": connector.obedience.slowestUp.map(seconds), "slowest_down_s": connector.obedience.slowestDown.map(seconds),
        "allowed_s": seconds(connector.obedience.allowed),
      ]), "circuits": .array(connector.circuits.map { circuit($0, connector, station) }),
      "steps": .array(connector.steps.map(step)), "notes": .array(connector.notes.map(note)),
    ])
  }

  private static func circuit(
    _ circuit: CommissioningProtocol.CircuitRecord, _ connector: CommissioningProtocol.ConnectorRecord, _ station: String
  ) -> DocumentValue {
    .object([
      "id": .string(circuit.id), "meter": .string(circuit.meter), "outcome": .string(circuit.verdict.outcome.rawValue),
      "rotations": .array(circuit.judgement.evidence.isEmpty ? [] : circuit.judgement.rotations.map { .string($0.rawValue) }),
      "factors": perPhase(circuit.judgement.transformers.map { $0.map { .decimal($0.permille, 3) } ?? .null }),
      "evidence": .array(
        circuit.judgement.evidence.map { found in
          .object([
            "conductors": names(found.conductors), "phases": names(found.phases), "agreeing": .integer(found.agreeing),
            "steps": .integer(found.steps),
          ])
        }),
      "faults": .array(
        circuit.verdict.faults.map { fault in
          .object([
            "outcome": .string(fault.outcome.rawValue), "kind": .string(kind(fault)),
            "text": .string(CommissioningWords.fault(fault, station: station, connector, circuit).text),
          ])
        }),
    ])
  }

  /// The fault's name without what it carries.
  static func kind(_ fault: WiringFault) -> String {
    let text = "\(fault)"
    return text.firstIndex(of: "(").map { String(text[..<$0]) } ?? text
  }

  private static func step(_ step: CommissioningProtocol.StepEntry) -> DocumentValue {
    .object([
      "at": time(step.at), "from_a": amperes(step.from), "to_a": amperes(step.to), "measured_a": step.measured.map(currents),
      "circuits": .array(
        step.results.map { result in
          .object([
            "id": .string(result.circuit), "flaw": result.flaw.map { .string(CommissioningWords.flaw($0)) },
            "conductors": result.finding.map { names($0.conductors) }, "size_a": result.finding.map { amperes($0.size) },
            "phases": result.finding.map { names($0.phases) }, "meter_a": result.finding.map { currents($0.meter) },
            "scatter_a": result.finding.map { currents($0.scatter) },
            "reaction_s": result.finding.flatMap { $0.reaction.map(seconds) },
          ])
        }),
    ])
  }

  private static func test(_ test: CommissioningProtocol.FallbackTest) -> DocumentValue {
    .object(["outcome": .string(test.outcome.rawValue), "at": test.at.map(time), "notes": .array(test.notes.map(note))])
  }
  private static func note(_ note: TestNote) -> DocumentValue { .string(CommissioningWords.note(note)) }
  private static func time(_ instant: Instant) -> DocumentValue { .string(Timestamp.text(instant.milliseconds)) }
  private static func seconds(_ span: TimeSpan) -> DocumentValue { .decimal(span.raw, 3) }
  private static func amperes(_ current: Current) -> DocumentValue { .decimal(current.raw, 3) }
  private static func currents(_ value: PerPhase<Current>) -> DocumentValue { perPhase(value.map(amperes)) }
  private static func perPhase(_ value: PerPhase<DocumentValue>) -> DocumentValue { .array([value.l1, value.l2, value.l3]) }
  private static func names(_ phases: Phases) -> DocumentValue {
    .array(Phase.allCases.filter { phases.contains($0) }.map { .string($0.name) })
  }
}
