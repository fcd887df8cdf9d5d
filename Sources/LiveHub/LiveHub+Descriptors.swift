import Loop
import SiteFiles

extension LiveHub.Plan {
  /// Modbus connections that may be open at once: meters, devices that trip, and the clients of the limit server.
  var modbusConnections: Int {
    let trips = site.hub.circuits.count { $0.shuntTrip != nil }
    return site.hub.meters.count + trips + (site.limitServer == nil ? 0 : 32)
  }

  /// Connections of one listener at a time: a quarter of all is for people, grid operators among them, wherever they have listeners of their
  /// own, so that neither they nor stations can take all, or the descriptors of meters and the journal.
  func connectionLimit(of listener: SiteFile.Listener) -> Int {
    func isForStations(_ other: SiteFile.Listener) -> Bool { other.purposes.contains(.stations) }
    let alike = site.listeners.count { isForStations($0) == isForStations(listener) }
    let all = max(64, descriptorsLeft() - modbusConnections)
    let share = alike == site.listeners.count ? all : isForStations(listener) ? all - all / 4 : all / 4
    return max(16, share / alike)
  }
}
