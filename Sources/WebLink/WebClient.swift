import CLibevent
import Glibc
import Loop

/// Sends single requests to other people's servers, on a loop of its own: names are looked up there, and block nobody else.
public final class WebClient: Sendable {
  public enum Outcome: Hashable, Sendable {
    /// The status of the answer.
    case status(Int)
    /// No answer: no such host, refused, a certificate that is not believed, or nothing within ten seconds.
    case failed
  }
  public let loop: EventLoop
  private let trust: ClientTrust

  public init(trust: ClientTrust) throws(LoopFault) {
    loop = try EventLoop()
    self.trust = trust
  }

  /// Posts JSON. From any thread.
  /// - Parameters:
  ///   - url: `http://` or `https://`.
  ///   - done: called on the client's loop, once.
  public func post(_ url: String, fields: [RequestHead.Field], json: [UInt8], done: @escaping @Sendable (Outcome) -> Void) {
    guard let target = Target(url) else { return done(.failed) }
    loop.run { [self] in send(target, fields, json, done) }
  }

  /// Blocks; not from the client's loop.
  public func stop() { loop.stop() }

  private final class Waiting {
    let done: @Sendable (Outcome) -> Void
    init(_ done: @escaping @Sendable (Outcome) -> Void) { self.done = done }
  }

  private func send(_ target: Target, _ fields: [RequestHead.Field], _ json: [UInt8], _ done: @escaping @Sendable (Outcome) -> Void)
  {
    let flags = Int32(BEV_OPT_CLOSE_ON_FREE.rawValue)
    let fresh =
      target.isTLS
      ? trust.newSession(host: target.host).flatMap {
        bufferevent_openssl_socket_new(loop.base, -1, $0, BUFFEREVENT_SSL_CONNECTING, flags)
      } : bufferevent_socket_new(loop.base, -1, flags)
    guard let bufferevent = fresh,
      let connection = evhttp_connection_base_bufferevent_new(loop.base, nil, bufferevent, target.host, target.port)
    else { return done(.failed) }
    evhttp_connection_set_timeout(connection, 10)
    evhttp_connection_set_max_body_size(connection, 64 * 1024)
    evhttp_connection_free_on_completion(connection)
    let waiting = Unmanaged.passRetained(Waiting(done))
    let request = evhttp_request_new(
      { request, box in
        guard let box else { return }
        let waiting = Unmanaged<Waiting>.fromOpaque(box).takeRetainedValue()
        let status = request.map { Int(evhttp_request_get_response_code($0)) } ?? 0
        waiting.done(status > 0 ? .status(status) : .failed)
      }, waiting.toOpaque())
    guard let request else {
      waiting.release()
      evhttp_connection_free(connection)
      return done(.failed)
    }
    let headers = evhttp_request_get_output_headers(request)
    evhttp_add_header(headers, "Host", target.authority)
    evhttp_add_header(headers, "Content-Type", "application/json")
    evhttp_add_header(headers, "Connection", "close")
    for field in fields { evhttp_add_header(headers, field.name, field.value) }
    evbuffer_add(evhttp_request_get_output_buffer(request), json, json.count)
    // libevent owns the request from here on, and calls back when it fails.
    evhttp_make_request(connection, request, EVHTTP_REQ_POST, target.path)
  }
}

/// The parts of a URL.
private struct Target {
  var isTLS: Bool
  var host: String
  var port: UInt16
  var authority: String
  var path: String

  init?(_ url: String) {
    let lower = url.lowercased()
    guard let scheme = ["https://", "http://"].first(where: { lower.hasPrefix($0) }) else { return nil }
    isTLS = scheme == "https://"
    let rest = url.dropFirst(scheme.count)
    let slash = rest.firstIndex(of: "/") ?? rest.endIndex
    authority = String(rest[..<slash])
    path = slash == rest.endIndex ? "/" : String(rest[slash...])
    guard !authority.isEmpty, !authority.contains("@"), url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else { return nil }
    var name = authority[...]
    var number = isTLS ? 443 : 80
    if let colon = name.lastIndex(of: ":"), !name[colon...].contains("]") {
      guard let given = Int(name[name.index(after: colon)...]) else { return nil }
      number = given
      name = name[..<colon]
    }
    if name.hasPrefix("["), name.hasSuffix("]") { name = name.dropFirst().dropLast() }
    guard let port = UInt16(exactly: number), !name.isEmpty else { return nil }
    (host, self.port) = (String(name), port)
  }
}
