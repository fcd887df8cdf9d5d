import Control
import Quantities
import Record
import Site

/// The one seam between this house and the mind: the driver of the live house over a store in memory, which can be killed and brought
/// back from what was durable.
public struct Mind {
  public private(set) var driver: Driver<MemoryStore>
  private let keepsAll: Bool
  private let keepsInputs: Bool
  /// When the house has to wake it, as far as it is in the timeline.
  var scheduledWake = Int.max

  /// - Parameters:
  ///   - keepsAll: keep the whole journal, to replay it at the end.
  ///   - keepsInputs: and the inputs of decisions in it.
  init(seed: UInt64, disk: MemoryStore.Disk, keepsAll: Bool, keepsInputs: Bool) {
    (self.keepsAll, self.keepsInputs) = (keepsAll, keepsInputs)
    let store = MemoryStore(seed: seed, disk: disk, keepsAll: keepsAll)
    driver = Driver(store: store, version: "simulation", keepsInputs: keepsInputs)
  }

  public var controller: SiteController { driver.controller }
  public var steps: Int { Int(driver.stamp.sequence) }
  var nextWake: Int? { driver.nextWake?.milliseconds }
  public var storeHasFailed: Bool { driver.storeHasFailed }

  mutating func handle(_ event: Event, utc: Instant, monotonic: Int) -> [Effect] {
    driver.handle(event, utc: utc, monotonic: Monotonic(milliseconds: monotonic))
  }
  mutating func wake(utc: Instant, monotonic: Int) -> [Effect] {
    driver.wake(utc: utc, monotonic: Monotonic(milliseconds: monotonic))
  }

  /// The process is killed, and what was durable comes back.
  /// - Returns: whether thinking again gave what was recorded.
  mutating func restart() throws(Replay.Fault) -> Bool {
    var store = driver.store
    store.crash()
    let restored = try Restored(snapshot: keepsAll ? nil : store.snapshot, batches: store.batches)
    let hasBegun = restored.stamp.sequence > 0
    driver = Driver(store: store, version: "simulation", restored: hasBegun ? restored : nil, keepsInputs: keepsInputs)
    scheduledWake = Int.max
    return restored.difference == nil
  }

  /// Thinks the whole journal again.
  func replays() throws(Replay.Fault) -> Bool {
    try Restored(snapshot: keepsAll ? nil : driver.store.snapshot, batches: driver.store.batches).difference == nil
  }

  /// The store gives errors from now on, or no more.
  mutating func breakStore(_ fault: StoreFault?) { driver.store.fault = fault }

  func outdatedFacts(utc: Instant, monotonic: Int) -> [Int] {
    driver.controller.outdatedFacts(at: driver.stamp(utc: utc, monotonic: Monotonic(milliseconds: monotonic)))
  }

  func view(utc: Instant, monotonic: Int) -> HubView {
    driver.controller.view(at: driver.stamp(utc: utc, monotonic: Monotonic(milliseconds: monotonic)))
  }
}
