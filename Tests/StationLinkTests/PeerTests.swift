import Foundation
import Testing

@testable import StationLink

private let python = ProcessInfo.processInfo.environment["SLUICE_PYTHON"]

/// Against a WebSocket client that nobody here wrote. Needs a Python with `websockets`, named by `SLUICE_PYTHON`.
@Suite(.enabled(if: python != nil)) struct PeerTests {
  @Test func `PyPI websockets negotiates, talks, is refused and is closed as the RFC says`() throws {
    let world = try World()
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "../Peers/websocket_peer.py")
    let peer = Process()
    peer.executableURL = URL(fileURLWithPath: try #require(python))
    peer.arguments = [script.path, String(world.port)]
    let inbox = world.inbox
    peer.terminationHandler = { _ in inbox.close() }
    try peer.run()
    // Echo until the peer has ended.
    while let batch = world.inbox.take(patience: nil) {
      for case .received(let handle, let text) in batch { world.server.send(handle, text: text) }
    }
    peer.waitUntilExit()
    #expect(peer.terminationStatus == 0)
  }
}
