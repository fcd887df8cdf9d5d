import CLibevent
import Glibc
import Loop

// What a client does on the loop's thread.
extension StationClient {
  func open() {
    guard state == .idle else { return }
    guard let bufferevent = newBufferevent() else { return deliver(.closed(.unreachable)) }
    self.bufferevent = bufferevent
    state = .opening
    let upgrade = ClientUpgrade()
    self.upgrade = upgrade
    // Kept alive until `release`, whatever the owner does.
    bufferevent_setcb(
      bufferevent,
      { _, me in StationClient.of(me).readable() },
      { _, me in StationClient.of(me).written() },
      { _, what, me in StationClient.of(me).happened(what) },
      Unmanaged.passRetained(self).toOpaque())
    var patience = endpoint.openPatience.timeval
    bufferevent_set_timeouts(bufferevent, &patience, &patience)
    bufferevent_setwatermark(bufferevent, Int16(EV_READ), 0, max(endpoint.messageLimit, ClientUpgrade.headLimit))
    let request = Array(upgrade.request(to: endpoint).utf8)
    bufferevent_write(bufferevent, request, request.count)
    bufferevent_enable(bufferevent, Int16(EV_READ | EV_WRITE))
    let result = endpoint.address.withSockaddr { bufferevent_socket_connect(bufferevent, $0, Int32($1)) }
    if result != 0 { abandon(.unreachable) }
  }

  private func newBufferevent() -> OpaquePointer? {
    let flags = Int32(BEV_OPT_CLOSE_ON_FREE.rawValue)
    guard let trust = endpoint.trust else { return bufferevent_socket_new(loop.base, -1, flags) }
    guard let session = trust.newSession(host: endpoint.host) else { return nil }
    return bufferevent_openssl_socket_new(loop.base, -1, session, BUFFEREVENT_SSL_CONNECTING, flags)
  }

  private func readable() {
    switch state {
    case .idle: break
    case .opening: readUpgrade()
    case .open: readFrames()
    case .closing: discardInput()
    }
  }

  private func readUpgrade() {
    guard let upgrade, let bufferevent else { return }
    switch upgrade.read(bufferevent_get_input(bufferevent), wanting: endpoint.subprotocol) {
    case .incomplete: break
    case .refused(let status): abandon(status == 101 ? .badUpgrade : .refused(status: status))
    case .malformed: abandon(.badUpgrade)
    case .accepted(let subprotocol):
      bufferevent_set_timeouts(bufferevent, nil, nil)
      channel = FrameChannel(bufferevent, role: .client, messageLimit: endpoint.messageLimit)
      self.upgrade = nil
      state = .open
      deliver(.opened(subprotocol: subprotocol))
      readFrames()
    }
  }

  private func readFrames() {
    guard let arrivals = channel?.receive() else { return }
    for message in arrivals.messages { deliver(.received(message)) }
    if let end = arrivals.end { beginClosing(code: 1000, reason: "", end: .ended(end)) }
  }

  func beginClosing(code: UInt16, reason: String, end: End) {
    guard state == .open, let channel else { return }
    channel.sendClose(code: code, reason: reason)
    state = .closing
    closeTimer = loop.after(.seconds(2)) { self.abandon(.aborted) }
    pendingEnd = end
    discardInput()
    if channel.backlog == 0, let bufferevent { endOfOutput(bufferevent) }
  }

  private func written() {
    if state == .closing, let bufferevent { endOfOutput(bufferevent) }
  }

  private func happened(_ what: Int16) {
    if what & Int16(BEV_EVENT_CONNECTED) != 0 { return becomePrompt() }
    // A server may refuse and close in one breath: what it said counts first.
    if what & Int16(BEV_EVENT_EOF) != 0 { readable() }
    switch state {
    case .idle: break
    case .opening: abandon(.unreachable)
    case .open, .closing: abandon(.ended(.lost))
    }
  }

  private func becomePrompt() {
    guard let bufferevent else { return }
    var yes: Int32 = 1
    setsockopt(bufferevent_getfd(bufferevent), Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
  }

  private func discardInput() {
    guard let bufferevent else { return }
    let input = bufferevent_get_input(bufferevent)
    evbuffer_drain(input, evbuffer_get_length(input))
  }

  /// Frees the connection and reports its end: the reason that is known already, else the given one.
  func abandon(_ end: End) {
    guard let bufferevent else { return }
    let known = pendingEnd ?? end
    closeTimer?.cancel()
    (self.bufferevent, channel, upgrade, closeTimer, pendingEnd) = (nil, nil, nil, nil, nil)
    state = .idle
    bufferevent_free(bufferevent)
    deliver(.closed(known))
    Unmanaged.passUnretained(self).release()
  }

  private static func of(_ me: UnsafeMutableRawPointer?) -> StationClient {
    guard let me else { preconditionFailure("libevent lost its user data") }
    return Unmanaged<StationClient>.fromOpaque(me).takeUnretainedValue()
  }
}
