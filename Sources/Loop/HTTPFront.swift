import CLibevent
import Glibc

/// A listening port that speaks HTTP/1.1, with or without TLS, and hands each request to the handler of its path.
///
/// Everything but `init` happens on the loop's thread.
public final class HTTPFront: @unchecked Sendable {
  public struct Settings: Sendable {
    /// Numeric, IPv4 or IPv6.
    public var address: String
    /// 0 lets the system choose.
    public var port: UInt16
    public var credentials: ServerCredentials?
    /// Bytes of request line and fields.
    public var headLimit = 8 * 1024
    /// Bytes.
    public var bodyLimit = 64 * 1024
    /// From the accepted connection to the complete request, TLS handshake included.
    public var requestDeadline: Duration = .seconds(10)
    /// Connections at one time; further ones wait in the system's queue.
    public var connectionLimit: Int

    public init(address: String, port: UInt16, credentials: ServerCredentials? = nil) {
      (self.address, self.port, self.credentials) = (address, port, credentials)
      connectionLimit = descriptorsLeft()
    }
  }
  public typealias Handler = (HTTPExchange) -> Void

  public let loop: EventLoop
  public let settings: Settings
  /// Connections accepted and not yet closed.
  public private(set) var connectionCount = 0
  private var routes = RouteTable<Handler>()
  private var server: OpaquePointer?
  private var listener: OpaquePointer?
  private var isListening = false
  /// Connections without a complete request, by their bufferevent, on each of which a reference is held.
  private var waiting: [OpaquePointer: MonotonicTime] = [:]
  private var exchanges: [OpaquePointer: HTTPExchange] = [:]
  private var sweeper: LoopTimer?

  public init(loop: EventLoop, settings: Settings) {
    (self.loop, self.settings) = (loop, settings)
  }

  /// Sends requests whose path begins with `prefix` to `handler`; the longest prefix wins.
  public func route(_ prefix: String, _ handler: @escaping Handler) {
    loop.preconditionCurrent()
    routes[prefix] = handler
  }

  /// - Returns: the port, the system's choice when 0 was asked for.
  /// - Throws: `LoopFault.cannotListen`, `.library`.
  public func start() throws(LoopFault) -> UInt16 {
    loop.preconditionCurrent()
    guard let server = evhttp_new(loop.base) else { throw .library(call: "evhttp_new") }
    configure(server)
    do throws(LoopFault) {
      let socket = try listeningSocket(address: settings.address, port: settings.port)
      try listen(on: socket.descriptor, with: server)
      self.server = server
      sweeper = loop.every(min(.seconds(1), settings.requestDeadline / 4)) { [unowned self] in sweep() }
      return socket.port
    } catch {
      evhttp_free(server)
      throw error
    }
  }

  /// Takes no further connections; those there are stay.
  public func stopListening() {
    isListening = false
    if let listener { evconnlistener_disable(listener) }
  }

  /// Frees the port and every connection that was not taken over; the taken ones must have been freed.
  public func stop() {
    loop.preconditionCurrent()
    guard let server else { return }
    stopListening()
    sweeper?.cancel()
    for bufferevent in waiting.keys { bufferevent_decref(bufferevent) }
    waiting = [:]
    self.server = nil
    listener = nil
    evhttp_free(server)
  }

  private func configure(_ server: OpaquePointer) {
    evhttp_set_max_headers_size(server, settings.headLimit)
    evhttp_set_max_body_size(server, settings.bodyLimit)
    evhttp_set_timeout(server, 30)
    evhttp_set_default_content_type(server, nil)
    let methods = [
      EVHTTP_REQ_GET, EVHTTP_REQ_HEAD, EVHTTP_REQ_POST, EVHTTP_REQ_PUT, EVHTTP_REQ_DELETE, EVHTTP_REQ_PATCH, EVHTTP_REQ_OPTIONS,
      EVHTTP_REQ_TRACE,
    ]
    evhttp_set_allowed_methods(server, methods.reduce(0) { $0 | UInt16($1.rawValue) })
    let me = Unmanaged.passUnretained(self).toOpaque()
    evhttp_set_bevcb(
      server,
      { _, me in
        guard let me else { return nil }
        return Unmanaged<HTTPFront>.fromOpaque(me).takeUnretainedValue().accepted()
      }, me)
    evhttp_set_gencb(
      server,
      { request, me in
        guard let request, let me else { return }
        Unmanaged<HTTPFront>.fromOpaque(me).takeUnretainedValue().arrived(request)
      }, me)
  }

  private func listen(on descriptor: Int32, with server: OpaquePointer) throws(LoopFault) {
    let flags = UInt32(LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC)
    guard let listener = evconnlistener_new(loop.base, nil, nil, flags, 4096, descriptor) else {
      let error = errno
      close(descriptor)
      throw .cannotListen(address: settings.address, port: settings.port, error: error)
    }
    guard evhttp_bind_listener(server, listener) != nil else {
      evconnlistener_free(listener)
      throw .library(call: "evhttp_bind_listener")
    }
    // Out of descriptors: stop until the next sweep instead of being woken without end.
    evconnlistener_set_error_cb(listener, { listener, _ in evconnlistener_disable(listener) })
    self.listener = listener
    isListening = true
  }
}

extension HTTPFront {
  /// Makes the buffers of a connection that libevent has just accepted.
  private func accepted() -> OpaquePointer? {
    let flags = Int32(BEV_OPT_CLOSE_ON_FREE.rawValue)
    let fresh =
      if let credentials = settings.credentials {
        credentials.newSession().flatMap { bufferevent_openssl_socket_new(loop.base, -1, $0, BUFFEREVENT_SSL_ACCEPTING, flags) }
      } else {
        bufferevent_socket_new(loop.base, -1, flags)
      }
    guard let bufferevent = fresh else { return nil }
    bufferevent_setwatermark(bufferevent, Int16(EV_READ), 0, settings.headLimit + settings.bodyLimit)
    bufferevent_incref(bufferevent)
    waiting[bufferevent] = MonotonicTime.now.advanced(by: settings.requestDeadline)
    connectionCount += 1
    if connectionCount >= settings.connectionLimit, let listener { evconnlistener_disable(listener) }
    return bufferevent
  }

  /// A complete request: its deadline ends, it is checked, and goes to its handler.
  private func arrived(_ request: OpaquePointer) {
    guard let connection = evhttp_request_get_connection(request), let bufferevent = evhttp_connection_get_bufferevent(connection)
    else { return }
    if waiting.removeValue(forKey: bufferevent) != nil { bufferevent_decref(bufferevent) }
    var remote: UnsafeMutablePointer<CChar>?
    var port: UInt16 = 0
    evhttp_connection_get_peer(connection, &remote, &port)
    let head = readHead(request)
    let exchange = HTTPExchange(
      request, connection: connection, head: head ?? RequestHead(method: .get, path: "/", query: nil, fields: []),
      remote: remote.map { String(cString: $0) } ?? "", body: readBody(request), front: self)
    exchanges[connection] = exchange
    guard let head else { return exchange.reply(400, text: "not a request this server understands") }
    do throws(RequestHead.Flaw) {
      try head.check()
    } catch {
      return exchange.reply(Int(error.status), text: error == .badRequest ? "malformed request" : "unknown transfer coding")
    }
    guard let handler = routes.handler(of: head.path) else { return exchange.reply(404, text: "no such path") }
    handler(exchange)
  }

  /// The handler of an exchange has taken over its connection.
  func forget(_ connection: OpaquePointer) {
    exchanges[connection] = nil
  }

  func closed(_ connection: OpaquePointer) {
    exchanges[connection] = nil
    released()
  }

  /// A connection is gone: there is room for another one.
  func released() {
    connectionCount -= 1
    if isListening, connectionCount < settings.connectionLimit, let listener { evconnlistener_enable(listener) }
  }

  /// Lets go of connections that libevent has freed before a request, and ends those whose time is over.
  private func sweep() {
    let now = MonotonicTime.now
    for (bufferevent, deadline) in waiting {
      if isFreed(bufferevent) {
        waiting[bufferevent] = nil
        bufferevent_decref(bufferevent)
        released()
      } else if deadline < now {
        // libevent sees the end of the stream and frees what it owns; the next sweep lets go.
        shutdown(bufferevent_getfd(bufferevent), Int32(SHUT_RDWR))
      }
    }
    if isListening, connectionCount < settings.connectionLimit, let listener { evconnlistener_enable(listener) }
  }

  /// libevent takes away its callbacks when it frees a bufferevent on which others still hold a reference.
  private func isFreed(_ bufferevent: OpaquePointer) -> Bool {
    var onEvent: bufferevent_event_cb?
    bufferevent_getcb(bufferevent, nil, nil, &onEvent, nil)
    return onEvent == nil
  }
}
