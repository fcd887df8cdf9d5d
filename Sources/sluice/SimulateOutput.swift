import Analysis
import Foundation
import Scenarios

/// The files of a study. Each is written beside its name and put in its place when it is whole.
final class SimulateOutput: Sendable {
  let folder: URL

  /// - Throws: when the folder cannot be made.
  init(folder: String) throws {
    self.folder = URL(fileURLWithPath: folder, isDirectory: true)
    try FileManager.default.createDirectory(at: self.folder, withIntermediateDirectories: true)
  }

  var names: [String] { ["summary.json", "sessions.csv", "load.csv", "events.jsonl", "report.html"].filter(exists) }
  private func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: folder.appendingPathComponent(name).path) }

  /// Where one run writes its events as it goes.
  func part(_ number: Int) throws -> EventPart { try EventPart(place(ofPart: number)) }
  private func place(ofPart number: Int) -> URL { folder.appendingPathComponent(".events-\(number)") }

  /// - Parameter events: numbers of the runs that told their events, in order.
  func write(_ study: Study, events: [Int]) throws {
    let story = Story(study.scenario, seed: study.seeds[0])
    try write(Data(study.summary), "summary.json")
    var (sessions, load) = (Data(), Data())
    for (place, outcome) in study.detailed.enumerated() {
      sessions.append(contentsOf: study.sessions(outcome, story, head: place == 0))
      load.append(contentsOf: study.load(outcome, head: place == 0))
    }
    try write(sessions, "sessions.csv")
    try write(load, "load.csv")
    try write(Data(Report(study, story: story).html), "report.html")
    try join(events)
  }

  private func write(_ data: Data, _ name: String) throws {
    try data.write(to: folder.appendingPathComponent(name), options: .atomic)
  }

  private func join(_ events: [Int]) throws {
    let target = folder.appendingPathComponent("events.jsonl")
    // What an earlier run left there would not belong to this one.
    if exists("events.jsonl") { try FileManager.default.removeItem(at: target) }
    if events.isEmpty { return }
    let whole = folder.appendingPathComponent(".events")
    try Data().write(to: whole)
    let file = try FileHandle(forWritingTo: whole)
    for number in events {
      let part = place(ofPart: number)
      guard FileManager.default.fileExists(atPath: part.path) else { continue }  // that run was never begun
      let reader = try FileHandle(forReadingFrom: part)
      while let piece = try reader.read(upToCount: 1 << 20), !piece.isEmpty { try file.write(contentsOf: piece) }
      try reader.close()
      try FileManager.default.removeItem(at: part)
    }
    try file.close()
    try FileManager.default.moveItem(at: whole, to: target)
  }
}

/// Lines of one run, gathered and written a piece at a time. Used by one thread.
final class EventPart: @unchecked Sendable {
  private let file: FileHandle
  private var waiting = Data()

  init(_ place: URL) throws {
    try Data().write(to: place)
    file = try FileHandle(forWritingTo: place)
  }
  func add(_ line: [UInt8]) {
    waiting.append(contentsOf: line)
    waiting.append(10)
    if waiting.count > 1 << 20 { flush() }
  }
  func close() {
    flush()
    do { try file.close() } catch { StandardError.write("sluice: events could not be written: \(error)") }
  }
  private func flush() {
    do { try file.write(contentsOf: waiting) } catch { StandardError.write("sluice: events could not be written: \(error)") }
    waiting.removeAll(keepingCapacity: true)
  }
}
