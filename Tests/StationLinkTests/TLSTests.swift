import Foundation
import Loop
import Testing

@testable import StationLink

/// A self-signed certificate for 127.0.0.1, made by the openssl command and removed with this object.
final class Certificate: Sendable {
  let folder: String
  var certificate: String { folder + "/certificate.pem" }
  var key: String { folder + "/key.pem" }

  init() throws {
    folder = NSTemporaryDirectory() + "/sluice-tls-\(UInt64.random(in: .min ... .max))"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let openssl = Process()
    openssl.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    openssl.arguments =
      [
        "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=hub", "-addext",
        "subjectAltName=DNS:hub",
      ]
      + ["-keyout", key, "-out", certificate]
    openssl.standardError = FileHandle.nullDevice
    try openssl.run()
    openssl.waitUntilExit()
    try #require(openssl.terminationStatus == 0)
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }
}

@Suite struct TLSTests {
  @Test func `stations that trust the hub's certificate talk to it over TLS, others do not`() throws {
    let files = try Certificate()
    let credentials = try ServerCredentials(certificateFile: files.certificate, keyFile: files.key)
    let world = try World { $0.credentials = credentials }, house = House(world)
    let trusting = try ClientTrust(.file(files.certificate)), strict = try ClientTrust(.system)
    let station = try world.station("CP-1") { ($0.trust, $0.host) = (trusting, "hub") }
    #expect(station.next() == .opened(subprotocol: "ocpp1.6"))
    let opened = try #require(house.nextOpened())
    let text = [UInt8](repeating: 0x61, count: 60_000)
    for _ in 0..<10 { station.client.send(text: text) }
    for _ in 0..<10 { try #require(house.next() == .received(opened.handle, text)) }
    for _ in 0..<10 { world.server.send(opened.handle, text: text) }
    for _ in 0..<10 { try #require(station.next() == .received(text)) }
    #expect(try world.station("CP-2", { ($0.trust, $0.host) = (trusting, "other") }).next() == .closed(.unreachable))
    #expect(try world.station("CP-3", { ($0.trust, $0.host) = (strict, "hub") }).next() == .closed(.unreachable))
    #expect(try world.station("CP-4", { _ in }).next() == .closed(.unreachable))
    station.client.close()
    #expect(house.next() == .closed(opened.handle, .closedByPeer(code: 1000, reason: "")))
    #expect(station.next() == .closed(.ended(.closedByUs(code: 1000))))
  }

  @Test func `a certificate or key that cannot be used is named`() throws {
    let files = try Certificate()
    let fault = #expect(throws: LoopFault.self) { try ServerCredentials(certificateFile: "/nowhere/c.pem", keyFile: files.key) }
    #expect(fault == .certificate(file: "/nowhere/c.pem", reason: "No such file or directory"))
    let swapped = #expect(throws: LoopFault.self) {
      try ServerCredentials(certificateFile: files.certificate, keyFile: files.certificate)
    }
    guard case .certificate(let file, _) = swapped else { return #expect(Bool(false), "no fault of a file") }
    #expect(file == files.certificate)
  }

  @Test func `a port that is taken is named`() throws {
    let world = try World()
    let second = StationServer(
      loop: world.loop, configuration: .init(port: world.port), admit: { _, answer in answer(.accept) }, deliver: { _ in })
    let fault = #expect(throws: LoopFault.self) { try second.start() }
    #expect(fault == .cannotListen(address: "127.0.0.1", port: world.port, error: EADDRINUSE))
  }
}
