import Quantities
import Site

/// The registers through which a grid operator's terminal sets a limit and reads what became of it: words in, limits out, no sockets.
/// The map is in `Profiles/limits/registers/modbus-limit.json5`.
///
/// A limit counts from the moment `enable` is 1, and anew with each write to one of its registers, also of the same words: that is how a
/// terminal renews one that lasts for minutes, or ends a fallback. The terminal counts `watchdog` up; when that stands still for longer
/// than the site file says, the terminal is silent and the fallback holds.
public struct LimitRegisters: Hashable, Sendable {
  public static let count = 40
  /// What a terminal writes.
  public enum Written: Int, Sendable {
    case watchdog = 0, enable, unit, l1, l2, l3, powerHigh, powerLow, minutes
  }
  /// The first register that is only read.
  static let firstRead = 16

  /// What the terminal may read: what is in force, and what flows.
  public struct Shown: Hashable, Sendable {
    public enum State: Int, Hashable, Sendable {
      /// Nothing was asked for, or `enable` is 0.
      case none = 0
      case inForce = 1
      /// The terminal is silent: the fallback holds.
      case fallback = 2
    }
    public var state: State
    public var limit: PerPhase<Current>
    /// nil: no reading.
    public var measured: PerPhase<Current>?
    public var voltage: Voltage
    /// The load is at or below the limit on each phase.
    public var complies: Bool
    public var uptime: TimeSpan
    public init(
      state: State, limit: PerPhase<Current>, measured: PerPhase<Current>?, voltage: Voltage, complies: Bool, uptime: TimeSpan
    ) {
      (self.state, self.limit, self.measured, self.voltage) = (state, limit, measured, voltage)
      (self.complies, self.uptime) = (complies, uptime)
    }
  }
  /// What a write comes to.
  public enum Change: Hashable, Sendable {
    /// The watchdog moved.
    case alive
    case limit(Limit.Amount, minutes: Int?)
    case withdrawn
  }

  private var words = [UInt16](repeating: 0, count: 16)
  public init() {}

  /// As the terminal left them, where the limit that it set before a restart still stands.
  public init(standing amount: Limit.Amount, minutes: Int?) {
    words[Written.enable.rawValue] = 1
    words[Written.minutes.rawValue] = UInt16(clamping: minutes ?? 0)
    switch amount {
    case .current(let current):
      for (place, phase) in zip([Written.l1, .l2, .l3], Phase.allCases) {
        words[place.rawValue] = UInt16(clamping: current[phase].raw / 100)
      }
    case .power(let power):
      let watts = UInt32(clamping: power.raw / 1000)
      words[Written.unit.rawValue] = 1
      (words[Written.powerHigh.rawValue], words[Written.powerLow.rawValue]) = (UInt16(watts >> 16), UInt16(watts & 0xFFFF))
    }
  }

  /// Takes words that were written, all or none.
  /// - Returns: nil: an illegal address (exception 2) or value (exception 3), as `exception` says.
  public mutating func write(_ address: Int, _ new: [UInt16]) -> (changes: [Change], exception: Int?) {
    guard address >= 0, address + new.count <= Written.minutes.rawValue + 1, !new.isEmpty else { return ([], 2) }
    var next = words
    for (i, word) in new.enumerated() { next[address + i] = word }
    guard next[Written.enable.rawValue] <= 1, next[Written.unit.rawValue] <= 1 else { return ([], 3) }
    let before = words
    words = next
    var changes: [Change] = []
    if next[0] != before[0] { changes.append(.alive) }
    let written = address..<address + new.count
    if next[Written.enable.rawValue] == 1, written.upperBound > Written.enable.rawValue {
      changes.append(.limit(amount, minutes: minutes))
    } else if written.contains(Written.enable.rawValue) {
      changes.append(.withdrawn)
    }
    return (changes, nil)
  }

  private func word(_ place: Written) -> Int { Int(words[place.rawValue]) }
  private var amount: Limit.Amount {
    if word(.unit) == 1 { return .power(.watts(word(.powerHigh) << 16 | word(.powerLow))) }
    return .current(
      PerPhase(.milliamperes(word(.l1) * 100), .milliamperes(word(.l2) * 100), .milliamperes(word(.l3) * 100)))
  }
  private var minutes: Int? { word(.minutes) == 0 ? nil : word(.minutes) }

  /// The words from an address on.
  /// - Returns: nil: there is none of that address.
  public func read(_ address: Int, _ count: Int, _ shown: Shown) -> [UInt16]? {
    guard address >= 0, count > 0, address + count <= Self.count else { return nil }
    var all = words + [UInt16](repeating: 0, count: Self.count - words.count)
    func put(_ place: Int, signed value: Int) {
      let clamped = UInt32(bitPattern: Int32(clamping: value))
      (all[place], all[place + 1]) = (UInt16(clamped >> 16), UInt16(clamped & 0xFFFF))
    }
    all[16] = UInt16(shown.state.rawValue)
    all[17] = shown.complies ? 1 : 0
    for phase in Phase.allCases {
      all[18 + phase.rawValue] = UInt16(clamping: shown.limit[phase].raw / 100)
      // 0xFFFF: not known.
      all[22 + phase.rawValue] = shown.measured.map { UInt16(clamping: max(0, $0[phase].raw) / 100) } ?? 0xFFFF
      let power = shown.measured.map { $0[phase].power(at: shown.voltage, phases: 1).raw / 1000 }
      put(26 + phase.rawValue * 2, signed: power ?? Int(Int32.min))
    }
    put(32, signed: shown.uptime.raw / 1000)
    return Array(all[address..<address + count])
  }
}
