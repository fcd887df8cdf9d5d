import Control
import Dispatch
import Glibc
import Journal
import Loop
import Metering
import ModbusLink
import OCPP
import Quantities
import Record
import Site
import SiteFiles
import StationLink
import WebLink
import Window

/// The live house: it owns the clock, the links, the journal and one mind, all on the thread of one loop.
///
/// Everything that happens reaches that thread, becomes an event for the `Driver`, and what comes back goes out over the stations'
/// dialogues. Readings come from the buses' threads, and what the store reports from its own; both are handed over.
public final class LiveHub: @unchecked Sendable {
  /// What the hub runs with; a later one takes the place of an earlier one at `reload`.
  public struct Plan: Sendable {
    public var site: SiteFile
    /// One for each meter of the hub.
    public var meterProfiles: [MeterProfile]
    /// The folder of the site file: certificates are named relative to it.
    public var folder: String
    public init(site: SiteFile, meterProfiles: [MeterProfile], folder: String = ".") {
      (self.site, self.meterProfiles, self.folder) = (site, meterProfiles, folder)
    }
  }
  public typealias Log = @Sendable (LogLine) -> Void
  /// Whose recordings these are; a newer mind does not think a journal again as if it were its own.
  public static let version = "3"

  public let loop: EventLoop
  let log: Log
  let clock: HubClock
  let state: StateDirectory
  let box = WeakBox()

  // On the loop's thread only.
  var plan: Plan
  var driver: Driver<JournalStore>
  /// One for each station of the hub, in its order.
  var stations: [StationPost] = []
  /// The place of each station in the plan.
  var places: [String: Int] = [:]
  /// When each station's dialogue has to be seen to.
  var deadlines = Deadlines()
  var waiting = Backlog()
  var isThinking = false
  /// Since when it lets the loop write what was just said, before it thinks on.
  var restingSince: MonotonicTime?
  /// The mind has said something to a station since the last rest.
  var hasSpoken = false
  /// Since when the oldest of the events waits that are thought about now, and how many messages that lower came of them.
  var waitingSince: MonotonicTime?
  var lowering = 0
  /// Decisions and alarms that have not been logged yet.
  var untold: [Effect] = []
  var timer: LoopTimer?
  var timerAt: Monotonic?
  var clockCheck: LoopTimer?
  var tariffCheck: LoopTimer?
  var calendarCheck: LoopTimer?
  var tariffSeen = TariffState.unknown
  var thinning: LoopTimer?
  /// It was logged that raw readings are not recorded.
  var saidLeftOut = false
  var wallOffset: TimeSpan
  var servers: [StationServer] = []
  var meterLink: MeterLink?
  /// How often the meters have been others: what a link reports is of the meters of its own plan.
  var meterGeneration = 0
  /// Opens devices that have a shunt trip.
  let coils = CoilSwitch()
  /// Where plans are worked out.
  let planning = DispatchQueue(label: "planning", qos: .utility)
  let passwords = PasswordCheck()
  var links: [LinkHandle: (station: Int, server: Int)] = [:]
  public var counts = Counts()
  var isStopping = false
  /// What a commissioning run sees and asks of the house.
  var tests = Tests()
  /// Who serves the window; nil: no listener is for people.
  var desk: Desk?
  var asked = Asked()
  var secrets = Secrets()
  let compliance: Compliance
  var limitServer: LimitServer?
  /// Speaks OSCP with a capacity provider; nil: there is none.
  var gridOperator: GridOperatorLink?
  var limitTimer: LoopTimer?
  /// When the grid operator's terminal was heard, and when it set a limit, as far as the mind was told.
  var terminalHeard: Monotonic?
  var terminalSetAt: Monotonic?
  var lastTerminalRequest = 0
  let startedAt: Monotonic

  /// Messages since the start.
  public struct Counts: Hashable, Sendable {
    public var received = 0
    public var sent = 0
    public var readings = 0
    public var meterFaults = 0
    public var commands = 0
    public var decreases = ReactionTimes()
    /// From the event that lowers somebody to the profile's being written.
    public var lowered = TimeHistogram()
  }

  /// A station as the house keeps it, over all its connections.
  struct StationPost {
    var dialogue: CentralDialogue
    var link: LinkHandle?
    var server = 0
    var password: PasswordHash?
    var watch = LinkWatch()
  }

  /// Why a hub cannot start.
  public enum Flaw: Error, Sendable, CustomStringConvertible {
    case state(StateDirectory.Flaw)
    case journal(path: String, String)
    case refused([String])
    /// The journal is another hub's: no station of the site file is in it.
    case otherHub(path: String, kept: String, named: String)
    case password(station: String)
    case loop(LoopFault)
    case meters(MeterBus.Flaw)
    case limitServer(String)
    public var description: String {
      switch self {
      case .state(let flaw): flaw.description
      case .journal(let path, let what): "\(path): \(what)"
      case .refused(let problems): "the site is refused:\n" + problems.joined(separator: "\n")
      case .otherHub(let path, let kept, let named):
        "\(path): holds the journal of the hub \"\(kept)\", the site file is of \"\(named)\", and they have no station in common; "
          + "name another directory with --state"
      case .password(let station):
        "station \(station): password_hash is not of the form pbkdf2$sha256$ROUNDS$SALT$HASH or scrypt$N$R$P$SALT$HASH (hexadecimal)"
      case .loop(let fault): fault.description
      case .meters(let flaw): "meters: \(flaw)"
      case .limitServer(let what): "limit_server: \(what)"
      }
    }
  }

  /// The loop's callbacks reach the hub through this, so that a hub that is gone is not kept.
  final class WeakBox: @unchecked Sendable { weak var hub: LiveHub? }

  /// Locks the state directory, opens the journal and brings the mind back from it. Nothing is heard or said before `start`.
  /// - Parameters:
  ///   - isTrial: a site that holds only once the fallbacks are proven is let in, to prove them. The mind counts each station that is
  ///     not proven at its worst all the same.
  ///   - clock: tests give one that they move.
  ///   - vfs: SQLite's file system for the journal, for tests; nil: its own.
  /// - Throws: `Flaw`.
  public init(
    _ plan: Plan, state path: String, isTrial: Bool = false, clock: HubClock = .system, vfs: String? = nil, log: @escaping Log
  ) throws(Flaw) {
    do throws(StateDirectory.Flaw) { state = try StateDirectory(path: path) } catch { throw .state(error) }
    do throws(LoopFault) { loop = try EventLoop() } catch { throw .loop(error) }
    (self.plan, self.log, self.clock) = (plan, log, clock)
    let (file, box, loop) = (JournalStore.path(in: path), box, loop)
    do {
      let restored = access(file, F_OK) == 0 ? try JournalReader(path: file).restore() : nil
      let store = try JournalStore(path: file, vfs: vfs) { loop.run { box.hub?.wake() } }
      driver = Driver(store: store, version: Self.version, restored: restored, keepsInputs: true)
    } catch {
      loop.stop()
      throw .journal(path: file, "\(error)")
    }
    wallOffset = clock.offset
    startedAt = clock.monotonic()
    compliance = Compliance(state: path) { what, why in
      log(LogLine(what, at: clock.utc(), ["why": why]))
    }
    box.hub = self
    if let flaw = Self.flaw(of: plan.site, after: driver.controller, state: path, isTrial: isTrial) {
      loop.stop()
      driver.store.close()
      state.unlock()
      throw flaw
    }
  }

  /// Why a site cannot go on where `mind` was.
  private static func flaw(of site: SiteFile, after mind: SiteController, state path: String, isTrial: Bool) -> Flaw? {
    let kept = mind.hub
    if !kept.stations.isEmpty, kept.id != site.hub.id,
      Set(kept.stations.map(\.id)).isDisjoint(with: site.hub.stations.map(\.id))
    {
      return .otherHub(path: path, kept: kept.id, named: site.hub.id)
    }
    let refusals = refusals(of: site, knowing: mind.commissionedTrust, isTrial: isTrial)
    return refusals.isEmpty ? nil : .refused(refusals)
  }

  /// Listens, polls and thinks from now on.
  /// - Returns: the port of each listener of the site file, in its order.
  /// - Throws: `Flaw`; nothing runs then.
  public func start() throws(Flaw) -> [UInt16] {
    raiseDescriptorLimit()
    reserveModbusDescriptors(plan.modbusConnections)
    try prepareStations()
    do throws(Flaw) {
      try openGridOperatorLink()
      try openDesk()
      loop.sync { [self] in
        observe()
        begin()
      }
      let ports = try listen()
      try loop.sync { [self] () throws(Flaw) in try startMeters() }
      try openLimitServer()
      giveBackFreeMemory()  // what reading the site file and the journal took
      return ports
    } catch {
      stop()
      throw error
    }
  }

  private func listen() throws(Flaw) -> [UInt16] {
    var ports: [UInt16] = []
    for listener in plan.site.listeners {
      do throws(LoopFault) {
        var credentials: ServerCredentials?
        if let tls = listener.tls {
          credentials = try ServerCredentials(certificateFile: resolved(tls.certificate), keyFile: resolved(tls.key))
        }
        guard listener.purposes.contains(.stations) else {
          guard let desk else { preconditionFailure("a listener for people without a desk") }
          ports.append(try desk.listen(listener, credentials, connectionLimit: plan.connectionLimit(of: listener)))
          continue
        }
        var configuration = StationServer.Configuration(
          address: listener.address, port: UInt16(clamping: listener.port), credentials: credentials)
        configuration.connectionLimit = plan.connectionLimit(of: listener)
        let (box, index) = (box, servers.count)
        let server = StationServer(
          loop: loop, configuration: configuration,
          admit: { knock, answer in
            guard let hub = box.hub else { return answer(.later) }
            hub.admit(knock, answer)
          }, deliver: { box.hub?.heard($0, server: index) })
        if listener.purposes != [.stations] { desk?.share(server, listener, isTLS: credentials != nil) }
        ports.append(try server.start())
        loop.sync { [self] in servers.append(server) }
      } catch { throw .loop(error) }
    }
    return ports
  }
  func resolved(_ path: String) -> String { path.hasPrefix("/") ? path : "\(plan.folder)/\(path)" }

  /// Ends in order: what has come is thought about, for some of it was acknowledged; then no meters, no links, everything recorded durable.
  /// An answer that waits for the record is not sent any more: the station asks again, and its transaction is known then. Blocks; not from
  /// the loop's thread.
  public func stop() {
    let (link, all) = loop.sync { [self] () -> (MeterLink?, [StationServer]) in
      isStopping = true  // nothing more comes in
      catchUp()
      defer { (meterLink, servers) = (nil, []) }
      return (meterLink, servers)
    }
    link?.stop()
    coils.stop()
    limitServer?.stop()
    gridOperator?.stop()
    desk?.close()
    for server in all { server.stop() }
    passwords.stop()
    let (store, closedBatches) = loop.sync { [self] () -> (JournalStore, Int) in
      timer?.cancel()
      clockCheck?.cancel()
      tariffCheck?.cancel()
      calendarCheck?.cancel()
      limitTimer?.cancel()
      thinning?.cancel()
      catchUp()  // what the doors took before they closed
      driver.finish(monotonic: monotonic)
      report()
      return (driver.store, driver.waitingBatches)
    }
    // Twice: what was under way, and then what waited for it with the snapshot. Between them each batch that was closed meanwhile.
    for _ in 0..<(4 + closedBatches) {
      store.flush()
      let isDurable = loop.sync { [self] () -> Bool in
        _ = driver.wake(utc: utc, monotonic: monotonic)
        if !driver.isDurable { driver.finish(monotonic: monotonic) }
        return driver.isDurable
      }
      if isDurable { break }
    }
    loop.sync { [self] in tell(driver.isDurable ? "stopped" : "stopped_with_unkept_records") }
    compliance.close(at: utc)
    store.close()
    state.unlock()
    loop.stop()
  }

  /// What the mind knows now, and the hub it is about. From any thread.
  public func view() -> (hub: Hub, view: HubView, counts: Counts) {
    loop.sync { [self] in
      (driver.controller.hub, driver.controller.view(at: driver.stamp(utc: utc, monotonic: monotonic)), counts)
    }
  }
}
