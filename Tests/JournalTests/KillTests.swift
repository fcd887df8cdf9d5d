import Foundation
import Record
import Testing

@testable import Journal

@Suite struct KillTests {
  /// The victim stands beside the test bundle.
  func victim() throws -> URL {
    for bundle in [Bundle.main.bundleURL, Bundle.main.executableURL?.deletingLastPathComponent()].compactMap({ $0 }) {
      let candidate = bundle.appendingPathComponent("victim")
      if FileManager.default.isExecutableFile(atPath: candidate.path) { return candidate }
    }
    throw CocoaError(.fileNoSuchFile)
  }

  /// Runs the victim until it is killed.
  /// - Returns: the transactions that it answered, and the last sequence that it believed durable.
  func kill(_ victim: URL, _ journal: String, after writes: Int) throws -> (answered: [Int], durable: UInt64) {
    let process = Process()
    let pipe = Pipe()
    process.executableURL = victim
    process.arguments = [journal, "\(writes)"]
    process.standardOutput = pipe
    try process.run()
    let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationReason == .uncaughtSignal && process.terminationStatus == SIGKILL)
    let lines = text.split(separator: "\n").map { $0.split(separator: " ") }.filter { $0.count == 2 }
    return (
      lines.filter { $0[0] == "answered" }.compactMap { Int($0[1]) },
      lines.filter { $0[0] == "durable" }.compactMap { UInt64($0[1]) }.last ?? 0
    )
  }

  @Test func `killed at 100 write counts, it loses nothing answered, the chain is whole, and replay agrees`() throws {
    let victim = try victim()
    var counts: UInt64 = 20_260_105
    for round in 0..<25 {
      let folder = try Folder()
      var answered: Set<Int> = []
      // Each journal is killed four times, and comes back in between.
      for life in 0..<4 {
        counts = counts &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        let writes = 3 + Int(counts >> 33) % 220
        let said = try kill(victim, folder.journal, after: writes)
        #expect(answered.isDisjoint(with: said.answered), "a transaction id was given twice: round \(round), life \(life)")
        answered.formUnion(said.answered)
        let reader = try JournalReader(path: folder.journal)
        let report = try reader.verify()
        #expect(report.breach == nil && report.entries >= said.durable, "round \(round), life \(life), killed at write \(writes)")
        let kept = Set(try reader.transactions(limit: 100_000).map(\.id))
        #expect(answered.isSubset(of: kept), "round \(round), life \(life), killed at write \(writes)")
      }
      let replay = try JournalReader(path: folder.journal).replay(version: "victim")
      #expect(replay.difference == nil, "round \(round)")
      #expect(replay.passedOver.isEmpty, "round \(round)")
    }
  }
}
