import CLibevent
import CWslay
import Glibc

/// The frames of RFC 6455 on top of one bufferevent: bytes of the input become messages, messages become bytes of the output.
/// On the loop's thread only. It never frees the bufferevent.
final class FrameChannel {
  enum Role { case server, client }
  struct Arrivals {
    var messages: [[UInt8]] = []
    /// Set when no further message will come, with the Close frame answered or sent.
    var end: LinkEnd?
  }

  let bufferevent: OpaquePointer
  private let role: Role
  private let messageLimit: Int
  /// wslay's state, 8.6 KB: given back while neither a frame nor a fragmented message is under way.
  private var context: OpaquePointer?
  private var bytesFed: UInt64 = 0
  private var bytesFramed: UInt64 = 0
  private var frame = (length: UInt64(0), isControl: false, isFinal: true)
  private var isInsideMessage = false
  private var arrivals = Arrivals()
  /// While set, no byte is read from the input.
  var isHeld = false
  private(set) var closeCodeSent: UInt16?

  init(_ bufferevent: OpaquePointer, role: Role, messageLimit: Int) {
    (self.bufferevent, self.role, self.messageLimit) = (bufferevent, role, messageLimit)
  }

  deinit {
    if let context { wslay_event_context_free(context) }
  }

  /// Bytes that wait to be written.
  var backlog: Int { evbuffer_get_length(bufferevent_get_output(bufferevent)) }

  /// Reads all frames there are, answers pings and Close frames.
  func receive() -> Arrivals {
    guard evbuffer_get_length(bufferevent_get_input(bufferevent)) > 0, closeCodeSent == nil, let context = wake() else {
      return Arrivals()
    }
    let result = wslay_event_recv(context)
    if result != 0, wslay_event_get_close_received(context) == 0 {
      abandon()
      sendClose(code: UInt16(WSLAY_CODE_PROTOCOL_ERROR.rawValue), reason: "")
      arrivals.end = .closedByUs(code: UInt16(WSLAY_CODE_PROTOCOL_ERROR.rawValue))
    } else {
      wslay_event_send(context)
      noteClose(context)
      restIfIdle()
    }
    defer { arrivals = Arrivals() }
    return arrivals
  }

  func send(text: [UInt8]) { queue(WSLAY_TEXT_FRAME, text) }

  func ping() { queue(WSLAY_PING, []) }

  /// Sends a Close frame; afterwards nothing is sent or read.
  func sendClose(code: UInt16, reason: String) {
    guard closeCodeSent == nil, let context = wake() else { return }
    let bytes = Array(reason.utf8.prefix(120))
    wslay_event_queue_close(context, code, bytes, bytes.count)
    wslay_event_send(context)
    closeCodeSent = code
    abandon()
  }

  private func queue(_ opcode: wslay_opcode, _ bytes: [UInt8]) {
    guard closeCodeSent == nil, let context = wake() else { return }
    bytes.withUnsafeBufferPointer { bytes in
      var message = wslay_event_msg(opcode: UInt8(opcode.rawValue), msg: bytes.baseAddress, msg_length: bytes.count)
      wslay_event_queue_msg(context, &message)
    }
    wslay_event_send(context)
    restIfIdle()
  }

  /// Takes note of a Close frame that wslay has answered or sent by itself.
  private func noteClose(_ context: OpaquePointer) {
    guard wslay_event_get_close_sent(context) != 0 || wslay_event_get_close_received(context) != 0 else { return }
    let sent = wslay_event_get_status_code_sent(context)
    closeCodeSent = sent
    if arrivals.end == nil { arrivals.end = .closedByUs(code: sent) }
  }
}

extension FrameChannel {
  private func wake() -> OpaquePointer? {
    if let context { return context }
    var callbacks = frameCallbacks
    let me = Unmanaged.passUnretained(self).toOpaque()
    var fresh: OpaquePointer?
    let result =
      role == .server
      ? wslay_event_context_server_init(&fresh, &callbacks, me) : wslay_event_context_client_init(&fresh, &callbacks, me)
    guard result == 0, let fresh else { preconditionFailure("no memory for a WebSocket") }
    wslay_event_config_set_max_recv_msg_length(fresh, UInt64(messageLimit))
    (bytesFed, bytesFramed, isInsideMessage) = (0, 0, false)
    context = fresh
    return fresh
  }

  private func restIfIdle() {
    guard let context, bytesFed == bytesFramed, !isInsideMessage, wslay_event_want_write(context) == 0 else { return }
    abandon()
  }

  private func abandon() {
    guard let context else { return }
    wslay_event_context_free(context)
    self.context = nil
  }

  fileprivate func read(into bytes: UnsafeMutablePointer<UInt8>, count: Int) -> Int {
    guard !isHeld else { return 0 }
    let taken = max(0, Int(evbuffer_remove(bufferevent_get_input(bufferevent), bytes, count)))
    bytesFed += UInt64(taken)
    return taken
  }

  fileprivate func write(_ bytes: UnsafePointer<UInt8>, count: Int) -> Bool {
    evbuffer_add(bufferevent_get_output(bufferevent), bytes, count) == 0
  }

  fileprivate func frameBegan(_ start: wslay_event_on_frame_recv_start_arg, _ context: OpaquePointer) {
    frame = (start.payload_length, start.opcode & 8 != 0, start.fin != 0)
    if start.opcode == UInt8(WSLAY_BINARY_FRAME.rawValue) {
      let code = UInt16(WSLAY_CODE_UNSUPPORTED_DATA.rawValue)
      wslay_event_shutdown_read(context)
      wslay_event_queue_close(context, code, nil, 0)
      arrivals.end = .closedByUs(code: code)
    }
  }

  fileprivate func frameEnded() {
    // wslay refuses lengths that are not in their shortest form, so the header's size follows from the payload's.
    let extended: UInt64 = frame.length < 126 ? 0 : frame.length < 65536 ? 2 : 8
    bytesFramed += 2 + extended + (role == .server ? 4 : 0) + frame.length
    if !frame.isControl { isInsideMessage = !frame.isFinal }
  }

  fileprivate func messageArrived(_ message: wslay_event_on_msg_recv_arg) {
    let bytes = UnsafeBufferPointer(start: message.msg, count: message.msg_length)
    switch Int(message.opcode) {
    case Int(WSLAY_TEXT_FRAME.rawValue): arrivals.messages.append(Array(bytes))
    case Int(WSLAY_CONNECTION_CLOSE.rawValue):
      arrivals.end = .closedByPeer(
        code: message.status_code == 0 ? nil : message.status_code, reason: String(decoding: bytes.dropFirst(2), as: UTF8.self))
    default: break  // ping is answered by wslay, pong is a sign of life like any byte, binary has been refused at its start
    }
  }
}

private func channel(_ me: UnsafeMutableRawPointer?) -> FrameChannel {
  guard let me else { preconditionFailure("wslay lost its user data") }
  return Unmanaged<FrameChannel>.fromOpaque(me).takeUnretainedValue()
}

private var frameCallbacks: wslay_event_callbacks {
  wslay_event_callbacks(
    recv_callback: { context, bytes, length, _, me in
      guard let bytes else { return -1 }
      let count = channel(me).read(into: bytes, count: length)
      if count == 0 {
        wslay_event_set_error(context, WSLAY_ERR_WOULDBLOCK.rawValue)
        return -1
      }
      return count
    },
    send_callback: { context, bytes, length, _, me in
      guard let bytes, channel(me).write(bytes, count: length) else {
        wslay_event_set_error(context, WSLAY_ERR_CALLBACK_FAILURE.rawValue)
        return -1
      }
      return length
    },
    genmask_callback: { _, bytes, length, _ in
      guard let bytes else { return -1 }
      for i in 0..<length { bytes[i] = UInt8.random(in: .min ... .max) }
      return 0
    },
    on_frame_recv_start_callback: { context, start, me in
      guard let context, let start else { return }
      channel(me).frameBegan(start.pointee, context)
    },
    on_frame_recv_chunk_callback: nil,
    on_frame_recv_end_callback: { _, me in channel(me).frameEnded() },
    on_msg_recv_callback: { _, message, me in
      guard let message else { return }
      channel(me).messageArrived(message.pointee)
    })
}
