import Quantities
import Site

/// Rule 4: the mean over each clock-aligned window.
extension Simulation {
  /// What flows through a circuit as its contract counts it, mA: of everything, or of what nobody can lower in time.
  private func counted(_ watch: ContractWatch, _ flow: (Int) -> Int) -> [Int] {
    let cells = (0..<3).map { flow(watch.circuit * 3 + $0) }
    return watch.contract.isPower ? [cells.reduce(0, +)] : cells
  }

  /// What flows through a circuit is about to change, or has not changed for a while: it is accounted for, and judged.
  func watchContract(_ i: Int) {
    let flowing = counted(contracts[i]) { flows[$0] }
    for ended in contracts[i].account(flowing, until: utc.milliseconds) { judge(ended, contracts[i]) }
    guard isMindUp, diedAt == nil else {
      contracts[i].isApart = true
      return
    }
    let alone = counted(contracts[i]) { cannotBeLowered($0) }
    let budget = contracts[i].budget(reaction: reactionTime)
    for p in flowing.indices {
      if alone[p] > budget[p] || now - disturbedAt < reactionTime && contracts[i].isClosing(reactionTime) {
        contracts[i].isApart = true
      }
      guard flowing[p] > budget[p] + 500, alone[p] <= budget[p], now - disturbedAt >= reactionTime else {
        contracts[i].overSince[p] = nil
        continue
      }
      let since = contracts[i].overSince[p] ?? now
      contracts[i].overSince[p] = since
      guard now - since > reactionTime + 60_000 else { continue }
      contracts[i].overSince[p] = now
      find(
        .contractMean,
        "circuit \(contracts[i].circuit) has \(flowing[p]) mA for \((now - since) / 1000) s where \(budget[p]) mA lead to its mean, \(alone[p]) of them alone"
      )
    }
  }

  private func judge(_ ended: ContractWatch.Ended, _ watch: ContractWatch) {
    guard !ended.isApart, let excess = ended.excess.max(), excess * watch.contract.window.raw > watch.total.max()! / 100 else {
      return
    }
    find(.contractMean, "circuit \(watch.circuit): a window's mean passed the contract by \(ended.excess) mA")
  }

  func watchContracts(at circuit: Int) {
    for i in contracts.indices where contracts[i].circuit == circuit { watchContract(i) }
  }

  /// The current in a circuit's phase that nobody can lower in time: the load, stations that do not obey or are not reached, and those
  /// that cannot pause.
  func cannotBeLowered(_ cell: Int) -> Int {
    var alone = baseFlows[cell]
    for c in hub.connectors.indices where ancestors[hub.connectors[c].circuit].contains(cell / 3) {
      let flow = connectorFlows[c][Phase.allCases[cell % 3]].raw
      if flow > 0, !canBeLowered(hub.connectors[c].station) { alone += flow }
    }
    return alone
  }

  private func canBeLowered(_ s: Int) -> Bool {
    let station = stations[s]
    let traits = hub.stations[s].traits
    guard traits.rotates, traits.zero == .pauses else { return false }
    return station.isOnline && now - station.linkChangedAt > reactionTime && isMindUp && !station.isDisobedient
      && !station.has(.wrongClock) && !station.has(.lateAnswers)
  }
}
