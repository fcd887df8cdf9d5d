import Analysis
import Dispatch
import Foundation
import Quantities
import Scenarios
import Threads

/// Lives all runs of a study on several threads, shows how far it is, and stops in good order when it is told to.
final class SimulateWork: Sendable {
  typealias Result = (Outcome, Figures)
  private let wish: SimulateCommand.Wish
  private let plan: [(strategy: Strategy, seed: UInt64)]
  private let state: Locked<State>
  private struct State {
    var results: [Result?]
    var nextRun = 0
    var livedDays = 0
    var isStopped = false
  }
  private let output: SimulateOutput

  /// - Parameter plan: the runs to be lived.
  init(_ wish: SimulateCommand.Wish, _ plan: [(strategy: Strategy, seed: UInt64)]) throws {
    (self.wish, self.plan) = (wish, plan)
    state = Locked(State(results: Array(repeating: nil, count: plan.count)))
    output = try SimulateOutput(folder: wish.folder)
  }

  /// - Returns: the exit status.
  func run() throws -> Int32 {
    var study = wish.study
    study.take(live())
    return try finish(study)
  }

  /// Lives the runs.
  /// - Returns: in the order of the plan; nil: that run was never begun.
  func live() -> [Result?] {
    let watch = watchForSignals()
    let progress = showProgress()
    DispatchQueue.concurrentPerform(iterations: max(1, min(wish.jobs, plan.count))) { _ in work() }
    progress.cancel()
    watch.forEach { $0.cancel() }
    if isatty(2) == 1 { StandardError.writeRaw("\r\u{1B}[K") }
    return state.with { $0.results }
  }

  /// Writes and tells.
  /// - Returns: the exit status.
  func finish(_ study: Study) throws -> Int32 {
    try output.write(study, events: wish.tellsEvents ? plan.indices.filter { plan[$0].seed == wish.seeds[0] } : [])
    return report(study)
  }

  private func work() {
    while let number = next() { live(number) }
  }

  /// The next run to be lived; nil: there is none, or no more shall be.
  private func next() -> Int? {
    state.with { state in
      guard !state.isStopped, state.nextRun < plan.count else { return nil }
      state.nextRun += 1
      return state.nextRun - 1
    }
  }
  private var isStopped: Bool { state.with { $0.isStopped } }

  private func live(_ number: Int) {
    let (strategy, seed) = plan[number]
    let story = Story(wish.scenario, seed: seed)
    var options = Run.Options()
    options.keepsDetails = seed == wish.seeds[0]
    let part = options.keepsDetails && wish.tellsEvents ? openPart(number) : nil
    if let part { options.tell = { part.add($0) } }
    let run = Run(wish.scenario, story, strategy, options)
    while !run.isDone, !isStopped {
      run.live(steps: TimeSpan.days(1).raw / wish.scenario.step.raw)
      state.with { $0.livedDays += 1 }
    }
    if !run.isDone { run.finish() }
    part?.close()
    let result = result(run.outcome, story, isKept: options.keepsDetails)
    state.with { $0.results[number] = result }
  }

  private func result(_ outcome: Outcome, _ story: Story, isKept: Bool) -> Result {
    let figures = Figures(outcome, wish.scenario, story)
    guard !isKept else { return (outcome, figures) }
    var short = outcome
    short.forgetSteps()
    return (short, figures)
  }

  private func openPart(_ number: Int) -> EventPart? {
    do { return try output.part(number) } catch {
      StandardError.write("sluice: the events of this run cannot be written: \(error)")
      return nil
    }
  }

  // MARK: Telling

  private func report(_ study: Study) -> Int32 {
    let kind = study.scenario.days == 1 ? "day" : "days"
    print(
      "\(study.name): \(study.scenario.hub.connectors.count) connectors, \(study.scenario.days) \(kind), fidelity analyst, \(study.seeds.count) seeds"
    )
    for line in study.table { print(line) }
    let broken = study.promises.filter { !$0.holds }
    if !study.promises.isEmpty { print("must hold: \(study.promises.count - broken.count) of \(study.promises.count) do") }
    for result in broken.prefix(20) {
      print("BROKEN \(result.promise.kind.rawValue) under \(result.strategy.rawValue), seed \(result.seed): \(result.words)")
      print("       wanted, so that \(result.promise.kind.reason)")
    }
    if !study.isComplete { print("PARTIAL: stopped after \(study.days) of \(study.scenario.days) days of the shortest run") }
    print("written to \(wish.folder): \(output.names.joined(separator: ", "))")
    if !study.isComplete { return 130 }
    return broken.isEmpty ? 0 : 1
  }

  private func watchForSignals() -> [any DispatchSourceSignal] {
    [SIGINT, SIGTERM].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { [self] in state.with { $0.isStopped = true } }
      source.activate()
      return source
    }
  }

  /// In a terminal a line that changes each second, elsewhere a line every ten.
  private func showProgress() -> any DispatchSourceTimer {
    let (isTerminal, begin) = (isatty(2) == 1, ContinuousClock.now)
    let total = plan.count * wish.scenario.days
    let timer = DispatchSource.makeTimerSource(queue: .global())
    timer.schedule(deadline: .now() + 1, repeating: isTerminal ? 1 : 10)
    timer.setEventHandler { [self] in
      let lived = state.with { $0.livedDays }
      guard lived > 0 else { return }
      let spent = Double(begin.duration(to: .now).components.seconds)
      let left = Int(spent * Double(total - lived) / Double(lived))
      let text = "\(lived) of \(total) days lived, about \(left / 60) min \(left % 60) s left"
      if isTerminal { StandardError.writeRaw("\r\u{1B}[K\(text)") } else { StandardError.write(text) }
    }
    timer.activate()
    return timer
  }
}
