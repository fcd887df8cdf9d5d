import Documents
import Glibc
import Quantities
import Site
import SiteFiles

/// The tariff file may change under way, as tomorrow's prices come in the afternoon: it is looked at every ten seconds.
extension LiveHub {
  static let tariffInterval = Duration.seconds(10)

  /// Reads the tariff file if there is one and it has changed; a wrong one is said, and what held before holds on.
  func checkTariff() {
    guard !isStopping, let named = plan.site.tariff else { return }
    let path = resolved(named)
    var status = stat()
    guard stat(path, &status) == 0 else {
      if tariffSeen != .missing { tell("tariff_missing", ["file": path]) }
      tariffSeen = .missing
      return
    }
    let state = TariffState.seen(path, size: Int(status.st_size), changed: status.st_mtim.tv_sec, status.st_mtim.tv_nsec)
    guard state != tariffSeen else { return }
    tariffSeen = state
    do {
      let tariff = try TariffFile.read(text: try ProfileFolder.read(path), name: path)
      tell("tariff", ["file": path, "steps": "\(tariff.steps.count)", "until": Timestamp.text(tariff.until.milliseconds)])
      think(.tariff(tariff))
    } catch {
      tell("tariff_refused", ["file": path, "why": "\(error)"])
    }
  }

  /// What was last seen of the tariff file.
  enum TariffState: Hashable {
    case unknown, missing
    case seen(String, size: Int, changed: Int, Int)
  }
}
