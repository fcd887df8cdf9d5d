import Foundation
import Metering
import Quantities
import Site
import Testing

@testable import ModbusLink

/// A pair of pseudo-terminals wired together, made by socat.
final class SerialPair {
  private let process = Process()
  let left: String
  let right: String
  private let folder: URL
  init?() {
    let socat = ["/usr/bin/socat", "/usr/local/bin/socat"].first { FileManager.default.isExecutableFile(atPath: $0) }
    guard let socat else { return nil }
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("sluice-pty-\(UUID().uuidString)")
    do { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) } catch { return nil }
    (left, right) = (folder.appendingPathComponent("left").path, folder.appendingPathComponent("right").path)
    process.executableURL = URL(fileURLWithPath: socat)
    process.arguments = ["-d", "-d", "pty,raw,echo=0,link=\(left)", "pty,raw,echo=0,link=\(right)"]
    let log = Pipe()
    process.standardError = log
    do { try process.run() } catch { return nil }
    var text = ""
    while !text.contains("starting data transfer loop") {  // socat says so when both ends exist
      let data = log.fileHandleForReading.availableData
      if data.isEmpty { return nil }
      text += String(decoding: data, as: UTF8.self)
    }
  }
  deinit {
    // One that could not be started has the number 0, which means this process and all of its group.
    if process.isRunning {
      kill(process.processIdentifier, SIGKILL)  // a child of a dispatch thread has SIGTERM blocked
      process.waitUntilExit()  // until it hears of its child's end, it holds itself
    }
    try? FileManager.default.removeItem(at: folder)
  }
}

@Suite(.serialized) struct SerialTests {
  @Test func `a meter on a serial line is read, and falls silent when it is told to`() throws {
    let pair = try #require(SerialPair(), "socat is needed")
    let meters = EmulatedMeters()
    meters.set(Example.image, unit: 9)
    let server = try ModbusServer(rtu: .rtu(device: pair.left, baud: 19200, parity: "N", stopBits: 1), unit: 9) {
      meters.answer(unit: $0, $1)
    }
    defer { server.stop() }
    let box = ReportBox()
    let bus = MeterBus(.rtu(device: pair.right, baud: 19200, parity: "N", stopBits: 1), units: [Example.unit(4, 9)]) {
      box.put($0)
    }
    try bus.start()
    defer { bus.stop() }
    let report = try #require(box.wait { $0.contains { $0.reading != nil } }?.last)
    #expect(report.meter == 4 && report.reading?.current == PerPhase(all: .amperes(10)))
    meters.setMood(.silent, unit: 9)
    #expect(box.wait { $0.last?.fault == .silent } != nil)
  }

  @Test func `a line goes on with the next link once the one before has left it`() throws {
    let pair = try #require(SerialPair(), "socat is needed")
    let meters = EmulatedMeters()
    meters.set(Example.image, unit: 9)
    let server = try ModbusServer(rtu: .rtu(device: pair.left, baud: 19200, parity: "N", stopBits: 1), unit: 9) {
      meters.answer(unit: $0, $1)
    }
    defer { server.stop() }
    let (before, after) = (ReportBox(), ReportBox())
    let line = Meter.Bus.rtu(device: pair.right, baud: 19200, parity: "N", stopBits: 1)
    let first = Example.link(line, unit: 9) { before.put($0) }, second = Example.link(line, unit: 9) { after.put($0) }
    try first.start()
    #expect(before.wait { $0.contains { $0.reading != nil } } != nil)
    try second.prepare()
    second.begin(insteadOf: first)
    second.follow(first)
    #expect(after.wait { $0.contains { $0.reading != nil } } != nil)
    second.stop()
  }
}
