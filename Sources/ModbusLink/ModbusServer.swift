import CLinux
import CModbus
import Glibc
import Metering
import Site

/// A Modbus server: libmodbus on a thread of its own. TCP with several clients and units, or one unit on a serial line (libmodbus hears
/// only its own unit there). Function codes 3 and 4, and 6 and 16 where somebody takes what is written; anything else is answered
/// with exception 1.
public final class ModbusServer: Sendable {
  public enum Answer: Hashable, Sendable {
    /// As many as asked for.
    case words([UInt16])
    case exception(Int)
    case silence
  }
  /// Called on the server's thread.
  public typealias Source = @Sendable (_ unit: Int, WordRange) -> Answer
  /// Takes words written to holding registers, all of them or none; nil: taken, otherwise the exception. Called on the server's thread.
  public typealias Sink = @Sendable (_ unit: Int, _ address: Int, [UInt16]) -> Int?
  /// Whether a peer of this numeric address is heard. Called on the server's thread.
  public typealias Admission = @Sendable (String) -> Bool

  /// Why a server cannot start: the call that failed and its `errno`.
  public struct Flaw: Error, Hashable, Sendable, CustomStringConvertible {
    public var call: String
    public var code: Int32
    public var description: String { "\(call): \(String(cString: strerror(code)))" }
  }

  private struct State {
    var thread: WorkThread?
    var wake: Int32 = -1
  }
  private let state: Gate<State>
  /// The TCP port it listens on; 0 for a serial line.
  public let port: Int

  /// Listens and answers until `stop()`.
  /// - Parameters:
  ///   - port: 0 lets the system choose; see `port`.
  ///   - host: the address to listen on.
  ///   - admits: others are closed as soon as they connect.
  public init(
    tcp port: Int, host: String = "127.0.0.1", admits: @escaping Admission = { _ in true }, source: @escaping Source,
    sink: Sink? = nil
  ) throws(Flaw) {
    guard let context = ModbusContext(.tcp(host: host, port: port)) else { throw Flaw(call: "modbus_new_tcp_pi", code: EINVAL) }
    let listener = modbus_tcp_pi_listen(context.pointer, 16)
    guard listener >= 0 else { throw Flaw(call: "listen on \(host):\(port)", code: errno) }
    self.port = Self.port(of: listener)
    state = Gate(State())
    try start(ServerWorker(context: context, listener: listener, clients: [], admits: admits, source: source, sink: sink))
  }

  /// Answers as `unit` on a serial line.
  public init(rtu bus: Meter.Bus, unit: Int, source: @escaping Source) throws(Flaw) {
    guard case .rtu = bus, let context = ModbusContext(bus) else { throw Flaw(call: "modbus_new_rtu", code: EINVAL) }
    modbus_set_slave(context.pointer, Int32(unit))
    let error = context.open(timeout: .seconds(1))
    guard error == 0 else { throw Flaw(call: "open \(bus)", code: error) }
    port = 0
    state = Gate(State())
    try start(ServerWorker(context: context, listener: -1, clients: [modbus_get_socket(context.pointer)], source: source))
  }

  private func start(_ worker: ServerWorker) throws(Flaw) {
    let wake = eventfd(0, Int32(EFD_CLOEXEC))
    guard wake >= 0 else { throw Flaw(call: "eventfd", code: errno) }
    let thread = WorkThread { worker.run(wake: wake) }
    guard let thread else { throw Flaw(call: "pthread_create", code: EAGAIN) }
    state.with { $0 = State(thread: thread, wake: wake) }
  }

  /// Closes all connections and waits for the thread. A second call does nothing.
  public func stop() {
    let last = state.with { state in
      defer { state = State() }
      return state
    }
    guard let thread = last.thread else { return }
    eventfd_write(last.wake, 1)
    thread.join()
    close(last.wake)
  }
  deinit { stop() }

  private static func port(of descriptor: Int32) -> Int {
    var address = sockaddr_in6()
    var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
    let status = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
    }
    return status == 0 ? Int(UInt16(bigEndian: address.sin6_port)) : 0  // the port stands at the same place in IPv4
  }
}
