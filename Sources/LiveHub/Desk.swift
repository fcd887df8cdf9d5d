import Control
import Dispatch
import Documents
import Glibc
import Loop
import Quantities
import Record
import Site
import SiteFiles
import StationLink
import WebLink
import Window
import Threads

/// Serves the window: it knows who asks, has a picture of the hub that is at most half a second old, and hands orders to the mind.
///
/// It works on a thread of its own, so that however much is asked the guard is only asked for one picture at a time. What comes in on a
/// port of stations comes over at once: files are read and written on the way to an answer, and a slow disk must not stop the guard.
final class Desk: @unchecked Sendable {
  let loop: EventLoop
  let hubLoop: EventLoop
  let hub: LiveHub.WeakBox
  let tokens: TokenFile
  let journal: String
  let folder: ReportFolder
  /// Where the journal is read.
  let reading = DispatchQueue(label: "window", qos: .utility)
  let log: @Sendable (String, [String: String]) -> Void
  private let fronts = Locked<[(front: HTTPFront, door: WebDoor)]>([])
  private let shared = Locked<[WebDoor]>([])
  let entries = NewestEntries()
  let streams = Locked<[Follower]>([])
  let isWoken = Locked(false)
  /// The first sequence of this run of the controller.
  let run: UInt64
  let relaxing: Locked<LimitSeries.Relaxing>
  private let known = Locked<(seen: TokenFile.Seen?, tokens: Tokens)>((nil, Tokens()))
  let state = Locked(State())
  let history = Locked(LoadHistory())
  private var clock: LoopTimer?

  struct State {
    var picture: (picture: Picture, at: MonotonicTime)?
    var waiting: [@Sendable (Picture) -> Void] = []
    /// What answers show of the picture.
    var shown: [Sight: Body] = [:]
    var lastRequest = 0
  }
  /// What an operation without parameters shows to all of one role; a grid operator sees what is its own.
  struct Sight: Hashable {
    var operation: Endpoint.Operation
    var role: Role
  }

  init(
    hub: LiveHub.WeakBox, loop hubLoop: EventLoop, state path: String, journal: String, run: UInt64,
    relaxing: LimitSeries.Relaxing, log: @escaping @Sendable (String, [String: String]) -> Void
  ) throws(LoopFault) {
    loop = try EventLoop()
    (self.hub, self.hubLoop, self.journal, self.run, self.log) = (hub, hubLoop, journal, run, log)
    tokens = TokenFile(state: path)
    folder = ReportFolder(state: path)
    self.relaxing = Locked(relaxing)
    // Where processors are few the guard's thread goes before those who look in. On Linux this is about the calling thread.
    loop.run {
      let failed = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 10) != 0
      if failed { log("window_priority", ["errno": "\(errno)"]) }
    }
    clock = loop.every(.seconds(5)) { [unowned self] in
      entries.with { _ in }
      withPicture { [weak self] picture in self?.history.with { $0.take(picture) } }
    }
  }

  // MARK: Doors

  /// Opens a port of its own.
  func listen(_ listener: SiteFile.Listener, _ credentials: ServerCredentials?, connectionLimit: Int) throws(LoopFault) -> UInt16 {
    try loop.sync { [self] () throws(LoopFault) -> UInt16 in
      var settings = HTTPFront.Settings(
        address: listener.address, port: UInt16(clamping: listener.port), credentials: credentials)
      settings.connectionLimit = connectionLimit
      let front = HTTPFront(loop: loop, settings: settings)
      let door = door(on: loop, listener, isTLS: credentials != nil)
      front.route("/") { door.take($0) }
      let port = try front.start()
      fronts.with { $0.append((front, door)) }
      return port
    }
  }

  /// Answers on the port of stations what is not theirs.
  func share(_ server: StationServer, _ listener: SiteFile.Listener, isTLS: Bool) {
    let door = door(on: hubLoop, listener, isTLS: isTLS)
    shared.with { $0.append(door) }
    server.route("/") { door.take($0) }
  }

  private func door(on doorLoop: EventLoop, _ listener: SiteFile.Listener, isTLS: Bool) -> WebDoor {
    WebDoor(loop: doorLoop, settings: .init(requestsPerSecond: listener.requestsPerSecond, isTLS: isTLS)) {
      [unowned self] request, asker in
      loop.reach { [unowned self] in serve(request, asker, listener, on: doorLoop) }
    }
  }

  /// Ends everything; the hub's loop still runs. Blocks.
  func close() {
    hubLoop.sync { [self] in for door in shared.with({ $0 }) { door.close() } }
    loop.sync { [self] in
      clock?.cancel()
      for (front, door) in fronts.with({ $0 }) {
        front.stopListening()
        door.close()
        front.stop()
      }
    }
    reading.sync {}
    loop.stop()
  }

  // MARK: Who asks

  func audience(_ request: WebRequest, _ listener: SiteFile.Listener) throws(Problem) -> Audience {
    guard let bearer = request.bearer else {
      guard let role = listener.loopbackRole, request.isFromThisMachine else { throw .noToken }
      return Audience(name: "this-machine", role: role)
    }
    refreshTokens()
    guard let holder = known.with({ $0.tokens.holder(of: bearer) }) else {
      log("window_refused", ["remote": request.remote, "why": "unknown token"])
      throw .noToken
    }
    let purposes = listener.purposes
    let isRight =
      switch holder.role {
      case .administrator: true
      case .gridOperator: purposes.contains(.gridOperator)
      case .viewer, .operator: purposes.contains(.people)
      }
    guard isRight else {
      throw Problem(403, "Forbidden", "This listener is not for a \(holder.role.rawValue).")
    }
    return Audience(name: holder.name, role: holder.role)
  }

  private func refreshTokens() {
    let seen = tokens.seen
    guard known.with({ $0.seen != seen }) else { return }
    do {
      let fresh = try tokens.read()
      known.with { $0 = (seen, fresh) }
    } catch {
      // What cannot be read lets nobody in.
      known.with { $0 = (seen, Tokens()) }
      log("tokens_refused", ["why": "\(error)"])
    }
  }

  // MARK: The picture

  /// Calls `then` on the desk's loop with a picture that is at most half a second old.
  func withPicture(_ then: @escaping @Sendable (Picture) -> Void) {
    let now = MonotonicTime.now
    enum Step {
      case here(Picture), ask, wait
    }
    let step = state.with { state -> Step in
      if let (picture, at) = state.picture, now - at < .milliseconds(500) { return .here(picture) }
      state.waiting.append(then)
      return state.waiting.count == 1 ? .ask : .wait
    }
    switch step {
    case .here(let picture): loop.reach { then(picture) }
    case .wait: return
    case .ask:
      let (hub, me) = (hub, self)
      hubLoop.run {
        guard let picture = hub.hub?.picture() else { return }
        me.loop.run { me.developed(picture) }
      }
    }
  }

  private func developed(_ picture: Picture) {
    let waiting = state.with { state in
      defer { state.waiting = [] }
      state.picture = (picture, .now)
      state.shown = [:]
      return state.waiting
    }
    for then in waiting { then(picture) }
  }

  /// The next picture is taken anew.
  func outdatePicture() { state.with { $0.picture = nil } }
}

extension EventLoop {
  /// Runs `work` on the loop's thread: at once if that is the caller's, otherwise after everything queued before.
  func reach(_ work: @escaping @Sendable () -> Void) { executor.isCurrent ? work() : run(work) }
}
