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
  /// durability of a batch waits for it. Reports go by the same time. A store that fails is tried again with the next.
  func thin() {
    thinLater(after: Self.thinningInterval)
    guard !isStopping, !driver.storeHasFailed else { return }
    driver.store.latestPresent { [loop, box] result in loop.run { box.hub?.thin(by: result) } }
  }

  /// - Parameter result: the latest present by what is recorded; a wall clock that is ahead of it is not believed.
  private func thin(by result: Result<Instant?, StoreFault>) {
    guard !isStopping else { return }
    let wall = utc
    switch result {
    case .failure(let fault): tell("journal_not_thinned", ["why": "\(fault)"])
    case .success(.none): tell("thinning_put_off", ["why": "less than two weeks are recorded: the clock is not proven yet"])
    case .success(.some(let latest)):
      if wall > latest {
        let days = (wall - latest).milliseconds / TimeSpan.days(1).milliseconds
        tell(
          "thinning_put_off",
          ["why": "the clock is ahead of what was recorded: it is believed after two weeks", "by_days": "\(days)"])
      }
      let present = min(wall, latest)
      compliance.thin(at: present)
      let cutoffs = ThinningCutoffs(now: present, rawDays: plan.site.rawDays, inputDays: plan.site.inputDays)
      driver.store.thin(cutoffs) { [loop, box] result in loop.run { box.hub?.tell(thinned: result) } }
    }
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
