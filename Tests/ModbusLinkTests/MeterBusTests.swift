import Metering
import Quantities
import Site
import Testing

@testable import ModbusLink

@Suite(.serialized) struct MeterBusTests {
  private func serve(_ meters: EmulatedMeters, port: Int = 0) throws -> ModbusServer {
    try ModbusServer(tcp: port) { meters.answer(unit: $0, $1) }
  }
  private func local(_ server: ModbusServer) -> Meter.Bus { .tcp(host: "127.0.0.1", port: server.port) }

  @Test func `several units of one bus are read, each by its own registers`() throws {
    let meters = EmulatedMeters()
    meters.set(Example.image, unit: 1)
    var other = Example.image
    other.put([0x4180, 0], function: 4, at: 8)  // 16 A on L2
    meters.set(other, unit: 7)
    let server = try serve(meters)
    defer { server.stop() }
    let box = ReportBox()
    let bus = MeterBus(local(server), units: [Example.unit(3, 1), Example.unit(5, 7)]) { box.put($0) }
    try bus.start()
    defer { bus.stop() }
    let reports = try #require(
      box.wait { reports in [3, 5].allSatisfy { meter in reports.filter { $0.meter == meter }.count >= 3 } })
    for report in reports {
      let reading = try #require(report.reading)
      #expect(reading.meter == report.meter)
      #expect(reading.current == PerPhase(.amperes(10), .amperes(report.meter == 5 ? 16 : 10), .amperes(10)))
      #expect(reading.totalPower == .watts(6900))
      #expect(reading.age >= .zero && reading.age < .seconds(2))
    }
  }

  @Test func `a dead unit does not make its bus stale`() throws {
    let meters = EmulatedMeters()
    meters.set(Example.image, unit: 1)
    let server = try serve(meters)
    defer { server.stop() }
    let box = ReportBox()
    // Units 2 and 3 do not exist.
    let bus = MeterBus(local(server), units: [Example.unit(0, 2), Example.unit(1, 3), Example.unit(2, 1)]) { box.put($0) }
    try bus.start()
    defer { bus.stop() }
    let reports = try #require(
      box.wait { reports in
        reports.filter { $0.meter == 2 }.count >= 30 && [0, 1].allSatisfy { dead in reports.contains { $0.meter == dead } }
      })
    #expect(reports.allSatisfy { $0.meter == 2 ? $0.reading != nil : $0.fault == .silent })
    let times = reports.filter { $0.meter == 2 }.map(\.received.milliseconds)
    for (a, b) in zip(times, times.dropFirst()) { #expect(b - a < 2500) }
  }

  @Test func `an exception, an absent register and an implausible value are told apart`() throws {
    let meters = EmulatedMeters()
    meters.set(Example.image, unit: 1)
    meters.setMood(.exception(4), unit: 1)
    meters.set(RegisterImage(), unit: 2)
    var high = Example.image
    high.put([0x43FA, 0], function: 4, at: 0)  // 500 V
    meters.set(high, unit: 3)
    let server = try serve(meters)
    defer { server.stop() }
    let box = ReportBox()
    let bus = MeterBus(local(server), units: (0..<3).map { Example.unit($0, $0 + 1) }) { box.put($0) }
    try bus.start()
    defer { bus.stop() }
    let reports = try #require(box.wait { reports in (0..<3).allSatisfy { meter in reports.contains { $0.meter == meter } } })
    let expected: [MeterFault] = [.exception(4), .exception(2), .implausible("voltage L1")]
    for report in reports { #expect(report.fault == expected[report.meter]) }
  }

  @Test func `a frozen meter repeats its registers, and a thawed one shows the new ones`() throws {
    let meters = EmulatedMeters()
    meters.set(Example.image, unit: 1)
    meters.setMood(.frozen, unit: 1)
    var other = Example.image
    other.put([0x4180, 0], function: 4, at: 6)
    meters.set(other, unit: 1)
    let server = try serve(meters)
    defer { server.stop() }
    let box = ReportBox()
    let bus = MeterBus(local(server), units: [Example.unit(0, 1)]) { box.put($0) }
    try bus.start()
    defer { bus.stop() }
    let frozen = try #require(box.wait { $0.count >= 3 }).compactMap(\.reading)
    #expect(Set(frozen.map(\.registers)).count == 1 && frozen[0].current?.l1 == .amperes(10))
    meters.setMood(.answers, unit: 1)
    let thawed = box.wait { $0.last?.reading?.current?.l1 == .amperes(16) }
    #expect(thawed?.last?.reading?.registers != frozen[0].registers)
  }

  @Test func `a server that goes and comes back is found again`() throws {
    let meters = EmulatedMeters()
    meters.set(Example.image, unit: 1)
    let server = try serve(meters)
    let box = ReportBox()
    let bus = MeterBus(local(server), units: [Example.unit(0, 1)]) { box.put($0) }
    try bus.start()
    defer { bus.stop() }
    #expect(box.wait { $0.contains { $0.reading != nil } } != nil)
    server.stop()
    let broken = try #require(box.wait { $0.last?.fault == .unreachable })
    let again = try serve(meters, port: server.port)
    defer { again.stop() }
    #expect(box.wait { $0.count > broken.count && $0.last?.reading != nil } != nil)
  }

  @Test func `nobody listening is reported as unreachable for each meter of the bus`() throws {
    let server = try serve(EmulatedMeters())
    let address = local(server)
    server.stop()
    let box = ReportBox()
    let bus = MeterBus(address, units: [Example.unit(0, 1), Example.unit(1, 2)]) { box.put($0) }
    try bus.start()
    defer { bus.stop() }
    let reports = try #require(box.wait { $0.count >= 4 })
    #expect(reports.allSatisfy { $0.fault == .unreachable })
    #expect(Set(reports.map(\.meter)) == [0, 1])
  }

  @Test func `a SunSpec meter is discovered, then read in one request`() throws {
    let values = MeterValues([
      .voltage1: 230_000, .voltage2: 230_000, .voltage3: 230_000, .current1: 10_000, .current2: 0, .current3: -3_000,
      .power1: 2_300_000, .power2: 0, .power3: -690_000, .totalPower: 1_610_000,
    ])
    let meters = EmulatedMeters()
    meters.set(try #require(SunSpecLayout(model: 203)).image(values, maker: "M", device: "D"), unit: 200)
    let server = try serve(meters)
    defer { server.stop() }
    let box = ReportBox()
    let unit = MeterBus.Unit(meter: 0, unit: 200, period: .milliseconds(100), layout: .sunSpec(bases: [50000, 40000]))
    let bus = MeterBus(local(server), units: [unit]) { box.put($0) }
    try bus.start()
    defer { bus.stop() }
    let report = try #require(box.wait { !$0.isEmpty }?.first)
    #expect(report.reading?.current == PerPhase(.amperes(10), .zero, .amperes(-3)))
    #expect(report.reading?.totalPower == .watts(1610))
  }

  @Test func `several clients are served at once`() throws {
    let meters = EmulatedMeters()
    meters.set(Example.image, unit: 1)
    let server = try serve(meters)
    defer { server.stop() }
    let connections = try (0..<5).map { _ in try #require(MeterConnection(local(server))) }
    for connection in connections { #expect(connection.open()) }
    for _ in 0..<3 {
      for connection in connections {
        #expect(connection.read(WordRange(function: 4, address: 6, count: 2), unit: 1) == [0x4120, 0])
      }
    }
    #expect(connections[0].read(WordRange(function: 4, address: 60, count: 2), unit: 1) == nil)
    #expect(connections[0].read(WordRange(function: 4, address: 6, count: 2), unit: 1) == [0x4120, 0])
  }

  @Test func `a link that takes the place of another asks nothing before, and the other nothing after`() throws {
    let meters = EmulatedMeters()
    meters.set(Example.image, unit: 1)
    let server = try serve(meters)
    defer { server.stop() }
    let (before, after) = (ReportBox(), ReportBox())
    let first = Example.link(local(server)) { before.put($0) }, second = Example.link(local(server)) { after.put($0) }
    try first.start()
    try second.prepare()
    #expect(before.wait { $0.filter { $0.reading != nil }.count >= 5 } != nil)
    #expect(after.wait(0) { $0.isEmpty } != nil)
    second.begin(insteadOf: first)
    second.follow(first)
    let last = try #require(before.wait(0) { _ in true }).count
    #expect(after.wait { $0.filter { $0.reading != nil }.count >= 5 } != nil)
    #expect(before.wait(0) { $0.count == last } != nil)
    second.stop()
  }

  @Test func `a link of which one bus is refused leaves no thread behind`() throws {
    let wrong = Meter.Bus.rtu(device: "/dev/null", baud: 19200, parity: "X", stopBits: 1)
    let link = Example.link(.tcp(host: "127.0.0.1", port: 1), wrong) { _ in }
    #expect(throws: MeterBus.Flaw.parameters(wrong)) { try link.prepare() }
    link.stop()
  }

  @Test func `serial parameters that libmodbus does not know are refused at start`() {
    let bus = MeterBus(.rtu(device: "/dev/null", baud: 19200, parity: "X", stopBits: 1), units: [Example.unit(0, 1)]) { _ in }
    #expect(throws: MeterBus.Flaw.self) { try bus.start() }
  }
}
