import Control
import Quantities
import Site

extension Picture {
  /// For Prometheus, text format 0.0.4.
  public func metrics() -> String {
    var text = ""
    func metric(_ name: String, _ kind: String, _ help: String, _ samples: [(labels: String, value: String)]) {
      guard !samples.isEmpty else { return }
      text += "# HELP sluice_\(name) \(help)\n# TYPE sluice_\(name) \(kind)\n"
      for sample in samples { text += "sluice_\(name)\(sample.labels) \(sample.value)\n" }
    }
    func escaped(_ value: String) -> String {
      value.map { $0 == "\\" ? "\\\\" : $0 == "\"" ? "\\\"" : $0 == "\n" ? "\\n" : String($0) }.joined()
    }
    func perPhase(_ value: (Int) -> PerPhase<Current>?) -> [(String, String)] {
      hub.circuits.indices.flatMap { k -> [(String, String)] in
        guard let current = value(k) else { return [] }
        return Phase.allCases.map { phase in
          ("{circuit=\"\(escaped(hub.circuits[k].id))\",phase=\"\(phase.name)\"}", "\(current[phase].amperes)")
        }
      }
    }
    metric("circuit_limit_amperes", "gauge", "The lowest limit in force.", perPhase { view.circuits[$0].limit })
    metric("circuit_current_amperes", "gauge", "What the circuit's meter shows.", perPhase { view.circuits[$0].measured })
    metric("circuit_committed_amperes", "gauge", "What its vehicles are counted at.", perPhase { view.circuits[$0].committed })
    metric(
      "circuit_reading_age_seconds", "gauge", "Age of the newest reading.",
      hub.circuits.indices.compactMap { k in
        view.circuits[k].readingAge.map { ("{circuit=\"\(escaped(hub.circuits[k].id))\"}", "\($0.seconds)") }
      })
    metric("stations_connected", "gauge", "Stations connected.", [("", "\(view.stations.count { $0.connected })")])
    metric("stations_controlled", "gauge", "Stations controlled.", [("", "\(view.stations.count { $0.controlled })")])
    metric("sessions", "gauge", "Transactions that run.", [("", "\(view.connectors.count { $0.transaction != nil })")])
    metric("alarms", "gauge", "Alarms that are raised.", [("", "\(view.alarms.count)")])
    metric("journal_ok", "gauge", "1: the journal keeps what it is given.", [("", view.storeFailed ? "0" : "1")])
    metric("journal_sequence", "counter", "Events recorded.", [("", "\(stamp.sequence)")])
    metric("journal_durable_sequence", "counter", "Events that survive a crash.", [("", "\(health.durableThrough)")])
    metric("station_messages_received_total", "counter", "Messages from stations.", [("", "\(health.received)")])
    metric("station_messages_sent_total", "counter", "Messages to stations.", [("", "\(health.sent)")])
    metric("meter_readings_total", "counter", "Readings of meters.", [("", "\(health.readings)")])
    metric("meter_faults_total", "counter", "Polls of meters that gave no reading.", [("", "\(health.meterFaults)")])
    metric("commands_total", "counter", "Commands to stations.", [("", "\(health.commands)")])
    metric(
      "decrease_answer_seconds", "gauge", "From a decision to lower to the station's answer, by quantile.",
      [("0.5", health.decreaseMedian), ("0.99", health.decreaseP99)].compactMap { quantile, span in
        span.map { ("{quantile=\"\(quantile)\"}", "\($0.seconds)") }
      })
    text += histogram(
      "decrease_written_seconds", "From the event that lowers a connector to its message's being written.", health.lowered)
    return text
  }

  private func histogram(_ name: String, _ help: String, _ times: TimeHistogram) -> String {
    var text = "# HELP sluice_\(name) \(help)\n# TYPE sluice_\(name) histogram\n"
    var sum = 0
    for (count, bound) in zip(times.counts, TimeHistogram.bounds.map { "\(Double($0) / 1e6)" } + ["+Inf"]) {
      sum += count
      text += "sluice_\(name)_bucket{le=\"\(bound)\"} \(sum)\n"
    }
    return text + "sluice_\(name)_sum \(Double(times.microseconds) / 1e6)\nsluice_\(name)_count \(sum)\n"
  }
}
