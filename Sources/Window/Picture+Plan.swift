import Control
import Documents
import Quantities
import Site

extension Picture {
  /// The plan for the next hours: per session its current in each slot, and what the plan lacks.
  public func planned() -> String {
    var writer = JSONWriter(reserving: 4096)
    writer.object {
      $0.member("at", stamp.utc)
      $0.member("planning", hub.planning != nil)
      $0.key("plan")
      guard let plan else { return $0.null() }
      $0.object {
        $0.member("start", plan.start)
        $0.member("slot_s", plan.slot)
        $0.array("sessions", plan.sessions) { session($1, &$0) }
        $0.array("necks", plan.necks) { writer, neck in
          writer.object {
            $0.member("circuit", hub.circuits.indices.contains(neck.circuit) ? hub.circuits[neck.circuit].id : "")
            $0.member("phase", neck.phase.name)
            $0.member("from", plan.start + plan.slot * neck.first)
            $0.member("until", plan.start + plan.slot * (neck.last + 1))
          }
        }
      }
    }
    return writer.text
  }

  private func session(_ session: Planned.Session, _ writer: inout JSONWriter) {
    guard hub.connectors.indices.contains(session.connector) else { return }
    let connector = hub.connectors[session.connector]
    writer.object {
      $0.member("station", hub.stations[connector.station].id)
      $0.member("number", connector.number)
      $0.member("transaction", session.transaction)
      $0.member("departure", session.departure)
      $0.member("needed_wh", session.needed)
      $0.member("unserved_wh", session.unserved)
      $0.member("is_estimate", session.isEstimate)
      $0.array("currents_a", session.currents) { $0.decimal($1.milliamperes, 3) }
    }
  }

  /// What the site file says, as it is in force; without secrets.
  public func configuration() -> String {
    var writer = JSONWriter(reserving: 8192)
    writer.object {
      $0.member("id", hub.id)
      $0.member("name", hub.name)
      $0.member("time_zone", hub.timeZone)
      $0.array("circuits", hub.circuits) { writer, circuit in
        writer.object {
          $0.member("id", circuit.id)
          $0.member("parent", circuit.parent.map { hub.circuits[$0].id })
          $0.member("limit_a", circuit.rating)
          $0.member("margin_a", circuit.margin)
          $0.member("base_worst_a", circuit.baseWorst)
          $0.member("generation_a", circuit.generation)
          $0.member("manual_cap_a", circuit.manualCap)
          $0.member("maintenance", circuit.maintenance)
          $0.member("meter", circuit.measurement.map { hub.meters[$0.meter].id })
          $0.member("meter_phases", circuit.measurement?.rotation.rawValue)
          $0.member("meter_inverted", circuit.measurement?.inverted ?? false)
        }
      }
      $0.array("meters", hub.meters) { writer, meter in
        writer.object {
          $0.member("id", meter.id)
          $0.member("profile", meter.profile)
          $0.member("unit", meter.unit)
          $0.member("period_s", meter.period)
        }
      }
      $0.array("stations", hub.stations) { writer, station in
        writer.object {
          $0.member("id", station.id)
          $0.member("model", station.traits.model)
          $0.member("state", station.state.rawValue)
          $0.member("trust", station.trust.rawValue)
          $0.member("has_password", station.passwordHash != nil)
          $0.array("connectors", hub.connectors[station.connectors]) { writer, connector in
            writer.object {
              $0.member("number", connector.number)
              $0.member("circuit", hub.circuits[connector.circuit].id)
              $0.member("phases", connector.phases)
              $0.member("maximum_a", connector.maximum)
              $0.member("minimum_a", connector.minimum)
              $0.member("fallback_a", connector.fallback)
              $0.member("weight", connector.weight)
              $0.member("priority", connector.priority)
            }
          }
        }
      }
    }
    return writer.text
  }
}
