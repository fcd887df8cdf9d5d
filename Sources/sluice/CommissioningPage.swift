import Commissioning
import Documents
import Quantities
import Site

/// A commissioning protocol as one page of HTML that needs nothing else: to read, to print and to sign.
struct CommissioningPage {
  private var body = ""

  static func html(_ record: CommissioningProtocol) -> String {
    var page = CommissioningPage()
    page.write(record)
    return """
      <!doctype html>
      <html lang="en"><head><meta charset="utf-8"><title>Commissioning of \(escaped(record.siteName))</title>
      <style>
      body { font: 10pt/1.35 sans-serif; margin: 2em auto; max-width: 60em; color: #111 }
      h1 { font-size: 16pt } h2 { font-size: 13pt; border-top: 1px solid #999; padding-top: .6em } h3 { font-size: 11pt }
      table { border-collapse: collapse; margin: .4em 0 } td, th { border: 1px solid #bbb; padding: .2em .5em; text-align: left; vertical-align: top }
      .passed { color: #064 } .open { color: #850 } .failed { color: #a00; font-weight: bold }
      code { background: #eee } .sign td { height: 3.5em; width: 18em }
      @media print { h2 { break-before: auto } table { break-inside: avoid } }
      </style></head><body>
      \(page.body)</body></html>

      """
  }

  private mutating func write(_ record: CommissioningProtocol) {
    body += "<h1>Commissioning of \(Self.escaped(record.siteName))</h1>\n"
    table([
      ("Site", record.site), ("Begun", Timestamp.text(record.started.milliseconds)),
      ("Ended", record.ended.map { Timestamp.text($0.milliseconds) } ?? "not yet"), ("Installer", record.installer ?? "not named"),
      ("Program", "Sluice, mind \(record.version)"),
    ])
    body += "<p>Result: \(verdict(record.outcome))</p>\n"
    if record.isInterrupted {
      body += "<p class=\"open\">This run did not come to its end: what is not listed was not tested.</p>\n"
    }
    for station in record.stations { write(station) }
    body += """
      <h2>Signatures</h2>
      <table class="sign"><tr><th>Installer</th><td></td><th>Place, date</th><td></td></tr>
      <tr><th>Operator</th><td></td><th>Place, date</th><td></td></tr></table>

      """
  }

  private mutating func write(_ station: CommissioningProtocol.StationRecord) {
    body += "<h2>Station \(Self.escaped(station.id)): \(verdict(station.outcome))</h2>\n"
    table([
      ("Device", station.identity.map(CommissioningWords.device) ?? "not said"), ("Model in the site file", station.traits.model),
      ("What it can", station.capabilities.map(CommissioningWords.capabilities) ?? "not said"),
      ("Known of the model", CommissioningWords.quirks(station.traits)),
      ("Clock", station.clockOffset.map { "\(Words.seconds($0)) off" } ?? "not known"),
      (
        "Trust in its fallback",
        "site file: \(station.trustStated.rawValue); before: \(station.trustBefore.rawValue); now: \(station.trustAfter?.rawValue ?? "not decided")"
      ),
    ])
    if let absence = station.absence { body += "<p class=\"failed\">\(Self.escaped(CommissioningWords.note(absence)))</p>\n" }
    for connector in station.connectors { write(connector, station.id) }
    write("Link loss", station.linkLoss)
    write("Power cycle", station.powerCycle)
    let corrections = CommissioningWords.corrections(station)
    guard !corrections.isEmpty else { return }
    body += "<h3>Lines of the site file that would be right</h3>\n<ul>\n"
    for one in corrections {
      body +=
        "<li>\(Self.escaped(one.place)): <code>\(Self.escaped("\(one.key): \(one.stated)"))</code> should be "
        + "<code>\(Self.escaped("\(one.key): \(one.right)"))</code></li>\n"
    }
    body += "</ul>\n"
  }

  private mutating func write(_ connector: CommissioningProtocol.ConnectorRecord, _ station: String) {
    let stated =
      connector.wiring.map { "rotation \($0.rotation.rawValue), \($0.conductors.count) conductors" } ?? "rotation unknown"
    body += "<h3>Connector \(connector.number): \(verdict(connector.outcome))</h3>\n<p>Site file: \(stated).</p>\n"
    body +=
      "<p>Keeps to its offer: \(verdict(connector.obedience.outcome)), \(Self.escaped(CommissioningWords.obedience(connector.obedience)))</p>\n"
    for circuit in connector.circuits {
      body +=
        "<p>At meter \(Self.escaped(circuit.meter)) of circuit \(Self.escaped(circuit.id)): \(verdict(circuit.verdict.outcome))"
      for found in circuit.judgement.evidence {
        body +=
          ". \(found.agreeing) of \(found.steps) steps agree: station's \(Words.names(found.conductors)) on \(Words.names(found.phases)), "
        body += "counted " + Phase.allCases.compactMap { found.factors[$0].map { "x\(Words.factor($0))" } }.joined(separator: " / ")
      }
      body += "</p>\n"
      if !circuit.verdict.faults.isEmpty {
        body += "<ul>\n"
        for fault in circuit.verdict.faults {
          let (text, correction) = CommissioningWords.fault(fault, station: station, connector, circuit)
          let line = correction.map { ": <code>\(Self.escaped("\($0.key): \($0.right)"))</code>" } ?? ""
          body += "<li class=\"\(fault.outcome.rawValue)\">\(Self.escaped(text))\(line)</li>\n"
        }
        body += "</ul>\n"
      }
    }
    for note in connector.notes { body += "<p class=\"open\">\(Self.escaped(CommissioningWords.note(note)))</p>\n" }
    guard !connector.steps.isEmpty else { return }
    body += "<table><tr><th>Time</th><th>Step</th></tr>\n"
    for step in connector.steps {
      body += "<tr><td>\(Timestamp.text(step.at.milliseconds))</td><td>\(Self.escaped(CommissioningWords.step(step)))</td></tr>\n"
    }
    body += "</table>\n"
  }

  private mutating func write(_ name: String, _ test: CommissioningProtocol.FallbackTest) {
    body += "<h3>\(name): \(verdict(test.outcome))</h3>\n<ul>\n"
    if let at = test.at { body += "<li>\(Timestamp.text(at.milliseconds))</li>\n" }
    for note in test.notes { body += "<li>\(Self.escaped(CommissioningWords.note(note)))</li>\n" }
    body += "</ul>\n"
  }

  private mutating func table(_ rows: [(String, String)]) {
    body += "<table>\n"
    for (key, value) in rows { body += "<tr><th>\(Self.escaped(key))</th><td>\(Self.escaped(value))</td></tr>\n" }
    body += "</table>\n"
  }

  private func verdict(_ outcome: Outcome) -> String { "<span class=\"\(outcome.rawValue)\">\(outcome.rawValue)</span>" }

  /// Text as HTML shows it; what a station says of itself is only ever text.
  static func escaped(_ text: String) -> String {
    var result = ""
    for character in text {
      switch character {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      default: result.append(character)
      }
    }
    return result
  }
}
