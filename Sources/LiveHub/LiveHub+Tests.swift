import ChargingProfiles
import Control
import Quantities
import Record
import Site
import SiteFiles

extension LiveHub {
  /// What passes through the house while it is watched.
  enum Sighting: Sendable {
    case event(Event)
    /// Released: a command is on its way.
    case effect(Effect)
    /// A station that is kept out wants in.
    case knock(station: Int)
  }
  struct Tests: Sendable {
    /// Called on the loop's thread.
    var watcher: (@Sendable (Sighting) -> Void)?
    /// Stations that are not let in.
    var shutOut: Set<Int> = []
    /// What a station is asked as soon as it has booted, before its fallback is installed anew.
    var onBoot: [Int: StationCommand] = [:]
  }
  /// A view and the moment it is of.
  struct Sight: Sendable {
    var hub: Hub
    var view: HubView
    var stamp: EventStamp
  }

  func sight() -> Sight {
    loop.sync { [self] in
      let stamp = driver.stamp(utc: utc, monotonic: monotonic)
      return Sight(hub: driver.controller.hub, view: driver.controller.view(at: stamp), stamp: stamp)
    }
  }
  func watch(_ watcher: (@Sendable (Sighting) -> Void)?) { loop.sync { [self] in tests.watcher = watcher } }
  func tell(mind event: Event) { loop.sync { [self] in think(event) } }
  func ask(onBoot command: StationCommand?, of station: Int) { loop.sync { [self] in tests.onBoot[station] = command } }

  /// Cuts a station's connection as a broken network would, and lets it in again only at `letIn`.
  func shutOut(_ station: Int) {
    loop.sync { [self] in
      tests.shutOut.insert(station)
      guard let link = stations[station].link, servers.indices.contains(stations[station].server) else { return }
      tell("link_cut_for_test", ["station": plan.site.hub.stations[station].id])
      servers[stations[station].server].cut(link)
    }
  }
  func letIn(_ station: Int) { _ = loop.sync { [self] in tests.shutOut.remove(station) } }

  /// Says where a commissioning run and the site file do not agree on a fallback; what was tested counts.
  func announceTrust() {
    let proven = driver.controller.commissionedTrust
    for station in plan.site.hub.stations {
      guard let trust = proven[station.id], trust != station.trust else { continue }
      tell("trust", ["station": station.id, "trust": trust.rawValue, "site_file": station.trust.rawValue, "why": "commissioned"])
    }
  }

  /// Why a site is refused; a fallback that was proven at commissioning counts as proven, whatever the file says of it.
  /// - Parameter proven: what was found of stations, by their ids.
  static func refusals(of site: SiteFile, knowing proven: [String: FallbackTrust], isTrial: Bool) -> [String] {
    var known = site
    for s in known.hub.stations.indices {
      if isTrial {
        known.hub.stations[s].trust = .proven
      } else if let trust = proven[known.hub.stations[s].id] {
        known.hub.stations[s].trust = trust
      }
    }
    return SiteCheck(known).refusals.map(\.description)
  }
}
