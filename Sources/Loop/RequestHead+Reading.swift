import CLibevent

/// Copies the head out of libevent's request.
/// - Returns: `nil` for a method or target that nobody here speaks, or bytes that are not UTF-8.
func readHead(_ request: OpaquePointer) -> RequestHead? {
  guard let method = method(of: evhttp_request_get_command(request)), let raw = evhttp_request_get_uri(request),
    let uri = String(validatingCString: raw), let (path, query) = target(uri)
  else { return nil }
  var fields: [RequestHead.Field] = []
  var next = evhttp_request_get_input_headers(request)?.pointee.tqh_first
  while let field = next {
    guard let name = String(validatingCString: field.pointee.key), let value = String(validatingCString: field.pointee.value)
    else { return nil }
    fields.append(.init(name, value))
    next = field.pointee.next.tqe_next
  }
  return RequestHead(method: method, path: path, query: query, fields: fields)
}

func readBody(_ request: OpaquePointer) -> [UInt8] {
  guard let buffer = evhttp_request_get_input_buffer(request) else { return [] }
  let length = evbuffer_get_length(buffer)
  guard length > 0 else { return [] }
  return [UInt8](unsafeUninitializedCapacity: length) { bytes, count in
    count = max(0, evbuffer_copyout(buffer, bytes.baseAddress, length))
  }
}

/// Path and query of a request target, in origin form or absolute form. Source: RFC 9112 §3.2.
private func target(_ uri: String) -> (path: String, query: String?)? {
  var rest = uri[...]
  if let scheme = ["http://", "https://", "ws://", "wss://"].first(where: { uri.lowercased().hasPrefix($0) }) {
    rest = rest.dropFirst(scheme.count).drop { $0 != "/" }
  }
  guard let mark = rest.firstIndex(of: "?") else { return (String(rest), nil) }
  return (String(rest[..<mark]), String(rest[rest.index(after: mark)...]))
}

private func method(of command: evhttp_cmd_type) -> RequestHead.Method? {
  switch command {
  case EVHTTP_REQ_GET: .get
  case EVHTTP_REQ_HEAD: .head
  case EVHTTP_REQ_POST: .post
  case EVHTTP_REQ_PUT: .put
  case EVHTTP_REQ_DELETE: .delete
  case EVHTTP_REQ_PATCH: .patch
  case EVHTTP_REQ_OPTIONS: .options
  case EVHTTP_REQ_TRACE: .trace
  default: nil
  }
}
