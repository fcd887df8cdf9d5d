import Analysis
import Foundation
import Scenarios

/// `sluice simulate SCENARIO --merge DIR... --out DIR`: joins the summaries of shares. The runs of the first seed are lived again: the same
/// scenario and seed give the same run, and tables and pictures need more of it than a summary has.
struct SimulateMerge {
  private var wish: SimulateCommand.Wish

  init(_ wish: SimulateCommand.Wish) { self.wish = wish }

  func run() throws -> Int32 {
    var summaries: [(name: String, json: [UInt8])] = []
    for folder in wish.joins {
      let place = URL(fileURLWithPath: folder, isDirectory: true).appendingPathComponent("summary.json")
      summaries.append((place.path, [UInt8](try Data(contentsOf: place))))
    }
    var study = try Study(joining: summaries, of: wish.scenario, name: wish.name)
    var whole = wish
    (whole.seeds, whole.strategies, whole.share) = (study.seeds, study.strategies, nil)
    let first = study.plan.filter { $0.seed == study.seeds.first }
    let work = try SimulateWork(whole, first)
    let others = study.add(details: work.live().compactMap { $0 })
    for strategy in others {
      StandardError.write(
        "sluice: \(strategy.rawValue) comes out otherwise than in the shares: another scenario, or another version")
    }
    guard others.isEmpty else { return 1 }
    return try work.finish(study)
  }
}
