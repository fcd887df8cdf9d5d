import Quantities
import Site

/// The billing meter of a contractual mean: what has flowed in the window under way, and whether what flows now leads past it.
struct ContractWatch: Sendable {
  let circuit: Int
  let contract: ContractLimit
  /// UTC, ms.
  private(set) var windowStart: Int
  private(set) var accountedUntil: Int
  /// mA·ms since the window began: one for each phase, or their sum where the contract is in W.
  private(set) var charge: [Int]
  /// Since when each flow leads past the mean although it could be lowered, ms of true time.
  var overSince: [Int?]
  /// What is judged at the end of a window: not the one that the clock was set in, nor one in which the load alone led past the mean.
  var isApart: Bool

  init(circuit: Int, contract: ContractLimit, utc: Int) {
    (self.circuit, self.contract) = (circuit, contract)
    let count = contract.isPower ? 1 : 3
    (charge, overSince) = (Array(repeating: 0, count: count), Array(repeating: nil, count: count))
    (windowStart, accountedUntil) = (0, utc)
    // It begins with a window that was not seen whole.
    isApart = true
    windowStart = start(of: utc)
  }

  /// The window that `utc` is in.
  private func start(of utc: Int) -> Int {
    let (window, offset) = (contract.window.raw, contract.offset.raw)
    return (utc - offset) / window * window + offset
  }

  /// mA·ms that may flow within a window.
  var total: [Int] {
    switch contract.amount {
    case .current(let mean): Phase.allCases.map { mean[$0].raw * contract.window.raw }
    case .power(let mean): [mean.current(at: .volts(230), phases: 1).raw * contract.window.raw]
    }
  }

  /// A window that has ended, and by how much its flows passed the mean, mA.
  struct Ended {
    var isApart: Bool
    var excess: [Int]
  }

  /// `flows` (mA, as many as `charge`) have been flowing until `utc`.
  mutating func account(_ flows: [Int], until utc: Int) -> [Ended] {
    var ended: [Ended] = []
    while accountedUntil < utc {
      let end = windowStart + contract.window.raw
      let until = min(utc, end)
      for i in charge.indices { charge[i] += max(0, flows[i]) * (until - accountedUntil) }
      accountedUntil = until
      guard until == end else { break }
      ended.append(Ended(isApart: isApart, excess: charge.indices.map { (charge[$0] - total[$0]) / contract.window.raw }))
      windowStart = end
      (charge, isApart) = (charge.map { _ in 0 }, false)
    }
    return ended
  }

  /// The wall clock was set: the windows lie otherwise from now on.
  mutating func setClock(utc: Int) {
    let since = overSince
    self = ContractWatch(circuit: circuit, contract: contract, utc: utc)
    overSince = since
  }

  /// Whatever changes now has no effect before the window's end.
  func isClosing(_ reaction: Int) -> Bool { windowStart + contract.window.raw - accountedUntil < reaction }

  /// What each flow may be until the end of the window, mA, when whatever changes takes `reaction` ms.
  func budget(reaction: Int) -> [Int] {
    let left = max(windowStart + contract.window.raw - accountedUntil, reaction)
    return charge.indices.map { max(0, total[$0] - charge[$0]) / left }
  }
}

extension ContractLimit {
  var isPower: Bool { if case .power = amount { true } else { false } }
}
