import Control
import Foundation
import Record
import Site
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
  /// - Returns: the transactions that it answered, the commands that raised a current, and the last sequence that it believed durable.
  func kill(_ victim: URL, _ journal: String, after writes: Int) throws -> (answered: [Int], raised: [UInt64], durable: UInt64) {
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
      lines.filter { $0[0] == "raised" }.compactMap { UInt64($0[1]) },
      lines.filter { $0[0] == "durable" }.compactMap { UInt64($0[1]) }.last ?? 0
    )
  }

  @Test func `killed at 100 write counts, it loses nothing answered, the chain is whole, and replay agrees`() throws {
    let victim = try victim()
    var counts: UInt64 = 20_260_105
    var explained = 0
    for round in 0..<25 {
      let folder = try Folder()
      var answered: Set<Int> = []
      var raised: Set<UInt64> = []
      // Each journal is killed four times, and comes back in between.
      for life in 0..<4 {
        counts = counts &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        let writes = 3 + Int(counts >> 33) % 220
        let said = try kill(victim, folder.journal, after: writes)
        #expect(answered.isDisjoint(with: said.answered), "a transaction id was given twice: round \(round), life \(life)")
        answered.formUnion(said.answered)
        raised.formUnion(said.raised)
        let reader = try JournalReader(path: folder.journal)
        let report = try reader.verify()
        #expect(report.breach == nil && report.entries >= said.durable, "round \(round), life \(life), killed at write \(writes)")
        let kept = Set(try reader.transactions(limit: 100_000).map(\.id))
        #expect(answered.isSubset(of: kept), "round \(round), life \(life), killed at write \(writes)")
      }
      let kept = try withInputs(folder.journal)
      #expect(raised.isSubset(of: kept), "a raise that left, and no inputs of it: round \(round)")
      explained += raised.count
      let replay = try JournalReader(path: folder.journal).replay(version: "victim")
      #expect(replay.difference == nil, "round \(round)")
      #expect(replay.passedOver.isEmpty, "round \(round)")
    }
    #expect(explained > 5)
  }

  /// The commands whose inputs are whole in the journal.
  func withInputs(_ journal: String) throws -> Set<UInt64> {
    let reader = try JournalReader(path: journal)
    var entries: [Batch.Remains] = []
    try reader.batches(1...UInt64(Int.max)) { batch in
      entries += (try? batch.entries()) ?? []
      return true
    }
    var result: Set<UInt64> = []
    for entry in entries where !entry.mentions.isEmpty {
      _ = try reader.inputs(of: entry)
      for case .decided(let decision) in entry.effects { if let command = decision.command { result.insert(command.value) } }
    }
    return result
  }
}
