import CModbus
import Glibc
import Quantities
import Site

/// A libmodbus context, and the connection that it reads and writes: for a client, or for the server side of a serial line. Not
/// thread-safe.
///
/// Connections are made here and not by libmodbus, which waits for them with `select`: see `LowDescriptors`.
final class ModbusContext {
  let pointer: OpaquePointer
  private let bus: Meter.Bus
  private(set) var isOpen = false

  /// - Returns: nil when libmodbus refuses the parameters (baud rate, empty name).
  init?(_ bus: Meter.Bus) {
    var made: OpaquePointer?
    switch bus {
    case .tcp(let host, let port):
      guard !host.isEmpty else { return nil }
      made = modbus_new_tcp_pi(host, String(port))
    case .rtu(let device, let baud, let parity, let stopBits):
      guard let letter = parity.utf8.first, "NEO".utf8.contains(letter) else { return nil }
      made = modbus_new_rtu(device, Int32(baud), CChar(bitPattern: letter), 8, Int32(stopBits))
    }
    guard let made else { return nil }
    (pointer, self.bus) = (made, bus)
  }
  deinit {
    close()
    modbus_free(pointer)
  }

  /// Connects, anew where it is connected.
  /// - Returns: 0, or the `errno`.
  func open(timeout: TimeSpan) -> Int32 {
    close()
    var (descriptor, error): (Int32, Int32) = (-1, 0)
    switch bus {
    case .tcp(let host, let port): (descriptor, error) = connectedSocket(host: host, port: port, timeout: timeout)
    case .rtu:
      let result = sluice_modbus_connect(pointer, UInt32(timeout.milliseconds))
      (descriptor, error) = result.rc == 0 ? (modbus_get_socket(pointer), 0) : (-1, result.error)
    }
    guard descriptor >= 0 else { return error == 0 ? EHOSTUNREACH : error }
    let low = LowDescriptors.shared.lower(descriptor)
    modbus_set_socket(pointer, low ?? -1)
    isOpen = low != nil
    return isOpen ? 0 : EMFILE
  }

  func close() {
    guard isOpen else { return }
    isOpen = false
    // libmodbus closes a twin, in its own way, and the number stays.
    let low = modbus_get_socket(pointer), twin = fcntl(low, F_DUPFD_CLOEXEC, 0)
    if twin >= 0 {
      LowDescriptors.shared.giveBack(low)
      modbus_set_socket(pointer, twin)
    }
    modbus_close(pointer)
  }
}

/// A TCP connection to the first address of a host that takes it.
/// - Returns: its descriptor, which does not block; or -1 and the `errno` of the last try.
private func connectedSocket(host: String, port: Int, timeout: TimeSpan) -> (descriptor: Int32, error: Int32) {
  var hints = addrinfo()
  hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
  hints.ai_flags = AI_ADDRCONFIG
  var list: UnsafeMutablePointer<addrinfo>?
  guard getaddrinfo(host, String(port), &hints, &list) == 0 else { return (-1, EHOSTUNREACH) }
  defer { freeaddrinfo(list) }
  var error = EHOSTUNREACH
  for place in sequence(first: list, next: { $0?.pointee.ai_next }) {
    guard let address = place?.pointee else { break }
    let type = address.ai_socktype | Int32(SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    let descriptor = socket(address.ai_family, type, address.ai_protocol)
    guard descriptor >= 0 else {
      error = errno
      continue
    }
    error = connect(descriptor, to: address, timeout: timeout)
    guard error != 0 else { return (descriptor, 0) }
    close(descriptor)
  }
  return (-1, error)
}

/// - Returns: 0, or the `errno`.
private func connect(_ descriptor: Int32, to address: addrinfo, timeout: TimeSpan) -> Int32 {
  var one: Int32 = 1
  setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
  guard Glibc.connect(descriptor, address.ai_addr, address.ai_addrlen) != 0 else { return 0 }
  guard errno == EINPROGRESS else { return errno }
  let deadline = monotonicNow() + timeout
  var awaited = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
  while true {
    let left = (deadline - monotonicNow()).milliseconds
    guard left > 0 else { return ETIMEDOUT }
    let ready = poll(&awaited, 1, Int32(clamping: left))
    if ready > 0 { break }
    guard ready == 0 || errno == EINTR else { return errno }
  }
  var (failure, length): (Int32, socklen_t) = (0, socklen_t(MemoryLayout<Int32>.size))
  getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &failure, &length)
  return failure
}
