import CLibevent
import COpenSSL
import Glibc
import Loop

/// One station's connection, from the taken-over request to the freed socket. On the loop's thread only.
final class StationConnection {
  let handle: LinkHandle
  let stationID: String
  let taken: TakenConnection
  let channel: FrameChannel
  private unowned let table: StationTable
  /// `opened` was delivered and `closed` was not.
  var isAnnounced = false
  var unansweredPings = 0
  var lastPing = MonotonicTime.now
  /// Set from the Close frame on.
  var closingUntil: MonotonicTime?
  private var hasEndedOutput = false

  var isOpen: Bool { closingUntil == nil }

  init(handle: LinkHandle, stationID: String, taken: TakenConnection, table: StationTable) {
    (self.handle, self.stationID, self.taken, self.table) = (handle, stationID, taken, table)
    channel = FrameChannel(taken.bufferevent, role: .server, messageLimit: table.configuration.messageLimit)
  }

  /// Sets the callbacks, writes the answer to the upgrade, and looks at frames that came right behind the request.
  func begin(with response: String) {
    let bufferevent = taken.bufferevent
    bufferevent_setcb(
      bufferevent,
      { _, me in StationConnection.of(me).whenReadable() },
      { _, me in StationConnection.of(me).whenWritten() },
      { _, what, me in StationConnection.of(me).whenEvent(what) },
      Unmanaged.passUnretained(self).toOpaque())
    var patience = table.configuration.outputPatience.timeval
    bufferevent_set_timeouts(bufferevent, nil, &patience)
    bufferevent_setwatermark(bufferevent, Int16(EV_READ), 0, table.configuration.messageLimit)
    let bytes = Array(response.utf8)
    bufferevent_write(bufferevent, bytes, bytes.count)
    bufferevent_enable(bufferevent, Int16(EV_READ | EV_WRITE))
    if evbuffer_get_length(bufferevent_get_input(bufferevent)) > 0 {
      bufferevent_trigger(
        bufferevent, Int16(EV_READ), Int32(BEV_TRIG_DEFER_CALLBACKS.rawValue | BEV_TRIG_IGNORE_WATERMARKS.rawValue))
    }
  }

  func discardInput() {
    let input = bufferevent_get_input(taken.bufferevent)
    evbuffer_drain(input, evbuffer_get_length(input))
  }

  /// Tells the peer that nothing more comes; once.
  func endOutput() {
    guard !hasEndedOutput else { return }
    hasEndedOutput = true
    endOfOutput(taken.bufferevent)
  }

  private func whenReadable() { table.readable(self) }
  private func whenWritten() { table.written(self) }

  private func whenEvent(_ what: Int16) {
    guard what & Int16(BEV_EVENT_CONNECTED) == 0 else { return }
    table.failed(self, timedOut: what & Int16(BEV_EVENT_TIMEOUT) != 0)
  }

  private static func of(_ me: UnsafeMutableRawPointer?) -> StationConnection {
    guard let me else { preconditionFailure("libevent lost its user data") }
    return Unmanaged<StationConnection>.fromOpaque(me).takeUnretainedValue()
  }
}

/// close_notify where there is TLS, then the end of the TCP stream in our direction.
func endOfOutput(_ bufferevent: OpaquePointer) {
  if let session = bufferevent_openssl_get_ssl(bufferevent) {
    ERR_clear_error()
    SSL_shutdown(session)
  }
  shutdown(bufferevent_getfd(bufferevent), Int32(SHUT_WR))
}
