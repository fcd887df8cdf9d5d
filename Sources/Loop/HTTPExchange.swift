import CLibevent
import CLinux
import Glibc

/// One HTTP request and the way to answer it: a reply, or taking over the connection. On the loop's thread only.
///
/// It outlives its handler until answered; when the peer goes first, the answer is dropped without further ado.
public final class HTTPExchange {
  public let head: RequestHead
  /// Numeric address of the peer.
  public let remote: String
  public let body: [UInt8]
  private let front: HTTPFront
  /// libevent's request; `nil` once answered, taken over or lost.
  private var request: OpaquePointer?
  private let connection: OpaquePointer

  init(_ request: OpaquePointer, connection: OpaquePointer, head: RequestHead, remote: String, body: [UInt8], front: HTTPFront) {
    (self.request, self.connection, self.head) = (request, connection, head)
    (self.remote, self.body, self.front) = (remote, body, front)
    let me = Unmanaged.passUnretained(self).toOpaque()
    evhttp_request_set_on_complete_cb(
      request,
      { _, me in
        guard let me else { return }
        Unmanaged<HTTPExchange>.fromOpaque(me).takeUnretainedValue().request = nil
      }, me)
    evhttp_connection_set_closecb(
      connection,
      { _, me in
        guard let me else { return }
        Unmanaged<HTTPExchange>.fromOpaque(me).takeUnretainedValue().connectionClosed()
      }, me)
  }

  /// Whether nobody has answered and the peer is still there. From one that waits for its answer libevent does not read: the system
  /// is asked.
  public var isOpen: Bool {
    guard request != nil, let bufferevent = evhttp_connection_get_bufferevent(connection) else { return false }
    let hasEnded = Int16(EPOLLRDHUP.rawValue)  // the same bit as POLLRDHUP, which Glibc keeps to itself
    var state = pollfd(fd: bufferevent_getfd(bufferevent), events: hasEnded, revents: 0)
    return poll(&state, 1, 0) == 0
  }

  /// Answers and closes the connection when the answer is written.
  public func reply(_ status: Int, fields: [RequestHead.Field] = [], body: SharedBytes) {
    guard let request else { return }
    let headers = evhttp_request_get_output_headers(request)
    for field in fields { evhttp_add_header(headers, field.name, field.value) }
    evhttp_add_header(headers, "Connection", "close")
    guard let buffer = evbuffer_new() else { preconditionFailure("no memory for an answer") }
    body.lend(to: buffer)
    evhttp_send_reply(request, Int32(status), nil, buffer)
    evbuffer_free(buffer)
  }

  /// Answers with a line of plain text.
  public func reply(_ status: Int, text: String, fields: [RequestHead.Field] = []) {
    reply(
      status, fields: fields + [.init("Content-Type", "text/plain; charset=utf-8")], body: SharedBytes(Array((text + "\n").utf8)))
  }

  /// Ends HTTP on this connection and hands it to the caller, who sets the callbacks and writes the answer. Inside the handler,
  /// or later while `isOpen`.
  public func takeOver() -> TakenConnection {
    guard let request, let bufferevent = evhttp_connection_get_bufferevent(connection) else {
      preconditionFailure("taken over after an answer")
    }
    evhttp_request_set_on_complete_cb(request, nil, nil)
    evhttp_connection_set_closecb(connection, nil, nil)
    bufferevent_set_timeouts(bufferevent, nil, nil)
    // The request stays with its connection to the end; its fields need not.
    evhttp_clear_headers(evhttp_request_get_input_headers(request))
    self.request = nil
    front.forget(connection)
    return TakenConnection(connection: connection, bufferevent: bufferevent, front: front)
  }

  private func connectionClosed() {
    // libevent has cut the request loose from its lost connection: then it is ours to free. Otherwise it frees both.
    if let request, evhttp_request_get_connection(request) == nil { evhttp_request_free(request) }
    request = nil
    front.closed(connection)
  }
}

/// A connection that began as HTTP and now belongs to another protocol. On the loop's thread only.
public final class TakenConnection {
  public let bufferevent: OpaquePointer
  private var connection: OpaquePointer?
  private let front: HTTPFront

  init(connection: OpaquePointer, bufferevent: OpaquePointer, front: HTTPFront) {
    (self.connection, self.bufferevent, self.front) = (connection, bufferevent, front)
  }

  /// Closes the socket and frees everything of this connection; once, and never inside a callback of wslay.
  public func free() {
    guard let connection else { preconditionFailure("freed twice") }
    self.connection = nil
    evhttp_connection_free(connection)
    front.released()
  }
}
