import CLibevent
import Loop

/// One client of server-sent events, from the answered request to the closed socket. On its door's loop only, but for `handle`.
/// - Source: HTML Living Standard, §9.2 Server-sent events.
public final class EventStream: @unchecked Sendable {
  public let id: UInt64
  private let taken: TakenConnection
  private unowned let door: WebDoor
  private var isOver = false
  /// Called once when the stream has ended, whoever ended it.
  public var whenOver: (() -> Void)?
  /// Called when all that was written has left, if it is set: the time to write more.
  public var whenDrained: (() -> Void)?

  /// Bytes that may wait for a slow client; with more the stream is ended, and the client resumes where it was.
  static let backlogLimit = 4 << 20

  init(id: UInt64, taken: TakenConnection, door: WebDoor) { (self.id, self.taken, self.door) = (id, taken, door) }

  func begin(_ fields: [RequestHead.Field]) {
    let bufferevent = taken.bufferevent
    bufferevent_setcb(
      bufferevent, { _, me in EventStream.of(me).discardInput() }, { _, me in EventStream.of(me).whenDrained?() },
      { _, what, me in
        if what & Int16(BEV_EVENT_CONNECTED) == 0 { EventStream.of(me).end() }
      }, Unmanaged.passUnretained(self).toOpaque())
    var patience = Duration.seconds(30).timeval
    bufferevent_set_timeouts(bufferevent, nil, &patience)
    bufferevent_setwatermark(bufferevent, Int16(EV_READ), 0, 4096)
    bufferevent_enable(bufferevent, Int16(EV_READ | EV_WRITE))
    var head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\nConnection: close\r\n"
    for field in fields { head += "\(field.name): \(field.value)\r\n" }
    write(SharedBytes(Array((head + "\r\nretry: 2000\n\n").utf8)))
  }

  /// Bytes that wait to be written.
  public var backlog: Int { isOver ? 0 : evbuffer_get_length(bufferevent_get_output(taken.bufferevent)) }

  /// Appends one event as the stream has it: several in one go are sent at once, to any number of clients.
  public static func append(event: String, id: String?, data: [UInt8], to bytes: inout [UInt8]) {
    bytes.append(contentsOf: "event: \(event)\n".utf8)
    if let id { bytes.append(contentsOf: "id: \(id)\n".utf8) }
    bytes.append(contentsOf: "data: ".utf8)
    bytes.append(contentsOf: data)
    bytes.append(contentsOf: "\n\n".utf8)
  }

  /// One event.
  public func send(event: String, id: String?, data: [UInt8]) {
    var bytes: [UInt8] = []
    Self.append(event: event, id: id, data: data, to: &bytes)
    write(SharedBytes(bytes))
  }

  /// Whole events.
  public func write(_ events: SharedBytes) {
    guard !isOver else { return }
    events.lend(to: bufferevent_get_output(taken.bufferevent))
    // Not at once: the caller may be in the middle of something.
    if backlog > Self.backlogLimit { door.loop.run { [self] in end() } }
  }

  public func end() {
    guard !isOver else { return }
    isOver = true
    taken.free()
    door.ended(self)
    whenOver?()
    (whenOver, whenDrained) = (nil, nil)
  }

  private func discardInput() {
    let input = bufferevent_get_input(taken.bufferevent)
    evbuffer_drain(input, evbuffer_get_length(input))
  }

  private static func of(_ me: UnsafeMutableRawPointer?) -> EventStream {
    guard let me else { preconditionFailure("libevent lost its user data") }
    return Unmanaged<EventStream>.fromOpaque(me).takeUnretainedValue()
  }
}
