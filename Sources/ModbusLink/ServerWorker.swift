import CLinux
import CModbus
import Glibc
import Metering

/// The loop of a server's thread. The context belongs to it.
final class ServerWorker: @unchecked Sendable {
  private let owner: ModbusContext
  private var context: OpaquePointer { owner.pointer }
  /// -1 on a serial line.
  private let listener: Int32
  private var clients: [Int32]
  private let admits: ModbusServer.Admission
  private let source: ModbusServer.Source
  private let sink: ModbusServer.Sink?
  /// More are not let in.
  private static let mostClients = 32
  /// Microseconds.
  private static let shortageRest: UInt32 = 50_000
  private let mapping = modbus_mapping_new(0, 0, 65536, 65536)

  init(
    context owner: ModbusContext, listener: Int32, clients: [Int32], admits: @escaping ModbusServer.Admission = { _ in true },
    source: @escaping ModbusServer.Source, sink: ModbusServer.Sink? = nil
  ) {
    (self.owner, self.listener, self.clients, self.source) = (owner, listener, clients, source)
    (self.admits, self.sink) = (admits, sink)
    // A client that sends half a request must not hold up the others.
    modbus_set_indication_timeout(context, 0, 500_000)
    modbus_set_byte_timeout(context, 0, 200_000)
  }
  deinit {
    if listener >= 0 {
      for client in clients { LowDescriptors.shared.giveBack(client) }
      close(listener)
    }
    modbus_mapping_free(mapping)
  }

  /// Answers until `wake` becomes readable.
  func run(wake: Int32) {
    while true {
      var polls = ([wake, listener] + clients).map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
      guard poll(&polls, nfds_t(polls.count), -1) >= 0 || errno == EINTR else { return }
      if polls[0].revents != 0 { return }
      if polls[1].revents != 0 { accept() }
      for entry in polls[2...] where entry.revents != 0 { serve(entry.fd) }
    }
  }

  private func accept() {
    let accepted = Glibc.accept(listener, nil, nil)
    guard accepted >= 0 else {
      // Whoever waits goes on waiting: no reason to be woken without end.
      if errno == EMFILE || errno == ENFILE { usleep(Self.shortageRest) }
      return
    }
    guard clients.count < Self.mostClients, admits(Self.peer(of: accepted)) else {
      close(accepted)
      return
    }
    guard let client = LowDescriptors.shared.lower(accepted) else { return }
    var one: Int32 = 1
    setsockopt(client, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
    clients.append(client)
  }

  private func serve(_ client: Int32) {
    modbus_set_socket(context, client)
    var request = [UInt8](repeating: 0, count: Int(MODBUS_MAX_ADU_LENGTH))
    let result = sluice_modbus_receive(context, &request)
    if result.rc > 0 { return answer(request, length: result.rc) }
    guard result.rc < 0, listener >= 0 else {
      if result.rc < 0 { modbus_flush(context) }
      return
    }
    LowDescriptors.shared.giveBack(client)
    clients.removeAll { $0 == client }
  }

  private func answer(_ request: [UInt8], length: Int32) {
    let header = Int(modbus_get_header_length(context))
    guard Int(length) >= header + 5, header > 0 else { return }
    func word(_ at: Int) -> Int { Int(request[at]) << 8 | Int(request[at + 1]) }
    let function = Int(request[header])
    if function == 6 || function == 16, sink != nil { return take(request, length, header, function) }
    guard function == 3 || function == 4 else { return refuse(request, 1) }
    let range = WordRange(function: function, address: word(header + 1), count: word(header + 3))
    guard (1...125).contains(range.count) else { return refuse(request, 3) }
    guard range.end <= 65536 else { return refuse(request, 2) }
    switch source(Int(request[header - 1]), range) {
    case .silence: return
    case .exception(let code): refuse(request, code)
    case .words(let words): reply(request, length, range, words)
    }
  }

  /// A write: of one register, or of several.
  private func take(_ request: [UInt8], _ length: Int32, _ header: Int, _ function: Int) {
    func word(_ at: Int) -> UInt16 { UInt16(request[at]) << 8 | UInt16(request[at + 1]) }
    let address = Int(word(header + 1))
    var words = [word(header + 3)]
    if function == 16 {
      let count = Int(word(header + 3))
      guard (1...123).contains(count), Int(length) >= header + 6 + count * 2, Int(request[header + 5]) == count * 2 else {
        return refuse(request, 3)
      }
      words = (0..<count).map { word(header + 6 + $0 * 2) }
    }
    guard address + words.count <= 65536, let mapping else { return refuse(request, 2) }
    if let exception = sink?(Int(request[header - 1]), address, words) { return refuse(request, exception) }
    // libmodbus writes into the mapping, which nobody reads, and makes the answer.
    _ = sluice_modbus_reply(context, request, length, mapping)
  }

  /// The numeric address at the other end, without the prefix of IPv4 in IPv6.
  private static func peer(of client: Int32) -> String {
    var address = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    var name = [CChar](repeating: 0, count: Int(NI_MAXHOST))
    let status = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        getpeername(client, address, &length) == 0
          ? getnameinfo(address, length, &name, socklen_t(name.count), nil, 0, NI_NUMERICHOST) : -1
      }
    }
    guard status == 0 else { return "" }
    let text = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return text.hasPrefix("::ffff:") ? String(text.dropFirst(7)) : text
  }

  private func refuse(_ request: [UInt8], _ code: Int) { _ = sluice_modbus_reply_exception(context, request, UInt32(code)) }

  private func reply(_ request: [UInt8], _ length: Int32, _ range: WordRange, _ words: [UInt16]) {
    guard words.count == range.count, let mapping else { return refuse(request, 4) }
    let table = range.function == 3 ? mapping.pointee.tab_registers : mapping.pointee.tab_input_registers
    for (i, word) in words.enumerated() { table?[range.address + i] = word }
    _ = sluice_modbus_reply(context, request, length, mapping)
  }
}
