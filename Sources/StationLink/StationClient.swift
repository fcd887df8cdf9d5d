import CLibevent
import Loop

/// The station's end of a connection: a WebSocket client, for emulated stations. Thousands fit on one loop.
///
/// All methods may be called from any thread. After `closed` the same client may `connect` again.
public final class StationClient: @unchecked Sendable {
  public struct Endpoint: Sendable {
    public var address: SocketAddress
    /// As written into the `Host` field and, with TLS, compared with the certificate.
    public var host: String
    public var port: UInt16
    /// Percent-encoded, beginning with `/`.
    public var path: String
    /// `nil` sends no `Sec-WebSocket-Protocol` field.
    public var subprotocol: String? = "ocpp1.6"
    /// For HTTP Basic authentication.
    public var user: String?, password: String?
    /// With it the connection is `wss`.
    public var trust: ClientTrust?
    /// For each step of connect, TLS and upgrade.
    public var openPatience: Duration = .seconds(10)
    /// Bytes of one message.
    public var messageLimit = 64 * 1024

    /// Asks the resolver for a host that is not a number, which may block.
    /// - Throws: `LoopFault.unknownHost`.
    public init(host: String, port: UInt16, path: String) throws(LoopFault) {
      address = try SocketAddress(host: host, port: port)
      (self.host, self.port, self.path) = (host, port, path)
    }
  }

  public enum End: Hashable, Sendable {
    /// No TCP or TLS connection came about.
    case unreachable
    /// The server answered the upgrade with another status than 101.
    case refused(status: Int)
    /// The server's answer is not a correct upgrade.
    case badUpgrade
    /// As on the server's side; `closedByUs` after `close`.
    case ended(LinkEnd)
    /// After `abort`.
    case aborted
  }

  public enum Event: Hashable, Sendable {
    /// With the sub-protocol that the server chose.
    case opened(subprotocol: String?)
    case received([UInt8])
    /// Once for each `connect`.
    case closed(End)
  }

  enum State { case idle, opening, open, closing }

  let loop: EventLoop
  let deliver: @Sendable (Event) -> Void
  var state = State.idle
  var endpoint: Endpoint
  var bufferevent: OpaquePointer?
  var channel: FrameChannel?
  var upgrade: ClientUpgrade?
  var closeTimer: LoopTimer?
  var pendingEnd: End?

  /// - Parameter deliver: called on the loop's thread, in order; must not block.
  public init(loop: EventLoop, endpoint: Endpoint, deliver: @escaping @Sendable (Event) -> Void) {
    (self.loop, self.endpoint, self.deliver) = (loop, endpoint, deliver)
  }

  /// Connects; without effect while connected. Every call that has an effect ends in one `closed`.
  public func connect() {
    loop.run { self.open() }
  }

  /// Where the next `connect` goes.
  public func retarget(_ endpoint: Endpoint) {
    loop.run { self.endpoint = endpoint }
  }

  /// Sends one text message; dropped unless the connection is open.
  public func send(text: [UInt8]) {
    loop.run { if self.state == .open { self.channel?.send(text: text) } }
  }

  public func send(text: String) {
    send(text: Array(text.utf8))
  }

  public func ping() {
    loop.run { if self.state == .open { self.channel?.ping() } }
  }

  /// Sends a Close frame, waits at most two seconds for the server to close its side.
  public func close(code: UInt16 = 1000, reason: String = "") {
    loop.run {
      guard self.state == .open else { return self.abandon(.aborted) }
      self.beginClosing(code: code, reason: reason, end: .ended(.closedByUs(code: code)))
    }
  }

  /// Drops TCP at once, without a Close frame, as a station does that loses power.
  public func abort() {
    loop.run { self.abandon(.aborted) }
  }

  /// Stops reading, or reads again: a station that is stuck.
  public func hold(_ isHeld: Bool) {
    loop.run {
      guard let bufferevent = self.bufferevent else { return }
      if isHeld { bufferevent_disable(bufferevent, Int16(EV_READ)) } else { bufferevent_enable(bufferevent, Int16(EV_READ)) }
    }
  }
}
