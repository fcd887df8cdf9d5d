import Quantities

/// Where batches become durable. It never blocks the caller: what became of a batch is reported later.
public protocol Store {
  /// Takes a batch, and the mind's state after it if there is one to keep. At most one batch is under way at a time.
  mutating func submit(_ batch: Batch, snapshot: Snapshot?, at now: Monotonic)
  /// What became known since the last call, in order.
  mutating func reports(at now: Monotonic) -> [StoreReport]
  /// When there will be a report, where that is known (virtual time).
  var nextReport: Monotonic? { get }
}

extension Store {
  public var nextReport: Monotonic? { nil }
}

/// What became of a batch.
public enum StoreReport: Hashable, Sendable {
  /// Everything up to this sequence survives a crash.
  case durable(through: UInt64)
  /// The batch that begins with this sequence is not kept; it will be submitted again.
  case failed(first: UInt64, StoreFault)
}

/// Why a batch was not kept.
public enum StoreFault: Error, Hashable, Sendable {
  case full
  /// The database's own words.
  case broken(String)
}
