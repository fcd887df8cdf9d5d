import Control
import GridLimits
import Loop
import ModbusLink
import Quantities
import Site
import SiteFiles
import Threads

/// The Modbus TCP server of a grid operator's terminal: what it writes becomes requests to the mind, what it reads is at most a second old.
final class LimitServer: Sendable {
  static let owner = "modbus-terminal"
  static let id = "modbus"
  private let server: ModbusServer
  private let state: Locked<State>
  var port: Int { server.port }

  private struct State {
    var registers: LimitRegisters
    var shown: LimitRegisters.Shown?
  }

  /// - Parameters:
  ///   - registers: what the terminal had written before a restart.
  ///   - heard: called on the server's thread.
  init(
    _ settings: SiteFile.LimitServer, registers: LimitRegisters, heard: @escaping @Sendable (LimitRegisters.Change) -> Void
  ) throws(ModbusServer.Flaw) {
    let state = Locked(State(registers: registers)), allowed = settings.allowed, unit = settings.unit
    self.state = state
    server = try ModbusServer(
      tcp: settings.port, host: settings.address, admits: { allowed.contains($0) },
      source: { asked, range in
        guard asked == unit || asked == 255 else { return .silence }
        return state.with { state in
          // Device busy: nothing has been seen of the hub yet.
          guard let shown = state.shown else { return .exception(6) }
          return state.registers.read(range.address, range.count, shown).map { .words($0) } ?? .exception(2)
        }
      },
      sink: { asked, address, words in
        guard asked == unit || asked == 255 else { return 11 }
        let (changes, exception) = state.with { $0.registers.write(address, words) }
        for change in changes { heard(change) }
        return exception
      })
  }

  func show(_ shown: LimitRegisters.Shown) { state.with { $0.shown = shown } }
  func stop() { server.stop() }
}

extension LiveHub {
  func openLimitServer() throws(Flaw) {
    guard let settings = plan.site.limitServer else { return }
    let (loop, box) = (loop, box)
    do throws(ModbusServer.Flaw) {
      let standing = loop.sync { [self] in ownView?.series }
      let registers = standing.flatMap { series in
        series.blocks.last.map { LimitRegisters(standing: $0.amount, minutes: series.lasts.map { $0.raw / 60_000 }) }
      }
      let server = try LimitServer(settings, registers: registers ?? LimitRegisters()) { change in
        loop.run { box.hub?.heard(change) }
      }
      loop.sync { [self] in
        limitServer = server
        showLimits()
        limitTimer = loop.every(.seconds(1)) { [box] in box.hub?.showLimits() }
      }
      tell("limit_server", ["port": "\(server.port)", "circuit": plan.site.hub.circuits[settings.circuit].id])
    } catch { throw .limitServer(error.description) }
  }

  /// What a terminal wrote. On the hub's loop.
  private func heard(_ change: LimitRegisters.Change) {
    guard !isStopping, let settings = plan.site.limitServer else { return }
    switch change {
    case .alive:
      // The silence is judged by the mind; it need not hear of each count.
      let now = monotonic
      if let last = terminalHeard, now - last < settings.silentAfter / 4 { return }
      terminalHeard = now
      order(.heartbeat(owner: LimitServer.owner))
    case .withdrawn:
      guard ownView != nil else { return }
      order(.withdrawLimit(id: LimitServer.id, owner: LimitServer.owner, drawnRelaxing()))
    case .limit(let amount, let minutes):
      let lasts = minutes.map { TimeSpan.minutes($0) }
      // Who writes the same every second is not recorded every second.
      if let last = terminalSetAt, monotonic - last < min(settings.silentAfter, lasts ?? settings.silentAfter) / 4,
        let own = ownView, own.silentSince == nil, own.inForce?.amount == amount, own.series.lasts == lasts
      {
        return heard(.alive)
      }
      (terminalHeard, terminalSetAt) = (monotonic, monotonic)
      let start = utc
      order(
        .limit(
          LimitSeries(
            id: LimitServer.id, source: settings.source, owner: LimitServer.owner, circuit: settings.circuit,
            blocks: [.init(from: start, until: lasts.map { start + $0 }, amount: amount)],
            silence: .init(
              after: settings.silentAfter,
              fallback: [.init(from: Instant(milliseconds: 0), until: nil, amount: settings.fallback)],
              needsFreshLimit: settings.needsFreshLimit),
            relaxing: drawnRelaxing(), lasts: lasts)))
    }
  }

  /// What the terminal set, as the mind has it.
  private var ownView: SiteController.SeriesView? {
    driver.controller.seriesView(at: driver.stamp(utc: utc, monotonic: monotonic)).first { $0.series.id == LimitServer.id }
  }

  private func order(_ order: Order) {
    lastTerminalRequest += 1
    think(.asked(Request(id: "modbus-\(driver.stamp.sequence)-\(lastTerminalRequest)", by: LimitServer.owner, order: order)))
  }

  private func showLimits() {
    guard !isStopping, let settings = plan.site.limitServer, let server = limitServer else { return }
    let stamp = driver.stamp(utc: utc, monotonic: monotonic)
    let view = driver.controller.view(at: stamp)
    guard view.circuits.indices.contains(settings.circuit) else { return }
    let (circuit, hub) = (view.circuits[settings.circuit], driver.controller.hub)
    let own = ownView
    let state: LimitRegisters.Shown.State =
      own == nil ? .none : own?.silentSince != nil ? .fallback : own?.inForce != nil ? .inForce : .none
    let load = circuit.measured ?? circuit.baseForCuts + circuit.committed
    server.show(
      .init(
        state: state, limit: circuit.limit, measured: circuit.measured, voltage: hub.nominalVoltage,
        complies: Phase.allCases.allSatisfy { load[$0] <= circuit.limit[$0] }, uptime: monotonic - startedAt))
  }
}
