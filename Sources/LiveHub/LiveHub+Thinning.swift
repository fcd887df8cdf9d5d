import Journal
import Loop
import Quantities
import Record

extension LiveHub {
  /// The first thinning waits until stations have connected and the mind has been kept once.
  static let firstThinning = TimeSpan.minutes(10)
  static let thinningInterval = TimeSpan.days(1)

  func thinLater(after wait: TimeSpan) {
    thinning = loop.after(.milliseconds(wait.milliseconds)) { [box] in box.hub?.thin() }
  }

  /// Lets the store thin what is older than the site file says, on its own thread and in small pieces: neither the guard nor the
  /// durability of a batch waits for it. A store that fails is tried again with the next.
  func thin() {
    thinLater(after: Self.thinningInterval)
    guard !isStopping, !driver.storeHasFailed else { return }
    let cutoffs = ThinningCutoffs(now: utc, rawDays: plan.site.rawDays, inputDays: plan.site.inputDays)
    driver.store.thin(cutoffs) { [loop, box] result in loop.run { box.hub?.tell(thinned: result) } }
  }

  private func tell(thinned result: Result<Thinned, StoreFault>) {
    switch result {
    case .success(let thinned) where thinned == Thinned(): return
    case .success(let thinned):
      tell(
        "journal_thinned",
        ["readings": "\(thinned.readings)", "inputs": "\(thinned.blocks)", "snapshots": "\(thinned.snapshots)"])
    case .failure(let fault): tell("journal_not_thinned", ["why": "\(fault)"])
    }
  }
}
