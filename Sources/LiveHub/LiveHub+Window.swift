import Control
import Journal
import Loop
import Quantities
import Record
import Site
import Window

extension LiveHub {
  /// Prepares the window if a listener is for people or the grid operator.
  func openDesk() throws(Flaw) {
    guard plan.site.listeners.contains(where: { $0.purposes != [.stations] }) else { return }
    let (log, clock) = (log, clock)
    do throws(LoopFault) {
      let desk = try Desk(
        hub: box, loop: loop, state: state.path, journal: JournalStore.path(in: state.path), run: driver.stamp.sequence + 1,
        relaxing: plan.site.relaxing
      ) { what, details in
        var line = LogLine(what, at: clock.utc(), [:])
        line.details = details.sorted { $0.key < $1.key }.map { LogLine.Detail(key: $0.key, value: $0.value) }
        log(line)
      }
      self.desk = desk
    } catch { throw .loop(error) }
  }

  /// Each entry is shown to those who follow and to those who watch how limits are kept.
  func observe() {
    driver.observer = { [unowned self] entry, coded, through in
      if let desk {
        desk.entries.add(entry, coded: coded, durableThrough: through)
        desk.entriesCame()
      }
      compliance.take(entry, plan.site.hub)
      if let gridOperator, let circuit = plan.site.oscp?.circuit { gridOperator.take(entry, plan.site.hub, circuit: circuit) }
    }
  }

  /// The hub as it is now. On the hub's loop.
  func picture() -> Picture {
    let stamp = driver.stamp(utc: utc, monotonic: monotonic)
    return Picture(
      driver.controller, at: stamp,
      health: Picture.Health(
        durableThrough: driver.durableThrough, received: counts.received, sent: counts.sent, readings: counts.readings,
        meterFaults: counts.meterFaults, commands: counts.commands, decreaseMedian: counts.decreases.quantile(500),
        decreaseP99: counts.decreases.quantile(990), lowered: counts.lowered),
      // Between two site files the mind may still be at the first one.
      links: driver.controller.hub.stations.map { station in
        places[station.id].map { stations[$0].watch.quality(at: stamp.monotonic) } ?? LinkQuality()
      })
  }

  /// Hands a request to the mind; `listener` hears what becomes of it. On the hub's loop.
  func ask(_ request: Request, _ listener: @escaping Asked.Listener) {
    guard !isStopping else { return }
    asked.wait(for: request.id, listener)
    tell("asked", ["request": request.id, "by": request.by])
    var sealed = request
    sealed.order = secrets.seal(request.order)
    think(.asked(sealed))
  }
}
