import CFaultyVFS
import Control
import Dispatch
import Foundation
import Quantities
import Record
import Site
import Testing

@testable import Journal

let noon = Instant(seconds: 1_767_614_400)  // 2026-01-05T12:00:00Z

/// A folder of its own for a test, gone with it.
final class Folder {
  let path: String
  init() throws {
    path = FileManager.default.temporaryDirectory.appendingPathComponent("sluice-journal-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }
  deinit {
    do { try FileManager.default.removeItem(atPath: path) } catch { print("left behind: \(path)") }
  }
  var journal: String { JournalStore.path(in: path) }
}

func stamp(_ sequence: UInt64) -> EventStamp {
  EventStamp(
    utc: noon + .seconds(Int(sequence)), monotonic: Monotonic(milliseconds: Int(sequence) * 1000), sequence: sequence)
}

func reading(_ sequence: UInt64) -> Event {
  .reading(
    MeterReading(
      meter: 0, current: PerPhase(.milliamperes(Int(sequence) * 7), .amperes(3), .zero),
      registers: sequence &* 0x9e37_79b9_7f4a_7c15))
}

/// A batch of entries `range`: readings, but what `others` says.
func batch(_ range: ClosedRange<UInt64>, _ others: [UInt64: (Event, [Effect])] = [:]) throws -> Batch {
  var writer = BatchWriter()
  for sequence in range {
    let (event, effects) = others[sequence] ?? (reading(sequence), [])
    try writer.append(Entry(stamp: stamp(sequence), event: event, effects: effects))
  }
  return writer.finish()
}

/// A store whose reports can be waited for.
final class Waiting {
  let store: JournalStore
  private let signal = DispatchSemaphore(value: 0)
  init(_ path: String, vfs: String? = nil) throws {
    let signal = signal
    store = try JournalStore(path: path, vfs: vfs) { signal.signal() }
  }
  func write(_ batch: Batch, snapshot: Snapshot? = nil) -> StoreReport? {
    store.submit(batch, snapshot: snapshot, at: Monotonic(milliseconds: 0))
    signal.wait()
    return store.reports(at: Monotonic(milliseconds: 0)).first
  }
}

/// A disk of the test's own that misbehaves when told to.
final class FaultyDisk {
  private let disk: OpaquePointer
  init() throws { disk = try #require(faulty_disk_make()) }
  var vfs: String { String(cString: faulty_disk_name(disk)) }
  /// - Parameter kind: one of `FAULTY_...`, from the `after`-th write on.
  func arm(_ kind: Int, after writes: Int = 0) { faulty_disk_arm(disk, Int32(kind), writes) }
}
