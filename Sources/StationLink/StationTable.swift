import CLibevent
import COpenSSL
import Glibc
import Loop

/// All connections of a server, by slot. On the loop's thread only.
final class StationTable: @unchecked Sendable {
  let loop: EventLoop
  let front: HTTPFront
  let configuration: StationServer.Configuration
  private let admit: StationServer.Gate
  let deliver: StationServer.Delivery
  private var slots: [StationConnection?] = []
  private var generations: [UInt32] = []
  private var freeSlots: [Int] = []
  private var newest: [String: LinkHandle] = [:]
  /// Those that have not been told yet whether they may come in.
  private var waiting: [UInt64: Waiting] = [:]
  private var lastKnock: UInt64 = 0
  private var occupied = 0
  /// Those that have got a Close frame and may still be there.
  private var closing: [LinkHandle] = []
  private var pingCursor = 0
  /// Connections that came since free memory was last given back, and those of them that had come by the last tick.
  private var arrivals = (all: 0, byLastTick: 0)
  /// After so many new connections, and a moment without one, free memory is given back.
  private static let storm = 256
  private var ticker: LoopTimer?
  private var limit: LoopTimer?
  private var whenStopped: (@Sendable () -> Void)?
  private let tick: Duration

  private struct Waiting {
    let exchange: HTTPExchange
    let key: String
    let stationID: String
  }

  init(
    loop: EventLoop, configuration: StationServer.Configuration, admit: @escaping StationServer.Gate,
    deliver: @escaping StationServer.Delivery
  ) {
    (self.loop, self.configuration, self.admit, self.deliver) = (loop, configuration, admit, deliver)
    var settings = HTTPFront.Settings(
      address: configuration.address, port: configuration.port, credentials: configuration.credentials)
    settings.requestDeadline = configuration.requestDeadline
    if let limit = configuration.connectionLimit { settings.connectionLimit = limit }
    front = HTTPFront(loop: loop, settings: settings)
    tick = max(.milliseconds(10), min(.seconds(1), configuration.pingInterval / 4, configuration.closePatience / 4))
  }

  func start() throws(LoopFault) -> UInt16 {
    front.route(configuration.pathPrefix) { [unowned self] in knock($0) }
    let port = try front.start()
    // Strong on purpose: while it listens, a server lives without its owner's help.
    ticker = loop.every(tick) { [self] in onTick() }
    return port
  }

  func stop(within patience: Duration, _ done: @escaping @Sendable () -> Void) {
    guard whenStopped == nil, ticker != nil else { return done() }
    whenStopped = done
    front.stopListening()
    for case let connection? in slots {
      beginClosing(connection, code: 1001, reason: "going away", end: .closedByUs(code: 1001))
    }
    limit = loop.after(patience) { [self] in finish() }
    if occupied == 0 { finish() }
  }

  /// Frees what is left; the second call finds nothing to do.
  private func finish() {
    guard let done = whenStopped, let ticker else { return }
    for case let connection? in slots { free(connection, end: .lost) }
    waiting = [:]  // the front closes them
    ticker.cancel()
    limit?.cancel()
    self.ticker = nil
    front.stop()
    done()
  }
}

extension StationTable {
  /// A request on the stations' path: refused with a status, or kept until the house has said whether it may come in.
  private func knock(_ exchange: HTTPExchange) {
    let key: String
    do throws(Handshake.Flaw) { key = try Handshake.key(of: exchange.head) } catch { return refuse(exchange, error) }
    guard let stationID = exchange.head.lastSegment, exchange.head.path.utf8.count > configuration.pathPrefix.utf8.count else {
      return exchange.reply(404, text: "no station id in the path")
    }
    let basic = Handshake.basic(exchange.head["authorization"])
    lastKnock += 1
    let number = lastKnock
    waiting[number] = Waiting(exchange: exchange, key: key, stationID: stationID)
    admit(Knock(stationID: stationID, user: basic?.user, password: basic?.password, remote: exchange.remote)) { [self] admission in
      if loop.executor.isCurrent { return answer(number, admission) }
      loop.run { [self] in answer(number, admission) }
    }
  }

  /// The house has decided: the request is refused with a status, or taken over.
  private func answer(_ number: UInt64, _ admission: Admission) {
    guard let knock = waiting.removeValue(forKey: number) else { return }
    let exchange = knock.exchange
    switch admission {
    case .unknown: exchange.reply(404, text: "unknown station")
    case .unauthorized:
      exchange.reply(401, text: "wrong password", fields: [.init("WWW-Authenticate", "Basic realm=\"ocpp\"")])
    case .later: exchange.reply(503, text: "not now")
    case .accept:
      // A peer that has gone is answered too: with that libevent frees its connection.
      guard whenStopped == nil, exchange.isOpen else { return exchange.reply(503, text: "going away") }
      welcome(exchange, key: knock.key, stationID: knock.stationID)
    }
  }

  private func refuse(_ exchange: HTTPExchange, _ flaw: Handshake.Flaw) {
    switch flaw {
    case .notGet: exchange.reply(405, text: "only GET", fields: [.init("Allow", "GET")])
    case .notAnUpgrade: exchange.reply(426, text: "this path speaks WebSocket", fields: [.init("Upgrade", "websocket")])
    case .version: exchange.reply(426, text: "only version 13", fields: [.init("Sec-WebSocket-Version", "13")])
    case .key: exchange.reply(400, text: "Sec-WebSocket-Key is not 16 bytes in base64")
    case .body: exchange.reply(400, text: "an upgrade has no body")
    }
  }

  private func welcome(_ exchange: HTTPExchange, key: String, stationID: String) {
    let offered = exchange.head.tokens("sec-websocket-protocol")
    let isAgreed = offered.contains(configuration.subprotocol)
    let isTolerated = offered.isEmpty && configuration.toleratesMissingSubprotocol
    let notes = LinkNotes(lacksSubprotocol: offered.isEmpty, remote: exchange.remote)
    let connection = seat(exchange.takeOver(), stationID: stationID)
    connection.begin(with: Handshake.response(to: key, subprotocol: isAgreed ? configuration.subprotocol : nil))
    guard isAgreed || isTolerated else {
      return beginClosing(connection, code: 1002, reason: "no common sub-protocol", end: .closedByUs(code: 1002))
    }
    if let older = newest[stationID].flatMap(find) {
      beginClosing(older, code: 1000, reason: "connected anew", end: .replaced)
    }
    newest[stationID] = connection.handle
    connection.isAnnounced = true
    arrivals.all += 1
    deliver(.opened(connection.handle, stationID: stationID, notes))
  }

  private func seat(_ taken: TakenConnection, stationID: String) -> StationConnection {
    let slot: Int
    if let free = freeSlots.popLast() {
      slot = free
    } else {
      slot = slots.count
      slots.append(nil)
      generations.append(0)
    }
    generations[slot] &+= 1
    occupied += 1
    let handle = LinkHandle(generation: generations[slot], slot: slot)
    let connection = StationConnection(handle: handle, stationID: stationID, taken: taken, table: self)
    slots[slot] = connection
    return connection
  }

  private func find(_ handle: LinkHandle) -> StationConnection? {
    guard slots.indices.contains(handle.slot), let connection = slots[handle.slot], connection.handle == handle else { return nil }
    return connection
  }
}

extension StationTable {
  func send(_ handle: LinkHandle, text: [UInt8]) {
    guard let connection = find(handle), connection.isOpen else { return }
    connection.channel.send(text: text)
    guard isCongested(connection) else { return }
    // Later: whoever sends is not told in the middle of it that the connection has ended.
    loop.run { [self] in if let connection = find(handle), isCongested(connection) { free(connection, end: .congested) } }
  }

  func close(_ handle: LinkHandle, code: UInt16, reason: String, end: LinkEnd) {
    guard let connection = find(handle) else { return }
    beginClosing(connection, code: code, reason: reason, end: end)
  }

  /// Ends the connection as a broken network would: no Close frame.
  func cut(_ handle: LinkHandle) {
    if let connection = find(handle) { free(connection, end: .lost) }
  }

  func hold(_ handle: LinkHandle) {
    find(handle)?.channel.isHeld = true
  }

  func release(_ handle: LinkHandle) {
    guard let connection = find(handle) else { return }
    connection.channel.isHeld = false
    readable(connection)
  }

  /// Bytes have arrived, or may be read again.
  func readable(_ connection: StationConnection) {
    connection.unansweredPings = 0
    guard connection.isOpen else { return connection.discardInput() }
    let arrivals = connection.channel.receive()
    for message in arrivals.messages { deliver(.received(connection.handle, message)) }
    if let end = arrivals.end { return beginClosing(connection, code: 1000, reason: "", end: end) }
    if isCongested(connection) { free(connection, end: .congested) }
  }

  /// All output is written.
  func written(_ connection: StationConnection) {
    if !connection.isOpen { connection.endOutput() }
  }

  func failed(_ connection: StationConnection, timedOut: Bool) {
    free(connection, end: timedOut ? .congested : .lost)
  }

  /// Sends a Close frame unless one has been sent, reports the end, and waits for the peer to close its side.
  private func beginClosing(_ connection: StationConnection, code: UInt16, reason: String, end: LinkEnd) {
    guard connection.isOpen else { return }
    connection.channel.sendClose(code: code, reason: reason)
    connection.closingUntil = MonotonicTime.now.advanced(by: configuration.closePatience)
    closing.append(connection.handle)
    report(connection, end)
    connection.discardInput()
    if connection.channel.backlog == 0 { connection.endOutput() }
  }

  private func isCongested(_ connection: StationConnection) -> Bool { connection.channel.backlog > configuration.outputLimit }

  private func report(_ connection: StationConnection, _ end: LinkEnd) {
    guard connection.isAnnounced else { return }
    connection.isAnnounced = false
    if newest[connection.stationID] == connection.handle { newest[connection.stationID] = nil }
    deliver(.closed(connection.handle, end))
  }

  private func free(_ connection: StationConnection, end: LinkEnd) {
    let slot = connection.handle.slot
    guard slots[slot] === connection else { return }
    report(connection, end)
    slots[slot] = nil
    freeSlots.append(slot)
    occupied -= 1
    connection.taken.free()
    if whenStopped != nil, occupied == 0 { loop.run { [self] in finish() } }
  }

  /// Pings the next slice of the table, frees the silent and those that do not close.
  private func onTick() {
    let now = MonotonicTime.now
    // In the order of their deadlines, for each has the same patience.
    let overdue = closing.prefix { find($0)?.closingUntil.map { $0 < now } ?? true }
    closing.removeFirst(overdue.count)
    for connection in overdue.compactMap(find) { free(connection, end: .lost) }
    giveBackAfterStorm()
    guard !slots.isEmpty else { return }
    let share = Int64(slots.count) * tick.wholeNanoseconds / max(1, configuration.pingInterval.wholeNanoseconds)
    for _ in 0..<min(slots.count, Int(share) + 1) {
      pingCursor = (pingCursor + 1) % slots.count
      if let connection = slots[pingCursor], connection.isOpen { ping(connection, at: now) }
    }
  }

  private func giveBackAfterStorm() {
    defer { arrivals.byLastTick = arrivals.all }
    guard arrivals.all >= Self.storm, arrivals.byLastTick == arrivals.all else { return }
    arrivals.all = 0
    giveBackFreeMemory()
  }

  private func ping(_ connection: StationConnection, at now: MonotonicTime) {
    guard now - connection.lastPing >= configuration.pingInterval - tick else { return }
    guard connection.unansweredPings < 2 else { return free(connection, end: .silent) }
    connection.unansweredPings += 1
    connection.lastPing = now
    connection.channel.ping()
  }
}
