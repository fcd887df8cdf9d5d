import Loop

/// The WebSocket server to which stations connect: `/ocpp/<station id>`, sub-protocol `ocpp1.6`.
///
/// It knows text messages and nothing of what they say. All methods may be called from any thread.
public final class StationServer: Sendable {
  public struct Configuration: Sendable {
    /// Numeric; `0.0.0.0` or `::` for all.
    public var address: String
    /// 0 lets the system choose.
    public var port: UInt16
    public var credentials: ServerCredentials?
    /// Beginning of the path, before the station's id.
    public var pathPrefix = "/ocpp/"
    public var subprotocol = "ocpp1.6"
    /// Let in stations that offer no sub-protocol at all (`LinkNotes.lacksSubprotocol`).
    public var toleratesMissingSubprotocol = true
    public var pingInterval: Duration = .seconds(30)
    /// Bytes of one message, over all its fragments; more is answered with Close 1009.
    public var messageLimit = 64 * 1024
    /// Bytes of unsent output; more ends the connection.
    public var outputLimit = 1024 * 1024
    /// How long unsent output may stand still.
    public var outputPatience: Duration = .seconds(30)
    /// How long a peer may take to close its side after a Close frame.
    public var closePatience: Duration = .seconds(2)
    /// From the accepted connection to the complete request, TLS handshake included.
    public var requestDeadline: Duration = .seconds(10)
    /// `nil`: what the limit of descriptors allows.
    public var connectionLimit: Int?

    public init(address: String = "127.0.0.1", port: UInt16 = 0, credentials: ServerCredentials? = nil) {
      (self.address, self.port, self.credentials) = (address, port, credentials)
    }
  }

  /// Says who may come in. It is asked on the loop's thread, must not block, and answers at once or later; the station waits meanwhile.
  public typealias Gate = @Sendable (Knock, @escaping Answer) -> Void
  /// Once, from any thread: the first one counts. Dropped when the station has gone or the server has stopped.
  public typealias Answer = @Sendable (Admission) -> Void
  /// Called on the loop's thread, in order; must not block. A `Mailbox` makes batches for another thread.
  public typealias Delivery = @Sendable (StationEvent) -> Void

  private let loop: EventLoop
  private let table: StationTable

  public init(loop: EventLoop, configuration: Configuration, admit: @escaping Gate, deliver: @escaping Delivery) {
    self.loop = loop
    table = StationTable(loop: loop, configuration: configuration, admit: admit, deliver: deliver)
  }

  /// Listens from now on.
  /// - Returns: the port.
  /// - Throws: `LoopFault.cannotListen` and others of `LoopFault`.
  public func start() throws(LoopFault) -> UInt16 {
    try loop.sync { [table] () throws(LoopFault) -> UInt16 in try table.start() }
  }

  /// Adds a path of another protocol to the same port; stations keep theirs.
  public func route(_ prefix: String, _ handler: @escaping @Sendable (HTTPExchange) -> Void) {
    loop.sync { [table] in table.front.route(prefix, handler) }
  }

  /// Sends one text message, in the order of the calls. Dropped when the connection has ended. On the loop's thread it is with the
  /// connection at once, and is written with the loop's next turn; nothing is delivered meanwhile.
  public func send(_ handle: LinkHandle, text: [UInt8]) {
    if loop.executor.isCurrent { return table.send(handle, text: text) }
    loop.run { [table] in table.send(handle, text: text) }
  }

  public func send(_ handle: LinkHandle, text: String) {
    send(handle, text: Array(text.utf8))
  }

  /// Sends many messages with one wake of the loop.
  public func send(_ batch: [(handle: LinkHandle, text: [UInt8])]) {
    loop.run { [table] in
      for message in batch { table.send(message.handle, text: message.text) }
    }
  }

  /// Sends a Close frame and ends the connection; `closed` is delivered with `closedByUs`.
  public func close(_ handle: LinkHandle, code: UInt16 = 1000, reason: String = "") {
    loop.run { [table] in table.close(handle, code: code, reason: reason, end: .closedByUs(code: code)) }
  }

  /// Ends the connection as a broken network would, without a Close frame; `closed` is delivered with `lost`.
  public func cut(_ handle: LinkHandle) {
    loop.run { [table] in table.cut(handle) }
  }

  /// Stops reading from a station that has too many unanswered messages; TCP makes it wait.
  public func hold(_ handle: LinkHandle) {
    loop.run { [table] in table.hold(handle) }
  }

  /// Reads again.
  public func release(_ handle: LinkHandle) {
    loop.run { [table] in table.release(handle) }
  }

  /// Closes the port, sends Close 1001 to every station, and frees what is left when all have gone or the time is over.
  /// Blocks; not from the loop's thread.
  public func stop(within patience: Duration = .seconds(3)) {
    let done = Latch()
    loop.run { [table] in table.stop(within: patience) { done.open() } }
    done.wait()
  }
}
