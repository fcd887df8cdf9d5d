import Loop

/// What stands between HTTP and those who answer: limits of rate, security headers, and answers that come from any thread.
///
/// Lives on one loop; each method says from where it may be called.
public final class WebDoor: @unchecked Sendable {
  public struct Settings: Sendable {
    public var requestsPerSecond: Int
    /// Requests with a wrong token: so many at once, and one more every six seconds.
    public var wrongTokens = 10
    /// Streams at one time; more are answered with 503.
    public var streamLimit = 1000
    public var isTLS: Bool
    public init(requestsPerSecond: Int = 50, isTLS: Bool = false) {
      (self.requestsPerSecond, self.isTLS) = (requestsPerSecond, isTLS)
    }
  }
  /// Called on the loop's thread for each request; must not block. It answers at once or later, once.
  public typealias Handler = @Sendable (WebRequest, Asker) -> Void

  public let loop: EventLoop
  let settings: Settings
  private let handler: Handler
  private var requests: RateLimit
  private var failures: RateLimit
  private var open: [UInt64: HTTPExchange] = [:]
  private var streams: [UInt64: EventStream] = [:]
  private var lastID: UInt64 = 0
  private var beat: LoopTimer?

  public init(loop: EventLoop, settings: Settings, handler: @escaping Handler) {
    (self.loop, self.settings, self.handler) = (loop, settings, handler)
    requests = RateLimit(perSecond: Double(settings.requestsPerSecond), burst: Double(settings.requestsPerSecond) * 4)
    failures = RateLimit(perSecond: 1.0 / 6, burst: Double(settings.wrongTokens))
  }

  /// Takes a request. On the loop's thread.
  public func take(_ exchange: HTTPExchange) {
    loop.preconditionCurrent()
    let now = MonotonicTime.now
    guard requests.take(exchange.remote, at: now), failures.has(exchange.remote, at: now) else {
      return send(.tooMany, to: exchange)
    }
    guard let request = WebRequest(exchange.head, body: exchange.body, remote: exchange.remote) else {
      return send(.malformed, to: exchange)
    }
    lastID += 1
    open[lastID] = exchange
    handler(request, Asker(id: lastID, door: self, takesGzip: exchange.head.takesGzip))
  }

  /// Who waits for the answer to one request. From any thread.
  public struct Asker: Sendable {
    let id: UInt64
    let door: WebDoor
    let takesGzip: Bool

    /// Answers; the first answer counts. Dropped when the peer has gone. What is long is packed here, on the caller's thread, if the peer
    /// takes that.
    public func answer(_ response: WebResponse) {
      let (id, door) = (id, door)
      let packed = takesGzip ? response.body.packed : nil
      if door.loop.executor.isCurrent {
        door.answer(id, response, packed)
      } else {
        door.loop.run { door.answer(id, response, packed) }
      }
    }

    /// Begins a stream of server-sent events, within the handler or later. On the door's loop.
    /// - Returns: nil: it has been answered, the peer has gone, or there are too many and that is the answer.
    public func stream() -> EventStream? { door.stream(id) }
  }

  private func answer(_ id: UInt64, _ response: WebResponse, _ packed: SharedBytes? = nil) {
    guard let exchange = open.removeValue(forKey: id) else { return }
    if response.status == 401 { failures.spend(exchange.remote, at: .now) }
    send(response, packed, to: exchange)
  }

  private func send(_ response: WebResponse, _ packed: SharedBytes? = nil, to exchange: HTTPExchange) {
    var fields = WebResponse.securityFields(isTLS: settings.isTLS) + response.fields
    if !response.fields.contains(where: { $0.name == "Cache-Control" }) { fields.append(.init("Cache-Control", "no-store")) }
    if !response.type.isEmpty { fields.append(.init("Content-Type", response.type)) }
    if packed != nil { fields += [.init("Content-Encoding", "gzip"), .init("Vary", "Accept-Encoding")] }
    exchange.reply(response.status, fields: fields, body: packed ?? response.body.plain)
  }

  private func stream(_ id: UInt64) -> EventStream? {
    loop.preconditionCurrent()
    guard let exchange = open.removeValue(forKey: id) else { return nil }
    guard exchange.isOpen else {
      send(.goingAway, to: exchange)  // nobody hears it, but with the answer libevent frees the connection
      return nil
    }
    guard streams.count < settings.streamLimit else {
      send(.noStreamsLeft, to: exchange)
      return nil
    }
    let stream = EventStream(id: id, taken: exchange.takeOver(), door: self)
    streams[id] = stream
    stream.begin(WebResponse.securityFields(isTLS: settings.isTLS))
    if beat == nil { beat = loop.every(.seconds(15)) { [unowned self] in keepAlive() } }
    return stream
  }

  /// A line that says nothing, so that whoever stands between does not take the stream for dead.
  private func keepAlive() {
    let line = SharedBytes(Array(": alive\n\n".utf8))
    for stream in streams.values { stream.write(line) }
  }

  func ended(_ stream: EventStream) { streams[stream.id] = nil }
  public var streamCount: Int { streams.count }

  /// Ends all streams, and answers those who wait with 503. On the loop's thread, before its front is stopped.
  public func close() {
    loop.preconditionCurrent()
    beat?.cancel()
    for stream in streams.values { stream.end() }
    for id in Array(open.keys) { answer(id, .goingAway) }
  }
}

extension WebResponse {
  static let tooMany = problem(
    429, "Too many requests", "This address asks too often; ask again in a few seconds.", [.init("Retry-After", "5")])
  static let malformed = problem(400, "Malformed request", "The path or the query is not percent-encoded UTF-8.")
  static let noStreamsLeft = problem(503, "No stream left", "There are as many streams as this hub serves.")
  static let goingAway = problem(503, "Going away", "The controller ends.")

  /// Source: RFC 9457.
  private static func problem(_ status: Int, _ title: String, _ detail: String, _ fields: [RequestHead.Field] = []) -> WebResponse {
    let text = #"{"type":"about:blank","title":"\#(title)","status":\#(status),"detail":"\#(detail)"}"#
    return WebResponse(status, type: "application/problem+json", bytes: Array(text.utf8), fields: fields)
  }
}
